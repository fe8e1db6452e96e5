"""Claims are run seed by seed, recorded whole, and never measured twice with the same code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from onlooker.errors import ConfigError, FormatError
from onlooker.evaluation.claim_runs import (
    ClaimPlace,
    code_digest,
    read_result,
    read_results,
    run_claim,
)
from onlooker.evaluation.claims import Claim

SCORES = {0: (0.5, 0.25), 1: (0.75, 0.5), 2: (1.0, 0.0), 7: (0.0, 1.0)}


class Arms:
    """Two arms with scores worked out by hand; counts how often each seed was run and can stop at one."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.asked: list[int] = []
        self.stop_at = stop_at

    def __call__(self, seed: int) -> Mapping[str, float]:
        if seed == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(seed)
        return {"other": SCORES[seed][1], "ours": SCORES[seed][0]}


def claim(run: Arms, **changes: object) -> Claim:
    fields: dict[str, object] = {
        "name": "ours_beats_other",
        "statement": "ours is better (Table 1)",
        "setting": "two numbers",
        "metric": "accuracy",
        "unit": "fraction",
        "arms": ("ours", "other"),
        "run": run,
        "holds": lambda scores: sum(scores["ours"]) > sum(scores["other"]),
        "gate": "the mean of ours is larger",
    }
    return Claim(**(fields | changes))


@pytest.fixture
def place(tmp_path: Path) -> ClaimPlace:
    code = tmp_path / "code"
    code.mkdir()
    (code / "model.py").write_text("x = 1\n")
    return ClaimPlace("toy", code, tmp_path / "records")


def test_record_holds_every_score_mean_and_spread(place: ClaimPlace) -> None:
    result = run_claim(claim(Arms()), place)
    assert [dict(run.scores) for run in result.runs] == [{"ours": a, "other": b} for a, b in list(SCORES.values())[:3]]
    assert result.mean == {"ours": 0.75, "other": 0.25}
    # Deviations -1/4, 0, 1/4 over n - 1 = 2: the root of 1/16.
    assert result.spread == {"ours": 0.25, "other": 0.25}
    assert result.holds is True
    assert read_result(place.output / "toy" / "ours_beats_other.json") == result
    assert read_results(place.output, "toy") == {"ours_beats_other": result}
    assert read_results(place.output, "another") == {}


def test_a_failure_is_recorded_as_one(place: ClaimPlace) -> None:
    result = run_claim(claim(Arms(), holds=lambda scores: False), place)
    assert result.holds is False
    assert read_result(place.record("ours_beats_other")).holds is False


def test_fewer_than_three_seeds_are_not_judged(place: ClaimPlace) -> None:
    result = run_claim(claim(Arms()), place, seeds=[1])
    assert result.holds is None
    assert result.spread == {}
    assert result.mean == {"ours": 0.75, "other": 0.5}


def test_a_stopped_run_keeps_its_finished_seeds(place: ClaimPlace) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_claim(claim(Arms(stop_at=2)), place)
    assert not place.record("ours_beats_other").exists()
    assert read_results(place.output, "toy") == {}
    again = Arms()
    result = run_claim(claim(again), place)
    assert again.asked == [2]
    assert [run.seed for run in result.runs] == [0, 1, 2]
    assert place.partials("ours_beats_other") == []


def test_more_seeds_add_to_those_at_hand_and_again_counts_none(place: ClaimPlace) -> None:
    run_claim(claim(Arms()), place)
    more = Arms()
    assert len(run_claim(claim(more), place, seeds=[0, 1, 2, 7]).runs) == 4
    assert more.asked == [7]
    anew = Arms()
    run_claim(claim(anew), place, again=True)
    assert anew.asked == [0, 1, 2]


def test_other_code_or_other_arms_are_measured_again(place: ClaimPlace) -> None:
    before = run_claim(claim(Arms()), place)
    (place.code / "model.py").write_text("x = 2\n")
    changed = Arms()
    after = run_claim(claim(changed), place)
    assert changed.asked == [0, 1, 2]
    assert before.code != after.code == code_digest(place.code)


def test_digest_changes_with_names_and_text_of_code_only(place: ClaimPlace) -> None:
    before = code_digest(place.code)
    (place.code / "README.md").write_text("words")
    assert code_digest(place.code) == before
    (place.code / "model.py").rename(place.code / "network.py")
    assert code_digest(place.code) != before


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda seed: {"ours": 1.0}, "declares the arms"),
        (lambda seed: {"ours": 1.0, "other": 1.0, "third": 1.0}, "declares the arms"),
        (lambda seed: {"ours": float("nan"), "other": 1.0}, "the score of `ours` is nan"),
    ],
)
def test_scores_that_mean_nothing_are_refused(place: ClaimPlace, run: Arms, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run_claim(claim(run), place)
    assert not place.record("ours_beats_other").exists()


def test_no_seeds_are_refused(place: ClaimPlace) -> None:
    with pytest.raises(ConfigError, match="at least one seed"):
        run_claim(claim(Arms()), place, seeds=[])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"method": "toy"}', "\x00", '{"mean": {"a": "b"}}'])
def test_a_damaged_record_says_what_to_do(place: ClaimPlace, text: str) -> None:
    place.record("broken").parent.mkdir(parents=True)
    place.record("broken").write_text(text)
    with pytest.raises(FormatError, match="run the claim again"):
        read_results(place.output, "toy")


def test_record_names_no_machine_and_no_path(place: ClaimPlace, tmp_path: Path) -> None:
    import getpass
    import platform

    run_claim(claim(Arms()), place)
    text = place.record("ours_beats_other").read_text()
    assert str(tmp_path) not in text
    assert set(json.loads(text)["machine"]) == {"cores", "architecture", "system", "python"}
    assert f'"{platform.node()}"' not in text
    assert f'"{getpass.getuser()}"' not in text


def test_progress_names_claim_seed_and_scores(place: ClaimPlace) -> None:
    lines: list[str] = []
    run_claim(claim(Arms()), place, progress=lines.append)
    assert lines[0] == "toy ours_beats_other seed 0: about 1 min"
    assert lines[1] == "toy ours_beats_other seed 0: ours 0.5, other 0.25 fraction"
