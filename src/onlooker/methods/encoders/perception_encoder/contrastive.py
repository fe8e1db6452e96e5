"""Contrastive pretraining, on pictures and then on clips: which text belongs to which picture, and nothing else."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ConfigError
from onlooker.evaluation.classification import top1_accuracy_percent
from onlooker.evaluation.retrieval import recall_both_ways_percent
from onlooker.methods.encoders.perception_encoder.alignment import plain_groups
from onlooker.methods.encoders.perception_encoder.data import (
    AugmentConfig,
    ResolutionSchedule,
    SceneConfig,
    SceneSamples,
    TableSamples,
    augment,
    draw_hidden,
    make_samples,
    resize,
    to_network_range,
)
from onlooker.methods.encoders.perception_encoder.losses import contrastive_loss, gather_rows, token_cosine_loss
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.tokenizer import Tokenizer, make_tokenizer
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

_LARGEST_LOG_SCALE = math.log(100)  # as in CLIP
_EVALUATED_AT_ONCE = 64
_PROMPT = "a picture of a {}"


@dataclass(frozen=True, slots=True)
class MaskingConfig:
    """Mask regularisation: part of the batch is seen a second time with patches hidden, and its tokens are pulled to
    those of the whole picture.

    Attributes:
        batch_part: of the batch; 0 switches it off. Paper: 1/16.
        hidden_part: of the patches. Ours.
        weight: of the term. Ours.
    """

    batch_part: float = 1 / 16
    hidden_part: float = 0.5
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.batch_part <= 1 and 0 < self.hidden_part < 1 and self.weight >= 0):
            raise ConfigError(f"`batch_part` is in [0, 1], `hidden_part` in (0, 1), `weight` from 0, got {self}")


@dataclass(frozen=True, slots=True)
class ContrastiveOptions:
    """Options of the tasks `contrastive` and `video`. LAMB is the recipe's optimiser; rotary positions, class token and
    attention pooling are the configuration's.

    Attributes:
        scenes: the data.
        augment: how pictures are varied.
        varied: whether they are at all.
        masking: see there.
        resolution: sizes over the run.
        start: folder or file with weights to start from, as the video stage and further rounds do.
        zero_shot: prompt for the zero-shot score on the synthetic world, with `{}` for the name.
    """

    scenes: SceneConfig = field(default_factory=SceneConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    varied: bool = True
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    resolution: ResolutionSchedule = field(default_factory=ResolutionSchedule)
    start: str | None = None
    zero_shot: str = _PROMPT


class ContrastiveTask(Task):
    """Pictures, or clips as the mean of their frames, against texts.

    With several processes every one compares its rows with those of all. Micro-batches are compared within themselves
    only, so accumulation is not the same as a larger batch here.

    Args:
        network: with a text side.
        options: see there. `start` has been loaded by the caller.
    """

    network: PerceptionEncoder

    def __init__(self, network: PerceptionEncoder, options: ContrastiveOptions) -> None:
        if network.config.text is None:
            raise ConfigError("contrast needs a network with a text side: a core configuration")
        super().__init__(network)
        options.resolution.check(network.config.vision.patch_size)
        if "{}" not in options.zero_shot:
            raise ConfigError(f"`zero_shot` needs `{{}}` for the name, got `{options.zero_shot}`")
        self.options = options
        self._kept: dict[int, SceneSamples | TableSamples] = {}  # test samples by size
        masks = options.masking.batch_part > 0
        self.mask_value = nn.Parameter(torch.zeros(network.config.vision.width)) if masks else None

    @property
    def metric(self) -> Metric:
        return Metric("forward_recall_at_1_percent", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        size_px = self.network.config.vision.image_size
        return {"train": make_samples(self.options.scenes, size_px, "train", self._tokenizer)}

    def size_at(self, moment: Moment) -> int:
        """Side of the pictures of a step, in pixels."""
        return self.options.resolution.size_at(moment.fraction, self.network.config.vision.image_size)

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of `pixels` (B, 3, H, W) or (B, T, 3, H, W) uint8 and `tokens` (B, L).

        Returns:
            "loss", "contrast", and "masking" where it is on.
        """
        images = to_network_range(batch["pixels"], self.network.config.vision.image_size)
        if self.options.varied:
            images = augment(images, self.options.augment, moment.generator)
        images = resize(images, self.size_at(moment))
        parts = self.losses(images, batch["tokens"], moment.generator)
        return {"loss": sum(parts.values(), start=images.new_zeros(())), **parts}

    def losses(self, images: Tensor, tokens: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """The terms for images that are ready, float in [-1, 1], weighted.

        The contrast comes first and from passes of its own: masking draws and computes nothing that it could notice.
        """
        encoded = self._encode(images)
        texts = gather_rows(self.network.encode_text(tokens, normalize=True))
        parts = {"contrast": contrastive_loss(gather_rows(encoded), texts, self.network.scale())}
        if self.mask_value is not None:
            parts["masking"] = self.options.masking.weight * self._masking(images, generator)
        return parts

    def after_step(self, moment: Moment) -> None:
        """Keeps the scale of cosines at 100 at most."""
        assert self.network.logit_scale is not None
        with torch.no_grad():
            self.network.logit_scale.clamp_(max=_LARGEST_LOG_SCALE)

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        return plain_groups(self)

    def evaluate(self) -> dict[str, float]:
        """Retrieval both ways on the test samples at the native size; on the world also zero-shot naming."""
        return self.scores_at(self.network.config.vision.image_size)

    @torch.no_grad()
    def scores_at(self, size_px: int) -> dict[str, float]:
        """The same with pictures of another size, in the mode the network is in."""
        vectors, tokens, pairs = [], [], []
        samples = self._test_samples(size_px)
        for batch in self._test_batches(samples, size_px):
            vectors.append(self._encode(batch["pixels"]))
            tokens.append(batch["tokens"])
            pairs.append(batch.get("pair", torch.zeros(0, dtype=torch.int64)))
        images, all_tokens = torch.cat(vectors), torch.cat(tokens)
        texts = self._encode_texts(all_tokens)
        # Two pictures may have the very same caption; either is then a right answer.
        same = (all_tokens[:, None] == all_tokens[None]).all(dim=-1)
        similarity = (texts @ images.T).double().cpu().numpy()
        scores = recall_both_ways_percent(similarity, same.cpu().numpy(), ks=(1, 5))
        if isinstance(samples, SceneSamples):
            prompts = [self.options.zero_shot.replace("{}", name) for name in samples.names]
            names = self._encode_texts(self._tokenizer(prompts).to(images.device))
            logits = (images @ names.T).double().cpu().numpy()
            scores["zero_shot_top1_percent"] = top1_accuracy_percent(logits, torch.cat(pairs).cpu().numpy())
        return scores

    def data_fingerprint(self) -> str | None:
        return fingerprint(self.options.scenes)

    def _encode(self, images: Tensor) -> Tensor:
        """(B, D) of unit length; of a clip the mean of its frames' unit vectors, brought to unit length again."""
        if images.ndim == 4:
            return self.network.encode_image(images, normalize=True)
        return F.normalize(self.network.encode_video(images, normalize=True), dim=-1)

    def _masking(self, images: Tensor, generator: torch.Generator) -> Tensor:
        masking, visual = self.options.masking, self.network.visual
        frames = images if images.ndim == 4 else images[:, 0]  # of a clip the first frame
        count = max(1, round(masking.batch_part * len(frames)))
        seen = frames[torch.randperm(len(frames), generator=generator)[:count].to(frames.device)]
        norm = visual.ln_post is not None
        with torch.no_grad():
            target = visual.features(seen, [-1], norm=norm, strip_class_token=True)[0]  # (b, h*w, width)
        hidden = draw_hidden(target.shape[:2], masking.hidden_part, generator).to(seen.device)
        view = visual.features(
            seen, [-1], norm=norm, strip_class_token=True, masked=hidden, mask_value=self.mask_value
        )[0]
        return token_cosine_loss(view, target)

    def _encode_texts(self, tokens: Tensor) -> Tensor:
        rows = [self.network.encode_text(part, normalize=True) for part in torch.split(tokens, _EVALUATED_AT_ONCE)]
        return torch.cat(rows)

    def _test_batches(self, samples: SceneSamples | TableSamples, size_px: int) -> Iterator[Batch]:
        device = next(self.network.parameters()).device
        for start in range(0, len(samples), _EVALUATED_AT_ONCE):
            batch = self.collate([samples[i] for i in range(start, min(start + _EVALUATED_AT_ONCE, len(samples)))])
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            yield {**batch, "pixels": to_network_range(batch["pixels"], size_px)}

    @functools.cached_property
    def _tokenizer(self) -> Tokenizer:
        assert self.network.config.text is not None
        return make_tokenizer(self.network.config.text)

    def _test_samples(self, size_px: int) -> SceneSamples | TableSamples:
        if size_px not in self._kept:
            self._kept[size_px] = make_samples(self.options.scenes, size_px, "test", self._tokenizer)
        return self._kept[size_px]


def fingerprint(scenes: SceneConfig) -> str:
    """What identifies the data of a run."""
    if scenes.table is not None:
        return f"table {scenes.table}"
    return f"synthetic world, seed {scenes.seed}, {scenes.n_train} scenes of {scenes.frames} frames"
