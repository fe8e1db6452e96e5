"""The restorer from a folder of weights, with errors that say where such a folder comes from."""

from __future__ import annotations

from pathlib import Path

from onlooker.errors import UnknownNameError, WeightsError
from onlooker.methods.forensics.fttdr import FtTdrRestorer
from onlooker.weights.load import locate_weights

METHOD = "fttdr"
HOW_TO_TRAIN = f"train one with `onlooker train {METHOD}/tiny --output runs/restorer` (about five minutes on two cores)"


def open_restorer(weights: str | Path, short_side: int | None = None, device: str = "cpu") -> FtTdrRestorer:
    """The restorer of a run folder of `onlooker train`, of `save_pretrained`, or of a file in one.

    Args:
        weights: folder or file on this machine; the hub is not asked.
        short_side: see `FtTdrRestorer`.
        device: torch device.

    Raises:
        WeightsError: no such folder, no weights in it, or those of another method.
        ConfigError: `short_side` or `device` out of range.
    """
    path = Path(weights).expanduser()
    if not path.exists():
        raise WeightsError(f"there is no folder `{path}` with a trained restorer; {HOW_TO_TRAIN}")
    try:
        found = locate_weights(path)
    except WeightsError as error:
        raise WeightsError(f"{error}; {HOW_TO_TRAIN}") from error
    if found.method not in (None, METHOD):
        raise WeightsError(f"`{path}` holds weights of `{found.method}`, which restores nothing; {HOW_TO_TRAIN}")
    if found.config is None:
        raise WeightsError(f"`{path}` holds weights without their configuration, as no run of ours is; {HOW_TO_TRAIN}")
    try:
        return FtTdrRestorer(str(path), short_side=short_side, device=device)
    except (UnknownNameError, WeightsError) as error:  # fields or tensors of another network
        raise WeightsError(f"`{path}` holds no restorer ({error}); {HOW_TO_TRAIN}") from error
