"""Runs every benchmark, one after the other, and renders the pages of results: `python benchmarks/run_all.py`.

Those of networks that must be trained first (`trackers_on_real.py`, `trackers_cost.py`) want folders of runs and are
started by hand.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "oracle_questions.py",
    "tracking_public_detections.py",
    "tracking_baselines.py --again",
    "follow_boxes.py --again",
    "follow_bare_ground.py",
    "tracking_relink_calibration.py",
    "tracking_speed_accuracy.py",
    "oracle_curve.py --again",
    "ingest_cost.py",
    "ask_speed.py",
    "claims/run.py",
    "speed/run.py",
)


def main() -> None:
    for script in SCRIPTS:
        started = time.monotonic()
        file, *options = script.split()
        subprocess.run([sys.executable, str(HERE / file), *options], check=True, cwd=HERE)
        print(f"{script}: {time.monotonic() - started:.0f} s", flush=True)
    for page in ("generate_results.py", "generate_papers.py"):
        subprocess.run([sys.executable, str(HERE.parent / "docs" / page)], check=True)


if __name__ == "__main__":
    main()
