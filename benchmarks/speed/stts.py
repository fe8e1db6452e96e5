"""What STTS costs: multiply-accumulates of every configuration, time beside the unpruned network, and our unpruned MViT
beside torchvision's at equal outputs.

    python benchmarks/speed/stts.py [--threads 2] [--batches 1 8] [--runs 5]

Writes benchmarks/results/speed/stts.json. Runs are interleaved with those of the unpruned network; a ratio is the
median over pairs of neighbours.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.video import mvit_v1_b

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import machine, race, rounded, write_result
from onlooker.methods.encoders.stts import CONFIGS, Stts, SttsConfig
from onlooker.methods.encoders.stts.flops import gmacs
from onlooker.methods.encoders.stts.weights import key_map
from onlooker.weights.load import load_state

TOLERANCE = 1e-4  # of the largest logit
PUBLISHED_GFLOPS = {  # official README, which counts multiply-accumulates
    "mvit-b": 70.5,
    "mvit-b-t0.9-s0.9": 56.4,
    "mvit-b-t0.8-s0.9": 47.2,
    "mvit-b-t0.6-s0.9": 38.1,
    "mvit-b-t0.5-s0.7": 23.3,
    "mvit-b-t0.4-s0.6": 12.1,
    "videoswin-b-t0.9": 252.5,
    "videoswin-b-t0.8": 223.4,
    "videoswin-b-t0.6": 181.4,
    "videoswin-b-t0.5": 121.6,
    "videoswin-b-t0.4": 91.4,
}
NAMES = [name for name in CONFIGS if name not in ("paper", "tiny")]


def seeded(config: SttsConfig) -> Stts:
    torch.manual_seed(0)
    return Stts(config).eval()


def clips(config: SttsConfig, batch: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, config.frames, *config.image_size, generator=generator)


def unpruned(name: str) -> str:
    return "mvit-b" if name.startswith("mvit") else "videoswin-b"


def cost(name: str) -> dict[str, object]:
    config, full = CONFIGS[name], CONFIGS[unpruned(name)]
    with torch.device("meta"):
        parameters = sum(value.numel() for value in Stts(config).parameters())
    measured = gmacs(config)
    return {
        "config": name,
        "kept_token_frames": config.kept_frames,
        "kept_region": config.kept_region,
        "gmacs": measured,
        "of_unpruned": measured / gmacs(full),
        "published_gflops": PUBLISHED_GFLOPS.get(name),
        "parameters": parameters,
    }


def latency(name: str, batch: int, runs: int) -> dict[str, object]:
    config = CONFIGS[name]
    ours, full = seeded(config), seeded(CONFIGS[unpruned(name)])
    clip = clips(config, batch)
    timed = race(lambda: ours(clip), lambda: full(clip), runs)
    return {
        "config": name,
        "batch": batch,
        "ms": timed["ours_ms"],
        "unpruned_ms": timed["theirs_ms"],
        "of_unpruned": timed["ratio"],
        "lower_quartile": timed["ratio_lower_quartile"],
        "upper_quartile": timed["ratio_upper_quartile"],
        "runs": timed["runs"],
    }


def beside_torchvision(batch: int, runs: int) -> dict[str, object]:
    # torchvision's normalisations after pooling have another epsilon than the official ones.
    config = CONFIGS["mvit-b"]
    assert config.mvit is not None
    config = replace(config, mvit=replace(config.mvit, pool_norm_eps=1e-6))
    torch.manual_seed(0)
    theirs, ours = mvit_v1_b().eval(), seeded(config)
    for parameter in theirs.parameters():  # a fresh network ignores its input almost wholly
        parameter.add_(torch.randn_like(parameter), alpha=0.02)
    load_state(ours, theirs.state_dict(), key_map(config), "torchvision")
    clip = clips(config, batch)
    expected, found = theirs(clip), ours(clip).logits
    assert found is not None
    difference = float((found - expected).abs().max() / expected.abs().max())
    if difference > TOLERANCE:
        raise SystemExit(f"outputs differ by {difference:.1e} of the largest value: nothing to time")
    timed = race(lambda: ours(clip), lambda: theirs(clip), runs)
    return {"reference": "torchvision mvit_v1_b", "batch": batch, "relative_difference": f"{difference:.1e}", **timed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--swin", action="store_true", help="time Video-Swin, too: about four times as long")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    result: dict[str, object] = {
        "what": "STTS: exact multiply-accumulates, and forward time on the CPU in float32, random weights",
        "counted": "torch.utils.flop_counter: convolutions and matrix products; two flops are one multiply-accumulate",
        "machine": machine(("onlooker", "torch", "torchvision")),
        "threads": asked.threads,
    }
    with torch.inference_mode():
        result["cost"] = [cost(name) for name in NAMES]
        result["beside_torchvision"] = [beside_torchvision(batch, asked.runs) for batch in asked.batches]
        write_result("speed/stts", rounded(result, 4))  # type: ignore[arg-type]
        timed = [name for name in NAMES if name != unpruned(name) and (asked.swin or name.startswith("mvit"))]
        rows: list[dict[str, object]] = []
        for batch in asked.batches:
            for name in timed:
                rows.append(latency(name, batch, asked.runs))
                print(rows[-1], flush=True)
                result["latency"] = rows
                write_result("speed/stts", rounded(result, 4))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
