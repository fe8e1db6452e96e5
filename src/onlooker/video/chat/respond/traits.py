"""What one column of a tracklet says, as a value for machines and as words."""

from __future__ import annotations

from dataclasses import dataclass

from onlooker.video.answer import Value
from onlooker.video.chat.respond.session import Track
from onlooker.video.chat.wording import number, seconds

UNITS = {
    "speed": "px/s", "path_px": "px", "net_px": "px", "dx_px": "px", "dy_px": "px", "duration": "s",
    "area_rel": "of the frame",
}  # fmt: skip
# Columns that must be read beside the one asked for.
NEEDED = {
    "direction": ("dx_px", "dy_px"),
    "size": ("area_rel",),
    "upper_color": ("lower_color",),
    "appearance": ("color", "upper_color", "lower_color", "size", "motion"),
}
# Less than this is no change of place worth a word (ours; the official questions use the same).
LEAST_SHIFT_PX = 20.0
_VERBS = {
    "color": "is", "upper_color": "wears", "lower_color": "wears", "category": "is a", "enters_from": "enters from the",
    "leaves_to": "leaves to the", "place": "is mostly at the", "size": "is", "approach": "is",
}  # fmt: skip
_BEHIND = {"upper_color": " above", "lower_color": " below"}
_SPECIAL = {
    ("enters_from", "start"): "is there from the first frame",
    ("enters_from", "inside"): "appears inside the picture, not at an edge",
    ("leaves_to", "end"): "is there until the last frame",
    ("leaves_to", "inside"): "vanishes inside the picture, not at an edge",
    ("approach", "steady"): "keeps its distance",
    ("place", "centre"): "is mostly in the centre",
}


@dataclass(frozen=True, slots=True)
class Trait:
    """A value and the sentence about it, without its full stop."""

    value: Value
    told: str


def look(track: Track) -> str | None:
    """A description: the stored one, else what colour, clothes, size and motion say; None when nothing is stored."""
    stored = track.text_of("appearance")
    if stored:
        return stored
    parts = [f"{track.text_of('size')} {track.category}"]
    parts += [color] if (color := track.text_of("color")) else []
    parts += [f"{upper} above"] if (upper := track.text_of("upper_color")) else []
    parts += [f"{lower} below"] if (lower := track.text_of("lower_color")) else []
    motion = track.text_of("motion")
    return ", ".join(parts) + (f"; {motion}" if motion else "")


def measured(column: str, value: object) -> str:
    """A number with its unit, or text as it is."""
    if column in {"t_start", "t_end", "duration"} and isinstance(value, int | float):
        return seconds(float(value))
    if column == "area_rel" and isinstance(value, int | float):
        return f"{100 * float(value):.2g} % of the frame"
    if isinstance(value, int | float):
        return f"{number(float(value))} {UNITS.get(column, '')}".strip()
    return "unknown" if value is None else str(value)


def trait(track: Track, column: str, options: tuple[str, ...]) -> Trait:
    """What `column` says of a track; with options, in their terms."""
    if column in {"dx_px", "dy_px"}:
        return _shift(track, column)
    if column == "direction":
        return _direction(track)
    if column == "stationary":
        word = "stationary" if track.number_of(column) else "moving"
        return Trait(word, f"{track.name} is {word}")
    if column == "n_gaps":
        times = int(track.number_of(column) or 0)
        return Trait(times, f"{track.name} is away and back {times} time{'' if times == 1 else 's'}")
    value = track.values.get(column)
    if isinstance(value, str):
        return _text(track, column, value, options)
    amount = float(value or 0)
    verb = {"speed": "moves at", "path_px": "moves", "area_rel": "fills"}.get(column, f"has {column}")
    return Trait(amount, f"{track.name} {verb} {measured(column, amount)}")


def _text(track: Track, column: str, value: str, options: tuple[str, ...]) -> Trait:
    if column in {"appearance", "motion"}:
        return Trait(value, f"{track.name}: {value}".rstrip("."))
    plain = f"{_VERBS.get(column, column)} {value}{_BEHIND.get(column, '')}"
    sentence = f"{track.name} {_SPECIAL.get((column, value), plain)}"
    if column == "size":
        sentence += f" ({measured('area_rel', track.values.get('area_rel'))})"
    lower = track.text_of("lower_color") if column == "upper_color" else None
    sentence += f" and {lower} below" if lower else ""
    short = next((option for option in options if option in value.split()), value)
    return Trait(short, sentence)


def _shift(track: Track, column: str) -> Trait:
    amount = track.number_of(column) or 0.0
    positive, negative = ("right", "left") if column == "dx_px" else ("down", "up")
    word = positive if amount > 0 else negative if amount < 0 else "neither"
    return Trait(word, f"{track.name} ends up {number(abs(amount))} px further {word} than where it started")


def _direction(track: Track) -> Trait:
    """The main word of the way from the first to the last place: across before along, as people say it."""
    direction = track.text_of("direction") or "none"
    dx, dy = track.number_of("dx_px") or 0.0, track.number_of("dy_px") or 0.0
    shift = f"{number(abs(dx))} px {'right' if dx > 0 else 'left'}, {number(abs(dy))} px {'down' if dy > 0 else 'up'}"
    if direction == "none":
        if abs(dx) <= LEAST_SHIFT_PX:
            return Trait("none", f"{track.name} hardly changes its place ({shift})")
        word = "right" if dx > 0 else "left"
        return Trait(word, f"{track.name} hardly changes its place for its size ({shift})")
    parts = direction.split("-")
    across = next((p for p in parts if p in {"left", "right"}), None)
    if across is None and abs(dx) > LEAST_SHIFT_PX and abs(dx) > 0.25 * abs(dy):
        across = "right" if dx > 0 else "left"
    return Trait(across or parts[0], f"{track.name} moves {direction} ({shift})")
