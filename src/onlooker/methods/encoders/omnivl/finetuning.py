"""Finetuning for classes, captions and answers, of pictures or of clips. Retrieval is in `pretraining.py`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError
from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.data import Kind, Said, Sources, SourcesConfig
from onlooker.methods.encoders.omnivl.embedding import OmniVLEmbedder
from onlooker.methods.encoders.omnivl.own_data import check_test, make_sources
from onlooker.methods.encoders.omnivl.pretraining import check_finite
from onlooker.methods.encoders.omnivl.scoring import (
    answer_scores,
    caption_scores,
    class_vectors,
    write_captions,
    zero_shot_top1,
)
from onlooker.methods.encoders.omnivl.starting import start_from_folder
from onlooker.methods.encoders.omnivl.tokenizer import VOCABULARY_FILE
from onlooker.synth.questions import ANSWERS
from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task


@dataclass(frozen=True)
class FinetuneOptions:
    """Options of the tasks "classify", "caption" and "vqa".

    Attributes:
        kind: pictures or clips.
        n_train: of them.
        sources: the rest of the data's settings; the numbers of samples in it are not used.
        start: folder of the run to start from, as a rule of pretraining.
    """

    kind: Kind = "images"
    n_train: int = 2000
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    start: str | None = None

    def __post_init__(self) -> None:
        if self.n_train < 1:
            raise ConfigError(f"`n_train` is at least 1, got {self.n_train}")


class FinetuneTask(Task):
    """What the three have in common: one kind of data, and where weights start.

    Args:
        network: with the head that the task is for.
        options: see there.
        sources: the data, where several tasks share it; made from the options when `None`.

    Attributes:
        judged_by: what must be known of held-out samples.
    """

    judged_by: Said = "text"

    def __init__(
        self,
        network: OmniVLEmbedder | OmniVLCaptioner | OmniVLAnswerer,
        options: FinetuneOptions,
        sources: Sources | None = None,
    ) -> None:
        super().__init__(network)
        self.options = options
        config = network.config
        self.sources = sources or _sources(options, config)
        check_test(self.sources, options.kind, self.judged_by)
        if options.start is not None:
            start_from_folder(network, config, options.start)

    def companions(self) -> Mapping[str, str]:
        """The vocabulary: `OmniVLDescriber` finds it beside the weights."""
        return {VOCABULARY_FILE: self.sources.tokenizer.to_text()}

    def data_fingerprint(self) -> str:
        return self.sources.fingerprint()


class ClassifyTask(FinetuneTask):
    """Classes through their names: cosine of picture or clip with the prompts of every class, cross entropy (ours; the
    authors published no finetuning for classes). The trained towers classify as in the zero-shot case."""

    network: OmniVLEmbedder
    judged_by: Said = "label"

    def __init__(self, network: OmniVLEmbedder, options: FinetuneOptions, sources: Sources | None = None) -> None:
        super().__init__(network, options, sources)
        self.log_scale = nn.Parameter(torch.tensor(1 / network.config.contrast.temperature).log())

    @property
    def metric(self) -> Metric:
        return Metric("top1_percent", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self.sources.labelled(self.options.kind)}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`vision` and `target` to the loss and, for the log, the part of the batch that is right."""
        check_finite(batch["vision"])
        classes = class_vectors(self.network, self.sources, self.options.kind)  # (C, D)
        logits = self.log_scale.exp() * self.network.embed_vision(batch["vision"]) @ classes.T  # (B, C)
        labels = batch["target"] - min(self.sources.class_ids(self.options.kind).values())
        right = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": functional.cross_entropy(logits, labels), "top1": right}

    def evaluate(self) -> dict[str, float]:
        return {"top1_percent": zero_shot_top1(self.network, self.sources, self.options.kind)}


class CaptionTask(FinetuneTask):
    """Captions after the configuration's prompt, whose own words are not learned."""

    network: OmniVLCaptioner

    @property
    def metric(self) -> Metric:
        return Metric("cider_d", "CIDEr-D")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self.sources.captioned(self.options.kind)}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`vision` and `text_ids`, without prompt, to the loss."""
        check_finite(batch["vision"])
        ids = batch["text_ids"]
        prompt = self._prompt_ids.to(ids.device)
        # [CLS] prompt caption [SEP] padding
        whole = torch.cat([prompt.expand(len(ids), -1), ids[:, 1:]], 1)
        return {"loss": self.network(batch["vision"], whole, len(prompt))}

    def evaluate(self) -> dict[str, float]:
        """CIDEr-D and BLEU-4 against all true wordings, and how many different captions there were."""
        kind = self.options.kind
        captions = write_captions(self.network, self.sources, kind)
        scores = caption_scores(captions, self.sources.test(kind).references)
        return {**scores, "different_captions": float(len(set(captions)))}

    @functools.cached_property
    def _prompt_ids(self) -> Tensor:
        """(P,) [CLS] and the prompt."""
        return self.sources.tokenizer.encode_prompt(self.network.config.generation.prompt)


class VqaTask(FinetuneTask):
    """Questions with one true answer each; evaluation chooses from all answers of the world, and writes freely."""

    network: OmniVLAnswerer

    @property
    def metric(self) -> Metric:
        return Metric("ranked_accuracy_percent", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self.sources.questioned(self.options.kind)}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`vision`, `question_ids` and `answer_ids` to the loss: one answer of weight 1 per question."""
        vision = batch["vision"]
        check_finite(vision)
        counts = torch.ones(len(vision), dtype=torch.int64, device=vision.device)
        return {
            "loss": self.network(vision, batch["question_ids"], batch["answer_ids"], counts, counts.to(vision.dtype))
        }

    def evaluate(self) -> dict[str, float]:
        return answer_scores(self.network, self.sources, self.options.kind, ANSWERS)


def _sources(options: FinetuneOptions, config: OmniVLConfig) -> Sources:
    """The data of one kind alone."""
    n, images = options.n_train, options.kind == "images"
    settings = replace(
        options.sources,
        image_text=n if images else 0,
        image_label=n if images else 0,
        video_text=0 if images else n,
        video_label=0 if images else n,
    )
    return make_sources(settings, config.visual, config.text)
