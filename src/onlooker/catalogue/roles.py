"""The one table of role implementations, as plain data. Importing it imports no model and opens no file.

A role is a job in the application ("detector"); a row says who can do it, which weights it needs and under which
licence. A profile picks one row per role. Packages of other people add rows through the entry-point group
`onlooker.roles`: the entry's name is `ROLE.NAME`, its value `module:callable`; nothing of them is imported before use.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from typing import get_args

from onlooker.catalogue.role_entry import ENTRY_POINT_GROUP, ROLES, Option, RoleEntry
from onlooker.catalogue.role_rows import ENTRIES, PROFILES
from onlooker.errors import ConfigError, MissingExtraError, UnknownNameError


def profile(name: str) -> Mapping[str, str]:
    """Role -> name of the implementations a profile picks.

    Raises:
        UnknownNameError: no such profile.
    """
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]


def check_role(role: str) -> None:
    """Raises UnknownNameError unless `role` is one of ROLES."""
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)


def role_entries(role: str | None = None) -> tuple[RoleEntry, ...]:
    """Every implementation of a role, or of all roles: our own first, then those of plugins.

    Raises:
        UnknownNameError: no such role.
    """
    if role is not None:
        check_role(role)
    known = [*ENTRIES.values(), *(e for e in _plugin_entries() if (e.role, e.name) not in ENTRIES)]
    return tuple(entry for entry in known if role is None or entry.role == role)


def find_role_entry(role: str, name: str) -> RoleEntry:
    """The row of one implementation. A plugin cannot replace one of our own names.

    Raises:
        UnknownNameError: no such role, or no such implementation of it.
    """
    check_role(role)
    if (role, name) in ENTRIES:
        return ENTRIES[role, name]
    for entry in role_entries(role):
        if entry.name == name:
            return entry
    raise UnknownNameError(role.replace("_", " "), name, [entry.name for entry in role_entries(role)])


def _plugin_entries() -> Iterator[RoleEntry]:
    """Rows of installed plugins, read from package metadata alone. Names that are not `ROLE.NAME` are left out."""
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        role, _, name = point.name.partition(".")
        if role in ROLES and name:
            package = point.dist
            yield RoleEntry(
                name=name,
                version=package.version if package is not None else "0",
                role=role,
                factory=point.value,
                profile="plugin",
                code_licence=_licence_of(package),
                note=f"from the package `{package.name}`" if package is not None else "from a plugin",
            )


def _licence_of(package: metadata.Distribution | None) -> str:
    """What a package says of its licence, or "unknown"."""
    if package is not None:
        for field in ("License-Expression", "License"):
            if field in package.metadata:
                return package.metadata[field]
    return "unknown"


def create(role: str, name: str, options: Mapping[str, Option]) -> object:
    """Builds one implementation; of all model modules only its own is imported.

    Args:
        role: one of ROLES.
        name: one of its implementations.
        options: arguments of the factory by name; they replace the row's defaults.

    Raises:
        UnknownNameError: no such role or implementation.
        ConfigError: an option the factory does not take, or of the wrong type.
        MissingExtraError: an optional dependency is not installed.
    """
    entry = find_role_entry(role, name)
    factory = _import_factory(entry)
    merged = {**dict(entry.defaults), **options}
    _check_options(entry, factory, merged)
    return factory(**merged)


def _import_factory(entry: RoleEntry) -> Callable[..., object]:
    module, _, attribute = entry.factory.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        how = f'run `pip install "onlooker[{entry.extra}]"`' if entry.extra else "reinstall `onlooker`"
        if entry.profile == "plugin":
            how = "reinstall the plugin"
        raise MissingExtraError(f"{entry.role} `{entry.name}` cannot be imported: {error}; {how}") from error
    except AttributeError as error:
        raise ConfigError(f"{entry.role} `{entry.name}`: `{module}` has no `{attribute}`") from error
    factory: Callable[..., object] = found
    return factory


def _check_options(entry: RoleEntry, factory: Callable[..., object], options: Mapping[str, Option]) -> None:
    """Refuses unknown option names and values whose type the factory's signature excludes."""
    parameters = inspect.signature(factory, eval_str=True).parameters
    for key, value in options.items():
        if key not in parameters:
            raise ConfigError(f"{entry.role} `{entry.name}`: {UnknownNameError('option', key, parameters)}")
        expected = parameters[key].annotation
        if expected is not inspect.Parameter.empty and not _fits(value, expected):
            shown = getattr(expected, "__name__", str(expected))
            raise ConfigError(f"{entry.role} `{entry.name}`: option `{key}` must be {shown}, got `{value!r}`")


def _fits(value: Option, expected: object) -> bool:
    """Whether a value suits an annotation made of str, int, float, bool and None; whole numbers are floats too."""
    if get_args(expected):
        accepted = get_args(expected)
        kinds = [kind for kind in accepted if isinstance(kind, type) or get_args(kind)]
        return value in accepted or any(_fits(value, kind) for kind in kinds)
    if isinstance(value, bool) or expected is bool:
        return isinstance(value, bool) and expected is bool
    if expected is float:
        return isinstance(value, (int, float))
    return isinstance(value, expected) if isinstance(expected, type) else True
