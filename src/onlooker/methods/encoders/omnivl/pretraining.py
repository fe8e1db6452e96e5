"""Pretraining, in one or two stages, and finetuning for retrieval: the steps that have queues and momentum copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor
from torch.utils.data import ConcatDataset

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl.data import KINDS, Kind, Sources, SourcesConfig
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain, PretrainOutput
from onlooker.methods.encoders.omnivl.own_data import check_test, make_sources
from onlooker.methods.encoders.omnivl.scoring import reranked_scores, retrieval_scores, zero_shot_top1
from onlooker.methods.encoders.omnivl.starting import start_from_folder, widen_random_start
from onlooker.methods.encoders.omnivl.tokenizer import VOCABULARY_FILE
from onlooker.methods.encoders.omnivl.weights import TemporalStart
from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task


@dataclass(frozen=True)
class ContrastOptions:
    """Options of the tasks "pretrain" and "retrieval".

    Attributes:
        sources: the data. What has 0 samples is left out.
        batches: "by modality": picture steps and clip steps take turns, captioned and labelled data mixed in each;
            "by source": every source has steps of its own. Either way a step is all pictures or all clips.
        alpha: weight of the momentum copies' soft targets (BLIP: 0.4; not found for OmniVL).
        alpha_ramp: part of the run over which alpha rises from 0 (BLIP pretraining: 2 of 20 epochs).
        start: folder of the run to start from. Stage 2 from stage 1, or retrieval from pretraining.
        random_start: without `start`: the authors' standard deviation as it is, or stretched for a smaller width, see
            `widen_random_start`.
        temporal_start: how stage 2 starts the projection behind temporal attention: "random" as the authors' code, or
            "zero".
        start_seed: of that.
        top_k: candidates that evaluation ranks again by the match logit (BLIP: 256); 0 leaves that out.
    """

    sources: SourcesConfig = field(default_factory=SourcesConfig)
    batches: Literal["by modality", "by source"] = "by modality"
    alpha: float = 0.4
    alpha_ramp: float = 0.1
    start: str | None = None
    random_start: Literal["as built", "for width"] = "as built"
    temporal_start: TemporalStart = "random"
    start_seed: int = 0
    top_k: int = 16

    def __post_init__(self) -> None:
        for name in ("alpha", "alpha_ramp"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"`{name}` is in [0, 1], got {getattr(self, name)}")
        if self.start is not None and self.random_start != "as built":
            raise ConfigError("`random_start` means nothing to a run with a `start`; leave one of them out")
        if self.top_k < 0:
            raise ConfigError(f"`top_k` is 0 or more, got {self.top_k}")
        config = self.sources
        if not any((config.image_text, config.video_text, config.image_label, config.video_label)):
            raise ConfigError("all sources have 0 samples; give at least one of them some")


class ContrastTask(Task):
    """UniVLC, matching and (with a decoder) generation, each with weight 1.

    Args:
        network: with the head "pretrain" or "retrieval".
        options: see there.
        sources: the data, where several tasks share it; made from the options when `None`.
    """

    network: OmniVLPretrain

    def __init__(self, network: OmniVLPretrain, options: ContrastOptions, sources: Sources | None = None) -> None:
        super().__init__(network)
        config = network.config
        self.options = options
        self.sources = sources or make_sources(options.sources, config.visual, config.text)
        for kind in self.kinds:
            check_test(self.sources, kind, "text")
        self._outputs: list[PretrainOutput] = []
        if options.start is not None:
            start_from_folder(network, config, options.start, options.temporal_start, options.start_seed)
        elif options.random_start == "for width":
            widen_random_start(network, config)

    @property
    def metric(self) -> Metric:
        return Metric("recall_at_1_percent", "%")

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is trained on."""
        return tuple(kind for kind in KINDS if self._counts(kind) != (0, 0))

    def datasets(self) -> Mapping[str, SampleDataset]:
        """By modality "images" and "clips"; by source also "labelled images" and "labelled clips"."""
        found: dict[str, SampleDataset] = {}
        for kind in self.kinds:
            captions, labels = self._counts(kind)
            captioned = self.sources.captioned(kind) if captions else None
            labelled = self.sources.labelled(kind) if labels else None
            if captioned is not None and labelled is not None and self.options.batches == "by modality":
                found[kind] = ConcatDataset([captioned, labelled])
                continue
            if captioned is not None:
                found[kind] = captioned
            if labelled is not None:
                found[kind if self.options.batches == "by modality" else f"labelled {kind}"] = labelled
        return found

    def companions(self) -> Mapping[str, str]:
        """The vocabulary: `OmniVLDescriber` finds it beside the weights."""
        return {VOCABULARY_FILE: self.sources.tokenizer.to_text()}

    def dataset_at(self, step: int) -> str:
        """Datasets take turns."""
        names = self._dataset_names()
        return names[step % len(names)]

    def alpha_at(self, moment: Moment) -> float:
        """Rises in a straight line over the first part of the run, then stays."""
        if moment.fraction >= self.options.alpha_ramp:
            return self.options.alpha
        return self.options.alpha * moment.fraction / self.options.alpha_ramp

    def before_step(self, moment: Moment) -> None:
        """The momentum copies follow before the loss is computed, as in the authors' code."""
        self._outputs.clear()
        self.network.prepare_step()

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`vision`, `text_ids` and `target` to the losses.

        Raises:
            ShapeError: pixels are not finite.
        """
        vision = batch["vision"]
        check_finite(vision)
        alpha = self.alpha_at(moment)
        output = self.network(vision, batch["text_ids"], batch["target"], alpha, generator=moment.generator)
        if self.training:
            self._outputs.append(output)
        return {
            "loss": output.loss,
            "contrast": output.loss_ita,
            "matching": output.loss_itm,
            "generation": output.loss_lm,
            "temperature": self.network.temp,
            "alpha": vision.new_tensor(alpha),
        }

    def after_step(self, moment: Moment) -> None:
        """The step's keys enter the queues after its loss has read them."""
        for output in self._outputs:
            self.network.finish_step(output)
        self._outputs.clear()

    def evaluate(self) -> dict[str, float]:
        """Recall both ways of every kind that is trained on, with and without reranking, accuracy of classes named by
        prompts where there are classes, and the mean of both recalls at 1 by cosine."""
        scores: dict[str, float] = {}
        for kind in self.kinds:
            recall = retrieval_scores(self.network, self.sources, kind)
            if self.options.top_k:
                recall |= reranked_scores(self.network, self.sources, kind, self.options.top_k)
            if self.sources.can_test(kind, "label"):
                recall["zero_shot_top1_percent"] = zero_shot_top1(self.network, self.sources, kind)
            scores |= {f"{kind}_{name}": score for name, score in recall.items()}
        return {"recall_at_1_percent": mean_recall_at_1(scores, self.kinds), **scores}

    def data_fingerprint(self) -> str:
        return self.sources.fingerprint()

    def _counts(self, kind: Kind) -> tuple[int, int]:
        """Captioned and labelled samples."""
        config = self.options.sources
        if kind == "images":
            return config.image_text, config.image_label
        return config.video_text, config.video_label

    def _dataset_names(self) -> tuple[str, ...]:
        """Keys of `datasets`, without rendering anything."""
        names: list[str] = []
        for kind in self.kinds:
            captions, labels = self._counts(kind)
            if captions or self.options.batches == "by modality":
                names.append(kind)
            if labels and self.options.batches == "by source":
                names.append(f"labelled {kind}")
        return tuple(names)


class RetrievalTask(ContrastTask):
    """Finetuning for retrieval: one modality, captions alone, no generation; judged after reranking."""

    def __init__(self, network: OmniVLPretrain, options: ContrastOptions, sources: Sources | None = None) -> None:
        config = options.sources
        if network.config.head != "retrieval":
            raise ConfigError(f"the task `retrieval` needs the head `retrieval`, got `{network.config.head}`")
        if config.image_label or config.video_label or bool(config.image_text) == bool(config.video_text):
            raise ConfigError("retrieval is finetuned on `image_text` or on `video_text`; set all other sources to 0")
        if options.top_k < 1:
            raise ConfigError("retrieval is judged after reranking; give `top_k` at least 1")
        super().__init__(network, options, sources)

    @property
    def metric(self) -> Metric:
        return Metric("reranked_recall_at_1_percent", "%")

    def evaluate(self) -> dict[str, float]:
        """As in pretraining; the first score is after reranking."""
        scores = super().evaluate()
        ways = [scores[f"{self.kinds[0]}_reranked_{way}_recall_at_1_percent"] for way in ("forward", "backward")]
        return {self.metric.name: sum(ways) / 2, **scores}


def mean_recall_at_1(scores: Mapping[str, float], kinds: Iterable[Kind]) -> float:
    """Mean over kinds and both ways."""
    found = [scores[f"{kind}_{way}_recall_at_1_percent"] for kind in kinds for way in ("forward", "backward")]
    return sum(found) / len(found)


def check_finite(vision: Tensor) -> None:
    """Raises ShapeError where pixels are NaN or infinite."""
    if not vision.isfinite().all():
        raise ShapeError("pictures or clips hold values that are not finite; look at how they were normalised")
