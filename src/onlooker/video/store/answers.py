"""Answers kept in the library, each tied to the videos it cites so that it goes when they go.

Written with the driver alone: a question must not pay for loading SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from onlooker.video.answer import Answer

_PATIENCE_S = 0.2  # ours: an answer is not kept waiting while a long ingest holds the write lock


def save_answer(path: Path, answer: Answer) -> bool:
    """Keep an answer under its `answer_id`.

    Returns:
        False when the library cannot be written just now (another writer, a read-only place, a full disk): the answer
        itself is as good as any, only `show` by id will not know it.
    """
    try:
        # mode=rw: a library deleted meanwhile must not come back as an empty file.
        uri = f"{path.resolve().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S, isolation_level=None)
    except sqlite3.Error:
        return False
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        # An answer lost in a power cut can be asked for again; it is not worth a wait for the disk.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        _insert(connection, answer)
        connection.execute("COMMIT")
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return True


def _insert(connection: sqlite3.Connection, answer: Answer) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute("DELETE FROM base_answers WHERE answer_id = ?", (answer.answer_id,))
    row = (answer.answer_id, answer.question, answer.to_json(), now)
    connection.execute(
        "INSERT INTO base_answers (answer_id, question, answer_json, created_at) VALUES (?, ?, ?, ?)", row
    )
    link = "INSERT INTO base_answer_videos (answer_id, video_id) SELECT ?, id FROM base_videos"
    if len(answer.rows) > len(answer.evidence):
        # Rows beyond the cited ones may quote any video of the library: such an answer goes with each of them.
        connection.execute(link, (answer.answer_id,))
    else:
        names = sorted({item.video for item in answer.evidence})
        connection.executemany(f"{link} WHERE name = ?", [(answer.answer_id, name) for name in names])
