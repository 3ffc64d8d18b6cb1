"""TensorBoard on the right files."""
