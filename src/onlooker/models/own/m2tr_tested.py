"""On what a training run of M2TR tested the judge, in words for people who ask what its numbers are worth.

A run leaves `calibration.json` beside the weights, which names its test pictures by their settings, cut off in the
middle, and `recipe.toml` with all of them. Words are made of the recipe where it lies there and fits, else of the start
of the settings; what is neither is told as it was written.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from onlooker.configs import config_from_dict
from onlooker.methods.forensics.m2tr.data import IndexConfig, PicturesConfig
from onlooker.methods.forensics.m2tr.task import CALIBRATION_FILE

_UNMEASURED = "nothing anybody recorded beside the weights (experimental)"
_RECIPE_FILE = "recipe.toml"
_KINDS: Mapping[str, str] = {
    "splice": "splices",
    "copy_move": "copied parts",
    "removal": "removed parts",
    "self_blended": "self-blended faces",
    "face_swap": "swapped faces",
    "reenactment": "moved mouths and eyes",
    "corruption": "painted damage",
}
_HOSTS: Mapping[str, str] = {
    "photos": "cut from photos",
    "portraits": "of aligned faces",
    "small_faces": "of grey faces 25 pixels wide, enlarged",
}
_FORGERIES = re.compile(
    r"(\d+) forgeries \{'size_px': (\d+), 'authentic_share': ([\d.]+)(?:, 'kinds': \{([^}]*)(\}?))?"
)
_FACES = re.compile(r"(\d+) faces [0-9a-f]{16}")


def words_on_test(folder: Path, recorded: str | None) -> str:
    """The test of the judge whose weights lie in a folder.

    Args:
        folder: of the weights.
        recorded: what the calibration beside them says of its test data; `None` where it says nothing.
    """
    if recorded is None:
        return _UNMEASURED
    auc = _auc(folder / CALIBRATION_FILE)
    scored = "" if auc is None else f"AUC {auc:.2f} on them; "
    return f"{_pictures(folder / _RECIPE_FILE, recorded)} ({scored}experimental)"


def _pictures(recipe: Path, recorded: str) -> str:
    config, faces, forgeries = _recipe(recipe), _FACES.fullmatch(recorded), _FORGERIES.match(recorded)
    if faces is not None:
        return f"{faces[1]} faces of {_index_name(None if config is None else config.index)}"
    if forgeries is None:
        return recorded
    n, side, untouched = int(forgeries[1]), int(forgeries[2]), float(forgeries[3])
    if config is not None and config.index is None and config.n_test == n and config.forgeries.size_px == side:
        kinds = [name for name, weight in config.forgeries.kinds.items() if weight > 0]
        quality = config.forgeries.compression.final_quality
        saved = "saved without loss" if quality is None else f"saved as JPEG {quality[0]} to {quality[1]}"
        return f"{_tiles(n, side, config.forgeries.hosts)}, {_shares(untouched, kinds)}, {saved}"
    kinds = re.findall(r"'(\w+)': (?!0\.0\b)[\d.]", forgeries[4] or "")
    kinds += [] if forgeries[5] else ["more"]  # cut off in the middle of them
    hosts = re.search(r"'hosts': '(\w+)'", recorded)
    return f"{_tiles(n, side, hosts[1] if hosts else '')}, {_shares(untouched, kinds)}"


def _tiles(n: int, side: int, hosts: str) -> str:
    return f"{n} pictures of {side}x{side} pixels" + (f" {_HOSTS[hosts]}" if hosts in _HOSTS else "")


def _shares(untouched: float, kinds: Iterable[str]) -> str:
    done = " or ".join(_KINDS.get(kind, kind.replace("_", " ")) for kind in kinds) or "changes"
    share = "half" if untouched == 0.5 else f"{100 * untouched:.0f} percent"
    return f"{share} of them untouched, the others with {done} made by Onlooker"


def _index_name(index: IndexConfig | None) -> str:
    return "a list of the trainer's own" if index is None else f"the list `{Path(index.test).name}`"


def _recipe(path: Path) -> PicturesConfig | None:
    """The pictures of a recipe; `None` where there is none, or none that this version can read."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        options = content.get("task_options", {})
        return config_from_dict(PicturesConfig, options.get("pictures", {})) if isinstance(options, dict) else None
    except (OSError, ValueError):  # ConfigError is a ValueError
        return None


def _auc(path: Path) -> float | None:
    """In [0, 1]; the run writes percent."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("test_auc_percent")
    except (OSError, ValueError, AttributeError):
        return None
    known = isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) / 100 if known else None
