"""STTS: video transformers that drop frames and regions they do not need."""
