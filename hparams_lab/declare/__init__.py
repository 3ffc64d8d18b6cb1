"""What the user writes down: axes, metrics, an objective, an experiment."""
