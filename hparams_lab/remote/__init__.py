"""Log directories that are URLs: a mirror on the local disk, and what keeps the two the same."""
