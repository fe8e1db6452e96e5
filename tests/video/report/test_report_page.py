"""The report page as text: nothing that a video or a person says may become markup, nothing may be fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from onlooker.video.answer import Answer, Claim, Evidence
from onlooker.video.report.answers import answer_from_dict, load_answers
from onlooker.video.report.data import load_video
from onlooker.video.report.page import dumps_safe, write_page
from onlooker.video.store.answers import save_answer

HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=document.title='pwned'>"


class _Elements(HTMLParser):
    """Names of all elements, and the text of the script elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.title = ""
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[-1] += data
        if self._open == "title":
            self.title += data


def _answer(video: str, text: str = "It is there.") -> Answer:
    evidence = (Evidence("tracklet", video, 1, 0.0, 2.9, 1.0, (40.0, 20.0, 60.0, 60.0), text),)
    claim = (Claim(text, (0,)),)
    return Answer(
        text, "answered", text, value=1, claims=claim, evidence=evidence, sql=text, columns=(text,), rows=((text,),)
    )


def _page(scene, answers, title="Report"):
    with scene.store.read() as connection:
        data = load_video(connection, scene.video_id)
    path = write_page([data], answers, scene.library.with_name("report.html"), title=title)
    return path.read_text(encoding="utf-8")


def _data(page: str):
    return json.loads(_Elements(page).scripts[0])


def test_hostile_names_speech_and_questions_cannot_break_out_of_the_data(hostile_scene):
    page = _page(hostile_scene, [_answer(hostile_scene.clip.name, HOSTILE)], title=HOSTILE)
    plain = _Elements(_page(hostile_scene, []))
    elements = _Elements(page)
    assert elements.names == plain.names
    assert elements.names.count("script") == 2
    assert elements.handlers == []
    assert elements.title == HOSTILE
    data = json.loads(elements.scripts[0])
    assert data["answers"][0]["text"] == HOSTILE
    assert data["videos"][0]["speech"][0][2] == HOSTILE
    assert data["videos"][0]["name"] == hostile_scene.clip.name


def test_a_template_mark_in_a_name_is_left_as_it_is(scene):
    page = _page(scene, [_answer("street.mp4", "{{script}}")])
    assert _data(page)["answers"][0]["text"] == "{{script}}"


def test_json_for_pages_reads_back_as_it_was():
    value = {"a": ["<!--", "]]>", "&amp;", "\u2028", "é", "😀", '"']}
    text = dumps_safe(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_policy_forbids_the_network_and_admits_only_this_script_and_style(scene):
    page = _page(scene, [])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert not re.search(r"https?:|unsafe|\*", policy)
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert not re.search(r"https?://", page)
    assert "innerHTML" not in page


def test_video_is_referred_to_relative_to_the_page(hostile_scene):
    source = _data(_page(hostile_scene, []))["videos"][0]["src"]
    assert not set(source) & set("#?<>&: ")
    assert unquote(source) == hostile_scene.clip.name


def test_missing_video_file_leaves_keyframes_to_look_at(scene):
    scene.clip.unlink()
    video = _data(_page(scene, []))["videos"][0]
    assert video["src"] is None
    assert base64.b64decode(video["keyframes"][0][1])[:2] == b"\xff\xd8"


def test_straight_paths_are_stored_as_their_ends(scene):
    person, car = _data(_page(scene, []))["videos"][0]["tracklets"]
    assert person["paths"] == [[0.0, 10.0, 20.0, 30.0, 60.0, 2.9, 97.0, 20.0, 117.0, 60.0]]
    assert [(path[0], path[-5]) for path in car["paths"]] == [(0.0, 0.9), (1.5, 2.9)]


def test_page_without_videos_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        write_page([], [], tmp_path / "r.html")


def test_kept_answers_come_back_as_they_were_and_only_of_the_videos_asked_for(scene):
    answer = _answer("street.mp4")
    assert answer_from_dict(json.loads(answer.to_json())) == answer
    for number, text in enumerate(("first", "second")):
        kept = json.loads(_answer("street.mp4", text).to_json()) | {"answer_id": f"{9 - number}"}
        assert save_answer(scene.library, answer_from_dict(kept))
    with scene.store.read() as connection:
        assert [a.text for a in load_answers(connection)] == ["first", "second"]
        assert [a.text for a in load_answers(connection, {"street.mp4"}, limit=1)] == ["second"]
        assert load_answers(connection, {"other.mp4"}) == []
