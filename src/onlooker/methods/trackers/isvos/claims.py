"""What the paper says, checked small. Filled below."""

from __future__ import annotations

from onlooker.evaluation.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
