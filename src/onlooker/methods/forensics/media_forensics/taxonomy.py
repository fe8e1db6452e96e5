"""The survey's tables as data: manipulations, classes of detectors with what stands for them here, data sets with their
counts.

"Fighting Malicious Media Data: A Survey on Tampering Detection and Deepfake Detection", arXiv 2212.05667, Proceedings
of the IEEE 113(3), 2025. Counts are the survey's; a reader that finds others warns and never corrects either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from onlooker.errors import UnknownNameError


class Field(StrEnum):
    TAMPERING = "tampering detection"
    DEEPFAKE = "deepfake detection"


class Manipulation(StrEnum):
    """Kinds of manipulation; `family_of` says which field of the survey they are of."""

    SPLICE = "splice"
    COPY_MOVE = "copy_move"
    REMOVAL = "removal"
    OBJECT_EDITING = "object_editing"
    FACE_SYNTHESIS = "face_synthesis"
    ATTRIBUTE_EDITING = "attribute_editing"
    FACE_SWAP = "face_swap"
    REENACTMENT = "reenactment"
    SELF_BLENDED = "self_blended"  # a training surrogate, not of the survey's list


def family_of(manipulation: Manipulation) -> Field:
    tampering = (Manipulation.SPLICE, Manipulation.COPY_MOVE, Manipulation.REMOVAL, Manipulation.OBJECT_EDITING)
    return Field.TAMPERING if manipulation in tampering else Field.DEEPFAKE


class Standing(StrEnum):
    """How a class of the survey is covered here."""

    BUILT = "built"
    ELSEWHERE = "in another folder of this package"
    OWN_WEIGHTS = "by weights the user supplies"
    ABSENT = "not built"


@dataclass(frozen=True, slots=True)
class DetectorClass:
    """A row of the survey's table of detectors: `items` are names of `DETECTORS` or of methods here, `note` says what
    is missing."""

    name: str
    field: Field
    standing: Standing
    items: tuple[str, ...] = ()
    note: str = ""


_T, _D = Field.TAMPERING, Field.DEEPFAKE
DETECTOR_CLASSES: tuple[DetectorClass, ...] = (
    DetectorClass(
        "rules on compression", _T, Standing.BUILT, ("error_level", "jpeg_ghost", "double_quantisation", "block_grid")
    ),
    DetectorClass(
        "rules on noise",
        _T,
        Standing.BUILT,
        ("noise_level", "srm_residual"),
        "Noiseprint needs weights nobody may ship",
    ),
    DetectorClass("rules on acquisition", _T, Standing.BUILT, ("cfa",), "chromatic aberration is optional there"),
    DetectorClass("copy-move", _T, Standing.BUILT, ("copy_move_keypoints",), "block matching is optional there"),
    DetectorClass("statistical reference", _T, Standing.BUILT, ("prnu",)),
    DetectorClass("metadata", _T, Standing.BUILT, ("metadata",)),
    DetectorClass(
        "handcrafted features and a linear model", _T, Standing.BUILT, ("colour_statistics", "dct_statistics")
    ),
    DetectorClass(
        "deep, universal", _T, Standing.ELSEWHERE, ("objectformer",), "MVSS, PSCC, CAT-Net, TruFor: own weights"
    ),
    DetectorClass("deep copy-move", _T, Standing.ABSENT, (), "optional there"),
    DetectorClass("hybrid", _T, Standing.ABSENT, (), "optional there"),
    DetectorClass(
        "handcrafted, faces", _D, Standing.BUILT, ("colour_statistics",), "head pose needs a landmark network"
    ),
    DetectorClass("generator fingerprints", _D, Standing.BUILT, ("spectrum",), "co-occurrence matrices are not built"),
    DetectorClass(
        "deep, frames", _D, Standing.ELSEWHERE, ("m2tr",), "Xception, EfficientNet-B4: timm, trained by the user"
    ),
    DetectorClass(
        "generalisable", _D, Standing.ELSEWHERE, ("m2tr",), "trained on self-blended faces of `synth.forgeries`"
    ),
    DetectorClass("contrastive, attention, local relation, frequency", _D, Standing.ELSEWHERE, ("m2tr",)),
    DetectorClass(
        "video, biological", _D, Standing.ABSENT, (), "blink rate and heart signal need landmarks over seconds"
    ),
    DetectorClass("video, deep", _D, Standing.BUILT, ("frame_average",), "a temporal network is not built"),
    DetectorClass("audio and video", _D, Standing.ABSENT, (), "optional there"),
    DetectorClass("attribution", _D, Standing.ABSENT),
    DetectorClass(
        "interpretability", _T, Standing.BUILT, (), "every finding carries its evidence in words and numbers"
    ),
)


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """A data set of the survey.

    Attributes:
        name: its name there.
        field: which of the two.
        real, forged: pictures or videos; `None` where the survey gives none.
        unit: "image" or "video".
        manipulations: of tampering sets.
        methods: number of generators of deepfake sets.
        note: where sources disagree.
    """

    name: str
    field: Field
    real: int | None
    forged: int | None
    unit: str = "image"
    manipulations: tuple[Manipulation, ...] = ()
    methods: int | None = None
    note: str = ""


_S, _C, _R = Manipulation.SPLICE, Manipulation.COPY_MOVE, Manipulation.REMOVAL


def _tampered(name: str, real: int | None, forged: int | None, *kinds: Manipulation, note: str = "") -> DatasetCard:
    return DatasetCard(name, _T, real, forged, "image", kinds, None, note)


def _faked(name: str, real: int, forged: int, methods: int, unit: str = "video", note: str = "") -> DatasetCard:
    return DatasetCard(name, _D, real, forged, unit, (), methods, note)


DATASETS: tuple[DatasetCard, ...] = (
    _tampered("Columbia Gray", 933, 912, _S),
    _tampered("Columbia Color", 183, 180, _S),
    _tampered("MICC-F220", 110, 110, _C),
    _tampered("MICC-F600", 440, 160, _C),
    _tampered("MICC-F2000", 1300, 700, _C),
    _tampered("MICC-F8multi", None, 8, _C),
    _tampered("VIPP synthetic", 4800, 4800, _S),
    _tampered("VIPP realistic", 69, 69, _S),
    _tampered("CoMoFoD", 260, 260, _C),
    _tampered("CASIA v1", 800, 921, _S, _C),
    _tampered("CASIA v2", 7200, 5123, _S, _C),
    _tampered("Wild Web", 90, 9657, _S),
    _tampered("NC2016", 560, 564, _S, _C, _R),
    _tampered("NC2017", 2667, 1410, _S, _C, _R),
    _tampered("MFC2018", 14156, 3265),
    _tampered("MFC2019", 10279, 5750),
    _tampered("PS-Battles", 11142, 102028),
    _tampered("DEFACTO", None, 229000),
    _tampered("IMD2020", 35000, 35000, _S, _C, _R),
    _faked("UADFV", 49, 49, 1),
    _faked("DF-TIMIT LQ", 320, 320, 1),
    _faked("DF-TIMIT HQ", 320, 320, 1),
    _faked("DFD", 363, 3068, 5),
    _faked("Celeb-DF", 590, 5639, 1),
    _faked("FaceForensics++", 1000, 4000, 4, note="each in three qualities: RAW, C23, C40"),
    _faked("DFFD", 1000, 3000, 7),
    _faked("DeeperForensics-1.0", 1000, 5000, 5),
    _faked("DFDC", 23564, 104500, 8, note="the survey's table; see the preview set"),
    _faked("DFDC preview", 1131, 4113, 2, note="the survey's text gives these numbers for DFDC"),
    _faked("ForgeryNet", 99630, 121617, 15),
)


def find_dataset(name: str) -> DatasetCard:
    """By name, upper and lower case alike."""
    for card in DATASETS:
        if card.name.lower() == name.lower():
            return card
    raise UnknownNameError("data set of the survey", name, [card.name for card in DATASETS])
