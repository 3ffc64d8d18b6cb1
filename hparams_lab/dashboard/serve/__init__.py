"""A TensorBoard that is started on a view, and kept up to date."""
