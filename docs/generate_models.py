"""Writes docs/models.md from the catalogue: `python docs/generate_models.py`. A test keeps the two equal."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

from onlooker.catalogue import PROFILES, ROLES, HubModel, RoleEntry, role_entries

TARGET = Path(__file__).with_name("models.md")
HEAD = """# Models

<!-- made by docs/generate_models.py from the catalogue; edit there -->

Every job in the application is a *role*; a *profile* picks one model per role. `bundled`, the default, comes whole from
Python packages and needs no network, neither to install models nor to use them. `hub` takes larger official models,
fetched only when you ask (`onlooker models pull NAME`), then usable offline.

Set one role by hand with `--set ROLE=NAME`, with options after a colon: `--set detector=ssd-mobilenet-v2:tiles=2`. A
hub model also takes `model=` (another hub name of the same kind, or a local folder) and `revision=` (a commit pins it
for good). `onlooker models list` shows what is on this machine; `onlooker models verify` checks every file.

## Profiles
"""
NONE = "None comes with the package; one of yours can add it, see the end of this page.\n"
PLUGINS = """
## Models of your own

A package adds a row through the entry-point group `onlooker.roles`. The entry's name is `ROLE.NAME` and its value names
a class with the members of the role's protocol in `onlooker.video.protocols`:

```toml
[project.entry-points."onlooker.roles"]
"detector.my-detector" = "my_package.detector:MyDetector"
```

The arguments of the class are its options, by name and type; the package is imported when the model is first used.
"""


def render() -> str:
    """The whole page."""
    own = [entry for entry in role_entries() if entry.profile != "plugin"]
    parts = [HEAD, _profiles()]
    for role in ROLES:
        parts.append(f"\n## {role.replace('_', ' ').capitalize()}\n")
        parts += [_section(entry) for entry in own if entry.role == role] or [NONE]
    return "\n".join([*parts, PLUGINS])


def _profiles() -> str:
    names = list(PROFILES)
    rows = [["role", *names], ["---"] * (len(names) + 1)]
    rows += [[f"`{role}`", *(f"`{p[role]}`" if role in p else "" for p in PROFILES.values())] for role in ROLES]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _section(entry: RoleEntry) -> str:
    module, _, name = entry.factory.partition(":")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters.values()
    defaults = dict(entry.defaults)
    options = [_option(p, defaults) for p in parameters]
    licence = f"weights {entry.weights_licence}" if entry.weights_licence else f"code {entry.code_licence}"
    extra = f" Needs `pip install onlooker[{entry.extra}]`." if entry.extra else ""
    lines = [f"### `{entry.name}`\n", f"{entry.note}{extra}\n", f"- {_size(entry)}; {licence}"]
    if options:
        lines.append(f"- options: {', '.join(options)}")
    return "\n".join(lines) + "\n"


def _option(parameter: inspect.Parameter, defaults: dict[str, str | int | float | bool]) -> str:
    value = defaults.get(parameter.name, parameter.default)
    return f"`{parameter.name}={value}`"


def _size(entry: RoleEntry) -> str:
    if isinstance(entry.weights, HubModel):
        return f"about {entry.weights.megabytes} MB from `{entry.weights.repository}`"
    if entry.profile == "own":
        return "weights of your own"
    if not entry.weights:
        return "no weights"
    packages = dict.fromkeys(f"`{file.distribution}`" for file in entry.weights)
    return f"{sum(file.n_bytes for file in entry.weights) / 1e6:.1f} MB in {', '.join(packages)}"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
