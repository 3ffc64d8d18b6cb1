"""What may be wrong: each check is a function from what was found to findings."""
