"""Encoders: pictures, clips and text to vectors."""
