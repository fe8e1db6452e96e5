"""The video as a whole: its facts, what is heard and read, what happens, a summary, the proof of an answer."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.video.answer import Answer, Cell, Evidence, Value
from onlooker.video.chat.compile import Binder, Statement, moment_in_video, tracklets_sql
from onlooker.video.chat.query import (
    CategoriesQuery,
    EventsQuery,
    Rank,
    Selection,
    SoundQuery,
    TagsQuery,
    VideoFactQuery,
    Window,
    WordsQuery,
)
from onlooker.video.chat.respond import counts
from onlooker.video.chat.respond.acting import deeds_by_track
from onlooker.video.chat.respond.session import Draft, Session, certainty, fill, nothing
from onlooker.video.chat.wording import box, counted, joined, number, seconds, span, window_words

_SAME_LENGTH_S = 0.0005
_MAX_ROWS = 50
_MAX_TOLD = 8
_LEVELS = ("silence", "quiet", "sound", "loud", "speech")


def _inside(session: Session, binder: Binder, column: str) -> list[str]:
    return [] if session.scope is None else [f"{column} IN ({binder.bind_all(session.scope)})"]


def _overlaps(binder: Binder, window: Window | None, alias: str) -> list[str]:
    """Tests that a stretch `t_start`..`t_end` touches the window."""
    if window is None:
        return []
    key = f"{alias}.video_key"
    end_point = window.start if window.kind == "at" else window.end
    tests = []
    if window.start is not None:
        tests.append(f"{alias}.t_end >= {moment_in_video(binder, window.start, key)}")
    if end_point is not None:
        tests.append(f"{alias}.t_start <= {moment_in_video(binder, end_point, key)}")
    return tests


def _where(tests: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _seconds(cell: Cell) -> float:
    return float(cell or 0)


def words(session: Session, query: WordsQuery) -> Draft:
    """What is said or written, whether and when some words are."""
    binder = Binder()
    view, score = ("speech", "confidence") if query.source == "speech" else ("screen_text", "score")
    tests = _inside(session, binder, "w.video_key") + _overlaps(binder, query.window, "w")
    if query.phrase:
        tests.append(f"lower(w.text) LIKE {binder.bind('%' + query.phrase.lower() + '%')}")
    placed = ", w.x1, w.y1, w.x2, w.y2" if query.ask == "where" and query.source == "screen_text" else ""
    statement = binder.statement(
        f"SELECT w.video, w.t_start, w.t_end, w.text, w.{score} AS score{placed} FROM {view} AS w{_where(tests)}"
        f" ORDER BY w.video_key, w.t_start LIMIT {binder.bind(_MAX_ROWS)}"
    )
    _, rows = session.run(statement)
    act = "said" if query.source == "speech" else "written"
    when = window_words(query.window)
    if not rows:
        what = f'"{query.phrase}" is not {act}' if query.phrase else f"Nothing is {act}"
        empty: Value = {"yes_no": False, "count": 0}.get(query.ask)
        return fill(Draft(f"None: {what}{when}{session.where}.", empty, "no_evidence"), session, statement)
    if query.pick != "all":
        latest = max(rows, key=lambda row: _seconds(row[2]) if query.pick == "until" else _seconds(row[1]))
        rows = rows[:1] if query.pick == "first" else (latest,)
    quoted = [f'"{row[3]}" ({span(_seconds(row[1]), _seconds(row[2]))}){_at(row[5:])}' for row in rows[:_MAX_TOLD]]
    told = f"{act.capitalize()}{when}{session.where}: {'; '.join(quoted)}" + ("; ..." if len(rows) > _MAX_TOLD else "")
    texts = [str(row[3]) for row in rows]
    values: dict[str, Value] = {
        "when": _seconds(rows[0][2 if query.pick == "until" else 1]), "yes_no": True, "count": len(rows),
        "where": texts[0], "what": " ".join(texts), "how_long": _covered(rows),
    }  # fmt: skip
    draft = Draft(f"{told}.", values[query.ask], unit="s" if query.ask in {"when", "how_long"} else None)
    fill(draft, session, statement)
    draft.cite(told, [_quote(query, row) for row in rows])
    draft.confidence = sum(_seconds(row[4]) for row in rows) / len(rows)
    return draft


def _covered(rows: Sequence[Sequence[Cell]]) -> float:
    """Seconds during which at least one of the words is there, in each video by itself."""
    total = 0.0
    until: dict[Cell, float] = {}
    for row in sorted(rows, key=lambda r: (str(r[0]), _seconds(r[1]))):
        start, end = max(_seconds(row[1]), until.get(row[0], 0.0)), _seconds(row[2])
        total += max(end - start, 0.0)
        until[row[0]] = max(until.get(row[0], 0.0), end)
    return total


def _quote(query: WordsQuery, row: Sequence[Cell]) -> Evidence:
    start, end = _seconds(row[1]), _seconds(row[2])
    return Evidence(query.source, str(row[0]), None, start, end, start, None, str(row[3]))


def _tells_kinds(session: Session) -> bool:
    """Whether a tagger that tells sounds apart has listened: some label is more than a level."""
    binder = Binder()
    tests = [*_inside(session, binder, "w.video_key"), f"lower(w.label) NOT IN ({binder.bind_all(_LEVELS)})"]
    _, rows = session.run(binder.statement(f"SELECT w.label FROM sounds AS w{_where(tests)} LIMIT {binder.bind(1)}"))
    return bool(rows)


def sound(session: Session, query: SoundQuery) -> Draft:
    """Is there an audio track; when, how long or whether it is silent or loud; what is heard."""
    if query.ask == "has_audio" or (query.ask == "yes_no" and query.label is None):
        return _has_audio(session)
    binder = Binder()
    tests = _inside(session, binder, "w.video_key") + _overlaps(binder, query.window, "w")
    if query.label is not None:
        labels = ("silence", "quiet") if query.label == "silence" else (query.label,)
        tests.append(f"lower(w.label) IN ({binder.bind_all(labels)})")
    statement = binder.statement(
        f"SELECT w.video, w.t_start, w.t_end, w.label, w.score, w.level_db FROM sounds AS w{_where(tests)}"
        f" ORDER BY w.video_key, w.t_start LIMIT {binder.bind(_MAX_ROWS)}"
    )
    _, rows = session.run(statement)
    when = window_words(query.window)
    if not rows and query.label is not None and query.label not in _LEVELS and not _tells_kinds(session):
        told = f"What makes a sound is not stored{session.where}, only how loud it is and when."
        return fill(Draft(told, None, "cannot_answer"), session, statement)
    if not rows:
        what = query.label or "sound"
        empty: Value = {"yes_no": False, "how_long": 0.0}.get(query.ask)
        draft = Draft(f"None: no {what} is stored{when}{session.where}.", empty, "no_evidence")
        return fill(draft, session, statement)
    parts = [f"{r[3]} {span(_seconds(r[1]), _seconds(r[2]))}" for r in rows[:_MAX_TOLD]]
    told = f"{joined(parts)}{when}{session.where}"
    total = sum(_seconds(r[2]) - _seconds(r[1]) for r in rows)
    values: dict[str, Value] = {
        "when": _seconds(rows[0][1]), "until": _seconds(rows[0][2]), "yes_no": True, "how_long": total,
        "what": ", ".join(dict.fromkeys(str(r[3]) for r in rows)),
    }  # fmt: skip
    draft = Draft(
        told[:1].upper() + told[1:] + ".",
        values[query.ask],
        unit="s" if query.ask in {"when", "until", "how_long"} else None,
    )
    fill(draft, session, statement)
    draft.cite(told, [Evidence("sound", str(r[0]), None, _seconds(r[1]), _seconds(r[2]), _seconds(r[1])) for r in rows])
    return draft


def _has_audio(session: Session) -> Draft:
    binder = Binder()
    statement = binder.statement(
        f"SELECT v.name, v.has_audio FROM videos AS v{_where(_inside(session, binder, 'v.key'))}"
        " ORDER BY v.key LIMIT 1000"
    )
    _, rows = session.run(statement)
    having = [str(name) for name, audio in rows if audio]
    told = (
        f"{joined(having[:_MAX_TOLD])} {'has' if len(having) == 1 else 'have'} an audio track"
        if having
        else f"No audio track{session.where}"
    )
    draft = Draft(f"{'Yes: ' if having else ''}{told}.", bool(having))
    fill(draft, session, statement)
    draft.cite(told, [Evidence("video", str(name)) for name, _ in rows[:_MAX_ROWS]])
    return draft


def fact(session: Session, query: VideoFactQuery) -> Draft:
    """Length, size, rate, frames, shots and cuts. Over several videos lengths and counts add up."""
    if query.fact in {"shots", "cuts"}:
        return _shots(session, query)
    binder = Binder()
    columns = "v.name, v.duration, v.width, v.height, v.fps, v.n_frames, v.path"
    statement = binder.statement(
        f"SELECT {columns} FROM videos AS v{_where(_inside(session, binder, 'v.key'))} ORDER BY v.key LIMIT 1000"
    )
    names, rows = session.run(statement)
    if not rows:
        return fill(Draft("There are no videos in this library.", None, "no_evidence"), session, statement)
    wanted = {"resolution": 2, "name": 0, "path": 6}.get(query.fact)
    at = wanted if wanted is not None else names.index(query.fact)
    cells = [row[at] for row in rows]
    value, told = _fact_value(query.fact, rows, cells)
    draft = Draft(
        f"{told}{session.where}.",
        value,
        unit={"duration": "s", "fps": "1/s", "width": "px", "height": "px"}.get(query.fact),
    )
    if value is None:
        draft.status, draft.text = "no_evidence", f"The {query.fact.replace('_', ' ')} is not stored{session.where}."
    fill(draft, session, statement)
    draft.cite(
        told,
        [
            Evidence("video", str(row[0]), start_s=0.0, end_s=None if row[1] is None else _seconds(row[1]))
            for row in rows[:_MAX_ROWS]
        ],
    )
    return draft


def _fact_value(fact: str, rows: Sequence[Sequence[Cell]], cells: Sequence[Cell]) -> tuple[Value, str]:
    each = joined([f"{row[0]}: {c}" for row, c in zip(rows[:_MAX_TOLD], cells, strict=False)])
    if fact == "resolution":
        sizes = list(dict.fromkeys(f"{row[2]}x{row[3]}" for row in rows))
        return sizes[0], f"{joined(sizes[:_MAX_TOLD])} pixels"
    if fact in {"name", "path"}:
        return str(cells[0]), each
    known = [_seconds(c) for c in cells if c is not None]
    if not known:
        return None, ""
    if fact == "duration":
        total = sum(known)
        return total, f"The video lasts {seconds(total)}" if len(rows) == 1 else f"{seconds(total)} in all"
    if fact == "n_frames":
        return int(sum(known)), f"{int(sum(known))} frames"
    unit = "frames per second" if fact == "fps" else "px"
    value: Value = known[0] if fact == "fps" else int(known[0])
    return value, f"{number(known[0], 3)} {unit}" if len(set(known)) == 1 else each


def _at(corners: Sequence[Cell]) -> str:
    """ " at [500, 10, 560, 40]" of written words whose box is asked for."""
    known = [float(cell) for cell in corners if cell is not None]
    return f" at {box(known)}" if known else ""


def _shots(session: Session, query: VideoFactQuery) -> Draft:
    binder = Binder()
    statement = binder.statement(
        f"SELECT s.video, s.shot, s.t_start, s.t_end FROM shots AS s{_where(_inside(session, binder, 's.video_key'))}"
        " ORDER BY s.video_key, s.shot LIMIT 1000"
    )
    _, rows = session.run(statement)
    if not rows:
        return fill(Draft(f"No shots are stored{session.where}.", None, "no_evidence"), session, statement)
    if query.shot is not None or query.pick is not None:
        return _one_shot(session, query, statement, rows)
    cuts = [row for row in rows if int(row[1] or 0) > 1]
    parts = [f"{span(_seconds(r[2]), _seconds(r[3]))}" for r in rows[:_MAX_TOLD]]
    value: Value = len(rows) if query.fact == "shots" else len(cuts)
    told = f"{counted(len(rows), 'shot')} and {counted(len(cuts), 'cut')}{session.where}: {joined(parts)}"
    if query.ask == "when":
        value = _seconds(cuts[0][2]) if cuts else None
        told = (
            f"Cuts at {joined([seconds(_seconds(r[2])) for r in cuts[:_MAX_TOLD]])}"
            if cuts
            else f"No cut{session.where}"
        )
    if query.ask == "yes_no":
        value, told = bool(cuts), f"{'Yes' if cuts else 'No'}: {told}"
    draft = Draft(f"{told}.", value, unit="s" if query.ask == "when" else None)
    fill(draft, session, statement)
    draft.cite(
        told,
        [Evidence("shot", str(r[0]), None, _seconds(r[2]), _seconds(r[3]), _seconds(r[2])) for r in rows[:_MAX_ROWS]],
    )
    return draft


def _one_shot(session: Session, query: VideoFactQuery, statement: Statement, rows: Sequence[Sequence[Cell]]) -> Draft:
    """How long one shot is, or which is the longest or the shortest."""
    lengths = [_seconds(row[3]) - _seconds(row[2]) for row in rows]
    if query.pick is not None:
        at = lengths.index(max(lengths) if query.pick == "longest" else min(lengths))
        alike = sum(abs(length - lengths[at]) < _SAME_LENGTH_S for length in lengths)
    else:
        numbers = [int(row[1] or 0) for row in rows]
        wanted = numbers[-1] if query.shot == -1 else query.shot
        found = [i for i, number_ in enumerate(numbers) if number_ == wanted]
        if not found:
            draft = Draft(f"There is no shot {wanted}{session.where}, only {counted(len(rows), 'shot')}.", None)
            draft.status = "no_evidence"
            return fill(draft, session, statement)
        at, alike = found[0], 1
    row, length = rows[at], lengths[at]
    where = f" in {row[0]}" if session.several_videos else session.where
    told = f"Shot {row[1]} lasts {seconds(length)}{where} ({span(_seconds(row[2]), _seconds(row[3]))})"
    told += f"; {alike} are as long" if alike > 1 else ""
    value: Value = length if query.ask == "how_long" else [int(row[1] or 0)]
    draft = Draft(f"{told}.", value, unit="s" if query.ask == "how_long" else None)
    fill(draft, session, statement)
    draft.cite(told, [Evidence("shot", str(row[0]), None, _seconds(row[2]), _seconds(row[3]), _seconds(row[2]))])
    return draft


def events(session: Session, query: EventsQuery) -> Draft:
    """What comes, goes and moves in a window, or what the subject does: one sentence a tracklet, in time order."""
    subject = query.subject or Selection(plural=True)
    if subject.is_unknown:
        return nothing(session, subject, None)
    tracks, statement = session.tracks(
        subject, ("motion", "direction", "stationary"), query.window, None, Rank("t_start", False)
    )
    if not tracks:
        draft = nothing(session, subject, None)
        draft.text = f"Nothing is seen{window_words(query.window)}{session.where}."
        return draft
    deeds = deeds_by_track(session, tracks[:_MAX_TOLD], query.window)
    sentences = []
    for track in tracks[:_MAX_TOLD]:
        motion = track.text_of("motion") or (
            "stays in place" if track.number_of("stationary") else f"moves {track.text_of('direction')}"
        )
        does = joined([deed.told for deed in deeds.get(track.key, ())])
        told = f"{does}; {motion}" if does else motion
        sentences.append(f"{track.name} ({span(track.t_start, track.t_end)}): {told.rstrip('.')}")
    more = f"; {len(tracks) - _MAX_TOLD} more" if len(tracks) > _MAX_TOLD else ""
    text = f"{'; '.join(sentences)}{more}."
    lead = window_words(query.window).strip().capitalize()
    draft = Draft(f"{lead}{': ' if lead else ''}{text}", text)
    fill(draft, session, statement)
    for track, evidence in zip(tracks, session.evidence(tracks), strict=False):
        draft.cite(f"{track.spanned}", [evidence, *(deed.evidence() for deed in deeds.get(track.key, ()))])
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def summary(session: Session) -> Draft:
    """Length, what is seen, the main movers, and the first words said and written."""
    length = fact(session, VideoFactQuery("duration"))
    seen = counts.categories(session, CategoriesQuery(Selection(plural=True)))
    parts = [length.text.rstrip(".") + ".", f"Seen: {seen.text}"]
    main, _ = session.tracks(Selection(), ("motion",), None, None, Rank("duration", True), limit=3)
    parts += [f"{t.name[:1].upper()}{t.name[1:]}: {m.rstrip('.')}." for t in main if (m := t.text_of("motion"))]
    for source in ("speech", "screen_text"):
        found = words(session, WordsQuery("speech" if source == "speech" else "screen_text"))
        if found.status == "answered":
            parts.append(found.text)
            length.evidence += [e for e in found.evidence[:5] if e not in length.evidence]
    text = " ".join(parts)
    draft = Draft(text, text, confidence=seen.confidence, named=seen.named)
    draft.statement, draft.columns, draft.rows = seen.statement, seen.columns, seen.rows
    draft.cite(f"Seen: {seen.text}", seen.evidence)
    draft.cite(length.text, length.evidence)
    return draft


def tags(session: Session, query: TagsQuery) -> Draft:
    """What annotators say of the subject or of the videos, surest first."""
    binder = Binder()
    names = binder.bind_all(("tag", "caption", "action", "motion_caption"))
    tests = [*_inside(session, binder, "a.video_key"), f"a.name IN ({names})"]
    if query.subject is not None:
        if query.subject.is_unknown:
            return nothing(session, query.subject, [])
        tests.append(f"a.tracklet_key IN ({tracklets_sql(binder, query.subject, session.scope, 'k.key')})")
    statement = binder.statement(
        "SELECT a.value, max(a.score) AS score, min(a.video) AS video, min(a.id) AS id"
        f" FROM attributes AS a{_where(tests)}"
        f" GROUP BY a.value ORDER BY score DESC, a.value LIMIT {binder.bind(_MAX_ROWS)}"
    )
    _, rows = session.run(statement)
    if not rows:
        return fill(Draft(f"No tags are stored{session.where}.", [], "no_evidence"), session, statement)
    told = joined([f"{r[0]} ({_seconds(r[1]):.2f})" for r in rows[:_MAX_TOLD]])
    draft = Draft(f"{told[:1].upper()}{told[1:]}{session.where}.", [str(r[0]) for r in rows])
    fill(draft, session, statement)
    draft.cite(
        told, [Evidence("attribute", str(r[2]), None if r[3] is None else int(r[3]), quote=str(r[0])) for r in rows]
    )
    draft.confidence = _seconds(rows[0][1])
    return draft


def proof(answer: Answer | None) -> Draft:
    """The last answer again, with what it rests on said in words."""
    if answer is None or not answer.evidence:
        return Draft("There is no earlier answer with evidence in this conversation.", None, "cannot_answer")
    parts = []
    for item in answer.evidence[:_MAX_TOLD]:
        what = f"tracklet {item.tracklet}" if item.tracklet is not None else item.kind.replace("_", " ")
        when = f" {span(item.start_s, item.end_s)}" if item.start_s is not None and item.end_s is not None else ""
        quote = f' "{item.quote}"' if item.quote else ""
        parts.append(f"{what} in {item.video}{when}{quote}")
    more = f" and {len(answer.evidence) - _MAX_TOLD} more" if len(answer.evidence) > _MAX_TOLD else ""
    draft = Draft(f"{answer.text} This rests on {joined(parts)}{more}.", answer.value, answer.status, answer.unit)
    draft.claims, draft.evidence = list(answer.claims), list(answer.evidence)
    draft.sql = answer.sql
    draft.columns, draft.rows, draft.confidence = answer.columns, answer.rows, answer.confidence
    return draft
