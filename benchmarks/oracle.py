"""Oracle libraries: ground-truth tracks of the shared clips, imported the way a user would import them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from onlooker.video.exchange import import_mot
from onlooker.video.store import Store

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
QUESTIONS = ROOT / "tests" / "data"
sys.path.insert(0, str(QUESTIONS))


def all_sources() -> list[str]:
    """Every clip with official questions, as "pack/clip"."""
    found = [f"davis-composites/{path.parent.name}" for path in sorted(DATA.glob("davis-composites/*/qa.json"))]
    for pack, pattern in (("mot15-boxes", "*"), ("mot17-mini", "*"), ("kitti-tracking-boxes", "mot/*")):
        names = sorted(DATA.glob(f"{pack}/{pattern.replace('*', 'qa-*.json')}"))
        found += [f"{pack}/{path.stem.removeprefix('qa-')}" for path in names]
    return found


def sequence_folder(source: str, scratch: Path) -> Path:
    """A MOTChallenge folder for a clip: its own where it is one, else one written below `scratch`."""
    pack, clip = source.split("/")
    if pack == "davis-composites":
        return DATA / pack / clip
    if pack == "mot17-mini":
        return DATA / pack / "train" / clip
    folder = scratch / clip
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    boxes = DATA / pack / ("mot" if pack.startswith("kitti") else "gt") / f"{clip}.txt"
    (folder / "gt" / "gt.txt").write_bytes(boxes.read_bytes())
    rate, size = (10, (1242, 375)) if pack.startswith("kitti") else (25, (640, 480))
    last = max(int(float(line.split(",")[0])) for line in boxes.read_text().splitlines() if line)
    lines = ["[Sequence]", f"name={clip}", f"frameRate={rate}", f"seqLength={last}"]
    (folder / "seqinfo.ini").write_text("\n".join([*lines, f"imWidth={size[0]}", f"imHeight={size[1]}"]) + "\n")
    names = boxes.with_suffix(".json")
    if names.exists():
        (folder / "tracks.json").write_text(json.dumps(json.loads(names.read_text())))
    return folder


def oracle_library(path: Path, sources: list[str]) -> Path:
    """One library with the ground truth of all `sources`."""
    with Store.open(path) as store:
        for source in sources:
            import_mot(store, sequence_folder(source, path.parent / "sequences"))
    return path
