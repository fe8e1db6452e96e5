"""Official parameter names to ours, as a literal table that is checked in both directions.

A rule is `official pattern -> our pattern`; `{}` stands for a layer index (digits) and is carried over in order. Most
methods keep official names for most of their parts, so a rule may map a whole subtree: a pattern that ends in `.*`
carries the rest of the name over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor

from onlooker.errors import ConfigError, WeightsError

_SHOWN = 5


@dataclass(frozen=True)
class KeyMap:
    """How official names become ours.

    Attributes:
        rules: official pattern -> our pattern. The first rule that matches a name is the one used.
        ignored: official patterns that are left out on purpose (buffers, parts that are not used).
        transforms: our pattern -> change of the tensor (a reshape, a transpose, a split), applied after renaming.
        wrappers: keys under which a checkpoint may hold the tensors ("state_dict"), opened from outside in.
        prefixes: removed from the start of every official name when all names carry it ("module.").
        fused: official pattern -> official patterns whose tensors, all present, are joined along the first dimension
            to make it, before renaming (queries, keys and values that some files keep apart).

    Raises:
        ConfigError: a rule whose two sides have different holes, or a `*` that is not at the end.
    """

    rules: Mapping[str, str]
    ignored: tuple[str, ...] = ()
    transforms: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=lambda: MappingProxyType({}))
    wrappers: tuple[str, ...] = ("state_dict", "model_state", "model", "weights")
    prefixes: tuple[str, ...] = ("module.",)
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for official, target in self.rules.items():
            if _holes(official) != _holes(target):
                raise ConfigError(f"both sides of the rule `{official}` -> `{target}` need the same `{{}}` and `*`")
        for pattern in (*self.rules, *self.rules.values(), *self.ignored, *self.transforms):
            if "*" in pattern[:-1]:
                raise ConfigError(f"`*` stands for the rest of a name and is the last character, got `{pattern}`")

    def ours(self, official: str) -> str | None:
        """Our name of an official one, or `None` where it is ignored.

        Raises:
            KeyError: no rule knows the name.
        """
        if any(_regex(pattern).fullmatch(official) for pattern in self.ignored):
            return None
        rule = self.rule_for(official)
        match = _regex(rule).fullmatch(official) if rule is not None else None
        if rule is None or match is None:
            raise KeyError(official)
        return _fill(self.rules[rule], match.groups())

    def rule_for(self, official: str) -> str | None:
        """The official pattern whose rule is used for a name, or `None` where no rule knows it."""
        return next((pattern for pattern in self.rules if _regex(pattern).fullmatch(official)), None)

    def theirs(self, ours: str) -> tuple[str, ...]:
        """Official names that become a name of ours: several where layouts differ or parameters are tied, none where
        no rule leads there."""
        found = []
        for pattern, target in self.rules.items():
            match = _regex(target).fullmatch(ours)
            if match:
                official = _fill(pattern, match.groups())
                if self._leads_to(official, ours):  # an earlier rule may take the name elsewhere
                    found.append(official)
        return tuple(dict.fromkeys(found))

    def _leads_to(self, official: str, ours: str) -> bool:
        try:
            return self.ours(official) == ours
        except KeyError:
            return False


@dataclass(frozen=True)
class KeyReport:
    """What two sets of names have against each other.

    Attributes:
        missing: our names that nothing official fills.
        surplus: official names that no rule knows, or that no tensor of ours takes.
        mismatched: our name -> (our shape, shape that came).
    """

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    mismatched: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        """Nothing missing, nothing left over, every shape equal."""
        return not (self.missing or self.surplus or self.mismatched)

    def __str__(self) -> str:
        parts = [f"missing: {_first(self.missing)}"] if self.missing else []
        parts += [f"surplus: {_first(self.surplus)}"] if self.surplus else []
        shapes = [f"`{name}` is {ours}, got {came}" for name, (ours, came) in self.mismatched.items()]
        parts += [f"wrong shape: {', '.join(shapes[:_SHOWN])}{_more(len(shapes))}"] if shapes else []
        return "; ".join(parts) or "all keys fit"


def compare_keys(official: Iterable[str], ours: Iterable[str], key_map: KeyMap) -> KeyReport:
    """What remains on either side after the map: names only, for lists without tensors."""
    wanted = dict.fromkeys(ours)
    filled, surplus = set(), []
    for name in strip_prefixes(list(official), key_map.prefixes).values():
        try:
            target = key_map.ours(name)
        except KeyError:
            surplus.append(name)
            continue
        if target is not None and target not in wanted:
            surplus.append(name)
        elif target is not None:
            filled.add(target)
    return KeyReport(tuple(name for name in wanted if name not in filled), tuple(surplus))


def translate(state: Mapping[str, Tensor], key_map: KeyMap) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Tensors under our names, and the official names no rule knows.

    Raises:
        WeightsError: two official names become the same name of ours with different values.
    """
    renamed: dict[str, Tensor] = {}
    unknown = []
    stripped = strip_prefixes(list(state), key_map.prefixes)
    transforms = [(_regex(pattern), change) for pattern, change in key_map.transforms.items()]
    tensors = _fuse({official: state[name] for name, official in stripped.items()}, key_map.fused)
    for official, tensor in tensors.items():
        try:
            target = key_map.ours(official)
        except KeyError:
            unknown.append(official)
            continue
        if target is None:
            continue
        for pattern, change in transforms:
            if pattern.fullmatch(target):
                tensor = _changed(change, tensor, official)
        if target in renamed and not renamed[target].equal(tensor):
            raise WeightsError(f"two tensors claim the place of `{target}`, one of them `{official}`")
        renamed[target] = tensor
    return renamed, tuple(unknown)


def _changed(change: Callable[[Tensor], Tensor], tensor: Tensor, official: str) -> Tensor:
    try:
        return change(tensor)
    except (RuntimeError, IndexError, ValueError) as error:  # what reshapes and splits raise for a wrong shape
        shape = tuple(tensor.shape)
        raise WeightsError(f"`{official}` with shape {shape} cannot be brought into our layout: {error}") from error


def _fuse(state: Mapping[str, Tensor], fused: Mapping[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """Parts joined where all of them are there; an incomplete set is left for the report."""
    joined = dict(state)
    for whole, parts in fused.items():
        for name in state:
            match = _regex(parts[0]).fullmatch(name)
            names = [_fill(part, match.groups()) for part in parts] if match else []
            if names and all(part in state for part in names):
                joined[_fill(whole, match.groups() if match else ())] = torch.cat([joined.pop(part) for part in names])
    return joined


def strip_prefixes(names: list[str], prefixes: Iterable[str]) -> dict[str, str]:
    """Name -> name without those prefixes that every name carries."""
    stripped = {name: name for name in names}
    for prefix in prefixes:
        if names and all(short.startswith(prefix) for short in stripped.values()):
            stripped = {name: short[len(prefix) :] for name, short in stripped.items()}
    return stripped


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    """`{}` is a run of digits, a final `*` is the rest of the name."""
    tail = pattern.endswith("*")
    body = re.escape(pattern[:-1] if tail else pattern).replace(r"\{\}", r"(\d+)")
    return re.compile(body + ("(.+)" if tail else ""))


def _holes(pattern: str) -> tuple[int, bool]:
    """How many `{}`, and whether a `*` ends it."""
    return pattern.count("{}"), pattern.endswith("*")


def _fill(target: str, parts: tuple[str, ...]) -> str:
    """`{}` and a final `*` of the target, filled in order."""
    pieces = re.split(r"(\{\}|\*$)", target)
    holes = iter(parts)
    return "".join(next(holes) if piece in ("{}", "*") else piece for piece in pieces)


def _first(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:_SHOWN]) + _more(len(names))


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
