"""Forward time of Perception Encoder beside timm (pictures) and open_clip (text), with equal weights and outputs.

    python benchmarks/speed/perception_encoder.py [--threads 1] [--seconds 20] [--side text]

Both networks get the same random weights; before anything is timed their outputs must be equal. Runs are interleaved.
transformers has no picture side of its own to compare with: its Perception models wrap timm's.
Texts are sentences of usual length, padded to the context: ours leaves the padding out, which changes no output.
Writes benchmarks/results/speed/perception_encoder.json; with `--side` the rows of the other side stay as they were.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import open_clip
import timm
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import RESULTS, machine, race, rounded, write_result
from onlooker.methods.encoders.perception_encoder import CONFIGS, PerceptionEncoder, PerceptionEncoderConfig
from onlooker.methods.encoders.perception_encoder.tokenizer import make_tokenizer
from onlooker.methods.encoders.perception_encoder.weights import from_timm, key_map
from onlooker.weights.load import load_state

PICTURES = {"core-t16-384": "vit_pe_core_tiny_patch16_384", "core-b16-224": "vit_pe_core_base_patch16_224"}
TEXTS = {"core-t16-384": "PE-Core-T-16-384", "core-b16-224": "PE-Core-B-16"}
BATCHES = (1, 8)
SENTENCES = ("a photo of a red car", "two dogs play with a ball on the lawn behind the house", "", "a street at night")
TOLERANCE = 1e-4
RESULT = "speed/perception_encoder"
FEWEST_RUNS = 5


def shake(module: torch.nn.Module) -> None:
    """Weights that let every part matter; the projection keeps no bias."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in module.named_parameters():
        if "head.bias" not in name:
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


def race_pictures(name: str, batch: int, seconds: float) -> dict[str, object]:
    config = PerceptionEncoderConfig(CONFIGS[name].vision)
    module = timm.create_model(PICTURES[name]).eval()
    shake(module)
    network = PerceptionEncoder(config).eval()
    load_state(network, from_timm(module.state_dict()), key_map(config), "timm")
    size = config.vision.image_size
    images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return {
        "side": "pictures",
        "config": name,
        "reference": f"timm {PICTURES[name]}",
        "batch": batch,
        **compare(lambda: network.encode_image(images), lambda: module(images), seconds),
    }


def race_texts(name: str, batch: int, seconds: float) -> dict[str, object]:
    config = CONFIGS[name].text
    assert config is not None
    module = open_clip.create_model(TEXTS[name]).eval()
    shake(module)
    network = PerceptionEncoder(CONFIGS[name]).eval()
    load_state(network, from_timm(module.state_dict()), key_map(CONFIGS[name]), "open_clip")
    tokens = make_tokenizer(config)([SENTENCES[place % len(SENTENCES)] for place in range(batch)])
    return {
        "side": "text",
        "config": name,
        "reference": f"open_clip {TEXTS[name]}",
        "batch": batch,
        **compare(lambda: network.encode_text(tokens), lambda: module.encode_text(tokens), seconds),
    }


def stored_rows() -> list[dict[str, object]]:
    """Rows of the last run, or none."""
    path = RESULTS / f"{RESULT}.json"
    rows: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of timing for each row")
    parser.add_argument("--side", choices=("pictures", "text"), help="only this one")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    sides = {"pictures": (race_pictures, PICTURES), "text": (race_texts, TEXTS)}
    rows = [] if chosen.side is None else [row for row in stored_rows() if row["side"] != chosen.side]
    with torch.inference_mode():
        for racer, names in [sides[chosen.side]] if chosen.side else sides.values():
            for name in names:
                for batch in BATCHES:
                    rows.append(racer(name, batch, chosen.seconds))
                    print(rounded(rows[-1]), flush=True)
    result = {
        "what": "forward time with equal weights and outputs, interleaved; ratio is ours / theirs",
        "threads": chosen.threads,
        "dtype": "float32",
        "machine": machine(("torch", "timm", "open_clip_torch", "numpy")),
        "rows": [
            {key: rounded(value, 8 if key == "relative_difference" else 3) for key, value in row.items()}
            for row in rows
        ],
        "worst_ratio": round(max(float(str(row["ratio"])) for row in rows), 3),
    }
    write_result(RESULT, result)


if __name__ == "__main__":
    main()
