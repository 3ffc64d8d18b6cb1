"""All that was found, on one page or in TensorBoard's tabs."""
