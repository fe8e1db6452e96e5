"""The inventory tells what is installed, what is damaged, and what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onlooker import catalogue
from onlooker.catalogue import role_entries
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.models import inventory
from onlooker.models.inventory import list_models, pull_models, verify_models
from onlooker.weights.verify import PackagedFile


@pytest.fixture
def empty_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("empty_hub")
def test_every_row_of_the_catalogue_is_listed_with_licence_and_advice() -> None:
    found = list_models()
    assert [(m.role, m.name) for m in found] == [(e.role, e.name) for e in role_entries()]
    assert all(m.licence and m.licence != "unknown" for m in found)
    assert all(bool(m.advice) != m.installed for m in found)
    json.dumps([m.as_dict() for m in found])


@pytest.mark.models
def test_bundled_profile_is_installed_whole_and_verified() -> None:
    by_name = {(m.role, m.name): m for m in verify_models(profile="bundled")}
    for role, name in catalogue.profile("bundled").items():
        status = by_name[role, name]
        assert status.installed
        assert status.verified is (True if status.megabytes else None)
    assert by_name["detector", "ssd-mobilenet-v2"].megabytes == pytest.approx(69.8, abs=0.1)


def test_damaged_and_absent_files_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "some_weights_pkg").mkdir()
    (tmp_path / "some_weights_pkg" / "__init__.py").write_text("")
    (tmp_path / "some_weights_pkg" / "a.bin").write_bytes(b"abc")
    monkeypatch.syspath_prepend(str(tmp_path))
    damaged = PackagedFile("some-dist", "1", "some_weights_pkg", "a.bin", "0" * 64, 3)
    row = role_entries("detector")[0]
    for file, installed, verified in ((damaged, True, False), (replace(damaged, path="b.bin"), False, None)):
        monkeypatch.setattr(inventory.catalogue, "role_entries", lambda f=file: (replace(row, weights=(f,)),))
        (status,) = verify_models()
        assert (status.installed, status.verified) == (installed, verified)
        assert "some-dist==1" in status.advice


@pytest.mark.usefixtures("empty_hub")
def test_pull_refuses_unknown_bundled_and_offline_models() -> None:
    with pytest.raises(UnknownNameError, match="did you mean `siglip2-base`"):
        pull_models(["siglip2"])
    with pytest.raises(ConfigError, match="comes with an installed package"):
        pull_models(["minilm-l6-v2"])
    with pytest.raises(WeightsError, match="network is switched off"):
        pull_models(["rtdetr-v2-r18"], offline=True)
    assert pull_models([]) == []


def test_hub_model_in_the_cache_counts_as_installed(empty_hub: Path) -> None:
    source = next(e for e in role_entries("detector") if e.name == "rtdetr-v2-r18").weights
    assert isinstance(source, catalogue.HubModel)
    root = empty_hub / ("models--" + source.repository.replace("/", "--"))
    commit = "0123456789012345678901234567890123456789"
    (root / "snapshots" / commit).mkdir(parents=True)
    (root / "snapshots" / commit / "config.json").write_text("{}")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit)
    status = next(m for m in list_models() if m.name == "rtdetr-v2-r18")
    assert status.installed
    assert status.found_in == str(root / "snapshots" / commit)
    assert pull_models(["rtdetr-v2-r18"], offline=True) == [root / "snapshots" / commit]
