"""Statements for everybody with a balance: each made and sent once, with a result of its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis.db import new_id
from praxis.documents.v1.documents_pb2 import StoreGeneratedResponse
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import StatementSent
from timebilling.app import service


@pytest.fixture
def owed(firm: Any, world: Any) -> Any:
    """Three clients who owe 100.00 each, and one who has paid."""

    def stored(_: Any) -> StoreGeneratedResponse:
        return StoreGeneratedResponse(document=DocumentChanged(document_id=str(new_id())))

    world.answers("documents", {"StoreGenerated": stored})
    firm.rate("100.00")
    firm.owing = [firm.add_client(name=f"Client {n}") for n in range(3)]
    firm.paid = firm.add_client(name="Paid")
    for client in (*firm.owing, firm.paid):
        firm.approved(3600, job_id=str(firm.add_job(client=client)))
        invoice = firm.issued(client=client)
    firm.pay("100.00", (invoice["id"], "100.00"), client=firm.paid)
    with world.uow(firm.id) as uow:
        for i in uow.session.connection().exec_driver_sql("SELECT id FROM invoices").scalars().all():
            uow.cancel("render_invoice", i)
    firm.period = {"first": firm.day(30), "last": firm.day(0)}
    return firm


def start(firm: Any, status: int = 201, **more: Any) -> Any:
    return firm.partner.post("/statement-runs", firm.period | more).expect(status).json


def test_everybody_with_a_balance_gets_a_statement_and_a_mail_once(owed: Any, world: Any) -> None:
    run = start(owed, send=True, message="With thanks.")
    assert (run["state"], run["statements"], run["waiting"], run["sent"]) == ("running", 3, 3, 0)
    with ThreadPoolExecutor(2) as pool:  # two workers

        def work(_: int) -> None:
            with world.uow(owed.id) as uow:
                service.timers["statement_run"](uow, run_id=run["id"])

        list(pool.map(work, range(2)))
    world.run_due(owed.id)
    done = owed.partner.get(f"/statement-runs/{run['id']}").json
    assert (done["state"], done["kept"], done["sent"], done["refused"]) == ("finished", 3, 3, 0)
    items = owed.partner.get(f"/statement-runs/{run['id']}/statements").json["items"]
    assert {i["client_id"] for i in items} == {str(c) for c in owed.owing}
    assert all(i["sent_at"] and i["document_id"] and i["progress"]["pages"] == 1 for i in items)
    sent = world.events(owed.id, StatementSent)
    assert {(e.client_id, e.balance.amount, e.balance.currency, e.message) for e in sent} == {
        (str(c), "100.00", "GBP", "With thanks.") for c in owed.owing
    }
    assert len(sent) == 3
    assert {e.document_id for e in sent} == {i["document_id"] for i in items}
    assert [r["id"] for r in owed.partner.get("/statement-runs").json["items"]] == [run["id"]]


def test_statements_can_be_made_without_being_sent_and_for_some_only(owed: Any, world: Any) -> None:
    run = start(owed, client_ids=[str(owed.owing[0]), str(owed.paid)])
    world.run_due(owed.id)
    done = owed.partner.get(f"/statement-runs/{run['id']}").json
    assert (done["statements"], done["kept"], done["sent"]) == (1, 1, 0)
    assert world.events(owed.id, StatementSent) == []


def test_what_can_not_be_run_is_refused(owed: Any, world: Any, new_firm: Any) -> None:
    assert start(owed, 409, client_ids=[str(owed.paid)])["code"] == "no_balances"
    assert start(owed, 404, client_ids=[str(new_id())])["code"] == "client_not_found"
    assert start(owed, 422, first=owed.day(0), last=owed.day(1))["code"] == "period_reversed"
    drafter = world.api(owed.id, permissions=["timebilling:invoices:read", "timebilling:invoices:write"])
    drafter.post("/statement-runs", owed.period | {"send": True}).problem(403, "issue_forbidden")
    assert owed.partner.get("/statement-runs").json["items"] == []
    run = start(owed)
    new_firm().partner.get(f"/statement-runs/{run['id']}").problem(404, "statement_run_not_found")


def test_private_clients_are_in_nobody_elses_run(owed: Any, world: Any) -> None:
    owed.add_client(owed.owing[0], name="Client 0", only=[owed.ada], version=2)
    run = start(owed)
    assert run["statements"] == 2
    whole = world.api(owed.id, staff=owed.ada).post("/statement-runs", owed.period).expect(201).json
    assert whole["statements"] == 3
    assert owed.partner.get(f"/statement-runs/{whole['id']}").json["statements"] == 2
    assert len(owed.partner.get(f"/statement-runs/{whole['id']}/statements").json["items"]) == 2
