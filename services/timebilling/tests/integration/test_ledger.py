"""The ledger as accountants read it and take it out."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest


@pytest.fixture
def billed(firm: Any) -> Any:
    """An invoice of 180.00, paid with 200.00."""
    firm.rate("180.00")
    firm.approved(3600)
    firm.invoice = firm.issued()
    firm.payment = firm.pay("200.00", (firm.invoice["id"], "180.00"))
    return firm


def period(firm: Any, **more: str) -> str:
    return "&".join(f"{k}={v}" for k, v in {"first": firm.day(30), "last": firm.day(0), **more}.items())


def entries(firm: Any, **more: str) -> list[Any]:
    found: list[Any] = firm.partner.get(f"/ledger/entries?{period(firm, **more)}").expect(200).json["items"]
    return found


def said(items: list[Any]) -> list[tuple[str, str, str, str]]:
    return sorted((x["kind"], x["account"], x["debit"], x["credit"]) for x in items)


def test_the_journal_shows_each_money_event_as_debits_and_credits(billed: Any) -> None:
    found = entries(billed)
    assert said(found) == [
        ("invoice_issued", "debtors", "180.00", "0.00"),
        ("invoice_issued", "fees", "0.00", "180.00"),
        ("payment_recorded", "bank", "200.00", "0.00"),
        ("payment_recorded", "client_credit", "0.00", "20.00"),
        ("payment_recorded", "debtors", "0.00", "180.00"),
    ]
    issue = found[0]
    assert (issue["number"], issue["client_name"], issue["currency"]) == (billed.invoice["number"], "Smith Ltd", "GBP")
    assert {x["payment_id"] for x in found[2:]} == {billed.payment["id"]}
    billed.partner.post(f"/payments/{billed.payment['id']}/reverse", {"reason": "Entered twice"}).expect(200)
    back = [x for x in entries(billed) if x["kind"] == "payment_reversed"]
    assert {x["reverses_id"] for x in back} == {x["posting_id"] for x in found[2:]}


def test_the_journal_is_narrowed_and_paged_without_loss(billed: Any) -> None:
    other = billed.add_client(name="Jones")
    billed.pay("7.00", client=other)
    assert said(entries(billed, account="debtors")) == [
        ("invoice_issued", "debtors", "180.00", "0.00"),
        ("payment_recorded", "debtors", "0.00", "180.00"),
    ]
    assert {x["client_name"] for x in entries(billed, client_id=str(other))} == {"Jones"}
    assert entries(billed, first=billed.day(30), last=billed.day(1)) == []
    whole, cursor, seen = entries(billed), "", []
    while True:
        page = billed.partner.get(f"/ledger/entries?{period(billed)}&limit=2{cursor}").expect(200).json
        seen += page["items"]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole
    assert len(seen) == 7


def test_the_journal_leaves_as_csv_whose_debits_equal_its_credits(billed: Any) -> None:
    answer = billed.partner.get(f"/ledger/entries?{period(billed)}", headers={"accept": "text/csv"}).expect(200)
    rows = list(csv.DictReader(io.StringIO(answer.response.text)))
    assert len(rows) == 5
    assert sum(Decimal(r["debit"]) for r in rows) == sum(Decimal(r["credit"]) for r in rows) == Decimal("380.00")
    assert rows[0]["number"] == billed.invoice["number"]


def test_the_trial_balance_stands_at_the_end_of_its_day(billed: Any) -> None:
    def standing(day: str) -> dict[str, tuple[str, str]]:
        items = billed.partner.get(f"/ledger/balances?last={day}").expect(200).json["accounts"]
        return {x["account"]: (x["debit"], x["credit"]) for x in items}

    assert standing(billed.day(0)) == {
        "bank": ("200.00", "0.00"),
        "client_credit": ("0.00", "20.00"),
        "fees": ("0.00", "180.00"),
    }
    assert standing(billed.day(1)) == {}


def test_the_ledger_is_for_those_who_keep_the_books(billed: Any, new_firm: Any) -> None:
    api = billed.world.api(billed.id, permissions=["timebilling:invoices:read", "timebilling:payments:read"])
    api.get(f"/ledger/entries?{period(billed)}").problem(403, "permission_missing")
    api.get(f"/ledger/balances?last={billed.day(0)}").problem(403, "permission_missing")
    other = new_firm()
    assert entries(other) == []
    assert other.partner.get(f"/ledger/balances?last={other.day(0)}").json["accounts"] == []


def test_postings_of_private_clients_are_in_nobody_elses_journal(billed: Any) -> None:
    billed.add_client(billed.client, only=[billed.ada], version=2)
    assert entries(billed) == []
    assert billed.partner.get(f"/ledger/balances?last={billed.day(0)}").json["accounts"] == []
    csv_of = billed.partner.get(f"/ledger/entries?{period(billed)}", headers={"accept": "text/csv"})
    assert billed.invoice["number"] not in csv_of.expect(200).response.text


def test_an_impossible_period_is_refused(billed: Any) -> None:
    api = billed.partner
    api.get(f"/ledger/entries?first={billed.day(0)}&last={billed.day(1)}").problem(422, "period_reversed")
    api.get(f"/ledger/entries?first=2010-01-01&last={billed.day(0)}").problem(422, "period_too_long")
    api.get(f"/ledger/entries?{period(billed)}&cursor=x").problem(400, "cursor_invalid")
