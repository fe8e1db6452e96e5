"""The library file: tables, views, migrations, transactions, and what may be done to rows as a whole.

Names are loaded when first used: a question only needs `reader`, which does without SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onlooker.video.store.stages import StageRun, clear_stage, record_stage, stage_done, stages_done
    from onlooker.video.store.store import Store
    from onlooker.video.store.videos import (
        StoredVideo,
        add_video,
        content_hash,
        delete_video,
        find_by_content,
        find_videos,
        get_video,
        list_videos,
        set_status,
    )

__all__ = [
    "StageRun",
    "Store",
    "StoredVideo",
    "add_video",
    "clear_stage",
    "content_hash",
    "delete_video",
    "find_by_content",
    "find_videos",
    "get_video",
    "list_videos",
    "record_stage",
    "set_status",
    "stage_done",
    "stages_done",
]
_STAGES = frozenset({"StageRun", "clear_stage", "record_stage", "stage_done", "stages_done"})


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    home = "store" if name == "Store" else "stages" if name in _STAGES else "videos"
    return getattr(import_module(f"{__name__}.{home}"), name)
