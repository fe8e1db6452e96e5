"""Restorers for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from restoring_samples import SMALL, SeesGreen

from onlooker.methods.forensics.fttdr import FtTdr, FtTdrRestorer


@pytest.fixture(scope="session")
def restorer() -> FtTdrRestorer:
    return FtTdrRestorer.from_network(SeesGreen(SMALL))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights as `save_pretrained` writes them."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    FtTdr(SMALL).save_pretrained(folder)
    return folder
