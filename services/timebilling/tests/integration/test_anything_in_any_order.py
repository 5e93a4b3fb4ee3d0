"""Random sequences of all acts: whatever happens in whatever order, every invariant holds and no act fails but by a refusal."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chassis.auth import Principal
from chassis.errors import DomainError
from praxis.clients.v1.events_pb2 import EngagementChanged, FeeTerms
from praxis.common.v1.types_pb2 import Money
from timebilling.arrangements import usecases as arrangements
from timebilling.credit_notes import usecases as credit_notes
from timebilling.disbursements import usecases as disbursements
from timebilling.firm_settings import usecases as firm_settings
from timebilling.invoices import queries
from timebilling.invoices import usecases as invoicing
from timebilling.payments import usecases as payments
from timebilling.rates import usecases as rates
from timebilling.time_entries import rerating
from timebilling.time_entries import usecases as time
from timebilling.wip import usecases as wip

DAYS_AGO = st.integers(0, 5)
AMOUNTS = st.integers(0, 30_000).map(lambda n: {"amount": f"{n / 100:.2f}", "currency": "GBP"})
PICK = st.integers(0, 10**6)


def machine(new_firm: Any) -> type[RuleBasedStateMachine]:
    class Anything(RuleBasedStateMachine):
        @initialize()
        def open_firm(self) -> None:
            self.firm = new_firm()
            self.firm.rate("99.99")
            self.entries: list[UUID] = []
            self.invoices: list[UUID] = []
            self.payments: list[UUID] = []
            self.agreed = 0
            world = self.firm.world
            self.who = Principal(
                "staff", str(self.firm.pat), self.firm.id, name="Pat", permissions=frozenset(world.all_permissions())
            )
            # Something of everything to begin with: issued, on a draft, unbilled, a payment.
            for step in (self.issue_last, lambda: None):
                self.work([3601, 5000], 1)
                self.draft_all("entry")
                step()
            self.work([60], 1)
            self.pay(0, {"amount": "50.00", "currency": "GBP"}, {"amount": "10.01", "currency": "GBP"})

        def act(self, function: Any, *arguments: Any) -> Any:
            """Runs an act as a request would; None if it was refused."""
            try:
                with self.firm.world.uow(self.firm.id, principal=self.who) as uow:
                    return function(uow, *arguments)
            except DomainError:
                return None

        def one(self, things: list[UUID], pick: int) -> UUID:
            return things[pick % len(things)]

        def log_one(self, seconds: int, ago: int, billable: bool) -> None:
            body = {
                "job_id": str(self.firm.job),
                "staff_id": str(self.firm.ada),
                "day": self.firm.day(ago),
                "seconds": seconds,
                "billable": billable,
            }
            logged = self.act(time.log_time, body)
            self.entries += [logged["id"]] if logged else []

        @rule(seconds=st.integers(1, 90_000), ago=DAYS_AGO, billable=st.booleans())
        def log(self, seconds: int, ago: int, billable: bool) -> None:
            self.log_one(seconds, ago, billable)

        @rule(lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=4), ago=st.integers(0, 2))
        def work(self, lengths: list[int], ago: int) -> None:
            for seconds in lengths:
                self.log_one(seconds, ago, True)
            if self.entries:
                self.act(time.submit, self.entries, None)
                self.act(time.approve, self.entries, None)

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def send_back(self, pick: int) -> None:
            self.act(time.submit, [self.one(self.entries, pick)], None)
            self.act(time.send_back, [self.one(self.entries, pick)], "which client?", None)

        @rule(pick=PICK, seconds=st.integers(1, 90_000))
        @precondition(lambda self: self.entries)
        def change(self, pick: int, seconds: int) -> None:
            self.act(time.change, self.one(self.entries, pick), {"seconds": seconds}, None)

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def delete(self, pick: int) -> None:
            self.act(time.delete, self.one(self.entries, pick), None, None)

        @rule(ago=st.integers(2, 9), reason=st.sampled_from([None, "auditor"]))
        def lock(self, ago: int, reason: str | None) -> None:
            self.act(firm_settings.lock_period, self.firm.today - timedelta(days=ago), reason)

        @rule(
            increment=st.sampled_from([1, 360, 900]),
            direction=st.sampled_from(["up", "down", "nearest"]),
            per=st.sampled_from(["entry", "task"]),
        )
        def round_otherwise(self, increment: int, direction: str, per: str) -> None:
            rounding = {"increment_seconds": increment, "direction": direction, "minimum_seconds": 0, "per": per}
            self.act(firm_settings.change, {"rounding": rounding}, None)

        @rule(group_by=st.sampled_from(["job", "job_activity", "task", "entry"]))
        def draft_all(self, group_by: str) -> None:
            made = self.act(invoicing.create_draft, {"client_id": str(self.firm.client), "group_by": group_by})
            self.invoices += [made.id] if made else []

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def draft_one(self, pick: int) -> None:
            body = {"client_id": str(self.firm.client), "item_ids": [str(self.one(self.entries, pick))]}
            made = self.act(invoicing.create_draft, body)
            self.invoices += [made.id] if made else []

        @rule(pick=PICK, net=AMOUNTS)
        @precondition(lambda self: self.invoices)
        def adjust(self, pick: int, net: dict[str, str]) -> None:
            self.act(invoicing.change_draft, self.one(self.invoices, pick), {"net": net, "reason": "agreed"}, None)

        @rule(pick=PICK, percent=st.integers(0, 100), inclusive=st.booleans())
        @precondition(lambda self: self.invoices)
        def discount(self, pick: int, percent: int, inclusive: bool) -> None:
            id = self.one(self.invoices, pick)
            self.act(invoicing.change_draft, id, {"discount": None, "tax_inclusive": inclusive}, None)
            self.act(invoicing.change_draft, id, {"discount": {"percent": str(percent), "reason": "kept"}}, None)

        @rule(pick=PICK, group_by=st.sampled_from(["job", "entry"]))
        @precondition(lambda self: self.invoices)
        def regroup(self, pick: int, group_by: str) -> None:
            self.act(invoicing.regroup, self.one(self.invoices, pick), {"group_by": group_by}, None)

        @rule(pick=PICK)
        @precondition(lambda self: self.invoices)
        def take_line_off(self, pick: int) -> None:
            id = self.one(self.invoices, pick)
            lines = self.act(lambda uow: queries.get_invoice(uow, id)["lines"])
            if lines:
                self.act(invoicing.remove_line, id, lines[pick % len(lines)]["id"], None)

        @rule(pick=PICK, net=AMOUNTS)
        @precondition(lambda self: self.invoices)
        def charge(self, pick: int, net: dict[str, str]) -> None:
            for name in ("net", "gross"):
                self.act(invoicing.add_line, self.one(self.invoices, pick), {"description": "Filing", name: net}, None)

        @rule(pick=PICK, amount=AMOUNTS, rebill=st.booleans(), whole=st.booleans())
        @precondition(lambda self: self.invoices)
        def credit(self, pick: int, amount: dict[str, str], rebill: bool, whole: bool) -> None:
            body = {"reason": "complaint", "rebill": rebill} | ({} if whole else {"amount": amount})
            self.act(credit_notes.create, self.one(self.invoices, pick), body)

        @rule(amount=AMOUNTS, final=st.booleans())
        def bill_fee(self, amount: dict[str, str], final: bool) -> None:
            body = {"final": True} if final else {"amount": amount}
            made = self.act(arrangements.bill, self.firm.engagement, body)
            self.invoices += [made.id] if made else []

        @rule(kind=st.sampled_from(["hourly", "capped", "fixed"]), fee=AMOUNTS)
        def agree(self, kind: str, fee: dict[str, str]) -> None:
            self.agreed += 1
            terms = FeeTerms(kind=kind, amount=Money(**fee))
            facts = {"title": "VAT", "service": "vat", "status": "open", "version": 1 + self.agreed}
            event = EngagementChanged(
                engagement_id=str(self.firm.engagement), client_id=str(self.firm.client), fee=terms, **facts
            )
            self.firm.world.deliver(self.firm.id, event)

        @rule(pick=PICK)
        @precondition(lambda self: self.invoices)
        def drop(self, pick: int) -> None:
            self.act(invoicing.drop_draft, self.one(self.invoices, pick), None)

        @rule(pick=PICK)
        @precondition(lambda self: self.invoices)
        def issue(self, pick: int) -> None:
            self.act(invoicing.issue, self.one(self.invoices, pick), None, None)

        @rule()
        @precondition(lambda self: self.invoices)
        def issue_last(self) -> None:
            self.act(invoicing.issue, self.invoices[-1], None, None)

        @rule(pick=PICK)
        @precondition(lambda self: self.invoices)
        def void(self, pick: int) -> None:
            self.act(invoicing.void, self.one(self.invoices, pick), "mistake", None)

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def write_off(self, pick: int) -> None:
            self.act(wip.write_off, [self.one(self.entries, pick)], "given up")

        @rule(pick=PICK, other=PICK, amount=AMOUNTS)
        @precondition(lambda self: self.entries)
        def value_at(self, pick: int, other: int, amount: dict[str, str]) -> None:
            ids = {self.one(self.entries, pick), self.one(self.entries, other)}
            self.act(wip.adjust, sorted(ids), amount, "agreed")

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def carry(self, pick: int) -> None:
            self.act(wip.carry, [self.one(self.entries, pick)], self.firm.today + timedelta(days=9), "not yet")

        @rule(pick=PICK)
        @precondition(lambda self: self.entries)
        def take_approval_back(self, pick: int) -> None:
            self.act(time.take_back, [self.one(self.entries, pick)], "wrong client", None)
            self.act(disbursements.take_back, [self.one(self.entries, pick)], "wrong client", None)

        @rule(amount=AMOUNTS)
        def rate_anew(self, amount: dict[str, str]) -> None:
            body = {"kind": "bill", "level": "firm", "rate": amount}
            self.act(rates.set_many, date(2020, 1, 1), [body])
            self.act(rerating.re_rate, {"reason": "new card"})

        @rule(amount=AMOUNTS, markup=st.sampled_from(["0", "12.5"]), billable=st.booleans())
        def spend(self, amount: dict[str, str], markup: str, billable: bool) -> None:
            body = {
                "job_id": str(self.firm.job),
                "staff_id": str(self.firm.ada),
                "day": self.firm.day(1),
                "description": "Search fee",
                "amount": amount,
                "markup_percent": markup,
                "billable": billable,
            }
            made = self.act(disbursements.log, body)
            if made:
                self.entries.append(made.id)
                self.act(disbursements.submit, [made.id], None)
                self.act(disbursements.approve, [made.id], None)

        @rule(pick=PICK, amount=AMOUNTS, part=AMOUNTS)
        @precondition(lambda self: self.invoices)
        def pay(self, pick: int, amount: dict[str, str], part: dict[str, str]) -> None:
            allocations = [{"invoice_id": str(self.one(self.invoices, pick)), "amount": part}]
            body = {
                "client_id": str(self.firm.client),
                "amount": amount,
                "received_on": self.firm.day(0),
                "allocations": allocations,
            }
            made = self.act(payments.record, body) or self.act(payments.record, body | {"allocations": []})
            self.payments += [made.id] if made else []

        @rule(pick=PICK, other=PICK, part=AMOUNTS)
        @precondition(lambda self: self.payments and self.invoices)
        def allocate(self, pick: int, other: int, part: dict[str, str]) -> None:
            wanted = [{"invoice_id": str(self.one(self.invoices, other)), "amount": part}]
            self.act(payments.allocate, self.one(self.payments, pick), wanted)

        @rule(pick=PICK, other=PICK, part=AMOUNTS)
        @precondition(lambda self: self.payments and self.invoices)
        def take_back(self, pick: int, other: int, part: dict[str, str]) -> None:
            wanted = [{"invoice_id": str(self.one(self.invoices, other)), "amount": part}]
            self.act(payments.take_back, self.one(self.payments, pick), wanted, "wrong one")

        @rule(pick=PICK, other=PICK, amount=AMOUNTS, part=AMOUNTS)
        @precondition(lambda self: self.payments and self.invoices)
        def refund(self, pick: int, other: int, amount: dict[str, str], part: dict[str, str]) -> None:
            body = {"amount": amount, "returned_on": self.firm.day(0), "reason": "agreed"}
            back = [{"invoice_id": str(self.one(self.invoices, other)), "amount": part}]
            payment = self.one(self.payments, pick)
            if self.act(payments.refund, payment, body | {"take_back": back}) is None:
                self.act(payments.refund, payment, body)

        @rule(pick=PICK, amount=st.none() | AMOUNTS)
        @precondition(lambda self: self.payments)
        def charge_back(self, pick: int, amount: dict[str, str] | None) -> None:
            body: dict[str, Any] = {"returned_on": self.firm.day(0), "reason": "disputed"}
            self.act(payments.chargeback, self.one(self.payments, pick), body | ({"amount": amount} if amount else {}))

        @rule(pick=PICK)
        @precondition(lambda self: self.payments)
        def reverse(self, pick: int) -> None:
            self.act(payments.reverse, self.one(self.payments, pick), "mistake")

        @rule(pick=PICK, amount=st.none() | AMOUNTS)
        @precondition(lambda self: self.invoices)
        def give_up(self, pick: int, amount: dict[str, str] | None) -> None:
            body: dict[str, Any] = {"reason": "bankrupt"}
            self.act(payments.give_up, self.one(self.invoices, pick), body | ({"amount": amount} if amount else {}))

        @rule(pick=PICK)
        @precondition(lambda self: self.invoices)
        def expect_again(self, pick: int) -> None:
            self.act(payments.expect_again, self.one(self.invoices, pick), "they pay")

        @invariant()
        def everything_holds(self) -> None:
            self.firm.holds()

    return Anything


def test_every_invariant_holds_whatever_happens(new_firm: Any) -> None:
    run_state_machine_as_test(
        machine(new_firm),
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,  # the same sequences everywhere; a longer search is a matter of raising the numbers
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
