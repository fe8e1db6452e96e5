"""Recognises actions with an STTS network of one's own, and passes its compute dial on as two shares.

STTS: Wang et al., arXiv 2111.11591; see `onlooker.methods.encoders.stts`. Here the dial is said in shares, since what
a count of token frames means depends on the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from onlooker.configs import config_from_dict, real_number
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.formats.files import read_text
from onlooker.methods.encoders.stts.config import CONFIGS, SttsConfig
from onlooker.methods.encoders.stts.infer import SttsRecogniser
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import Image, Tag
from onlooker.weights.load import FoundWeights, load_weights, locate_weights
from onlooker.weights.verify import sha256_of

LABELS_FILE = "labels.txt"


class SttsActions:
    """Names actions in clips.

    Args:
        weights: a folder that `save_pretrained` wrote, or a checkpoint in a layout the method knows.
        config: name of a configuration; left out, the one beside the weights.
        keep_frames: share of the token frames that is looked at, in (0, 1]; left out, the configuration's. Less is
            cheaper, nearly in proportion.
        keep_region: share of every frame's token map that is looked at, in (0, 1]; likewise.
        labels: path of a text file with one action a line, in the order of the classes; left out, `labels.txt` beside
            the weights, else the names of Kinetics-400 for 400 classes.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, a share out of range, a network without the scorer that a share needs, or labels that
            are not as many as the classes, or a device that cannot be used.
        WeightsError: the weights cannot be read or do not fit, or labels are not where they should be.
        FormatError: labels that are not text.
    """

    name = "stts"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        keep_frames: float | None = None,
        keep_region: float | None = None,
        labels: str | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError(
                "there are no public STTS weights to fetch: train some and give their folder as `weights`"
            )
        check_device(device)
        found = locate_weights(weights, offline=offline)
        chosen = kept(_config(found, config), keep_frames, keep_region)
        network = Stts(chosen)
        load_weights(network, found, key_map(chosen))
        path = Path(labels) if labels is not None else found.path.parent / LABELS_FILE
        names = _read_labels(path, required=labels is not None)
        self._recogniser = SttsRecogniser.from_network(network.to(device), labels=names)
        self._version = sha256_of(found.path)[:8]

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def gmacs_per_clip(self) -> float:
        """Billions of multiply-accumulates of one clip, at this setting of the dial."""
        return self._recogniser.gmacs_per_view

    def recognise(self, clips: Sequence[Sequence[Image]], top_k: int = 5) -> list[tuple[Tag, ...]]:
        """Per clip the likeliest actions, best first, with probabilities."""
        return self._recogniser.recognise(clips, top_k)


def kept(config: SttsConfig, keep_frames: float | None, keep_region: float | None) -> SttsConfig:
    """The configuration with other shares kept; counts are rounded down, to at least one.

    Raises:
        ConfigError: a share out of range, or no scorer for it.
    """
    selection = config.selection
    for name, share, place in (
        ("keep_frames", keep_frames, selection.time_at),
        ("keep_region", keep_region, selection.space_at),
    ):
        if share is not None and not 0 < real_number(name, share) <= 1:
            raise ConfigError(f"`{name}` is a share above 0 and at most 1, got {share}")
        if share is not None and place is None:
            raise ConfigError(f"`{name}` needs a network that scores what it drops; this one keeps everything")
    if keep_frames is not None:
        selection = replace(selection, time_ratio=max(keep_frames, 1 / config.token_frames))
    space_map = config.space_map
    if keep_region is not None and space_map is not None:
        selection = replace(selection, space_ratio=max(keep_region, 1 / (space_map[0] * space_map[1])))
    return replace(config, selection=selection)


def _config(found: FoundWeights, name: str | None) -> SttsConfig:
    if name is not None:
        if name not in CONFIGS:
            raise UnknownNameError("configuration of `stts`", name, CONFIGS)
        return CONFIGS[name]
    if found.config is None:
        raise ConfigError(f"no configuration lies beside `{found.path}`; name one with `config=`")
    return config_from_dict(SttsConfig, found.config)


def _read_labels(path: Path, required: bool) -> list[str] | None:
    if not path.is_file():
        if required:
            raise WeightsError(f"there are no labels at `{path}`; give a text file with one action a line")
        return None
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]
