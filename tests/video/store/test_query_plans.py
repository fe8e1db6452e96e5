"""Typical questions are answered from indices: none of them reads a whole large table."""

from __future__ import annotations

import pytest

from onlooker.video.store.store import Store

# Of the statement only the shape matters: plans without rows in the file are those of the schema.
QUESTIONS = {
    "how many cars": "SELECT count(*) FROM tracklets WHERE category = 'car'",
    "how many red cars": "SELECT count(*) FROM tracklets WHERE category = 'car' AND color = 'red'",
    "how many cars in one video": "SELECT count(*) FROM tracklets WHERE video = 'a' AND category = 'car'",
    "how long are cars seen": "SELECT sum(duration) FROM tracklets WHERE category = 'car'",
    "fastest car": "SELECT video, id, speed FROM tracklets WHERE category = 'car' ORDER BY speed DESC LIMIT 1",
    "boxes at a moment": "SELECT id, x1 FROM boxes WHERE video = 'a' AND t = 3.2",
    "boxes of a tracklet": "SELECT t, x1 FROM boxes WHERE video = 'a' AND id = 4",
    "boxes of a key": "SELECT t, x1 FROM boxes WHERE tracklet_key = 4 AND t > 3",
    "masks of a tracklet": "SELECT t, area FROM masks WHERE video = 'a' AND id = 4",
    "masks at a moment": "SELECT id, rle FROM masks WHERE video = 'a' AND t = 3.2",
    "pairs in a video": "SELECT * FROM pairs WHERE video = 'a' AND first_category = 'car' AND second_category = 'dog'",
    "pairs anywhere": "SELECT * FROM pairs WHERE first_category = 'car' AND second_category = 'dog'",
    "pairs of a tracklet": "SELECT * FROM pairs WHERE first_key = 4 OR second_key = 4",
    "street tags": "SELECT video, id FROM attributes WHERE name = 'tag' AND value = 'street'",
    "tags of a tracklet": "SELECT value FROM attributes WHERE tracklet_key = 4 AND name = 'tag'",
    "said at a moment": "SELECT text FROM speech WHERE video = 'a' AND t_start < 20 AND t_end > 10",
    "nearest frame": "SELECT max(t) FROM frames WHERE video_key = 1 AND t BETWEEN 2.2 AND 3.2",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_question_reads_no_large_table_as_a_whole(store: Store, question: str) -> None:
    with store.read() as connection:
        plan = [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + QUESTIONS[question])]
    # b boxes, m masks, f frames, p pairs, k tracklets, s speech, a attributes: their names inside the views
    assert not [step for step in plan if step.startswith("SCAN") and step.split()[1] in set("bmfpksa")], plan


@pytest.mark.parametrize("question", ["how many cars", "how many red cars", "how long are cars seen", "fastest car"])
def test_totals_over_the_library_touch_the_index_only(store: Store, question: str) -> None:
    with store.read() as connection:
        plan = [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + QUESTIONS[question])]
    assert any("USING COVERING INDEX ix_tracklets_category" in step for step in plan), plan
