"""Runs every benchmark, one after the other, and renders the pages of results: `python benchmarks/run_all.py`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "oracle_questions.py",
    "tracking_public_detections.py",
    "tracking_baselines.py",
    "tracking_relink_calibration.py",
    "tracking_speed_accuracy.py",
    "ingest_cost.py",
    "ask_speed.py",
    "claims/run.py",
    "speed/run.py",
)


def main() -> None:
    for script in SCRIPTS:
        started = time.monotonic()
        subprocess.run([sys.executable, str(HERE / script)], check=True, cwd=HERE)
        print(f"{script}: {time.monotonic() - started:.0f} s", flush=True)
    for page in ("generate_results.py", "generate_papers.py"):
        subprocess.run([sys.executable, str(HERE.parent / "docs" / page)], check=True)


if __name__ == "__main__":
    main()
