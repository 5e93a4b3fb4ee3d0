"""Disbursements: logged, approved, WIP, with the life of time."""

from typing import Any

import pytest

from chassis.db import new_id
from praxis.timebilling.v1.events_pb2 import DisbursementChanged


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def spend(firm: Any, amount: str = "120.00", *, api: Any = None, status: int = 201, **more: Any) -> Any:
    body = {"job_id": str(firm.job), "day": firm.day(), "description": "Search fee", "amount": money(amount), **more}
    return (api or firm.staff).post("/disbursements", body).expect(status).json


def approved(firm: Any, *amounts: str, **more: Any) -> list[str]:
    ids = [spend(firm, a, **more)["id"] for a in amounts]
    firm.staff.post("/disbursements/submit", {"ids": ids}).expect(200)
    assert firm.partner.post("/disbursements/approve", {"ids": ids}).expect(200).json["failed"] == 0
    return ids


def all_of(firm: Any) -> list[dict[str, Any]]:
    return firm.partner.get("/disbursements").expect(200).json["items"]


def test_a_disbursement_is_approved_and_becomes_wip_at_cost_with_markup(firm: Any, world: Any) -> None:
    receipt = str(new_id())
    made = spend(firm, tax=money("20.00"), document_id=receipt)
    assert (made["amount"], made["tax"], made["document_id"], made["status"]) == (
        money("120.00"),
        money("20.00"),
        receipt,
        "draft",
    )
    assert (made["value"], made["client_name"], made["staff_name"]) == (None, "Smith Ltd", "Ada Moss")
    path = f"/disbursements/{made['id']}"
    marked = firm.partner.patch(path, {"markup_percent": "10"}, if_match=1).expect(200).json
    assert (marked["value"], marked["why"]["says"]) == (
        money("110.00"),
        "GBP 120.00 less 20.00 tax recovered, with 10 % on it",
    )
    ids = {"ids": [made["id"]]}
    assert firm.staff.post("/disbursements/submit", ids).json["done"] == 1
    assert firm.partner.post("/disbursements/approve", ids).json["done"] == 1
    shown = firm.partner.get(path).expect(200).json
    assert (shown["status"], shown["wip"]) == ("approved", "unbilled")
    (item,) = firm.partner.get(f"/wip/items?client_id={firm.client}").expect(200).json["items"]
    assert (item["kind"], item["narrative"], item["standard"], item["billable_seconds"]) == (
        "disbursement",
        "Search fee",
        money("110.00"),
        0,
    )
    assert firm.partner.get("/wip").json["totals"] == [money("110.00")]
    assert firm.partner.get(f"/wip/jobs/{firm.job}").json["standard"] == money("110.00")
    statuses = [e.status for e in world.events(firm.id, DisbursementChanged)]
    assert statuses == ["draft", "draft", "submitted", "approved"]
    assert [a.action for a in world.audit(firm.id) if a.subject_type == "disbursement"] == [
        "disbursement.logged",
        "disbursement.changed",
        "disbursement.submitted",
        "disbursement.approved",
    ]
    firm.holds()


def test_what_is_not_billable_is_no_wip(firm: Any) -> None:
    (id,) = approved(firm, "50.00", billable=False)
    shown = firm.partner.get(f"/disbursements/{id}").json
    assert (shown["status"], shown["wip"], shown["value"]) == ("approved", None, None)
    assert firm.partner.get("/wip").json["totals"] == []
    firm.holds()


def test_an_approved_disbursement_does_not_change_until_its_approval_is_taken_back(firm: Any) -> None:
    (id,) = approved(firm, "120.00")
    path = f"/disbursements/{id}"
    shown = firm.partner.get(path).json
    firm.partner.patch(path, {"description": "other"}, if_match=shown["version"]).problem(409, "disbursement_approved")
    firm.partner.delete(path, if_match=shown["version"]).problem(409, "disbursement_approved")
    assert firm.partner.get(path).json == shown
    taken_back = {"ids": [id], "reason": "wrong client"}
    submitted = firm.staff.post("/disbursements/submit", {"ids": [id]}).expect(200).json
    assert submitted["items"][0]["code"] == "disbursement_not_draft"
    assert firm.partner.post("/disbursements/take-back", taken_back).expect(200).json["done"] == 1
    again = firm.partner.post("/disbursements/take-back", taken_back).expect(200).json
    assert again["items"][0]["code"] == "disbursement_not_approved"
    assert firm.partner.get("/wip").json["totals"] == []
    version = firm.partner.get(path).json["version"]
    firm.partner.patch(path, {"amount": money("60.00")}, if_match=version).expect(200)
    firm.staff.post("/disbursements/submit", {"ids": [id]})
    assert firm.partner.post("/disbursements/approve", {"ids": [id]}).json["done"] == 1
    assert firm.partner.get("/wip").json["totals"] == [money("60.00")]
    firm.holds()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": {"amount": "0.00", "currency": "GBP"}}, 422, "amount_missing"),
        ({"amount": {"amount": "-1.00", "currency": "GBP"}}, 422, "amount_negative"),
        ({"amount": {"amount": "1.001", "currency": "GBP"}}, 422, "amount_precision"),
        ({"amount": {"amount": "1.00", "currency": "EUR"}}, 422, "currency_mismatch"),
        ({"tax": {"amount": "120.01", "currency": "GBP"}}, 422, "tax_over_amount"),
        ({"markup_percent": "10"}, 403, "markup_forbidden"),
        ({"markup_percent": "ten"}, 400, "request_invalid"),
        ({"description": ""}, 400, "request_invalid"),
        ({"day": "1899-12-31"}, 422, "day_out_of_range"),
        ({"status": "approved"}, 400, "request_invalid"),
        ({"staff_id": "018f0000-0000-7000-8000-000000000000"}, 403, "not_your_time"),
    ],
)
def test_bad_disbursements_are_refused_and_nothing_is_logged(
    firm: Any, change: dict[str, Any], status: int, code: str
) -> None:
    body = {"job_id": str(firm.job), "day": firm.day(), "description": "Fee", "amount": money("120.00")} | change
    firm.staff.post("/disbursements", body).problem(status, code)
    assert all_of(firm) == []
    assert firm.world.events(firm.id, DisbursementChanged) == []


def test_a_locked_period_takes_no_disbursement(firm: Any) -> None:
    made = spend(firm, day=firm.day(9))
    firm.staff.post("/disbursements/submit", {"ids": [made["id"]]})
    firm.partner.post("/settings/lock", {"locked_until": firm.day(5)}).expect(200)
    spend(firm, day=firm.day(5), status=409)
    version = firm.staff.get(f"/disbursements/{made['id']}").json["version"]
    firm.staff.delete(f"/disbursements/{made['id']}", if_match=version).problem(409, "period_locked")
    ids = {"ids": [made["id"]]}
    assert firm.partner.post("/disbursements/approve", ids).json["items"][0]["code"] == "period_locked"
    late = ids | {"lock_override_reason": "late receipt"}
    assert firm.partner.post("/disbursements/approve", late).json["done"] == 1
    firm.holds()


def test_returned_with_a_reason(firm: Any) -> None:
    made = spend(firm)
    ids = {"ids": [made["id"]]}
    assert (
        firm.partner.post("/disbursements/return", ids | {"reason": "no receipt"}).json["items"][0]["code"]
        == "disbursement_not_submitted"
    )
    firm.staff.post("/disbursements/submit", ids)
    firm.partner.post("/disbursements/return", ids | {"reason": "no receipt"}).expect(200)
    shown = firm.staff.get(f"/disbursements/{made['id']}").json
    assert (shown["status"], shown["return_reason"]) == ("returned", "no receipt")
    firm.staff.delete(f"/disbursements/{made['id']}", if_match=shown["version"]).expect(204)
    assert all_of(firm) == []


def test_own_disbursements_only_and_no_stranger_sees_them(firm: Any, new_firm: Any, world: Any) -> None:
    made = spend(firm)
    path = f"/disbursements/{made['id']}"
    colleague = world.api(firm.id, permissions=["timebilling:time:read", "timebilling:time:write"])
    colleague.patch(path, {"description": "mine"}, if_match=1).problem(403, "not_your_time")
    colleague.delete(path, if_match=1).problem(403, "not_your_time")
    stranger = new_firm()
    stranger.partner.get(path).problem(404, "disbursement_not_found")
    stranger.partner.patch(path, {"description": "mine"}, if_match=1).problem(404, "disbursement_not_found")
    answer = stranger.partner.post("/disbursements/submit", {"ids": [made["id"]]}).json
    assert answer["items"][0]["code"] == "disbursement_not_found"
    assert firm.staff.get(path).json == made


def test_a_private_clients_disbursements_are_hidden(firm: Any, world: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    job = firm.add_job(client=secret, title="Secret job")
    made = spend(firm, api=firm.partner, job_id=str(job))
    firm.partner.post("/disbursements/submit", {"ids": [made["id"]]})
    firm.partner.post("/disbursements/approve", {"ids": [made["id"]]})
    outsider = world.api(firm.id, staff=new_id())
    for path in ("/disbursements", "/wip", "/wip/by-job", "/wip/by-staff"):
        assert firm.partner.get(path).expect(200).json["items"] != []
        assert outsider.get(path).expect(200).json["items"] == []
        assert "Secret" not in outsider.get(path, headers={"accept": "text/csv"}).response.text
    assert outsider.get("/wip/by-staff").json["totals"] == []
    outsider.get(f"/disbursements/{made['id']}").problem(404, "disbursement_not_found")
    for act in ("/disbursements/take-back", "/wip/write-off"):
        assert outsider.post(act, {"ids": [made["id"]], "reason": "spite"}).json["done"] == 0
    outsider.post("/wip/adjust", {"ids": [made["id"]], "amount": money("1.00"), "reason": "spite"}).problem(
        404, "wip_item_not_found"
    )
    assert firm.partner.get("/wip").json["totals"] == [money("120.00")]
