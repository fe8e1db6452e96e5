"""Which of several is more, by one column."""

from __future__ import annotations

from onlooker.video.answer import Value
from onlooker.video.chat.compile import Binder
from onlooker.video.chat.query import CompareQuery, Rank, Selection
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.respond.traits import measured
from onlooker.video.chat.wording import joined, name_of

_WORDS = {
    ("speed", True): "faster", ("speed", False): "slower", ("duration", True): "visible longer",
    ("duration", False): "visible shorter", ("area_rel", True): "larger", ("area_rel", False): "smaller",
    ("path_px", True): "moves farther", ("path_px", False): "moves less", ("t_start", False): "appears first",
    ("t_start", True): "appears last", ("t_end", False): "leaves first", ("t_end", True): "is seen last",
}  # fmt: skip


def compare(session: Session, query: CompareQuery) -> Draft:
    """The winner: its name as the asker said it, or its number where numbers were asked; a bool for yes or no."""
    entries: list[tuple[Selection, Track]] = []
    for option in query.options:
        # Of several cars the one that counts is the most extreme: the earliest for "first", the fastest for "faster".
        found = (
            []
            if option.is_unknown
            else session.tracks(option, (query.column,), order=Rank(query.column, query.descending), limit=1)[0]
        )
        if found:
            entries.append((option, found[0]))
    missing = [o for o in query.options if not any(o is e[0] for e in entries)]
    if missing:
        draft = nothing(session, missing[0], False if query.ask == "yes_no" else None)
        if entries:
            draft.cite(f"{entries[0][1].name} is there", session.evidence([t for _, t in entries]))
        return draft
    ordered = sorted(entries, key=lambda e: (e[1].number_of(query.column) or 0.0) * (-1 if query.descending else 1))
    best, other = ordered[0], ordered[1]
    tie = best[1].number_of(query.column) == other[1].number_of(query.column)
    told = joined([f"{name_of(o)} {measured(query.column, t.values.get(query.column))}" for o, t in entries])
    words = _WORDS[query.column, query.descending]
    value: Value
    if query.ask == "yes_no":
        held = not tie and best[0] is entries[0][0]
        value, text = held, f"{'Yes' if held else 'No'}: {told}."
    elif tie:
        value, text = "neither", f"Neither: {told}."
    else:
        value = [best[1].number] if all(o.numbers for o in query.options) else called(best[0])
        verb = "" if words.startswith(("moves", "appears", "leaves", "is ")) else "is "
        text = f"The {name_of(best[0])} {verb}{words}: {told}."
    draft = Draft(text, value)
    binder = Binder()
    keys = [binder.bind(t.key) for _, t in ordered]
    sql = f"SELECT k.video, k.id, k.category, k.{query.column} FROM tracklets AS k WHERE k.key IN ({', '.join(keys)})"
    sql += f" ORDER BY k.{query.column} {'DESC' if query.descending else 'ASC'}"
    fill(draft, session, binder.statement(sql))
    draft.cite(text.rstrip("."), session.evidence([t for _, t in entries]))
    draft.confidence = certainty([t for _, t in entries])
    draft.named = tuple(t for _, t in (ordered if query.ask == "which" else entries))
    return draft


def called(selection: Selection) -> str:
    """The winner's name for machines: its category where it has one only, else the words of the asker."""
    if selection.label is None and not selection.numbers and selection.categories and len(selection.categories) == 1:
        return selection.categories[0]
    return name_of(selection)
