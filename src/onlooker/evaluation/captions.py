"""How well sentences agree with reference sentences: BLEU and CIDEr-D over a whole set.

BLEU: Papineni et al. 2002, with clipped counts, the closest reference length and no smoothing. CIDEr-D: Vedantam et al.
2015, section 6, equations 2 to 5; document frequencies come from the references given. Words are lower case and
marks are left out, in place of the Penn Treebank tokenizer of the COCO server.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from onlooker.errors import ShapeError

Gram = tuple[str, ...]
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# The standard deviation of the length penalty and the factor of the scale (Vedantam et al. 2015, equation 5).
_LENGTH_SIGMA = 6.0
_CIDER_SCALE = 10.0
_MAX_N = 4


def words_of(sentence: str) -> list[str]:
    """Lower-case words without marks; an apostrophe inside a word stays."""
    return _WORD.findall(sentence.lower())


def bleu_percent(candidates: Sequence[str], references: Sequence[Sequence[str]], max_n: int = 4) -> float:
    """BLEU of the whole set with n-grams up to `max_n`; 0 when some length of n-gram never matches.

    Args:
        candidates: one sentence an image.
        references: for each candidate at least one true sentence.
    """
    _check(candidates, references)
    if not 1 <= max_n <= _MAX_N:
        raise ShapeError(f"`max_n` is in [1, {_MAX_N}], got {max_n}")
    matched, total = [0] * max_n, [0] * max_n
    length, wanted = 0, 0
    for candidate, truths in zip(candidates, references, strict=True):
        words, true_words = words_of(candidate), [words_of(truth) for truth in truths]
        length += len(words)
        wanted += min((abs(len(truth) - len(words)), len(truth)) for truth in true_words)[1]
        for n in range(1, max_n + 1):
            found = _grams(words, n)
            allowed: Counter[Gram] = Counter()
            for truth in true_words:
                allowed |= _grams(truth, n)
            matched[n - 1] += (found & allowed).total()
            total[n - 1] += found.total()
    if 0 in matched:
        return 0.0
    precision = math.exp(sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / max_n)
    return 100.0 * precision * min(1.0, math.exp(1 - wanted / length))


def cider_d(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """CIDEr-D of the whole set, in [0, 10]. It needs several images: n-grams that are in all of them weigh nothing.

    Args as in `bleu_percent`. Tables in papers show this number times 100.
    """
    _check(candidates, references)
    documents = [{gram for truth in truths for gram in _all_grams(truth)} for truths in references]
    frequency = Counter(gram for document in documents for gram in document)
    log_n = math.log(len(references))
    scores = [
        sum(_likeness(candidate, truth, frequency, log_n) for truth in truths) / len(truths)
        for candidate, truths in zip(candidates, references, strict=True)
    ]
    return sum(scores) / len(scores)


def _likeness(candidate: str, truth: str, frequency: Counter[Gram], log_n: float) -> float:
    """Mean over n of the clipped cosine of weighted n-grams, less for another length, times ten."""
    found, true = words_of(candidate), words_of(truth)
    penalty = math.exp(-((len(found) - len(true)) ** 2) / (2 * _LENGTH_SIGMA**2))
    cosines = []
    for n in range(1, _MAX_N + 1):
        a, b = (_weigh(_grams(words, n), frequency, log_n) for words in (found, true))
        norm = math.sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))
        clipped = sum(min(weight, b[gram]) * b[gram] for gram, weight in a.items() if gram in b)
        cosines.append(clipped / norm if norm > 0 else 0.0)
    return _CIDER_SCALE * penalty * sum(cosines) / _MAX_N


def _weigh(grams: Counter[Gram], frequency: Counter[Gram], log_n: float) -> dict[Gram, float]:
    """Count times log(images / images whose references have it); one that no reference has counts as in one image."""
    return {gram: count * (log_n - math.log(max(1, frequency[gram]))) for gram, count in grams.items()}


def _all_grams(sentence: str) -> set[Gram]:
    words = words_of(sentence)
    return {gram for n in range(1, _MAX_N + 1) for gram in _grams(words, n)}


def _grams(words: Sequence[str], n: int) -> Counter[Gram]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _check(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(candidates) != len(references) or not candidates:
        raise ShapeError(
            f"{len(candidates)} sentences and {len(references)} lists of references; expected as many, from 1"
        )
    if not all(references) or any(isinstance(truths, str) for truths in references):
        raise ShapeError("each sentence needs a list of at least one reference")
