"""Video and sound in and out: open, decode, cut, listen, draw, encode. No torch, no application.

Import from the modules; this package itself loads nothing.
"""
