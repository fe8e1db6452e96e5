"""The pool as a whole: which annotators run, given the models a profile has."""

from __future__ import annotations

from dataclasses import dataclass

from onlooker.video.attributes.actions import Actions, MotionCaptions
from onlooker.video.attributes.authenticity import Authenticity
from onlooker.video.attributes.captions import AppearanceText, Captions
from onlooker.video.attributes.colour import ColourAnnotator
from onlooker.video.attributes.embedding import LookVectors, TextVectors
from onlooker.video.attributes.registry import Annotator, AnnotatorSpec, ModelHandle
from onlooker.video.attributes.screen_text import ScreenText
from onlooker.video.attributes.sound import Sounds, Speech
from onlooker.video.attributes.tags import SceneTags, TrackletTags
from onlooker.video.protocols import (
    ActionRecogniser,
    AppearanceEmbedder,
    AuthenticityJudge,
    Captioner,
    ClipCaptioner,
    FaceFinder,
    SoundTagger,
    Tagger,
    TextEmbedder,
    TextReader,
    Transcriber,
)


@dataclass(frozen=True, slots=True)
class PoolModels:
    """The models of a profile; an absent one leaves its annotators out.

    `crops_per_tracklet` is how many of a tracklet's kept views, the best first, its look vector is made from; all of
    them when `None`. `masks` is the stage that gives tracklets masks, for what looks better with them.
    """

    masks: AnnotatorSpec | None = None

    tagger: ModelHandle[Tagger] | None = None
    appearance_embedder: ModelHandle[AppearanceEmbedder] | None = None
    text_embedder: ModelHandle[TextEmbedder] | None = None
    captioner: ModelHandle[Captioner] | None = None
    transcriber: ModelHandle[Transcriber] | None = None
    sound_tagger: ModelHandle[SoundTagger] | None = None
    text_reader: ModelHandle[TextReader] | None = None
    action_recogniser: ModelHandle[ActionRecogniser] | None = None
    clip_captioner: ModelHandle[ClipCaptioner] | None = None
    authenticity_judge: ModelHandle[AuthenticityJudge] | None = None
    face_finder: ModelHandle[FaceFinder] | None = None
    crops_per_tracklet: int | None = None


def make_annotators(models: PoolModels) -> tuple[Annotator, ...]:
    """Every annotator these models allow, in an order that respects what builds on what."""
    colour = ColourAnnotator(models.masks)
    looks: list[Annotator] = [colour]
    if models.tagger is not None:
        looks.append(TrackletTags(models.tagger))
    heard_and_read: list[Annotator] = []
    if models.transcriber is not None:
        heard_and_read.append(Speech(models.transcriber))
    if models.text_reader is not None:
        heard_and_read.append(ScreenText(models.text_reader))
    moving = _clip_annotators(models)
    rest: list[Annotator] = []
    if models.captioner is not None:
        rest.append(Captions(models.captioner))
    else:
        rest.append(AppearanceText([annotator.spec for annotator in looks]))
    if models.tagger is not None:
        rest.append(SceneTags(models.tagger))
    if models.sound_tagger is not None:
        rest.append(Sounds(models.sound_tagger))
    if models.appearance_embedder is not None:
        rest.append(LookVectors(models.appearance_embedder, models.crops_per_tracklet))
    if models.text_embedder is not None:
        rest.append(TextVectors(models.text_embedder, [a.spec for a in (*looks, *heard_and_read, *moving)]))
    if models.authenticity_judge is not None:
        rest.append(Authenticity(models.authenticity_judge, models.face_finder))
    return (*looks, *heard_and_read, *moving, *rest)


def _clip_annotators(models: PoolModels) -> list[Annotator]:
    """What decodes the file again; nobody pays for it who did not ask for a model of clips."""
    found: list[Annotator] = []
    if models.action_recogniser is not None:
        found.append(Actions(models.action_recogniser))
    if models.clip_captioner is not None:
        found.append(MotionCaptions(models.clip_captioner))
    return found
