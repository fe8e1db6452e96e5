"""Detectors without weights: each measures one trace and says when it does not apply."""
