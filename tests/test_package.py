"""What importing the package costs and offers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onlooker

HEAVY = ("torch", "transformers", "cv2", "timm", "scipy", "sqlalchemy", "av", "onnxruntime", "sqlglot")


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded_by("import onlooker") == set()


def test_the_command_line_starts_without_anything_heavy() -> None:
    assert _loaded_by("import onlooker.cli.app") == set()


def test_a_question_loads_no_torch_and_no_decoder() -> None:
    assert not _loaded_by("import onlooker.video.library") & {"torch", "transformers", "cv2", "timm", "av", "scipy"}


def test_help_is_printed_within_four_tenths_of_a_second_beyond_the_interpreter() -> None:
    def seconds(*command: str) -> float:
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        # Processor time of the child: what the machine does besides does not count.
        return after.children_user + after.children_system - before.children_user - before.children_system

    script = str(Path(sys.executable).with_name("onlooker"))
    bare = min(seconds(sys.executable, "-c", "pass") for _ in range(5))
    # The best of five counts: the others only where the first is not good enough.
    assert any(seconds(script, "--help") - bare < 0.4 for _ in range(5))


def test_every_public_name_is_there_and_listed_once() -> None:
    assert sorted(set(onlooker.__all__)) == sorted(onlooker.__all__)
    assert all(getattr(onlooker, name) is not None for name in onlooker.__all__)
