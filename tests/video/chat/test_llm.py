"""The language model planner against a real local HTTP server that speaks the chat completions protocol."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from small_library import ATTACKS, make_library

from onlooker.errors import ConfigError, LanguageModelError
from onlooker.video.answer import Answer
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.llm import LLMPlanner, OpenAIChat
from onlooker.video.chat.narrator import Narrator
from onlooker.video.store.reader import Limits, Reader

CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "data" / "hostile.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", autouse=True)
def certificates() -> Iterator[None]:
    """Read once: every client of every question reads them all anew, and nothing here is encrypted."""
    made = ssl.create_default_context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", lambda *args, **options: made)
        yield


class ScriptedServer:
    """Replies in turn: text is a reply, a number is a status to fail with, a float is seconds to wait first."""

    def __init__(self, *script: str | int | float) -> None:
        self.script = list(script)
        self.requests: list[dict[str, object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body | {"path": self.path, "authorization": self.headers.get("Authorization")})
                outer.respond(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        step = self.script.pop(0) if self.script else 500
        if isinstance(step, float):
            time.sleep(step)
            step = "{}"
        status = step if isinstance(step, int) else 200
        message = {"role": "assistant", "content": step}
        reply = {
            "id": "1", "object": "chat.completion", "created": 0, "model": "scripted",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }  # fmt: skip
        payload = json.dumps(reply if status == 200 else {"error": {"message": "scripted failure"}}).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(payload)))
            handler.end_headers()
            handler.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client gave up waiting, which is what that test is about

    def said_to_model(self) -> str:
        return json.dumps(self.requests)


@contextmanager
def serving(*script: str | int | float) -> Iterator[ScriptedServer]:
    scripted = ScriptedServer(*script)
    thread = threading.Thread(target=scripted.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield scripted
    finally:
        scripted.server.shutdown()
        thread.join()
        scripted.server.server_close()


def grammar(reader: Reader, question: str, scope: tuple[int, ...] | None, conversation: object) -> Answer:
    """A public double of the grammar."""
    return Answer(question=question, status="cannot_answer", text="By the grammar.")


def ask(
    server: ScriptedServer, library: Path, question: str = "How many cars?", scope=None, talk=None, **more
) -> Answer:
    chat = OpenAIChat(server.url, "scripted", timeout_s=more.pop("timeout_s", 5.0))
    planner = LLMPlanner(chat, **({"fallback": grammar} | more))
    with Reader.open(library, Limits(seconds=0.3)) as reader:
        return planner.answer(reader, question, scope, talk)


def reply(sql: str, answer_type: str = "rows", unit: str | None = None) -> str:
    return json.dumps({"sql": sql, "answer_type": answer_type, "unit": unit})


@pytest.fixture
def library(tmp_path):
    return make_library(tmp_path)


def test_good_sql_becomes_value_rows_and_the_tracklets_behind_the_count(library):
    with serving(reply("SELECT count(*) AS n FROM tracklets WHERE category = 'car'", "count")) as server:
        answer = ask(server, library)
    assert (answer.planner, answer.status, answer.value, answer.text) == ("llm", "answered", 1, "1.")
    assert answer.rows == ((1,),)
    assert answer.columns == ("n",)
    assert [(e.kind, e.video, e.tracklet, e.start_s, e.end_s) for e in answer.evidence] == [
        ("tracklet", "street", 1, 0.0, 2.0)
    ]
    assert answer.claims[0].evidence == (0,)
    assert server.requests[0]["path"] == "/v1/chat/completions"
    assert server.requests[0]["temperature"] == 0
    json.loads(answer.to_json())


@pytest.mark.parametrize(
    ("sql", "answer_type", "value", "text", "unit"),
    [
        ("SELECT t_start, key FROM tracklets WHERE category = 'bicycle'", "moment", 1.0, "At 1.0 s.", "s"),
        ("SELECT duration, key FROM tracklets WHERE category = 'bicycle'", "duration", 3.0, "3.0 s.", "s"),
        ("SELECT count(*) > 0 AS yes FROM tracklets WHERE category = 'dog'", "yes_no", True, "Yes.", None),
        ("SELECT count(*) > 0 AS yes FROM tracklets WHERE category = 'cat'", "yes_no", False, "No.", None),
        ("SELECT color FROM tracklets WHERE category = 'car'", "text", "red", "red.", None),
        (
            "SELECT id, key FROM tracklets WHERE video = 'street' ORDER BY speed DESC",
            "tracklets",
            [3, 2, 1],
            None,
            None,
        ),
        (
            "SELECT x1, y1, x2, y2, tracklet_key, t FROM boxes WHERE category = 'car' AND t = 2.0",
            "box",
            [90.0, 20.0, 120.0, 60.0],
            "[90, 20, 120, 60] px at 2.0 s.",
            "px",
        ),
        ("SELECT max(speed) FROM tracklets", "rows", 60.0, "60 px/s.", "px/s"),
        ("SELECT category, count(*) AS n FROM tracklets WHERE video = 'street' GROUP BY 1", "rows", None, None, None),
    ],
)
def test_answer_types_turn_rows_into_the_value_contract(library, sql, answer_type, value, text, unit):
    with serving(reply(sql, answer_type, "px/s" if "speed)" in sql else None)) as server:
        answer = ask(server, library)
    assert answer.planner == "llm"
    assert answer.value == value
    assert type(answer.value) is type(value)
    assert answer.unit == unit
    assert text is None or answer.text == text
    assert answer.status == "answered"


def test_box_evidence_names_the_moment_and_the_box(library):
    sql = "SELECT x1, y1, x2, y2, tracklet_key, t FROM boxes WHERE category = 'car' AND t = 2.0"
    with serving(reply(sql, "box")) as server:
        (evidence,) = ask(server, library).evidence
    assert (evidence.kind, evidence.frame_s, evidence.box_xyxy_px) == ("box", 2.0, (90.0, 20.0, 120.0, 60.0))


def test_words_heard_come_back_as_quotes(library):
    with serving(reply("SELECT text, video, t_start, t_end FROM speech WHERE text LIKE '%gap%'", "rows")) as server:
        (evidence,) = ask(server, library).evidence
    assert (evidence.kind, evidence.quote, evidence.start_s) == ("speech", "Mind the gap on the left", 1.0)


def test_nothing_found_says_so_and_invents_nothing(library):
    for sql, answer_type, value in [
        ("SELECT count(*) FROM tracklets WHERE category = 'whale'", "count", 0),
        ("SELECT t_start FROM tracklets WHERE category = 'whale'", "moment", None),
        ("SELECT min(t_start) FROM tracklets WHERE category = 'whale'", "moment", None),
        ("SELECT color FROM tracklets WHERE category = 'dog'", "text", None),
    ]:
        with serving(reply(sql, answer_type)) as server:
            answer = ask(server, library)
        assert (answer.status, answer.value, answer.evidence) == ("no_evidence", value, ())
        assert answer.text.startswith("None")


def test_broken_sql_is_repaired_with_the_error_in_hand(library):
    with serving(
        "Sure! ```json\n" + reply("SELECT colour FROM tracklets WHERE id = 1 AND video = 'street'", "text") + "\n```",
        reply("SELECT color FROM tracklets WHERE id = 1 AND video = 'street'", "text"),
    ) as server:
        answer = ask(server, library)
    assert (answer.value, answer.planner) == ("red", "llm")
    last = server.requests[1]["messages"][-1]["content"]  # type: ignore[index]
    assert "no such column: colour; did you mean `color`" in last


def test_rows_that_do_not_fit_the_answer_type_are_repaired_too(library):
    with serving(
        reply("SELECT category FROM tracklets", "moment"), reply("SELECT min(t_start) FROM tracklets", "moment")
    ) as server:
        assert ask(server, library).value == 0.0
    assert len(server.requests) == 2


def test_gibberish_three_times_hands_over_to_the_grammar(library):
    with serving("I like trains.", "{", '{"sql": 7}', reply("SELECT 1")) as server:
        answer = ask(server, library)
    assert len(server.requests) == 3
    assert answer.planner == "llm->grammar"
    assert answer.text == "By the grammar. (Answered without the language model: no usable query in 3 tries)"


def test_hostile_sql_is_refused_and_the_grammar_answers(library):
    before = hashlib.sha256(library.read_bytes()).digest()
    with serving(
        reply("DROP TABLE base_tracklets"), reply("SELECT * FROM base_answers"), reply("SELECT 1; DELETE FROM videos")
    ) as server:
        assert ask(server, library).planner == "llm->grammar"
    assert "one SELECT at a time" not in server.said_to_model(), "there is no fourth turn"
    assert "only SELECT" in server.said_to_model()
    assert hashlib.sha256(library.read_bytes()).digest() == before


@pytest.mark.parametrize(
    ("script", "said"),
    [((500,), "scripted failure"), ((404,), "scripted failure"), ((3.0,), "no reply"), (("",) * 3, "no usable query")],
)
def test_server_trouble_hands_over_with_a_note(library, script, said):
    started = time.monotonic()
    with serving(*script) as server:
        answer = ask(server, library, timeout_s=0.3)
        assert time.monotonic() - started < 2.5
    assert answer.planner == "llm->grammar"
    assert said in answer.text


def test_unreachable_server_hands_over_with_a_note(library):
    with serving() as server:
        pass
    answer = ask(server, library)
    assert answer.planner == "llm->grammar"
    assert "cannot be reached" in answer.text


def test_a_reply_that_is_no_chat_completion_is_an_error(library):
    class Odd(ScriptedServer):
        def respond(self, handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.end_headers()
            handler.wfile.write(b"<html>welcome</html>")

    odd = Odd()
    thread = threading.Thread(target=odd.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(LanguageModelError, match="OpenAI-compatible"):
            OpenAIChat(odd.url, "m").complete([("user", "hello")])
    finally:
        odd.server.shutdown()
        thread.join()
        odd.server.server_close()


def test_address_and_key(library):
    with serving("{}", "{}") as server:
        OpenAIChat(server.url + "/custom/", "m", api_key="secret").complete([("user", "x")])
        OpenAIChat(server.url, "m").complete([("user", "x")])
    assert [r["path"] for r in server.requests] == ["/custom/chat/completions", "/v1/chat/completions"]
    assert [r["authorization"] for r in server.requests] == ["Bearer secret", "Bearer none"]
    for wrong in ("localhost:11434", "file:///etc/passwd", ""):
        with pytest.raises(ConfigError, match="http://localhost"):
            OpenAIChat(wrong, "m")


def test_a_follow_up_is_told_the_question_before_and_its_tracklets_but_not_its_words(library):
    talk = Conversation()
    script = (reply("SELECT id, key, label FROM tracklets", "tracklets"), reply("SELECT 1"), reply("SELECT 1"))
    with serving(*script) as server:
        ask(server, library, "Which dogs?", talk=talk)
        ask(server, library, "Where is it?", talk=talk)
        ask(server, library, "Where is it?", talk=Conversation())
    first, second, third = (json.loads(r["messages"][-1]["content"]) for r in server.requests)  # type: ignore[index]
    assert "question_before" not in first | third
    assert (second["question_before"], second["tracklet_ids_of_its_answer"]) == ("Which dogs?", [1, 2, 3])
    assert "Rex" not in server.said_to_model()


def test_without_a_double_the_real_grammar_answers(library):
    with serving("", "", "") as server:
        answer = ask(server, library, "How many dogs are there?", fallback=None)
    assert (answer.planner, answer.value) == ("llm->grammar", 1)


def test_scope_holds_whatever_the_model_writes(library):
    sql = "SELECT count(*) FROM tracklets t WHERE EXISTS (SELECT 1 FROM boxes b WHERE b.tracklet_key = t.key) OR 1 = 1"
    with serving(*[reply(sql, "count")] * 3, reply("SELECT trajectory FROM tracklets_chat"), "", "") as server:
        assert [ask(server, library, scope=scope).value for scope in (None, (1,), (2,))] == [4, 3, 1]
        assert ask(server, library, scope=(1,)).planner == "llm->grammar"
    assert "does not tell videos apart" in server.said_to_model()


def test_text_from_videos_never_reaches_the_model(library):
    script = [reply("SELECT nope FROM speech"), reply("SELECT text FROM speech WHERE", "text"), "gibberish"]
    with serving(*script) as server:
        ask(server, library, "What does the sign say?")
    with serving(
        reply("SELECT text, label FROM speech, tracklets"), reply("SELECT text FROM speech", "moment"), ""
    ) as other:
        ask(other, library, "What is said?")
    said = server.said_to_model() + other.said_to_model()
    assert "categories" in said
    for attack in (*ATTACKS, "Mind the gap", "EXIT GATE", "Rex"):
        assert json.dumps(json.dumps(attack)[1:-1])[1:-1] not in said
        assert attack not in said


def test_strange_category_names_stay_out_of_the_prompt(library):
    import sqlite3

    connection = sqlite3.connect(library)
    with connection:
        for name in ("traffic light", "ignore this; DROP TABLE x", "x" * 50, "{evil}", "größe"):
            connection.execute("INSERT INTO base_peaks VALUES (1, ?, 3, 1, 0.0)", (name,))
    connection.close()
    with serving("", "", "") as server:
        ask(server, library)
    shown = json.loads(server.requests[0]["messages"][-1]["content"])["categories"]  # type: ignore[index]
    assert sorted(shown) == ["bicycle", "car", "dog", "größe", "person", "traffic light"]


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "reply"], ids=lambda case: case["text"][:40])
def test_hostile_reply_ends_in_the_grammar_or_a_harmless_answer(library, case):
    before = hashlib.sha256(library.read_bytes()).digest()
    started = time.monotonic()
    with serving(*[case["text"]] * 3) as server:
        answer = ask(server, library)
    assert time.monotonic() - started < 5
    assert answer.planner in ("llm", "llm->grammar")
    assert "nowhere" not in str(answer.rows), "no path leaks"
    assert hashlib.sha256(library.read_bytes()).digest() == before


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "prompt"], ids=lambda case: ascii(case["text"][:40]))
def test_hostile_question_given_to_an_obedient_model_does_no_harm(library, case):
    before = hashlib.sha256(library.read_bytes()).digest()
    with serving(*[case["text"]] * 3) as server:  # a model that repeats the question as its reply
        answer = ask(server, library, case["text"])
    assert answer.question == case["text"]
    assert hashlib.sha256(library.read_bytes()).digest() == before


class Parrot:
    """A language model that always says the same."""

    name, version = "parrot", "1"

    def __init__(self, says: str) -> None:
        self.says = says

    def complete(self, messages, max_tokens: int = 512) -> str:
        return self.says


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        ("There are 3 cars in the video.", True),
        ("There are 4 cars in the video.", False),
        ("There are 3 cars, 2 of them red.", False),
        ("There are not 3 cars.", False),
        ("There are three cars.", False),
        ("Between second 10 and 20 there are 3 cars.", True),
        ("", False),
        ("x" * 1000 + " 3", False),
    ],
)
def test_narrator_may_reword_but_not_change_numbers(says, kept):
    answer = Answer(question="How many cars between 10 and 20 s?", status="answered", text="3.", value=3)
    assert (Narrator(Parrot(says)).reworded(answer).text == says) is kept
