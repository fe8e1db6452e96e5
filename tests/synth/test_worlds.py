"""The world says what its pixels show, and nothing but looking gives its labels away."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.evaluation.probe import ProbeConfig, probe_accuracy_percent
from onlooker.synth.actions import ACTIONS, DOING, STILL, Stage, act
from onlooker.synth.captions import NUMBERS
from onlooker.synth.pictures import BACKGROUNDS, NuisanceConfig
from onlooker.synth.sprites import COLOURS, REACH, SHAPES, TEXTURES, Look, Poses, draw
from onlooker.synth.worlds import CLIPS, STILLS, World, WorldConfig

PLAIN = NuisanceConfig(backgrounds=("flat",), brightness=0, contrast=0, noise_std=0, n_specks=(0, 0))
CROWDED = replace(CLIPS, n_objects=(2, 4), others="any", min_gap=0.5, nuisance=NuisanceConfig(occluder_probability=0.5))


def scenes(config: WorldConfig, n: int, **kwargs):
    world = World(config, **{"seed": 0, **kwargs})
    return [world[i] for i in range(n)]


def still_poses(radius: float, size_px: int = 64, angle: float = 0.0) -> Poses:
    centre = np.array([size_px / 2], np.float32)
    return Poses(centre, centre, np.array([radius], np.float32), np.array([angle], np.float32), np.array([True]))


# --- sprites ---


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_have_one_area_and_stay_within_reach(shape):
    for angle in (0.0, 0.7, 2.0):
        stamp = draw(Look(shape, "red", "plain", (255.0, 0.0, 0.0)), still_poses(20, angle=angle), 64)
        assert stamp.cover.sum() / 20**2 == pytest.approx(2.0, abs=0.12)
        ys, xs = np.nonzero(stamp.cover[0] > 0.5)
        distance = np.hypot(ys + 0.5 + stamp.top[0] - 32, xs + 0.5 + stamp.left[0] - 32)
        assert distance.max() <= 20 * REACH + 0.5


def test_no_shape_is_another_one_turned():
    def mask(shape, angle):
        cover = np.zeros((48, 48), bool)
        stamp = draw(Look(shape, "red", "plain", (1.0, 1.0, 1.0)), still_poses(14, 48, angle), 48)
        for t, rows, columns in stamp.windows():
            cover[rows, columns] = stamp.cover[t] > 0.5
        return cover

    for k, a in enumerate(SHAPES):
        first = mask(a, 0)
        turned = [mask(b, angle) for b in SHAPES[k + 1 :] for angle in np.linspace(0, 2 * np.pi, 24)]
        assert max([(first & m).sum() / (first | m).sum() for m in turned], default=0) < 0.88, a


def test_a_square_covers_the_pixels_worked_out_by_hand():
    # Half side 0.707 * 10 = 7.07 around 32: from 24.93 to 39.07, so pixels 25..38 are whole and 24, 39 just touched.
    stamp = draw(Look("square", "red", "plain", (9.0, 9.0, 9.0)), still_poses(10), 64)
    ys, xs = np.nonzero(stamp.cover[0] > 0.5)
    assert (ys.min() + stamp.top[0], ys.max() + stamp.top[0]) == (25, 38)
    assert (xs.min() + stamp.left[0], xs.max() + stamp.left[0]) == (25, 38)
    assert len(ys) == 14 * 14


def test_textures_differ_in_pixels():
    tones = {t: draw(Look("circle", "red", t, (200.0, 0.0, 0.0)), still_poses(12), 64).rgb.tobytes() for t in TEXTURES}
    assert len(set(tones.values())) == len(TEXTURES)


def test_what_leaves_the_picture_is_cut_off_where_it_leaves():
    poses = still_poses(10)
    at_border = replace(poses, x=np.array([0.0], np.float32))
    look = Look("circle", "red", "plain", (1.0, 1.0, 1.0))
    whole, half = (draw(look, p, 64).cover.sum() for p in (poses, at_border))
    assert half == pytest.approx(whole / 2, rel=0.02)


# --- masks, boxes, tracks ---


@pytest.mark.parametrize("config", [STILLS, CLIPS, CROWDED, replace(CROWDED, size_px=31, motion="once")])
def test_boxes_are_the_extents_of_the_masks(config):
    hidden = 0
    for scene in scenes(config, 25):
        for track in scene.tracks:
            for t, mask in enumerate(scene.instance_masks == track.id):
                ys, xs = np.nonzero(mask)
                assert track.visible[t] == (len(ys) > 0)
                if len(ys) == 0:
                    hidden += 1
                    assert np.isnan(track.boxes_xyxy_px[t]).all()
                    continue
                expected = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
                assert track.boxes_xyxy_px[t].tolist() == expected
    assert (hidden > 0) == (config.n_frames > 1), "clips hold hidden objects, stills do not"


@pytest.mark.parametrize("config", [STILLS, CROWDED])
def test_masks_hold_the_ids_of_the_tracks_and_every_object_is_seen(config):
    for scene in scenes(config, 40):
        assert [track.id for track in scene.tracks] == list(range(1, len(scene.tracks) + 1))
        assert set(np.unique(scene.instance_masks)) <= {0, *(track.id for track in scene.tracks)}
        assert all(track.visible.any() for track in scene.tracks)


def test_mask_pixels_have_the_colour_of_their_track():
    config = replace(STILLS, textures=("plain",), nuisance=PLAIN)
    for scene in scenes(config, 40):
        for track in scene.tracks:
            pixels = scene.frames[scene.instance_masks == track.id].astype(float)
            # Some pixel away from the soft edge has exactly this colour, and most are near it.
            assert np.abs(pixels - track.look.rgb).max(axis=1).min() <= 1.0
            assert np.abs(np.median(pixels, axis=0) - track.look.rgb).max() <= 40


def test_larger_ids_are_in_front():
    config = replace(STILLS, n_objects=(3, 3), min_gap=0.5, textures=("plain",), nuisance=PLAIN)
    overlaps = 0
    for scene in scenes(config, 60):
        for track in scene.tracks:
            stamp = draw(track.look, track.poses, config.size_px)
            full = np.zeros((config.size_px, config.size_px), bool)
            for _, rows, columns in stamp.windows():
                full[rows, columns] = stamp.cover[0] > 0.5
            seen = scene.instance_masks[0][full]
            overlaps += int((seen > track.id).any())
            assert (seen >= track.id).all()
    assert overlaps > 5


def test_the_main_object_is_the_biggest():
    for scene in scenes(CROWDED, 40):
        others = [t.poses.mean_radius for t in scene.tracks if t is not scene.main]
        assert all(scene.main.poses.mean_radius > 1.2 * radius for radius in others)
        assert scene.label == scene.main.shape
        assert scene.action == scene.main.action


# --- actions ---


def test_actions_do_what_their_names_say():
    rng = np.random.default_rng(0)
    stage = Stage(48, 8, ACTIONS, "once")
    for _ in range(20):
        poses = {action: act(action, 8.0, stage, rng) for action in ACTIONS}
        assert (np.diff(poses["moves left"].x) < 0).all()
        assert (np.diff(poses["moves right"].x) > 0).all()
        assert (np.diff(poses["moves up"].y) < 0).all()
        assert (np.diff(poses["moves down"].y) > 0).all()
        assert (np.diff(poses["grows"].radius) > 0).all()
        assert (np.diff(poses["shrinks"].radius) < 0).all()
        turns = np.diff(poses["spins"].angle)
        assert np.abs(turns).min() >= np.deg2rad(19.9)
        assert np.unique(np.sign(turns)).size == 1
        assert 2 <= poses["blinks"].shown.sum() <= 6
        circle = np.hypot(
            poses["circles"].x - poses["circles"].x[:-1].mean(), poses["circles"].y - poses["circles"].y[:-1].mean()
        )
        assert np.ptp(circle) < 1e-3
        assert (np.diff(poses["shakes"].x)[:-1] * np.diff(poses["shakes"].x)[1:] <= 0).all()
        for name in ("x", "y", "radius", "angle"):
            assert np.ptp(getattr(poses[STILL], name)) == 0
        assert poses[STILL].shown.all()


def test_a_loop_jumps_at_most_once():
    rng = np.random.default_rng(0)
    stage = Stage(48, 8, ("moves right",), "looped")
    for _ in range(50):
        steps = np.diff(act("moves right", 8.0, stage, rng).x)
        assert (steps < 0).sum() <= 1


def test_a_thing_that_spins_can_be_seen_to_spin():
    for textures in (TEXTURES, ("plain",)):
        config = replace(CLIPS, shapes=("circle", "ring", "star"), textures=textures, actions=("spins",), others="any")
        for scene in scenes(config, 40):
            for track in scene.tracks:
                assert track.shape == "star" or track.texture != "plain"


# --- determinism and splits ---


def test_a_scene_depends_on_seed_split_and_index_only():
    world = World(CLIPS, 5)
    world[3], world[0]
    again = World(CLIPS, 5)[7]
    assert world[7].frames.tobytes() == again.frames.tobytes()
    assert world[7].captions == again.captions
    assert world[7].questions == again.questions
    assert World(CLIPS, 6)[7].frames.tobytes() != again.frames.tobytes()


def test_train_and_test_share_no_picture():
    train = {s.frames.tobytes() for s in scenes(STILLS, 150)}
    test = {s.frames.tobytes() for s in scenes(STILLS, 150, split="test")}
    assert len(train) == len(test) == 150
    assert not train & test


def test_held_out_pairs_are_neither_drawn_nor_named_in_training():
    config = replace(STILLS, shapes=("circle", "triangle"), colours=("red", "blue"), held_out=("red triangle",))
    for split in ("train", "test"):
        for scene in scenes(config, 60, split=split):
            assert ("red", "triangle") not in {(t.colour, t.shape) for t in scene.tracks}
            for text in (*scene.captions, *(q.text for q in scene.questions)):
                assert re.search(r"red( \w+)? triangle", text) is None, text
    for scene in scenes(config, 30, split="held_out"):
        assert (scene.main.colour, scene.main.shape) == ("red", "triangle")


# --- words ---


def parse_full(caption: str) -> list[tuple]:
    """ "a big red striped ring that grows and ..." to (size, colour, texture, shape, action) of each."""
    size = r"(?:(small|big) )?"
    pattern = (
        rf"{size}({'|'.join(COLOURS)}) ({'|'.join(TEXTURES)}) ({'|'.join(SHAPES)})(?: that ({'|'.join(ACTIONS)}))?"
    )
    return [tuple(m.group(k) or None for k in range(1, 6)) for m in re.finditer(pattern, caption)]


@pytest.mark.parametrize("config", [STILLS, CROWDED])
def test_the_full_caption_tells_every_object_as_it_is(config):
    for scene in scenes(config, 60):
        told = sorted(map(str, parse_full(scene.captions[0])))
        moving = config.n_frames > 1
        true = [(t.size, t.colour, t.texture, t.shape, t.action if moving else None) for t in scene.tracks]
        assert told == sorted(map(str, true))


@pytest.mark.parametrize("config", [STILLS, CROWDED])
def test_the_other_captions_name_only_what_is_there(config):
    for scene in scenes(config, 60):
        pairs = {f"{t.colour} {t.shape}" for t in scene.tracks}
        for k in (1, 2, 3):
            assert set(re.findall(rf"(?:{'|'.join(COLOURS)}) (?:{'|'.join(SHAPES)})", scene.captions[k])) == pairs
        assert f" {NUMBERS[len(scene.tracks)]} object" in scene.captions[3]
        main = f"{scene.main.colour} {scene.main.shape}"
        assert re.match(f"an? {main}", scene.captions[2])
        if config.n_frames > 1:
            assert scene.captions[4] == f"the {main} {scene.main.action}"
            said = DOING[scene.action] if scene.action != STILL else ""
            assert said in scene.captions[2]


def test_relations_in_captions_are_those_of_the_masks():
    seen = set()
    for scene in scenes(replace(STILLS, n_objects=(2, 3), min_gap=1.4), 120):
        match = re.fullmatch(r"an? (\w+) (\w+) (left of|right of|above|below) an? (\w+) (\w+)", scene.captions[4])
        if match is None:
            continue
        centres = {f"{t.colour} {t.shape}": t.boxes_xyxy_px[0].reshape(2, 2).mean(axis=0) for t in scene.tracks}
        dx, dy = centres[f"{match[1]} {match[2]}"] - centres[f"{match[4]} {match[5]}"]
        seen.add(match[3])
        # Half a pixel or so lies between a box's centre and the sprite's own; shapes like the corner are lopsided.
        assert {"left of": dx < 2, "right of": dx > -2, "above": dy < 2, "below": dy > -2}[match[3]]
    assert len(seen) == 4


@pytest.mark.parametrize("config", [STILLS, CROWDED])
def test_answers_agree_with_the_tracks(config):
    kinds = set()
    for scene in scenes(config, 80):
        by_name = {f"{t.colour} {t.shape}": t for t in scene.tracks}
        for question, answer, kind in scene.questions:
            kinds.add(kind)
            if kind == "count":
                assert answer == NUMBERS[len(scene.tracks)]
            elif kind == "shape":
                assert answer == max(scene.tracks, key=lambda t: t.poses.mean_radius).shape
            elif kind == "present":
                assert answer == ("yes" if re.search(r"there an? (.*) \?", question)[1] in by_name else "no")
            elif kind == "colour":
                shape = re.search(r"is the (\w+) \?", question)[1]
                assert [t.colour for t in scene.tracks if t.shape == shape] == [answer]
            elif kind == "texture":
                assert by_name[re.search(r"has the (.*) \?", question)[1]].texture == answer
            elif kind == "action":
                assert by_name[re.search(r"does the (.*) do", question)[1]].action == answer
            else:
                first, second = re.search(r"is the (.*) left of the (.*) \?", question).groups()
                assert answer == ("yes" if by_name[first].poses.x[0] < by_name[second].poses.x[0] else "no")
    common = {"count", "shape", "present", "colour", "texture"}
    assert kinds == common | ({"action"} if config.n_frames > 1 else {"left_of"})


def test_yes_and_no_are_equally_common():
    answers = [q.answer for s in scenes(STILLS, 300) for q in s.questions if q.kind in ("present", "left_of")]
    assert 0.42 < answers.count("yes") / len(answers) < 0.58


# --- shortcuts ---


def accuracy(features, labels, names):
    """Of a linear probe trained on the first two thirds, in percent."""
    x = torch.tensor(np.stack(features), dtype=torch.float32)
    y = torch.tensor([names.index(label) for label in labels])
    cut = len(x) * 2 // 3
    return probe_accuracy_percent((x[:cut], y[:cut]), (x[cut:], y[cut:]), len(names), ProbeConfig("ridge", 1e-2))


def test_mean_colour_and_brightness_do_not_give_the_shape():
    shapes = ("circle", "square", "triangle", "star")
    sample = scenes(replace(STILLS, shapes=shapes, n_objects=(1, 1)), 600)
    features = [np.r_[s.frames.mean((0, 1, 2)), s.frames.std((0, 1, 2)), s.frames.astype(float).max()] for s in sample]
    # 200 tests of chance 25 %: a standard deviation is 3 points.
    assert accuracy(features, [s.label for s in sample], shapes) < 35


def test_one_frame_does_not_give_the_direction():
    actions = ("moves left", "moves right", "moves up", "moves down")
    sample = scenes(replace(CLIPS, actions=actions, n_objects=(1, 1)), 450)
    labels = [s.action for s in sample]
    for t in (0, 3, 7):
        where = [np.nan_to_num(s.main.boxes_xyxy_px[t]) for s in sample]
        assert accuracy(where, labels, actions) < 36, "even the exact box of one frame must not tell"
    small = [s.frames[0, ::4, ::4].astype(float).mean(-1).ravel() for s in sample]
    assert accuracy(small, labels, actions) < 36
    steps = [np.median(np.diff(np.nan_to_num(s.main.boxes_xyxy_px), axis=0), axis=0) for s in sample]
    assert accuracy(steps, labels, actions) > 90, "boxes over time do tell"


def test_one_frame_does_not_tell_growing_from_shrinking():
    actions = ("grows", "shrinks")
    sample = scenes(replace(CLIPS, actions=actions, n_objects=(1, 1)), 450)
    sizes = [np.array([(s.instance_masks[0] > 0).sum(), (s.instance_masks[-1] > 0).sum()], float) for s in sample]
    labels = [s.action for s in sample]
    # 150 tests of chance 50 %: a standard deviation is 4 points.
    assert accuracy([size[:1] for size in sizes], labels, actions) < 62
    assert accuracy([size[1:] for size in sizes], labels, actions) < 62


# --- nuisances and settings ---


def test_nuisances_change_pixels_but_neither_masks_nor_words():
    quiet = World(replace(STILLS, nuisance=PLAIN), 0)[4]
    loud = World(replace(STILLS, nuisance=replace(PLAIN, brightness=60, noise_std=30)), 0)[4]
    assert (quiet.instance_masks == loud.instance_masks).all()
    assert quiet.captions[0] == loud.captions[0]
    assert (quiet.frames != loud.frames).mean() > 0.5


def test_an_occluder_takes_pixels_and_leaves_every_object_visible():
    base = replace(STILLS, nuisance=PLAIN)
    beam = World(replace(base, nuisance=replace(PLAIN, occluder_probability=1.0)), 0)
    fewer = 0
    for i in range(40):
        plain, covered = World(base, 0)[i], beam[i]
        assert (
            covered.instance_masks[covered.instance_masks > 0] == plain.instance_masks[covered.instance_masks > 0]
        ).all()
        fewer += int((covered.instance_masks > 0).sum() < (plain.instance_masks > 0).sum())
        assert all(track.visible.any() for track in covered.tracks)
    assert fewer > 5


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_every_ground_is_drawn_and_differs_between_scenes(kind):
    config = replace(STILLS, nuisance=replace(PLAIN, backgrounds=(kind,)))
    first, second = scenes(config, 2)
    assert not np.array_equal(first.frames[0, 0], second.frames[0, 0])
    assert (np.ptp(first.frames[0, :5, :5].reshape(-1, 3), axis=0).max() == 0) == (kind == "flat")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shapes": ("sqare",)}, "square"),
        ({"colours": ()}, "at least one colour"),
        ({"shapes": ("star", "star")}, "none twice"),
        ({"actions": ("grows",)}, "at least 4 frames"),
        ({"n_objects": (0, 1)}, "1 to 6 objects"),
        ({"size_px": 8}, "16 pixels"),
        ({"min_gap": 0.1}, "min_gap"),
        ({"held_out": ("red traingle",)}, "red triangle"),
        ({"shapes": ("star",), "colours": ("red",), "held_out": ("red star",)}, "held out"),
        ({"n_frames": 8, "actions": ("spins",), "shapes": ("ring",), "textures": ("plain",)}, "nobody sees"),
    ],
)
def test_settings_that_make_no_world_are_refused(changes, words):
    with pytest.raises((ConfigError, UnknownNameError), match=words):
        replace(STILLS, **changes)


def test_wrong_nuisances_are_refused():
    for changes in ({"backgrounds": ("sky",)}, {"contrast": 1.0}, {"occluder_probability": 2.0}, {"n_specks": (3, 1)}):
        with pytest.raises(ConfigError):
            NuisanceConfig(**changes)


def test_wrong_splits_and_indices_are_refused():
    with pytest.raises(UnknownNameError, match="test"):
        World(STILLS, 0, "tset")
    with pytest.raises(ConfigError, match="held_out"):
        World(STILLS, 0, "held_out")
    with pytest.raises(IndexError):
        World(STILLS, 0)[-1]
