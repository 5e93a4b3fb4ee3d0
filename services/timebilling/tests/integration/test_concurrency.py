"""Thirty-two at once, on a real PostgreSQL: nothing double, nothing lost, no number missing, brief waits instead of errors."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.auth import Principal
from chassis.db import make_engine
from chassis.errors import DomainError
from chassis.service import Runtime
from chassis.testing import eventually
from chassis.uow import Stored, Uow, perform
from timebilling.credit_notes import usecases as credit_notes
from timebilling.currencies import usecases as currencies
from timebilling.firm_settings.usecases import lock_period
from timebilling.imports import usecases as imports
from timebilling.invoices import usecases as invoicing
from timebilling.payments import usecases as payments
from timebilling.rates import usecases as rates
from timebilling.time_entries import rerating, weeks
from timebilling.time_entries import usecases as time
from timebilling.timers import usecases as timers
from timebilling.wip import usecases as wip

AT_ONCE = 32


class Crowd:
    """Many callers with a connection each, all starting at the same moment."""

    def __init__(self, firm: Any) -> None:
        self._firm = firm
        world = firm.world
        self._runtime = Runtime(world.service, world.runtime.settings, keys=world.keys)
        self._runtime.__dict__["engine"] = make_engine(world.runtime.settings.database_url, pool=AT_ONCE, name="crowd")
        self._runtime.__dict__["tokens"] = world.runtime.tokens
        self._who = Principal(
            "staff", str(firm.pat), firm.id, name="Pat", permissions=frozenset(world.all_permissions())
        )

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self._runtime.engine.dispose()

    def run(self, acts: Sequence[Callable[[Uow], Any]]) -> list[str]:
        """Runs each act in a unit of work of its own, as a request would be; returns "ok" or the refusal's code of each."""
        start = Barrier(len(acts))

        def one(act: Callable[[Uow], Any]) -> str:
            def work(uow: Uow) -> Stored:
                act(uow)
                return Stored(200, {}, b"")

            start.wait()
            try:
                perform(self._runtime, self._who, work)
                return "ok"
            except DomainError as refused:
                return refused.code

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(one, acts))


@pytest.fixture
def crowd(firm: Any) -> Any:
    firm.rate("100.00")
    with Crowd(firm) as made:
        yield made


def numbers(firm: Any) -> list[int]:
    with firm.world.uow(firm.id) as uow:
        return list(
            uow.session.execute(text("SELECT sequence FROM invoices WHERE sequence IS NOT NULL ORDER BY 1")).scalars()
        )


def test_numbers_are_gapless_and_unique_under_concurrent_issues_and_rollbacks(firm: Any, crowd: Crowd) -> None:
    drafts = [UUID(firm.draft(item_ids=[i])["id"]) for i in firm.approved(*[60] * AT_ONCE)]

    class Interrupted(DomainError):
        pass

    def issue(draft: UUID, fails: bool) -> Callable[[Uow], None]:
        def act(uow: Uow) -> None:
            invoicing.issue(uow, draft, None, None)
            if fails:  # after the number was taken
                raise Interrupted("interrupted", "")

        return act

    outcome = crowd.run([issue(d, place % 4 == 0) for place, d in enumerate(drafts)])
    assert Counter(outcome) == {"ok": 24, "interrupted": 8}
    assert numbers(firm) == list(range(1, 25))
    assert crowd.run([issue(d, False) for d in drafts[::4]]) == ["ok"] * 8
    assert numbers(firm) == list(range(1, 33))
    firm.holds()


def test_one_draft_issued_by_many_is_issued_once(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    draft = UUID(firm.draft()["id"])
    outcome = crowd.run([lambda uow: invoicing.issue(uow, draft, None, None)] * AT_ONCE)
    assert Counter(outcome) == {"ok": 1, "invoice_already_issued": AT_ONCE - 1}
    assert numbers(firm) == [1]
    firm.holds()


def test_an_invoice_paid_by_many_is_never_paid_over_its_balance(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    invoice = firm.issued()["id"]
    body = {
        "client_id": str(firm.client),
        "amount": {"amount": "7.00", "currency": "GBP"},
        "received_on": firm.day(0),
        "allocations": [{"invoice_id": invoice, "amount": {"amount": "7.00", "currency": "GBP"}}],
    }
    outcome = crowd.run([lambda uow: payments.record(uow, body)] * AT_ONCE)
    assert Counter(outcome) == {"ok": 14, "payment_over_balance": AT_ONCE - 14}
    assert firm.partner.get(f"/invoices/{invoice}").json["balance"] == {"amount": "2.00", "currency": "GBP"}
    firm.holds()


def test_invoices_paid_crosswise_do_not_deadlock(firm: Any, crowd: Crowd) -> None:
    pair = [firm.issued(item_ids=[i])["id"] for i in firm.approved(3600, 3600)]

    def pay(order: Sequence[str]) -> Callable[[Uow], Any]:
        wanted = [{"invoice_id": i, "amount": {"amount": "1.00", "currency": "GBP"}} for i in order]
        body = {
            "client_id": str(firm.client),
            "amount": {"amount": "2.00", "currency": "GBP"},
            "received_on": firm.day(0),
            "allocations": wanted,
        }
        return lambda uow: payments.record(uow, body)

    assert set(crowd.run([pay(pair if n % 2 else pair[::-1]) for n in range(AT_ONCE)])) == {"ok"}
    firm.holds()


def test_credit_used_by_many_is_used_once(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    invoice, payment = firm.issued()["id"], UUID(firm.pay("10.00")["id"])
    wanted = [{"invoice_id": invoice, "amount": {"amount": "3.00", "currency": "GBP"}}]
    outcome = crowd.run([lambda uow: payments.allocate(uow, payment, wanted)] * AT_ONCE)
    assert Counter(outcome) == {"ok": 3, "allocations_over_payment": AT_ONCE - 3}
    firm.holds()


def test_work_drafted_by_many_is_on_one_draft(firm: Any, crowd: Crowd) -> None:
    items = firm.approved(*[60] * 5)
    named = {"client_id": str(firm.client), "item_ids": items}
    everything = {"client_id": str(firm.client)}
    outcome = Counter(
        crowd.run(
            [lambda uow, n=n: invoicing.create_draft(uow, named if n % 2 else everything) for n in range(AT_ONCE)]
        )
    )
    assert outcome["ok"] == 1
    assert set(outcome) <= {"ok", "entry_reserved", "nothing_to_bill"}
    firm.holds()


def test_credits_in_parts_by_many_never_come_to_more_than_the_invoice(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    invoice = firm.issued()["id"]
    body = {"reason": "complaint", "amount": {"amount": "7.00", "currency": "GBP"}}
    outcome = crowd.run([lambda uow: credit_notes.create(uow, UUID(invoice), body)] * AT_ONCE)
    assert Counter(outcome) == {"ok": 14, "credit_over_invoice": AT_ONCE - 14}
    assert firm.partner.get(f"/invoices/{invoice}").json["balance"] == {"amount": "2.00", "currency": "GBP"}
    assert [n["number"] for n in firm.partner.get("/invoices?kind=credit_note&limit=200").json["items"]] == [
        f"CN-{n:06}" for n in range(14, 0, -1)
    ]
    firm.holds()


def test_draft_issue_credit_void_and_pay_at_once_lose_and_double_nothing(firm: Any, crowd: Crowd) -> None:
    items = firm.approved(*[3600] * 8)
    issued = [UUID(firm.issued(item_ids=[i])["id"]) for i in items[:4]]
    drafts = [UUID(firm.draft(item_ids=[i])["id"]) for i in items[4:]]
    money = {"amount": "60.00", "currency": "GBP"}

    def pay(uow: Uow, invoice: UUID) -> Any:
        body = {
            "client_id": str(firm.client),
            "amount": money,
            "received_on": firm.day(0),
            "allocations": [{"invoice_id": str(invoice), "amount": money}],
        }
        return payments.record(uow, body)

    acts: list[Callable[[Uow], Any]] = []
    for invoice in issued:
        acts += [
            lambda uow, i=invoice: credit_notes.create(uow, i, {"reason": "complaint", "amount": money}),
            lambda uow, i=invoice: credit_notes.create(uow, i, {"reason": "complaint", "rebill": True}),
            lambda uow, i=invoice: invoicing.void(uow, i, "mistake", None),
            lambda uow, i=invoice: pay(uow, i),
        ]
    for draft in drafts:
        acts += [
            lambda uow, d=draft: invoicing.issue(uow, d, None, None),
            lambda uow, d=draft: invoicing.drop_draft(uow, d, None),
            lambda uow: invoicing.create_draft(uow, {"client_id": str(firm.client)}),
            lambda uow, d=draft: credit_notes.create(uow, d, {"reason": "complaint"}),
        ]
    assert len(acts) == AT_ONCE
    for _ in range(2):  # the second time everything is done already
        outcome = set(crowd.run(acts))
        assert not {c for c in outcome if "unavailable" in c or c in ("busy", "refused_by_rule")}
        firm.holds()
    taken = numbers(firm)
    assert len(taken) == len(firm.partner.get("/invoices?limit=200").json["items"]) - sum(
        i["number"] is None for i in firm.partner.get("/invoices?limit=200").json["items"]
    )


def test_void_and_payment_race_to_one_outcome(firm: Any, crowd: Crowd) -> None:
    for _ in range(4):
        firm.approved(3600)
        invoice = firm.issued()["id"]
        wanted = [{"invoice_id": invoice, "amount": {"amount": "5.00", "currency": "GBP"}}]
        body = {
            "client_id": str(firm.client),
            "amount": {"amount": "5.00", "currency": "GBP"},
            "received_on": firm.day(0),
            "allocations": wanted,
        }
        acts = [
            partial(payments.record, body=body),
            partial(invoicing.void, invoice_id=UUID(invoice), reason="mistake", if_match=None),
        ]
        assert set(crowd.run(acts)) in ({"ok", "invoice_has_payments"}, {"ok", "invoice_not_open"})
    firm.holds()


def test_approving_and_locking_at_once_leave_nothing_approved_behind_the_lock(
    firm: Any, crowd: Crowd, world: Any
) -> None:
    ids = [UUID(firm.log(60, day=firm.day(5))["id"]) for _ in range(AT_ONCE - 1)]
    firm.staff.post("/time-entries/submit", {"ids": [str(i) for i in ids]})
    answers: list[dict[str, Any]] = []
    lock_day = firm.today.fromisoformat(firm.day(3))
    acts: list[Callable[[Uow], Any]] = [lambda uow, i=i: answers.append(time.approve(uow, [i], None)) for i in ids]
    acts.insert(AT_ONCE // 2, lambda uow: lock_period(uow, lock_day, None))
    assert set(crowd.run(acts)) == {"ok"}
    codes = Counter(a["items"][0]["code"] for a in answers)
    assert set(codes) <= {None, "period_locked"}
    approved = firm.partner.get("/time-entries?status=approved&limit=200").json["items"]
    assert len(approved) == codes[None]
    firm.log(60, day=firm.day(5), status=409)
    firm.holds()


def test_logging_while_the_period_closes_is_all_or_nothing(firm: Any, crowd: Crowd) -> None:
    body = {"job_id": str(firm.job), "staff_id": str(firm.ada), "day": firm.day(5), "seconds": 60}
    lock_day = firm.today.fromisoformat(firm.day(3))
    acts: list[Callable[[Uow], Any]] = [lambda uow: time.log_time(uow, body)] * (AT_ONCE - 1)
    acts.insert(AT_ONCE // 2, lambda uow: lock_period(uow, lock_day, None))
    outcome = Counter(crowd.run(acts))
    assert set(outcome) <= {"ok", "period_locked"}
    assert len(firm.partner.get("/time-entries?limit=200").json["items"]) == outcome["ok"] - 1


def test_rates_set_by_many_never_overlap(firm: Any, crowd: Crowd) -> None:
    def set_from(n: int) -> Callable[[Uow], Any]:
        body = {
            "kind": "bill",
            "level": "grade",
            "grade": "senior",
            "rate": {"amount": f"{n + 1}.00", "currency": "GBP"},
        }
        return lambda uow: rates.set_many(uow, date(2026, 1, 1 + n), [body])

    outcome = Counter(crowd.run([set_from(n % 28) for n in range(AT_ONCE)]))
    assert set(outcome) <= {"ok", "rate_overlap"}
    with firm.world.uow(firm.id) as uow:
        overlaps = uow.session.execute(
            text(
                "SELECT count(*) FROM rates a JOIN rates b ON a.key = b.key AND a.id < b.id AND a.valid && b.valid AND a.currency = b.currency"
            )
        ).scalar()
    assert overlaps == 0


def test_an_exchange_rate_set_by_many_at_once_is_set_once_and_each_is_told(firm: Any, crowd: Crowd) -> None:
    """There is no row to wait for yet: the database keeps one, and whoever came second hears so by a code, not by an error of ours."""
    day = date(2026, 1, 1)
    outcome = Counter(crowd.run([lambda uow: currencies.set_rate(uow, "EUR", day, Decimal("0.85"))] * AT_ONCE))
    assert set(outcome) <= {"ok", "exchange_rate_set"}
    assert outcome["ok"] >= 1
    assert len(firm.partner.get("/exchange-rates?currency=EUR").json["items"]) == 1


def test_the_sum_of_all_money_is_right_after_everything_at_once(firm: Any, crowd: Crowd) -> None:
    items = firm.approved(*[3600] * 16)
    drafts = [UUID(firm.draft(item_ids=[i])["id"]) for i in items[:8]]
    issued = [UUID(firm.issued(item_ids=[i])["id"]) for i in items[8:]]

    def pay(invoice: UUID) -> Callable[[Uow], Any]:
        wanted = [{"invoice_id": str(invoice), "amount": {"amount": "60.00", "currency": "GBP"}}]
        body = {
            "client_id": str(firm.client),
            "amount": {"amount": "70.00", "currency": "GBP"},
            "received_on": firm.day(0),
            "allocations": wanted,
        }
        return lambda uow: payments.record(uow, body)

    acts: list[Callable[[Uow], Any]] = []
    for draft, invoice in zip(drafts, issued, strict=True):
        acts += [
            lambda uow, d=draft: invoicing.issue(uow, d, None, None),
            lambda uow, d=draft: invoicing.drop_draft(uow, d, None),
            pay(invoice),
            lambda uow, i=invoice: invoicing.void(uow, i, "mistake", None),
        ]
    codes = Counter(crowd.run(acts))
    assert set(codes) <= {"ok", "invoice_issued", "invoice_not_found", "invoice_not_open", "invoice_has_payments"}
    received = sum(Decimal(p["amount"]["amount"]) for p in firm.partner.get("/payments?limit=200").json["items"])
    assert Decimal(firm.partner.get("/overview").json["currencies"][0]["received_this_month"]["amount"]) == received
    firm.holds()


def test_of_timers_started_at_once_one_runs_and_no_second_is_lost_or_doubled(firm: Any, crowd: Crowd) -> None:
    jobs = [firm.add_job(title=f"Job {n}") for n in range(AT_ONCE)]
    first = datetime.now(UTC) - timedelta(hours=1)
    firm.partner.post("/timer/start", {"job_id": str(firm.job), "started_at": first.isoformat()}).expect(200)
    outcome = crowd.run([lambda uow, j=j: timers.start(uow, {"job_id": str(j)}) for j in jobs])
    assert set(outcome) == {"ok"}
    timer = firm.partner.get("/timer").json["timer"]
    assert timer["job_id"] in {str(j) for j in jobs}
    with firm.world.uow(firm.id) as uow:
        spans = uow.session.execute(
            text("SELECT started_at, ended_at FROM time_entries WHERE firm_id = :firm ORDER BY started_at"),
            {"firm": firm.id},
        ).all()
    assert spans[0].started_at == first
    assert all(a.ended_at <= b.started_at for a, b in pairwise(spans))
    assert spans[-1].ended_at <= datetime.fromisoformat(timer["started_at"])
    outcome = crowd.run([lambda uow: timers.stop(uow, {})] * AT_ONCE)
    assert Counter(outcome) == {"ok": 1, "timer_not_running": AT_ONCE - 1}
    firm.holds()


def test_work_by_the_clock_logged_at_once_never_overlaps(firm: Any, crowd: Crowd) -> None:
    began = datetime.now(UTC) - timedelta(hours=40)

    def log(minute: int) -> Callable[[Uow], Any]:
        span = {"started_at": began + timedelta(minutes=minute), "ended_at": began + timedelta(minutes=minute + 30)}
        return lambda uow: time.log_time(uow, {"job_id": str(firm.job), **span})

    outcome = Counter(crowd.run([log(n * 10) for n in range(AT_ONCE)]))
    assert set(outcome) == {"ok", "time_overlap"}
    assert len(firm.partner.get("/time-entries?limit=200").json["items"]) == outcome["ok"]


def test_taking_back_drafting_adjusting_and_giving_up_the_same_work_at_once_is_one_of_them(
    firm: Any, crowd: Crowd
) -> None:
    items = [UUID(i) for i in firm.approved(*[3600] * 8)]
    amount = {"amount": "50.00", "currency": "GBP"}
    acts: list[Callable[[Uow], Any]] = []
    for id in items:
        named = {"client_id": str(firm.client), "item_ids": [str(id)]}
        acts += [
            lambda uow, i=id: time.take_back(uow, [i], "wrong job", None),
            lambda uow, n=named: invoicing.create_draft(uow, n),
            lambda uow, i=id: wip.adjust(uow, [i], amount, "agreed"),
            lambda uow, i=id: wip.write_off(uow, [i], "insolvent"),
        ]
    codes = set(crowd.run(acts))
    assert codes <= {
        "ok",
        "entry_reserved",
        "entry_written_off",
        "entry_not_approved",
        "wip_item_not_found",
    }
    firm.holds()


def test_a_file_imported_by_many_is_imported_once(firm: Any, crowd: Crowd) -> None:
    rows = "".join(f"Ada Moss,Smith Ltd,VAT return Q3,n{n},{firm.day(3)},01:00:00\n" for n in range(5))
    body = {"source": "toggl", "csv": "User,Client,Project,Description,Start date,Duration\n" + rows}
    answers: list[dict[str, Any]] = []
    assert set(crowd.run([lambda uow: answers.append(imports.run(uow, body))] * AT_ONCE)) == {"ok"}
    assert Counter(a["imported"] for a in answers) == {5: 1, 0: AT_ONCE - 1}
    assert len(firm.partner.get("/time-entries").json["items"]) == 5


def test_a_week_put_by_many_is_put_once(firm: Any, crowd: Crowd) -> None:
    first = firm.today - timedelta(days=14)
    cell = {"job_id": str(firm.job), "billable": True, "day": str(first), "seconds": 3600}
    seen = firm.partner.get(f"/weeks/{first}").json["version"]
    outcome = crowd.run([lambda uow: weeks.put(uow, first, {"cells": [cell]}, seen)] * AT_ONCE)
    assert Counter(outcome) == {"ok": 1, "version_conflict": AT_ONCE - 1}
    outcome = crowd.run([lambda uow: weeks.copy(uow, first + timedelta(days=7), {})] * AT_ONCE)
    assert set(outcome) == {"ok"}
    assert [e["seconds"] for e in firm.partner.get("/time-entries").json["items"]] == [3600, 3600]


def test_rating_anew_while_billing_doubles_and_loses_nothing(firm: Any, crowd: Crowd) -> None:
    items = firm.approved(*[3600] * 16)
    drafts = [UUID(firm.draft(item_ids=[i])["id"]) for i in items[:8]]
    body = {"kind": "bill", "level": "firm", "rate": {"amount": "120.00", "currency": "GBP"}}
    firm.partner.post("/rates/set", {"from": "2020-01-01", "rates": [body]}).expect(200)
    acts: list[Callable[[Uow], Any]] = []
    for place, draft in enumerate(drafts):
        named = {"client_id": str(firm.client), "item_ids": [items[8 + place]]}
        acts += [
            lambda uow, d=draft: invoicing.issue(uow, d, None, None),
            lambda uow, n=named: invoicing.create_draft(uow, n),
            lambda uow: rerating.re_rate(uow, {"reason": "new card"}),
            lambda uow: rerating.re_rate(uow, {"reason": "new card", "ids": items}),
        ]
    assert set(crowd.run(acts)) == {"ok"}
    firm.holds()
    with firm.world.uow(firm.id) as uow:
        values = set(
            uow.session.execute(text("SELECT state, standard FROM wip_items WHERE firm_id = :f"), {"f": firm.id})
        )
    assert {state for state, _ in values} == {"billed", "reserved"}
    assert {standard for state, standard in values if state == "billed"} == {Decimal(100)}


def waits(world: Any) -> bool:
    """Whether somebody waits for a lock in this database."""
    with world.runtime.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )
        return bool(found.scalar())


@pytest.mark.parametrize("act", ["log", "approve", "change", "delete"])
def test_who_writes_while_the_lock_is_being_set_waits_and_is_refused(
    firm: Any, crowd: Crowd, world: Any, act: str
) -> None:
    day = firm.day(5)
    entry = UUID(firm.log(60, day=day)["id"])
    firm.staff.post("/time-entries/submit", {"ids": [str(entry)]})
    body = {"job_id": str(firm.job), "staff_id": str(firm.ada), "day": day, "seconds": 60}
    refused: list[Any] = []
    acts: dict[str, Callable[[Uow], Any]] = {
        "log": partial(time.log_time, body=body),
        "change": partial(time.change, entry_id=entry, body={"seconds": 1}, if_match=None),
        "delete": partial(time.delete, entry_id=entry, if_match=None, lock_override_reason=None),
        "approve": lambda uow: refused.append(time.approve(uow, [entry], None)["items"][0]["code"]),
    }
    before = firm.partner.get("/time-entries").json["items"]
    with ThreadPoolExecutor(1) as pool:
        with world.uow(firm.id, staff=firm.pat) as uow:
            lock_period(uow, firm.today.fromisoformat(day), None)
            running = pool.submit(crowd.run, [acts[act]])
            eventually(lambda: waits(world))
        (outcome,) = running.result(timeout=90)
    assert "period_locked" in (outcome, *refused)
    assert firm.partner.get("/time-entries").json["items"] == before


def test_the_lock_waits_for_those_who_are_writing(firm: Any, crowd: Crowd, world: Any) -> None:
    body = {"job_id": str(firm.job), "staff_id": str(firm.ada), "day": firm.day(5), "seconds": 60}
    lock_day = firm.today.fromisoformat(firm.day(5))
    with ThreadPoolExecutor(1) as pool:
        with world.uow(firm.id, staff=firm.ada) as uow:
            time.log_time(uow, body)
            uow.flush()
            running = pool.submit(crowd.run, [lambda uow: lock_period(uow, lock_day, None)])
            eventually(lambda: waits(world))
            assert not running.done()
        assert running.result(timeout=90) == ["ok"]
    assert len(firm.partner.get("/time-entries").json["items"]) == 1
    firm.log(60, day=firm.day(5), status=409)


# --- money that goes back -----------------------------------------------------------------------------------------------


def _refund(firm: Any, payment: UUID, amount: str, **more: Any) -> Callable[[Uow], Any]:
    body = {"amount": {"amount": amount, "currency": "GBP"}, "returned_on": firm.day(0), "reason": "agreed", **more}
    return lambda uow: payments.refund(uow, payment, body)


def test_a_payment_refunded_by_many_gives_back_no_more_than_came(firm: Any, crowd: Crowd) -> None:
    payment = UUID(firm.pay("10.00")["id"])
    outcome = Counter(crowd.run([_refund(firm, payment, "3.00")] * AT_ONCE))
    assert outcome == {"ok": 3, "refund_over_payment": AT_ONCE - 3}
    firm.holds()


def test_one_mistake_reversed_by_many_is_reversed_once(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    payment = UUID(firm.pay("60.00", (firm.issued()["id"], "50.00"))["id"])
    outcome = Counter(crowd.run([lambda uow: payments.reverse(uow, payment, "mistake")] * AT_ONCE))
    assert outcome == {"ok": 1, "payment_reversed": AT_ONCE - 1}
    firm.holds()


def test_a_debt_given_up_by_many_while_it_is_paid_is_settled_once(firm: Any, crowd: Crowd) -> None:
    firm.approved(3600)
    invoice = firm.issued()["id"]
    amount = {"amount": "9.00", "currency": "GBP"}
    body = {
        "client_id": str(firm.client),
        "amount": amount,
        "received_on": firm.day(0),
        "allocations": [{"invoice_id": invoice, "amount": amount}],
    }
    acts: list[Callable[[Uow], Any]] = [
        lambda uow: payments.record(uow, body),
        lambda uow: payments.give_up(uow, UUID(invoice), {"amount": amount, "reason": "gone"}),
    ] * (AT_ONCE // 2)
    outcome = Counter(crowd.run(acts))
    assert outcome["ok"] == 11
    assert set(outcome) <= {"ok", "payment_over_balance", "bad_debt_over_balance"}
    assert firm.partner.get(f"/invoices/{invoice}").json["balance"] == {"amount": "1.00", "currency": "GBP"}
    firm.holds()


def test_everything_that_moves_a_payment_at_once_leaves_the_books_right(firm: Any, crowd: Crowd) -> None:
    invoices = [firm.issued(item_ids=[i])["id"] for i in firm.approved(*[3600] * 4)]
    paid = [UUID(firm.pay("120.00", (i, "60.00"))["id"]) for i in invoices]

    def part(invoice: str, amount: str) -> list[dict[str, Any]]:
        return [{"invoice_id": invoice, "amount": {"amount": amount, "currency": "GBP"}}]

    acts: list[Callable[[Uow], Any]] = []
    for place, payment in enumerate(paid):
        mine, other = invoices[place], invoices[(place + 1) % 4]
        gone = {"returned_on": firm.day(0), "reason": "disputed"}
        acts += [
            partial(payments.allocate, payment_id=payment, allocations=part(other, "40.00")),
            partial(payments.allocate, payment_id=payment, allocations=part(mine, "40.00")),
            partial(payments.take_back, payment_id=payment, allocations=part(mine, "30.00"), reason="move"),
            _refund(firm, payment, "50.00"),
            _refund(firm, payment, "20.00", take_back=part(mine, "20.00")),
            partial(payments.chargeback, payment_id=payment, body=gone),
            partial(payments.reverse, payment_id=payment, reason="mistake"),
            partial(payments.give_up, invoice_id=UUID(mine), body={"reason": "gone"}),
        ]
    outcome = Counter(crowd.run(acts))
    assert outcome["ok"] >= len(paid)
    assert set(outcome) <= {
        "ok",
        "payment_reversed",
        "payment_has_refunds",
        "payment_over_balance",
        "allocations_over_payment",
        "allocation_not_found",
        "take_back_over_allocation",
        "refund_over_payment",
        "refund_over_credit",
        "refund_not_positive",
        "invoice_not_open",
    }
    firm.holds()
