"""What is fetched from a hub: safetensors where a repository has them, a checkpoint only where it has none."""

import fnmatch
from pathlib import Path

import huggingface_hub
import pytest
import torch

from onlooker.weights.files import read_tensors
from onlooker.weights.hub_cache import fetch
from onlooker.weights.load import locate_weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A hub whose repositories are lists of files; it puts those that are asked for into the cache."""
    repositories = {
        "owner/both": ["model.safetensors", "model.pt", "config.json"],
        "owner/checkpoint": ["NAME.pt", "README.md", "run.py"],
    }

    def download(repository: str, revision: str, allow_patterns: list[str], local_files_only: bool) -> str:
        folder = tmp_path / repository / "snapshots" / COMMIT
        folder.mkdir(parents=True, exist_ok=True)
        for name in repositories[repository]:
            if any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns):
                torch.save({"state_dict": {"a": torch.ones(2)}}, folder / name)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)


def test_a_checkpoint_beside_safetensors_is_not_downloaded(hub: None) -> None:
    assert sorted(path.name for path in fetch("owner/both", "main", offline=False).iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_a_repository_of_checkpoints_alone_can_be_loaded_by_name(hub: None) -> None:
    found = locate_weights("owner/checkpoint")
    assert found.path.name == "NAME.pt"
    assert [path.name for path in found.path.parent.iterdir()] == ["NAME.pt"], "code and pages are left where they are"
    assert read_tensors(found.path, ("state_dict",))["a"].tolist() == [1, 1]
