"""The rows of the table of role implementations, and the profiles that pick from them: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onlooker.catalogue.role_entry import HubModel, Role, RoleEntry
from onlooker.weights import bundled

_BUNDLED: tuple[RoleEntry, ...] = (
    RoleEntry(
        name="ssd-mobilenet-v2",
        version="2018.03.29",
        role="detector",
        factory="onlooker.models.bundled.ssd_detector:SsdDetector",
        profile="bundled",
        weights=(bundled.SSD_GRAPH, bundled.SSD_GRAPH_TEXT),
        weights_licence="Apache-2.0",
        note="COCO's 80 categories at 300 px. Objects under a tenth of the frame are missed; `tiles=2` finds more.",
    ),
    RoleEntry(
        name="efficientnet-lite0",
        version="57934424+128px",
        role="appearance_embedder",
        factory="onlooker.models.bundled.efficientnet:EfficientNetLite",
        profile="bundled",
        weights=(bundled.EFFICIENTNET_LITE0,),
        weights_licence="Apache-2.0",
        note="A vector per crop; at 128 px it tells objects apart as well as at 224 and is several times faster.",
        defaults=(("input_px", 128),),
        session_options=("device",),
    ),
    RoleEntry(
        name="efficientnet-lite0",
        version="57934424",
        role="tagger",
        factory="onlooker.models.bundled.efficientnet:EfficientNetLite",
        profile="bundled",
        weights=(bundled.EFFICIENTNET_LITE0,),
        weights_licence="Apache-2.0",
        note="ImageNet's 1,000 names; good at what fills the crop, weak on tiny objects and on people.",
        session_options=("device",),
    ),
    RoleEntry(
        name="minilm-l6-v2",
        version="53aa5117",
        role="text_embedder",
        factory="onlooker.models.bundled.minilm:MiniLm",
        profile="bundled",
        weights=(bundled.MINILM_ZIP,),
        weights_licence="Apache-2.0",
        note="English sentences; runs in numpy and starts in a fifth of a second.",
    ),
    RoleEntry(
        name="whisper-tiny.en",
        version="1a5afae0",
        role="transcriber",
        factory="onlooker.models.bundled.whisper:WhisperTiny",
        profile="bundled",
        weights=(
            bundled.WHISPER_WEIGHTS,
            bundled.WHISPER_CONFIG,
            bundled.WHISPER_TOKENIZER,
            bundled.WHISPER_VOCABULARY,
            bundled.SILERO_VAD,
        ),
        weights_licence="MIT",
        note="English only. Faster than real time; names and noisy speech are often wrong.",
    ),
    RoleEntry(
        name="sound-level",
        version="1",
        role="sound_tagger",
        factory="onlooker.models.bundled.sound_level:SoundLevel",
        profile="bundled",
        note="No network: silence, quiet, sound or loud by level. It does not name sounds.",
    ),
    RoleEntry(
        name="pp-ocr-small",
        version="v6",
        role="text_reader",
        factory="onlooker.models.bundled.rapidocr_reader:RapidOcrReader",
        profile="bundled",
        weights=(bundled.PP_OCR_FINDER, bundled.PP_OCR_READER, bundled.PP_OCR_ANGLE),
        weights_licence="Apache-2.0",
        note="Latin and Chinese text; accents are often lost.",
    ),
    RoleEntry(
        name="mtcnn",
        version="1",
        role="face_finder",
        factory="onlooker.models.bundled.faces:MtcnnFaces",
        profile="bundled",
        weights=(bundled.MTCNN_PROPOSAL, bundled.MTCNN_REFINE, bundled.MTCNN_OUTPUT),
        weights_licence="MIT",
        note="Faces from 24 px on, with five points each. Looked for only where a judge asks for faces.",
    ),
    RoleEntry(
        name="smollm2-135m",
        version="b179c952",
        role="language_model",
        factory="onlooker.models.bundled.smollm:SmolLm",
        profile="bundled",
        weights=(bundled.SMOLLM2_GGUF,),
        weights_licence="Apache-2.0",
        extra="local-llm",
        note="Rephrases and classifies; too small to write SQL unaided. No stage asks for it yet: take it from Python.",
        session_options=("device",),
    ),
)


def _hub(role: Role, name: str, factory: str, source: HubModel, licence: str, note: str) -> RoleEntry:
    return RoleEntry(
        name=name,
        version=source.revision,
        role=role,
        factory=f"onlooker.models.hub.{factory}",
        profile="hub",
        weights=source,
        weights_licence=licence,
        note=note,
        defaults=(("model", source.repository), ("revision", source.revision)),
        session_options=("device", "offline"),
    )


def _perception(role: Role, note: str) -> RoleEntry:
    """Perception Encoder as one of the methods here; weights of one's own by `weights=DIR`."""
    source = HubModel("facebook/PE-Core-B16-224", "main", 1790)
    return RoleEntry(
        name="perception-encoder",
        version=source.revision,
        role=role,
        factory="onlooker.methods.encoders.perception_encoder.infer:PerceptionEmbedder",
        profile="hub",
        weights=source,
        weights_licence="Apache-2.0",
        note=note,
        defaults=(("weights", source.repository),),
        session_options=("device", "offline"),
    )


_SIGLIP2 = HubModel("google/siglip2-base-patch16-224", "main", 1500)
_HUB: tuple[RoleEntry, ...] = (
    _hub(
        "detector",
        "rtdetr-v2-r18",
        "object_detector:HubDetector",
        HubModel("PekingU/rtdetr_v2_r18vd", "main", 81),
        "Apache-2.0",
        "COCO's 80 categories, much better on small objects; several times slower on a CPU.",
    ),
    _hub(
        "detector",
        "grounding-dino-tiny",
        "grounding_dino:GroundingDino",
        HubModel("IDEA-Research/grounding-dino-tiny", "main", 690),
        "Apache-2.0",
        "Any categories you name, as `categories=dog. red car`; seconds a frame on a CPU.",
    ),
    _hub(
        "segmenter",
        "sam2",
        "sam2:Sam2Segmenter",
        HubModel("facebook/sam2.1-hiera-tiny", "main", 156),
        "Apache-2.0",
        "Follows the masks of given objects at 1024 px; seconds a frame on a CPU, and more for every object. Larger "
        "ones by `model=facebook/sam2.1-hiera-small`.",
    ),
    _hub(
        "captioner",
        "smolvlm2-500m",
        "captioner:ChatCaptioner",
        HubModel("HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "main", 2030),
        "Apache-2.0",
        "A sentence per picture; seconds each on a CPU.",
    ),
    _hub(
        "captioner",
        "llava-onevision-0.5b",
        "captioner:ChatCaptioner",
        HubModel("llava-hf/llava-onevision-qwen2-0.5b-ov-hf", "main", 1790),
        "Apache-2.0",
        "A sentence per picture, more detail and more memory than SmolVLM2.",
    ),
    _hub(
        "appearance_embedder",
        "siglip2-base",
        "siglip:SigLip",
        _SIGLIP2,
        "Apache-2.0",
        "Pictures and text in one space: use it for the text role as well.",
    ),
    _hub(
        "text_embedder",
        "siglip2-base",
        "siglip:SigLip",
        _SIGLIP2,
        "Apache-2.0",
        "Meets pictures embedded by the same model; weaker than MiniLM between two texts.",
    ),
    _perception(
        "appearance_embedder",
        "Pictures and text in one space: use it for the text role as well. Your own weights: `weights=DIR` in both.",
    ),
    _perception("text_embedder", "Meets pictures embedded by the same model: search finds what things look like."),
    _hub(
        "appearance_embedder",
        "pe-core-base",
        "pe_core:PeCore",
        HubModel("timm/vit_pe_core_base_patch16_224.fb", "main", 375),
        "Apache-2.0",
        "Perception Encoder's picture side.",
    ),
    _hub(
        "transcriber",
        "whisper-base",
        "whisper:HubWhisper",
        HubModel("openai/whisper-base", "main", 290),
        "Apache-2.0",
        "99 languages; slower than the bundled model.",
    ),
    _hub(
        "sound_tagger",
        "ast-audioset",
        "sound_tagger:AudioSpectrogramTagger",
        HubModel("MIT/ast-finetuned-audioset-10-10-0.4593", "main", 346),
        "BSD-3-Clause",
        "527 kinds of sound.",
    ),
)


def _omnivl(role: Role, what: str) -> RoleEntry:
    """OmniVL as one of the methods here; there are no public weights."""
    return RoleEntry(
        name="omnivl",
        version="own",
        role=role,
        factory="onlooker.methods.encoders.omnivl.infer:OmniVLDescriber",
        profile="own",
        note=f"{what} No public weights exist: train some and set `weights=DIR`.",
        session_options=("device", "offline"),
    )


_OWN: tuple[RoleEntry, ...] = (
    _omnivl("captioner", "A sentence per picture or clip, with weights of the head `caption` or `pretrain`."),
    _omnivl("appearance_embedder", "Pictures, clips and text in one space: use it for the text role as well."),
    _omnivl("text_embedder", "Meets pictures embedded by the same weights."),
    _omnivl("clip_captioner", "A sentence for every clip of an object; the file is decoded once more."),
    RoleEntry(
        name="stts",
        version="own",
        role="action_recogniser",
        factory="onlooker.models.own.stts:SttsActions",
        profile="own",
        note="Names what objects do, clip by clip; the file is decoded once more. The compute dial is `keep_frames` "
        "and `keep_region`, shares in (0, 1]. Train weights and set `weights=DIR`.",
        session_options=("device", "offline"),
    ),
    # Judges of authenticity. No profile has one by default.
    RoleEntry(
        name="m2tr",
        version="own",
        role="authenticity_judge",
        factory="onlooker.models.own.m2tr:M2trFaces",
        profile="own",
        note="How likely faces were forged; a `face_finder` finds them. Experimental: the number holds for forgeries "
        "like those it was trained on. Train weights and set `weights=DIR`; `threshold` replaces the one beside them.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="objectformer",
        version="own",
        role="authenticity_judge",
        factory="onlooker.models.own.objectformer:ObjectFormerCrops",
        profile="own",
        note="How likely the picture inside an object's box was tampered with, whatever the object is. Experimental "
        "and not calibrated until `onlooker calibrate` does. Train weights, or take a released checkpoint, and set "
        "`weights=DIR`.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="isvos",
        version="own",
        role="segmenter",
        factory="onlooker.methods.trackers.isvos.infer:IsvosSegmenter",
        profile="own",
        note="Follows the masks of given objects; start from masks, boxes or points. Memory is bounded by `max_frames` "
        "and `max_megabytes`. Train weights and set `weights=DIR`.",
        session_options=("device", "offline"),
    ),
    RoleEntry(
        name="omnitracker",
        version="own",
        role="tracker",
        factory="onlooker.models.own.omnitracker:OmniTracklets",
        profile="own",
        note="Finds and follows objects with one network, in place of detector and association. Train weights and set "
        "`weights=DIR`; `hz` is how often per second it looks.",
        session_options=("device", "offline"),
    ),
)

ENTRIES: Mapping[tuple[str, str], RoleEntry] = MappingProxyType({(e.role, e.name): e for e in _BUNDLED + _HUB + _OWN})

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "bundled": MappingProxyType(
            {
                "detector": "ssd-mobilenet-v2",
                "appearance_embedder": "efficientnet-lite0",
                "tagger": "efficientnet-lite0",
                "text_embedder": "minilm-l6-v2",
                "transcriber": "whisper-tiny.en",
                "sound_tagger": "sound-level",
                "text_reader": "pp-ocr-small",
                "face_finder": "mtcnn",
            }
        ),
        "hub": MappingProxyType(
            {
                "detector": "rtdetr-v2-r18",
                "appearance_embedder": "siglip2-base",
                "tagger": "efficientnet-lite0",
                "text_embedder": "minilm-l6-v2",
                "captioner": "smolvlm2-500m",
                "transcriber": "whisper-base",
                "sound_tagger": "ast-audioset",
                "text_reader": "pp-ocr-small",
                "face_finder": "mtcnn",
            }
        ),
    }
)
"""Profile -> role -> name. Roles a profile leaves out are not filled."""
