"""Trials as rows: chosen, ranked and picked."""
