"""Onlooker: ask questions about videos and get answers with proof.

    import onlooker

    with onlooker.Library.open("my.onlooker") as library:
        library.add("clip.mp4").result()
        print(library.ask("How many cars are there?").text)

Importing the package loads nothing heavy: the names below load when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onlooker.catalogue import build, list_methods
    from onlooker.video.answer import Answer, Claim, Evidence
    from onlooker.video.library import Library
    from onlooker.video.wiring import RoleChoice, Settings

__version__ = "0.1.0"

_HOMES = {
    "Answer": "onlooker.video.answer",
    "Claim": "onlooker.video.answer",
    "Evidence": "onlooker.video.answer",
    "Library": "onlooker.video.library",
    "RoleChoice": "onlooker.video.wiring",
    "Settings": "onlooker.video.wiring",
    "build": "onlooker.catalogue",
    "list_methods": "onlooker.catalogue",
}
__all__ = ["Answer", "Claim", "Evidence", "Library", "RoleChoice", "Settings", "__version__", "build", "list_methods"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module `onlooker` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
