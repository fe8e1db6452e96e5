"""The one place that reaches for a model hub, and only for a model the user named.

Everything else loads from a folder. Safetensors and text files are fetched; `*.pt` and `*.pth` only from a repository
that has no safetensors at all, as some methods' official ones. `weights.files` reads those without running their code.
"""

from __future__ import annotations

from pathlib import Path

from onlooker.errors import WeightsError

_PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_CHECKPOINTS = ("*.pt", "*.pth")


def local_folder(model: str, revision: str, offline: bool) -> Path:
    """A folder with the model's files: `model` itself if it is one, else a fetched or cached copy of that hub name.

    Raises:
        WeightsError: `model` looks like a path that is not there, is not cached while offline, or cannot be fetched.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise WeightsError(f"`{model}` is neither a folder nor a hub name like `owner/model`")
    return fetch(model, revision, offline)


def cached_folder(repository: str, revision: str) -> Path | None:
    """Where a hub model is cached, or `None`; reads no network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(repository, revision=revision, allow_patterns=list(_PATTERNS), local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None


def fetch(repository: str, revision: str, offline: bool) -> Path:
    """The folder of a hub model, downloaded if needed and allowed.

    Raises:
        WeightsError: not in the cache while `offline`, or the download failed; the message says what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def download(patterns: tuple[str, ...]) -> Path:
        return Path(
            snapshot_download(repository, revision=revision, allow_patterns=list(patterns), local_files_only=offline)
        )

    try:
        folder = download(_PATTERNS)
        return folder if any(folder.glob("*.safetensors")) else download(_PATTERNS + _CHECKPOINTS)
    except LocalEntryNotFoundError as error:
        if offline:
            raise WeightsError(
                f"`{repository}` (revision `{revision}`) is not in the local cache and the network is switched off; "
                f"fetch it once with `onlooker models pull`, or hand over a local folder as `model=DIR`"
            ) from error
        raise WeightsError(
            f"`{repository}` (revision `{revision}`) could not be fetched: {error}; "
            f"check the connection, or hand over a local folder as `model=DIR`"
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise WeightsError(f"`{repository}` (revision `{revision}`) could not be fetched: {error}") from error
