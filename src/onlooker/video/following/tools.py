"""Who follows what a request asks for, from the models of a session."""

from __future__ import annotations

from onlooker.errors import ConfigError
from onlooker.steps import run_out
from onlooker.video.following.looking import Overheard
from onlooker.video.following.passes import FollowTools, Outliner, follow_video
from onlooker.video.following.pointed import PointedFollower
from onlooker.video.following.protocols import BoxFollower, FollowsBoxes, KeepsMasks, NamesCategories
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.segmented import SegmentedFollower
from onlooker.video.following.values import FollowResult
from onlooker.video.protocols import Detector, Segmenter, Tracker
from onlooker.video.wiring import ModelPool


def follow(pool: ModelPool, request: FollowRequest, masks: bool = False) -> FollowResult:
    """Follows what was asked for through one video, without telling how far it is; `follow_video` does.

    Raises:
        MediaError, ConfigError, UnknownNameError: as `follow_video` and `make_follow_tools`.
    """
    return run_out(follow_video(request, lambda checked: make_follow_tools(pool, checked, masks)))


def make_follow_tools(pool: ModelPool, request: FollowRequest, masks: bool) -> FollowTools:
    """The tools of one run.

    Boxes are followed by the segmenter where that role is filled, else by the tracker where it can, else by the
    follower that needs no weights, helped by detector and tracklets. Classes are followed by the tracker as in an
    ingest, and outlined by the segmenter where there is one.

    Args:
        masks: whether masks are wanted; who makes them does so unasked.

    Raises:
        ConfigError: masks are wanted and nobody makes any, or a role that is needed is empty.
    """
    if masks and not (pool.has("segmenter") or pool.has("tracker")):
        raise _no_masks()
    models: dict[str, str] = {}
    tracker = _own_tracker(pool, models)
    follower = _box_follower(pool, tracker) if request.boxes else None
    if follower is not None:
        models["box follower"] = f"{follower.name}@{follower.version}"
    composed = isinstance(follower, PointedFollower)
    categories = tracker.categories if tracker is not None and isinstance(tracker, NamesCategories) else None
    heard: Overheard | None = None
    if tracker is None and (request.classes or (composed and pool.has("detector"))):
        heard = Overheard(pool.get("detector", Detector))  # type: ignore[type-abstract]
        tracker, categories = pool.tracker(heard), heard.categories
        models |= {"detector": pool.fingerprint("detector"), "tracker": f"{tracker.name}@{tracker.version}"}
    tools = FollowTools(
        detector=heard,
        tracker=tracker if request.classes or composed else None,
        follower=follower,
        composed=composed and tracker is not None,
        outliner=_outliner(pool) if request.classes else None,
        categories=categories,
        models=models,
    )
    if masks and not tools.gives_masks:
        raise _no_masks()
    return tools


def _own_tracker(pool: ModelPool, models: dict[str, str]) -> Tracker | None:
    """The tracker that was set in place of detector and association, noted in `models`."""
    if not pool.has("tracker"):
        return None
    tracker = pool.tracker()
    models["tracker"] = pool.fingerprint("tracker")
    if isinstance(tracker, KeepsMasks):
        tracker.keep_masks()
    return tracker


def _box_follower(pool: ModelPool, tracker: Tracker | None) -> BoxFollower:
    if pool.has("segmenter"):
        return SegmentedFollower(pool.get("segmenter", Segmenter))  # type: ignore[type-abstract]
    if tracker is not None and isinstance(tracker, FollowsBoxes):
        return tracker.box_follower()
    return PointedFollower()


def _outliner(pool: ModelPool) -> Outliner | None:
    if not pool.has("segmenter"):
        return None
    return Outliner(pool.get("segmenter", Segmenter), pool.settings.masks)  # type: ignore[type-abstract]


def _no_masks() -> ConfigError:
    return ConfigError(
        "masks were asked for and nobody here makes any; pick who does: --set segmenter=sam2 (fetched from the hub), "
        "or with weights you trained --set segmenter=isvos:weights=DIR or --set tracker=omnitracker:weights=DIR"
    )
