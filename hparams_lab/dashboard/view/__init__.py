"""The directory that TensorBoard is pointed at, made from log directories."""
