"""The page about the views says what the views are."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from onlooker.video.exchange import import_mot
from onlooker.video.store.store import Store

DOCS = Path(__file__).parents[3] / "docs"


def test_page_is_what_its_generator_writes() -> None:
    spec = importlib.util.spec_from_file_location("generate_views", DOCS / "generate_views.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = (DOCS / "reference" / "views.md").read_text(encoding="utf-8")
    assert page == generator.render(), "run `python docs/generate_views.py`"


def test_statements_on_the_page_run(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "clip.mp4"
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=2\nseqLength=40\nimWidth=100\nimHeight=100\n")
    (folder / "gt" / "gt.txt").write_text("26,4,1,2,3,4,1,3,1\n27,4,5,2,3,4,1,3,1\n")
    import_mot(store, folder)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE base_tracklets SET color = 'red'")
    page = (DOCS / "reference" / "views.md").read_text(encoding="utf-8")
    first, second = re.findall(r"--[^\n]*\n(SELECT.*?;)", page, flags=re.DOTALL)
    with store.read() as connection:
        assert [tuple(r) for r in connection.exec_driver_sql(first)] == [("clip.mp4", 4, 12.5, 1.0)]
        assert [tuple(r) for r in connection.exec_driver_sql(second)] == [(4, "car", 1.0, 2.0, 4.0, 6.0)]
