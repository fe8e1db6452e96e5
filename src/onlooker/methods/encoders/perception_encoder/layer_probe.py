"""Where in a network the best features are: the score of every layer, per task.

Four tasks, none of which trains the network: segmentation by a linear probe on tokens, tracking of masks by likeness
of tokens (the protocol of DINO on DAVIS), classification by a linear probe on the mean token, and retrieval of pictures
of the same class by the mean token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as PilImage
from PIL import ImageDraw
from torch import Tensor

from onlooker.errors import FormatError, ShapeError
from onlooker.evaluation.probe import ProbeConfig, fit_probe, probe_accuracy_percent
from onlooker.evaluation.propagation import PropagationConfig, propagate_labels
from onlooker.evaluation.retrieval import recall_at_k_percent
from onlooker.evaluation.segmentation import confusion_matrix, mean_iou_percent, video_scores
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder

_AT_ONCE = 64
_WIDE, _HIGH, _MARGIN, _ROW = 640, 360, 30, 18  # of the picture, in pixels
_INKS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7d3ac1")
_PROBE_ITERATIONS = 40


@dataclass(frozen=True)
class LayerCurve:
    """Score of every layer for one task; higher is better.

    Attributes:
        task, metric, unit: what was measured.
        scores: of layer 0, 1, ... in order.
    """

    task: str
    metric: str
    unit: str
    scores: tuple[float, ...]

    @property
    def best(self) -> int:
        """The best layer, the earliest of equal ones."""
        return int(np.argmax(self.scores))

    @property
    def last(self) -> float:
        """Score of the last layer."""
        return self.scores[-1]


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """`images` (N, 3, H, W) float in [-1, 1]; `labels` (N,) in [0, n_classes)."""

    images: Tensor
    labels: Tensor
    n_classes: int


@dataclass(frozen=True, slots=True)
class LabelledPixels:
    """`images` (N, 3, H, W) float in [-1, 1]; `classes` (N, H, W) in [0, n_classes), 0 is ground."""

    images: Tensor
    classes: Tensor
    n_classes: int


@dataclass(frozen=True, slots=True)
class TrackedClips:
    """`clips` (N, T, 3, H, W) float in [-1, 1]; `masks` (N, T, H, W), whole numbers, 0 is ground."""

    clips: Tensor
    masks: Tensor


def probe_segmentation(network: PerceptionEncoder, train: LabelledPixels, test: LabelledPixels) -> LayerCurve:
    """Mean IoU of a linear probe from tokens to the class that covers most of a location.

    The probe's scores are stretched bilinearly to the pixels, as with DINO-like models on ADE20K.
    """
    probe = ProbeConfig("logistic", max_iterations=_PROBE_ITERATIONS)  # least squares calls all rare classes ground
    scores = []
    seen = zip(layer_tokens(network, train.images), layer_tokens(network, test.images), strict=True)
    for fitted, asked in seen:
        _, h, w, width = fitted.shape
        targets = F.one_hot(train.classes.long(), train.n_classes).permute(0, 3, 1, 2).float()
        labels = F.adaptive_avg_pool2d(targets, (h, w)).argmax(dim=1)  # (N, h, w)
        line = fit_probe(fitted.reshape(-1, width), labels.flatten(), train.n_classes, probe)
        maps = line.scores(asked.reshape(-1, width)).view(len(asked), h, w, -1).permute(0, 3, 1, 2).float()
        full = F.interpolate(maps, test.classes.shape[1:], mode="bilinear", align_corners=False).argmax(dim=1)
        scores.append(mean_iou_percent(confusion_matrix(full.numpy(), test.classes.numpy(), test.n_classes)))
    return LayerCurve("segmentation", "mean IoU of a linear probe", "%", tuple(scores))


def probe_tracking(
    network: PerceptionEncoder, clips: TrackedClips, config: PropagationConfig | None = None
) -> LayerCurve:
    """Mean J&F of the masks of the first frame, carried on by likeness of tokens. Clips without an object at the start
    are left out.

    Raises:
        ShapeError: no clip starts with an object.
    """
    starts = [k for k in range(len(clips.clips)) if bool(clips.masks[k, 0].any())]
    if not starts:
        raise ShapeError("no clip shows an object in its first frame")
    per_layer: list[list[float]] = []
    for k in starts:
        truth = clips.masks[k].long()
        found = [
            video_scores(propagate_labels(tokens, truth[0], config).numpy(), truth.numpy()).j_and_f_percent
            for tokens in layer_tokens(network, clips.clips[k])
        ]
        per_layer.append(found)
    return LayerCurve("tracking", "J&F of propagated masks", "%", tuple(np.mean(per_layer, axis=0).tolist()))


def probe_classification(network: PerceptionEncoder, train: LabelledPictures, test: LabelledPictures) -> LayerCurve:
    """Accuracy of a linear probe on the mean of the patch tokens."""
    scores = []
    for fitted, asked in zip(layer_tokens(network, train.images), layer_tokens(network, test.images), strict=True):
        known, unknown = fitted.mean(dim=(1, 2)), asked.mean(dim=(1, 2))
        scores.append(probe_accuracy_percent((known, train.labels), (unknown, test.labels), train.n_classes))
    return LayerCurve("classification", "top-1 of a linear probe", "%", tuple(scores))


def probe_retrieval(network: PerceptionEncoder, test: LabelledPictures) -> LayerCurve:
    """How often the most similar other picture, by the mean of the patch tokens, has the same label.

    Pictures that are alone with their label are no queries.
    """
    same = (test.labels[:, None] == test.labels[None]).fill_diagonal_(False)
    asked = same.any(dim=1)
    if not bool(asked.any()):
        raise ShapeError("no two pictures share a label")
    scores = []
    for tokens in layer_tokens(network, test.images):
        unit = F.normalize(tokens.mean(dim=(1, 2)), dim=-1)
        alike = (unit @ unit.T).fill_diagonal_(-torch.inf)
        scores.append(recall_at_k_percent(alike[asked].double().numpy(), same[asked].numpy(), 1))
    return LayerCurve("retrieval", "same label at rank 1", "%", tuple(scores))


@torch.no_grad()
def layer_tokens(network: PerceptionEncoder, images: Tensor) -> list[Tensor]:
    """Patch tokens (N, h, w, width) of every layer, on the CPU, in evaluation mode.

    Args:
        network: left in the mode it was in.
        images: (N, 3, H, W) float in [-1, 1].
    """
    vision = network.config.vision
    device = next(network.parameters()).device
    grid = (images.shape[2] // vision.patch_size, images.shape[3] // vision.patch_size)
    was_training = network.training
    network.eval()
    try:
        batches = [
            network.forward_layers(part.to(device), range(vision.depth), strip_class_token=True)
            for part in torch.split(images, _AT_ONCE)
        ]
    finally:
        network.train(was_training)
    return [torch.cat(layer).float().cpu().view(len(images), *grid, -1) for layer in zip(*batches, strict=True)]


def best_layers(curves: Sequence[LayerCurve]) -> dict[str, int]:
    """Task -> its best layer: what a dense reader of features should ask for."""
    return {curve.task: curve.best for curve in curves}


def write_curves(curves: Sequence[LayerCurve], path: str | Path) -> Path:
    """The curves and the best layers as JSON."""
    content = {
        "best": best_layers(curves),
        "curves": [
            {"task": c.task, "metric": c.metric, "unit": c.unit, "best": c.best, "scores": list(c.scores)}
            for c in curves
        ],
    }
    path = Path(path)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def read_best_layers(path: str | Path) -> dict[str, int]:
    """Task -> its best layer, from a file of `write_curves`: what `PerceptionEmbedder.features` is given as `layer`.

    Raises:
        FormatError: the file is not one of those.
    """
    try:
        best = json.loads(Path(path).read_text(encoding="utf-8"))["best"]
        return {str(task): int(layer) for task, layer in best.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"`{path}` holds no curves of a layer probe: {error!r}") from error


def draw_curves(curves: Sequence[LayerCurve], path: str | Path) -> Path:
    """A picture (PNG) with one line per task, each between its own least and largest score; a ring marks the best.

    Raises:
        ShapeError: no curves, or curves of different networks.
    """
    depths = {len(curve.scores) for curve in curves}
    if len(depths) != 1:
        raise ShapeError(f"curves of one picture have one score per layer of one network, got lengths {sorted(depths)}")
    picture = PilImage.new("RGB", (_WIDE, _HIGH + _ROW * len(curves)), "white")
    pen = ImageDraw.Draw(picture)
    left, right, top, bottom = _MARGIN, _WIDE - _MARGIN, _MARGIN, _HIGH - _MARGIN
    depth = depths.pop()
    across = [left + (right - left) * layer / max(depth - 1, 1) for layer in range(depth)]
    pen.rectangle((left, top, right, bottom), outline="grey")
    for layer, x in enumerate(across):
        if layer % max(1, depth // 10) == 0:
            pen.text((x - 4, bottom + 6), str(layer), fill="black")
    for number, curve in enumerate(curves):
        colour = _INKS[number % len(_INKS)]
        low, spread = min(curve.scores), max(max(curve.scores) - min(curve.scores), 1e-9)
        line = [(x, bottom - (bottom - top) * (s - low) / spread) for x, s in zip(across, curve.scores, strict=True)]
        pen.line(line, fill=colour, width=2)
        x, y = line[curve.best]
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), outline=colour, width=2)
        words = f"{curve.task}: {low:.1f} to {max(curve.scores):.1f} {curve.unit}, best layer {curve.best}"
        pen.text((left, _HIGH + _ROW * number), words, fill=colour)
    picture.save(path, format="PNG")
    return Path(path)
