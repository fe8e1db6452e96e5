"""Methods that say whether pictures and frames were manipulated, and where."""
