"""Numbers about records; text and pictures of them."""
