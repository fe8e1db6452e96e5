"""Where a network runs, checked before anything is loaded: a name that torch cannot use is said so in plain words."""

from __future__ import annotations

import warnings

from onlooker.errors import ConfigError


def check_device(device: object) -> str:
    """The device's name, once a tensor could be made on it. "cpu" is taken without importing torch.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps" and so on, or a torch device; options bring whatever was typed.

    Raises:
        ConfigError: torch knows no such device, or this machine has none, or it holds no values ("meta").
    """
    name = str(device)
    if name == "cpu":
        return name
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of kinds that torch is about to drop
            usable = not torch.empty(0, device=name).is_meta
        reason = "it holds shapes without values"
    # Torch asserts that it was built for a device, and imports what some devices need.
    except (RuntimeError, AssertionError, ImportError) as error:
        usable, reason = False, str(error).partition("\n")[0][:160].rstrip(" .;")
        if reason.startswith("Expected one of"):  # a list of twenty kinds, most of them for makers of hardware
            reason = "torch knows no such kind"
    if usable:
        return name
    here = ", ".join(f"`{known}`" for known in _devices_here())
    raise ConfigError(f"the device `{name}` cannot be used ({reason}); torch has {here} here, `cpu` always works")


def _devices_here() -> list[str]:
    import torch

    cards = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cards, *(["mps"] if torch.backends.mps.is_available() else [])]
