"""What most tests of wordings ask: the street of `street_world`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from street_world import make_world

from onlooker.video.chat.answering import Answerer
from onlooker.video.store.reader import Reader


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answerer]:
    """Over the library of the street, one for each file of tests."""
    with Reader.open(make_world(tmp_path_factory.mktemp("street") / "street.onlooker")) as reader:
        yield Answerer(reader)
