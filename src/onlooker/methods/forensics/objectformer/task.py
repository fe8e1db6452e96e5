"""Learning to say whether a picture was manipulated, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError
from onlooker.methods.forensics.objectformer.data import Pictures, PicturesConfig, Split, make_pictures
from onlooker.methods.forensics.objectformer.losses import LossConfig, judgement_loss
from onlooker.methods.forensics.objectformer.model import ObjectFormer
from onlooker.methods.forensics.objectformer.released import ObjectFormerReleased
from onlooker.methods.forensics.objectformer.scores import area_under_curve, f1_score, pixel_scores
from onlooker.methods.forensics.objectformer.weights import load_trunk
from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task
from onlooker.weights.files import read_tensors

Network = ObjectFormer | ObjectFormerReleased
_PIXELS_AT_ONCE = 2**18


@dataclass(frozen=True)
class LocaliseOptions:
    """Options of the task.

    Attributes:
        pictures: the data.
        loss: weights of its parts.
        trunk: file with ImageNet weights of EfficientNet-B4 as timm names them, for both streams of the paper's
            network (paper: pre-trained).
    """

    pictures: PicturesConfig = field(default_factory=PicturesConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    trunk: str | None = None


@dataclass(frozen=True)
class Judged:
    """A test set, judged: per picture probability, heat map (H, W), truth (H, W) and whether it was manipulated."""

    probability: NDArray[np.float32]
    heat_maps: tuple[NDArray[np.float32], ...]
    masks: tuple[NDArray[np.bool_], ...]
    is_fake: NDArray[np.bool_]

    def scores(self, prior: NDArray[np.float32]) -> dict[str, float]:
        """What `LocaliseTask.evaluate` returns.

        Args:
            prior: (H, W) mean mask of the training set.

        Raises:
            NothingFoundError: no picture is manipulated, or all are.
        """
        found = pixel_scores(self.heat_maps, self.masks)
        blind = pixel_scores([prior] * len(self.masks), self.masks)
        marked = [mask for mask in self.masks if mask.any()]
        return {
            "pixel_auc": found.auc,
            "pixel_f1": found.f1,
            "pixel_f1_best_threshold": found.best_f1,
            "image_auc": area_under_curve(self.probability, self.is_fake),
            "image_accuracy": float(np.mean((self.probability > 0.5) == self.is_fake)),
            "mask_prior_pixel_auc": blind.auc,
            "mask_prior_pixel_f1_best_threshold": blind.best_f1,
            "all_ones_pixel_f1": float(np.mean([f1_score(np.ones_like(mask), mask) for mask in marked])),
        }


class LocaliseTask(Task):
    """Detection and localisation.

    Args:
        network: of the paper or the released one.
        options: see there.
        splits: the data at hand, made from `options.pictures` before; left out, it is made when first needed.

    Raises:
        ConfigError: a trunk for a network without one.
        WeightsError: the trunk does not fit.
    """

    network: Network

    def __init__(
        self, network: Network, options: LocaliseOptions, splits: Mapping[Split, Pictures] | None = None
    ) -> None:
        super().__init__(network)
        self.options = options
        self._splits: dict[Split, Pictures] = dict(splits or {})
        if options.trunk is not None:
            load_trunk(network, read_tensors(Path(options.trunk)), options.trunk)

    @property
    def metric(self) -> Metric:
        return Metric("pixel_auc", "area under the curve")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self.pictures("train")}

    def data_fingerprint(self) -> str:
        """What both splits are made of."""
        return f"train {self.pictures('train').fingerprint}; test {self.pictures('test').fingerprint}"

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`image` (B, 3, H, W), `mask` (B, 1, H, W) and `label` (B,) to the loss and its parts."""
        return judgement_loss(self.network(batch["image"]), batch["mask"], batch["label"], self.options.loss)

    def evaluate(self) -> dict[str, float]:
        """Pixel scores of manipulated test pictures, image scores of all, and beside them what the mean training mask
        and a mask of ones would score.

        Raises:
            NothingFoundError: the test pictures are all authentic or all manipulated.
        """
        prior = mask_prior(self.pictures("train"), self.options.pictures.n_prior)
        return judge_pictures(self.network, self.pictures("test")).scores(prior)

    def pictures(self, split: Split) -> Pictures:
        """The data of a split; errors as those of the data set."""
        if split not in self._splits:
            self._splits[split] = make_pictures(self.network.config, self.options.pictures, split)
        return self._splits[split]


def mask_prior(pictures: Pictures, most: int) -> NDArray[np.float32]:
    """(H, W) how often a pixel of a manipulated training picture is manipulated, of the first `most` pictures: a heat
    map that looks at nothing."""
    samples = [pictures[place] for place in range(min(len(pictures), most))]
    masks = [sample["mask"][0] for sample in samples if bool(sample["label"])]
    empty = samples[0]["mask"][0]
    return (torch.stack(masks).mean(dim=0) if masks else torch.zeros_like(empty)).numpy()


@torch.no_grad()
def judge_pictures(network: Network, pictures: Pictures) -> Judged:
    """Every picture of a data set through a network as it is (call `eval` first)."""
    size = network.config.image_size
    at_once = max(_PIXELS_AT_ONCE // size**2, 1)
    device = next(network.parameters()).device
    probabilities: list[NDArray[np.float32]] = []
    heat_maps: list[NDArray[np.float32]] = []
    masks: list[NDArray[np.bool_]] = []
    labels: list[bool] = []
    for start in range(0, len(pictures), at_once):
        samples = [pictures[place] for place in range(start, min(start + at_once, len(pictures)))]
        output = network(torch.stack([sample["image"] for sample in samples]).to(device))
        probabilities.append(output.image_logit.float().sigmoid().cpu().numpy())
        heat_maps += list(output.mask_prob[:, 0].float().cpu().numpy())
        masks += [sample["mask"][0].numpy() > 0.5 for sample in samples]
        labels += [bool(sample["label"]) for sample in samples]
    return Judged(np.concatenate(probabilities), tuple(heat_maps), tuple(masks), np.array(labels))


def localise(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `localise` of recipes.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    if not isinstance(network, (ObjectFormer, ObjectFormerReleased)):
        raise ConfigError(f"`localise` trains an ObjectFormer, got `{type(network).__name__}`")
    return LocaliseTask(network, config_from_dict(LocaliseOptions, options))
