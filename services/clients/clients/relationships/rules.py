"""How two parties can be related, and how that reads from the other side. Pure."""

from datetime import date
from typing import Any

from chassis.errors import Invalid

_PAIRS = (
    ("director_of", "has_director"),
    ("secretary_of", "has_secretary"),
    ("shareholder_of", "has_shareholder"),
    ("partner_in", "has_partner"),
    ("subsidiary_of", "parent_company_of"),
    ("trustee_of", "has_trustee"),
    ("beneficiary_of", "has_beneficiary"),
    ("employee_of", "employer_of"),
    ("adviser_to", "advised_by"),
    ("guarantor_of", "guaranteed_by"),
    ("child_of", "parent_of"),
)
_MUTUAL = ("spouse_of", "sibling_of", "opposed_to", "related_to")

# How each kind reads from the other side.
INVERSE = {kind: kind for kind in _MUTUAL} | {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_KEPT = {first for first, _ in _PAIRS}


def kept(client: Any, kind: str, other: Any) -> tuple[Any, str, Any]:
    """The one form in which a relationship between two clients is kept, from whichever side it was said. Errors: `related_to_itself`."""
    if client == other:
        raise Invalid("related_to_itself", "A client can't be related to itself.", pointer="/other_client_id")
    turned = other < client if kind in _MUTUAL else kind not in _KEPT
    return (other, INVERSE[kind], client) if turned else (client, kind, other)


def period(since: date | None, until: date | None) -> None:
    """Errors: `ends_before_start`."""
    if since is not None and until is not None and until < since:
        raise Invalid("ends_before_start", f"It began on {since}; it can't end on {until}.", pointer="/until")
