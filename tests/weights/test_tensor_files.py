"""Files that hold tensors, hold something else, are damaged, or want to run code."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file, save_model
from torch import nn

from onlooker.errors import WeightsError
from onlooker.weights.files import read_tensors

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([1.0, 2.0])}


class RunsCode:
    """Unpickled, it would write a file."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.write_text, (self._target, "the code ran")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("where", ["alone", "beside tensors"])
def test_a_pickle_that_runs_code_is_refused_and_its_code_does_not_run(tmp_path: Path, zipped: bool, where: str) -> None:
    target, path = tmp_path / "proof.txt", tmp_path / "evil.pt"
    evil = RunsCode(target)
    content = evil if where == "alone" else {**TENSORS, "extra": evil}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"was refused: reading it would run code.*safetensors"):
        read_tensors(path)
    assert not target.exists()


def test_the_hostile_pickle_of_these_tests_is_really_hostile(tmp_path: Path) -> None:
    target = tmp_path / "proof.txt"
    pickle.loads(pickle.dumps(RunsCode(target)))
    assert target.read_text() == "the code ran"


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_plain_pickle_that_runs_code_is_refused(tmp_path: Path, protocol: int) -> None:
    target, path = tmp_path / "proof.txt", tmp_path / "evil.bin"
    path.write_bytes(pickle.dumps(RunsCode(target), protocol=protocol))
    with pytest.raises(WeightsError, match=r"was refused: reading it would run code.*safetensors"):
        read_tensors(path)
    assert not target.exists()


def test_a_damaged_file_of_the_older_kind_is_not_called_hostile(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save(OrderedDict(TENSORS), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WeightsError, match="is not a readable checkpoint"):
        read_tensors(path)


def test_text_under_the_name_of_a_checkpoint_says_what_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_text("hello")
    with pytest.raises(WeightsError, match="it is damaged or no file of tensors"):
        read_tensors(path)


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(WeightsError, match="was refused"):
        read_tensors(tmp_path / "module.pt")


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".pyth", ".safetensors"])
def test_tensors_come_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(TENSORS, path)
    else:
        torch.save(TENSORS, path)
    found = read_tensors(path)
    assert found.keys() == TENSORS.keys()
    assert all(found[name].equal(tensor) for name, tensor in TENSORS.items())


def test_tied_parameters_are_stored_once_and_come_back_under_every_name(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[1].weight = network[0].weight
    save_model(network, str(tmp_path / "tied.safetensors"))
    found = read_tensors(tmp_path / "tied.safetensors")
    assert set(found) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert found["0.weight"].equal(found["1.weight"])


def test_wrappers_are_opened_from_outside_in_and_other_content_is_left(tmp_path: Path) -> None:
    path = tmp_path / "run.pth"
    torch.save({"epoch": 3, "model": {"state_dict": TENSORS}, "optimizer": {"lr": 0.1}}, path)
    assert read_tensors(path, ("state_dict", "model")).keys() == TENSORS.keys()
    with pytest.raises(WeightsError, match=r"holds no tensors; its keys are epoch, model, optimizer"):
        read_tensors(path, ("weights",))


@pytest.mark.parametrize("content", [[torch.zeros(1)], torch.zeros(2), 7, "text", None])
def test_content_that_is_no_table_is_named(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "odd.pt")
    with pytest.raises(WeightsError, match=f"holds a `{type(content).__name__}`, expected named tensors"):
        read_tensors(tmp_path / "odd.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_an_empty_file_and_an_empty_table_are_told_apart(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"empty{suffix}"
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match="is empty; it was cut off"):
        read_tensors(path)
    if suffix == ".safetensors":
        save_file({}, path)
    else:
        torch.save({}, path)
    with pytest.raises(WeightsError, match="holds no tensors"):
        read_tensors(path)


def test_nothing_at_the_place_says_what_to_give(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pt", tmp_path):
        with pytest.raises(WeightsError, match="give a file, a folder with one, or a hub name"):
            read_tensors(path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999))
def test_a_truncated_file_is_never_half_read(tmp_path: Path, suffix: str, cut: float) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".safetensors":
        save_file(TENSORS, path)
    else:
        torch.save(TENSORS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(WeightsError, match=r"is empty|is not a readable"):
        read_tensors(path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    garbage=st.one_of(
        st.binary(min_size=1, max_size=300),
        st.binary(max_size=80).map(lambda rest: b"\x80\x02" + rest),
        st.binary(max_size=80).map(lambda rest: b"PK\x03\x04" + rest),
        st.binary(max_size=60).map(lambda rest: struct.pack("<Q", len(rest)) + rest),
    )
)
def test_garbage_is_an_error_of_ours(tmp_path: Path, suffix: str, garbage: bytes) -> None:
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(garbage)
    with pytest.raises(WeightsError):
        read_tensors(path)


def test_garbage_is_not_called_hostile(tmp_path: Path) -> None:
    path = tmp_path / "page.pt"
    path.write_text("<html>not found</html>")
    with pytest.raises(WeightsError, match="is not a readable checkpoint"):
        read_tensors(path)
