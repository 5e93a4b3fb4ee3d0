"""What of a name tells whom it means. Pure."""

import re

from chassis.errors import Conflict

ENOUGH = 0.5  # likeness of two names, of 1, from which on they could mean the same
MOST = 200  # matches that are kept of a check

_LEGAL_FORMS = {"ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited"} | {
    "llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl", "sas", "spa", "srl"
}  # fmt: skip
_NOISE = _LEGAL_FORMS | {"and", "et", "of", "the", "und", "dr", "mr", "mrs", "ms"}


def words(folded: str) -> list[str]:
    """The words of a folded name that tell whom it means: without legal forms and titles, unless there is nothing else."""
    every = re.findall(r"[^\W_]+", folded)
    telling = [word for word in every if word not in _NOISE and len(word) > 1]
    return list(dict.fromkeys(telling or every))[:12]


def require_undecided(decision: str | None) -> None:
    """A check is decided once; new facts want a new check. Errors: `conflict_check_decided`."""
    if decision is not None:
        raise Conflict("conflict_check_decided", "This check was decided already. Make a new one.")
