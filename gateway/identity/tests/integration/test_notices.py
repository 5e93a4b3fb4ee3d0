"""Notices: kept for each person they are for, seen and marked read by nobody else, forgotten after ninety days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.testing import Api, World
from identity.staff.permissions import permissions_of
from identity.staff.usecases import deactivate_staff, invite_staff
from praxis.clients.v1 import events_pb2 as clients
from praxis.common.v1.types_pb2 import Audience
from praxis.identity.v1.events_pb2 import NoticeChanged
from praxis.workflow.v1 import events_pb2 as workflow


@dataclass(frozen=True)
class Person:
    id: UUID
    api: Api

    def says(self, **query: Any) -> list[str]:
        return [notice["says"] for notice in self.api.get("/notices", params=query).expect(200).json["items"]]

    @property
    def unread(self) -> int:
        return self.api.get("/notices/unread-count").expect(200).json["count"]


@dataclass(frozen=True)
class Office:
    world: World
    id: UUID
    ada: Person
    ben: Person

    def tell(self, *people: Person, says: str = "Look at this.", event_id: UUID | None = None, **more: Any) -> bool:
        event = workflow.NoticeDue(
            staff_ids=[str(p.id) for p in people],
            reason="watching",
            subject_type="job",
            subject_id=str(new_id()),
            says=says,
        )
        for field, value in more.items():
            setattr(event, field, str(value))
        return self.world.deliver(self.id, event, id=event_id)

    def audience(self, client: UUID, *people: Person, version: int) -> None:
        audience = Audience(private=bool(people), staff_ids=[str(p.id) for p in people])
        event = clients.ClientChanged(client_id=str(client), name="Secret", audience=audience, version=version)
        self.world.deliver(self.id, event)


@pytest.fixture
def office(world, firm) -> Office:
    def person(name: str) -> Person:
        with world.uow(firm.id, staff=firm.owner_id) as uow:
            invited = {
                "name": name,
                "email": f"{name}-{new_id()}@harbour.example",
                "roles": ["readonly"],
                "grade": "junior",
            }
            id = invite_staff(uow, invited).id
        return Person(id, world.api(firm.id, staff=id, permissions=permissions_of(["readonly"])))

    return Office(world, firm.id, person("ada"), person("ben"))


def test_everybody_named_is_told_with_where_it_came_from(office):
    client, job, subject = new_id(), new_id(), new_id()
    office.tell(office.ada, office.ben, says="Late.", client_id=client, job_id=job, subject_id=subject)
    (notice,) = office.ada.api.get("/notices").expect(200).json["items"]
    assert notice | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "reason": "watching",
        "says": "Late.",
        "subject_type": "job",
        "subject_id": str(subject),
        "job_id": str(job),
        "client_id": str(client),
        "read_at": None,
    }
    assert office.ben.says() == ["Late."]


def test_clients_notices_are_kept_like_workflows(office):
    note, client = str(new_id()), str(new_id())
    due = clients.NoticeDue(
        staff_ids=[str(office.ada.id)],
        reason="mentioned",
        subject_type="note",
        subject_id=note,
        client_id=client,
        says="You.",
    )
    office.world.deliver(office.id, due)
    (notice,) = office.ada.api.get("/notices").expect(200).json["items"]
    assert (notice["subject_type"], notice["subject_id"], notice["client_id"]) == ("note", note, client)
    assert notice["job_id"] is None


def test_an_event_that_comes_twice_is_one_notice(office):
    event_id = new_id()
    assert office.tell(office.ada, office.ada, event_id=event_id)
    assert not office.tell(office.ada, event_id=event_id)
    assert len(office.ada.says()) == 1


def test_who_has_left_is_not_told(office, firm):
    with office.world.uow(office.id, staff=firm.owner_id) as uow:
        deactivate_staff(uow, office.ben.id)
    before = len(office.world.events(office.id, NoticeChanged))
    office.tell(office.ben)
    office.tell(office.ada, office.ben)
    changed = office.world.events(office.id, NoticeChanged)[before:]
    assert [list(event.staff_ids) for event in changed] == [[str(office.ada.id)]]
    assert office.ben.says() == []


def test_a_list_is_newest_first_and_paged_and_may_be_of_the_unread_only(office):
    for says in ("one", "two", "three"):
        office.tell(office.ada, says=says)
    page = office.ada.api.get("/notices", params={"limit": 2}).expect(200).json
    assert [n["says"] for n in page["items"]] == ["three", "two"]
    assert office.ada.says(limit=2, cursor=page["next_cursor"]) == ["one"]
    office.ada.api.post(f"/notices/{page['items'][0]['id']}/read").expect(200)
    assert office.ada.says(unread="true") == ["two", "one"]
    assert office.ada.says(unread="false") == ["three"]
    office.ada.api.get("/notices", params={"cursor": "made-up"}).problem(400, "cursor_invalid")


def test_a_notice_is_read_once_and_stays_so(office):
    office.tell(office.ada)
    (notice,) = office.ada.api.get("/notices").json["items"]
    assert office.ada.unread == 1
    first = office.ada.api.post(f"/notices/{notice['id']}/read").expect(200).json
    before = len(office.world.events(office.id, NoticeChanged))
    assert first["read_at"] is not None
    assert office.ada.api.post(f"/notices/{notice['id']}/read").expect(200).json == first
    assert office.ada.unread == 0
    assert len(office.world.events(office.id, NoticeChanged)) == before, "nothing changed, nobody is told"


def test_reading_all_leaves_what_came_after_the_newest_seen(office):
    office.tell(office.ada, says="one")
    office.tell(office.ada, says="two")
    seen = office.ada.api.get("/notices").json["items"][0]["id"]
    office.tell(office.ada, office.ben, says="three")
    assert office.ada.api.post("/notices/read-all", {"up_to": seen}).expect(200).json == {"count": 1}
    assert office.ada.says(unread="true") == ["three"]
    assert office.ben.unread == 1, "others' marks are their own"


def test_nobody_sees_or_marks_somebody_elses_notice(office):
    office.tell(office.ada)
    (notice,) = office.ada.api.get("/notices").json["items"]
    assert office.ben.says() == []
    office.ben.api.post(f"/notices/{notice['id']}/read").problem(404, "notice_not_found")
    office.ben.api.post("/notices/read-all", {"up_to": notice["id"]}).expect(200)
    assert office.ada.unread == 1


def test_only_staff_have_notices(office):
    for audience in ("partner", "portal"):
        api = office.world.api(office.id, audience=audience, permissions=["identity:notices:read"])
        api.get("/notices").problem(403, "audience_not_allowed")
    office.world.api(office.id, permissions=[]).get("/notices").problem(403, "permission_missing")


def test_a_notice_about_a_private_client_is_there_only_while_one_is_named_on_it(office):
    client = new_id()
    office.audience(client, version=1)
    office.tell(office.ada, office.ben, client_id=client)
    (notice,) = office.ben.api.get("/notices").json["items"]
    office.audience(client, office.ada, version=2)
    assert office.ada.unread == 1
    assert (office.ben.says(), office.ben.unread) == ([], 0)
    office.ben.api.post(f"/notices/{notice['id']}/read").problem(404, "notice_not_found")
    office.audience(client, office.ada, office.ben, version=3)
    assert office.ben.unread == 1


def test_what_was_about_a_merged_client_is_hidden_as_the_one_it_became(office):
    old, into = new_id(), new_id()
    office.audience(into, office.ada, version=1)
    office.tell(office.ada, office.ben, client_id=old)
    office.world.deliver(office.id, clients.ClientMerged(client_id=str(old), into_client_id=str(into)))
    office.tell(office.ada, office.ben, client_id=old, says="Said at the same moment.")
    assert {n["client_id"] for n in office.ada.api.get("/notices").json["items"]} == {str(into)}
    assert office.ben.says() == []


def test_notices_are_forgotten_after_ninety_days(office):
    office.tell(office.ada)
    now = datetime.now(UTC)
    office.world.run_due(office.id, at=now + timedelta(days=89))
    assert len(office.ada.says()) == 1
    office.world.run_due(office.id, at=now + timedelta(days=91, minutes=1))
    assert office.ada.says() == []


def test_unread_ones_are_counted_to_a_hundred(office):
    event = workflow.NoticeDue(staff_ids=[str(office.ada.id)], subject_type="job", subject_id=str(new_id()), says="x")
    for _ in range(101):
        office.world.deliver(office.id, event)
    assert office.ada.unread == 100


@pytest.mark.parametrize("unread", ["", "AND n.read_at IS NULL"])
def test_the_list_and_the_count_use_their_indexes(office, unread):
    from identity.notices.queries import MINE

    with psycopg.connect(office.world.runtime.settings.owner_database_url) as connection:
        connection.execute(
            "INSERT INTO notices SELECT %s, gen_random_uuid(), %s, 'watching', 'x', 'job', gen_random_uuid(), "
            "NULL, gen_random_uuid(), now(), NULL FROM generate_series(1, 20000)",
            [office.id, office.ben.id],
        )
        connection.execute("ANALYZE notices")
    with office.world.uow(office.id) as uow:
        query = f"EXPLAIN SELECT n.* FROM notices AS n WHERE {MINE} {unread} ORDER BY n.id DESC LIMIT 51"
        plan = "\n".join(uow.session.execute(text(query), {"firm": office.id, "me": office.ada.id}).scalars())
    assert "ix_notices_" in plan
    assert "Seq Scan on notices" not in plan
