"""One video being followed: all state is here, nothing on the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.trackers.isvos.bank import MemoryBank, Remembered
from onlooker.methods.trackers.isvos.config import MemoryConfig
from onlooker.methods.trackers.isvos.decoder import aggregate
from onlooker.methods.trackers.isvos.framing import Framing, checked_frame, labels_of
from onlooker.methods.trackers.isvos.model import FrameView, Isvos
from onlooker.methods.trackers.isvos.prompts import Mask, Prompt, check_prompts, masks_of, needs_proposals
from onlooker.types import Image

_OBJECTS_AT_ONCE = 16  # more would need more room than pictures of 480 pixels have on small machines; ours
_LARGEST_ID = 254  # 255 is void in mask files


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Where the objects are in one frame.

    Attributes:
        ids: K objects, in the order they were given.
        labels: (H, W) int64 of the frame: 0 for ground, else an id.
        soft: (K+1, h, w) probabilities at the network's own size, ground first.
        framing: how the frame lies in it.
    """

    ids: tuple[int, ...]
    labels: NDArray[np.int64]
    soft: Tensor
    framing: Framing

    @property
    def masks(self) -> dict[int, Mask]:
        """Id -> (H, W) bool; an object that is not seen has a mask of nothing."""
        return {number: self.labels == number for number in self.ids}

    @property
    def index_mask(self) -> NDArray[np.uint8]:
        """(H, W) uint8 as mask files hold it.

        Raises:
            ShapeError: an id above 254.
        """
        if max(self.ids, default=0) > _LARGEST_ID:
            raise ShapeError(f"mask files number objects 1 to {_LARGEST_ID}, got {max(self.ids)}; use `labels`")
        return self.labels.astype(np.uint8)

    def probabilities(self) -> NDArray[np.float32]:
        """(K+1, H, W) of the frame, ground first; sums are 1."""
        maps = list(self.framing.maps_to_picture(self.soft, self.labels.shape[:2]))
        return np.asarray(torch.stack(maps).cpu().numpy())


@dataclass(frozen=True)
class _Seen:
    """The latest frame, kept so that objects can be added on it."""

    picture: Tensor
    view: FrameView
    size: tuple[int, int]
    soft: Tensor  # (K, h, w) of the objects


class IsvosSession:
    """Follows objects through one video, frame after frame.

    Made by `IsvosSegmenter.start`. Frames of another size than the first are brought to the first one's; masks come
    back in the size of the frame they are of.

    Args:
        network: in evaluation mode.
        memory: bounds of what is remembered.
        short_side: longest short side, in pixels.
        frame: the first frame, RGB uint8 (H, W, 3).
        prompts: id -> mask, box or point. May be empty: objects can be added on later frames. An object with a mask of
            nothing is listed and never found, until `add` shows it.
    """

    def __init__(
        self, network: Isvos, memory: MemoryConfig, short_side: int, frame: Image, prompts: Mapping[int, Prompt]
    ) -> None:
        frame = checked_frame(frame)
        check_prompts(prompts, frame.shape[:2])
        self._network = network
        self._bank = MemoryBank(memory)
        self._framing = Framing.fit(frame.shape[:2], short_side)
        self._ids: list[int] = []
        self._frames = 0
        self._labels: NDArray[np.int64] = np.zeros(frame.shape[:2], np.int64)
        with torch.inference_mode():
            self._seen = self._look(frame, heads=needs_proposals(prompts))
            self._add(prompts)

    @property
    def ids(self) -> tuple[int, ...]:
        """Objects that are followed, in the order they were given."""
        return tuple(self._ids)

    @property
    def masks(self) -> dict[int, Mask]:
        """Id -> (H, W) bool on the latest frame."""
        return {number: self._labels == number for number in self._ids}

    @property
    def memory_bytes(self) -> int:
        """What the memory takes now."""
        return self._bank.n_bytes

    @property
    def memory_frames(self) -> int:
        """Frames in memory."""
        return self._bank.n_frames

    def step(self, frame: Image) -> dict[int, Mask]:
        """Masks on the next frame: id -> (H, W) bool, of nothing where the object is not seen.

        Raises:
            ShapeError: not RGB uint8.
        """
        return self.segment(frame).masks

    def segment(self, frame: Image) -> Segmentation:
        """The next frame, with probabilities."""
        frame = checked_frame(frame)
        self._frames += 1
        size = (frame.shape[0], frame.shape[1])
        with torch.inference_mode():
            self._seen = self._look(frame, heads=False)
            known = [number for number in self._ids if self._bank.knows(number)]
            soft = self._ask(known)  # (K+1, h, w)
            places = labels_of(self._framing.maps_to_picture(soft, size)).cpu().numpy()
            self._labels = np.array([0, *known], np.int64)[places]
            self._remember(soft[1:], known)
        return Segmentation(self.ids, self._labels, self._all_of(soft, known), self._framing)

    def add(self, prompts: Mapping[int, Prompt]) -> dict[int, Mask]:
        """More objects, as seen on the latest frame. Returns all masks on it.

        Raises:
            ConfigError: an object is followed already, or its first frame does not fit into memory.
            ShapeError: as at the start.
        """
        check_prompts(prompts, self._seen.size)
        again = [number for number in prompts if self._bank.knows(number)]
        if again:
            raise ConfigError(f"object {again[0]} is followed already; `remove` it first to show it anew")
        with torch.inference_mode():
            self._add(prompts)
        return self.masks

    def remove(self, number: int) -> None:
        """Follow an object no longer, and forget it.

        Raises:
            UnknownNameError: it is not followed.
        """
        if number not in self._ids:
            raise UnknownNameError("object", str(number), [str(known) for known in self._ids])
        place = self._ids.index(number)
        kept = [row for row in range(len(self._ids)) if row != place]
        self._ids.remove(number)
        self._bank.drop(number)
        self._labels = np.where(self._labels == number, 0, self._labels)
        self._seen = _Seen(self._seen.picture, self._seen.view, self._seen.size, self._seen.soft[kept])

    def cut(self) -> None:
        """The next frame belongs to another shot: what is only true of the moment before is forgotten. Objects are
        looked for as before; those that are not in the new shot get masks of nothing."""
        self._bank.forget_last()

    def _look(self, frame: Image, heads: bool) -> _Seen:
        device = next(self._network.parameters()).device
        picture = self._framing.picture_to_input(frame).to(device)
        nothing = picture.new_zeros(len(self._ids), *self._framing.input_size)
        return _Seen(picture, self._network.look(picture, heads), (frame.shape[0], frame.shape[1]), nothing)

    def _ask(self, known: list[int]) -> Tensor:
        """(K+1, h, w) probabilities of ground and the known objects on the latest frame."""
        view, each = self._seen.view, []
        for start in range(0, len(known), _OBJECTS_AT_ONCE):
            some = tuple(known[start : start + _OBJECTS_AT_ONCE])
            each.append(self._network.decode(view, self._bank.read(view.keys, some)[None])[0])
        apart = torch.cat(each) if each else self._seen.picture.new_zeros(0, *self._framing.input_size)
        return aggregate(apart[None]).softmax(dim=1)[0]

    def _remember(self, soft: Tensor, known: list[int]) -> None:
        """Store the latest frame if it is time to. An object that is not seen leaves no trace: "nowhere" would teach
        memory that it is ground."""
        self._seen = _Seen(self._seen.picture, self._seen.view, self._seen.size, self._in_order(soft, known))
        config = self._bank.config
        due = self._frames % config.every == 0
        visible = [place for place, number in enumerate(known) if (self._labels == number).any()]
        if not visible or not (due or config.keep_last):
            return
        entry = self._entry([known[place] for place in visible], soft, visible)
        if due:
            self._bank.forget_last()
            self._bank.store(entry)
        else:
            self._bank.store_last(entry)

    def _add(self, prompts: Mapping[int, Prompt]) -> None:
        if needs_proposals(prompts) and not self._has_classes():
            view = self._network.look(self._seen.picture, heads=True)
            self._seen = _Seen(self._seen.picture, view, self._seen.size, self._seen.soft)
        masks = masks_of(prompts, self._seen.size, self._framing, self._seen.view.instances)
        numbers = list(masks)
        given = np.stack(list(masks.values())) if masks else np.zeros((0, *self._seen.size), np.bool_)
        shown = self._framing.masks_to_input(torch.from_numpy(given.astype(np.float32)))[0].to(self._seen.picture)
        old = [row for row, number in enumerate(self._ids) if number not in masks]
        rest = self._seen.soft[old] * (1 - shown.sum(dim=0).clamp(0, 1))
        visible = [place for place, number in enumerate(numbers) if masks[number].any()]
        everything = torch.cat([rest, shown])
        if visible:
            rows = [len(old) + place for place in visible]
            self._bank.store_first(self._entry([numbers[place] for place in visible], everything, rows))
        self._ids = [self._ids[row] for row in old] + numbers
        self._labels = self._labels.copy()
        for number, mask in masks.items():
            self._labels[mask] = number
        self._seen = _Seen(self._seen.picture, self._seen.view, self._seen.size, everything)

    def _entry(self, numbers: list[int], soft: Tensor, rows: list[int]) -> Remembered:
        """The latest frame with the objects `numbers`, which are the `rows` of (K, h, w) masks."""
        masks = soft[rows][None]
        others = soft.sum(dim=0)[None, None] - masks
        view, encoder = self._seen.view, self._network.value_encoder
        parts = [
            encoder.encode(self._seen.picture, view.stages[2], masks[:, part], others[:, part])[0]
            for part in (slice(i, i + _OBJECTS_AT_ONCE) for i in range(0, len(rows), _OBJECTS_AT_ONCE))
        ]
        return Remembered.of(view.keys, tuple(numbers), torch.cat(parts))

    def _has_classes(self) -> bool:
        instances = self._seen.view.instances
        return instances is not None and bool(instances.class_logits)

    def _in_order(self, soft: Tensor, known: list[int]) -> Tensor:
        """(K, h, w) of the known objects as rows of all objects; zeros for those never seen."""
        found = soft.new_zeros(len(self._ids), *soft.shape[1:])
        found[[self._ids.index(number) for number in known]] = soft
        return found

    def _all_of(self, soft: Tensor, known: list[int]) -> Tensor:
        """The same with the ground in front."""
        return torch.cat([soft[:1], self._in_order(soft[1:], known)])
