"""The Keras tier. Importing it imports Keras and its backend."""

from hparams_lab.keras.training import evaluate, fit

__all__ = ["evaluate", "fit"]
