"""What the documentation says is so: its Python runs, its commands exist with their options, its links lead somewhere.

A block with the comment `# not run` is left out; it says beside it why.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import typer

from onlooker.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("README.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND = typer.main.get_command(app)
NOT_RUN = "# not run"
_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_OURS = ("src/", "docs/", "tests/", "benchmarks/", "recipes/")
_SHELL_ENDS = {"|", ">", ">>", "&&", "||", ";", "&", "<"}


@dataclass(frozen=True)
class Block:
    """A fenced block: `line` is where its first line stands."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            if match[2] in languages and NOT_RUN not in match[3]:
                found.append(Block(page, line, match[2], match[3]))
    return found


def commands_of(block: Block) -> list[list[str]]:
    """The words after `onlooker` of every command in a shell block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        words = words_of(line.strip().removeprefix("$ "))
        # NAME=value before a command sets its environment.
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words and words[0] == "onlooker":
            found.append(words[1:])
    return found


def words_of(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|><&;")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word in _SHELL_ENDS:
            break
        words.append(word)
    return words


def find_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words mean, and the words that are its arguments.

    Raises AssertionError when there is no such command.
    """
    command: click.Command = COMMAND
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            return command, words
        assert words[0] in command.commands, f"there is no command `{words[0]}`"
        command, words = command.commands[words[0]], words[1:]
    return command, words


SHELL = [(block, words) for block in blocks("sh", "console", "bash", "shell") for words in commands_of(block)]


@pytest.mark.parametrize(("block", "words"), SHELL, ids=lambda value: str(value) if isinstance(value, Block) else "")
def test_every_command_in_the_docs_is_understood(block, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for word in words:
        # Some arguments have to exist, and the page's reader has them.
        if word.endswith("/"):
            Path(word).mkdir(parents=True, exist_ok=True)
        elif re.fullmatch(r"[\w./-]+\.\w{2,8}", word) and not word.startswith(("-", "/")):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    command, arguments = find_command(words)
    if isinstance(command, click.Group) or "--help" in arguments or "--version" in arguments:
        return
    try:
        command.make_context(words[0], list(arguments))
    except click.exceptions.ClickException as error:
        message = error.format_message()
        assert "does not exist" in message, f"`onlooker {shlex.join(words)}`: {message}"


def inline_commands() -> list[tuple[Path, str]]:
    found = []
    for page in PAGES:
        text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
        found += [(page, code) for code in _INLINE.findall(text) if code.startswith("onlooker ")]
    return found


@pytest.mark.parametrize(("page", "code"), inline_commands(), ids=lambda value: str(value)[-60:])
def test_every_command_named_in_a_sentence_exists_with_its_options(page, code):
    words = [word for word in code.split() if word != "..."][1:]
    command, arguments = find_command(words)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    for word in arguments:
        if word.startswith("-"):
            assert word.split("=")[0] in known, f"`{code}` in {page.name}: no option `{word}`"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    """A folder as a reader of the docs has it: two short clips, and libraries in which something was found."""
    from onlooker.synth.clips import make_clip, moving_squares
    from onlooker.video.exchange import import_mot
    from onlooker.video.store import Store

    folder = tmp_path_factory.mktemp("workplace")
    sequence = tmp_path_factory.mktemp("sequence") / "street"
    (sequence / "gt").mkdir(parents=True)
    (sequence / "seqinfo.ini").write_text("[Sequence]\nframeRate=10\nimWidth=64\nimHeight=48\nseqLength=10\n")
    (sequence / "tracks.json").write_text(json.dumps({"categories": {"1": "person", "4": "car"}}))
    rows = [f"{frame},{number},{frame},{number},9,9,1,1,1" for number in (1, 4) for frame in range(1, 11)]
    (sequence / "gt" / "gt.txt").write_text("\n".join(rows))
    named = {name for block in blocks("python") for name in re.findall(r"[\"']([\w./-]+)[\"']", block.text)}
    for name in named | {"library.onlooker"}:
        path = folder / name
        if path.suffix == ".onlooker":
            with Store.open(path) as store:
                import_mot(store, sequence)
        elif path.suffix == ".mp4":
            path.parent.mkdir(parents=True, exist_ok=True)
            make_clip(path, moving_squares(5))
    return folder


PYTHON = [
    # Each takes seconds; the start pages keep theirs in the quick run.
    pytest.param(block, id=str(block), marks=[pytest.mark.slow] if "how-to/" in str(block) else [])
    for block in blocks("python", "py")
]


@pytest.mark.models
@pytest.mark.parametrize("block", PYTHON)
def test_every_python_block_in_the_docs_runs(block, workplace):
    indent = min((len(line) - len(line.lstrip()) for line in block.text.splitlines() if line.strip()), default=0)
    code = "\n".join(line[indent:] for line in block.text.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stderr[-2000:]}"


def slug(heading: str) -> str:
    """The anchor that a heading gets on the forges."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda match: match[1] or "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page):
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{page.name} links to `{target}`, which is not there"
        assert path.is_relative_to(ROOT.resolve()), f"{page.name} links to `{target}`, outside of the repository"
        if anchor and path.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{page.name} links to `{target}`: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page):
    for code in _INLINE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        name = code.split("::")[0].split(":")[0]
        if name.startswith(_OURS) and re.fullmatch(r"[\w./-]+", name):
            assert (ROOT / name).exists(), f"{page.name} names `{name}`, which is not there"


def test_the_checks_see_something():
    assert len(SHELL) >= 10
    assert len(PYTHON) >= 1
    assert commands_of(Block(ROOT, 1, "sh", 'onlooker ask "a # b" --json > x.json  # why\n')) == [
        ["ask", "a # b", "--json"]
    ]
    with pytest.raises(AssertionError, match="no command `asc`"):
        find_command(["asc"])
