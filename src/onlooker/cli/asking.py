"""Commands that read a library: ask, chat, search, sql, verify-answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onlooker.cli.options import (
    DEFAULT_LIBRARY,
    AsJson,
    Device,
    LibraryPath,
    Offline,
    Profile,
    SetRole,
    Videos,
    emit,
    emit_json,
    emit_table,
    note,
    printable,
    printable_lines,
)

if TYPE_CHECKING:
    from onlooker.video.answer import Answer, Evidence
    from onlooker.video.library import Library

PlannerName = Annotated[
    str,
    typer.Option("--planner", help="grammar (offline), or llm with --base-url and --model; llm falls back to grammar."),
]
BaseUrl = Annotated[str | None, typer.Option(help="An OpenAI-compatible endpoint, e.g. http://127.0.0.1:11434/v1.")]
ModelName = Annotated[str | None, typer.Option("--model", help="Model name at that endpoint.")]
Why = Annotated[bool, typer.Option("--why", help="Also print the SQL, its rows and all evidence.")]

_SHOWN_EVIDENCE = 4
_NOTHING_FOUND = 3


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(ask)
    app.command()(chat)
    app.command()(search)
    app.command()(sql)
    app.command("verify-answer")(verify_answer)


def ask(
    question: Annotated[str, typer.Argument(help="A question in plain language; - reads it from standard input.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    video: Videos = None,
    planner: PlannerName = "grammar",
    base_url: BaseUrl = None,
    model: ModelName = None,
    why: Why = False,
    as_json: AsJson = False,
) -> None:
    """Answer one question, with evidence. Exit code 3 when there is no evidence for an answer."""
    with _open(library, planner, base_url, model) as lib:
        answer = lib.ask(sys.stdin.read().strip() if question == "-" else question, videos=video)
    _show(answer, as_json, why)
    if answer.status != "answered":
        raise typer.Exit(_NOTHING_FOUND)


def chat(
    library: LibraryPath = DEFAULT_LIBRARY,
    video: Videos = None,
    planner: PlannerName = "grammar",
    base_url: BaseUrl = None,
    model: ModelName = None,
    why: Why = False,
    as_json: AsJson = False,
) -> None:
    """Ask question after question; an empty line starts a new conversation."""
    with _open(library, planner, base_url, model) as lib:
        conversation = lib.conversation()
        for line in _questions():
            if not line:
                conversation = lib.conversation()
                continue
            _show(lib.ask(line, videos=video, conversation=conversation), as_json, why)
            sys.stdout.flush()


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in your own words.")] = "",
    library: LibraryPath = DEFAULT_LIBRARY,
    video: Videos = None,
    example: Annotated[Path | None, typer.Option(help="Search by this picture instead of text.")] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many.")] = 10,
    min_score: Annotated[float | None, typer.Option(help="Leave out hits below this score (0..1).")] = None,
    profile: Profile = "bundled",
    set_role: SetRole = None,
    offline: Offline = False,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Find tracklets, speech, signs and tags by meaning, or by an example picture.

    Models are picked as in `ingest`, and must be the same to meet what it stored.
    """
    from onlooker.errors import ConfigError, NothingFoundError
    from onlooker.video.library import Library
    from onlooker.video.wiring import Settings, parse_role_choice

    if bool(text) == (example is not None):
        raise ConfigError("give either a text or --example PICTURE")
    roles = dict(parse_role_choice(choice) for choice in set_role or ())
    settings = Settings(profile=profile, roles=roles, offline=offline, device=device)
    with Library.open(library, create=False, settings=settings) as lib:
        if example is not None:
            hits = lib.search_example(example, top_k=top, videos=video, min_score=min_score)
        else:
            hits = lib.search(text, top_k=top, videos=video, min_score=min_score)
    if as_json:
        emit_json([hit.as_dict() for hit in hits])
    elif hits:
        columns = ("score", "kind", "video", "tracklet", "from s", "to s", "why")
        emit_table(columns, [(h.score, h.kind, h.video, h.tracklet, h.start_s, h.end_s, h.why) for h in hits])
    if not hits:
        raise NothingFoundError("nothing in the library comes near that; try other words or a lower --min-score")


def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT over the documented views; - reads standard input.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Run one read-only query over the views (see docs/reference/views.md)."""
    from onlooker.video.library import Library

    with Library.open(library, create=False) as lib:
        result = lib.sql(sys.stdin.read() if statement == "-" else statement)
    if as_json:
        emit_json({"columns": list(result.columns), "rows": [list(row) for row in result.rows]})
    else:
        emit_table(result.columns, result.rows)


def verify_answer(
    file: Annotated[Path, typer.Argument(help="An answer written by `ask --json`.", exists=True, dir_okay=False)],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Run an answer's SQL again and report whether the answer still stands. Exit code 1 when not, 2 for no answer."""
    from onlooker.video.library import Library

    with Library.open(library, create=False) as lib:
        result = lib.verify_answer(file.read_text(encoding="utf-8", errors="replace"))
    if as_json:
        emit_json({"ok": result.ok, "drift": list(result.drift)})
    else:
        emit(
            "the answer stands" if result.ok else printable_lines("\n".join(["the answer has drifted:", *result.drift]))
        )
    if not result.ok:
        raise typer.Exit(1)


def _open(path: Path, planner: str, base_url: str | None, model: str | None) -> Library:
    from onlooker.errors import ConfigError
    from onlooker.video.library import Library

    if planner not in ("grammar", "llm"):
        raise ConfigError(f"`--planner` is grammar or llm, got `{planner}`")
    chosen: Literal["grammar", "llm"] = "llm" if planner == "llm" or base_url or model else "grammar"
    return Library.open(path, create=False, planner=chosen, llm_base_url=base_url, llm_model=model)


def _questions() -> Iterator[str]:
    """Lines of standard input, stripped; on a terminal with a prompt, until Ctrl-D or `exit`."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            yield line.strip()
        return
    note("Ask a question. An empty line starts a new conversation, Ctrl-D ends.")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            return
        if line.lower() in ("exit", "quit"):
            return
        yield line


def _show(answer: Answer, as_json: bool, why: bool) -> None:
    if as_json:
        emit(answer.to_json())
        return
    emit(printable_lines(answer.text))
    shown = answer.evidence if why else answer.evidence[:_SHOWN_EVIDENCE]
    for number, item in enumerate(shown, start=1):
        emit(f"  [{number}] {describe_evidence(item)}")
    if len(answer.evidence) > len(shown):
        emit(f"  ... and {len(answer.evidence) - len(shown)} more (--why shows all)")
    if why and answer.sql:
        emit(f"\n{printable_lines(answer.sql)}\n")
        emit_table(answer.columns, answer.rows)


def describe_evidence(item: Evidence) -> str:
    """One line: video, tracklet, times, box, quote."""
    parts = [printable(item.video)]
    if item.tracklet is not None:
        parts.append(f"tracklet {item.tracklet}")
    if item.start_s is not None and item.end_s is not None:
        parts.append(f"{item.start_s:.2f}-{item.end_s:.2f} s")
    if item.frame_s is not None:
        parts.append(f"look at {item.frame_s:.2f} s")
    if item.box_xyxy_px is not None:
        parts.append("box " + " ".join(f"{edge:.0f}" for edge in item.box_xyxy_px))
    if item.quote:
        parts.append(f"“{printable(item.quote)}”")
    return "  ".join(parts)
