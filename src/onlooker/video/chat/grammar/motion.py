"""Rules for how something moves and looks: direction, sides of coming and going, speed, colour, place, size."""

from __future__ import annotations

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import crosses, measure_of
from onlooker.video.chat.query import AttributeQuery, BoxQuery, CheckQuery, Condition, PathQuery, Query

_ACROSS = ("left", "right")
_ALONG = ("up", "down")
_VERTICAL = {"top": "up", "bottom": "down", "up": "up", "down": "down"}


def choice(scene: Scene) -> Query | None:
    """ "Does it go left or right?", "which way does it move?", "does it end up further left than where it started?"."""
    if len(scene.specific) > 1 or not scene.has_subject or scene.form in {"count", "how_long"}:
        return None
    named = {_VERTICAL.get(s.value, s.value) for s in scene.reading.sides}
    offered = scene.reading.has_or or scene.has("direction") or any(t.text == "/" for t in scene.reading.tokens)
    offered = offered or _side_by_side(scene)
    for options, column in ((_ACROSS, "dx_px"), (_ALONG, "dy_px")):
        if named >= set(options) and offered:
            return _offered(scene, options, column)
    further = scene.reading.side("further", "of")
    compared = scene.has("end_up") or scene.reading.word("started", "start", "began", "before")
    if further is not None and compared and scene.form == "yes_no":
        side = _VERTICAL.get(further.value, further.value)
        column, positive = ("dx_px", "right") if side in _ACROSS else ("dy_px", "down")
        return CheckQuery(scene.subject, (Condition(column, ">" if side == positive else "<", 0),), scene.quantifier)
    return _plain_direction(scene)


def _side_by_side(scene: Scene) -> bool:
    """ "..., left, right?": two sides with nothing but a comma between them."""
    sides = scene.reading.sides
    if crosses(scene.reading):
        return False  # "from left to right" offers no choice
    return len(sides) == 2 and all(t.text == "," for t in scene.reading.tokens[sides[0].end : sides[1].start])


def _offered(scene: Scene, options: tuple[str, str], column: str) -> Query:
    """One of two sides: of coming, of leaving, of the frame, or of the way it goes."""
    moving = scene.has("move", "direction", "end_up", "in_motion", "path") or scene.reading.side("further") is not None
    if not moving and scene.has("end"):
        return AttributeQuery(scene.subject, "leaves_to", options)
    if not moving and (scene.has("start", "appear") and scene.reading.word("from", "on", "at")):
        return AttributeQuery(scene.subject, "enters_from", options)
    if not moving and scene.form == "yes_no" and scene.reading.side("at") is not None:
        return AttributeQuery(scene.subject, "place", options, window=scene.window)
    return AttributeQuery(scene.subject, column, options)


def _plain_direction(scene: Scene) -> Query | None:
    if scene.form == "yes_no" or measure_of(scene.reading) is not None:
        return None
    if scene.has("where_place"):
        return _which_side(scene)
    across = scene.reading.word("horizontal", "horizontally", "sideways")
    along = scene.reading.word("vertical", "vertically")
    told = scene.form == "which" and scene.reading.side("to") is not None  # "which cars are heading to the left?"
    if scene.has("direction") and scene.form != "when" and not told:
        if across or along:
            return AttributeQuery(scene.subject, "dx_px" if across else "dy_px", _ACROSS if across else _ALONG)
        return AttributeQuery(scene.subject, "direction")
    return None


def _which_side(scene: Scene) -> Query | None:
    """ "Which side does it come from?", "on which side does it leave?", "in which part of the picture is it?"."""
    if scene.has("end") and not scene.has("end_up"):
        return AttributeQuery(scene.subject, "leaves_to")
    if scene.has("start", "appear") or (scene.reading.word("from") and scene.has("move")):
        return AttributeQuery(scene.subject, "enters_from")
    if scene.has("end_up", "direction", "move"):
        return AttributeQuery(scene.subject, "dx_px", _ACROSS)
    if scene.window is not None and scene.window.kind == "at":
        return BoxQuery(scene.subject, scene.window)
    return AttributeQuery(scene.subject, "place", window=scene.window)


def looks(scene: Scene) -> Query | None:
    """Colour, clothes, size, description, speed, path: one column of the subject."""
    if not scene.has_subject or scene.form in {"count", "when", "how_long", "yes_no"}:
        return None
    column = None if scene.has("order") else _column(scene)  # "in order of appearance"
    if column is None:
        return None
    if column == "path":
        return PathQuery(scene.subject, scene.window)
    mean = scene.reading.word("average", "mean") and scene.subject.plural
    return AttributeQuery(scene.subject, column, aggregate="mean" if mean and column == "speed" else "each")


def _column(scene: Scene) -> str | None:
    measured = measure_of(scene.reading) is not None
    if scene.has("color"):
        return "upper_color" if scene.has("upper") else "lower_color" if scene.has("lower") else "color"
    if scene.has("wear") and scene.form in {"what", "none", "list", "how"}:
        return "lower_color" if scene.has("lower") else "upper_color"
    if measured or scene.form == "which":
        return None
    if scene.has("speed"):
        return "speed"
    if scene.has("path"):
        return "path"
    if scene.has("travel_far") and scene.has("move") and len(scene.specific) < 2:
        return "path_px"
    if scene.has("size") and scene.form in {"how", "what", "none"}:
        return "size"
    return "appearance" if scene.has("look") else None
