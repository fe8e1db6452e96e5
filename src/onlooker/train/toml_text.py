"""Plain data as TOML text; the standard library only reads it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from onlooker.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(values: Mapping[str, object]) -> str:
    """A TOML document. What is `None` is left out, as TOML has no word for absent.

    Raises:
        ConfigError: a value that TOML cannot hold.
    """
    return "\n".join(_table(values, ())).strip("\n") + "\n"


def _table(values: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in values.items() if value is not None and not isinstance(value, Mapping)}
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value, (*path, key))}" for key, value in plain.items()]
    if path and (lines or not tables):
        lines = ["", f"[{'.'.join(map(_key, path))}]", *lines]
    for key, table in tables.items():
        lines += _table(table, (*path, key))
    return lines


def _value(value: object, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item, path) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_value(item, path)}" for key, item in value.items() if item is not None)
        return "{ " + ", ".join(pairs) + " }"
    raise ConfigError(f"setting `{'.'.join(path)}` cannot be written as TOML: `{value!r}`")


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = repr(value)
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def _key(key: object) -> str:
    text = str(key)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
