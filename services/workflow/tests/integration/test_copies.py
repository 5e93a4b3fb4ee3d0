"""What others announce: kept once, in any order; what was dropped can be said again."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from chassis.db import new_id
from chassis.service import check
from praxis.clients.v1.events_pb2 import ClientChanged, ContactChanged, ContactRole
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, TaskChanged
from workflow.consumers import REPUBLISH


def time_entry(firm: Any, job: dict[str, Any], **more: Any) -> TimeEntryChanged:
    values = {
        "time_entry_id": str(uuid4()),
        "staff_id": str(firm.ben),
        "client_id": str(firm.client),
        "job_id": job["id"],
        "task_id": job["tasks"][0]["id"],
        "day": "2026-10-12",
        "seconds": 3600,
        "status": "draft",
        "version": 1,
    }
    return TimeEntryChanged(**(values | more))


def test_time_is_counted_once_however_often_and_in_whatever_order_it_is_told(firm: Any, vat: dict[str, Any]) -> None:
    job, entry = firm.apply(firm.publish(vat)), str(uuid4())
    first = time_entry(firm, job, time_entry_id=entry)
    second = time_entry(firm, job, time_entry_id=entry, seconds=5400, version=2)
    message = new_id()
    assert firm.world.deliver(firm.id, second, id=message)
    assert not firm.world.deliver(firm.id, second, id=message)
    firm.deliver(first)
    firm.deliver(second)
    assert firm.job(job["id"])["logged_minutes"] == 90
    firm.deliver(time_entry(firm, job, time_entry_id=entry, seconds=5400, status="deleted", version=3))
    assert firm.job(job["id"])["logged_minutes"] == 0
    firm.deliver(time_entry(firm, job, job_id="", task_id=""))
    assert firm.job(job["id"])["logged_minutes"] == 0


def test_documents_count_once_they_are_stored_and_until_they_are_deleted(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    document = {"document_id": str(uuid4()), "client_id": str(firm.client), "job_id": job["id"]}
    counts = []
    for version, status in enumerate(("pending", "stored", "deleted"), 1):
        firm.deliver(DocumentChanged(**document, status=status, version=version))
        counts.append(firm.job(job["id"])["documents"])
    assert counts == [0, 1, 0]


def test_an_older_state_of_a_client_does_not_come_back(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    firm.client_named("New name", id=firm.client, version=5)
    firm.client_named("Old name", id=firm.client, version=4)
    assert firm.job(job["id"])["client"]["name"] == "New name"


def test_a_contact_who_may_use_the_portal_makes_the_warning_go(firm: Any, vat: dict[str, Any]) -> None:
    template, contact = firm.publish(vat), str(uuid4())

    def warned() -> bool:
        seen = firm.api.post(f"/templates/{template}/preview", {"client_id": str(firm.client)}).expect(200).json
        return "portal_contact_missing" in {w["code"] for w in seen["warnings"]}

    assert warned()
    roles = [ContactRole(client_id=str(firm.client), role="director")]
    firm.deliver(
        ContactChanged(contact_id=contact, name="Pat", portal_access=True, active=True, roles=roles, version=1)
    )
    assert not warned()
    firm.deliver(ContactChanged(contact_id=contact, name="Pat", portal_access=True, active=True, roles=[], version=2))
    assert warned()


def test_state_said_again_is_the_state_last_announced(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    firm.api.post(f"/requests/{job['requests'][0]['id']}/waive", {"reason": "we have them"}).expect(200)
    firm.api.post(f"/tasks/{job['tasks'][0]['id']}/done").expect(200)
    keys = {JobChanged: "job_id", TaskChanged: "task_id", RequestChanged: "request_id"}
    with firm.world.uow(firm.id) as uow:
        for kind, key in keys.items():
            last = {getattr(event, key): event for event in firm.world.events(firm.id, kind)}
            again = {str(subject): (version, event) for subject, version, event in REPUBLISH[kind](uow)}
            assert {subject: event for subject, (_, event) in again.items()} == last
            assert all(version == event.version for version, event in again.values())


def test_the_service_s_own_invariants_hold_and_their_breach_is_told(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    assert [line for line in check(firm.world.runtime) if str(firm.id) in line] == []
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE jobs SET tasks_done = 9 WHERE id = :id"), {"id": job["id"]})
    assert [line for line in check(firm.world.runtime) if str(firm.id) in line] == [
        f"{firm.id}: jobs count their steps: job {job['id']}"
    ]


def test_a_client_s_event_for_one_firm_says_nothing_to_another(firm: Any) -> None:
    other = firm.world.firm()
    firm.world.deliver(other, ClientChanged(client_id=str(firm.client), name="Other", status="active", version=9))
    with firm.world.uow(firm.id) as uow:
        assert uow.session.execute(
            text("SELECT name FROM client_copy WHERE id = :id"), {"id": firm.client}
        ).scalars().all() == ["Smith Ltd"]
