"""The tests, a folder for each folder of the package."""

from hypothesis import settings

# A loaded machine is slow for no fault of the code, so no example has a deadline.
settings.register_profile("frugal", deadline=None, max_examples=50)
settings.load_profile("frugal")
