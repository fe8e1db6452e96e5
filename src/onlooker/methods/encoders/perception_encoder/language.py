"""Language alignment: a truncated encoder learns to be read by a language model, which is then thrown away.

Picture tokens go through a projector of two layers and stand before the words; the loss is that of the next word. First
the projector alone learns, then everything. What a run hands out is the encoder. Section 4 of the paper.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.perception_encoder.alignment import plain_groups
from onlooker.methods.encoders.perception_encoder.config import TextConfig
from onlooker.methods.encoders.perception_encoder.contrastive import fingerprint
from onlooker.methods.encoders.perception_encoder.data import SceneConfig, make_samples, to_network_range
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.tokenizer import Tokenizer, make_tokenizer
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_EVALUATED_AT_ONCE = 32
_IGNORED = -100  # targets that cross-entropy leaves out
_WORLD_IDS = 256
_POSITIONS = 4096  # of the small language model; ours
Stage = Literal["projector", "all"]


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The language model.

    Attributes:
        model: hub name or folder of a causal language model of transformers with its tokenizer (paper: Llama 3.2 3B);
            left out, a small Llama of random weights that reads the words of the synthetic world.
        width, depth, heads: of the small one.
        max_words: tokens of a text, its end included.
    """

    model: str | None = None
    width: int = 64
    depth: int = 2
    heads: int = 4
    max_words: int = 32

    def __post_init__(self) -> None:
        if min(self.width, self.depth, self.heads) < 1 or self.max_words < 2 or self.width % self.heads:
            raise ConfigError(f"sizes are positive, `width` a multiple of `heads`, `max_words` at least 2, got {self}")


@dataclass(frozen=True, slots=True)
class LanguageOptions:
    """Options of the task `language_alignment`.

    Attributes:
        scenes: the data.
        core: folder or file of the core network the encoder starts from.
        decoder: see there.
        projector_part: part of the run in which the projector alone learns (paper: one million samples of the first
            stage, seventy of the second).
        frozen: which parts never learn: "encoder" to measure what a reader finds in it.
    """

    scenes: SceneConfig = field(default_factory=SceneConfig)
    core: str | None = None
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    projector_part: float = 0.1
    frozen: Literal["nothing", "encoder"] = "nothing"

    def __post_init__(self) -> None:
        if not 0 <= self.projector_part < 1:
            raise ConfigError(f"`projector_part` is in [0, 1), got {self.projector_part}")
        if self.scenes.frames != 1:
            raise ConfigError(f"language alignment trains on still pictures here, got {self.scenes.frames} frames")


class Reader(NamedTuple):
    """A causal language model of transformers; text to ids that it knows (start, words, end, padding); the end's id."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    end: int


class Projector(nn.Module):
    """Picture tokens (B, N, width) to words of the language model (B, N, words): two layers, GELU between."""

    def __init__(self, width: int, words: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, words)
        self.fc2 = nn.Linear(words, words)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return out


class LanguageTask(Task):
    """Encoder, projector and language model.

    Args:
        network: the encoder, of a configuration that ends in tokens.
        reader: a causal language model of transformers and its words.
        options: see there; `core` has been loaded by the caller.
    """

    network: PerceptionEncoder

    def __init__(self, network: PerceptionEncoder, reader: Reader, options: LanguageOptions) -> None:
        if network.visual.pool is not None or network.text is not None:
            raise ConfigError("language alignment takes an encoder that ends in tokens: `pool` none and no text side")
        super().__init__(network)
        self.options, self._tokenizer, self._end = options, reader.tokenizer, reader.end
        self.decoder = reader.model
        words = reader.model.get_input_embeddings().weight.shape[1]
        self.projector = Projector(network.config.vision.width, words)
        if options.frozen == "encoder":
            network.requires_grad_(False)
        self._learns = {name for name, parameter in self.named_parameters() if parameter.requires_grad}

    @property
    def metric(self) -> Metric:
        return Metric("caption_loss_nats", "nats per word", higher_is_better=False)

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": make_samples(self.options.scenes, self._size_px, "train", self._tokenizer)}

    def stage_at(self, moment: Moment) -> Stage:
        """Who learns."""
        return "projector" if moment.fraction < self.options.projector_part else "all"

    def before_step(self, moment: Moment) -> None:
        """Opens and closes parameters as the stage asks."""
        everything = self.stage_at(moment) == "all"
        for name, parameter in self.named_parameters():
            if name in self._learns:
                parameter.requires_grad_(everything or name.startswith("projector."))

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Mean loss of the next word of `tokens` (B, L), given `pixels` (B, 3, H, W) uint8."""
        images = to_network_range(batch["pixels"], self._size_px)
        tokens = batch["tokens"]
        return {"loss": self.word_losses(images, tokens).sum() / real_words(tokens, self._end)[:, 1:].sum()}

    def word_losses(self, images: Tensor, tokens: Tensor) -> Tensor:
        """Loss of every word after the first.

        Args:
            images: (B, 3, H, W) float in [-1, 1].
            tokens: (B, L) int64: start, words, end; what follows the end is padding.

        Returns:
            (B, L - 1) nats, 0 at padding.

        Raises:
            ShapeError: pictures and texts disagree in number.
        """
        if len(images) != len(tokens):
            raise ShapeError(f"every picture needs its text, got {len(images)} pictures and {len(tokens)} texts")
        seen = self.projector(self.network.forward_features(images))  # (B, N, words)
        words = self.decoder.get_input_embeddings()(tokens).to(seen.dtype)  # (B, L, words)
        logits = self.decoder(inputs_embeds=torch.cat([seen, words], dim=1), use_cache=False).logits
        predicted = logits[:, seen.shape[1] : -1]  # (B, L - 1, V): what follows each word but the last
        targets = tokens[:, 1:].masked_fill(~real_words(tokens, self._end)[:, 1:], _IGNORED)
        return F.cross_entropy(predicted.float().transpose(1, 2), targets, ignore_index=_IGNORED, reduction="none")

    def evaluate(self) -> dict[str, float]:
        """Loss per word on the test samples."""
        total, count = 0.0, 0
        device = next(self.network.parameters()).device
        samples = make_samples(self.options.scenes, self._size_px, "test", self._tokenizer)
        for start in range(0, len(samples), _EVALUATED_AT_ONCE):
            batch = self.collate([samples[i] for i in range(start, min(start + _EVALUATED_AT_ONCE, len(samples)))])
            images = to_network_range(batch["pixels"].to(device), self._size_px)
            tokens = batch["tokens"].to(device)
            total += float(self.word_losses(images, tokens).double().sum())
            count += int(real_words(tokens, self._end)[:, 1:].sum())
        return {"caption_loss_nats": total / count}

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        return plain_groups(self)

    def data_fingerprint(self) -> str | None:
        return fingerprint(self.options.scenes)

    @functools.cached_property
    def _size_px(self) -> int:
        size: int = self.network.config.vision.image_size
        return size


def real_words(tokens: Tensor, end: int) -> Tensor:
    """(B, L) bool: False after the first `end` of a row. The very first token starts a text whatever it is."""
    ends = tokens == end
    ends[:, 0] = False
    return ends.cumsum(dim=1) - ends.long() == 0


def make_reader(config: DecoderConfig) -> Reader:
    """The language model of a configuration: a named one is loaded, the small one has random weights."""
    if config.model is not None:
        return _load_reader(config.model, config.max_words)
    from transformers import LlamaConfig, LlamaForCausalLM

    end = _WORLD_IDS - 1
    sizes = LlamaConfig(
        vocab_size=_WORLD_IDS,
        hidden_size=config.width,
        intermediate_size=4 * config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        max_position_embeddings=_POSITIONS,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=end,
    )
    text = TextConfig(8, 1, 1, 8, 8, context_length=config.max_words, vocabulary=_WORLD_IDS, tokenizer="world")
    return Reader(LlamaForCausalLM(sizes), make_tokenizer(text), end)


def _load_reader(name: str, max_words: int) -> Reader:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    encode = AutoTokenizer.from_pretrained(name)
    if encode.eos_token_id is None:
        raise ConfigError(f"the tokenizer of `{name}` has no token that ends a text")
    start = encode.eos_token_id if encode.bos_token_id is None else encode.bos_token_id

    def tokenise(texts: Sequence[str]) -> Tensor:
        rows = torch.full((len(texts), max_words), int(encode.eos_token_id), dtype=torch.int64)
        for row, text in zip(rows, texts, strict=True):
            ids = [start, *encode.encode(text, add_special_tokens=False)][: max_words - 1]
            row[: len(ids)] = torch.tensor(ids)
        return rows

    return Reader(AutoModelForCausalLM.from_pretrained(name), tokenise, int(encode.eos_token_id))
