"""Frames or detections become tracklets: objects followed through time."""

from onlooker.video.tracklets.config import PRESETS, TrackletConfig
from onlooker.video.tracklets.public import associate
from onlooker.video.tracklets.tracker import TrackletTracker

__all__ = ["PRESETS", "TrackletConfig", "TrackletTracker", "associate"]
