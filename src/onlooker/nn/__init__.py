"""Parts that three methods or more have in common, one a file."""
