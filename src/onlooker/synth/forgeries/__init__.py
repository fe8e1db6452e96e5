"""Manipulations of real pictures with exact masks, seeded, and the controls that keep detectors from cheating."""
