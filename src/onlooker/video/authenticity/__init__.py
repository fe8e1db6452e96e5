"""Traces of manipulation in a file: what its container tells, what rules and judges find, one verdict with reasons."""
