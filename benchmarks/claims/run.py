"""Runs the claims of the methods and writes their records: `python benchmarks/claims/run.py [METHOD] [--jobs 2]`.

Records go to src/onlooker/claim_results, which benchmarks/results/claims leads to, and are part of the package: the
pages in docs/papers are drawn from them. Scores that are there for the code as it is are not measured again, and a run
that is stopped keeps the seeds it has finished.
"""

from __future__ import annotations

import argparse

from onlooker.catalogue import METHODS
from onlooker.catalogue.toolkits import TOOLKITS
from onlooker.errors import NothingFoundError
from onlooker.papers import RECORDS, find_paper, run_claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", nargs="?", help="left out: every method of the catalogue")
    parser.add_argument("--claim", action="append", default=[], help="this claim only (repeatable)")
    parser.add_argument("--again", action="store_true", help="measure also what was measured with the same code")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the seeds, one thread each")
    asked = parser.parse_args()
    for name in [find_paper(asked.method).name] if asked.method else [*METHODS, *TOOLKITS]:
        try:
            results = run_claims(
                name,
                RECORDS,
                asked.claim,
                again=asked.again,
                jobs=asked.jobs,
                progress=lambda line: print(line, flush=True),
            )
        except NothingFoundError as nothing:
            print(nothing, flush=True)
            continue
        for result in results:
            verdict = {True: "holds", False: "FAILS", None: "too few seeds"}[result.holds]
            print(f"{name} {result.claim}: {verdict} ({result.seconds / 60:.1f} min)", flush=True)


if __name__ == "__main__":
    main()
