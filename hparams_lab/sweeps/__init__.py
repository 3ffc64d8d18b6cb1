"""Launching sweeps and going on with them."""
