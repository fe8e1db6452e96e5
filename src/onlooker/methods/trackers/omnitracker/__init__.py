"""OmniTracker: given objects and objects of known classes, followed by one network and one loop."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.trackers.omnitracker.config import CONFIGS, OmniTrackerConfig, TrackingConfig
from onlooker.methods.trackers.omnitracker.infer import OmniTracker
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork, Seen
from onlooker.methods.trackers.omnitracker.task import track
from onlooker.methods.trackers.omnitracker.weights import from_deformable_detr, key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "OmniTracker",
    "OmniTrackerConfig",
    "OmniTrackerNetwork",
    "TrackingConfig",
    "from_deformable_detr",
]

_HEIGHT, _WIDTH, _BOXES = 64, 96, 2  # of the example


def _example(config: OmniTrackerConfig, batch: int, generator: torch.Generator) -> Inputs:
    frames, references = (torch.randn(batch, 3, _HEIGHT, _WIDTH, generator=generator) for _ in range(2))
    corners = torch.rand(batch, _BOXES, 2, generator=generator) * torch.tensor([_WIDTH / 2, _HEIGHT / 2])
    sides = 8 + 20 * torch.rand(batch, _BOXES, 2, generator=generator)
    return {"frames": frames, "references": references, "boxes": torch.cat([corners, corners + sides], -1)}


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    if not isinstance(network, OmniTrackerNetwork):
        raise TypeError(f"expected an `OmniTrackerNetwork`, got `{type(network).__name__}`")
    seen: Seen = network(**inputs)
    found: dict[str, Tensor] = {
        "logits": seen.decoded.logits.transpose(0, 1),
        "target_logits": seen.decoded.target_logits.transpose(0, 1),
        "boxes": seen.decoded.boxes.transpose(0, 1),
        "identities": network.identities(seen),
    }
    if seen.decoded.proposal_logits is not None and seen.decoded.proposal_boxes is not None:
        found |= {"proposal_logits": seen.decoded.proposal_logits, "proposal_boxes": seen.decoded.proposal_boxes}
    if network.mask_head is not None:
        everything = torch.arange(network.config.detector.queries, device=seen.decoded.boxes.device)
        found["masks"] = network.mask_logits(seen, everything.expand(len(inputs["frames"]), -1))
    return found


def _output_shapes(config: OmniTrackerConfig, batch: int) -> Mapping[str, tuple[int, ...]]:
    detector = config.detector
    said = (batch, detector.decoder_layers, detector.queries)
    shapes: dict[str, tuple[int, ...]] = {
        "logits": (*said, detector.classes),
        "target_logits": said,
        "boxes": (*said, 4),
        "identities": (batch, detector.queries, config.identity.dim),
    }
    if config.mask is not None:
        shapes["masks"] = (batch, detector.queries, _HEIGHT // 4, _WIDTH // 4)
    return shapes


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.trackers.omnitracker.claims import CLAIMS

    return CLAIMS


# transformers' R-50 default has 40.7 M (measured): two classes, six box heads. More classes and the contributions have
# no published count; theirs follow from the layers in `config`.
_DETECTOR, _CLASSES = 40.71e6, 0.12e6
_ENHANCEMENT, _MASKS, _IDENTITY = 0.79e6, 2.10e6, 0.26e6

METHOD: Method[OmniTrackerConfig] = Method(
    name="omnitracker",
    config_type=OmniTrackerConfig,
    configs=CONFIGS,
    build=OmniTrackerNetwork,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks={"track": track},
    claims=_claims,
    parameter_counts={
        "paper": _DETECTOR + _CLASSES + _ENHANCEMENT + _MASKS + _IDENTITY,
        "boxes": _DETECTOR + _CLASSES + _ENHANCEMENT + _IDENTITY,
    },
)
