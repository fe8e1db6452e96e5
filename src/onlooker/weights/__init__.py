"""Find weights, prove they are the expected ones, load them, report what does not fit."""
