"""Ingest: a file becomes rows. One decode, one transaction per stage, resumable at the last finished stage."""

from onlooker.video.ingest.job import IngestReport, Job, Progress
from onlooker.video.ingest.pipeline import check_readable, ingest_video
from onlooker.video.ingest.scan import find_videos_below

__all__ = ["IngestReport", "Job", "Progress", "check_readable", "find_videos_below", "ingest_video"]
