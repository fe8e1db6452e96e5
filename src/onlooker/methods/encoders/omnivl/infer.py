"""What people call: pictures, clips and words in; captions, answers and vectors out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from onlooker.configs import config_from_dict, whole_number
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner, generate_ids
from onlooker.methods.encoders.omnivl.config import CONFIGS, GenerationConfig, OmniVLConfig, TextConfig
from onlooker.methods.encoders.omnivl.embedding import Towers
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.networks import OmniVL, create
from onlooker.methods.encoders.omnivl.pixels import clip_to_batch, images_to_batch
from onlooker.methods.encoders.omnivl.text import with_first
from onlooker.methods.encoders.omnivl.tokenizer import (
    QUESTION_LENGTH,
    VOCABULARY_FILE,
    OmniVLTokenizer,
    clean_caption,
    clean_question,
)
from onlooker.methods.encoders.omnivl.weights import key_map, load_adapted
from onlooker.nn.device import check_device
from onlooker.types import FloatArray, Image
from onlooker.weights.files import read_tensors
from onlooker.weights.load import FoundWeights, load_weights, locate_weights
from onlooker.weights.verify import sha256_of

T = TypeVar("T")
_EMBEDDED_LENGTH = 35  # tokens of a text that is embedded (authors' helper)


class OmniVLDescriber:
    """Describes, answers about and embeds pictures and clips, as far as the head of the weights can.

    Captions need the head "caption" or "pretrain", answers "vqa", vectors "embed", "retrieval" or "pretrain"; a head
    that cannot says so in a ConfigError.

    Args:
        weights: a folder of ours, or a checkpoint in the authors' layout. There are no public ones.
        config: name of a configuration; needed where none lies beside the weights.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.
        vocabulary: path of a `vocab.txt`. Left out, the one beside the weights, or BERT's 30522 words.
        batch_size: pictures or texts of one forward pass.

    Raises:
        ConfigError: no weights, no configuration or vocabulary for them, a batch size below 1, or a device that cannot
            be used.
        WeightsError: the weights cannot be found or do not fit.
    """

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        device: str = "cpu",
        offline: bool = False,
        vocabulary: str | None = None,
        batch_size: int = 8,
    ) -> None:
        if weights is None:
            raise ConfigError("OmniVL has no public weights: train some and give their folder as `weights`")
        check_device(device)
        whole_number("batch_size", batch_size)
        found = locate_weights(weights, offline=offline)
        network = _open(found, config)
        path = Path(vocabulary) if vocabulary is not None else found.path.parent / VOCABULARY_FILE
        tokenizer = _vocabulary(path, network.config.text, required=vocabulary is not None)
        self._fill(network.to(device), tokenizer, sha256_of(found.path)[:8], batch_size)

    @classmethod
    def of(cls, network: OmniVL, tokenizer: OmniVLTokenizer, version: str, batch_size: int = 8) -> OmniVLDescriber:
        """One for a network at hand, which is put into evaluation mode; `version` is what results are keyed by."""
        made = cls.__new__(cls)
        made._fill(network, tokenizer, version, batch_size)
        return made

    def _fill(self, network: OmniVL, tokenizer: OmniVLTokenizer, version: str, batch_size: int) -> None:
        self._network: OmniVL = network.eval()
        self._tokenizer = tokenizer
        self._version = version
        self._batch_size = whole_number("batch_size", batch_size)
        self._config = network.config

    @property
    def name(self) -> str:
        return "omnivl"

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._towers().config.embed_dim

    def caption(self, images: Sequence[Image], prompt: str | None = None) -> list[str]:
        """A sentence per picture, without the prompt it was started with.

        Args:
            images: (H, W, 3) uint8 RGB each, of any sizes; grey and RGBA are taken too.
            prompt: how every caption starts; the configuration's when `None`.
        """
        return [text for batch in self._batches(images) for text in self._describe(batch, prompt)]

    def caption_clip(self, frames: Sequence[Image], prompt: str | None = None) -> str:
        """A sentence about one clip.

        Args:
            frames: at least one, in order, of one size; longer clips than the model's are sampled evenly.
            prompt: as `caption`.

        Raises:
            ShapeError: no frames, or of different sizes; or the weights are of images alone.
        """
        return self._describe(self._clip(frames), prompt)[0]

    def caption_clips(self, clips: Sequence[Sequence[Image]], prompt: str | None = None) -> list[str]:
        """A sentence per clip; frames, prompt and errors as `caption_clip`."""
        return [self.caption_clip(clip, prompt) for clip in clips]

    def answer(self, images: Sequence[Image], question: str, settings: GenerationConfig | None = None) -> list[str]:
        """An answer per picture to one question; `settings` changes lengths and beams."""
        return [text for batch in self._batches(images) for text in self._answer(batch, question, settings)]

    def answer_clip(self, frames: Sequence[Image], question: str, settings: GenerationConfig | None = None) -> str:
        """An answer about one clip; frames and errors as `caption_clip`."""
        return self._answer(self._clip(frames), question, settings)[0]

    def choose(self, images: Sequence[Image], question: str, answers: Sequence[str]) -> list[str]:
        """The likeliest of some answers per picture.

        Raises:
            ShapeError: no answers, or one without a word.
        """
        network = self._answerer()
        if not answers or not all(answer.strip() for answer in answers):
            raise ShapeError(f"`choose` needs answers with at least one word each, got {list(answers)}")
        answer_ids = self._ids(answers)
        chosen: list[str] = []
        for batch in self._batches(images):
            question_ids = self._question_ids(question, len(batch))
            ranking = network.rank(batch, question_ids, answer_ids, min(128, len(answers)))
            chosen += [answers[int(index)] for index in ranking.best]
        return chosen

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32 unit rows."""
        towers = self._towers()
        with torch.inference_mode():
            return self._stack([towers.embed_vision(batch) for batch in self._batches(images)])

    def embed_video(self, frames: Sequence[Image]) -> FloatArray:
        """(dim,) float32 unit vector of one clip; frames and errors as `caption_clip`."""
        towers = self._towers()
        with torch.inference_mode():
            vector: FloatArray = self._stack([towers.embed_vision(self._clip(frames))])[0]
        return vector

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """(N, dim) float32 unit rows.

        Raises:
            ConfigError: one string instead of a sequence.
        """
        if isinstance(texts, str):
            raise ConfigError("`embed_texts` takes a list of texts, got one string; pass `[text]`")
        towers = self._towers()
        cleaned = [clean_caption(text) for text in texts]
        with torch.inference_mode():
            rows = [towers.embed_text(self._ids(chunk, _EMBEDDED_LENGTH)) for chunk in self._chunks(cleaned)]
            return self._stack(rows)

    def _describe(self, vision: Tensor, prompt: str | None) -> list[str]:
        settings = self._config.generation
        prompt_ids = self._tokenizer.encode_prompt(settings.prompt if prompt is None else prompt).to(vision.device)
        settings = _room_for(len(prompt_ids), settings, self._config.text)
        network = self._network
        with torch.inference_mode():
            if isinstance(network, OmniVLCaptioner):
                ids = network.generate(vision, prompt_ids, settings)
            elif isinstance(network, OmniVLPretrain) and network.text_decoder is not None:
                start = with_first(prompt_ids[None].expand(len(vision), -1), self._config.text.decode_id)
                tokens = network.visual_encoder(vision)
                ids = generate_ids(network.text_decoder, start, tokens, settings, self._config.text)
            else:
                raise ConfigError(_cannot(self._config.head, "caption", ("caption", "pretrain")))
        # Cut by tokens: characters would be wrong wherever decoding changes spaces.
        return [self._tokenizer.decode(row[len(prompt_ids) :]) for row in ids]

    def _answer(self, vision: Tensor, question: str, settings: GenerationConfig | None) -> list[str]:
        network = self._answerer()
        with torch.inference_mode():
            ids = network.generate(vision, self._question_ids(question, len(vision)), settings)
        return [self._tokenizer.decode(row) for row in ids]

    def _question_ids(self, question: str, count: int) -> Tensor:
        return self._ids([clean_question(question)], QUESTION_LENGTH).expand(count, -1)

    def _ids(self, texts: Sequence[str], longest: int | None = None) -> Tensor:
        most = self._config.text.max_positions
        return self._tokenizer.encode(texts, max_length=min(longest or most, most)).to(self._device())

    def _clip(self, frames: Sequence[Image]) -> Tensor:
        return clip_to_batch(frames, self._config.visual).to(self._device())

    def _batches(self, images: Sequence[Image]) -> Iterator[Tensor]:
        for chunk in self._chunks(images):
            yield images_to_batch(chunk, self._config.visual).to(self._device())

    def _chunks(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        for start in range(0, len(items), self._batch_size):
            yield items[start : start + self._batch_size]

    def _stack(self, rows: list[Tensor]) -> FloatArray:
        empty = np.zeros((0, self.dim), np.float32)
        return np.concatenate([empty, *(row.float().cpu().numpy() for row in rows)])

    def _device(self) -> torch.device:
        return next(self._network.parameters()).device

    def _towers(self) -> Towers:
        if not isinstance(self._network, Towers):
            raise ConfigError(_cannot(self._config.head, "embed", ("embed", "retrieval", "pretrain")))
        return self._network

    def _answerer(self) -> OmniVLAnswerer:
        if not isinstance(self._network, OmniVLAnswerer):
            raise ConfigError(_cannot(self._config.head, "answer questions", ("vqa",)))
        return self._network


def _open(found: FoundWeights, name: str | None) -> OmniVL:
    """The network of some weights; those of the authors' layout are adapted to the configuration."""
    config = _config_of(found, name)
    network = create(config)
    if found.config is not None:
        load_weights(network, found, key_map(config))
        return network
    state = read_tensors(found.path, key_map(config).wrappers)
    if set(state) == set(network.state_dict()):
        load_weights(network, found, key_map(config))
    else:
        load_adapted(network, state, config)
    return network


def _config_of(found: FoundWeights, name: str | None) -> OmniVLConfig:
    if name is not None:
        if name not in CONFIGS:
            raise UnknownNameError("configuration of `omnivl`", name, CONFIGS)
        return CONFIGS[name]
    if found.config is None:
        raise ConfigError(f"no configuration lies beside `{found.path}`; name one: {', '.join(CONFIGS)}")
    return config_from_dict(OmniVLConfig, found.config)


def _vocabulary(path: Path, config: TextConfig, *, required: bool) -> OmniVLTokenizer:
    if required or path.is_file():
        return OmniVLTokenizer.from_file(path, config)
    if config.vocab_size != TextConfig().vocab_size:
        raise ConfigError(
            f"the weights have {config.vocab_size} words, not BERT's; put their `{VOCABULARY_FILE}` beside them or "
            "give its path as `vocabulary`"
        )
    return OmniVLTokenizer.bundled(config)


def _room_for(n_prompt: int, settings: GenerationConfig, text: TextConfig) -> GenerationConfig:
    """Lengths count the prompt: one as long as the longest caption gets as many tokens more, within the positions."""
    if n_prompt < settings.max_length:
        return settings
    longest = min(n_prompt + settings.max_length, text.max_positions)
    if n_prompt >= longest:
        raise ShapeError(f"the prompt has {n_prompt} tokens, the model has {text.max_positions} positions")
    return replace(settings, max_length=longest)


def _cannot(head: str, what: str, heads: tuple[str, ...]) -> str:
    return f"weights with the head `{head}` cannot {what}; that takes the head " + " or ".join(f"`{h}`" for h in heads)
