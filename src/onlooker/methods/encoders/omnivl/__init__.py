"""OmniVL: one model for images and clips with text, contrasted, matched and described."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onlooker.evaluation.claims import Claim
from onlooker.methods.definition import Inputs, Method, Outputs
from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.config import CONFIGS, OmniVLConfig
from onlooker.methods.encoders.omnivl.embedding import OmniVLEmbedder
from onlooker.methods.encoders.omnivl.infer import OmniVLDescriber
from onlooker.methods.encoders.omnivl.losses import HardNegatives
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.networks import create
from onlooker.methods.encoders.omnivl.task import TASKS
from onlooker.methods.encoders.omnivl.tokenizer import OmniVLTokenizer
from onlooker.methods.encoders.omnivl.weights import key_map

__all__ = [
    "CONFIGS",
    "METHOD",
    "OmniVLAnswerer",
    "OmniVLCaptioner",
    "OmniVLConfig",
    "OmniVLDescriber",
    "OmniVLEmbedder",
    "OmniVLPretrain",
    "OmniVLTokenizer",
]

_LENGTH = 6  # tokens of the example's texts
_LOSSES = ("loss_ita", "loss_itm", "loss_lm")


def _example(config: OmniVLConfig, batch: int, generator: torch.Generator) -> Inputs:
    """Clips where the configuration takes them, and texts; every head gets what its `run` reads."""
    side = config.visual.image_size
    frames = (config.visual.num_frames,) if config.visual.takes_clips else ()
    text = config.text

    def ids(first: int) -> Tensor:
        table = torch.randint(text.sep_id + 1, text.decode_id, (batch, _LENGTH), generator=generator)
        table[:, 0], table[:, -1] = first, text.sep_id
        return table

    inputs = {"vision": torch.randn(batch, 3, *frames, side, side, generator=generator), "text_ids": ids(text.cls_id)}
    if config.head in ("pretrain", "retrieval"):
        inputs["target"] = torch.arange(batch) % 2  # captions and one class
    if config.head == "vqa":
        inputs["answer_ids"] = ids(text.cls_id)
    return inputs


def _run(network: nn.Module, inputs: Inputs) -> Outputs:
    """One forward. Hard negatives are the neighbours in the batch: a draw would not be the same twice."""
    if isinstance(network, OmniVLPretrain):
        batch = len(inputs["vision"])
        neighbour = (torch.arange(batch) + 1) % batch
        negatives = HardNegatives(neighbour, neighbour) if batch > 1 else None
        output = network(**inputs, alpha=0.4, negatives=negatives)
        losses = {name: getattr(output, name) for name in _LOSSES}
        return {"vision_embed": output.vision_features, "text_embed": output.text_features, **losses}
    if isinstance(network, OmniVLAnswerer):
        ones = torch.ones(len(inputs["vision"]), dtype=torch.int64)
        return {"loss": network(inputs["vision"], inputs["text_ids"], inputs["answer_ids"], ones, ones.float())}
    if isinstance(network, OmniVLCaptioner):
        return {"logits": network.logits(**inputs)}
    vision, text = network(**inputs)
    return {"vision_embed": vision, "text_embed": text}


def _output_shapes(config: OmniVLConfig, batch: int) -> dict[str, tuple[int, ...]]:
    if config.head == "vqa":
        return {"loss": ()}
    if config.head == "caption":
        return {"logits": (batch, _LENGTH, config.text.vocab_size)}
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("vision_embed", "text_embed"), (batch, config.embed_dim))
    return shapes if config.head == "embed" else {**shapes, **dict.fromkeys(_LOSSES, ())}


def _claims() -> tuple[Claim, ...]:
    from onlooker.methods.encoders.omnivl.claims import CLAIMS

    return CLAIMS


METHOD: Method[OmniVLConfig] = Method(
    name="omnivl",
    config_type=OmniVLConfig,
    configs=CONFIGS,
    build=create,
    key_map=key_map,
    example=_example,
    run=_run,
    output_shapes=_output_shapes,
    tasks=TASKS,
    not_batched=frozenset(_LOSSES),
    no_gradient={
        "*_m.*": "momentum copies follow the online parts, they are not trained",
        "visual_encoder.patch_embed.*": "the example is a clip; the tokeniser of images is not used",
    },
    claims=_claims,
    parameter_counts={"paper": 549.17e6, "caption-youcook2": 261.8e6, "vqa-vqav2": 396.9e6},
)
