"""Runs the speed scripts of the methods, one after the other: `python benchmarks/speed/run.py [METHOD ...]`.

Each script stands beside this file, has its method's name, and writes benchmarks/results/speed/METHOD.json: a race
against a reference implementation with equal outputs, or against the method's own full model.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from onlooker.catalogue import METHODS, find_method

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", nargs="*", help="left out: every method that has a script")
    asked = [find_method(name).name for name in parser.parse_args().method] or list(METHODS)
    for name in asked:
        script = HERE / f"{name}.py"
        if not script.exists():
            print(f"{name}: no script", flush=True)
            continue
        started = time.monotonic()
        subprocess.run([sys.executable, str(script)], check=True)
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
