"""What may be agreed in an engagement. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from chassis.errors import Conflict, Invalid
from clients import codes
from clients.parties.rules import FORMER, tidy

OPEN, CLOSED = "open", "closed"

REQUIRED, OPTIONAL, NONE = "required", "optional", "none"


@dataclass(frozen=True, slots=True)
class FeeKind:
    """Which parts the terms of one kind of fee have."""

    amount: str = REQUIRED
    interval: str = NONE
    description: str = OPTIONAL
    milestones: str = NONE
    percent: str = NONE


FEE_KINDS = {
    "hourly": FeeKind(amount=NONE),
    "capped": FeeKind(),
    "fixed": FeeKind(),
    "recurring": FeeKind(interval=REQUIRED),
    "milestone": FeeKind(description=REQUIRED, milestones=OPTIONAL),
    "retainer": FeeKind(),
    "contingent": FeeKind(amount=OPTIONAL, description=REQUIRED, percent=OPTIONAL),
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A stage and what is due when it is reached, in the fee's currency."""

    title: str
    amount: Decimal
    due_on: str | None = None


@dataclass(frozen=True, slots=True)
class Fee:
    """Fee terms of one kind. `amount` is in `currency`, both or neither; `percent` is a share of what is won."""

    kind: str
    amount: Decimal | None = None
    currency: str | None = None
    interval: str | None = None
    description: str | None = None
    milestones: tuple[Milestone, ...] = ()
    percent: Decimal | None = None


def fee(given: Mapping[str, Any]) -> Fee:
    """Fee terms that hold together. Errors: `fee_<part>_required`, `fee_<part>_unexpected`, `amount_invalid`, `unknown_currency`,
    `fee_milestones_sum`, `fee_currency_mixed`, `fee_percent_invalid`."""
    kind = FEE_KINDS[given["kind"]]
    for part in ("amount", "interval", "description", "milestones", "percent"):
        _check_part(given, part, getattr(kind, part))
    amount, description = given.get("amount"), given.get("description")
    total = codes.money(amount["amount"], amount["currency"], "/fee/amount") if amount else None
    currency = amount["currency"] if amount else None
    return Fee(
        kind=given["kind"],
        amount=total,
        currency=currency,
        interval=given.get("interval"),
        description=tidy(description) if description else None,
        milestones=_milestones(given.get("milestones", ()), total, currency),
        percent=_percent(given.get("percent")),
    )


def _milestones(
    given: Sequence[Mapping[str, Any]], total: Decimal | None, currency: str | None
) -> tuple[Milestone, ...]:
    """The stages in their order; together they are the fee."""
    kept = []
    for place, stage in enumerate(given):
        pointer, said = f"/fee/milestones/{place}/amount", stage["amount"]
        if said["currency"] != currency:
            raise Invalid("fee_currency_mixed", f"The fee is in {currency}; so are its stages.", pointer=pointer)
        kept.append(
            Milestone(tidy(stage["title"]), codes.money(said["amount"], said["currency"], pointer), stage.get("due_on"))
        )
    if kept and sum(stage.amount for stage in kept) != total:
        together = sum(stage.amount for stage in kept)
        raise Invalid(
            "fee_milestones_sum", f"The stages come to {together}, the fee is {total}.", pointer="/fee/milestones"
        )
    return tuple(kept)


def _percent(given: str | None) -> Decimal | None:
    if given is None:
        return None
    if not 0 < Decimal(given) <= 100:
        raise Invalid("fee_percent_invalid", "The share is above 0 and at most 100 percent.", pointer="/fee/percent")
    return Decimal(given).quantize(Decimal("0.01"))


def _check_part(given: Mapping[str, Any], part: str, need: str) -> None:
    if need == REQUIRED and part not in given:
        raise Invalid(f"fee_{part}_required", f"A {given['kind']} fee needs its {part}.", pointer=f"/fee/{part}")
    if need == NONE and part in given:
        raise Invalid(
            f"fee_{part}_unexpected", f"A {given['kind']} fee has no {part}. Leave it out.", pointer=f"/fee/{part}"
        )


def people(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Staff ids by job role. Errors: `job_role_twice`."""
    by_role: dict[str, str] = {}
    for place, person in enumerate(given):
        role = person["job_role"]
        if role in by_role:
            raise Invalid("job_role_twice", f"The job role {role} is named twice.", pointer=f"/people/{place}/job_role")
        by_role[role] = person["staff_id"]
    return by_role


def period(starts_on: date, ends_on: date | None) -> None:
    """An engagement ends on or after the day it starts; without an end it goes on. Errors: `ends_before_start`."""
    if ends_on is not None and ends_on < starts_on:
        raise Invalid(
            "ends_before_start", f"The engagement starts on {starts_on}; it can't end on {ends_on}.", pointer="/ends_on"
        )


def require_open(status: str) -> None:
    """A closed engagement stays as it was closed. Errors: `engagement_closed`."""
    if status != OPEN:
        raise Conflict("engagement_closed", "This engagement is closed. Open a new one for new work.")


def require_engageable(client_status: str) -> None:
    """A former client is made active before work is agreed. Errors: `client_former`."""
    if client_status == FORMER:
        raise Conflict("client_former", "This is a former client. Make it active first.", pointer="/client_id")
