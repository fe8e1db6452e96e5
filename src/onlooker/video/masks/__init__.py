"""Masks of tracklets: a segmenter follows, led by the boxes a tracker found, the pixels of every object."""
