"""Weights: our own layout is the only one; no FT-TDR weights are known."""

from __future__ import annotations

from onlooker.methods.forensics.fttdr.config import FtTdrConfig
from onlooker.weights.keys import KeyMap


def key_map(config: FtTdrConfig) -> KeyMap:
    """Ours to ours; parts are there where their switches are on."""
    rules = {f"inpaint_net.{part}.*": f"inpaint_net.{part}.*" for part in ("enc", "bottleneck", "dec", "rgb_side")}
    if config.stages == "one":
        return KeyMap(rules | {"inpaint_net.mask_side.*": "inpaint_net.mask_side.*"})
    parts = ["rgb_stem", "blocks", "decoder"]
    if config.mask_net.frequency.second_view != "none":
        parts += ["freq_stem", "fuse"]
    return KeyMap(rules | {f"mask_net.{part}.*": f"mask_net.{part}.*" for part in parts})
