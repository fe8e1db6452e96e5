"""Annotators over a small library with scripted models: what they write, what is skipped, what is done again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from attribute_worlds import SIZE, handle, make_result
from sqlalchemy import delete, select

from onlooker.types import Frame, Shot, SoundSegment, SpeechSegment, Tag, TextRegion
from onlooker.video.attributes.captions import AppearanceText, Captions, appearance_sentence
from onlooker.video.attributes.colour import ColourAnnotator
from onlooker.video.attributes.embedding import LookVectors, TextVectors
from onlooker.video.attributes.pictures import KeyframeKeeper, load_crops, load_pictures, save_keyframes
from onlooker.video.attributes.pipeline import in_order, is_done, run_annotator, run_annotators
from onlooker.video.attributes.pool import PoolModels, make_annotators
from onlooker.video.attributes.registry import clean_text
from onlooker.video.attributes.screen_text import ScreenText, text_spans
from onlooker.video.attributes.sound import Sounds, Speech
from onlooker.video.attributes.tags import SceneTags, TrackletTags, mean_tags, tag_spans
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import schema
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.vectors import blob_to_vector, vector_to_blob


def rows(store, table, *columns):
    with store.read() as connection:
        return connection.execute(select(*(table.c[c] for c in columns)).order_by(*table.primary_key)).all()


def red_is_wagon(image):
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    return (Tag("wagon", 0.6), Tag("tank", 0.04)) if middle[0] > 150 else (Tag("beagle", 0.5),)


def test_colour_fills_columns_and_attributes(library):
    store, video_id, ids = library
    run_annotator(store, video_id, ColourAnnotator())
    assert rows(store, schema.TRACKLETS, "number", "color", "upper_color") == [(1, "red", None), (2, "blue", None)]
    found = rows(store, schema.ATTRIBUTES, "tracklet_id", "name", "value", "annotator")
    assert (ids[1], "color", "red", "colour") in found
    assert all(0 <= score <= 1 for (score,) in rows(store, schema.ATTRIBUTES, "score"))


def test_stored_masks_are_used_for_colour(library):
    store, video_id, ids = library
    from onlooker.formats.run_lengths import encode_mask

    ((_, crops), *_) = list(load_crops(store, video_id))
    nothing = encode_mask(np.zeros((SIZE[1], SIZE[0]), bool))
    with store.write() as connection:
        add_masks(connection, [StoredMask(ids[1], crop.frame, crop.time_s, nothing) for crop in crops])
    run_annotator(store, video_id, ColourAnnotator())
    # Masks of nothing leave nothing to name; the other tracklet has none and is judged from its box.
    assert rows(store, schema.TRACKLETS, "number", "color") == [(1, None), (2, "blue")]


def test_a_second_run_computes_nothing_and_a_new_version_replaces(library):
    store, video_id, _ = library
    first, model = handle(red_is_wagon)
    assert run_annotator(store, video_id, TrackletTags(first)) == 2
    assert run_annotator(store, video_id, TrackletTags(first)) is None
    assert model.calls == 1
    newer, _ = handle(lambda image: (Tag("sofa", 0.9),), version="2")
    assert run_annotator(store, video_id, TrackletTags(newer)) == 2
    assert {value for (value,) in rows(store, schema.ATTRIBUTES, "value")} == {"sofa"}
    assert rows(store, schema.ANNOTATOR_RUNS, "annotator", "version", "model", "role", "rows") == [
        ("tags", "1 | scripted@2", "scripted@2", "tagger", 2)
    ]


def test_what_builds_on_a_changed_annotator_is_done_again(library):
    store, video_id, _ = library

    def pool(version):
        tags = TrackletTags(handle(red_is_wagon, version=version)[0])
        return AppearanceText([tags.spec]), tags

    text, tags = pool("1")
    assert list(run_annotators(store, video_id, [text, tags])) == ["tags", "appearance"]
    assert run_annotators(store, video_id, [text, tags]) == {}
    text, tags = pool("2")
    assert not is_done(store, video_id, text.spec)
    assert list(run_annotators(store, video_id, [text, tags])) == ["tags", "appearance"]


def test_a_failing_model_leaves_the_old_rows_and_stays_due(library):
    store, video_id, _ = library
    run_annotator(store, video_id, TrackletTags(handle(red_is_wagon)[0]))

    def broken(image):
        raise RuntimeError("out of memory")

    again = TrackletTags(handle(broken, version="2")[0])
    with pytest.raises(RuntimeError, match="out of memory"):
        run_annotator(store, video_id, again)
    assert len(rows(store, schema.ATTRIBUTES, "value")) == 2
    assert not is_done(store, video_id, again.spec)


def test_new_tracklets_make_annotators_due_but_not_speech(library):
    store, video_id, _ = library
    speech = Speech(handle(lambda wave: [], role="transcriber")[0])
    run_annotators(store, video_id, [ColourAnnotator(), speech])
    with store.write() as connection:
        write_tracking(connection, video_id, make_result(), [Shot(0, 4)], [(0, 0.0)], SIZE, 0.1)
    assert is_done(store, video_id, speech.spec)
    assert not is_done(store, video_id, ColourAnnotator().spec)


def test_tracklets_edited_away_meanwhile_are_skipped(library):
    store, video_id, ids = library

    def edit(image):
        with store.write() as connection:
            connection.execute(delete(schema.TRACKLETS).where(schema.TRACKLETS.c.id == ids[2]))
        return (Tag("wagon", 0.6),)

    assert run_annotator(store, video_id, TrackletTags(handle(edit)[0])) is not None
    assert {key for (key,) in rows(store, schema.ATTRIBUTES, "tracklet_id")} == {ids[1]}


def test_no_model_is_built_for_a_video_without_pictures(library):
    store, video_id, _ = library
    with store.write() as connection:
        connection.execute(delete(schema.PICTURES))
    tagger, model = handle(red_is_wagon)
    assert run_annotator(store, video_id, TrackletTags(tagger)) == 0
    assert run_annotator(store, video_id, SceneTags(tagger)) == 0
    assert model.calls == 0


def test_progress_ends_at_the_total(library):
    store, video_id, _ = library
    seen = []
    annotators = [TrackletTags(handle(red_is_wagon)[0]), SceneTags(handle(red_is_wagon)[0])]
    run_annotators(store, video_id, annotators, lambda name, done, total: seen.append((name, done, total)))
    assert seen[-1] == ("scene_tags", 2, 2)
    assert ("tags", 3, 3) in seen


def test_order_respects_dependencies():
    pool = make_annotators(PoolModels(tagger=handle(red_is_wagon)[0], text_embedder=handle(len)[0]))
    names = [annotator.spec.name for annotator in in_order(reversed(pool))]
    assert names.index("colour") < names.index("appearance")
    assert names.index("tags") < names.index("text_vectors")
    assert len(names) == len(set(names)) == len(pool)


def test_mean_tags_counts_absence_as_zero():
    tags = mean_tags([(Tag("a", 0.9),), (Tag("b", 0.4),), (Tag("b", 0.5), Tag("a", 0.3))], floor=0.35)
    assert [(t.label, round(t.score, 3)) for t in tags] == [("a", 0.4)]


def test_tag_spans_join_and_split():
    frames = [
        (0.0, [Tag("sea", 0.5)]),
        (2.0, [Tag("sea", 0.7)]),
        (4.0, [Tag("sky", 0.9), Tag("dim", 0.1)]),
        (6.0, [Tag("sea", 0.3)]),
    ]
    assert tag_spans(frames, 9.0) == [("sea", 0.7, 0.0, 4.0), ("sky", 0.9, 4.0, 6.0), ("sea", 0.3, 6.0, 9.0)]
    assert tag_spans([], 9.0) == []


def test_look_vectors_are_the_unit_mean_of_the_crops(library):
    store, video_id, ids = library
    turns = itertools.cycle([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    run_annotator(store, video_id, LookVectors(handle(lambda image: next(turns), role="appearance_embedder")[0]))
    found = {(s, k): blob_to_vector(v) for s, k, v in rows(store, schema.EMBEDDINGS, "subject", "subject_id", "vector")}
    np.testing.assert_allclose(found["tracklet", ids[1]], [0.7071, 0.7071, 0, 0], atol=1e-3)
    np.testing.assert_allclose(found["tracklet", ids[2]], [0, 0, 1, 0], atol=1e-3)
    assert sum(subject == "keyframe" for subject, _ in found) == 2
    assert {space for (space,) in rows(store, schema.EMBEDDINGS, "space")} == {"scripted@1"}


def test_vectors_survive_storage_within_a_thousandth():
    vector = np.random.default_rng(0).normal(size=384)
    unit = vector / np.linalg.norm(vector)
    assert abs(float(blob_to_vector(vector_to_blob(vector)) @ unit) - 1) < 1e-3
    assert not blob_to_vector(vector_to_blob(np.zeros(3))).any(), "a model's zero vector is no reason to stop an ingest"


def test_text_vectors_say_colour_category_and_tags(library):
    store, video_id, ids = library
    phrases = []

    def embed(text):
        phrases.append(text)
        return [1, 0, 0, 0]

    tags = TrackletTags(handle(red_is_wagon)[0])
    run_annotators(
        store, video_id, [ColourAnnotator(), tags, TextVectors(handle(embed, "text_embedder")[0], [tags.spec])]
    )
    assert phrases == ["red car, wagon", "blue dog, beagle"]
    assert rows(store, schema.EMBEDDINGS, "subject", "subject_id") == [("tags", ids[1]), ("tags", ids[2])]


def test_no_audio_is_a_finished_run_without_rows(library):
    store, video_id, _ = library
    transcriber, model = handle(lambda wave: [SpeechSegment(0, 1, "ghost", 1)], "transcriber")
    assert run_annotator(store, video_id, Speech(transcriber)) == 0
    assert run_annotator(store, video_id, Speech(transcriber)) is None
    assert model.calls == 0


def test_speech_and_sounds_are_stored_clean(tmp_path, monkeypatch):
    from attribute_worlds import make_library

    from onlooker.video.attributes import sound

    monkeypatch.setattr(sound, "read_audio", lambda path: np.zeros(16_000, np.float32))
    store, video_id, _ = make_library(tmp_path, has_audio=1)
    said = [SpeechSegment(0, 1, " hi\x1b[31m\x00 there\u202e ", 1.5), SpeechSegment(1, 2, " \n ", 0.5)]
    run_annotator(store, video_id, Speech(handle(lambda wave: said, "transcriber")[0]))
    run_annotator(
        store, video_id, Sounds(handle(lambda wave: [SoundSegment(0, 1, "loud", 1, -3.0)], "sound_tagger")[0])
    )
    assert rows(store, schema.SPEECH, "text", "confidence") == [("hi [31m there", 1.0)]
    assert rows(store, schema.SOUNDS, "label", "level_db") == [("loud", -3.0)]
    store.close()


def test_clean_text_caps_and_keeps_other_scripts():
    assert clean_text("日本 Ünïcode\t\tname") == "日本 Ünïcode name"
    assert len(clean_text("x" * 10_000)) == 2000
    assert clean_text("a\ud800b") == "a b"


def region(text, score, x=0.0):
    return TextRegion(text, score, (x, 0.0, x + 50.0, 20.0))


def test_the_same_words_on_consecutive_keyframes_are_one_span():
    readings = [
        (0.0, [region("STOP HERE", 0.7)]),
        (2.0, [region("STOP HERF", 0.6), region("EXIT", 0.9, 200)]),
        (4.0, [region("STOP HERE", 0.9)]),
        (30.0, []),
        (32.0, [region("STOP HERE", 0.8)]),
    ]
    spans = [(s.text, s.score, s.start_s, s.end_s) for s in text_spans(readings, 33.0)]
    assert spans == [("STOP HERE", 0.9, 0.0, 6.0), ("EXIT", 0.9, 2.0, 4.0), ("STOP HERE", 0.8, 32.0, 33.0)]


def test_two_equal_signs_stay_two():
    readings = [(t, [region("EXIT", 0.9, 0), region("EXIT", 0.9, 200)]) for t in (0.0, 2.0)]
    assert [(s.box_xyxy_px[0], s.end_s) for s in text_spans(readings, 4.0)] == [(0, 4.0), (200, 4.0)]


def test_screen_text_is_attached_to_the_tracklet_that_holds_it(library):
    store, video_id, ids = library
    # At 2 s the dog's box is 200, 100, 240, 140; at 0 s only the car is there, at 10, 100, 60, 140.
    found = [
        TextRegion("REX", 0.9, (205, 110, 235, 120)),
        TextRegion("---", 0.9, (0, 0, 5, 5)),
        TextRegion("SKY", 0.9, (5, 5, 50, 20)),
    ]
    run_annotator(store, video_id, ScreenText(handle(lambda image: found, "text_reader")[0]))
    stored = rows(store, schema.SCREEN_TEXT, "text", "tracklet_id", "start_s", "end_s")
    assert sorted(stored) == [("REX", ids[2], 0.0, 4.0), ("SKY", None, 0.0, 4.0)]


def test_appearance_sentence_says_only_what_is_known():
    said = [("color", "red", 0.8), ("tag", "minivan", 0.5), ("tag", "cab", 0.1)]
    colours = {"color": "red", "upper_color": None, "lower_color": None}
    assert appearance_sentence("car", "medium", "centre", colours, said) == (
        "a mostly red car, medium, centre; looks like: minivan"
    )
    assert appearance_sentence("umbrella", "small", "left", {}, []) == "an umbrella, small, left"
    person = {"color": "blue", "upper_color": "white", "lower_color": "blue"}
    assert appearance_sentence("person", "large", "right", person, [("color", "blue", 0.3)]) == (
        "a partly blue person, white above and blue below, large, right"
    )


def test_captions_come_from_the_best_crop(library):
    store, video_id, _ = library
    caption = Captions(handle(lambda image: f"a picture of {image.shape[1]}x{image.shape[0]}\n", "captioner")[0])
    assert run_annotator(store, video_id, caption) == 2
    assert rows(store, schema.TRACKLETS, "appearance") == [("a picture of 60x48",)] * 2


def test_crops_come_per_tracklet_best_first_whatever_the_batch(library):
    store, video_id, ids = library
    for batch in (1, 2, 32):
        found = [(key, [c.quality for c in crops]) for key, crops in load_crops(store, video_id, batch)]
        assert found == [(ids[1], [0.9, 0.5]), (ids[2], [0.5])]
    assert [len(batch) for batch in load_pictures(store, video_id, "keyframe", 1)] == [1, 1]


def frame(index, time_s, level, size=(40, 60)):
    return Frame.from_image(index, time_s, np.full((*size, 3), level, np.uint8))


def kept_times(keeper):
    return [round(k.time_s, 3) for k in keeper.finish()]


def test_keyframes_are_kept_on_change_and_at_most_every_two_seconds():
    keeper = KeyframeKeeper()
    for i in range(100):  # 10 s: dark, bright from 5 s on
        keeper.update(frame(i, i / 10, 20 if i < 50 else 200), False)
    assert kept_times(keeper) == [0.0, 5.0]
    keeper = KeyframeKeeper()
    for i in range(100):
        keeper.update(frame(i, i / 10, 2 * i), False)  # changes all the time
    assert kept_times(keeper) == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_a_new_shot_is_kept_even_when_it_looks_the_same():
    keeper = KeyframeKeeper()
    for i in range(40):
        keeper.update(frame(i, i / 10, 50), i in (10, 12))
    assert kept_times(keeper) == [0.0, 1.0, 1.5]  # the cut at 1.2 s waits until half a second has passed


def test_keyframes_of_a_long_video_are_thinned_evenly():
    keeper = KeyframeKeeper(interval_s=1.0, limit=10)
    for i in range(200):
        keeper.update(frame(i, float(i), 255 * (i % 2)), i % 3 == 0)
    times = kept_times(keeper)
    assert 5 <= len(times) <= 10
    assert times[0] == 0.0
    assert np.diff(times).max() <= 3 * np.median(np.diff(times))
    assert times[-1] > 150


def test_keyframes_are_scaled_and_know_the_frame_size(library):
    store, video_id, _ = library
    keeper = KeyframeKeeper(max_side_px=32)
    keeper.update(frame(0, 0.0, 90, size=(50, 64)), False)
    with store.write() as connection:
        save_keyframes(connection, video_id, keeper.finish())
    ((picture,),) = list(load_pictures(store, video_id, "keyframe"))
    assert picture.image.shape == (25, 32, 3)
    assert picture.box_xyxy_px == (0, 0, 64, 50)
