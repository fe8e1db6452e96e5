"""Retrieval scores, in percent. A query may have many right answers; ties are decided against the model.

Pessimistic ties matter: a network whose outputs all became equal finds nothing here, not everything.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError

Array = NDArray[np.floating]
Relevance = NDArray[np.bool_]


def recall_at_k_percent(similarity: Array, relevant: Relevance, k: int) -> float:
    """Part of the queries that have a right answer among their k best.

    Args:
        similarity: (Q, G), higher is more alike.
        relevant: (Q, G), at least one right answer a query.
        k: from 1; more than G counts as G.

    Raises:
        ShapeError: shapes differ, a value is NaN, or a query has no right answer.
    """
    _check(similarity, relevant)
    if k < 1:
        raise ShapeError(f"recall is asked for k from 1, got {k}")
    best = np.where(relevant, similarity, -np.inf).max(axis=1, keepdims=True)  # (Q, 1)
    ahead = (~relevant & (similarity >= best)).sum(axis=1)
    return 100.0 * float(np.mean(ahead < k))


def recall_both_ways_percent(
    similarity: Array, relevant: Relevance, ks: Iterable[int] = (1, 5, 10)
) -> dict[str, float]:
    """`recall_at_k_percent` from rows to columns ("forward_recall_at_1_percent") and back ("backward_...")."""
    scores = {}
    for k in ks:
        scores[f"forward_recall_at_{k}_percent"] = recall_at_k_percent(similarity, relevant, k)
        scores[f"backward_recall_at_{k}_percent"] = recall_at_k_percent(similarity.T, relevant.T, k)
    return scores


def mean_average_precision_percent(similarity: Array, relevant: Relevance) -> float:
    """Mean over queries of the precision at the rank of each right answer, averaged over its right answers.

    Args and errors as in `recall_at_k_percent`. Wrong answers stand before right ones of the same similarity.
    """
    _check(similarity, relevant)
    precisions = []
    for scores, right in zip(similarity, relevant, strict=True):
        order = np.lexsort((right, -scores))  # best first; of equal ones the wrong first
        hits = right[order]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        precisions.append(precision[hits].mean())
    return 100.0 * float(np.mean(precisions))


def _check(similarity: Array, relevant: Relevance) -> None:
    if similarity.ndim != 2 or similarity.shape != relevant.shape or 0 in similarity.shape:
        raise ShapeError(
            f"similarity and relevance are one shape (Q, G), none of them 0, got {similarity.shape}, {relevant.shape}"
        )
    if relevant.dtype != np.bool_:
        raise ShapeError(f"relevance is bool, got {relevant.dtype}")
    if np.isnan(similarity).any():
        raise ShapeError("a similarity is NaN")
    without = np.flatnonzero(~relevant.any(axis=1))
    if len(without):
        raise ShapeError(f"{len(without)} queries have no right answer, first query {without[0]}; leave them out")
