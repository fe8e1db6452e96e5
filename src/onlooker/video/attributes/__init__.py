"""What is said of tracklets and videos: geometry from boxes, and a pool of annotators over pictures and sound."""

from onlooker.video.attributes.pictures import KeyframeKeeper, load_pictures, save_keyframes
from onlooker.video.attributes.pipeline import run_annotator, run_annotators
from onlooker.video.attributes.pool import PoolModels, make_annotators
from onlooker.video.attributes.registry import Annotator, AnnotatorSpec, Context, ModelHandle
from onlooker.video.attributes.write import refresh_geometry, write_tracking

__all__ = [
    "Annotator",
    "AnnotatorSpec",
    "Context",
    "KeyframeKeeper",
    "ModelHandle",
    "PoolModels",
    "load_pictures",
    "make_annotators",
    "refresh_geometry",
    "run_annotator",
    "run_annotators",
    "save_keyframes",
    "write_tracking",
]
