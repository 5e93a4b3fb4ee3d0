"""What is past its keeping is cleared away; what is not stays, whoever asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from workflow.automations.rules import KEPT
from workflow.keeping.usecases import EVERY, clear

TELL = {"do": "notify", "who": [{"responsible": "job_owner"}], "text": "{job}"}
GROWING = ("happenings", "automation_runs", "runs", "run_items")


def counted(firm: Any) -> dict[str, int]:
    with firm.world.uow(firm.id) as uow:
        return {t: uow.session.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in GROWING}


def age(firm: Any, days: float, which: str = "TRUE") -> None:
    """Days pass for what is there."""
    engine = create_engine(firm.world.runtime.settings.owner_database_url)
    past = {"firm": firm.id, "by": timedelta(days=days)}
    with engine.begin() as connection:
        for table in ("happenings", "automation_runs"):
            connection.execute(text(f"UPDATE {table} SET at = at - :by WHERE firm_id = :firm AND {which}"), past)
        statement = f"UPDATE runs SET created_at = created_at - :by, finished_at = finished_at - :by WHERE firm_id = :firm AND {which}"
        connection.execute(text(statement), past)
    engine.dispose()


@pytest.fixture
def busy(firm: Any) -> Any:
    """Two jobs made at once, each with what an automation made of it."""
    firm.api.post("/automations", {"name": "A", "trigger": {"on": "job_made"}, "actions": [TELL]}).expect(201)
    template = firm.publish({"tasks": [{"key": "a", "title": "A"}]}, name="Small")
    clients = [{"client_id": str(firm.client)}, {"client_id": str(firm.client_named("Jones Ltd"))}]
    firm.api.post(f"/templates/{template}/apply", {"clients": clients}).expect(202)
    firm.world.run_due(firm.id)
    assert counted(firm) == {"happenings": 2, "automation_runs": 2, "runs": 1, "run_items": 2}
    return firm


def test_what_is_older_than_a_year_is_cleared_in_the_week_after(busy: Any) -> None:
    before = counted(busy)
    age(busy, KEPT.days - 1)
    busy.world.run_due(busy.id, at=datetime.now(UTC) + EVERY + timedelta(days=1))
    assert counted(busy) == before
    assert len(busy.api.get("/automation-runs").expect(200).json["items"]) == 2
    age(busy, 2)
    busy.world.run_due(busy.id, at=datetime.now(UTC) + 2 * EVERY + timedelta(days=1))
    assert counted(busy) == dict.fromkeys(GROWING, 0)
    assert busy.api.get("/automation-runs").expect(200).json["items"] == []
    assert busy.api.get("/runs").expect(200).json["items"] == []
    assert len(busy.api.get("/jobs").expect(200).json["items"]) == 2


def test_what_is_more_than_can_be_cleared_at_once_is_gone_on_with_at_once(busy: Any) -> None:
    age(busy, KEPT.days + 1)
    with busy.world.uow(busy.id) as uow:
        clear(uow, "2026-01-01", at_once=1)
    assert (counted(busy)["happenings"], counted(busy)["automation_runs"]) == (1, 1)
    busy.world.run_due(busy.id)
    assert (counted(busy)["happenings"], counted(busy)["automation_runs"]) == (0, 0)


def test_another_firm_s_and_an_unfinished_run_stay(busy: Any) -> None:
    age(busy, KEPT.days + 1)
    with busy.world.uow(busy.world.firm()) as uow:
        clear(uow, "2026-01-01")
    engine = create_engine(busy.world.runtime.settings.owner_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET finished_at = NULL WHERE firm_id = :firm"), {"firm": busy.id})
    engine.dispose()
    with busy.world.uow(busy.id) as uow:
        clear(uow, "2026-01-01")
    assert counted(busy) == {"happenings": 0, "automation_runs": 0, "runs": 1, "run_items": 2}


@pytest.mark.parametrize("table", ["happenings", "automation_runs"])
def test_what_automations_saw_and_did_can_neither_be_changed_nor_taken_away_before_its_time(
    busy: Any, table: str
) -> None:
    with busy.world.uow(busy.id) as uow:
        assert uow.session.execute(text(f"DELETE FROM {table}")).rowcount == 0
    with pytest.raises(ProgrammingError), busy.world.uow(busy.id) as uow:
        uow.session.execute(text(f"UPDATE {table} SET kind = 'x'"))
    assert counted(busy)[table] == 2


def test_a_request_long_overdue_is_not_found_anew_when_its_happening_was_cleared(
    firm: Any, vat: dict[str, Any]
) -> None:
    body = {"name": "Late", "trigger": {"on": "request_overdue"}, "actions": [TELL]}
    firm.api.post("/automations", body).expect(201)
    job = firm.apply(firm.publish(vat))
    days = datetime.now(UTC).date() - KEPT - timedelta(days=40)
    request = firm.request(job)["id"]
    firm.api.post(f"/requests/{request}/due_date", {"due_on": str(days), "reason": "r"}).expect(200)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(days=2))
    with firm.world.uow(firm.id) as uow:
        found = uow.session.execute(text("SELECT count(*) FROM happenings WHERE kind = 'request_overdue'")).scalar_one()
    assert found == 0
