"""What is said of the curve follows from its points."""

import pytest

from oracle_curve_summary import at_hota, points, summarise


def run(level: float, hota: float, **answers: int) -> dict[str, object]:
    """A run with ten questions of every type."""
    kinds = {kind: [right, 10] for kind, right in answers.items()}
    accuracy = 10 * sum(answers.values()) / len(answers)
    return {
        "level": level,
        "hota": hota,
        "accuracy": accuracy,
        "objects_never_found": 100 - level,
        "count_error": 0.0,
        "answers": kinds,
    }


def result(low: dict[str, int]) -> dict[str, object]:
    perfect = run(100, 100, existence=10, count=10, temporal=10, trajectory=10)
    degraded = {"found": {"runs": [perfect, run(50, 50.4, **low), run(50, 49.6, **low)]}}
    trackers = {"found": {"mine": run(0, 75, existence=8, count=5, temporal=5, trajectory=4)}}
    return {
        f"{group}: {part}": made
        for group in ("pictures", "detections")
        for part, made in (("degraded", degraded), ("trackers", trackers))
    }


FALLING = {"existence": 9, "count": 7, "temporal": 5, "trajectory": 3}


def test_levels_pool_seeds_and_groups() -> None:
    assert points(result(FALLING), ("pictures", "detections"))["count"] == [(50, 70.0), (100, 100.0)]
    assert points(result(FALLING), ("pictures",))["all"] == [(50, 60.0), (100, 100.0)]


def test_a_tracker_is_held_against_degraded_truth_at_its_own_hota() -> None:
    row = summarise(result(FALLING))["trackers"][0]
    # Half way between 100 % at HOTA 100 and 60 % at HOTA 50; the tracker has 55 %.
    assert row["accuracy_at_same_hota"] == pytest.approx(80)
    assert row["points_ahead"] == pytest.approx(-25)
    assert row["objects_never_found_at_same_hota"] == pytest.approx(25)


def test_a_value_at_a_level_is_the_mean_of_its_seeds() -> None:
    runs = [
        {"level": 50, "hota": 50, "x": 1.0},
        {"level": 50, "hota": 50, "x": 3.0},
        {"level": 90, "hota": 90, "x": 6.0},
    ]
    assert at_hota(runs, 50, "x") == pytest.approx(2)
    assert at_hota(runs, 70, "x") == pytest.approx(4)


def test_the_expected_order_is_found_only_where_it_is() -> None:
    assert summarise(result(FALLING))["expected_order_holds_at"] == [50]
    assert summarise(result({**FALLING, "count": 3}))["expected_order_holds_at"] == []


def test_a_share_that_grows_as_tracks_get_worse_is_no_rise_with_hota() -> None:
    made = result(FALLING)
    for group in ("pictures", "detections"):
        made[f"{group}: degraded"]["found"]["runs"].append(run(30, 30, **{**FALLING, "count": 8}))
    rises = summarise(made)["rises_with_hota"]
    assert (rises["count"], rises["existence"]) == (False, True)
