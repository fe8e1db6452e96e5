"""What every command has in common: help, exit codes, where a library is looked for, what goes to which stream."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import click
import pytest
import typer

from onlooker.cli.app import app

COMMAND = typer.main.get_command(app)


def commands() -> list[tuple[str, ...]]:
    """Every command and sub-command by its words."""
    found: list[tuple[str, ...]] = [()]
    for name, command in COMMAND.commands.items():
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


READERS = [
    ("ask", "How many dogs?"), ("chat",), ("search", "dog"), ("sql", "SELECT 1"), ("videos",), ("tracks",),
    ("show",), ("export", "csv", "out"), ("remove", "yard"), ("edit", "log"), ("edit", "delete", "yard", "3"),
    ("edit", "rename", "yard", "3", "x"), ("db", "info"), ("db", "gc"), ("db", "migrate"), ("db", "backup", "copy"),
]  # fmt: skip


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_describes_command_and_options(run, words):
    ran = run(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(rf"Usage: onlooker {' '.join(words)}", ran.out)
    command: click.Command = COMMAND
    for word in words:
        command = command.commands[word]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"`{parameter.name}` is not described"


@pytest.mark.parametrize("words", [(), ("--help",), ("--help", "ask"), ("--verbose", "--help")], ids=" ".join)
def test_the_list_of_commands_is_whole(run, words):
    ran = run(*words)
    listed = ran.out or ran.err
    assert [name for name in COMMAND.commands if not re.search(rf"^  {name}\b", listed, re.MULTILINE)] == []


def test_help_is_quick_beyond_the_interpreter():
    def cost(*words: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        after = os.times()
        # Processor time of the child: what the machine does besides does not count.
        return after.children_user + after.children_system - before.children_user - before.children_system

    def best(*words: str) -> float:
        return min(cost(*words) for _ in range(3))

    bare = best("-c", "pass")
    library = best("-c", "import typer, rich.console") - bare  # what no face can do without, on this machine
    for words in ((), ("ask",), ("ingest",), ("db", "gc")):
        help_of = ("-c", "from onlooker.cli.app import main; main()", *words, "--help")
        # The best of three counts: the second and third only where the first is not good enough.
        assert any(cost(*help_of) - bare < max(0.4, 6 * library) for _ in range(3))


def test_help_loads_no_heavy_module():
    # One of each module of commands, and the command itself.
    helps = [[], ["ask"], ["ingest"], ["show"], ["import"], ["doctor"]]
    code = (
        "import json, sys\nfrom onlooker.cli.app import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        " sys.argv = ['onlooker', *words, '--help']\n"
        " try:\n  main()\n except SystemExit: pass\n"
        " heavy = {'torch', 'transformers', 'cv2', 'av', 'sqlalchemy', 'openai'} & set(sys.modules)\n"
        " if heavy: sys.exit(f'the help of {words} loaded {heavy}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(helps)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: onlooker") == len(helps)


@pytest.mark.slow
def test_libraries_keep_their_warnings_to_themselves():
    code = "from onlooker.cli.app import main; main()"
    words = ("train", "isvos/tiny", "--dry-run")  # transformers warns of the backbone of every such network
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_missing_library_is_named_and_not_made(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    ran = run(*words, "--library", tmp_path / "gone.onlooker")
    assert ran.code == 1
    assert "there is no library at" in ran.error
    assert "gone.onlooker" in ran.error
    assert list(tmp_path.iterdir()) == []


def test_library_comes_from_option_then_environment_then_folder(run, process, library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ONLOOKER_LIBRARY", raising=False)
    assert "library.onlooker" in run("videos").error
    monkeypatch.setenv("ONLOOKER_LIBRARY", str(library))
    assert run("videos").code == 0
    assert "other" in run("videos", "-l", "other").error
    monkeypatch.delenv("ONLOOKER_LIBRARY")
    library.rename(tmp_path / "library.onlooker")
    assert run("videos").code == 0


@pytest.mark.parametrize(
    "words",
    [(), ("nope",), ("ask",), ("ask", "a", "b"), ("ask", "x", "--nope"), ("sql",), ("tracks", "--limit", "0"),
     ("search", "x", "--top", "many"), ("verify-answer", "no-such-file"), ("import", "mot", "no-such-folder"),
     ("edit",), ("edit", "delete", "yard", "three"), ("edit", "split", "yard", "3")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_use_exits_with_2_and_prints_nothing_on_standard_output(run, words):
    ran = run(*words)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    # Without any words the help is what was asked for.
    assert ran.out == "" or words in ((), ("edit",))


def test_exit_codes_tell_what_happened(run, process, library, tmp_path):
    assert run("ask", "How many dogs are there?", "-l", library).code == 0
    failure = process("videos", "-l", tmp_path)
    assert (failure.code, failure.err.count("\n")) == (1, 1)
    assert run("ask", "How many dogs?", "--video", "barn", "-l", library).code == 2
    nothing = process("ask", "Is there a giraffe?", "-l", library)
    assert (nothing.code, nothing.err) == (3, "")
    version = process("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("onlooker ")


def test_interrupt_ends_quietly(library):
    words = [sys.executable, "-c", "from onlooker.cli.app import main; main()", "chat", "--json", "-l", str(library)]
    # Where the tests themselves run in the background of a shell, children inherit that interrupts are ignored.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, preexec_fn=heed, **pipes) as chat:
        chat.stdin.write(b"How many dogs are there?\n")
        chat.stdin.flush()
        assert chat.stdout.readline()
        chat.send_signal(signal.SIGINT)
        assert chat.wait(timeout=30) == 130
        assert b"Traceback" not in chat.stderr.read()


def test_questions_are_answered_while_somebody_writes(run, library):
    writer = sqlite3.connect(library, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM base_tracklets")
    started = time.monotonic()
    try:
        assert run("ask", "How many dogs are there?", "--json", "-l", library).json["value"] == 1
    finally:
        writer.execute("ROLLBACK")
        writer.close()
    assert time.monotonic() - started < 10


def test_one_command_run_verbose_keeps_results_alone_on_standard_output(process, library):
    ran = process("--verbose", "sql", "SELECT 1 AS one", "--json", "-l", library)
    assert (ran.code, ran.out) == (0, '{"columns": ["one"], "rows": [[1]]}\n')
