"""Conditions on trials and runs."""
