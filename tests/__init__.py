"""The tests, a folder for each folder of the package."""

import pytest

# The contracts' asserts are told as fully as those of the tests that inherit them.
pytest.register_assert_rewrite("hparams_lab.testing")
