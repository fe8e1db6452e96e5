"""Annotations in and out of a library, in the formats other tools speak."""

from onlooker.video.exchange.annotated import ImportedVideo, ImportReport
from onlooker.video.exchange.mot_read import import_mot

__all__ = ["ImportReport", "ImportedVideo", "import_mot"]
