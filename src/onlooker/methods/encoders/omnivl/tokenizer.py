"""Text to ids and back: BERT's uncased word pieces with [DEC] and [ENC] added, and the authors' clean-up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.methods.encoders.omnivl.config import TextConfig
from onlooker.weights.bundled import MINILM_TOKENIZER_SHA256, MINILM_ZIP
from onlooker.weights.cache import read_member
from onlooker.weights.verify import verified_path

CAPTION_LENGTH = 30
"""Tokens of a pretraining caption, [CLS] and [SEP] among them; all are padded to it."""
QUESTION_LENGTH = 35
DOWNSTREAM_CAPTION_LENGTH = 40
VOCABULARY_FILE = "vocab.txt"
"""Beside the weights of a run."""
_MAX_WORDS = 50
_UNKNOWN = "[UNK]"
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_CLEANED = re.compile(r"[.!\"()*#:;~]")
_SPACES = re.compile(r"\s+")


class OmniVLTokenizer:
    """Word pieces of one vocabulary.

    Args:
        vocabulary: words in the order of their ids, without [DEC] and [ENC].
        config: ids of the special tokens; must agree with `vocabulary`.

    Raises:
        ConfigError: the vocabulary and the configuration do not fit.
    """

    def __init__(self, vocabulary: Sequence[str], config: TextConfig) -> None:
        self.config = config
        self.vocabulary = tuple(vocabulary)
        table = {word: index for index, word in enumerate(self.vocabulary)}
        if len(table) != len(self.vocabulary):
            raise ConfigError("the vocabulary holds a word twice")
        added = min(config.decode_id, config.encode_id)
        if len(table) > added:
            raise ConfigError(f"the vocabulary has {len(table)} words, but ids from {added} on are [DEC] and [ENC]")
        for word, index in (("[PAD]", config.pad_id), ("[CLS]", config.cls_id), ("[SEP]", config.sep_id)):
            if table.get(word) != index:
                raise ConfigError(f"`{word}` must have id {index}, the vocabulary gives it {table.get(word)}")
        self._tokenizer = Tokenizer(models.WordPiece(table, unk_token=_UNKNOWN))
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    @classmethod
    def bundled(cls, config: TextConfig) -> OmniVLTokenizer:
        """The 30522 words of bert-base-uncased, out of the bundled sentence embedder.

        Raises:
            WeightsError: the package is not installed or was altered.
        """
        content = json.loads(read_member(verified_path(MINILM_ZIP), "tokenizer.json", MINILM_TOKENIZER_SHA256))
        table: dict[str, int] = content["model"]["vocab"]
        return cls(sorted(table, key=table.__getitem__), config)

    @classmethod
    def from_file(cls, path: str | Path, config: TextConfig) -> OmniVLTokenizer:
        """A `vocab.txt`, one word a line.

        Raises:
            WeightsError: it cannot be read.
        """
        try:
            content = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WeightsError(f"`{path}` is not a readable vocabulary: {error}") from error
        return cls([line.rstrip("\r") for line in content.split("\n") if line.strip()], config)

    def to_text(self) -> str:
        """The vocabulary as a `vocab.txt`, which `from_file` reads."""
        return "\n".join(self.vocabulary) + "\n"

    def save(self, path: str | Path) -> None:
        """Writes the vocabulary as `from_file` reads it."""
        Path(path).write_text(self.to_text(), encoding="utf-8")

    def encode(self, texts: Sequence[str], *, length: int | None = None, max_length: int | None = None) -> Tensor:
        """Texts to ids.

        Args:
            texts: at least one. Empty text becomes [CLS] [SEP].
            length: pad (and cut) all to this many tokens.
            max_length: cut to this many; padded to the longest. Left out, the number of positions.

        Returns:
            (B, L) int64, [CLS] first, [SEP] last (kept when text is cut), then padding.

        Raises:
            ShapeError: no text, or one string instead of a sequence of them.
        """
        if isinstance(texts, str):
            raise ShapeError("`encode` takes a sequence of texts, got one string; pass `[text]`")
        if not texts:
            raise ShapeError("`encode` needs at least one text")
        longest = length or max_length or self.config.max_positions
        rows = [self._row(text, longest) for text in texts]
        width = length or max(len(row) for row in rows)
        ids = torch.full((len(rows), width), self.config.pad_id)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
        return ids

    def encode_prompt(self, prompt: str) -> Tensor:
        """(P,) int64: [CLS] and the prompt, without [SEP], never cut; what generation starts from."""
        return torch.tensor(self._row(prompt, len(prompt) + 2)[:-1])

    def decode(self, ids: Iterable[int] | Tensor) -> str:
        """Words of ids, up to the first [SEP], without special tokens; nothing is put together but word pieces."""
        words = []
        for index in ids.tolist() if isinstance(ids, Tensor) else ids:
            if index == self.config.sep_id:
                break
            if index < len(self.vocabulary) and self.vocabulary[index] not in _SPECIALS:
                words.append(self.vocabulary[index])
        return " ".join(words).replace(" ##", "")

    def _row(self, text: str, longest: int) -> list[int]:
        pieces = self._tokenizer.encode(text, add_special_tokens=False).ids[: max(longest - 2, 0)]
        return [self.config.cls_id, *pieces, self.config.sep_id]


def clean_caption(text: str, max_words: int = _MAX_WORDS) -> str:
    """Lower case, some punctuation to spaces, spaces squeezed, at most `max_words` words (authors' rules)."""
    squeezed = _SPACES.sub(" ", _CLEANED.sub(" ", text.lower())).strip()
    return " ".join(squeezed.split(" ")[:max_words])


def clean_question(text: str, max_words: int = _MAX_WORDS) -> str:
    """Lower case, the same punctuation taken out, at most `max_words` words (authors' rules)."""
    return " ".join(_CLEANED.sub("", text.lower()).rstrip().split(" ")[:max_words])


def build_vocabulary(texts: Iterable[str]) -> list[str]:
    """Special tokens and every word of some texts, in alphabetical order: a vocabulary for tiny models (ours)."""
    return [*_SPECIALS, *sorted({word for text in texts for word in words_of(text)})]


def words_of(text: str) -> list[str]:
    """Words and punctuation marks of a text as BERT splits them, in order, in lower case."""
    normal = normalizers.BertNormalizer(lowercase=True).normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normal)]
