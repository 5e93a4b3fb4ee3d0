"""Bank statements: a line is known once, becomes one payment, and what can't be read changes nothing."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.db import new_id

NOBODY = "018f0000-0000-7000-8000-000000000000"


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def statement(*rows: str, name: str = "nov.csv", account: str = "GB29NWBK", **more: Any) -> dict[str, Any]:
    content = "Date,Name,Reference,Amount\n" + "\n".join(rows)
    return {"account": account, "file_name": name, "content": base64.b64encode(content.encode()).decode(), **more}


@pytest.fixture
def owed(firm: Any) -> Any:
    """A firm that is owed 100.00 and 50.00 by Smith Ltd; the bank has received 100.00."""
    firm.rate("100.00")
    firm.invoices = [firm.issued(item_ids=[i]) for i in firm.approved(3600, 1800)]
    firm.row = f"{firm.day(0)},SMITH LIMITED,Invoice INV-000001,100.00"
    return firm


def imported(firm: Any, *rows: str, **more: Any) -> Any:
    return firm.partner.post("/bank-imports", statement(*rows, **more)).expect(201).json


def lines(firm: Any, query: str = "") -> list[Any]:
    return firm.partner.get(f"/bank-lines{query}").expect(200).json["items"]


def test_a_line_becomes_the_payment_its_suggestion_says(owed: Any) -> None:
    made = imported(owed, owed.row, f"{owed.day(0)},Landlord,Rent,-800.00")
    assert (made["lines"], made["new"], made["known"], made["imported_by"]) == (2, 2, 0, "Test")
    (line,) = lines(owed, "?state=open")
    best = line["suggestions"][0]
    assert (best["score"], best["says"], best["client_name"]) == (100, ["number", "amount", "name"], "Smith Ltd")
    wanted = [{"invoice_id": a["invoice_id"], "amount": a["amount"]} for a in best["allocations"]]
    path = f"/bank-lines/{line['id']}"
    matched = (
        owed.partner.post(f"{path}/match", {"client_id": best["client_id"], "allocations": wanted}).expect(200).json
    )
    assert (matched["state"], matched["client_name"], matched["suggestions"]) == ("matched", "Smith Ltd", [])
    payment = owed.partner.get(f"/payments/{matched['payment_id']}").json
    assert (payment["amount"], payment["method"], payment["received_on"], payment["reference"]) == (
        money("100.00"),
        "bank_transfer",
        owed.day(0),
        "Invoice INV-000001",
    )
    assert owed.partner.get(f"/invoices/{owed.invoices[0]['id']}").json["status"] == "paid"
    owed.partner.post(f"{path}/match", {"client_id": best["client_id"]}).problem(409, "bank_line_not_open")
    assert [x["amount"] for x in lines(owed, "?state=outgoing")] == [money("-800.00")]
    owed.holds()


def test_a_file_imported_again_or_overlapping_adds_only_what_is_new(owed: Any) -> None:
    twins = [f"{owed.day(1)},Jones,Thanks,5.00"] * 2
    assert imported(owed, *twins, owed.row)["new"] == 3
    assert imported(owed, *twins, owed.row)["new"] == 0
    again = imported(owed, owed.row, *twins, f"{owed.day(0)},Jones,Thanks,5.00")
    assert (again["new"], again["known"]) == (1, 3)
    assert imported(owed, owed.row, account="another")["new"] == 1
    assert len(lines(owed)) == 5
    assert [i["new"] for i in owed.partner.get("/bank-imports").json["items"]] == [1, 1, 0, 3]


def test_sure_suggestions_are_taken_together_and_unsure_ones_left(owed: Any) -> None:
    imported(owed, owed.row, f"{owed.day(0)},Somebody,hello,50.00", f"{owed.day(0)},Somebody,hello,7.77")
    ids = [x["id"] for x in lines(owed)] + [NOBODY]
    answer = owed.partner.post("/bank-lines/accept", {"ids": ids}).expect(200).json
    assert (answer["done"], answer["failed"]) == (1, 3)
    assert sorted(i["code"] for i in answer["items"] if i["code"]) == [
        "bank_line_not_found",
        "bank_line_unsure",
        "bank_line_unsure",
    ]
    assert [x["reference"] for x in lines(owed, "?state=matched")] == ["Invoice INV-000001"]
    owed.holds()


def test_of_two_lines_that_name_one_invoice_only_the_first_is_taken(owed: Any) -> None:
    imported(owed, owed.row, owed.row)
    answer = owed.partner.post("/bank-lines/accept", {"ids": [x["id"] for x in lines(owed)]}).expect(200).json
    assert [i["code"] for i in answer["items"]] == [None, "bank_line_unsure"]
    owed.holds()


def test_a_line_is_linked_to_a_payment_by_hand_and_opened_again_when_that_is_reversed(owed: Any) -> None:
    imported(owed, owed.row, owed.row)
    first, second = (f"/bank-lines/{x['id']}" for x in lines(owed))
    small, right = owed.pay("99.00"), owed.pay("100.00")
    owed.partner.post(f"{first}/link", {"payment_id": small["id"]}).problem(409, "bank_line_amount_differs")
    owed.partner.post(f"{first}/link", {"payment_id": NOBODY}).problem(404, "payment_not_found")
    linked = owed.partner.post(f"{first}/link", {"payment_id": right["id"]}).expect(200).json
    assert linked["payment_id"] == right["id"]
    owed.partner.post(f"{second}/link", {"payment_id": right["id"]}).problem(409, "payment_has_bank_line")
    owed.partner.post(f"{first}/reopen").problem(409, "bank_line_in_use")
    owed.partner.post(f"/payments/{right['id']}/reverse", {"reason": "typed twice"}).expect(200)
    assert owed.partner.post(f"{first}/reopen").expect(200).json["state"] == "open"
    owed.partner.post(f"{first}/link", {"payment_id": right["id"]}).problem(409, "payment_reversed")
    owed.partner.post(f"{first}/reopen").problem(409, "bank_line_not_closed")


def test_a_line_is_set_aside_with_a_reason(owed: Any) -> None:
    imported(owed, owed.row)
    path = f"/bank-lines/{lines(owed)[0]['id']}"
    owed.partner.post(f"{path}/ignore", {}).problem(400, "request_invalid")
    assert owed.partner.post(f"{path}/ignore", {"reason": "interest"}).expect(200).json["reason"] == "interest"
    owed.partner.post(f"{path}/ignore", {"reason": "again"}).problem(409, "bank_line_not_open")
    assert owed.partner.post(f"{path}/reopen").expect(200).json["reason"] is None


def test_bad_files_and_bad_matches_have_their_code_and_change_nothing(owed: Any, new_firm: Callable[..., Any]) -> None:
    good = statement(owed.row)
    for change, status, code in (
        ({"content": "%%%"}, 422, "statement_not_base64"),
        ({"content": "é"}, 422, "statement_not_base64"),
        ({"content": ""}, 422, "statement_empty"),
        (
            {"content": base64.b64encode("Date,Amount\n2026-11-13,£5\n".encode("windows-1252")).decode()},
            422,
            "statement_encoding",
        ),
        ({"content": base64.b64encode(b"a,b\n1,2\n").decode()}, 422, "statement_columns_unknown"),
        (
            {"content": base64.b64encode(b"Date,Amount\n2026-11-13,5.00\nyesterday,1.00\n").decode()},
            422,
            "statement_row_invalid",
        ),
        ({"currency": "ZZZ"}, 422, "currency_unknown"),
        ({"format": {"decimal": "x"}}, 400, "request_invalid"),
        ({"format": {"encoding": "ebcdic"}}, 400, "request_invalid"),
        ({"account": ""}, 400, "request_invalid"),
    ):
        owed.partner.post("/bank-imports", good | change).problem(status, code)
    assert (lines(owed), owed.partner.get("/bank-imports").json["items"]) == ([], [])
    imported(owed, owed.row)
    (line,) = lines(owed)
    path, invoice = f"/bank-lines/{line['id']}", owed.invoices[0]["id"]
    for body, status, code in (
        (
            {"client_id": str(owed.client), "allocations": [{"invoice_id": invoice, "amount": money("100.01")}]},
            409,
            "payment_over_balance",
        ),
        (
            {"client_id": str(owed.client), "allocations": [{"invoice_id": NOBODY, "amount": money("1.00")}]},
            404,
            "invoice_not_found",
        ),
        (
            {
                "client_id": str(owed.add_client(name="Other")),
                "allocations": [{"invoice_id": invoice, "amount": money("1.00")}],
            },
            422,
            "allocation_other_client",
        ),
        (
            {"client_id": str(owed.client), "allocations": [{"invoice_id": invoice, "amount": money("1.00", "EUR")}]},
            422,
            "currency_mismatch",
        ),
    ):
        owed.partner.post(f"{path}/match", body).problem(status, code)
    new_firm().partner.post(f"{path}/match", {"client_id": str(owed.client)}).problem(404, "bank_line_not_found")
    assert lines(owed) == [line]
    assert owed.partner.get("/payments").json["items"] == []
    owed.holds()


def test_a_private_clients_payments_and_invoices_are_hidden_in_the_bank_too(owed: Any, world: Any) -> None:
    owed.add_client(owed.client, only=[owed.pat], version=2)
    imported(owed, owed.row)
    outsider = world.api(owed.id, staff=new_id())
    assert [x["suggestions"] for x in outsider.get("/bank-lines").json["items"]] == [[]]
    (line,) = lines(owed)
    assert owed.partner.post("/bank-lines/accept", {"ids": [line["id"]]}).json["done"] == 1
    assert outsider.get("/bank-lines").json["items"] == []
    outsider.post(f"/bank-lines/{line['id']}/reopen").problem(404, "bank_line_not_found")


def test_many_importing_one_file_at_once_know_each_line_once(owed: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    body = statement(*[f"{owed.day(0)},Jones,Thanks {n},5.00" for n in range(40)])
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: owed.partner.post("/bank-imports", body).expect(201).json["new"], range(16)))
    assert sorted(made) == [0] * 15 + [40]
    with owed.world.uow(owed.id) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM bank_lines")).scalar() == 40


def test_a_statement_exports_as_csv_without_formulas(owed: Any) -> None:
    imported(owed, f'{owed.day(0)},"=HYPERLINK(""x"")",+1,5.00')
    body = owed.partner.get("/bank-lines", headers={"accept": "text/csv"}).expect(200).response.text
    assert "'=HYPERLINK" in body
    assert UUID(lines(owed)[0]["id"])
