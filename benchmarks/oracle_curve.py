"""How good answers are against how good the tracks are: accuracy by type of question against HOTA.

    python benchmarks/oracle_curve.py [--again] [PART ...]

Perfect tracks; perfect tracks made worse in seeded steps to several HOTA levels, by all kinds of errors together and by
one kind alone; and real trackers. HOTA takes categories into account: a box under another name finds nothing. Two
groups of clips: `pictures` are composed clips that the bundled detector looks at, `detections` are real clips that come
with public detections. Writes benchmarks/results/oracle_curve.json part by part and docs/pictures/oracle_curve.png; a
part that is there is measured again only when named, or when its data changed. About ten minutes on one thread.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import cv2

from asked_tracks import ask_official, load_scene, numbered_like
from degraded_tracks import KINDS, Reached, Rows, Scene, reach_hota, score_rows
from onlooker.errors import ConfigError
from oracle import all_sources
from oracle_curve_picture import draw
from oracle_curve_summary import summarise
from tracked_clips import LookedAt, bundled_on_public, linked_public
from tracking_common import RESULTS, Part, measure_parts

LEVELS = (90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0)
SEEDS = (0, 1)
KIND_LEVEL = 90.0  # what every kind of error reaches alone
EVERY_KITTI = 3  # every third sequence: its questions are two of three otherwise
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "oracle_curve.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="measured even if it is there")
    parser.add_argument("--again", action="store_true", help="measure every part again")
    parser.add_argument("--draw", action="store_true", help="only draw the picture again")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    head = {
        "what": "accuracy of answers by type of question against category-aware HOTA",
        "seeds": list(SEEDS),
        "limits": f"every {EVERY_KITTI}rd sequence of KITTI; levels {', '.join(f'{v:g}' for v in LEVELS)} reached to "
        f"0.5 points; kinds of errors alone at HOTA {KIND_LEVEL:g}, seed {SEEDS[0]}; 1 thread",
    }
    if not asked.draw:
        again = PARTS if asked.again else asked.part
        measure_parts("oracle_curve", head, PARTS, again, lambda parts: {"summary": summarise(parts), **parts})
    draw(RESULTS / "oracle_curve.json", PICTURE)


def scenes_of(group: str) -> list[Scene]:
    """The clips of a group."""
    return [load_scene(source) for source in sources_of(group)]


def sources_of(group: str) -> list[str]:
    """Their names, "pack/clip"."""
    found = all_sources()
    composed = [s for s in found if s.startswith("davis")]
    if group == "pictures":
        return composed
    kitti = [s for s in found if s.startswith("kitti")]
    return [s for s in found if s not in composed + kitti] + kitti[::EVERY_KITTI]


def degraded(group: str) -> dict[str, object]:
    """Perfect tracks and all kinds of errors together, level by level and seed by seed."""
    scenes = scenes_of(group)
    runs = [{"level": 100.0, "seed": None, **measured(scenes, [scene.truth for scene in scenes])}]
    for level in LEVELS:
        for seed in SEEDS:
            reached = reach_hota(scenes, level, seed)
            runs.append({"level": level, "seed": seed, **of_reached(scenes, reached)})
            print(group, level, seed, runs[-1]["accuracy"], flush=True)
    return {"clips": len(scenes), "n_frames": sum(s.n_frames for s in scenes), "runs": runs}


def kinds_alone(group: str) -> dict[str, object]:
    """Each kind of error alone, at one and the same HOTA."""
    scenes, made = scenes_of(group), {}
    for kind in KINDS:
        try:
            made[kind] = of_reached(scenes, reach_hota(scenes, KIND_LEVEL, SEEDS[0], (kind,)))
        except ConfigError as error:  # in a group where no two objects of one category meet, ids cannot be swapped
            made[kind] = {"not_reached": str(error)}
        print(group, kind, made[kind].get("accuracy"), flush=True)
    return made


def trackers_on_pictures() -> dict[str, object]:
    """The bundled detector with the application's tracker, and with linking by overlap."""
    looked = LookedAt()
    trackers = {
        "bundled detector and tracker": looked.bundled(3.0),
        "bundled detector and tracker, every frame": looked.bundled(10.0),
        "bundled detector, linked by overlap": looked.linked,
    }
    return _tracked("pictures", trackers)


def trackers_on_detections() -> dict[str, object]:
    """The same without the detector."""
    trackers = {"bundled tracker": bundled_on_public, "linked by overlap": linked_public}
    return _tracked("detections", trackers)


def _tracked(group: str, trackers: Mapping[str, Callable[[Sequence[Scene]], list[Rows]]]) -> dict[str, object]:
    scenes = scenes_of(group)
    return {name: measured(scenes, track(scenes)) for name, track in trackers.items()}


def of_reached(scenes: Sequence[Scene], reached: Reached) -> dict[str, object]:
    """A degraded point of the curve."""
    return {"amount": reached.amount, **measured(scenes, reached.tracks)}


def measured(scenes: Sequence[Scene], tracks: Sequence[Rows]) -> dict[str, object]:
    """Scores of tracks, and how many answers of each type they give right."""
    scores, answers = score_rows(scenes, tracks), ask_official(scenes, tracks)
    return {
        "hota": scores.hota,
        "hota_one_class": score_rows(scenes, tracks, by_category=False).hota,
        "deta": scores.deta,
        "assa": scores.assa,
        "id_switches_per_object_minute": scores.id_switches_per_object_minute,
        "count_error": scores.count_error,
        "objects_never_found": 100 * never_found(scenes, tracks),
        "accuracy": 100 * sum(r for r, _ in answers.values()) / sum(n for _, n in answers.values()),
        "answers": {kind: list(counts) for kind, counts in answers.items()},
    }


def never_found(scenes: Sequence[Scene], tracks: Sequence[Rows]) -> float:
    """Share of true objects that no track of their category was paired with."""
    n_objects = n_found = 0
    for scene, tracked in zip(scenes, tracks, strict=True):
        true = {(int(i), str(c)) for i, c in zip(scene.truth.ids, scene.truth.categories, strict=True)}
        named = numbered_like(scene.truth, tracked)
        n_found += len(true & {(int(i), str(c)) for i, c in zip(named.ids, named.categories, strict=True)})
        n_objects += len(true)
    return 1 - n_found / n_objects


def _files(group: str) -> Callable[[], Iterable[Path]]:
    from clips import paths  # type: ignore[import-not-found]

    return lambda: [file for source in sources_of(group) for file in paths(source)]


PARTS = {
    "pictures: degraded": Part(lambda: degraded("pictures"), _files("pictures")),
    "pictures: kinds alone": Part(lambda: kinds_alone("pictures"), _files("pictures")),
    "pictures: trackers": Part(trackers_on_pictures, _files("pictures")),
    "detections: degraded": Part(lambda: degraded("detections"), _files("detections")),
    "detections: kinds alone": Part(lambda: kinds_alone("detections"), _files("detections")),
    "detections: trackers": Part(trackers_on_detections, _files("detections")),
}

if __name__ == "__main__":
    main()
