"""Configurations from and to plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onlooker.configs import config_from_dict, config_to_dict, real_number, replace_fields, whole_number
from onlooker.errors import ConfigError, UnknownNameError


@dataclass(frozen=True)
class Inner:
    width: int = 4
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    spare: Inner | None = None
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[int, str] = (1, "a")
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    limit: int | None = None
    table: Mapping[str, float] = field(default_factory=dict)
    groups: tuple[Inner, ...] = ()

    def __post_init__(self) -> None:
        if self.inner.width < 1:
            raise ConfigError(f"`inner.width` must be 1 or more, got {self.inner.width}")


@dataclass(frozen=True)
class Choice:
    level: Literal[1, 2] = 1


INNERS = st.builds(Inner, st.integers(1, 9), st.floats(allow_nan=False, allow_infinity=False))
OUTERS = st.builds(
    Outer,
    st.text(),
    INNERS,
    st.none() | INNERS,
    st.lists(st.integers()).map(tuple),
    st.tuples(st.integers(), st.text()),
    st.sampled_from(["a", "b"]),
    st.booleans(),
    st.none() | st.integers(),
    st.dictionaries(st.text(), st.floats(allow_nan=False)),
    st.lists(INNERS, max_size=3).map(tuple),
)


@given(OUTERS)
def test_plain_data_gives_the_same_configuration_back(config: Outer) -> None:
    through_json = json.loads(json.dumps(config_to_dict(config)))
    assert config_from_dict(Outer, through_json) == config
    assert replace_fields(config, {}) == config


def test_fields_left_out_keep_their_defaults_and_required_ones_are_asked_for() -> None:
    assert config_from_dict(Outer, {"name": "x"}) == Outer("x")
    with pytest.raises(ConfigError, match=r"`name` of `Outer` is missing and has no default"):
        config_from_dict(Outer, {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nam": "x"}, r"unknown setting `nam`; did you mean `name`\?"),
        ({"name": "x", "inner": {"widht": 3}}, r"unknown setting `inner.widht`; did you mean `inner.width`"),
        ({"name": "x", "groups": [{"width": 1}, {"with": 1}]}, r"`groups\[1\].with`.*did you mean `groups\[1\].width`"),
        ({"name": "x", "kind": "c"}, r"unknown value of `kind` `c`"),
    ],
)
def test_unknown_names_say_where_and_what_is_near(values: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        config_from_dict(Outer, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": 3}, r"`name` must be str, got `3`"),
        ({"inner": {"width": 2.0}}, r"`inner.width` must be int, got `2.0`"),
        ({"inner": {"width": True}}, r"`inner.width` must be int, got `True`"),
        ({"inner": {"rate": "fast"}}, r"`inner.rate` must be float"),
        ({"inner": {"rate": True}}, r"`inner.rate` must be float"),
        ({"inner": 3}, r"`inner` is a group of settings, got `3`"),
        ({"inner": None}, r"`inner` is a group of settings"),
        ({"flag": 1}, r"`flag` must be bool, got `1`"),
        ({"sizes": 3}, r"`sizes` is a list, got `3`"),
        ({"sizes": "12"}, r"`sizes` is a list"),
        ({"sizes": [1, "2"]}, r"`sizes\[1\]` must be int"),
        ({"pair": [1]}, r"`pair` is a list of 2, got 1"),
        ({"limit": "none"}, r"`limit` must be int"),
        ({"table": [1]}, r"`table` is a table"),
        ({"table": {"a": "b"}}, r"`table.a` must be float"),
        ({"inner": {"width": 0}}, r"`inner.width` must be 1 or more, got 0"),
    ],
)
def test_values_of_the_wrong_kind_say_where(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_from_dict(Outer, {"name": "x", **values})


def test_a_whole_number_serves_as_a_float_and_becomes_one() -> None:
    rate = config_from_dict(Inner, {"rate": 1}).rate
    assert (rate, type(rate)) == (1.0, float)


def test_changes_reach_nested_groups_and_leave_the_rest() -> None:
    config = Outer("x", Inner(3, 0.25), sizes=(7,))
    changed = replace_fields(config, {"inner": {"width": 9}, "limit": 2})
    assert changed == Outer("x", Inner(9, 0.25), sizes=(7,), limit=2)
    assert config == Outer("x", Inner(3, 0.25), sizes=(7,))
    assert replace_fields(changed, {"limit": None}).limit is None
    assert replace_fields(config, {"spare": {"width": 2}}).spare == Inner(2, 0.5)
    with pytest.raises(UnknownNameError, match="did you mean `limit`"):
        replace_fields(config, {"limits": 2})
    with pytest.raises(ConfigError, match="1 or more"):
        replace_fields(config, {"inner": {"width": 0}})


def test_a_literal_takes_values_of_its_own_type_only() -> None:
    assert config_from_dict(Choice, {"level": 2}).level == 2
    for wrong in ("1", True, [1]):
        with pytest.raises((UnknownNameError, ConfigError)):
            config_from_dict(Choice, {"level": wrong})


@pytest.mark.parametrize("value", [3, "x", None, Outer, {"a": 1}])
def test_what_is_no_configuration_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="expected a configuration dataclass"):
        config_to_dict(value)


@pytest.mark.parametrize("value", [2.5, 2.0, "2", True, None, float("nan")])
def test_a_count_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="`keep_frames` is a whole number, got"):
        whole_number("keep_frames", value)


def test_numbers_keep_to_their_bounds() -> None:
    assert whole_number("n", np.int64(3), 1, 3) == 3
    assert real_number("x", 2) == 2.0
    for call, said in (
        (lambda: whole_number("n", 0), "`n` is at least 1, got 0"),
        (lambda: whole_number("n", 9, 1, 8), "`n` is 1 to 8, got 9"),
        (lambda: real_number("x", 1.5, 0, 1), "`x` is 0 to 1, got 1.5"),
        (lambda: real_number("x", float("inf"), 0), "`x` is a finite number, got inf"),
        (lambda: real_number("x", "1", 0), "`x` is a number, got `'1'`"),
    ):
        with pytest.raises(ConfigError) as error:
            call()
        assert str(error.value) == said
