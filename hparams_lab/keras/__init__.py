"""The Keras tier. Importing it imports Keras and its backend."""
