"""Maps text to vectors with all-MiniLM-L6-v2, so that a query meets labels, tags and speech by meaning.

A BERT encoder of six layers (Wang et al. 2020, arXiv 2002.10957) tuned on sentence pairs (Reimers and Gurevych 2019,
arXiv 1908.10084); weights `sentence-transformers/all-MiniLM-L6-v2`, Apache-2.0. The vector is the mean of the last
layer over the tokens, scaled to unit length; text past 256 tokens is cut.

The forward pass is written in numpy: it is sixty lines, agrees with the transformers class to 1e-5 (a test compares
them), and spares `onlooker search` the seconds that importing torch and transformers takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy
from scipy.special import erf
from tokenizers import Tokenizer

from onlooker.errors import ConfigError
from onlooker.types import FloatArray
from onlooker.weights.bundled import MINILM_TOKENIZER_SHA256, MINILM_WEIGHTS_SHA256, MINILM_ZIP
from onlooker.weights.cache import cache_folder, read_member, unpacked
from onlooker.weights.verify import verified_path

_LAYERS = 6
_HEADS = 12
_DIM = 384
_MAX_TOKENS = 256
_EPSILON = 1e-12
_TOKENS_PER_BATCH = 4096
"""Bounds memory: attention needs batch * heads * length^2 floats (ours)."""


class MiniLm:
    """Sentence embedder, 384 numbers a text.

    Args:
        cache: folder for the unpacked weights; the user's cache folder when `None`.

    Raises:
        WeightsError: if the weights are not installed or were altered.
    """

    def __init__(self, cache: str | None = None) -> None:
        archive = verified_path(MINILM_ZIP)
        folder = Path(cache) if cache is not None else cache_folder()
        path = unpacked(archive, "model.safetensors", MINILM_WEIGHTS_SHA256, folder)
        if path is not None:
            self._weights = safetensors.numpy.load_file(path)
        else:
            self._weights = safetensors.numpy.load(read_member(archive, "model.safetensors", MINILM_WEIGHTS_SHA256))
        vocabulary = read_member(archive, "tokenizer.json", MINILM_TOKENIZER_SHA256)
        self._tokenizer = Tokenizer.from_str(vocabulary.decode("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    @property
    def name(self) -> str:
        return "minilm-l6-v2"

    @property
    def version(self) -> str:
        return MINILM_WEIGHTS_SHA256[:8]

    @property
    def dim(self) -> int:
        return _DIM

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """(N, 384) float32 unit rows. Empty text has a vector too (that of the two boundary tokens).

        Raises:
            ConfigError: if handed one string instead of a sequence, which would embed its letters.
        """
        if isinstance(texts, str):
            raise ConfigError("`embed_texts` takes a list of texts, got one string; pass `[text]`")
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(rows), _DIM), np.float32)
        by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        while by_length:
            longest = len(rows[by_length[-1]])
            size = max(1, _TOKENS_PER_BATCH // longest)
            chunk, by_length = by_length[-size:], by_length[:-size]
            vectors[chunk] = self._encode([rows[i] for i in chunk], longest)
        return vectors

    def _encode(self, rows: list[list[int]], length: int) -> FloatArray:
        """(B, 384) unit vectors of B token lists, padded to `length` = L."""
        ids = np.zeros((len(rows), length), np.int64)
        present = np.zeros((len(rows), length), np.float32)
        for i, row in enumerate(rows):
            ids[i, : len(row)], present[i, : len(row)] = row, 1
        hidden = self._embed(ids)  # (B, L, 384)
        bias = (1 - present)[:, None, None, :] * np.float32(-1e9)
        for layer in range(_LAYERS):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}")
        pooled = (hidden * present[:, :, None]).sum(axis=1) / present.sum(axis=1, keepdims=True)
        unit: FloatArray = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit

    def _embed(self, ids: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> FloatArray:
        table = self._weights
        words = table["embeddings.word_embeddings.weight"][ids]
        positions = table["embeddings.position_embeddings.weight"][: ids.shape[1]]
        segment = table["embeddings.token_type_embeddings.weight"][0]
        return self._norm(words + positions + segment, "embeddings.LayerNorm")

    def _layer(self, hidden: FloatArray, bias: FloatArray, prefix: str) -> FloatArray:
        """One post-norm transformer block. `hidden` (B, L, 384); `bias` (B, 1, 1, L) is -1e9 at padding."""
        batch, length, _ = hidden.shape

        def heads(part: str) -> FloatArray:
            projected = self._linear(hidden, f"{prefix}.attention.self.{part}")
            return projected.reshape(batch, length, _HEADS, _DIM // _HEADS).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(_DIM // _HEADS)) + bias
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = (weights @ heads("value")).transpose(0, 2, 1, 3).reshape(batch, length, _DIM)
        attended = self._linear(mixed, f"{prefix}.attention.output.dense")
        hidden = self._norm(hidden + attended, f"{prefix}.attention.output.LayerNorm")
        wide = self._linear(hidden, f"{prefix}.intermediate.dense")
        wide = wide * np.float32(0.5) * (1 + erf(wide / np.float32(np.sqrt(2))))
        return self._norm(hidden + self._linear(wide, f"{prefix}.output.dense"), f"{prefix}.output.LayerNorm")

    def _linear(self, x: FloatArray, prefix: str) -> FloatArray:
        result: FloatArray = x @ self._weights[f"{prefix}.weight"].T + self._weights[f"{prefix}.bias"]
        return result

    def _norm(self, x: FloatArray, prefix: str) -> FloatArray:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
        result: FloatArray = scaled * self._weights[f"{prefix}.weight"] + self._weights[f"{prefix}.bias"]
        return result
