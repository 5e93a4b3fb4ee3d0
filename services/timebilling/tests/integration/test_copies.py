"""Copies of what others own: an event takes effect once, an older state never overwrites a newer one."""

from typing import Any

from sqlalchemy import text

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved, EngagementChanged, GroupChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.portal.v1.events_pb2 import BrandingChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from timebilling.app import service


def test_an_event_takes_effect_once(firm: Any, world: Any) -> None:
    job, id = new_id(), new_id()
    event = JobChanged(job_id=str(job), client_id=str(firm.client), title="Payroll", version=1)
    assert world.deliver(firm.id, event, id=id) is True
    assert world.deliver(firm.id, event, id=id) is False
    assert firm.log(job_id=str(job))["job_title"] == "Payroll"


def test_states_that_arrive_out_of_order_end_at_the_newest(firm: Any, world: Any) -> None:
    for title, version in (("third", 3), ("first", 1), ("second", 2)):
        world.deliver(
            firm.id, JobChanged(job_id=str(firm.job), client_id=str(firm.client), title=title, version=version)
        )
        world.deliver(firm.id, TaskChanged(task_id=str(firm.task), job_id=str(firm.job), title=title, version=version))
        world.deliver(
            firm.id, StaffChanged(staff_id=str(firm.ada), name=title, grade="senior", active=True, version=version)
        )
        firm.add_client(firm.client, name=title, version=version)
    entry = firm.log(task_id=str(firm.task))
    assert {entry[n] for n in ("job_title", "task_title", "staff_name", "client_name")} == {"third"}


def test_a_client_that_becomes_private_disappears_and_comes_back(firm: Any, world: Any) -> None:
    entry = firm.log()
    path = f"/time-entries/{entry['id']}"
    firm.add_client(firm.client, only=[firm.pat], version=2)
    firm.staff.get(path).problem(404, "time_entry_not_found")
    assert firm.partner.get(path).expect(200)
    firm.add_client(firm.client, only=[firm.pat, firm.ada], version=3)
    assert firm.staff.get(path).expect(200)


def test_a_new_grade_changes_the_future_only(firm: Any, world: Any) -> None:
    firm.rate("100.00", level="grade", grade="senior")
    firm.rate("200.00", level="grade", grade="manager")
    (before,) = firm.approved(3600)
    world.deliver(
        firm.id, StaffChanged(staff_id=str(firm.ada), name="Ada Moss", grade="manager", active=True, version=2)
    )
    (after,) = firm.approved(3600)
    values = [firm.partner.get(f"/time-entries/{i}").json["value"]["amount"] for i in (before, after)]
    assert values == ["100.00", "200.00"]


def test_the_day_is_that_of_the_firms_zone(firm: Any, world: Any) -> None:
    def today_in(zone: str, version: int) -> str:
        event = FirmUpdated(
            firm_id=str(firm.id),
            name="Brook",
            time_zone=zone,
            currency="GBP",
            country="GB",
            language="en",
            version=version,
        )
        world.deliver(firm.id, event)
        return str(firm.partner.get("/overview").expect(200).json["today"])

    # The two zones are 26 hours apart: it is never the same day in both.
    assert today_in("Pacific/Kiritimati", 2) > today_in("Etc/GMT+12", 3)


def test_a_firm_not_heard_of_yet_is_told_to_try_again(world: Any) -> None:
    problem = world.api(world.firm()).get("/overview").problem(503, "firm_unknown")
    assert problem.headers["retry-after"] == "1"


def test_every_event_listened_to_has_its_copy(firm: Any, world: Any) -> None:
    world.deliver(firm.id, BrandingChanged(firm_id=str(firm.id), display_name="Brook", footer="Registered", version=5))
    world.deliver(
        firm.id, EngagementChanged(engagement_id=str(new_id()), client_id=str(firm.client), title="Payroll", version=1)
    )
    world.deliver(firm.id, GroupChanged(group_id=str(new_id()), client_ids=[str(firm.client)], version=1))
    world.deliver(firm.id, ClientChanged(client_id=str(new_id()), name="New", currency="EUR", version=1))
    with world.uow(firm.id) as uow:
        counts = {
            table: uow.session.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            for table in (
                "client_copy",
                "group_copy",
                "engagement_copy",
                "job_copy",
                "task_copy",
                "staff_copy",
                "firm_copy",
                "branding_copy",
            )
        }
    assert counts == {
        "client_copy": 2,
        "group_copy": 1,
        "engagement_copy": 2,
        "job_copy": 1,
        "task_copy": 1,
        "staff_copy": 2,
        "firm_copy": 1,
        "branding_copy": 1,
    }
    followed = {ClientMerged, ClientRemoved}  # they change copies and bring none
    assert len([listen for listen in service.listens if listen.event not in followed]) == len(counts)
