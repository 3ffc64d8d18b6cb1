"""Runs and trials as tables of other tools."""
