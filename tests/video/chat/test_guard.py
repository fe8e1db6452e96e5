"""The guard alone: what it accepts, what it refuses, and what its messages say."""

from __future__ import annotations

import pytest

from onlooker.errors import QueryRefusedError
from onlooker.video.chat.guard import ALLOWED_FUNCTIONS, MAX_SQL_CHARS, MAX_TOKENS, check
from onlooker.video.chat.sql_tokens import scan, without_comments


def test_plain_select_passes_and_names_its_views():
    checked = check("SELECT t.id FROM Tracklets t JOIN boxes b ON b.tracklet_key = t.key WHERE t.category = :what;")
    assert checked.views == {"tracklets", "boxes"}
    assert checked.named_parameters == ("what",)
    assert checked.n_positional == 0
    assert not checked.sql.endswith(";")


def test_comments_are_cut_out_of_what_will_run():
    checked = check("SELECT 1 -- base_videos\n, '--kept' /* load_extension( */ FROM videos")
    assert checked.sql == "SELECT 1  \n, '--kept'   FROM videos"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT category, count(*) AS n FROM tracklets GROUP BY category HAVING n > 1 ORDER BY n DESC LIMIT 5 OFFSET 1",
        "WITH a AS (SELECT id FROM tracklets), b(x) AS (SELECT id FROM a) SELECT count(*) FROM a JOIN b ON a.id = b.x",
        "SELECT id, row_number() OVER (PARTITION BY video ORDER BY t_start) FROM tracklets",
        "SELECT id, lag(t) OVER w FROM boxes WINDOW w AS (PARTITION BY tracklet_key ORDER BY t)",
        "SELECT sum(duration) FILTER (WHERE category = 'car') FROM tracklets",
        "SELECT id FROM tracklets WHERE (id, video) IN (SELECT id, video FROM boxes) AND EXISTS (SELECT 1 FROM gaps)",
        "SELECT CASE WHEN speed > 3 THEN 'fast' ELSE 'slow' END, CAST(t_start AS INTEGER) FROM tracklets",
        "SELECT id FROM tracklets WHERE t_start BETWEEN ? AND ? UNION SELECT id FROM tracklets WHERE color LIKE ?",
        "SELECT * FROM (SELECT id FROM tracklets) AS t, (VALUES (1), (2)) AS v",
        "WITH a AS MATERIALIZED (SELECT 1 AS x), b(y) AS NOT MATERIALIZED (SELECT x FROM a) SELECT y FROM b",
        "SELECT printf('%05.1f s', t_start), strftime('%M:%S', t_start, 'unixepoch') FROM tracklets",
    ],
)
def test_statements_a_planner_writes_pass(sql):
    assert check(sql).sql == sql


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TABLE base_videos", "only SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT at a time"),
        ("SELECT * FROM base_tracklets", "did you mean `tracklets`?"),
        ("SELECT * FROM secrets", "Allowed: annotators, attributes, boxes"),
        ("SELECT load_extension('x')", "function `load_extension` is refused"),
        ("SELECT counts(*) FROM tracklets", "nearest allowed: count"),
        ("WITH tracklets AS (SELECT 1) SELECT * FROM tracklets", "is the name of a view"),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", "reads itself"),
        ("SELECT id IN tracklets FROM tracklets", "`IN table` is refused"),
        ("SELECT x'00'", "blob literals"),
        ("SELECT printf('%9999d', 1)", "two digits of width"),
        ("SELECT printf(category) FROM tracklets", "plain text in single quotes"),
        ("SELECT trim(category, 'ab') FROM tracklets", "one argument only"),
        ("SELECT ?, :a", "not both"),
        ("SELECT * FROM main.tracklets", "without a schema"),
        ("SELECT 'a", "never closed"),
        ("SELECT * FROM tr\u0430cklets", "U+0430"),
        (" " * MAX_SQL_CHARS + "SELECT 1", "at most 20000"),
        ("SELECT 1" + "+1" * (MAX_TOKENS // 2), f"at most {MAX_TOKENS}"),
    ],
)
def test_refusal_says_what_and_what_instead(sql, said):
    with pytest.raises(QueryRefusedError) as refusal:
        check(sql)
    assert said in str(refusal.value)


def test_name_of_a_column_list_does_not_pass_as_a_call_elsewhere():
    # Only `WITH name(columns) AS (` frees a bracket from being a call.
    with pytest.raises(QueryRefusedError, match="zeroblob"):
        check("WITH zeroblob(a) AS (SELECT 1) SELECT zeroblob(a) FROM zeroblob")


def test_subqueries_that_multiply_are_counted_as_they_will_be_expanded():
    chain = ", ".join(f"c{i} AS (SELECT p.x FROM c{i - 1} p, c{i - 1} q)" for i in range(1, 4))
    assert check(f"WITH c0 AS (SELECT 1 AS x), {chain} SELECT * FROM c3").subqueries == {"c0", "c1", "c2", "c3"}
    chain = ", ".join(f"c{i} AS (SELECT p.x FROM c{i - 1} p, c{i - 1} q)" for i in range(1, 7))
    with pytest.raises(QueryRefusedError, match="tables in all"):
        check(f"WITH c0 AS (SELECT 1 AS x), {chain} SELECT * FROM c6")


def test_scanner_ends_block_comments_where_sqlite_does():
    assert [token.text for token in scan("SELECT /* /* */ 1 /* open")] == ["SELECT", "1"]
    assert without_comments("SELECT '/* not a comment */' ; ;") == "SELECT '/* not a comment */'"
    assert [token.value for token in scan("[a b] `c``d` \"e\"\"f\" 'g''h'")] == ["a b", "c`d", 'e"f', "g'h"]


def test_no_function_that_can_reach_outside_or_blow_up_is_allowed():
    assert not ALLOWED_FUNCTIONS & {
        "load_extension", "readfile", "writefile", "edit", "randomblob", "zeroblob", "random", "hex", "quote",
        "replace", "instr", "char", "fts3_tokenizer", "json_each", "generate_series",
    }  # fmt: skip
