"""Onlooker: ask questions about videos and get answers with proof."""

__version__ = "0.1.0"
