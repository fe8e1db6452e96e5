"""Damage out of pictures: `FtTdrRestorer`.

restorer = FtTdrRestorer("runs/fttdr")
restored = restorer.restore(image)  # uint8 or uint16, grey, RGB or RGBA, any size
restored.image, restored.mask, restored.probability, restored.difference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.ndimage import distance_transform_cdt

from onlooker.configs import config_from_dict, whole_number
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.media.marks import Mark
from onlooker.methods.forensics.fttdr.config import CONFIGS, FtTdrConfig
from onlooker.methods.forensics.fttdr.framing import (
    Field,
    Framing,
    Mask,
    Pixels,
    bands,
    blend,
    check_pixels,
    from_working,
    mask_to_working,
    plan_framing,
    to_working,
    window_weights,
)
from onlooker.methods.forensics.fttdr.model import FtTdr
from onlooker.methods.forensics.fttdr.weights import key_map
from onlooker.nn.device import check_device
from onlooker.weights.load import load_weights, locate_weights

_LEAST, _MOST = 0.001, 0.6
"""Parts of a picture: less is taken for nothing, more is told (sheet, section 5)."""
_AT_ONCE = 8  # windows in a batch
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Restored:
    """A picture after restoration. What is inside the mask is a guess, not what was there.

    Attributes:
        image: shape and type of the picture that came; outside `mask` every value is the one that came.
        mask: (H, W) bool, where the picture may have been changed.
        probability: (H, W) float32 in [0, 1], how likely damage is; 0 or 1 where a mask was given.
        difference: (H, W) of the picture's type, the largest change of any channel.
        mark: what a file with this picture must say of itself: `onlooker.media.marks.save_marked(image, path, mark)`.
        notes: what a reader must know ("71% of the picture look damaged ...").
    """

    image: Pixels
    mask: Mask
    probability: Field
    difference: Pixels
    mark: Mark
    notes: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        return bool(self.mask.any())


class FtTdrRestorer:
    """Finds damage in pictures and restores what it hides.

    Args:
        weights: a folder that training or `save_pretrained` wrote, or a file in our layout.
        config: name of a configuration; left out, the one beside the weights.
        short_side: pictures are scaled until their shorter side has so many pixels, at least the configuration's
            `image_size`, which is the default. Larger finds and draws finer things and takes longer.
        device: torch device.
        offline: refuse the network when `weights` is a hub name.

    Raises:
        ConfigError: no weights, or a setting out of range.
        WeightsError: the weights cannot be read, or do not fit.
    """

    name = "fttdr"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        short_side: int | None = None,
        device: str = "cpu",
        offline: bool = False,
    ) -> None:
        if weights is None:
            raise ConfigError(
                "there are no public FT-TDR weights to fetch: train some and give their folder, `weights`"
            )
        check_device(device)
        found = locate_weights(weights, offline=offline)
        chosen = _config(config, found.config, found.path)
        network = FtTdr(chosen)
        load_weights(network, found, key_map(chosen))
        self._set_up(network.to(device), short_side)

    @classmethod
    def from_network(cls, network: FtTdr, *, short_side: int | None = None) -> FtTdrRestorer:
        """Around a network at hand, which is put into evaluation mode."""
        made = cls.__new__(cls)
        made._set_up(network, short_side)
        return made

    def find(self, image: Pixels) -> Field:
        """How likely damage is, at the size the network works at; nothing is restored.

        Returns:
            (h, w) float32 in [0, 1]. Pictures of one size give maps of one size, whose means `restore_found` takes.

        Raises:
            ShapeError: not a picture.
        """
        check_pixels(image)
        framing = self._framing(image)
        return self._find(to_working(image, framing), framing)

    def restore_found(self, image: Pixels, likely: Field) -> Restored:
        """Restores what `likely`, made by `find`, says: for frames of a video, whose maps are averaged over time.

        Raises:
            ShapeError: not a picture, or a map of another size than `find` gives for it.
        """
        check_pixels(image)
        wanted = self._framing(image).padded
        if likely.shape != wanted or likely.dtype != np.float32:
            raise ShapeError(f"a map of this picture is {wanted} float32, got {likely.shape} {likely.dtype}")
        return self._restore(image, None, likely)

    def restore(self, image: Pixels, mask: Mask | None = None, boxes_xyxy_px: Sequence[Box] | None = None) -> Restored:
        """Restores one picture.

        Args:
            image: (H, W) grey, (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, upright; uint8 or uint16. Not changed.
            mask: (H, W) bool, restore exactly this instead of what is found.
            boxes_xyxy_px: look only here, at each box by itself, as at the aligned faces of training (square boxes with
                some room around the face serve best); boxes are cut off at the border. Left out, everywhere.

        Raises:
            ShapeError: not a picture, a mask of another size, or a box without a pixel in the picture.
        """
        check_pixels(image)
        if mask is not None and (mask.shape != image.shape[:2] or mask.dtype != np.bool_):
            raise ShapeError(f"a mask is {image.shape[:2]} bool, got {mask.shape} {mask.dtype}")
        if boxes_xyxy_px is None:
            return self._restore(image, mask)
        size = (image.shape[0], image.shape[1])
        made, changed = image.copy(), np.zeros(size, np.bool_)
        probability, notes = np.zeros(size, np.float32), []
        for box in boxes_xyxy_px:
            part = _pixels_of(box, size)
            found = self._restore(image[part], None if mask is None else mask[part])
            made[part][found.mask] = found.image[found.mask]
            changed[part] |= found.mask
            probability[part] = np.maximum(probability[part], found.probability)
            notes += [note for note in found.notes if note not in notes]
        return Restored(made, changed, probability, _difference(made, image), _mark(changed), tuple(notes))

    def _set_up(self, network: FtTdr, short_side: int | None) -> None:
        size = network.config.image_size
        self._short_side = whole_number("short_side", size if short_side is None else short_side, size)
        self._network, self.config = network.eval(), network.config

    def _framing(self, image: Pixels) -> Framing:
        return plan_framing((image.shape[0], image.shape[1]), self._short_side, self.config.image_size)

    def _restore(self, image: Pixels, mask: Mask | None, likely: Field | None = None) -> Restored:
        framing = self._framing(image)
        working = to_working(image, framing)
        notes: list[str] = []
        if mask is not None:
            likely = mask_to_working(mask, framing)
            cover, nothing = likely, not mask.any()
        else:
            likely = self._find(working, framing) if likely is None else likely
            cover, nothing = self._cover(likely, framing, notes)
            if not nothing and (image == image[:1, :1]).all():
                nothing = True
                notes.append("the picture is of one colour: nothing in it says what could be damaged; left as it is")
        raw = None if nothing else self._fill(working, (cover > 0).astype(np.float32), framing)
        return _put_together(image, mask, likely, None if raw is None else (raw, cover), framing, notes)

    def _cover(self, likely: Field, framing: Framing, notes: list[str]) -> tuple[Field, bool]:
        """How much of the restored picture shows at every place of the working size, and whether none should.

        1 where damage was found, falling to 0 over the pixels that the mask was grown by.
        """
        inside = likely[: framing.scaled[0], : framing.scaled[1]] >= self.config.threshold
        part = float(inside.mean())
        if part > _MOST:
            notes.append(f"{part:.0%} of the picture look damaged: little is left to restore it from")
        found = likely >= self.config.threshold
        if part < _LEAST:
            return np.zeros_like(likely), True
        away = distance_transform_cdt(~found, metric="chessboard").astype(np.float32)
        return np.clip(1 - away / (self.config.dilate_px + 1), 0, 1), False

    def _find(self, working: Field, framing: Framing) -> Field:
        """(h, w) probability of damage, windows averaged."""
        return self._windows(working, None, framing)[..., 0]

    def _fill(self, working: Field, mask: Field, framing: Framing) -> Field:
        """(h, w, 3) what the restored picture looks like, in [0, 1]; windows without damage are left out."""
        return self._windows(working, mask, framing)

    def _windows(self, working: Field, mask: Field | None, framing: Framing) -> Field:
        side = framing.window
        weights = window_weights(side)[..., None]
        total = np.zeros((*framing.padded, 1 if mask is None else 3), np.float32)
        weight = np.zeros((*framing.padded, 1), np.float32)
        cuts = [(slice(top, top + side), slice(left, left + side)) for top, left in framing.corners()]
        cuts = [cut for cut in cuts if mask is None or mask[cut].any()]
        for start in range(0, len(cuts), _AT_ONCE):
            batch = cuts[start : start + _AT_ONCE]
            made = self._run([working[cut] for cut in batch], None if mask is None else [mask[cut] for cut in batch])
            for cut, one in zip(batch, made, strict=True):
                total[cut] += weights * one
                weight[cut] += weights
        return np.asarray(total / np.maximum(weight, np.float32(1e-12)), np.float32)

    def _run(self, pictures: list[Field], masks: list[Field] | None) -> Field:
        """(B, S, S, 1) probabilities, or (B, S, S, 3) restored pictures where masks are given."""
        device = next(self._network.parameters()).device
        batch = torch.from_numpy(np.stack(pictures)).movedim(-1, 1).contiguous().to(device).clamp(0, 1)
        with torch.inference_mode():
            if masks is None:
                made = self._network.find(batch).sigmoid()
            else:
                given = torch.from_numpy(np.stack(masks))[:, None].to(device)
                made = self._network.fill(batch, given, torch.zeros_like(given)).raw
        return np.asarray(made.movedim(1, -1).float().cpu())


def _put_together(
    image: Pixels,
    given: Mask | None,
    likely: Field,
    found: tuple[Field, Field] | None,
    framing: Framing,
    notes: list[str],
) -> Restored:
    """Everything at the picture's own size; `found` is the restored picture and how much of it shows."""
    size = framing.size
    made, mask = image.copy(), np.zeros(size, np.bool_)
    probability = np.zeros(size, np.float32) if given is None else given.astype(np.float32)
    for rows in bands(framing):
        if given is None:
            probability[rows] = np.clip(from_working(likely, framing, rows), 0, 1)
        if found is None:
            continue
        raw, cover = found
        share = from_working(cover, framing, rows) if given is None else given[rows].astype(np.float32)
        mask[rows] = share > 0
        if mask[rows].any():
            made[rows] = blend(image[rows], from_working(raw, framing, rows), np.clip(share, 0, 1))
    return Restored(made, mask, probability, _difference(made, image), _mark(mask), tuple(notes))


def _difference(made: Pixels, image: Pixels) -> Pixels:
    apart = cv2.absdiff(made, image)
    largest: Pixels = apart if image.ndim == 2 else apart.reshape(*image.shape[:2], -1).max(axis=2)
    return largest


def _pixels_of(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a box, cut off at the border."""
    x1, y1, x2, y2 = box
    if not np.isfinite(box).all():
        raise ShapeError(f"a box is (x1, y1, x2, y2) in pixels, got {box}")
    top, bottom = max(0, round(y1)), min(size[0], round(y2))
    left, right = max(0, round(x1)), min(size[1], round(x2))
    if top >= bottom or left >= right:
        raise ShapeError(f"the box {box} holds no pixel of a picture of {size[1]}x{size[0]}")
    return slice(top, bottom), slice(left, right)


def _mark(mask: Mask) -> Mark:
    tool, part = f"Onlooker {metadata.version('onlooker')} (fttdr)", float(mask.mean())
    return Mark("restored", tool, f"{part:.2%} of the pixels were filled in by a network: a guess, not a record")


def _config(name: str | None, stored: Mapping[str, object] | None, path: Path) -> FtTdrConfig:
    if name is not None:
        if name not in CONFIGS:
            raise UnknownNameError("configuration of `fttdr`", name, CONFIGS)
        return CONFIGS[name]
    if stored is None:
        raise ConfigError(f"no configuration lies beside `{path}`; name one with `config=`")
    return config_from_dict(FtTdrConfig, stored)
