"""`onlooker demo`: real videos become a library, questions get answers with proof, and all of it can be seen."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onlooker.cli.asking import describe_evidence
from onlooker.cli.options import emit, note, printable_lines

if TYPE_CHECKING:
    from onlooker.video.answer import Answer
    from onlooker.video.library import Library
    from onlooker.video.report.show import Kind

_SHOWN_EVIDENCE = 3
Expected = Literal["answered", "no_evidence"]


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question, the sample it is about, and whether the answer is in the video at all.

    `goes_on` makes it a follow-up in the conversation of the question before.
    """

    video: str
    text: str
    expected: Expected = "answered"
    goes_on: bool = False


_BIKES, _BUNNY = "bikes.mp4", "bigbuckbunny.mp4"
QUESTIONS: tuple[DemoQuestion, ...] = (
    DemoQuestion(_BIKES, "How many people are there?"),
    DemoQuestion(_BIKES, "How many cars are visible at the same time at most?"),
    DemoQuestion(_BIKES, "When does the first bicycle appear?"),
    DemoQuestion(_BIKES, "How long is it visible?", goes_on=True),
    DemoQuestion(_BIKES, "What color is it?", goes_on=True),
    DemoQuestion(_BIKES, "Where is the person at 5 seconds?"),
    DemoQuestion(_BIKES, "What objects are visible at 5 seconds?"),
    DemoQuestion(_BIKES, "Which car is the fastest?"),
    DemoQuestion(_BIKES, "Which cars move to the right?"),
    DemoQuestion(_BIKES, "Are two cars visible at the same time?"),
    DemoQuestion(_BIKES, "How many shots are there?"),
    DemoQuestion(_BIKES, "Is there a giraffe?", expected="no_evidence"),
    DemoQuestion(_BUNNY, "How long is the video?"),
    DemoQuestion(_BUNNY, "What can be heard?"),
    DemoQuestion(_BUNNY, "Where is the animal at 2 seconds?"),
    DemoQuestion(_BUNNY, "Which way does it move?", goes_on=True),
    DemoQuestion(_BUNNY, "What is said in the video?", expected="no_evidence"),
)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made when missing.")] = Path(
        "demo"
    ),
) -> None:
    """Read two sample videos, ask questions, and write everything there is to see. Works without network."""
    from onlooker.video.library import Library

    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    clips = [_copy_sample(name, output) for name in ("bikes", "bigbuckbunny")]
    with Library.open(_fresh_library(output / "demo.onlooker")) as library:
        for clip in clips:
            _ingest(library, clip)
        answers = list(_ask_all(library))
        _write_everything(library, output)
    (output / "answers.json").write_text(_as_json(answers), encoding="utf-8")
    unproven = [asked.text for asked, answer in answers if not is_proven(asked, answer)]
    emit(f"\n{len(answers)} questions in {time.monotonic() - started:.0f} s. Look at {output / 'report.html'}")
    if unproven:
        note("no proven answer to: " + "; ".join(unproven))
        raise typer.Exit(1)


def is_proven(asked: DemoQuestion, answer: Answer) -> bool:
    """Whether an answer is what the question should get: evidence, or an honest "nothing"."""
    if answer.status != asked.expected:
        return False
    return asked.expected == "no_evidence" or bool(answer.evidence and answer.sql)


def _copy_sample(name: str, folder: Path) -> Path:
    from onlooker.media.samples import sample_video

    sample = sample_video(name)
    # The report plays the copy beside it, so that the folder can be moved or sent as a whole.
    return Path(shutil.copyfile(sample, folder / sample.name))


def _fresh_library(path: Path) -> Path:
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        old.unlink(missing_ok=True)
    return path


def _ingest(library: Library, clip: Path) -> None:
    from onlooker.cli.ingesting import describe, run_with_progress

    emit(describe(run_with_progress(library.add(clip), as_json=False)))


def _ask_all(library: Library) -> Iterator[tuple[DemoQuestion, Answer]]:
    talk = library.conversation()
    for asked in QUESTIONS:
        if not asked.goes_on:
            talk = library.conversation()
        answer = library.ask(asked.text, videos=[asked.video], conversation=talk)
        emit(f"\n{asked.video}: {asked.text}\n  {printable_lines(answer.text)}")
        for item in answer.evidence[:_SHOWN_EVIDENCE]:
            emit(f"    {describe_evidence(item)}")
        if len(answer.evidence) > _SHOWN_EVIDENCE:
            emit(f"    ... and {len(answer.evidence) - _SHOWN_EVIDENCE} more")
        yield asked, answer


def _write_everything(library: Library, output: Path) -> None:
    from onlooker.cli.following import follow
    from onlooker.video.report.show import ShowRequest, show

    emit("")
    kinds: tuple[Kind, ...] = ("video", "sheet", "timeline")
    for kind in kinds:
        for written in follow(show(library.store, ShowRequest(kind, output=output))):
            emit(f"{kind}: {written.path}")
    (report,) = follow(show(library.store, ShowRequest("report", output=output / "report.html")))
    emit(f"report: {report.path}")


def _as_json(answers: list[tuple[DemoQuestion, Answer]]) -> str:
    found = [{"video": asked.video, **json.loads(answer.to_json())} for asked, answer in answers]
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
