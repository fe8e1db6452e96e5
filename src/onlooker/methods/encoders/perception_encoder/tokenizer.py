"""Text to token ids. The text side reads its vector at the largest id of a row, so the mark that ends a text is the
last id of every vocabulary here, and it survives when a long text is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from onlooker.errors import ConfigError
from onlooker.methods.encoders.perception_encoder.config import CLIP_VOCABULARY, TextConfig

_PAD, _UNKNOWN, _START = 0, 1, 2  # ids of the world's words; bytes start at 1 and have no unknown
_BYTES = 256


class Tokenizer(Protocol):
    """What every vocabulary offers."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(N, context_length) int64: start, words, end, zeros. An empty text is start and end."""
        ...


def make_tokenizer(config: TextConfig) -> Tokenizer:
    """The tokenizer a text side was trained with.

    Raises:
        ConfigError: its ids do not fit the vocabulary of the configuration.
    """
    if config.tokenizer == "clip":
        return ClipTokenizer(config)
    if config.tokenizer == "world":
        return WorldTokenizer(config)
    return ByteTokenizer(config)


class ClipTokenizer:
    """CLIP's byte-pair encoding of lower-cased text; the vocabulary comes with the open_clip package."""

    def __init__(self, config: TextConfig) -> None:
        from open_clip.tokenizer import SimpleTokenizer  # reads its vocabulary file: only when text is embedded

        if config.vocabulary != CLIP_VOCABULARY:
            raise ConfigError(f"CLIP's tokenizer has {CLIP_VOCABULARY} ids, the configuration {config.vocabulary}")
        self._encode = SimpleTokenizer(context_length=config.context_length)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        ids: Tensor = self._encode(_listed(texts))
        return ids


class ByteTokenizer:
    """Bytes of lower-cased text, for networks too small for a vocabulary: byte b is id b + 1."""

    def __init__(self, config: TextConfig) -> None:
        if config.vocabulary < _BYTES + 3:
            raise ConfigError(f"bytes need a vocabulary of {_BYTES + 3} ids at least, got {config.vocabulary}")
        self._start, self._end, self._length = config.vocabulary - 2, config.vocabulary - 1, config.context_length

    def __call__(self, texts: Sequence[str]) -> Tensor:
        rows = [
            [self._start, *(byte + 1 for byte in text.lower().encode("utf-8", "replace"))] for text in _listed(texts)
        ]
        ids = torch.full((len(rows), self._length), _PAD, dtype=torch.int64)
        for row, tokens in zip(ids, rows, strict=True):
            whole = [*tokens[: self._length - 1], self._end]
            row[: len(whole)] = torch.tensor(whole)
        return ids


class WorldTokenizer:
    """Whole words of the synthetic worlds; any other word is the unknown one."""

    def __init__(self, config: TextConfig) -> None:
        from onlooker.synth.words import SpecialIds, WordTokenizer, world_vocabulary

        special = SpecialIds(pad=_PAD, unknown=_UNKNOWN, bos=_START, eos=config.vocabulary - 1)
        self._words = WordTokenizer(world_vocabulary(), special)
        self._length = config.context_length
        if self._words.size > config.vocabulary:
            raise ConfigError(f"the worlds have {self._words.size} words and marks, got room for {config.vocabulary}")

    def __call__(self, texts: Sequence[str]) -> Tensor:
        rows = [self._words.encode(text, self._length) for text in _listed(texts)]
        return torch.tensor(rows, dtype=torch.int64).reshape(len(rows), self._length)


def _listed(texts: Sequence[str]) -> list[str]:
    """Raises ConfigError for one string instead of a list, which would embed its letters."""
    if isinstance(texts, str):
        raise ConfigError("texts come as a list of strings, got one string; pass `[text]`")
    return list(texts)
