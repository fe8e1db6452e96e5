"""Small seeded worlds with known truth."""
