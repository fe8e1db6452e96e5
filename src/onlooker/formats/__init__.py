"""Annotation files as values: what the application exchanges and the evaluation reads, knowing neither of them."""
