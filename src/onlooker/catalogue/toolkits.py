"""Papers that became tools instead of a network, as plain data: surveys and benchmarks.

They state claims like methods do and have a page beside theirs, but nothing to build, to load or to train.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from onlooker.catalogue.methods import Family, Paper


@dataclass(frozen=True, slots=True)
class ToolkitEntry:
    """One toolkit.

    Attributes:
        name, family: its folder is `methods/<family>/<name>`.
        claims: `module:NAME` of its claims, imported only when asked for.
        summary: one line.
        paper: where it comes from.
        extra: the optional dependency group it needs, if any.
    """

    name: str
    family: Family
    claims: str
    summary: str
    paper: Paper
    extra: str | None = None


_ROWS = (
    ToolkitEntry(
        name="media_forensics",
        family="forensics",
        claims="onlooker.methods.forensics.media_forensics.claims:CLAIMS",
        summary="Classical detectors of manipulation with their evidence, perturbations, protocols, and one report",
        paper=Paper(
            title="Fighting Malicious Media Data: A Survey on Tampering Detection and Deepfake Detection",
            identifier="2212.05667",
            year=2022,
            code=None,
            code_licence="none",
            weights="none: a survey",
        ),
        extra="forensics",
    ),
)
TOOLKITS: Mapping[str, ToolkitEntry] = MappingProxyType({row.name: row for row in _ROWS})
