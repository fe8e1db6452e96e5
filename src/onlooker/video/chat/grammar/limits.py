"""Numbers as limits: "more than two", "visible for at least 3 s", "faster than 50 px/s"."""

from __future__ import annotations

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.moments import read_duration
from onlooker.video.chat.query import Condition, Operator

# Words before a number, and what they make of it.
_COMPARATORS: dict[tuple[str, ...], Operator] = {
    ("more", "than"): ">", ("over",): ">", ("at", "least"): ">=", ("no", "fewer", "than"): ">=", ("fewer", "than"): "<",
    ("less", "than"): "<", ("at", "most"): "<=", ("up", "to"): "<=", ("exactly",): "=", ("only",): "=", ("just",): "=",
    ("no", "more", "than"): "<=", ("under",): "<", ("above",): ">", ("below",): "<", ("longer", "than"): ">",
    ("faster", "than"): ">", ("slower", "than"): "<", ("shorter", "than"): "<",
}  # fmt: skip

# Words behind a number: "for 3 s or more".
_OPEN_ENDED: dict[tuple[str, ...], Operator] = {
    **dict.fromkeys((("or", "more"), ("or", "longer"), ("and", "more"), ("or", "above")), ">="),
    **dict.fromkeys((("or", "less"), ("or", "shorter"), ("or", "under"), ("or", "fewer")), "<="),
}


def comparator_before(scene: Scene, index: int) -> Operator | None:
    """The comparison said right before token `index`."""
    texts = [t.text for t in scene.reading.tokens[:index]]
    for size in (3, 2, 1):
        found = _COMPARATORS.get(tuple(texts[-size:])) if len(texts) >= size else None
        if found is not None:
            return found
    return None


def length_conditions(scene: Scene) -> tuple[Condition, ...]:
    """ "Visible for more than 3 seconds", "faster than 50 px/s"."""
    tokens = scene.reading.tokens
    found = []
    taken = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    for i, token in enumerate(tokens):
        if token.number is None or i in taken:
            continue
        operator = comparator_before(scene, i)
        behind = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if operator is not None and behind in {"px", "pixel", "pixels"}:
            found.append(Condition("speed", operator, token.number))
            continue
        length = read_duration(tokens, i)
        if length is not None and operator is None:
            operator = _OPEN_ENDED.get(tuple(t.text for t in tokens[length[1] : length[1] + 2]))
        if length is not None and operator == "=" and not scene.reading.word("only", "just"):
            continue  # a frame more or less decides it
        if length is not None and operator is not None:
            found.append(Condition("duration", operator, length[0]))
    return tuple(found)
