"""Follows the masks of given objects with SAM 2, frame by frame.

SAM 2 (Ravi et al. 2024, arXiv 2408.00714) remembers of every object the frames on which it was shown, the last few
others, and a pointer of some more. transformers runs one object after the other and keeps everything it ever computed;
here every object has a session of its own, so that it can go or be shown anew alone, all sessions share the features of
the present frame, and what no later frame reads is thrown away: memory does not grow with the video.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import Sam2VideoModel, Sam2VideoProcessor
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceCache, Sam2VideoInferenceSession

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.models.boxes import check_image
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import BoxXYXY, FloatArray, Image

Mask = NDArray[np.bool_]
Prompt = Mask | BoxXYXY | tuple[float, float]
_CERTAIN = np.float32(1e6)  # over every logit: a mask that was given is true


class Sam2Segmenter(HubModel):
    """Promptable video segmentation from a hub name or a local folder.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.

    Raises:
        ConfigError: the device cannot be used.
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(self, model: str, revision: str = "main", offline: bool = False, device: str = "cpu") -> None:
        super().__init__(model, revision, offline, device)
        self._processor = load_part(self._folder, Sam2VideoProcessor.from_pretrained)
        self._network = load_network(self._folder, Sam2VideoModel, self._device)

    def start(self, frame: Image, prompts: Mapping[int, Prompt]) -> Sam2Session:
        """A new video.

        Args:
            frame: the frame on which objects are shown, RGB uint8 (H, W, 3).
            prompts: id -> mask (H, W) bool, box (x1, y1, x2, y2) or point (x, y), in pixels of the frame; may be empty.

        Raises:
            ShapeError: not a frame, or a prompt that does not fit it.
            ConfigError: an id below 1.
        """
        return Sam2Session(self._network, self._processor, self._device, frame, prompts)


class Sam2Session:
    """One video being followed; all state is here. Made by `Sam2Segmenter.start`.

    Masks do not overlap: where two objects claim a pixel, the surer one has it.
    """

    def __init__(
        self,
        network: Sam2VideoModel,
        processor: Sam2VideoProcessor,
        device: torch.device,
        frame: Image,
        prompts: Mapping[int, Prompt],
    ) -> None:
        self._network, self._processor, self._device = network, processor, device
        self._objects: dict[int, Sam2VideoInferenceSession | None] = {}
        self._place = 0
        self._look(frame)
        self.add(prompts)

    @property
    def ids(self) -> tuple[int, ...]:
        """Objects that are followed, in the order they were given."""
        return tuple(self._objects)

    @property
    def masks(self) -> dict[int, Mask]:
        """Id -> (H, W) bool on the latest frame."""
        return {number: self._owners == number for number in self._objects}

    def step(self, frame: Image) -> dict[int, Mask]:
        """Masks on the next frame: id -> (H, W) bool, of nothing where the object is not seen.

        Raises:
            ShapeError: not RGB uint8.
        """
        self._look(frame)
        for number, memory in self._objects.items():
            if memory is not None:
                self._claim(number, self._run(memory))
        return self.masks

    def add(self, prompts: Mapping[int, Prompt]) -> dict[int, Mask]:
        """More objects, as seen on the latest frame. Returns all masks on it.

        Raises:
            ConfigError: an object is followed already, or its id is below 1.
            ShapeError: a prompt that does not fit the frame.
        """
        again = [number for number in prompts if self._objects.get(number) is not None]
        if again:
            raise ConfigError(f"object {again[0]} is followed already; `remove` it first to show it anew")
        for number, prompt in prompts.items():
            _check_prompt(number, prompt, self._size)
        order = dict.fromkeys([*self._objects, *prompts])
        # Of given masks that overlap, the smaller one has the pixels: it comes last.
        for number in sorted(prompts, key=lambda number: -_pixels(prompts[number])):
            self._objects[number] = self._show(number, prompts[number])
        self._objects = {number: self._objects[number] for number in order}
        return self.masks

    def remove(self, number: int) -> None:
        """Follow an object no longer, and forget it.

        Raises:
            UnknownNameError: it is not followed.
        """
        if number not in self._objects:
            raise UnknownNameError("object", str(number), [str(known) for known in self._objects])
        del self._objects[number]
        mine = self._owners == number
        self._owners[mine], self._claims[mine] = 0, 0.0

    def cut(self) -> None:
        """The next frame belongs to another shot: only the frames on which objects were shown are remembered."""
        for memory in self._objects.values():
            if memory is not None:
                memory.output_dict_per_obj[0]["non_cond_frame_outputs"].clear()

    def _look(self, frame: Image) -> None:
        check_image(frame)
        self._place += 1
        self._size = (frame.shape[0], frame.shape[1])
        inputs = self._processor(images=frame, input_data_format="channels_last", return_tensors="pt")
        self._pixels: Tensor = inputs["pixel_values"].to(self._device)  # (1, 3, h, w)
        # Filled by the first object that is run on this frame, read by all others.
        self._features = Sam2VideoInferenceCache(self._device, self._device, 1)
        self._owners = np.zeros(self._size, np.int64)
        self._claims = np.zeros(self._size, np.float32)

    def _show(self, number: int, prompt: Prompt) -> Sam2VideoInferenceSession | None:
        """The memory of a new object; `None` for one whose mask is of nothing, which is listed and never found."""
        mask = _as_mask(prompt)
        if mask is not None and not mask.any():
            return None
        memory: Sam2VideoInferenceSession = self._processor.init_video_session(inference_device=self._device)
        if mask is not None:
            self._prompt(memory, number, input_masks=[mask])
            if not memory.mask_inputs_per_obj[0][self._place].any():  # too small for the size of the network
                self._prompt(memory, number, input_boxes=[[list(_box_around(mask))]])
            self._run(memory)
            self._claim(number, np.where(mask, _CERTAIN, np.float32(0)))
            return memory
        if len(prompt) == 4:
            self._prompt(memory, number, input_boxes=[[[float(edge) for edge in prompt]]])
        else:
            self._prompt(memory, number, input_points=[[[[float(x) for x in prompt]]]], input_labels=[[[1]]])
        self._claim(number, self._run(memory))
        return memory

    def _prompt(self, memory: Sam2VideoInferenceSession, number: int, **inputs: object) -> None:
        self._processor.add_inputs_to_inference_session(
            inference_session=memory, frame_idx=self._place, obj_ids=number, original_size=self._size, **inputs
        )

    def _run(self, memory: Sam2VideoInferenceSession) -> FloatArray:
        """(H, W) logits of an object on the latest frame."""
        memory.cache = self._features
        with torch.inference_mode():
            found = self._network(inference_session=memory, frame=self._pixels, frame_idx=self._place)
            masks = found.pred_masks.reshape(1, 1, *found.pred_masks.shape[-2:])
            (logits,) = self._processor.post_process_masks([masks], [list(self._size)], binarize=False)
        self._thin(memory)
        return np.asarray(logits[0, 0].float().cpu().numpy())

    def _claim(self, number: int, logits: FloatArray) -> None:
        won = (logits > 0) & (logits >= self._claims)
        self._owners[won] = number
        self._claims[won] = logits[won]

    def _thin(self, memory: Sam2VideoInferenceSession) -> None:
        """Drops what no later frame reads."""
        config, following = self._network.config, self._place + 1
        memory.processed_frames.clear()
        memory.frames_tracked_per_obj[0].clear()
        outputs = memory.output_dict_per_obj[0]
        for entry in (*outputs["cond_frame_outputs"].values(), *outputs["non_cond_frame_outputs"].values()):
            entry.pop("high_res_masks", None)
            entry.pop("pred_masks", None)
        later = outputs["non_cond_frame_outputs"]
        for place in [p for p in later if following - p >= config.num_maskmem]:
            later[place].pop("maskmem_features", None)
            later[place].pop("maskmem_pos_enc", None)
            if following - place >= config.max_object_pointers_in_encoder:
                del later[place]


def _check_prompt(number: int, prompt: Prompt, size: tuple[int, int]) -> None:
    """Raises before anything is computed."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ConfigError(f"objects are numbered from 1, got `{number!r}`")
    mask = _as_mask(prompt)
    if mask is not None:
        if mask.shape != size or mask.dtype != np.bool_:
            raise ShapeError(f"the mask of object {number} must be bool {size}, got {mask.dtype} {mask.shape}")
        return
    values = np.asarray(prompt, np.float64)
    if values.shape not in ((4,), (2,)) or not np.isfinite(values).all():
        raise ShapeError(f"object {number} needs a mask, a box of 4 or a point of 2 numbers, got {prompt!r}")
    height, width = size
    x1, y1, x2, y2 = values if len(values) == 4 else (*values, *(values + 1))
    if x1 >= x2 or y1 >= y2:
        raise ShapeError(f"the box of object {number} needs x1 < x2 and y1 < y2, got {tuple(values.tolist())}")
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise ShapeError(f"object {number} at {tuple(values.tolist())} lies outside the frame of {width}x{height}")


def _as_mask(prompt: Prompt) -> Mask | None:
    """The prompt if it is a mask; a row of numbers is a box or a point, in an array as in a tuple."""
    return prompt if isinstance(prompt, np.ndarray) and prompt.ndim == 2 else None


def _pixels(prompt: Prompt) -> int:
    mask = _as_mask(prompt)
    return 0 if mask is None else int(mask.sum())


def _box_around(mask: Mask) -> BoxXYXY:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
