"""Frozen dataclasses from and to plain data: what recipes, stored configurations and `build` go through.

An unknown field is an error that names the nearest known one; a value of the wrong type is an error that says where.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import types
import typing
from collections.abc import Mapping
from typing import Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from onlooker.errors import ConfigError, UnknownNameError

C = TypeVar("C")


def config_to_dict(config: object) -> dict[str, object]:
    """Nested plain data (dict, list, str, int, float, bool, None), ready for JSON or TOML."""
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ConfigError(f"expected a configuration dataclass, got `{type(config).__name__}`")
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return config_to_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def config_from_dict(kind: type[C], values: Mapping[str, object], where: str = "") -> C:
    """The dataclass `kind` filled from plain data; fields left out keep their defaults.

    Args:
        kind: a dataclass whose fields are plain values, tuples, literals, or dataclasses again.
        values: field name -> value.
        where: dotted place, for messages.

    Raises:
        UnknownNameError: a field that does not exist.
        ConfigError: a required field is missing, or a value has the wrong type.
    """
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise UnknownNameError("setting", f"{where}{name}", [f"{where}{known}" for known in fields])
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"setting `{where}{missing[0]}` of `{kind.__name__}` is missing and has no default")
    return kind(**{name: _typed(value, hints[name], f"{where}{name}") for name, value in values.items()})


def replace_fields(config: C, changes: Mapping[str, object]) -> C:
    """The same configuration with some fields changed; nested mappings change nested dataclasses.

    Raises:
        UnknownNameError, ConfigError: as `config_from_dict`.
    """
    merged = _merge(config_to_dict(config), changes)
    return config_from_dict(type(config), merged)


def _merge(base: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for name, value in changes.items():
        known = merged.get(name)
        merged[name] = _merge(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return merged


def _typed(value: object, hint: object, where: str) -> object:
    """`value` as the annotation asks, or ConfigError."""
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if isinstance(value, hint):
            return value
        if not isinstance(value, Mapping):
            raise ConfigError(f"setting `{where}` is a group of settings, got `{value!r}`")
        return config_from_dict(hint, value, f"{where}.")
    if origin in (Union, types.UnionType):
        return _one_of(value, arguments, where)
    if origin is Literal:
        if not any(type(value) is type(known) and value == known for known in arguments):  # True equals 1 to Python
            raise UnknownNameError(f"value of `{where}`", str(value), [str(known) for known in arguments])
        return value
    if origin is tuple:
        return _typed_tuple(value, arguments, where)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"setting `{where}` is a table, got `{value!r}`")
        return {key: _typed(item, arguments[1], f"{where}.{key}") for key, item in value.items()}
    return _plain_typed(value, hint, where)


def _one_of(value: object, choices: tuple[object, ...], where: str) -> object:
    problems = []
    for choice in choices:
        if choice is types.NoneType:
            if value is None:
                return None
            continue
        try:
            return _typed(value, choice, where)
        except ConfigError as error:
            problems.append(error)
    raise problems[0] if problems else ConfigError(f"setting `{where}` must be left out, got `{value!r}`")


def _typed_tuple(value: object, arguments: tuple[object, ...], where: str) -> tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"setting `{where}` is a list, got `{value!r}`")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_typed(item, arguments[0], f"{where}[{place}]") for place, item in enumerate(value))
    if len(value) != len(arguments):
        raise ConfigError(f"setting `{where}` is a list of {len(arguments)}, got {len(value)}: `{value!r}`")
    pairs = zip(value, arguments, strict=True)
    return tuple(_typed(item, hint, f"{where}[{place}]") for place, (item, hint) in enumerate(pairs))


def _plain_typed(value: object, hint: object, where: str) -> object:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (typing.Any, object):
        return value
    misread = isinstance(value, bool) and hint is not bool  # bool is a kind of int to Python, not to a reader
    if isinstance(hint, type) and isinstance(value, hint) and not misread:
        return value
    raise ConfigError(f"setting `{where}` must be {getattr(hint, '__name__', hint)}, got `{value!r}`")


def whole_number(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """`value`, an option that counts something.

    Args:
        name: of the option, for messages.
        value: whole numbers of numpy are taken, too.
        least, most: bounds, both allowed.

    Raises:
        ConfigError: another type (a float, even 2.0; True and False), or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ConfigError(f"`{name}` is a whole number, got `{value!r}`")
    _check_bounds(name, float(value), least, most)
    return int(value)


def real_number(name: str, value: object, least: float | None = None, most: float | None = None) -> float:
    """As `whole_number` for an option that measures something; NaN and infinity are refused."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ConfigError(f"`{name}` is a number, got `{value!r}`")
    if not math.isfinite(value):
        raise ConfigError(f"`{name}` is a finite number, got {value}")
    _check_bounds(name, float(value), least, most)
    return float(value)


def _check_bounds(name: str, value: float, least: float | None, most: float | None) -> None:
    low, high = -math.inf if least is None else least, math.inf if most is None else most
    if not low <= value <= high:
        allowed = f"at least {low:g}" if most is None else f"{low:g} to {high:g}"
        raise ConfigError(f"`{name}` is {allowed}, got {value:g}")
