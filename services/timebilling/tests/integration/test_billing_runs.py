"""Many clients billed at once; one client billed for another of its group; what nobody else may see stays hidden."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import GroupChanged
from praxis.timebilling.v1.events_pb2 import InvoiceSent
from timebilling.app import service


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
def rated(firm: Any) -> Any:
    firm.rate("100.00")
    return firm


def start(firm: Any, status: int = 201, **body: Any) -> Any:
    return firm.partner.post("/billing-runs", body).expect(status).json


def outcome(firm: Any, run: Any, api: Any = None) -> dict[str, Any]:
    items = (api or firm.partner).get(f"/billing-runs/{run['id']}/clients?limit=200").expect(200).json["items"]
    return {i["client_name"]: i for i in items}


def test_a_run_bills_each_client_by_itself_and_tells_of_each(rated: Any, world: Any) -> None:
    foreign = rated.add_client(name="Euro SARL", currency="EUR")
    rated.rate("90.00", currency="EUR")
    idle = rated.add_client(name="Idle Ltd")
    clients = [rated.client, foreign, idle, *(rated.add_client(name=f"Client {n:02}") for n in range(25))]
    for client in (c for c in clients if c != idle):
        rated.approved(3600, job_id=str(rated.add_job(client=client)))
    run = start(rated, client_ids=[str(c) for c in clients], issue=True, send=True)
    assert (run["state"], run["clients"], run["waiting"]) == ("running", 28, 28)
    world.run_due(rated.id)
    done = rated.partner.get(f"/billing-runs/{run['id']}").expect(200).json
    assert [done[n] for n in ("state", "waiting", "done", "skipped", "failed")] == ["finished", 0, 26, 1, 1]
    told = outcome(rated, run)
    assert (told["Idle Ltd"]["state"], told["Idle Ltd"]["code"]) == ("skipped", "nothing_to_bill")
    failed = told["Euro SARL"]  # nobody has said what a euro costs: the draft waits for that
    assert (failed["state"], failed["code"], failed["number"]) == ("failed", "exchange_rate_missing", None)
    assert rated.partner.get(f"/invoices/{failed['invoice_id']}").json["status"] == "draft"
    numbers = sorted(i["number"] for i in told.values() if i["state"] == "done")
    assert numbers == [f"INV-{n:06}" for n in range(1, 27)]
    assert told["Client 07"]["total"] == money("100.00")
    assert len(world.events(rated.id, InvoiceSent)) == 26
    assert [i["state"] for i in rated.partner.get("/billing-runs").json["items"]] == ["finished"]
    rated.holds()


def test_a_run_over_everybody_takes_who_has_work(rated: Any, world: Any) -> None:
    rated.partner.post("/billing-runs", {}).problem(409, "nothing_to_bill")
    rated.add_client(name="Idle Ltd")
    old, new = rated.approved(3600, day=rated.day(20)), rated.approved(3600)
    run = start(rated, until=rated.day(10), group_by="entry")
    world.run_due(rated.id)
    (only,) = outcome(rated, run).values()
    lines = rated.partner.get(f"/invoices/{only['invoice_id']}").json["lines"]
    assert (only["client_name"], [x["item_ids"] for x in lines]) == ("Smith Ltd", [old])
    assert new
    rated.holds()


def test_two_workers_bill_each_client_of_a_run_once(rated: Any, world: Any) -> None:
    for n in range(12):
        rated.approved(60, job_id=str(rated.add_job(client=rated.add_client(name=f"Client {n}"))))
    run = start(rated)

    def work(_: int) -> None:
        for _ in range(3):
            with world.uow(rated.id) as uow:
                service.timers["billing_run"](uow, run_id=run["id"])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert len(rated.partner.get("/invoices?limit=200").json["items"]) == 12
    assert {i["state"] for i in outcome(rated, run).values()} == {"done"}
    rated.holds()


def test_who_may_only_draft_starts_no_run_that_issues(rated: Any, world: Any) -> None:
    rated.approved(60)
    drafter = world.api(
        rated.id, staff=rated.pat, permissions=["timebilling:invoices:read", "timebilling:invoices:write"]
    )
    drafter.post("/billing-runs", {"issue": True}).problem(403, "issue_forbidden")
    drafter.post("/billing-runs", {"client_ids": [str(new_id())]}).problem(404, "client_not_found")
    drafter.post("/billing-runs", {"issued_on": "2999-01-01"}).problem(422, "issue_date_in_future")
    drafter.get(f"/billing-runs/{new_id()}").problem(404, "billing_run_not_found")
    assert drafter.get("/billing-runs").json["items"] == []


# --- private clients --------------------------------------------------------------------------------------------------


def test_private_clients_are_in_no_run_list_or_sum_of_others(rated: Any, world: Any) -> None:
    hidden = rated.add_client(name="Hush Ltd", only=[rated.ada])
    job = str(rated.add_job(client=hidden))
    insider = world.api(rated.id, staff=rated.ada)
    entry = insider.post("/time-entries", {"job_id": job, "day": rated.day(), "seconds": 3600}).expect(201).json["id"]
    insider.post("/time-entries/submit", {"ids": [entry]})
    insider.post("/time-entries/approve", {"ids": [entry]})
    rated.approved(3600)
    # Somebody else's run over everybody leaves them out, and they can't be named.
    run = start(rated)
    world.run_due(rated.id)
    assert list(outcome(rated, run)) == ["Smith Ltd"]
    rated.partner.post("/billing-runs", {"client_ids": [str(hidden)]}).problem(404, "client_not_found")
    # Their own run shows them to those named, and to nobody else.
    own = insider.post("/billing-runs", {"issue": True}).expect(201).json
    world.run_due(rated.id)
    (billed,) = outcome(rated, own, insider).values()
    assert (billed["client_name"], billed["state"]) == ("Hush Ltd", "done")
    assert outcome(rated, own) == {}
    seen = rated.partner.get(f"/billing-runs/{own['id']}").json
    assert (seen["clients"], seen["done"]) == (0, 0)
    assert [i["client_name"] for i in rated.partner.get("/invoices").json["items"]] == ["Smith Ltd"]
    csv = rated.partner.request("GET", "/invoices", headers={"accept": "text/csv"}).response.text
    assert "Smith Ltd" in csv
    assert "Hush" not in csv
    rated.partner.get(f"/invoices/{billed['invoice_id']}").problem(404, "invoice_not_found")
    for act in ("send", "void", "issue", "approve", "credit-notes"):
        body = {"reason": "because"} if act in ("void", "credit-notes") else None if act == "approve" else {}
        rated.partner.post(f"/invoices/{billed['invoice_id']}/{act}", body).problem(404, "invoice_not_found")
    assert insider.get("/overview").json["currencies"][0]["billed_this_month"] == money("100.00")
    assert rated.partner.get("/overview").json["currencies"][0]["billed_this_month"] == money("0.00")
    rated.holds()


# --- billed to another ------------------------------------------------------------------------------------------------


def group(firm: Any, *clients: Any, bill_to: Any = None, version: int = 1, id: Any = None, **more: Any) -> Any:
    id = id or new_id()
    firm.world.deliver(
        firm.id,
        GroupChanged(
            group_id=str(id),
            name="Smith family",
            kind="family",
            bill_to_client_id=str(bill_to or ""),
            client_ids=[str(c) for c in clients],
            version=version,
            **more,
        ),
    )
    return id


def test_work_is_billed_to_another_client_of_the_group(rated: Any) -> None:
    holding, stranger = rated.add_client(name="Holding"), rated.add_client(name="Stranger")
    rated.approved(3600, 3600)
    body = {"client_id": str(rated.client), "bill_to_client_id": str(holding)}
    rated.partner.post("/invoices", body).problem(422, "bill_to_outside_group")
    made = group(rated, rated.client, holding)
    rated.partner.post("/invoices", body | {"bill_to_client_id": str(stranger)}).problem(422, "bill_to_outside_group")
    draft = rated.partner.post("/invoices", body).expect(201).json
    assert (draft["client_name"], draft["work_client_name"]) == ("Holding", "Smith Ltd")
    path = f"/invoices/{draft['id']}"
    refused = {"bill_to_client_id": str(stranger)}
    rated.partner.patch(path, refused, if_match=draft["version"]).problem(422, "bill_to_outside_group")
    back = (
        rated.partner.patch(path, {"bill_to_client_id": str(rated.client)}, if_match=draft["version"]).expect(200).json
    )
    assert back["client_name"] == "Smith Ltd"
    again = rated.partner.patch(path, {"bill_to_client_id": str(holding)}, if_match=back["version"]).expect(200).json
    issued = rated.partner.post(f"{path}/issue", {}).expect(200).json
    rated.pay(issued["total"]["amount"], (issued["id"], issued["total"]["amount"]), client=holding)
    assert rated.partner.get(path).json["status"] == "paid"
    assert again
    # Who is billed for all of a group is billed without being named; of a dissolved one nobody is.
    group(rated, rated.client, holding, bill_to=holding, id=made, version=2)
    rated.approved(3600)
    assert rated.draft()["client_name"] == "Holding"
    group(rated, rated.client, holding, bill_to=holding, id=made, version=3, dissolved=True)
    rated.approved(3600)
    assert rated.draft()["client_name"] == "Smith Ltd"
    rated.holds()


def test_work_of_a_hidden_client_stays_hidden_on_anothers_invoice(rated: Any, world: Any) -> None:
    holding = rated.add_client(name="Holding")
    group(rated, rated.client, holding, bill_to=holding)
    rated.approved(3600)
    issued = rated.issued()
    rated.add_client(rated.client, only=[rated.ada], version=2)
    rated.partner.get(f"/invoices/{issued['id']}").problem(404, "invoice_not_found")
    assert rated.partner.get("/invoices").json["items"] == []
    insider = world.api(rated.id, staff=rated.ada)
    assert insider.get(f"/invoices/{issued['id']}").expect(200).json["client_name"] == "Holding"
