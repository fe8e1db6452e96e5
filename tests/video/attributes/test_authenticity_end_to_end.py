"""From a clip to an answer with a real M2TR network of random weights: its numbers mean nothing, their way does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from clip_worlds import OFF, RedBoxDetector, ingest
from judge_worlds import held, rows

import onlooker
from onlooker.media.decode import VideoReader
from onlooker.methods.forensics.m2tr.infer import M2trJudge
from onlooker.synth.clips import make_clip
from onlooker.types import Detections
from onlooker.video.attributes.authenticity import Authenticity
from onlooker.video.attributes.looks import cut, widened
from onlooker.video.library import Library
from onlooker.video.store import Store
from onlooker.video.tracklets import TrackletTracker
from onlooker.video.wiring import ModelPool, RoleChoice, Settings, make_toolbox

FPS, FACE = 10.0, 80


def face_clip(path):
    """2 s of 320 x 240: a red body of 120 x 200 goes right; its face of 80 px, green and textured, changes at 1 s."""
    frames = []
    rng = np.random.default_rng(3)
    faces = [rng.integers(0, 80, (FACE, FACE, 3)).astype(np.uint8) for _ in range(2)]
    for index in range(20):
        picture = np.full((240, 320, 3), 60, np.uint8)
        x = 20 + 6 * index
        picture[30:230, x : x + 120] = (220, 20, 20)
        face = faces[index // 10].copy()
        face[..., 1] = 170 + face[..., 1]
        picture[32 : 32 + FACE, x + 20 : x + 20 + FACE] = face
        frames.append(picture)
    return make_clip(path, frames, [index / FPS for index in range(20)])


class GreenFaces:
    """Finds what is green."""

    name, version = "green-faces", "1"

    def find(self, images):
        return [self._one(image.astype(int)) for image in images]

    def _one(self, image):
        ys, xs = np.nonzero((image[..., 1] > 140) & (image[..., 0] < 120))
        if len(ys) < 500:
            return Detections.empty()
        box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), ("face",))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    network = onlooker.build("m2tr", config="tiny", seed=2).train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
    with torch.no_grad():  # untrained and with statistics of nothing, it says the same of every picture
        for _ in range(4):
            network(torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    network.save_pretrained(folder)
    stored = {"temperature": 1.0, "threshold": 0.0, "tested_on": "no faces at all"}
    (folder / "calibration.json").write_text(json.dumps(stored))
    return folder


def tools_for(weights, **options):
    roles = {role: RoleChoice("none") for role in OFF}
    roles["authenticity_judge"] = RoleChoice("m2tr", {"weights": str(weights), **options})
    tools = make_toolbox(ModelPool(Settings(roles=roles)))
    finder = held(GreenFaces(), "face_finder")
    annotators = [Authenticity(a._judge, finder) if isinstance(a, Authenticity) else a for a in tools.annotators]
    return replace(tools, make_tracker=lambda: TrackletTracker(RedBoxDetector(), None), annotators=annotators)


def test_a_question_after_an_ingest_names_the_face_its_judge_and_the_moments(tmp_path, weights):
    path = face_clip(tmp_path / "clip.mp4")
    store = Store.open(tmp_path / "library.onlooker")
    assert "authenticity" in ingest(store, tools_for(weights), path).seconds
    assert ingest(store, tools_for(weights), path).status == "unchanged"
    curve = rows(store)
    _check_against_the_network(path, weights, curve)
    with Library.open(store.path, create=False) as library:
        answer = library.ask("which faces look manipulated after 00:01?")
        assert (answer.status, answer.value) == ("answered", [1])
        assert "tested on no faces at all (experimental)." in answer.text
        assert answer.models["authenticity_judge"].startswith("m2tr@own+")
        assert answer.models["authenticity_judge"] in answer.text
        late = [(p, t) for t, p, _, _ in curve if t >= 1]
        assert answer.evidence[0].frame_s == max(late)[1]
        assert library.verify_answer(answer.to_json()).ok
    # Another threshold is another judge: only its own stage is done again, and now nothing reaches it.
    again = ingest(store, tools_for(weights, threshold=1.0), path)
    assert set(again.seconds) == {"authenticity"}
    store.close()
    with Library.open(tmp_path / "library.onlooker", create=False) as library:
        answer = library.ask("does anyone look fake?")
        assert (answer.status, answer.value) == ("answered", False)


def _check_against_the_network(path, weights, curve):
    """The stored probability is what the method itself says of that face on that frame."""
    judge = M2trJudge(weights)
    assert len(curve) == 8
    with VideoReader(path) as reader:
        frames = {round(frame.time_s, 3): frame.image.copy() for frame in reader}
    for t, probability, reason, box in curve:
        assert reason is None
        assert (box[2] - box[0], box[3] - box[1]) == (pytest.approx(FACE, abs=4), pytest.approx(FACE, abs=4))
        (expected,) = judge.judge_faces(frames[round(t, 3)], [box])
        assert probability == pytest.approx(expected.probability, abs=1e-4)
    assert len({round(p, 3) for _, p, _, _ in curve}) > 1


def test_a_face_is_cut_as_the_method_cuts_it():
    picture = np.random.default_rng(0).integers(0, 255, (100, 120, 3)).astype(np.uint8)
    for box in ((30.0, 20.0, 70.0, 75.0), (0.0, 0.0, 40.0, 30.0), (90.5, 60.2, 119.0, 99.0)):
        from onlooker.methods.forensics.m2tr.infer import _window

        left, top, right, bottom = _window(box, 100, 120)
        ours, corner = cut(picture, widened(box, 1.3, square=True))
        assert corner == (left, top)
        assert np.array_equal(ours, picture[top:bottom, left:right])
