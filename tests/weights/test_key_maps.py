"""Official names to ours and back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from onlooker.errors import ConfigError, WeightsError
from onlooker.weights.keys import KeyMap, compare_keys, strip_prefixes, translate

WORD = st.text(alphabet="abcxyz_.()[]+", min_size=1, max_size=8)
NUMBERS = st.integers(min_value=0, max_value=120)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, str]:
    """Rules with distinct heads on both sides, up to two holes, and a tail or none."""
    heads = draw(st.lists(st.tuples(WORD, WORD), min_size=1, max_size=5))
    found = {}
    for place, (official, ours) in enumerate(heads):
        holes = draw(st.integers(0, 2))
        tail = draw(st.sampled_from(["", ".*"]))
        found[f"o{place}-{official}" + ".{}" * holes + tail] = f"u{place}-{ours}" + ".{}.q" * holes + tail
    return found


@given(rules(), st.data())
def test_every_name_goes_to_ours_and_back(table: dict[str, str], data: st.DataObject) -> None:
    key_map = KeyMap(table)
    pattern, target = data.draw(st.sampled_from(sorted(table.items())))
    numbers = [str(data.draw(NUMBERS)) for _ in range(pattern.count("{}"))]
    rest = data.draw(WORD) if pattern.endswith("*") else ""
    official, ours = pattern.removesuffix("*"), target.removesuffix("*")
    for number in numbers:
        official, ours = official.replace("{}", number, 1), ours.replace("{}", number, 1)
    official, ours = official + rest, ours + rest
    assert key_map.ours(official) == ours
    assert key_map.theirs(ours) == (official,)


@given(rules())
def test_names_that_no_rule_knows_are_neither_renamed_nor_lost(table: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        KeyMap(table).ours("-stranger")
    renamed, unknown = translate({"-stranger": torch.zeros(1)}, KeyMap(table))
    assert (renamed, unknown) == ({}, ("-stranger",))
    assert KeyMap(table).theirs("-stranger") == ()


def test_a_layer_number_is_digits_and_nothing_else() -> None:
    key_map = KeyMap({"blocks.{}.w": "layers.{}.w"})
    assert key_map.ours("blocks.11.w") == "layers.11.w"
    for name in ("blocks.x.w", "blocks.1.2.w", "blocks..w", "blocks.1xw", "1blocks.1.w", "blocks.1.ww"):
        with pytest.raises(KeyError):
            key_map.ours(name)


def test_the_first_rule_that_matches_is_used() -> None:
    key_map = KeyMap({"head.bias": "b", "head.*": "classifier.*"})
    assert key_map.ours("head.bias") == "b"
    assert key_map.ours("head.weight") == "classifier.weight"
    assert key_map.theirs("classifier.weight") == ("head.weight",)
    assert key_map.theirs("classifier.bias") == ()  # the official name for it goes elsewhere


def test_ignored_names_go_before_rules() -> None:
    key_map = KeyMap({"head.*": "head.*"}, ignored=("head.{}.buffer", "old.*"))
    assert key_map.ours("head.3.buffer") is None
    assert key_map.ours("old.anything.at.all") is None
    assert key_map.ours("head.buffer") == "head.buffer"
    assert key_map.theirs("head.3.buffer") == ()


@pytest.mark.parametrize(
    "rule",
    [{"a.{}": "b"}, {"a": "b.{}"}, {"a.*": "b"}, {"a": "b.*"}, {"a.{}.{}": "b.{}"}, {"a.*.c": "b.*.c"}],
)
def test_rules_whose_sides_differ_are_refused(rule: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"both sides|last character"):
        KeyMap(rule)


def test_prefixes_go_only_when_every_name_has_them() -> None:
    assert strip_prefixes(["module.a", "module.b"], ["module."]) == {"module.a": "a", "module.b": "b"}
    assert strip_prefixes(["module.a", "b"], ["module."]) == {"module.a": "module.a", "b": "b"}
    assert strip_prefixes(["module.net.a"], ["module.", "net."]) == {"module.net.a": "a"}
    assert strip_prefixes([], ["module."]) == {}


def test_comparison_lists_what_is_missing_and_what_is_too_much_on_either_side() -> None:
    key_map = KeyMap({"a.{}": "x.{}", "c": "c"}, ignored=("skip",))
    report = compare_keys(["module.a.0", "module.a.7", "module.skip", "module.what"], ["x.0", "x.1", "c"], key_map)
    assert report.missing == ("x.1", "c")
    assert report.surplus == ("a.7", "what")
    assert not report.fits
    assert str(report) == "missing: `x.1`, `c`; surplus: `a.7`, `what`"
    assert compare_keys(["a.0", "c"], ["x.0", "c"], key_map).fits


def test_a_long_report_shows_the_first_of_each_and_counts_the_rest() -> None:
    report = compare_keys([], [f"n{i}" for i in range(12)], KeyMap({}))
    assert str(report) == "missing: `n0`, `n1`, `n2`, `n3`, `n4` and 7 more"


def test_two_tensors_for_one_place_must_be_equal() -> None:
    key_map = KeyMap({"a": "w", "b": "w"})
    renamed, _ = translate({"a": torch.ones(2), "b": torch.ones(2)}, key_map)
    assert renamed["w"].tolist() == [1.0, 1.0]
    with pytest.raises(WeightsError, match="two tensors claim the place of `w`, one of them `b`"):
        translate({"a": torch.ones(2), "b": torch.zeros(2)}, key_map)


def test_transforms_change_tensors_after_renaming() -> None:
    key_map = KeyMap({"fc.{}": "linear.{}"}, transforms={"linear.{}": lambda tensor: tensor.T})
    renamed, _ = translate({"fc.2": torch.tensor([[1.0, 2.0, 3.0]])}, key_map)
    assert renamed["linear.2"].shape == (3, 1)


def test_a_transform_that_cannot_be_done_names_the_tensor_and_its_shape() -> None:
    key_map = KeyMap({"fc": "linear"}, transforms={"linear": lambda tensor: tensor.reshape(2, 2)})
    with pytest.raises(WeightsError, match=r"`fc` with shape \(3,\) cannot be brought into our layout"):
        translate({"fc": torch.zeros(3)}, key_map)
