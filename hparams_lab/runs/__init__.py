"""What is run: identity, directory and the handle that a train function gets."""
