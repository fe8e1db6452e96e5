"""Actions and motion captions: what is stored, what search finds, what a second run does, and the dial."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from attribute_worlds import handle, make_library
from clip_worlds import ingest, red_box_clip, toolbox
from sqlalchemy import select

import onlooker
from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.encoders.stts.config import CONFIGS
from onlooker.models.own.stts import SttsActions, kept
from onlooker.types import Tag
from onlooker.video.attributes.actions import Actions, MotionCaptions, action_name
from onlooker.video.attributes.embedding import LookVectors, TextVectors
from onlooker.video.attributes.pipeline import run_annotator
from onlooker.video.attributes.pool import PoolModels, make_annotators
from onlooker.video.attributes.registry import ModelHandle
from onlooker.video.library import Library
from onlooker.video.search import TextSearch
from onlooker.video.store import Store, list_videos, schema
from onlooker.video.store.reader import Reader


class Recogniser:
    """Says the same of every clip."""

    name, version = "scripted", "1"

    def __init__(self, *tags):
        self.tags, self.clips = tags, []

    def recognise(self, clips, top_k=5):
        self.clips += [len(clip) for clip in clips]
        return [tuple(Tag(*tag) for tag in self.tags) for _ in clips]

    def caption_clips(self, clips, prompt=None):
        return ["a red box \x1b[31mslides\n to the right"] * len(clips)


def held(model, role="action_recogniser"):
    return ModelHandle(role, f"{model.name}@{model.version}", lambda: model)


@pytest.fixture
def world(tmp_path):
    """(store, path, video id) of one red box."""
    path = red_box_clip(tmp_path / "clip.mp4")
    store = Store.open(tmp_path / "library.onlooker")
    ingest(store, toolbox(), path)
    with store.read() as connection:
        (video,) = list_videos(connection)
    yield store, path, video.id
    store.close()


def attributes(store, name):
    a = schema.ATTRIBUTES.c
    with store.read() as connection:
        rows = connection.execute(select(a.value, a.score, a.start_s, a.end_s).where(a.name == name).order_by(a.id))
        return [(r[0], round(r[1], 3), round(r[2], 2), round(r[3], 2)) for r in rows]


def test_actions_are_stored_with_score_and_span_best_first_above_the_floor(world):
    store, _, video_id = world
    model = Recogniser(("sitting", 0.1), ("PlayingGuitar", 0.25), ("riding_a_bike", 0.6))
    assert run_annotator(store, video_id, Actions(held(model))) == 2
    assert attributes(store, "action") == [("riding a bike", 0.6, 0.0, 1.9), ("playing guitar", 0.25, 0.0, 1.9)]
    assert model.clips == [16]
    assert run_annotator(store, video_id, Actions(held(model))) is None


def test_motion_captions_are_cleaned_and_leave_the_motion_of_the_boxes_alone(world):
    store, _, video_id = world
    before = _motion(store)
    run_annotator(store, video_id, MotionCaptions(held(Recogniser(), "clip_captioner")))
    assert attributes(store, "motion_caption") == [("a red box [31mslides to the right", 1.0, 0.0, 1.9)]
    assert _motion(store) == before
    assert before


def _motion(store):
    with store.read() as connection:
        return connection.execute(select(schema.TRACKLETS.c.motion)).scalars().all()


def test_search_finds_what_things_do_by_word_and_by_meaning(world):
    store, _, video_id = world
    actions = Actions(held(Recogniser(("cycling", 0.9))))
    run_annotator(store, video_id, actions)
    # "pedals" means cycling, and nothing else here does.
    meaning = {"cycling": (1, 0, 0, 0), "pedals": (0.9, 0.1, 0, 0)}
    texts, embedder = handle(lambda text: np.array(meaning.get(text, (0, 0, 1, 0)), float), "text_embedder")
    run_annotator(store, video_id, TextVectors(texts, [actions.spec]))
    with Reader.open(store.path) as reader, TextSearch(reader, embedder) as search:
        (hit,) = search.find("pedals")
        assert (hit.tracklet, hit.why) == (1, "near in meaning to what it does")
        assert search.find("cycling")[0].score == 1.0


def test_the_pool_has_models_of_clips_only_where_their_role_is_filled():
    texts, _ = handle(lambda text: text, "text_embedder")
    plain = make_annotators(PoolModels(text_embedder=texts))
    both = make_annotators(
        PoolModels(
            text_embedder=texts,
            action_recogniser=held(Recogniser()),
            clip_captioner=held(Recogniser(), "clip_captioner"),
        )
    )
    assert {a.spec.name for a in both} - {a.spec.name for a in plain} == {"actions", "motion_captions"}
    assert not any(a.spec.need == "video" for a in plain)
    versions = {a.spec.name: a.spec.full_version for a in plain}
    changed = {a.spec.name for a in both if versions.get(a.spec.name) != a.spec.full_version}
    assert changed == {"actions", "motion_captions", "text_vectors"}  # nothing else is computed again


@pytest.mark.parametrize(
    ("label", "name"),
    [("WalkingWithDog", "walking with dog"), ("jump_rope", "jump rope"), ("Tai chi", "tai chi")],
)
def test_names_of_actions_are_words(label, name):
    assert action_name(label) == name


def test_look_vectors_of_fewer_crops_take_the_best_and_cost_less(tmp_path):
    store, video_id, ids = make_library(tmp_path)
    model = SimpleNamespace(name="m", version="1", dim=3, seen=0)

    def embed(images):
        model.seen += len(images)
        return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32)

    model.embed_images = embed
    look = held(model, "appearance_embedder")
    run_annotator(store, video_id, LookVectors(look))
    assert model.seen == 3 + 2  # crops of both tracklets and two keyframes
    model.seen = 0
    run_annotator(store, video_id, LookVectors(look, 1))
    assert model.seen == 2 + 2
    assert run_annotator(store, video_id, LookVectors(look, 1)) is None
    with pytest.raises(ConfigError, match="at least 1"):
        LookVectors(look, 0)
    assert len(ids) == 2
    store.close()


# -- the real network, from a folder, through the wiring ----------------------------------------------------------


@pytest.fixture
def weights(tmp_path):
    """A folder of a tiny STTS whose classifier is turned towards one of its classes, with names beside it."""
    network = onlooker.build("stts", config="tiny", seed=3)
    classes = network.config.num_classes
    bias = [p for name, p in network.named_parameters() if p.shape == (classes,)][-1]
    bias.data[1] += 20.0
    network.save_pretrained(tmp_path / "weights")
    names = ["standing", "sliding", *(f"other {i}" for i in range(classes - 2))]
    (tmp_path / "weights" / "labels.txt").write_text("\n".join(names))
    return tmp_path / "weights"


def test_stts_fills_actions_that_questions_read_and_the_dial_redoes_nothing_else(tmp_path, weights):
    path = red_box_clip(tmp_path / "clip.mp4")
    store = Store.open(tmp_path / "library.onlooker")
    full = ingest(store, toolbox({"weights": str(weights), "keep_frames": 1.0}), path)
    assert {"track", "actions"} <= set(full.seconds)
    assert ingest(store, toolbox({"weights": str(weights), "keep_frames": 1.0}), path).status == "unchanged"
    cheaper = ingest(store, toolbox({"weights": str(weights), "keep_frames": 0.5}), path)
    assert set(cheaper.seconds) == {"actions"}
    store.close()
    with Library.open(tmp_path / "library.onlooker", create=False) as library:
        answer = library.ask("who is sliding?")
        assert (answer.status, answer.value) == ("answered", [1])
        assert answer.evidence[0].kind == "attribute"
        assert library.ask("when does person 1 slide?").value == 0.0
        assert answer.models["action_recogniser"].startswith("stts@own+")
        sql = "SELECT id, value, t_start FROM attributes WHERE name = 'action'"
        assert list(library.sql(sql).rows) == [(1, "sliding", 0.0)]


def test_weights_trained_on_in_place_are_another_model(tmp_path, weights):
    path = red_box_clip(tmp_path / "clip.mp4")
    store = Store.open(tmp_path / "library.onlooker")
    ingest(store, toolbox({"weights": str(weights)}), path)
    (weights / "labels.txt").write_text((weights / "labels.txt").read_text().replace("sliding", "gliding"))
    assert set(ingest(store, toolbox({"weights": str(weights)}), path).seconds) == {"actions"}
    assert [row[0] for row in attributes(store, "action")] == ["gliding"]
    store.close()


def test_the_dial_lowers_the_cost(weights):
    full, half = (SttsActions(str(weights), keep_frames=share) for share in (1.0, 0.5))
    assert half.gmacs_per_clip < 0.7 * full.gmacs_per_clip
    assert half.version == full.version


def test_shares_of_the_dial_are_checked_and_round_down_to_at_least_one():
    tiny = CONFIGS["tiny"]
    assert kept(tiny, 0.5, None).kept_frames == tiny.token_frames // 2
    assert kept(tiny, 0.001, None).kept_frames == 1
    assert kept(tiny, None, 0.001).kept_region == 1
    for wrong in (0.0, 1.5, -0.5):
        with pytest.raises(ConfigError, match="above 0 and at most 1"):
            kept(tiny, wrong, None)
    plain = replace(tiny, selection=replace(tiny.selection, time_at=None))
    with pytest.raises(ConfigError, match="scores what it drops"):
        kept(plain, 0.5, None)


def test_bad_weights_and_labels_are_named(tmp_path, weights):
    with pytest.raises(ConfigError, match="no public STTS weights"):
        SttsActions()
    with pytest.raises(WeightsError, match="no labels at"):
        SttsActions(str(weights), labels=str(tmp_path / "none.txt"))
    (weights / "labels.txt").write_text("one\ntwo\n")
    with pytest.raises(ConfigError, match="2 labels"):
        SttsActions(str(weights))
