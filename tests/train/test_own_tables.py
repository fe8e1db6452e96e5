"""Tables of one's own files: three forms, who is held out, and what is said of rows that cannot be used."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onlooker.errors import ConfigError, FormatError
from onlooker.media.encode import VideoWriter
from onlooker.train.footage import frames_at, length_s, picture_of
from onlooker.train.tables import TableRow, class_names, fingerprint_rows, read_table, split_rows


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def said(row: TableRow) -> tuple[str, str | None, str | None, str | None]:
    return row.files[0].name, row.label, row.text, row.split


def rows_of(counts: dict[str, int]) -> list[TableRow]:
    return [
        TableRow((Path(label) / f"{n}.mp4",), label, None, None, f"{label} {n}")
        for label, count in counts.items()
        for n in range(count)
    ]


def test_the_three_forms_say_the_same(tmp_path: Path) -> None:
    files(tmp_path, "c/train/run/a.mp4", "c/train/walk/b.mp4", "c/test/run/c.mp4", "c/test/run/.hidden", "c/.git/x/y")
    (tmp_path / "t.csv").write_text(
        "\ufefffile,label,split\nc/train/run/a.mp4,run,train\nc/train/walk/b.mp4,walk,train\nc/test/run/c.mp4,run,val\n",
        encoding="utf-8",
    )
    lines = [
        {"video": "c/train/run/a.mp4", "label": "run", "split": "train"},
        {"video": "c/train/walk/b.mp4", "label": "walk", "split": "train"},
        {"video": "c/test/run/c.mp4", "label": "run", "split": "test"},
    ]
    (tmp_path / "t.jsonl").write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    wanted = {("a.mp4", "run", None, "train"), ("b.mp4", "walk", None, "train"), ("c.mp4", "run", None, "test")}
    for place in ("c", "t.csv", "t.jsonl"):
        assert {said(row) for row in read_table(tmp_path / place)} == wanted
    assert read_table(tmp_path / "t.jsonl")[1].where == f"{tmp_path / 't.jsonl'}, line 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs `file` and `label` or `text`"),
        ("file,label\n", "is empty"),
        ("path,label\na.mp4,run\n", "needs `file` and `label` or `text`, got path, label"),
        ("file,label,spilt\na.mp4,run,train\n", "unknown column `spilt`; did you mean `split`"),
        ("file,label\na.mp4,\n", r"line 2: `a.mp4` has neither `label` nor `text`"),
        ("file,label\n,run\n", "line 2: a file is a path"),
        ("file,label\nb.mp4,run\n", "line 2: there is no file `.*b.mp4`; paths are relative"),
        ("file,label,split\na.mp4,run,trian\n", "line 2: unknown split `trian`; did you mean `train`"),
        ("file,label,split\na.mp4,run,train\na.mp4,run,\n", "line 3 names no split, other rows do"),
        ("file,label\na.mp4,run, fast\n", "line 2 has more cells than the header"),
    ],
)
def test_a_csv_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, message: str) -> None:
    files(tmp_path, "a.mp4")
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is no JSON"),
        ("[]", 'needs "video", "image" or "images"'),
        ('{"text": "a"}', 'needs "video", "image" or "images"'),
        ('{"video": "a.mp4", "image": "a.mp4", "text": "a"}', "one of them"),
        ('{"video": "a.mp4", "caption": "a"}', "unknown key `caption`"),
        ('{"images": [], "text": "a"}', "a file is a path"),
        ('{"video": 3, "text": "a"}', "a file is a path"),
        ('{"video": "a.mp4", "label": 3}', "`label` is text, got 3"),
    ],
)
def test_a_json_line_that_cannot_be_used_says_where_and_why(tmp_path: Path, line: str, message: str) -> None:
    files(tmp_path, "a.mp4")
    (tmp_path / "t.jsonl").write_text(f'{{"video": "a.mp4", "text": "a"}}\n{line}', encoding="utf-8")
    with pytest.raises(FormatError, match=f"line 2.*{message}"):
        read_table(tmp_path / "t.jsonl")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a")
    (tmp_path / "b.csv").write_bytes(b"file,label\n\xff\xfe,a\n")
    (tmp_path / "empty").mkdir()
    for name, message in (("x", "no table at"), ("t.txt", "is no table"), ("empty", "empty"), ("b.csv", "readable")):
        with pytest.raises(FormatError, match=message):
            read_table(tmp_path / name)


def test_every_class_is_held_out_in_its_share_whatever_the_order() -> None:
    rows = rows_of({"run": 10, "walk": 5, "sit": 2})
    splits = split_rows(rows, 0.2, 0)
    assert Counter(row.label for row in splits["test"]) == {"run": 2, "walk": 1, "sit": 1}
    assert set(splits["train"]) | set(splits["test"]) == set(rows)
    assert set(split_rows(rows[::-1], 0.2, 0)["test"]) == set(splits["test"])
    assert set(split_rows(rows, 0.2, 1)["test"]) != set(splits["test"])
    assert class_names(splits) == ("run", "sit", "walk")
    assert fingerprint_rows(()) != fingerprint_rows([TableRow((Path(__file__),), "run", None, None, "")])


def test_splits_that_cannot_be_are_refused() -> None:
    with pytest.raises(FormatError, match="class `sit` has one row"):
        split_rows(rows_of({"run": 3, "sit": 1}), 0.2, 0)
    with pytest.raises(ConfigError, match="`held_out` is a share"):
        split_rows(rows_of({"run": 3}), 1.0, 0)
    train, test = TableRow((), "run", None, "train", "line 2"), TableRow((), "runn", None, "test", "line 3")
    with pytest.raises(FormatError, match="no rows for the split `test`"):
        split_rows([train], 0.2, 0)
    with pytest.raises(FormatError, match="line 3: unknown class of the training rows `runn`; did you mean `run`"):
        class_names(split_rows([train, test], 0.2, 0))


def test_frames_come_by_their_times_and_pictures_in_their_order(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 1.0]  # of a rate that varies
    with VideoWriter(tmp_path / "a.mp4", (32, 16)) as writer:
        for number, time_s in enumerate(times):
            writer.write(np.full((16, 32, 3), 60 * number, np.uint8), time_s)
    row = TableRow((tmp_path / "a.mp4",), "x", None, None, "line 2")
    assert 1.0 < length_s(row) < 1.3
    assert [int(frame.mean() / 60 + 0.5) for frame in frames_at(row, [0.1, 0.3, 0.9, 5.0])] == [1, 2, 3, 3]
    for number in range(3):
        Image.fromarray(np.full((8, 8 + number, 3), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    still = TableRow(tuple(tmp_path / f"{n}.png" for n in range(3)), "x", None, None, "line 3")
    assert length_s(still) == pytest.approx(0.1)
    frames = frames_at(still, [0.0, 0.034, 9.0])
    assert [(frame.shape, int(frame[0, 0, 0])) for frame in frames] == [((8, 8, 3), value) for value in (0, 40, 80)]


def test_footage_that_cannot_be_used_is_named_with_its_row(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "one.mp4", (32, 16)) as writer:
        writer.write(np.zeros((16, 32, 3), np.uint8), 0.0)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "bad.png").write_text("no picture")
    one, text, bad = (
        TableRow((tmp_path / name,), "x", None, None, f"line {n}")
        for n, name in enumerate(("one.mp4", "text.mp4", "bad.png"))
    )
    with pytest.raises(FormatError, match=r"line 0: `.*one.mp4` has one frame"):
        length_s(one)
    with pytest.raises(FormatError, match=r"line 1: .*text.mp4"):
        length_s(text)
    with pytest.raises(FormatError, match=r"line 1: .*text.mp4"):
        frames_at(text, [0.0])
    with pytest.raises(FormatError, match=r"line 2: .*bad.png"):
        picture_of(bad)
    assert bad.is_picture
    assert not text.is_picture
