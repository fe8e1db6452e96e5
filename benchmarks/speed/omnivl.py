"""Forward time of OmniVL's visual encoder beside transformers' BLIP (images) and TimeSformer (clips).

    python benchmarks/speed/omnivl.py [--threads 1] [--seconds 40]

Both networks get the same random weights; before anything is timed their outputs must be equal. Runs are interleaved.
Writes benchmarks/results/speed/omnivl.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import BlipVisionConfig, BlipVisionModel, TimesformerConfig, TimesformerModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import machine, race, rounded, write_result
from onlooker.methods.encoders.omnivl import CONFIGS
from onlooker.methods.encoders.omnivl.config import VisualConfig
from onlooker.methods.encoders.omnivl.start_weights import from_blip_vision, from_timesformer
from onlooker.methods.encoders.omnivl.visual import VisualEncoder

TOLERANCE = 1e-4
FEWEST_RUNS = 5
IMAGE_BATCHES = (1, 4)
CLIP_BATCHES = (1,)


def shake(module: torch.nn.Module) -> None:
    """Weights that let every part matter: some layers start at zero."""
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.02)


def compare(ours: Callable[[], Tensor], theirs: Callable[[], Tensor], seconds: float) -> dict[str, object]:
    """Equality first, then the race."""
    mine, other = ours(), theirs()
    difference = float((mine - other).abs().max() / other.abs().max())
    if difference > TOLERANCE:
        raise SystemExit(f"outputs differ by {difference:.1e} of the largest value: nothing to time")
    start = time.perf_counter()
    ours(), theirs()
    runs = max(FEWEST_RUNS, int(seconds / (time.perf_counter() - start)))
    return {"relative_difference": difference, **race(ours, theirs, runs)}


def race_images(visual: VisualConfig, batch: int, seconds: float) -> dict[str, object]:
    """Our image path without time slots: the library has none."""
    config = BlipVisionConfig(image_size=visual.image_size, patch_size=visual.patch_size, layer_norm_eps=1e-6)
    library = BlipVisionModel(config).eval()
    shake(library)
    encoder = VisualEncoder(replace(visual, backbone="vit")).eval()
    encoder.load_state_dict(from_blip_vision(library.state_dict()))
    size = visual.image_size
    images = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(1))
    return {
        "input": f"images {size} px",
        "reference": "transformers BlipVisionModel",
        "batch": batch,
        **compare(lambda: encoder(images), lambda: library(images).last_hidden_state, seconds),
    }


def race_clips(visual: VisualConfig, batch: int, seconds: float) -> dict[str, object]:
    """Clips of as many frames as the paper's configuration has; the library takes a slot's frames as channels."""
    stride, slots, size = visual.time_stride, visual.slots, visual.image_size
    config = TimesformerConfig(
        image_size=size,
        patch_size=visual.patch_size,
        num_channels=3 * stride,
        num_frames=slots,
        layer_norm_eps=1e-6,
    )
    library = TimesformerModel(config).eval()
    shake(library)
    encoder = VisualEncoder(visual).eval()
    encoder.load_state_dict(from_timesformer(library.state_dict()))
    clip = torch.randn(batch, 3, slots * stride, size, size, generator=torch.Generator().manual_seed(1))
    packed = clip.view(batch, 3, slots, stride, size, size).transpose(1, 2).reshape(batch, slots, -1, size, size)
    return {
        "input": f"clips of {slots * stride} frames in {slots} slots, {size} px",
        "reference": "transformers TimesformerModel",
        "batch": batch,
        **compare(lambda: encoder(clip), lambda: library(packed).last_hidden_state, seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=40.0, help="of timing for each row")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    visual = CONFIGS["paper"].visual
    rows = []
    with torch.inference_mode():
        for racer, batches in ((race_images, IMAGE_BATCHES), (race_clips, CLIP_BATCHES)):
            for batch in batches:
                rows.append(racer(visual, batch, chosen.seconds))
                print(rounded(rows[-1]), flush=True)
    result = {
        "what": "forward time with equal weights and outputs, interleaved; ratio is ours / theirs",
        "config": "paper (width 768, depth 12)",
        "threads": chosen.threads,
        "dtype": "float32",
        "machine": machine(("torch", "transformers", "numpy")),
        "rows": [
            {key: rounded(value, 8 if key == "relative_difference" else 3) for key, value in row.items()}
            for row in rows
        ],
        "worst_ratio": round(max(float(str(row["ratio"])) for row in rows), 3),
    }
    write_result("speed/omnivl", result)


if __name__ == "__main__":
    main()
