"""Training on pairs of frames: given objects, classes, or both in turn with one set of weights (the paper's way)."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.ops import box_convert, box_iou

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.omnitracker.config import TrackTask
from onlooker.methods.trackers.omnitracker.data import ClipsConfig, Pairs
from onlooker.methods.trackers.omnitracker.identity import auxiliary_loss, choose_pairs, contrastive_loss
from onlooker.methods.trackers.omnitracker.losses import LossConfig, Matches, Truth, detection_losses
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork, Seen, boxes_px
from onlooker.nn.timm_pyramid import freeze_stages_, start_from_imagenet_
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

Mode = Literal["joint", "instance", "category"]
_AT_ONCE = 8
_FOUND_IOU = 0.5


@dataclass(frozen=True)
class TrackOptions:
    """Options of the task.

    Attributes:
        train_on: "joint" takes instance and category batches in turn; the others one kind alone.
        clips: the data.
        losses: weights.
        backbone_rate: learning rate of the backbone, as a part of the recipe's (IDOL: 0.1). Below 1 the backbone has a
            schedule of its own: this rate, and a tenth of it from `backbone_drop` of the run on (IDOL: 2 / 3).
        backbone_drop: see `backbone_rate`.
        backbone: what the backbone starts from: left out, what the network has; "efficientnet-lite0", the ImageNet
            weights that come with this package, for the configuration `tiny-imagenet`.
        frozen_stages: stem and so many first stages of a backbone of timm's are not trained, which saves time.
    """

    train_on: Mode = "joint"
    clips: ClipsConfig = field(default_factory=ClipsConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    backbone_rate: float = 1.0
    backbone_drop: float = 2 / 3
    backbone: Literal["efficientnet-lite0"] | None = None
    frozen_stages: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.backbone_rate <= 1 or not 0 < self.backbone_drop <= 1:
            raise ConfigError(f"rate and drop of the backbone are in (0, 1], got {self}")
        if not 0 <= self.frozen_stages <= 4:
            raise ConfigError(f"`frozen_stages` is 0 to 4, got {self.frozen_stages}")

    @property
    def kinds(self) -> tuple[TrackTask, ...]:
        """Families that are trained, in turn."""
        return ("instance", "category") if self.train_on == "joint" else (self.train_on,)


class TrackingTask(Task):
    """Detection with a reference, and identities over the two frames.

    Args:
        network: what is trained.
        options: see there.
    """

    network: OmniTrackerNetwork

    def __init__(self, network: OmniTrackerNetwork, options: TrackOptions) -> None:
        super().__init__(network)
        self.options = options
        self._sets = {kind: Pairs(network.config, options.clips, "train", kind) for kind in options.kinds}
        if options.backbone is not None:
            start_from_imagenet_(network.model.backbone.model)
        freeze_stages_(network.model.backbone.model, options.frozen_stages)

    @property
    def metric(self) -> Metric:
        return Metric("found", "fraction of objects")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {str(kind): pairs for kind, pairs in self._sets.items()}

    def dataset_at(self, step: int) -> str:
        return self.options.kinds[step % len(self.options.kinds)]

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of a batch of pairs.

        Raises:
            ShapeError: frames hold NaN or infinite values.
        """
        if not (batch["frame"].isfinite().all() and batch["reference"].isfinite().all()):
            raise ShapeError("a frame holds values that are not finite; look at how it was normalised")
        instance = self.dataset_at(moment.step) == "instance"
        seen, before = self.look(batch, instance=instance)
        truth = _truth(batch, "", seen.size, instance=instance)
        terms, matches = detection_losses(self.network, seen, truth, self.options.losses, targets=instance)
        terms |= self._identity_terms(seen, before, batch, matches, moment.generator, instance=instance)
        return {"loss": torch.stack(list(terms.values())).sum(), **{name: t.detach() for name, t in terms.items()}}

    def look(self, batch: Batch, *, instance: bool) -> tuple[Seen, Seen]:
        """The frames with their references, and the references with themselves; features are made once."""
        size = (batch["frame"].shape[2], batch["frame"].shape[3])
        pyramid, earlier = self.network.encode(batch["frame"]), self.network.encode(batch["reference"])
        prompt = (batch["prompt"], batch["prompt_valid"]) if instance else (None, None)
        reference = self.network.refer(earlier, size, *prompt)
        return self.network.look(pyramid, reference, size), self.network.look(earlier, reference, size)

    def _identity_terms(
        self, seen: Seen, before: Seen, batch: Batch, matches: Matches, generator: torch.Generator, *, instance: bool
    ) -> dict[str, Tensor]:
        """Contrast of every matched object with the queries of the reference frame, mean over objects."""
        keys, others = self.network.identities(seen), self.network.identities(before)
        truth = _truth(batch, "reference_", before.size, instance=instance)
        logits = before.decoded.target_logits[-1][..., None] if instance else before.decoded.logits[-1]
        main, extra = [keys.new_zeros(0)], [keys.new_zeros(0)]
        for sample in sorted(set(matches.samples.tolist())):
            mine = matches.samples == sample
            queries, places = matches.queries[mine], matches.places[mine]
            here = truth.valid[sample].nonzero()[:, 0]  # objects that the reference shows
            pairs = choose_pairs(
                logits[sample].sigmoid(), before.decoded.boxes[-1][sample], truth.boxes[sample, here],
                truth.labels[sample, here],
            )  # fmt: skip
            shape = (truth.valid.shape[1], others.shape[1])
            positive, negative = torch.zeros(shape, dtype=torch.bool), torch.ones(shape, dtype=torch.bool)
            positive, negative = positive.to(keys.device), negative.to(keys.device)
            positive[here], negative[here] = pairs.positive, pairs.negative
            key = keys[sample, queries]
            chosen = (key, others[sample], positive[places], negative[places])
            main.append(contrastive_loss(*chosen))
            extra.append(auxiliary_loss(*chosen, generator))
        count = max(len(matches), 1)
        weights = self.options.losses
        return {
            "contrast": weights.identity * torch.cat(main).sum() / count,
            "cosine": weights.identity * weights.auxiliary_identity * torch.cat(extra).sum() / count,
        }

    def evaluate(self) -> dict[str, float]:
        """Fractions of objects on held-out pairs that are found with an overlap of one half: targets among the K surest
        target outputs ("instance"), objects among the K surest class outputs with the right class ("category"), K being
        how many there are; "found" is the mean of the families that are trained."""
        scores: dict[str, float] = {kind: self._found(kind) for kind in self.options.kinds}
        return {**scores, "found": sum(scores.values()) / len(scores)}

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Backbone and the rest, each with and without weight decay."""
        trained = [(n, p) for n, p in self.named_parameters() if p.requires_grad]
        if self.options.backbone_rate == 1.0:
            return _groups("all", [p for _, p in trained])
        backbone = [p for n, p in trained if n.startswith("network.model.backbone.")]
        rest = [p for n, p in trained if not n.startswith("network.model.backbone.")]
        return _groups("backbone", backbone, self._backbone_schedule) + _groups("rest", rest)

    def _backbone_schedule(self, step: int, total: int) -> float:
        rate = self.options.backbone_rate
        return rate if step < self.options.backbone_drop * total else 0.1 * rate

    def data_fingerprint(self) -> str | None:
        return hashlib.sha256(repr(self.options.clips).encode()).hexdigest()[:16]

    def companions(self) -> Mapping[str, str]:
        """`labels.txt`, as the application reads it: a class a line, "class N" for those that the data do not have."""
        names = next(iter(self._sets.values())).class_names
        spare = range(len(names), self.network.config.detector.classes)
        return {"labels.txt": "".join(f"{name}\n" for name in (*names, *(f"class {number}" for number in spare)))}

    @functools.cached_property
    def _held_out(self) -> dict[TrackTask, Pairs]:
        return {kind: Pairs(self.network.config, self.options.clips, "test", kind) for kind in self.options.kinds}

    def _found(self, kind: TrackTask) -> float:
        pairs, hits, total = self._held_out[kind], 0, 0
        device = next(self.network.parameters()).device
        for start in range(0, len(pairs), _AT_ONCE):
            samples = [pairs[i] for i in range(start, min(start + _AT_ONCE, len(pairs)))]
            batch = {name: tensor.to(device) for name, tensor in self.collate(samples).items()}
            seen, _ = self.look(batch, instance=kind == "instance")
            for sample in range(len(samples)):
                found, wanted = found_objects(seen, batch, sample, kind)
                hits, total = hits + found, total + wanted
        return hits / max(total, 1)


def found_objects(seen: Seen, batch: Batch, sample: int, kind: TrackTask) -> tuple[int, int]:
    """How many of a sample's objects are found, and how many there are."""
    wanted = (batch["visible"] & batch["target"])[sample]
    count = int(wanted.sum())
    scores = seen.decoded.target_logits[-1][sample]  # (Q,)
    classes = torch.zeros_like(scores, dtype=torch.long)
    labels = torch.zeros_like(batch["labels"][sample, wanted])
    if kind == "category":
        scores, classes = seen.decoded.logits[-1][sample].max(1)
        labels = batch["labels"][sample, wanted]
    best = scores.topk(min(count, len(scores))).indices
    boxes = boxes_px(seen.decoded.boxes[-1][sample, best], seen.size)
    overlaps = box_iou(boxes, batch["boxes"][sample, wanted]) * (classes[best, None] == labels[None])
    return (int((overlaps.amax(0) >= _FOUND_IOU).sum()) if count else 0), count


def _truth(batch: Batch, side: str, size: tuple[int, int], *, instance: bool) -> Truth:
    """Truth of the frames (`side` "") or the references ("reference_"). Instance batches know targets alone."""
    height, width = size
    parts = batch[f"{side}boxes"] / batch["boxes"].new_tensor([width, height, width, height])
    labels = torch.zeros_like(batch["labels"]) if instance else batch["labels"]
    masks = None if side else batch["masks"]
    valid = batch[f"{side}visible"] & batch["target"]
    return Truth(box_convert(parts, "xyxy", "cxcywh"), labels, valid, masks)


def _groups(
    name: str, parameters: list[nn.Parameter], schedule: Callable[[int, int], float] | None = None
) -> tuple[ParameterGroup, ...]:
    matrices, vectors = (tuple(p for p in parameters if (p.ndim > 1) is wanted) for wanted in (True, False))
    return (
        ParameterGroup(name, matrices, schedule=schedule),
        ParameterGroup(f"{name}: gains and biases", vectors, weight_decay=0.0, schedule=schedule),
    )


def track(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `track` of recipes.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    if not isinstance(network, OmniTrackerNetwork):
        raise ConfigError(f"`track` trains an `OmniTrackerNetwork`, got `{type(network).__name__}`")
    return TrackingTask(network, config_from_dict(TrackOptions, options))
