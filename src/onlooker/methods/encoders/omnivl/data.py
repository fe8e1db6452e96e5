"""Scenes of small worlds as the four kinds of data that are mixed: pictures and clips, captioned or labelled.

Ours; the paper trains on web data that is not shipped. Item i of a source depends on its seed, its split and i alone.
A labelled sample brings its class's name in a prompt as text, and an id that no other source uses; captions have id 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset

from onlooker.errors import ConfigError
from onlooker.methods.encoders.omnivl.config import TextConfig, VisualConfig
from onlooker.methods.encoders.omnivl.pixels import MEAN, STD
from onlooker.methods.encoders.omnivl.tokenizer import CAPTION_LENGTH, OmniVLTokenizer, build_vocabulary
from onlooker.synth.datasets import Normalisation, Sample, SceneDataset
from onlooker.synth.pictures import NuisanceConfig
from onlooker.synth.scenes import Question, Scene
from onlooker.synth.words import world_vocabulary
from onlooker.synth.worlds import World, WorldConfig
from onlooker.train.task import SampleDataset

Kind = Literal["images", "clips"]
Split = Literal["train", "test"]
Said = Literal["text", "label"]
"""What is known of a picture or clip: a caption, or its class."""
KINDS: tuple[Kind, ...] = ("images", "clips")

_PICTURE = Normalisation(MEAN, STD)
_CALM = NuisanceConfig(backgrounds=("flat", "gradient"), brightness=10.0, contrast=0.1, noise_std=3.0, n_specks=(0, 0))
_MOVES = ("moves left", "moves right", "moves up", "moves down", "grows", "shrinks")
# Seeds of the worlds lie this far apart, so that no two sources of a run show the same scenes.
_SOURCES = ("captioned images", "captioned clips", "labelled images", "labelled clips")


@dataclass(frozen=True)
class SourcesConfig:
    """Where samples come from.

    Attributes:
        image_text, video_text: captioned pictures and clips; 0 leaves the source out.
        image_label, video_label: labelled ones: the shape of the main object, and what it does.
        n_test: pictures, and clips, to evaluate on.
        wordings: which of the world's captions are used, turn by turn; the first is what evaluation asks with.
        text_length: tokens all texts are padded (and cut) to.
        question_kinds: which of the world's questions are asked; left out, all. A scene that has none of them is asked
            whatever it has.
        stills, motions: what pictures and clips are made of. Their sizes and frames are those of the network.
        seed: of the worlds, and of what is held out of a table.
        table: pictures and clips of one's own instead of the worlds, see `own_data.py`. Of the numbers of samples,
            0 then leaves a source out and any other takes all its rows; wordings, questions and worlds say nothing.
        held_out: share of every class of the table for the test, where the table names no split.
    """

    image_text: int = 2000
    video_text: int = 1000
    image_label: int = 0
    video_label: int = 0
    n_test: int = 128
    wordings: tuple[int, ...] = (2, 0, 4)
    text_length: int = CAPTION_LENGTH
    question_kinds: tuple[str, ...] | None = None
    stills: WorldConfig = field(default_factory=lambda: WorldConfig(n_objects=(1, 1), nuisance=_CALM))
    motions: WorldConfig = field(
        default_factory=lambda: WorldConfig(n_frames=8, n_objects=(1, 1), actions=_MOVES, nuisance=_CALM)
    )
    seed: int = 0
    table: str | None = None
    held_out: float = 0.1

    def __post_init__(self) -> None:
        for name in ("image_text", "video_text", "image_label", "video_label", "seed"):
            if getattr(self, name) < 0:
                raise ConfigError(f"`{name}` is 0 or more, got {getattr(self, name)}")
        if self.n_test < 1 or self.text_length < 2:
            raise ConfigError(f"`n_test` is at least 1 and `text_length` at least 2, got {self}")
        if not self.wordings or not set(self.wordings) <= set(range(5)):
            raise ConfigError(f"`wordings` are numbers from 0 to 4, got {self.wordings}")
        if self.stills.n_frames != 1:
            raise ConfigError(f"`stills` are pictures of one frame, got {self.stills.n_frames}")


@dataclass(frozen=True)
class HeldOut:
    """Scenes to evaluate on.

    Attributes:
        vision: (N, 3, H, W) pictures or (N, 3, T, H, W) clips, normalised.
        captions: one per scene, in the wording that evaluation asks with; empty where there are none.
        references: all true captions of each scene in the wordings in use; likewise.
        questions: one per scene; likewise.
        classes: (N,) int64 number of each scene's class among `class_names`, from 0; likewise.
        class_names: shapes for pictures, actions for clips, labels of a table.
    """

    vision: Tensor
    captions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    questions: tuple[Question, ...]
    classes: Tensor
    class_names: tuple[str, ...]


class Kept(Dataset[Sample]):
    """Samples of a dataset, each made once.

    Args:
        samples: what is kept.
    """

    def __init__(self, samples: SceneDataset) -> None:
        self._samples = samples
        self._kept: dict[int, Sample] = {}

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        if index not in self._kept:
            self._kept[index] = self._samples[index]
        return dict(self._kept[index])


class Sources:
    """The data of a run. Every scene is drawn when it is first asked for, and kept.

    Args:
        config: see there.
        visual: sizes of pictures and clips.
        tokenizer: makes ids of texts; see `world_tokenizer`.

    Raises:
        ConfigError: clips for a network without clips, or too few frames for the actions.
    """

    def __init__(self, config: SourcesConfig, visual: VisualConfig, tokenizer: OmniVLTokenizer) -> None:
        if (config.video_text or config.video_label) and not visual.takes_clips:
            raise ConfigError("`video_text` and `video_label` need a network that takes clips; set them to 0")
        self.config, self.visual, self.tokenizer = config, visual, tokenizer
        self._drawn: dict[str, Kept] = {}
        self._tests: dict[Kind, HeldOut] = {}

    def captioned(self, kind: Kind) -> SampleDataset:
        """`vision` (3, H, W) or (3, T, H, W), `text_ids` (L,) of a caption, `target` () = 0."""

        def caption(scene: Scene, index: int) -> str:
            return scene.captions[self.config.wordings[index % len(self.config.wordings)]]

        return self._source(f"captioned {kind}", kind, caption, lambda scene: 0)

    def labelled(self, kind: Kind) -> SampleDataset:
        """`vision` as above, `text_ids` of the class's name in a prompt, `target` () the class's id, from 1."""

        def prompt(scene: Scene, index: int) -> str:
            prompts = self.prompts(_class_of(scene, kind), kind)
            return prompts[index % len(prompts)]

        ids = self.class_ids(kind)
        return self._source(f"labelled {kind}", kind, prompt, lambda scene: ids[_class_of(scene, kind)])

    def class_ids(self, kind: Kind) -> dict[str, int]:
        """Class name to id. Ids of clips follow those of pictures: two sources never share one."""
        first = 1 if kind == "images" else 1 + len(self.config.stills.shapes)
        return {name: first + number for number, name in enumerate(self.class_names(kind))}

    def class_names(self, kind: Kind) -> tuple[str, ...]:
        """What labels tell apart."""
        return self.config.stills.shapes if kind == "images" else self.config.motions.actions

    def prompts(self, name: str, kind: Kind) -> tuple[str, ...]:
        """Sentences that say a class's name."""
        return class_prompts(name, kind)

    def questioned(self, kind: Kind) -> SampleDataset:
        """`vision` as above, `question_ids` (L,) and `answer_ids` (L,); scenes are those of `captioned`."""
        name = f"questioned {kind}"
        if name not in self._drawn:

            def sample(scene: Scene, index: int) -> Sample:
                question = self._question(scene, index)
                return {
                    "vision": self._vision(scene),
                    "question_ids": self.ids([question.text])[0],
                    "answer_ids": self.ids([question.answer])[0],
                }

            self._drawn[name] = self._draw(kind, f"captioned {kind}", sample)
        return self._drawn[name]

    def test(self, kind: Kind) -> HeldOut:
        """Scenes of no training source."""
        if kind not in self._tests:
            world = self._world(kind, f"captioned {kind}", "test")
            scenes = [world[index] for index in range(self.config.n_test)]
            names = self.class_names(kind)
            self._tests[kind] = HeldOut(
                vision=torch.stack([self._vision(scene) for scene in scenes]),
                captions=tuple(scene.captions[self.config.wordings[0]] for scene in scenes),
                references=tuple(tuple(scene.captions[w] for w in self.config.wordings) for scene in scenes),
                questions=tuple(self._question(scene, index) for index, scene in enumerate(scenes)),
                classes=torch.tensor([names.index(_class_of(scene, kind)) for scene in scenes]),
                class_names=names,
            )
        return self._tests[kind]

    def labelled_test(self, kind: Kind) -> HeldOut:
        """Those with classes; the same scenes in the worlds."""
        return self.test(kind)

    def can_test(self, kind: Kind, what: Said) -> bool:
        """Whether something is held out that says it; always in the worlds."""
        return True

    def ids(self, texts: Sequence[str]) -> Tensor:
        """(B, text_length) int64."""
        return self.tokenizer.encode(texts, length=self.config.text_length)

    def fingerprint(self) -> str:
        """What identifies the data."""
        return f"synthetic worlds {self.config!r} at {self.visual.image_size} px, {self.visual.num_frames} frames"

    def _source(
        self, name: str, kind: Kind, text_of: Callable[[Scene, int], str], id_of: Callable[[Scene], int]
    ) -> Kept:
        if name not in self._drawn:

            def sample(scene: Scene, index: int) -> Sample:
                ids = self.ids([text_of(scene, index)])[0]
                return {"vision": self._vision(scene), "text_ids": ids, "target": torch.tensor(id_of(scene))}

            self._drawn[name] = self._draw(kind, name, sample)
        return self._drawn[name]

    def _draw(self, kind: Kind, source: str, sample: Callable[[Scene, int], Sample]) -> Kept:
        return Kept(SceneDataset(self._world(kind, source, "train"), self._count(source), sample))

    def _count(self, source: str) -> int:
        config = self.config
        counts = (config.image_text, config.video_text, config.image_label, config.video_label)
        return counts[_SOURCES.index(source)]

    def _world(self, kind: Kind, source: str, split: Split) -> World:
        config = self.config
        made = config.stills if kind == "images" else replace(config.motions, n_frames=self.visual.num_frames)
        made = replace(made, size_px=self.visual.image_size)
        return World(made, len(_SOURCES) * config.seed + _SOURCES.index(source), split)

    def _vision(self, scene: Scene) -> Tensor:
        """(3, H, W) of a picture, (3, T, H, W) of a clip."""
        pixels = _PICTURE(scene.frames)  # (T, 3, H, W)
        return pixels[0] if len(pixels) == 1 else pixels.transpose(0, 1).contiguous()

    def _question(self, scene: Scene, index: int) -> Question:
        kinds = self.config.question_kinds
        asked = [question for question in scene.questions if kinds is None or question.kind in kinds]
        asked = asked or list(scene.questions)
        return asked[index % len(asked)]


def world_tokenizer(config: TextConfig) -> OmniVLTokenizer:
    """The words of all worlds, for a small vocabulary; BERT's word pieces for one of its size."""
    if config.vocab_size == TextConfig().vocab_size:
        return OmniVLTokenizer.bundled(config)
    return OmniVLTokenizer(build_vocabulary(world_vocabulary()), config)


def class_prompts(name: str, kind: Kind) -> tuple[str, ...]:
    """A class's name in sentences: "a picture of a ring", "a video of an object that spins"."""
    if kind == "clips":
        return (f"a video of an object that {name}", f"the object {name}")
    return (f"a picture of {_article(name)} {name}", f"there is {_article(name)} {name}")


def _class_of(scene: Scene, kind: Kind) -> str:
    return scene.label if kind == "images" else scene.action


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
