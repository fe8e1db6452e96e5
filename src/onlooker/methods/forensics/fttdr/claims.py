"""x"""

from onlooker.evaluation.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
