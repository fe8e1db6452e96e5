"""The roles a model can play. The application knows these and nothing else about models.

Every implementation has `name` and `version`: results are keyed by them, and answers name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from onlooker.types import (
    BoxXYXY,
    Detections,
    FloatArray,
    Frame,
    Image,
    Judgement,
    SoundSegment,
    SpeechSegment,
    Tag,
    TextRegion,
    TrackingResult,
)

Waveform = NDArray[np.float32]
Prompt = NDArray[np.bool_] | BoxXYXY | tuple[float, float]
"""An object on a frame: a mask (H, W), a box, or a point (x, y), in pixels."""


@runtime_checkable
class Model(Protocol):
    """What all roles have in common."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


@runtime_checkable
class Detector(Model, Protocol):
    """Finds objects of known categories."""

    @property
    def categories(self) -> tuple[str, ...]: ...
    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` per image, all scores kept down to the detector's own floor (about 0.05)."""
        ...


@runtime_checkable
class SegmenterSession(Protocol):
    """One video being followed by a `Segmenter`; all its state."""

    @property
    def ids(self) -> tuple[int, ...]: ...
    @property
    def masks(self) -> Mapping[int, NDArray[np.bool_]]:
        """Id -> (H, W) on the latest frame."""
        ...

    def step(self, frame: Image) -> Mapping[int, NDArray[np.bool_]]:
        """Id -> (H, W) on the next frame; a mask of nothing where the object is not seen."""
        ...

    def add(self, prompts: Mapping[int, Prompt]) -> Mapping[int, NDArray[np.bool_]]:
        """More objects, as seen on the latest frame. Returns all masks on it.

        An object that was followed before and removed may be shown anew.
        """
        ...

    def remove(self, number: int) -> None:
        """Follow an object no longer."""
        ...

    def cut(self) -> None:
        """The next frame belongs to another shot."""
        ...


@runtime_checkable
class Segmenter(Model, Protocol):
    """Follows the masks of objects that were shown once."""

    def start(self, frame: Image, prompts: Mapping[int, Prompt]) -> SegmenterSession:
        """A new video, with the objects shown on its first frame; more can be added later.

        Ids are whole numbers from 1. All state is in the session: several may be open at once. Masks of one session
        should not share pixels; what needs them apart (MOTS, DAVIS) takes them apart itself.
        """
        ...


@runtime_checkable
class AppearanceEmbedder(Model, Protocol):
    """Maps crops to vectors that are near for the same object. Used by trackers and by search by example."""

    @property
    def dim(self) -> int: ...
    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32, unit length rows."""
        ...


@runtime_checkable
class TextEmbedder(Model, Protocol):
    """Maps text to vectors that are near for similar meaning."""

    @property
    def dim(self) -> int: ...
    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """(N, dim) float32, unit length rows."""
        ...


@runtime_checkable
class PictureTextEmbedder(AppearanceEmbedder, TextEmbedder, Protocol):
    """Pictures and texts in one space: a text can be held against pictures themselves, not only against their tags."""

    @property
    def similarity_scale(self) -> float:
        """Factor of cosines between a picture and several texts under which their softmax gives probabilities."""
        ...


@runtime_checkable
class Tagger(Model, Protocol):
    """Names what an image shows, from a fixed vocabulary."""

    def tag(self, images: Sequence[Image], top_k: int = 5) -> list[tuple[Tag, ...]]: ...


@runtime_checkable
class Captioner(Model, Protocol):
    """Describes an image in a sentence."""

    def caption(self, images: Sequence[Image], prompt: str | None = None) -> list[str]: ...


@runtime_checkable
class ActionRecogniser(Model, Protocol):
    """Names what is done in a clip.

    A clip is a list of RGB images in time order, all of one size, any number of them: the model takes what it needs.
    """

    def recognise(self, clips: Sequence[Sequence[Image]], top_k: int = 5) -> list[tuple[Tag, ...]]:
        """Per clip the likeliest actions, best first, with probabilities."""
        ...


@runtime_checkable
class ClipCaptioner(Model, Protocol):
    """Describes a clip, as `ActionRecogniser` takes it, in a sentence."""

    def caption_clips(self, clips: Sequence[Sequence[Image]], prompt: str | None = None) -> list[str]: ...


@runtime_checkable
class FaceFinder(Model, Protocol):
    """Finds faces."""

    def find(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` per image: boxes close around faces, in pixels of that image; none gives an empty one."""
        ...


@runtime_checkable
class AuthenticityJudge(Model, Protocol):
    """Says how likely pictures were manipulated. It never says that one is authentic."""

    @property
    def need(self) -> Literal["face", "crop"]:
        """What its pictures show: one face each with a margin around it, or an object's whole box."""
        ...

    @property
    def smallest_px(self) -> int:
        """Longer side of a face or object below which the number would mean nothing."""
        ...

    @property
    def threshold(self) -> float:
        """Probability from which something is said to look manipulated."""
        ...

    @property
    def tested_on(self) -> str:
        """On what its numbers were measured, in a few words to follow "tested on"; says where nobody measured."""
        ...

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture, at its own resolution."""
        ...


@runtime_checkable
class Transcriber(Model, Protocol):
    """Turns speech into text. `sample_rate` of the waveform is 16 kHz mono in [-1, 1]."""

    def transcribe(self, waveform: Waveform) -> list[SpeechSegment]: ...


@runtime_checkable
class SoundTagger(Model, Protocol):
    """Names sounds in a 16 kHz mono waveform."""

    def tag_sound(self, waveform: Waveform) -> list[SoundSegment]: ...


@runtime_checkable
class TextReader(Model, Protocol):
    """Reads text in an image."""

    def read(self, image: Image) -> list[TextRegion]: ...


@runtime_checkable
class Tracker(Model, Protocol):
    """Turns frames into tracklets. State lives in the tracker of one video; make a new one per video.

    `update` is fed every decoded frame in order and decides itself whether to run the detector on it. `finish` ends the
    video and returns everything it found.
    """

    def update(self, frame: Frame, new_shot: bool) -> None: ...
    def finish(self) -> TrackingResult: ...


@runtime_checkable
class LanguageModel(Model, Protocol):
    """Completes a chat. `messages` are ("system" | "user" | "assistant", text) pairs."""

    def complete(self, messages: Iterable[tuple[str, str]], max_tokens: int = 512) -> str: ...
