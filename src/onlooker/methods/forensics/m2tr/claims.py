"""What the paper says, checked small."""

from __future__ import annotations

from onlooker.evaluation.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
