"""The results page says what the result files say."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_results_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("generate_results", ROOT / "docs" / "generate_results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text(encoding="utf-8") == module.render(), "run `python docs/generate_results.py`"
