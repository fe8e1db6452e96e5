"""Is everything here that Onlooker needs? One row a check, each with what to do when it fails."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from onlooker.errors import LibraryError

Verdict = Literal["ok", "warning", "problem"]
_PACKAGES = ("av", "numpy", "torch", "transformers", "timm", "onnxruntime", "faster-whisper", "rapidocr", "sqlglot")
_CODECS = ("h264", "hevc", "vp9", "av1", "aac", "opus")
_OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
_LOW_DISK_BYTES = 2 * 1024**3  # ours: an hour of video with pictures stays well below
_MIN_SQLITE = (3, 35, 0)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its verdict, what was found, and what to do when it is not ok."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(library: Path) -> list[Check]:
    """Runs every check. `library` is the file whose disk and integrity are looked at; it need not exist."""
    return [check for group in _GROUPS for check in group(library)]


def _python(_library: Path) -> Iterator[Check]:
    ok = sys.version_info >= (3, 11)
    yield Check("python", "ok" if ok else "problem", platform.python_version(), "" if ok else "install Python 3.11+")


def _packages(_library: Path) -> Iterator[Check]:
    for name in _PACKAGES:
        version = _version(name)
        missing = f"run `pip install {name}`"
        yield Check(name, "ok" if version else "problem", version or "not installed", "" if version else missing)


def _opencv_owners(_library: Path) -> Iterator[Check]:
    owners = [f"{name} {version}" for name in _OPENCV if (version := _version(name))]
    if len(owners) == 1:
        yield Check("cv2", "ok", owners[0])
    elif not owners:
        yield Check("cv2", "problem", "not installed", "run `pip install opencv-python-headless`")
    else:
        advice = "keep only opencv-python-headless: removing one of several breaks the folder they share"
        yield Check("cv2", "warning", ", ".join(owners), advice)


def _codecs(_library: Path) -> Iterator[Check]:
    import av

    missing = [name for name in _CODECS if name not in av.codecs_available]
    yield Check(
        "codecs",
        "warning" if missing else "ok",
        f"{len(av.codecs_available)} codecs" + (f", without {', '.join(missing)}" if missing else ""),
        "install the `av` wheel rather than a build of your own" if missing else "",
    )


def _sqlite(_library: Path) -> Iterator[Check]:
    ok = sqlite3.sqlite_version_info >= _MIN_SQLITE
    wanted = "" if ok else f"needs SQLite {'.'.join(map(str, _MIN_SQLITE))} or newer; use another Python build"
    yield Check("sqlite", "ok" if ok else "problem", sqlite3.sqlite_version, wanted)


def _models(_library: Path) -> Iterator[Check]:
    from onlooker.models.inventory import verify_models

    for status in verify_models(profile="bundled"):
        good = status.installed and status.verified is not False
        found = f"{status.name} ({status.found_in})" if status.installed else f"{status.name} is not installed"
        yield Check(f"model {status.role}", "ok" if good else "problem", found, "" if good else status.advice)


def _disk(library: Path) -> Iterator[Check]:
    folder = library.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    advice = "" if free > _LOW_DISK_BYTES else "free some space: an ingest that runs out of disk is rolled back"
    yield Check("disk", "warning" if advice else "ok", f"{free / 1024**3:.1f} GiB free", advice)


def _library_file(library: Path) -> Iterator[Check]:
    if not library.exists():
        yield Check("library", "ok", f"none at {library} yet")
        return
    from onlooker.video.store import Store
    from onlooker.video.store.maintenance import check

    try:
        with Store.open(library, create=False) as store:
            faults = check(store)
    except LibraryError as error:
        yield Check("library", "problem", str(error), "name the right file with `--library`")
        return
    advice = "restore a copy made with `onlooker db backup`" if faults else ""
    yield Check("library", "problem" if faults else "ok", "; ".join(faults[:3]) or "sound", advice)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


_GROUPS: tuple[Callable[[Path], Iterator[Check]], ...] = (
    _python,
    _packages,
    _opencv_owners,
    _codecs,
    _sqlite,
    _models,
    _disk,
    _library_file,
)
