"""What models there are, where they are on this machine, and whether their bytes are the expected ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from onlooker import catalogue
from onlooker.catalogue import HubModel, RoleEntry
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.weights.hub_cache import cached_folder, fetch
from onlooker.weights.verify import PackagedFile, find_packaged, verified_path


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One row of `onlooker models list`.

    Attributes:
        megabytes: size of the weights on disk, or about what a download costs; 0 for a model without weights.
        found_in: where the weights are, `None` when they are not here.
        installed: whether the model can be used without any download.
        verified: True or False after a check of the digests, `None` when not checked or when nothing is there to check.
        advice: what to do when it is not installed or not verified; empty otherwise.
    """

    role: str
    name: str
    version: str
    profile: str
    code_licence: str
    weights_licence: str | None
    megabytes: float
    found_in: str | None
    installed: bool
    verified: bool | None
    advice: str
    note: str

    @property
    def licence(self) -> str:
        """Licence of the weights, or of the code where there are none."""
        return self.weights_licence or self.code_licence

    def as_dict(self) -> dict[str, str | float | bool | None]:
        """All fields, for JSON."""
        return asdict(self)


def list_models(profile: str | None = None) -> list[ModelStatus]:
    """Every implementation of every role, without reading weights. `profile` keeps the rows of one origin."""
    return [_status(entry, verify=False) for entry in _rows(profile)]


def verify_models(profile: str | None = None) -> list[ModelStatus]:
    """The same after checking the digest of every packaged file; `verified` stays None for hub files."""
    return [_status(entry, verify=True) for entry in _rows(profile)]


def pull_models(names: Sequence[str], offline: bool = False) -> list[Path]:
    """Fetches hub models so that they work offline afterwards; returns their folders in the order of `names`.

    Raises:
        UnknownNameError: a name is in no row.
        ConfigError: a name is not a hub model: it comes with a package and needs no download.
        WeightsError: `offline` and not in the cache, or the download failed.
    """
    sources = [_hub_source(name) for name in names]
    return [fetch(source.repository, source.revision, offline=offline) for source in sources]


def _rows(profile: str | None) -> list[RoleEntry]:
    return [entry for entry in catalogue.role_entries() if profile is None or entry.profile == profile]


def _hub_source(name: str) -> HubModel:
    found = [entry for entry in catalogue.role_entries() if entry.name == name]
    if not found:
        raise UnknownNameError("model", name, {entry.name for entry in catalogue.role_entries()})
    weights = found[0].weights
    if not isinstance(weights, HubModel):
        raise ConfigError(f"`{name}` comes with an installed package; `onlooker models verify` checks it")
    return weights


def _status(entry: RoleEntry, verify: bool) -> ModelStatus:
    if isinstance(entry.weights, HubModel):
        found_in, installed, verified, advice = _hub_state(entry.name, entry.weights)
        megabytes = float(entry.weights.megabytes)
    else:
        found_in, installed, verified, advice = _packaged_state(entry, entry.weights, verify)
        megabytes = round(sum(file.n_bytes for file in entry.weights) / 1e6, 1)
    return ModelStatus(
        role=entry.role,
        name=entry.name,
        version=entry.version,
        profile=entry.profile,
        code_licence=entry.code_licence,
        weights_licence=entry.weights_licence,
        megabytes=megabytes,
        found_in=found_in,
        installed=installed,
        verified=verified,
        advice=advice,
        note=entry.note,
    )


_State = tuple[str | None, bool, bool | None, str]


def _hub_state(name: str, source: HubModel) -> _State:
    folder = cached_folder(source.repository, source.revision)
    if folder is None:
        return None, False, None, f"run `onlooker models pull {name}`"
    return str(folder), True, None, ""


def _packaged_state(entry: RoleEntry, files: tuple[PackagedFile, ...], verify: bool) -> _State:
    if entry.profile == "own":
        return None, False, None, f"train it, then `--set {entry.role}={entry.name}:weights=DIR`"
    if not files:
        return None, True, None, ""
    paths = [find_packaged(file) for file in files]
    absent = [file for file, path in zip(files, paths, strict=True) if path is None]
    if absent:
        advice = f'run `pip install "onlooker[{entry.extra}]"`' if entry.extra else absent[0].remedy
        return None, False, None, advice
    found_in = str(paths[0].parent) if paths[0] is not None else None
    if not verify:
        return found_in, True, None, ""
    for file in files:
        try:
            verified_path(file)
        except WeightsError as error:
            return found_in, True, False, str(error)
    return found_in, True, True, ""
