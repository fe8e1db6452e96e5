"""What forgeries are drawn from. Numbers without a place are ours; the others are of the works named beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.synth.forgeries.values import KINDS

Range = tuple[float, float]
QualityRange = tuple[int, int]
History = Literal["own", "same", "none", "any"]
Chroma = Literal["4:2:0", "4:2:2", "4:4:4"]
MaskShape = Literal["polygon", "blob", "segment"]
Hosts = Literal["photos", "portraits", "small_faces"]
Fill = Literal["telea", "navier_stokes", "exemplar", "biharmonic"]
Content = Literal["photo", "noise", "constant", "text"]


def _check_range(name: str, found: tuple[float, float], least: float, most: float) -> None:
    if not least <= found[0] <= found[1] <= most:
        raise ConfigError(f"`{name}` is (least, most) within [{least:g}, {most:g}], got {found}")


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ConfigError(f"`{name}` is in [0, 1], got {share}")


@dataclass(frozen=True, slots=True)
class CompressionConfig:
    """Saves before and after the manipulation.

    Attributes:
        camera_quality: JPEG quality of the first save of every host, libjpeg's scale.
        camera_share: part of the items whose host has a first save at all; the same for both classes.
        aligned_share: part of the items where the grids of the first and the last save coincide; the same for both.
        final_quality: JPEG quality of the last save. `None`: saved without loss.
        chroma: samplings drawn from, for every save.
        donor: history of what is pasted: "own" (a quality and grid phase of its own), "none" (never compressed), "same"
            (the manipulation happens BEFORE the first save: every pixel has the same history, and compression says
            nothing), "any" (one of the three per item).
        crop_after_final: the tile is cut from a larger final save, so that its grid begins anywhere.
    """

    camera_quality: QualityRange = (55, 80)
    camera_share: float = 1.0
    aligned_share: float = 1.0
    final_quality: QualityRange | None = (75, 98)
    chroma: tuple[Chroma, ...] = ("4:2:0", "4:4:4")
    donor: History = "any"
    crop_after_final: bool = False

    def __post_init__(self) -> None:
        _check_range("camera_quality", self.camera_quality, 1, 100)
        if self.final_quality is not None:
            _check_range("final_quality", self.final_quality, 1, 100)
        _check_share("camera_share", self.camera_share)
        _check_share("aligned_share", self.aligned_share)
        if not self.chroma:
            raise ConfigError("`chroma` names at least one sampling")


@dataclass(frozen=True, slots=True)
class BlendConfig:
    """How something is pasted.

    Attributes:
        shapes: kinds of masks drawn from; "segment" follows edges of the donor.
        area: least and most part of the tile that a mask covers after clipping.
        scale, rotation_deg: of what is pasted; the rotation is up to plus or minus this.
        rigid_share: part of the pastes that are moved by whole pixels only.
        feather_px: standard deviation of the soft edge.
        colour_jitter: after matching mean and spread of the region in Lab, both vary by up to this part.
        poisson_share: part of the splices blended by `cv2.seamlessClone`.
        fills: ways of removal drawn from.
    """

    shapes: tuple[MaskShape, ...] = ("polygon", "blob", "segment")
    area: Range = (0.01, 0.30)
    scale: Range = (0.7, 1.4)
    rotation_deg: float = 15.0
    rigid_share: float = 0.3
    feather_px: Range = (0.5, 3.0)
    colour_jitter: float = 0.2
    poisson_share: float = 0.2
    fills: tuple[Fill, ...] = ("telea", "navier_stokes", "exemplar")

    def __post_init__(self) -> None:
        if not self.shapes or not self.fills:
            raise ConfigError("`shapes` and `fills` name at least one each")
        _check_range("area", self.area, 0.001, 0.6)
        _check_range("scale", self.scale, 0.25, 4)
        _check_range("feather_px", self.feather_px, 0, 8)
        _check_share("rigid_share", self.rigid_share)
        _check_share("poisson_share", self.poisson_share)
        if self.rotation_deg < 0 or not 0 <= self.colour_jitter < 1:
            raise ConfigError(f"`rotation_deg` is at least 0 and `colour_jitter` in [0, 1), got {self}")


@dataclass(frozen=True, slots=True)
class PostConfig:
    """What happens between manipulation and last save, to both classes alike; shares are drawn one by one.

    Attributes:
        resize_share, resize: resampled by a factor and back to the tile's size.
        blur_share, blur_px: Gaussian, by standard deviation.
        noise_share, noise_std: Gaussian, in grey levels.
        tone_share: brightness and contrast by up to 10 percent.
        launder_share: a social network's chain: downscaled, saved at 71 to 85 with 4:2:0, upscaled.
    """

    resize_share: float = 0.0
    resize: Range = (0.7, 0.95)
    blur_share: float = 0.0
    blur_px: Range = (0.3, 1.0)
    noise_share: float = 0.0
    noise_std: Range = (1.0, 5.0)
    tone_share: float = 0.0
    launder_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("resize_share", "blur_share", "noise_share", "tone_share", "launder_share"):
            _check_share(name, getattr(self, name))
        _check_range("resize", self.resize, 0.1, 4)
        _check_range("blur_px", self.blur_px, 0, 20)
        _check_range("noise_std", self.noise_std, 0, 100)


@dataclass(frozen=True, slots=True)
class CorruptionConfig:
    """Damage for blind inpainting, after the public re-implementation of VCNet (facts in FT-TDR's sheet, section 4).

    Attributes:
        strokes: number of brush strokes, inclusive.
        vertices: of a stroke.
        width: of a stroke, in parts of the tile's side.
        rectangle_share: part of the items damaged by rectangles instead of strokes.
        rectangles, rectangle_side: their number and side, in parts of the tile's side.
        area: least and most part of the tile that is damaged.
        contents: what is seen in the damaged region, drawn from; "text" is letters of one colour.
        matched_share: part of the items with content "photo" whose colours are brought to those of what they hide, so
            that colour alone does not tell (ours).
        smooth_edges: the content fades into the picture; False leaves the hard edge anybody can find.
    """

    strokes: tuple[int, int] = (1, 9)
    vertices: tuple[int, int] = (4, 18)
    width: Range = (0.02, 0.1)
    rectangle_share: float = 0.25
    rectangles: tuple[int, int] = (1, 4)
    rectangle_side: Range = (0.2, 0.8)
    area: Range = (0.01, 0.6)
    contents: tuple[Content, ...] = ("photo", "noise", "constant")
    matched_share: float = 0.5
    smooth_edges: bool = True

    def __post_init__(self) -> None:
        if not self.contents:
            raise ConfigError("`contents` names at least one")
        _check_range("strokes", self.strokes, 1, 50)
        _check_range("vertices", self.vertices, 2, 50)
        _check_range("width", self.width, 0.001, 1)
        _check_range("rectangles", self.rectangles, 1, 20)
        _check_range("rectangle_side", self.rectangle_side, 0.01, 1)
        _check_range("area", self.area, 0.001, 0.95)
        _check_share("rectangle_share", self.rectangle_share)
        _check_share("matched_share", self.matched_share)


_DEFAULT_KINDS: Mapping[str, float] = MappingProxyType({"splice": 1.0, "copy_move": 1.0, "removal": 1.0})


@dataclass(frozen=True, slots=True)
class ForgeryConfig:
    """Tiles of real photos, some of them manipulated.

    Attributes:
        size_px: side of the square tiles.
        authentic_share: part of the items that is untouched.
        kinds: kind -> weight among the manipulated.
        hosts: "photos" (any tile of any coloured photo), "portraits" (aligned faces, see `portrait_faces`), or
            "small_faces" (the grey 25-pixel faces of scikit-image, enlarged).
        compression, blend, post, corruption: what is drawn how.
    """

    size_px: int = 64
    authentic_share: float = 0.5
    kinds: Mapping[str, float] = field(default_factory=lambda: _DEFAULT_KINDS)
    hosts: Hosts = "photos"
    compression: CompressionConfig = field(default_factory=CompressionConfig)
    blend: BlendConfig = field(default_factory=BlendConfig)
    post: PostConfig = field(default_factory=PostConfig)
    corruption: CorruptionConfig = field(default_factory=CorruptionConfig)

    def __post_init__(self) -> None:
        if not 32 <= self.size_px <= 512 or self.size_px % 8:
            raise ConfigError(f"`size_px` is a multiple of 8 from 32 to 512, got {self.size_px}")
        _check_share("authentic_share", self.authentic_share)
        for name, weight in self.kinds.items():
            if name not in KINDS[1:]:
                raise UnknownNameError("kind of manipulation", name, KINDS[1:])
            if not weight >= 0:
                raise ConfigError(f"the weight of `{name}` is at least 0, got {weight}")
        if self.authentic_share < 1 and not sum(self.kinds.values()) > 0:
            raise ConfigError("`kinds` names at least one kind with a weight above 0")


# A tile's region is saved once, everything around it twice, and the first save was the stronger one: what double
# compression detectors are made for (recipe 7 of the sheet).
DOUBLE_JPEG = ForgeryConfig(
    kinds={"splice": 1.0},
    compression=CompressionConfig((50, 65), final_quality=(88, 95), chroma=("4:4:4",), donor="none"),
    blend=BlendConfig(feather_px=(0.5, 1.0), poisson_share=0.0),
)
# The same with the last save the stronger one: known to defeat those detectors.
DOUBLE_JPEG_HIDDEN = ForgeryConfig(
    kinds={"splice": 1.0},
    compression=CompressionConfig((90, 95), final_quality=(50, 65), chroma=("4:4:4",), donor="none"),
    blend=BlendConfig(feather_px=(0.5, 1.0), poisson_share=0.0),
)
# Manipulated before the first save: nothing is left for a detector that reads compression alone.
MATCHED_HISTORY = ForgeryConfig(kinds={"splice": 1.0}, compression=CompressionConfig(donor="same"))
FACE_FORGERIES = ForgeryConfig(hosts="portraits", kinds={"self_blended": 1.0})
