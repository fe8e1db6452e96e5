"""Weights are used only when they are the expected bytes, and the packages that carry them are never executed."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from onlooker.errors import WeightsError
from onlooker.weights.cache import cache_folder, read_member, unpacked
from onlooker.weights.hub_cache import fetch, local_folder
from onlooker.weights.verify import PackagedFile, find_packaged, sha256_of, verified_path

CONTENT = b"twelve bytes"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package that fails when imported, as some weight packages do."""
    folder = tmp_path / "weights_that_fail_on_import"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('executed')")
    (folder / "model.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def packaged(sha256: str = SHA256, n_bytes: int = 12, path: str = "model.bin") -> PackagedFile:
    return PackagedFile("weights-dist", "1.2", "weights_that_fail_on_import", path, sha256, n_bytes)


def test_file_is_found_without_running_its_package(package: Path) -> None:
    assert verified_path(packaged()) == package / "model.bin"
    assert "weights_that_fail_on_import" not in sys.modules


def test_changed_byte_of_same_size_is_refused_with_a_remedy(package: Path) -> None:
    (package / "model.bin").write_bytes(b"twelve bytez")
    with pytest.raises(WeightsError, match=r"altered.*weights-dist==1\.2"):
        verified_path(packaged())


def test_change_after_a_good_check_in_the_same_process_is_noticed(package: Path) -> None:
    path = verified_path(packaged())
    path.write_bytes(b"twelve bytez")
    os.utime(path, ns=(1, 1))
    with pytest.raises(WeightsError, match="altered"):
        verified_path(packaged())


def test_truncated_file_names_both_sizes(package: Path) -> None:
    (package / "model.bin").write_bytes(b"half")
    with pytest.raises(WeightsError, match="has 4 bytes where 12"):
        verified_path(packaged())


def test_missing_package_and_missing_file_say_what_to_install(package: Path) -> None:
    absent = PackagedFile("nowhere-dist", "3", "no_such_package_at_all", "model.bin", SHA256, 12)
    assert find_packaged(absent) is None
    with pytest.raises(WeightsError, match="nowhere-dist==3"):
        verified_path(absent)
    with pytest.raises(WeightsError, match=r"other\.bin"):
        verified_path(packaged(path="other.bin"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("inner/model.bin", CONTENT)
    return path


def test_member_is_unpacked_once_and_left_alone_when_whole(archive: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    path = unpacked(archive, "inner/model.bin", SHA256, cache)
    assert path is not None
    assert path.read_bytes() == CONTENT
    os.utime(path, ns=(1, 1))
    assert unpacked(archive, "inner/model.bin", SHA256, cache) == path
    assert path.stat().st_mtime_ns == 1
    assert [p.name for p in cache.iterdir()] == [path.name]


def test_damaged_cache_is_replaced(archive: Path, tmp_path: Path) -> None:
    path = unpacked(archive, "inner/model.bin", SHA256, tmp_path / "cache")
    assert path is not None
    path.write_bytes(b"damaged")
    assert unpacked(archive, "inner/model.bin", SHA256, tmp_path / "cache") == path
    assert sha256_of(path) == SHA256


def test_wrong_member_leaves_nothing_behind(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="was expected"):
        unpacked(archive, "inner/model.bin", "0" * 64, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    with pytest.raises(WeightsError, match="was expected"):
        read_member(archive, "inner/model.bin", "0" * 64)


def test_unwritable_cache_is_no_error(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("")
    assert unpacked(archive, "inner/model.bin", SHA256, tmp_path / "a_file" / "cache") is None
    assert read_member(archive, "inner/model.bin", SHA256) == CONTENT


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONLOOKER_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"


def test_local_folder_wins_over_the_hub_and_typos_in_paths_are_not_looked_up(tmp_path: Path) -> None:
    assert local_folder(str(tmp_path), "main", offline=True) == tmp_path
    for wrong in (str(tmp_path / "absent"), "./absent", "absent", "a/b/c"):
        with pytest.raises(WeightsError, match="neither a folder nor a hub name"):
            local_folder(wrong, "main", offline=True)


def test_offline_fetch_says_how_to_get_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"network is switched off.*onlooker models pull"):
        fetch("nobody/not-a-model", "main", offline=True)
