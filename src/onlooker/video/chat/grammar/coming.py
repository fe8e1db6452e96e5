"""Coming and going at a moment: "who leaves at 5 s?" is about that second, "who has left at 5 s?" about all before."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.query import Event, TimePoint, Window

_ABOUT_S = 0.5  # how far from the moment said something may come or go: ours


def span_of_event(scene: Scene, event: Event | None) -> tuple[Window | None, Event | None]:
    """The window of a question and what happens in it; a moment of coming or going is the second around it."""
    window = scene.window
    if event is None or window is None or window.kind != "at" or window.start is None:
        return window, event
    point = window.start
    past = _is_past(scene)
    seen = any(scene.reading.tokens[c.start].base != "have" for c in scene.reading.cues.get("visible", ()))
    if point.base not in {"start", "event"} or (seen and not past):
        return window, event  # "who that came from the left is there at 5 s?"
    if past:
        return Window("span", None, point), event
    early = point.value - _ABOUT_S
    early = max(early, 0.0) if point.base == "start" else early
    return Window("span", TimePoint(early, point.base), replace(point, value=point.value + _ABOUT_S)), event


def _is_past(scene: Scene) -> bool:
    """ "Has left at 5 s", "are gone at 5 s", "is no longer there", "had already come"."""
    past = any(t.base == "have" or t.text in {"gone", "already"} for t in scene.reading.tokens)
    return past or scene.reading.says("no", frozenset({"longer"}))
