"""Copy-move by keypoints: the same detail twice in one picture, many times under one map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from onlooker.methods.forensics.media_forensics.rules.blocks import box_mean
from onlooker.methods.forensics.media_forensics.samples import Finding, Need, Refusal, Sample
from onlooker.types import FloatArray, Image

_LEAST_PX = 48
_LEAST_CONTRAST = 0.01
_SAME_BRIGHTNESS = 12.0  # grey levels
_Pairs = np.ndarray[tuple[int, int], np.dtype[np.intp]]


class _Keypoints(NamedTuple):
    """`places` (P, 2) x and y, `descriptors` (P, 128)."""

    places: FloatArray
    descriptors: FloatArray


@dataclass(frozen=True, eq=False)
class _Copy:
    """`matrix` (2, 3) from one place to the other, and the matches that agree with it."""

    matrix: FloatArray
    n_matches: int


@dataclass(frozen=True, slots=True)
class CopyMoveKeypoints:
    """SIFT keypoints matched within one picture, grouped by maps of turn, scale and shift (RANSAC), and grown to
    regions where the picture agrees with itself under the map. Amerini et al. 2011.

    BOTH places are marked: which of them is the copy cannot be told from their agreement.

    Attributes:
        least_matches: that agree with one map; fewer are chance.
        ratio: a match is taken when the next candidate is this much farther.
        least_shift_px: nearer matches are neighbours on an edge.
        agreement: correlation that counts as the same detail.
        least_part: of the picture that must agree with itself under a map.
        most_copies: maps reported.
    """

    least_matches: int = 5
    ratio: float = 0.75
    least_shift_px: float = 12.0
    agreement: float = 0.95
    least_part: float = 0.006
    most_copies: int = 3
    name: str = "copy_move_keypoints"
    requires: frozenset[Need] = frozenset({Need.RGB})
    known_failures: str = (
        "windows, tiles, print and symmetric things repeat by themselves; smooth regions have no keypoints to match"
    )

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return Refusal(f"pictures below {_LEAST_PX} pixels a side have too few keypoints")
        grey = cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY)
        regions = [(copy, self._region(grey, copy.matrix)) for copy in self._copies(grey)]
        # Matches alone are details that look alike; a copy also agrees between them.
        copies = [copy for copy, region in regions if float((region > 0).mean()) >= self.least_part]
        heat = np.zeros(grey.shape, np.float32)
        for copy, region in regions:
            if copy in copies:
                heat = np.maximum(heat, region)
        matches = sum(copy.n_matches for copy in copies)
        told = (
            f"{matches} details appear twice under {len(copies)} map(s); both places are marked"
            if copies
            else "no group of details appears twice"
        )
        score = 1.0 - 0.5 ** (matches / self.least_matches) if copies else 0.0
        return Finding(score, heat, told, {"matches": float(matches), "copies": float(len(copies))})

    def _copies(self, grey: Image) -> list[_Copy]:
        """Maps from one place to another, mirrored ones (found between the picture and its mirror image) last."""
        own = _keypoints(grey)
        mirrored = _keypoints(np.ascontiguousarray(grey[:, ::-1]))
        width = grey.shape[1]
        copies = self._grouped(own, own, None)
        return (copies + self._grouped(own, mirrored, width))[: self.most_copies]

    def _grouped(self, own: _Keypoints, other: _Keypoints, mirror_width: int | None) -> list[_Copy]:
        if min(len(own.places), len(other.places)) < 2 * self.least_matches:
            return []
        pairs = self._matches(own, other, mirror_width)
        copies: list[_Copy] = []
        while len(pairs) >= self.least_matches and len(copies) < self.most_copies:
            first, second = own.places[pairs[:, 0]], other.places[pairs[:, 1]]
            cv2.setRNGSeed(0)  # RANSAC draws from OpenCV's own generator
            matrix, inside = cv2.estimateAffinePartial2D(first, second, ransacReprojThreshold=3.0, maxIters=2000)
            if matrix is None or inside is None:
                break
            agree = inside.ravel().astype(bool)
            if agree.sum() < self.least_matches:
                break
            scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
            if 0.4 <= scale <= 2.5 and _is_spread(first[agree]):
                if mirror_width is not None:
                    matrix = np.array([[-1, 0, mirror_width - 1], [0, 1, 0]]) @ np.vstack([matrix, [0, 0, 1]])
                copies.append(_Copy(np.asarray(matrix, np.float32), int(agree.sum())))
            pairs = pairs[~agree]
        return copies

    def _matches(self, own: _Keypoints, other: _Keypoints, mirror_width: int | None) -> _Pairs:
        """(M, 2) pairs of keypoints. Within one picture the upper left one comes first, so that the matches of a copy
        agree on one direction; so they do between the picture and its mirror image, where either end is found twice."""
        there = other.places.copy()
        if mirror_width is not None:
            there[:, 0] = mirror_width - 1 - there[:, 0]
        pairs: set[tuple[int, int]] = set()
        for row in cv2.BFMatcher(cv2.NORM_L2).knnMatch(own.descriptors, other.descriptors, k=10):
            # Keypoints at one place with several directions are no match, and no rivals.
            here = own.places[row[0].queryIdx]
            others = [m for m in row if np.hypot(*(there[m.trainIdx] - here)) >= self.least_shift_px]
            if not others:
                continue
            best = there[others[0].trainIdx]
            rivals = [m.distance for m in others if np.hypot(*(there[m.trainIdx] - best)) >= self.least_shift_px]
            if others[0].distance >= self.ratio * (rivals[0] if rivals else others[-1].distance):
                continue
            a, b = others[0].queryIdx, others[0].trainIdx
            if mirror_width is None:
                a, b = sorted((a, b), key=lambda k: (float(own.places[k][1]), float(own.places[k][0])))
            elif (best[1], best[0]) < (here[1], here[0]):
                continue  # the other end is found as well
            pairs.add((a, b))
        return np.array(sorted(pairs), np.intp).reshape(-1, 2)

    def _region(self, grey: Image, matrix: FloatArray) -> FloatArray:
        """Where the picture agrees with itself under the map, at both ends, as agreement in [0, 1]."""
        size = grey.shape[1], grey.shape[0]
        own = grey.astype(np.float32)
        agreement = np.zeros(grey.shape, np.float32)
        rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
        for there in (matrix, cv2.invertAffineTransform(matrix).astype(np.float32)):
            moved = cv2.warpAffine(own, there, size, flags=cv2.INTER_LINEAR, borderValue=0)
            seen = cv2.warpAffine(np.ones_like(own), there, size, flags=cv2.INTER_NEAREST, borderValue=0)
            # Near the axis of a mirrored map, or the middle of a turn, a place is compared with itself.
            x = there[0, 0] * columns + there[0, 1] * rows + there[0, 2] - columns
            y = there[1, 0] * columns + there[1, 1] * rows + there[1, 2] - rows
            apart = np.hypot(x, y) >= self.least_shift_px
            # A copy has the same brightness, not only the same pattern.
            alike = np.abs(box_mean(own - moved, 9)) < _SAME_BRIGHTNESS
            agreement = np.maximum(agreement, _correlation(own, moved, 9) * seen * apart * alike)
        strong = (agreement > self.agreement).astype(np.uint8)
        strong = cv2.morphologyEx(strong, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        strong = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        return np.asarray(np.clip(agreement, 0, 1) * strong, np.float32)


def _keypoints(grey: Image) -> _Keypoints:
    points, descriptors = cv2.SIFT.create(nfeatures=3000, contrastThreshold=_LEAST_CONTRAST).detectAndCompute(
        grey, None
    )
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    found = np.zeros((0, 128), np.float32) if descriptors is None else np.asarray(descriptors, np.float32)
    return _Keypoints(places, found)


def _is_spread(places: FloatArray) -> bool:
    """Matches cover an area: those on one line are an edge or a railing."""
    away = places - places.mean(axis=0)
    values = np.linalg.svd(away, compute_uv=False)
    return bool(values[1] > 0.05 * values[0] and values[1] > 2.0)


def _correlation(a: FloatArray, b: FloatArray, window_px: int) -> FloatArray:
    """Local normalised correlation; 0 where either is flat."""
    mean_a, mean_b = box_mean(a, window_px), box_mean(b, window_px)
    variance_a = np.maximum(box_mean(a * a, window_px) - mean_a**2, 0)
    variance_b = np.maximum(box_mean(b * b, window_px) - mean_b**2, 0)
    covariance = box_mean(a * b, window_px) - mean_a * mean_b
    below = np.sqrt(variance_a * variance_b)
    return np.asarray(np.where(below > 4.0, covariance / np.maximum(below, 1e-3), 0), np.float32)
