"""The library: one file that holds videos as tracklets and answers questions about them.

    with Library.open("my.onlooker") as library:
        for step in library.add("clip.mp4"):
            ...
        answer = library.ask("How many cars are there?")

Reading needs no model and loads none; writing builds models when a stage first needs them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from onlooker.errors import NotAnAnswerError, QueryError
from onlooker.video.answer import Answer, Cell
from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.conversation import Conversation
from onlooker.video.store.answers import save_answer
from onlooker.video.store.names import VideoName, match_video_name
from onlooker.video.store.reader import Reader, Rows
from onlooker.video.store.views import views_fingerprint

if TYPE_CHECKING:
    from onlooker.video.chat.llm import LLMPlanner
    from onlooker.video.chat.verify_answer import Verification
    from onlooker.video.ingest import IngestReport, Job, Progress
    from onlooker.video.ingest.pipeline import Toolbox
    from onlooker.video.search import Hit, TextSearch
    from onlooker.video.store import Store
    from onlooker.video.wiring import ModelPool, Settings

PlannerChoice = Literal["grammar", "llm"]


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """One finished video. `status` is "partial" where its file broke off."""

    key: int
    name: str
    path: str
    status: str
    width: int
    height: int
    duration_s: float | None
    has_audio: bool
    n_tracklets: int


class Library:
    """A library file with everything one can do to it. Make one with `Library.open`."""

    def __init__(self, path: Path, create: bool, settings: Settings | None, planner: LLMPlanner | None) -> None:
        self.path = path
        self._create, self._settings, self._planner = create, settings, planner
        self._store: Store | None = None
        self._search: TextSearch | None = None
        self._answerer: Answerer | None = None
        self._reader: Reader | None = None
        self._pool: ModelPool | None = None
        self._models_seen: tuple[tuple[int, ...], dict[str, str]] | None = None

    @classmethod
    def open(
        cls,
        path: str | Path = "library.onlooker",
        *,
        create: bool = True,
        settings: Settings | None = None,
        planner: PlannerChoice = "grammar",
        llm_base_url: str | None = None,
        llm_model: str | None = None,
    ) -> Library:
        """Opens a library.

        Args:
            path: the library file.
            create: make the file when it is missing: as soon as something is put in or asked, not before.
            settings: which models read videos; the bundled profile by default.
            planner: "llm" lets a language model write the query first; the grammar is always the fallback.
            llm_base_url, llm_model: an OpenAI-compatible endpoint and a model name there, for planner "llm".

        Raises:
            LibraryError: the file is missing and `create` is false.
            SchemaError: the file is not a library, or of a newer version.
        """
        chosen = _make_planner(llm_base_url, llm_model) if planner == "llm" else None
        library = cls(Path(path), create, settings, chosen)
        if create and not library.path.exists():
            from onlooker.video.store.store import check_path

            check_path(library.path, create)
        else:
            _ = library.reader
        return library

    # -- parts, opened when first needed ------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The writer side."""
        if self._store is None:
            from onlooker.video.store import Store

            self._store = Store.open(self.path, create=self._create)
        return self._store

    @property
    def reader(self) -> Reader:
        """The guarded read-only side."""
        if self._reader is None:
            self._reader = self._open_reader()
        return self._reader

    @property
    def models(self) -> ModelPool:
        """The models of this session."""
        if self._pool is None:
            from onlooker.video.wiring import ModelPool, Settings

            self._pool = ModelPool(self._settings or Settings())
        return self._pool

    def _open_reader(self) -> Reader:
        if self._create or _needs_writer(self.path):
            _ = self.store  # makes the file or brings it up to date, or says why it cannot be a library
        return Reader.open(self.path)

    def close(self) -> None:
        """Closes all connections."""
        for part in (self._search, self._reader, self._store):
            if part is not None:
                part.close()
        self._search = self._answerer = self._reader = self._store = None

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def add(self, path: str | Path, *, again: bool = False) -> Job:
        """Ingests one video file. Iterate the job for progress, or call its `result()`.

        A file whose content is already here is not computed again; only what is missing is. With `again`, one that was
        read with other settings is read anew, and corrections made to it by hand are lost. A file that is no video
        makes no library.
        """
        from onlooker.video.ingest import Job
        from onlooker.video.wiring import make_toolbox

        return Job(self._ingest(make_toolbox(self.models), Path(path), again))

    def _ingest(self, tools: Toolbox, path: Path, again: bool) -> Generator[Progress, None, IngestReport]:
        from onlooker.video.ingest import check_readable, ingest_video

        if not self.path.exists():
            check_readable(path)
        return (yield from ingest_video(self.store, tools, path, again))

    def remove(self, *videos: str) -> list[str]:
        """Deletes videos and everything derived from them, pictures, vectors and cached answers included.

        Returns:
            The full names of what was deleted. An unknown name deletes nothing at all.
        """
        from onlooker.video.store import delete_video, find_videos

        with self.store.read() as connection:
            found = find_videos(connection, videos)
        for video in found:
            delete_video(self.store, video.id)
        return [video.name for video in found]

    # -- asking -------------------------------------------------------------------------------------------------

    def conversation(self) -> Conversation:
        """A new conversation, in which "it" and "the second one" mean what was just talked about."""
        return Conversation()

    def ask(
        self, question: str, *, videos: Sequence[str] | None = None, conversation: Conversation | None = None
    ) -> Answer:
        """Answers a question with evidence. It never guesses: without evidence the answer says so.

        Args:
            question: plain language.
            videos: names of the videos to look at; all by default.
            conversation: what was said before.

        Raises:
            UnknownNameError: no video has that name.
        """
        started = time.perf_counter()
        scope = self._scope(videos)
        talk = conversation if conversation is not None else self.conversation()
        answer = self._answer(_whole_characters(question), scope, talk)
        answer = dataclasses.replace(
            answer,
            models={**self._models_used(), **answer.models},
            elapsed_ms=round((time.perf_counter() - started) * 1000, 2),
            answer_id=_answer_id(answer),
        )
        save_answer(self.path, answer)
        return answer

    def _answer(self, question: str, scope: tuple[int, ...] | None, talk: Conversation) -> Answer:
        try:
            if self._planner is not None:
                return self._planner.answer(self.reader, question, scope, talk)
            if self._answerer is None:
                self._answerer = Answerer(self.reader)
            return self._answerer.answer(question, scope, talk)
        except QueryError as error:
            # A question whose query is refused or over its limits is one that cannot be answered; a chat goes on.
            return Answer(question, "cannot_answer", f"This question could not be looked up: {error}", confidence=0.0)

    def sql(self, statement: str) -> Rows:
        """Runs one read-only statement over the views.

        Raises:
            QueryRefusedError: it is anything else.
            QueryLimitError: it ran over the time, row or byte limit.
        """
        return self.reader.query(_whole_characters(statement), {})

    def verify_answer(self, answer_json: str) -> Verification:
        """Runs an answer's statement again and compares rows, value and evidence.

        Raises:
            NotAnAnswerError: the text is not JSON, or not an answer.
        """
        from onlooker.video.chat.verify_answer import verify

        try:
            answer = json.loads(answer_json)
        except (ValueError, RecursionError) as error:
            raise NotAnAnswerError(f"the answer is not JSON as `ask --json` writes it ({error})") from error
        return verify(answer, self.reader)

    def search(
        self, text: str, *, top_k: int = 10, videos: Sequence[str] | None = None, min_score: float | None = None
    ) -> list[Hit]:
        """What comes nearest to a description: tracklets, tags, speech and text on screen, best first."""
        if self._search is None:
            from onlooker.video.search import TextSearch

            embedder = self.models.text_embedder()
            self._search = TextSearch(self.reader, embedder, self.models.fingerprint("text_embedder"))
        return self._search.find(_whole_characters(text), top_k, self._scope(videos), min_score)

    def search_example(
        self,
        picture: str | Path,
        *,
        top_k: int = 10,
        videos: Sequence[str] | None = None,
        min_score: float | None = None,
    ) -> list[Hit]:
        """Tracklets that look like what a picture file shows, best first."""
        from onlooker.media.images import read_picture
        from onlooker.video.protocols import AppearanceEmbedder
        from onlooker.video.search import search_example

        embedder = self.models.get("appearance_embedder", AppearanceEmbedder)  # type: ignore[type-abstract]
        space = self.models.fingerprint("appearance_embedder")
        image, scope = read_picture(picture), self._scope(videos)
        return search_example(self.reader, embedder, image, top_k, scope, min_score, space)

    # -- looking ------------------------------------------------------------------------------------------------

    def videos(self) -> list[VideoSummary]:
        """All finished videos, in the order they were added."""
        rows = self.reader.query(
            "SELECT v.key, v.name, v.path, v.status, v.width, v.height, v.duration, v.has_audio, "
            "(SELECT coalesce(max(p.n_tracklets), 0) FROM peaks p WHERE p.video_key = v.key AND p.category = '') "
            "FROM videos v ORDER BY v.key"
        ).rows
        return [VideoSummary(*row[:7], bool(row[7]), row[8]) for row in rows]  # type: ignore[arg-type, call-arg]

    def tracklets(
        self, *, videos: Sequence[str] | None = None, category: str | None = None, limit: int = 1000
    ) -> list[dict[str, Cell]]:
        """Tracklets as rows of the `tracklets` view (docs/reference/views.md), by video and number."""
        scope = self._scope(videos)
        result = self.reader.query(
            "SELECT * FROM tracklets WHERE (:category IS NULL OR category = :category) "
            "AND (:scope IS NULL OR video_key IN (SELECT value FROM json_each(:scope))) "
            "ORDER BY video_key, id LIMIT :limit",
            {"category": category, "scope": None if scope is None else json.dumps(scope), "limit": limit},
        )
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    def _scope(self, videos: Sequence[str] | None) -> tuple[int, ...] | None:
        if not videos:
            return None
        rows = self.reader.query("SELECT key, name, path FROM videos").rows
        known = [VideoName(int(str(key)), str(name), str(path)) for key, name, path in rows]
        return tuple(dict.fromkeys(match_video_name(name, known).key for name in videos))

    def _models_used(self) -> dict[str, str]:
        """`name@version` by role, of the models that read the videos of this library."""
        if self._models_seen is None or self._models_seen[0] != self.reader.data_version:
            rows = self.reader.query(
                "SELECT DISTINCT role, model FROM annotators WHERE model IS NOT NULL ORDER BY 1, 2"
            ).rows
            used: dict[str, list[str]] = {}
            for role, model in rows:
                used.setdefault(str(role), []).append(str(model))
            self._models_seen = (self.reader.data_version, {role: ", ".join(names) for role, names in used.items()})
        return self._models_seen[1]


def _make_planner(base_url: str | None, model: str | None) -> LLMPlanner:
    from onlooker.errors import ConfigError
    from onlooker.video.chat.llm import LLMPlanner, OpenAIChat

    if not (base_url and model):
        raise ConfigError("the llm planner needs --base-url (an OpenAI-compatible endpoint) and --model")
    return LLMPlanner(OpenAIChat(base_url=base_url, model=model))


def _needs_writer(path: Path) -> bool:
    """Whether a file is anything but a library with the views of this program; questions need no writer otherwise."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return False
    if not path.is_file():
        return True
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = connection.execute("SELECT value FROM base_meta WHERE key = 'views'").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return True
    return found is None or found[0] != views_fingerprint()


def _whole_characters(text: str) -> str:
    """Broken bytes in a command line arrive as half characters, which no database and no model takes."""
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in text)


def _answer_id(answer: Answer) -> str:
    """The same question with the same result has the same id."""
    told = json.dumps([answer.question, answer.sql, answer.rows, answer.text], ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
