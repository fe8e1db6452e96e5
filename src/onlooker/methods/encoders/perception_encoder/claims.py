"""Claims (being written)."""

CLAIMS = ()
