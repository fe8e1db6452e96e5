"""Fixtures of the tests of verdicts; the doubles themselves are in tests/data."""

from authenticity_doubles import deaf_rules, rules, tools, write_clip

__all__ = ["deaf_rules", "rules", "tools", "write_clip"]
