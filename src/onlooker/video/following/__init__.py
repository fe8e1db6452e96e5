"""Following what was pointed at, and everything of a kind, through one video file; nothing is stored in a library."""
