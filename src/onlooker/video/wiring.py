"""Turns settings into objects. The only module of the application that reaches for models, through `catalogue`.

Nothing is built until a stage needs it: a second ingest of a finished file, or a question, builds no model at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from onlooker import catalogue
from onlooker.errors import ConfigError
from onlooker.nn.device import check_device
from onlooker.video.masks.config import MaskConfig
from onlooker.weights.verify import sha256_of

if TYPE_CHECKING:
    from onlooker.video.attributes.registry import ModelHandle
    from onlooker.video.ingest.pipeline import Toolbox
    from onlooker.video.masks.stage import MaskStage
    from onlooker.video.protocols import Detector, Model, TextEmbedder, Tracker
    from onlooker.video.tracklets.config import TrackletConfig

Option = str | int | float | bool
M = TypeVar("M")
# Roles that have implementations, usable from Python, and no stage that asks for them.
_IDLE_ROLES = ("language_model",)


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """One implementation picked for a role by hand, with its options."""

    name: str
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides how a video is read.

    Attributes:
        profile: row of `catalogue.PROFILES` that fills every role not set by hand.
        roles: roles set by hand (`--set detector=rtdetr_v2:threshold=0.4`); the name "none" switches a role off.
        detector_hz: how often per second of video the detector looks at a moving scene. Higher is slower.
        offline: refuse any network access.
        device: "cpu", "cuda" or "mps", handed to models that take one.
        crops_per_tracklet: views of a tracklet its look vector is made from, the best ones first; all that were kept
            when `None`. Fewer are cheaper: the cost is one forward of the appearance embedder each.
        masks: how a segmenter, where that role is filled, is led by the boxes of tracklets.
    """

    profile: str = "bundled"
    roles: Mapping[str, RoleChoice] = field(default_factory=dict)
    detector_hz: float | None = None
    offline: bool = False
    device: str = "cpu"
    crops_per_tracklet: int | None = None
    masks: MaskConfig = field(default_factory=MaskConfig)

    def __post_init__(self) -> None:
        if self.crops_per_tracklet is not None and self.crops_per_tracklet < 1:
            raise ConfigError(f"`crops_per_tracklet` is at least 1, got {self.crops_per_tracklet}")
        if self.detector_hz is not None and not 0.05 <= self.detector_hz <= 240:
            raise ConfigError(f"`detector_hz` must be between 0.05 and 240, got {self.detector_hz}")


def parse_role_choice(text: str) -> tuple[str, RoleChoice]:
    """Reads `ROLE=NAME[:KEY=VALUE[,KEY=VALUE...]]`, the argument of `--set`.

    Raises:
        ConfigError: the text does not follow that form.
    """
    role, equals, rest = text.partition("=")
    name, _, options = rest.partition(":")
    if not (equals and role.strip() and name.strip()):
        raise ConfigError(f"expected ROLE=NAME or ROLE=NAME:KEY=VALUE,..., got `{text}`")
    parsed: dict[str, Option] = {}
    for pair in filter(None, options.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"expected KEY=VALUE after `{name}:`, got `{pair}` in `{text}`")
        parsed[key.strip()] = _parse_value(value.strip())
    return role.strip(), RoleChoice(name.strip(), parsed)


def _parse_value(text: str) -> Option:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (bool, int, float, str)) else text


class ModelPool:
    """The models of one session, each built at most once, when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._built: dict[str, Model] = {}
        self._contents: dict[Path, str] = {}
        self._choices = self._resolve()
        check_device(settings.device)

    def _resolve(self) -> dict[str, RoleChoice]:
        roles = {role: RoleChoice(name) for role, name in catalogue.profile(self.settings.profile).items()}
        for role, choice in self.settings.roles.items():
            catalogue.check_role(role)
            if role in _IDLE_ROLES:
                raise ConfigError(
                    f"no stage of the application uses the role `{role}` yet, so setting it would change nothing; "
                    f'take the model itself with `onlooker.catalogue.create("{role}", "{choice.name}", {{...}})`'
                )
            roles[role] = choice
        filled = {role: choice for role, choice in roles.items() if choice.name != "none"}
        if "segmenter" not in filled and self.settings.masks != MaskConfig():
            raise ConfigError("how masks are made was set, but nothing makes any; add --set segmenter=NAME")
        return filled

    def has(self, role: str) -> bool:
        """Whether any implementation fills the role."""
        return role in self._choices

    def fingerprint(self, role: str) -> str:
        """`name@version` with options, known without building the model: results are keyed by it.

        Raises:
            ConfigError: the profile leaves the role empty.
        """
        choice = self._chosen(role)
        entry = catalogue.find_role_entry(role, choice.name)
        options = json.dumps(dict(choice.options), sort_keys=True) if choice.options else ""
        options += self._content(choice.options.get("weights")) + self._content(choice.options.get("calibration"))
        digest = "+" + hashlib.sha256(options.encode()).hexdigest()[:8] if options else ""
        return f"{entry.name}@{entry.version}{digest}"

    def _content(self, weights: Option | None) -> str:
        """Digest of weights on this disk, with what was measured of them: a folder that was trained on is another model
        under the same path."""
        path = Path(str(weights)).expanduser() if weights is not None else None
        if path is None or not path.exists():
            return ""
        if path not in self._contents:
            inside = path.iterdir() if path.is_dir() else (path, path.with_name("calibration.json"))  # judges read it
            files = sorted(file for file in inside if file.is_file())
            digests = "".join(file.name + sha256_of(file) for file in files)
            self._contents[path] = hashlib.sha256(digests.encode()).hexdigest()
        return self._contents[path]

    def get(self, role: str, kind: type[M]) -> M:
        """The model of a role.

        Raises:
            ConfigError: the profile leaves the role empty.
        """
        choice = self._chosen(role)
        if role not in self._built:
            twin = self._twin(role)
            options = self._options(role, choice)
            self._built[role] = twin or cast("Model", catalogue.create(role, choice.name, options))
        return cast("M", self._built[role])

    def _twin(self, role: str) -> Model | None:
        """A model built for another role that is the very same one: large ones are held in memory once."""
        wanted = self._recipe(role)
        return next((model for other, model in self._built.items() if self._recipe(other) == wanted), None)

    def _recipe(self, role: str) -> tuple[str, dict[str, Option]]:
        """What decides a model: its factory and all options."""
        choice = self._chosen(role)
        entry = catalogue.find_role_entry(role, choice.name)
        return entry.factory, {**dict(entry.defaults), **self._options(role, choice)}

    def _chosen(self, role: str) -> RoleChoice:
        if role not in self._choices:
            raise ConfigError(
                f"no model fills the role `{role}` in profile `{self.settings.profile}`; "
                f"pick one with --set {role}=NAME"
            )
        return self._choices[role]

    def _options(self, role: str, choice: RoleChoice) -> dict[str, Option]:
        """The options of the choice, plus the session's device and offline switch where the factory takes them."""
        entry = catalogue.find_role_entry(role, choice.name)
        shared: dict[str, Option] = {"offline": self.settings.offline, "device": self.settings.device}
        options = {**{k: v for k, v in shared.items() if k in entry.session_options}, **choice.options}
        check_device(options.get("device", "cpu"))
        return options

    def release(self, role: str) -> None:
        """Forgets the model of a role: its memory is free once nobody uses it; `get` builds it anew."""
        self._built.pop(role, None)

    def tracker(self, detector: Detector | None = None) -> Tracker:
        """A new tracker: its state belongs to one video. The role `tracker`, where it is filled, stands in for detector
        and association together.

        Args:
            detector: for the association to use in place of the pool's own.
        """
        if self.has("tracker"):
            choice = self._chosen("tracker")
            return cast("Tracker", catalogue.create("tracker", choice.name, self._options("tracker", choice)))
        from onlooker.video.protocols import AppearanceEmbedder, Detector
        from onlooker.video.tracklets import TrackletTracker

        embedder = self.get("appearance_embedder", AppearanceEmbedder) if self.has("appearance_embedder") else None  # type: ignore[type-abstract]
        used = detector or self.get("detector", Detector)  # type: ignore[type-abstract]
        return TrackletTracker(used, embedder, self.tracker_config())

    def tracker_config(self) -> TrackletConfig:
        """The tracker's configuration with the session's detector rate."""
        from onlooker.video.tracklets.config import SamplingConfig, TrackletConfig

        rate = self.settings.detector_hz
        if rate is None:
            return TrackletConfig()
        return TrackletConfig(
            sampling=SamplingConfig(detector_hz=rate, minimum_hz=min(rate, SamplingConfig().minimum_hz))
        )

    def tracker_fingerprint(self) -> str:
        """Name of everything that decides the tracklets of a video."""
        if self.has("tracker"):
            return self.fingerprint("tracker")
        from onlooker.video.tracklets import TrackletTracker

        rate = "" if self.settings.detector_hz is None else f"@{self.settings.detector_hz:g}Hz"
        embedder = self.fingerprint("appearance_embedder") if self.has("appearance_embedder") else "none"
        return f"tracklets@{TrackletTracker.version}{rate}|{self.fingerprint('detector')}|{embedder}"

    def text_embedder(self) -> TextEmbedder:
        """The model behind open-vocabulary search."""
        from onlooker.video.protocols import TextEmbedder

        return self.get("text_embedder", TextEmbedder)  # type: ignore[type-abstract]

    def handle(self, role: str, kind: type[M]) -> ModelHandle[M] | None:
        """The model of a role by name and version, not built yet; `None` where the role is empty."""
        from onlooker.video.attributes.registry import ModelHandle

        if not self.has(role):
            return None
        return ModelHandle(role, self.fingerprint(role), lambda: self.get(role, kind))

    def mask_stage(self) -> MaskStage | None:
        """The stage that gives tracklets masks; `None` without a segmenter."""
        from onlooker.video.masks.stage import MaskStage
        from onlooker.video.protocols import Segmenter

        segmenter = self.handle("segmenter", Segmenter)  # type: ignore[type-abstract]
        return None if segmenter is None else MaskStage(segmenter, self.settings.masks)


def make_toolbox(pool: ModelPool) -> Toolbox:
    """What an ingest needs, nothing of it built yet."""
    from onlooker.video import protocols as roles
    from onlooker.video.attributes.pool import PoolModels, make_annotators
    from onlooker.video.ingest.pipeline import Toolbox

    # mypy takes a protocol for an abstract class that cannot be a key; here it only names the type that comes back.
    masks = pool.mask_stage()
    models = PoolModels(
        masks=None if masks is None else masks.spec,
        tagger=pool.handle("tagger", roles.Tagger),  # type: ignore[type-abstract]
        appearance_embedder=pool.handle("appearance_embedder", roles.AppearanceEmbedder),  # type: ignore[type-abstract]
        text_embedder=pool.handle("text_embedder", roles.TextEmbedder),  # type: ignore[type-abstract]
        captioner=pool.handle("captioner", roles.Captioner),  # type: ignore[type-abstract]
        transcriber=pool.handle("transcriber", roles.Transcriber),  # type: ignore[type-abstract]
        sound_tagger=pool.handle("sound_tagger", roles.SoundTagger),  # type: ignore[type-abstract]
        text_reader=pool.handle("text_reader", roles.TextReader),  # type: ignore[type-abstract]
        action_recogniser=pool.handle("action_recogniser", roles.ActionRecogniser),  # type: ignore[type-abstract]
        clip_captioner=pool.handle("clip_captioner", roles.ClipCaptioner),  # type: ignore[type-abstract]
        authenticity_judge=pool.handle("authenticity_judge", roles.AuthenticityJudge),  # type: ignore[type-abstract]
        face_finder=pool.handle("face_finder", roles.FaceFinder),  # type: ignore[type-abstract]
        crops_per_tracklet=pool.settings.crops_per_tracklet,
    )
    return Toolbox(
        pool.tracker_fingerprint(),
        pool.fingerprint("tracker" if pool.has("tracker") else "detector"),  # a tracker detects, too
        pool.tracker,
        make_annotators(models),
        pool.release,
        masks,
    )
