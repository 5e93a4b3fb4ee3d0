"""The calendar at work: statuses that turn by themselves, in SQL as in the rules, in the firm's own zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.workflow.v1.events_pb2 import JobChanged
from workflow.copies.usecases import today_of
from workflow.jobs.queries import STATUS
from workflow.jobs.rules import EARLIEST, Facts, derive

TODAY = date(2026, 11, 24)
some_days = st.none() | st.dates(TODAY - timedelta(days=4), TODAY + timedelta(days=4))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            "cancelled": st.booleans(),
            "closed": st.booleans(),
            "due_on": some_days,
            "deadline_on": some_days,
            "open_tasks": st.integers(0, 2),
            "next_ready_on": some_days | st.just(EARLIEST),
            "requests_open": st.integers(0, 2),
            "requests_waiting": st.integers(0, 2),
            "next_step_due": some_days,
            "last_step_due": some_days,
            "late_from": some_days | st.just(EARLIEST),
        }
    )
)
def test_sql_derives_the_status_as_the_rules_do(world: Any, values: dict[str, Any]) -> None:
    when = "CASE WHEN :{} THEN now() END AS {}"
    columns = ", ".join(
        f"CAST(:{n} AS date) AS {n}"
        for n in ("due_on", "deadline_on", "next_ready_on", "next_step_due", "last_step_due", "late_from")
    )
    counts = ", ".join(f"CAST(:{n} AS bigint) AS {n}" for n in ("open_tasks", "requests_open", "requests_waiting"))
    facts = f"{when.format('cancelled', 'cancelled_at')}, {when.format('closed', 'closed_at')}, {columns}, {counts}"
    with world.runtime.engine.connect() as connection:
        found = connection.execute(
            text(f"SELECT {STATUS} FROM (SELECT {facts}) j"), {**values, "today": TODAY}
        ).scalar_one()
    assert found == derive(Facts(**values), TODAY).status


def test_a_job_turns_overdue_by_the_calendar_and_others_hear_of_it_once(firm: Any) -> None:
    tomorrow = (datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=1)).isoformat()
    job = (
        firm.api.post("/jobs", {"client_id": str(firm.client), "title": "Advice", "statutory_due_on": tomorrow})
        .expect(201)
        .json
    )
    firm.api.post(f"/jobs/{job['id']}/tasks", {"title": "Advise"}).expect(201)
    assert firm.world.events(firm.id, JobChanged)[-1].status == "on_track"
    turn = next(row for row in firm.world.due(firm.id) if row.kind == "job_turn")
    # Midnight in London after the deadline.
    assert turn.run_at == datetime.combine(
        date.fromisoformat(tomorrow) + timedelta(days=1), datetime.min.time(), ZoneInfo("Europe/London")
    )
    before = len(firm.world.events(firm.id, JobChanged))
    firm.world.run_due(firm.id, at=turn.run_at - timedelta(seconds=1))
    assert len(firm.world.events(firm.id, JobChanged)) == before
    firm.world.run_due(firm.id, at=turn.run_at)
    firm.world.run_due(firm.id, at=turn.run_at + timedelta(days=30))
    after = firm.world.events(firm.id, JobChanged)[before:]
    assert [event.status for event in after] == ["overdue"]


def test_a_turn_that_changes_nothing_says_nothing(firm: Any, vat: dict[str, Any]) -> None:
    job = firm.apply(firm.publish(vat))
    before, version = len(firm.world.events(firm.id)), firm.job(job["id"])["version"]
    with firm.world.uow(firm.id) as uow:
        uow.later("job_turn", job["id"], job_id=job["id"], day=datetime.now(UTC).date().isoformat())
    firm.world.run_due(firm.id)
    assert (len(firm.world.events(firm.id)), firm.job(job["id"])["version"]) == (before, version)


def test_a_lost_plan_makes_no_wrong_status_because_reading_derives_it(firm: Any) -> None:
    body = {"client_id": str(firm.client), "title": "Advice", "statutory_due_on": "2020-01-01"}
    job = firm.api.post("/jobs", body).expect(201).json
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(text("DELETE FROM due WHERE firm_id = :firm"), {"firm": firm.id})
    shown = firm.job(job["id"])
    assert shown["status"] == "overdue"
    assert shown["why"]["says"] == "The deadline of 1 Jan 2020 has passed."
    assert shown["why"]["inputs"]["deadline_on"] == "2020-01-01"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_today_is_the_firm_s_today(firm: Any, zone: str) -> None:
    firm.deliver(FirmUpdated(firm_id=str(firm.id), name="Firm", time_zone=zone, country="GB", week_start=1, version=2))
    with firm.world.uow(firm.id, staff=firm.ada) as uow:
        assert today_of(uow) == uow.now.astimezone(ZoneInfo(zone)).date()
    assert firm.api.get("/board").json["today"] == datetime.now(ZoneInfo(zone)).date().isoformat()


def test_holidays_are_those_of_the_firm_s_country_and_region(firm: Any) -> None:
    content = {"tasks": [{"key": "a", "title": "A", "due": {"anchor": "job_start", "roll": "next"}}]}
    template = firm.publish(content, name="Rolled")

    def due(start: str) -> str:
        body = {"client_id": str(firm.client), "starts_on": start}
        return firm.api.post(f"/templates/{template}/preview", body).expect(200).json["tasks"][0]["due_on"]

    assert due("2026-12-25") == "2026-12-29"  # Boxing Day is observed on the Monday
    scotland = FirmUpdated(
        firm_id=str(firm.id), name="F", time_zone="Europe/London", country="GB", holidays_region="SCT", version=2
    )
    firm.deliver(scotland)
    assert due("2027-01-01") == "2027-01-05"  # the Scots keep the second of January too
