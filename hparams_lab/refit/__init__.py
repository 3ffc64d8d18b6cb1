"""Training the best trial again, on all data, and saving the model."""
