"""Schedules: jobs that come by themselves, each once, and what people can do with what is to come."""

import os
import signal
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.due import Timers
from chassis.testing import eventually
from workflow.dates.rules import add_months

TODAY = datetime.now(UTC).date()
THIS_QUARTER = date(TODAY.year, TODAY.month - (TODAY.month - 1) % 3, 1)
QUARTERS = {"kind": "months", "every": 3}


@pytest.fixture
def template(firm: Any, vat: dict[str, Any]) -> str:
    return firm.publish(vat)


def body(firm: Any, template: str, *clients: UUID, **more: Any) -> dict[str, Any]:
    named = [{"client_id": str(client)} for client in clients or (firm.client,)]
    return {"template_id": template, "clients": named, "rule": QUARTERS, "starts_on": str(THIS_QUARTER)} | more


def schedule(firm: Any, template: str, **more: Any) -> dict[str, Any]:
    made = firm.api.post("/schedules", body(firm, template, **more)).expect(201).json["items"][0]
    assert made["error"] is None, made
    return made["schedule"]


def instant(day: date | str) -> datetime:
    """Noon of a day: the day has begun everywhere in Europe."""
    return datetime.combine(date.fromisoformat(str(day)), datetime.min.time(), UTC) + timedelta(hours=12)


def titles(firm: Any) -> list[str]:
    jobs = firm.api.get("/jobs?closed=any&limit=200&sort=-created_at").expect(200).json["items"]
    return sorted(job["title"] for job in jobs)


def periods(firm: Any, made: dict[str, Any]) -> dict[str, str]:
    found = firm.api.get(f"/schedules/{made['id']}/periods?limit=200").expect(200).json["items"]
    return {p["period_start"]: p["status"] for p in found}


def test_a_job_comes_on_its_day_for_its_period_whether_or_not_the_last_is_done(firm: Any, template: str) -> None:
    made = schedule(firm, template, create={"days": 21, "before": "period_end"})
    ends = add_months(THIS_QUARTER, 3) - timedelta(days=1)
    assert made["next_creation_on"] == str(ends - timedelta(days=21))
    assert made["says"].startswith("every 3 months from")
    firm.world.run_due(firm.id, at=instant(ends - timedelta(days=23)))
    assert titles(firm) == []
    firm.world.run_due(firm.id, at=instant(ends - timedelta(days=21)))
    assert len(titles(firm)) == 1
    firm.world.run_due(firm.id, at=instant(ends + timedelta(days=120)))
    assert len(titles(firm)) == 2
    first = firm.api.get("/jobs?closed=any&sort=due_on").json["items"][0]
    assert (first["period_start"], first["period_end"]) == (str(THIS_QUARTER), str(ends))
    assert first["title"] == f"VAT return, Q{(THIS_QUARTER.month + 2) // 3} {THIS_QUARTER.year}"
    assert list(periods(firm, made).values()) == ["made", "made"]


def test_the_next_24_can_be_seen_before_and_after_setting_up(firm: Any, template: str) -> None:
    asked = {"template_id": template, "client_id": str(firm.client), "rule": QUARTERS, "starts_on": "2026-01-01"}
    shown = firm.api.post("/schedules/preview", asked).expect(200).json
    assert len(shown["items"]) == 24
    assert [i["name"] for i in shown["items"][:5]] == ["Q1 2026", "Q2 2026", "Q3 2026", "Q4 2026", "Q1 2027"]
    assert [i["statutory_due_on"] for i in shown["items"][:4]] == [
        "2026-05-07",
        "2026-08-07",
        "2026-11-07",
        "2027-02-07",
    ]
    assert shown["items"][2]["title"] == "VAT return, Q3 2026"
    assert titles(firm) == []
    made = schedule(firm, template)
    following = firm.api.get(f"/schedules/{made['id']}/occurrences").expect(200).json["items"]
    assert len(following) == 24
    assert following[0]["period_start"] == str(THIS_QUARTER)
    skipped = following[2]["period_start"]
    firm.api.post(f"/schedules/{made['id']}/periods", {"period_start": skipped, "decision": "skip"}).expect(200)
    again = firm.api.get(f"/schedules/{made['id']}/occurrences?count=3").expect(200).json["items"]
    assert [i["skipped"] for i in again] == [False, False, True]


def test_as_firms_say_it_the_job_starts_on_the_named_day(firm: Any) -> None:
    pay = {"anchor": "job_start"}
    template = firm.publish(
        {"title": "Payroll, {period}", "tasks": [{"key": "pay", "title": "Pay", "due": pay}]}, name="Payroll"
    )
    rule = {"kind": "business_day_of_month", "nth": -1}
    month = TODAY.replace(day=1)
    made = schedule(firm, template, rule=rule, starts_on=str(month), create={"days": 40, "before": "day"})
    firm.world.run_due(firm.id, at=datetime.now(UTC))
    found = firm.api.get(f"/schedules/{made['id']}/periods").expect(200).json["items"]
    now = next(p for p in found if p["period_start"] == str(month))
    assert firm.job(now["job"]["id"])["tasks"][0]["due_on"] == now["day"]
    assert now["job"]["title"] == f"Payroll, {now['name']}"
    assert made["says"] == "the last business day of every month"


def test_missed_periods_are_made_or_skipped_as_it_is_said_and_never_silently(firm: Any, template: str) -> None:
    begins = add_months(THIS_QUARTER, -6)
    refused = firm.api.post("/schedules", body(firm, template, starts_on=str(begins))).problem(422, "missed_periods")
    assert refused.json["count"] == 2
    assert firm.api.get("/schedules").json["items"] == []
    jones = firm.client_named("Jones Ltd")
    skipping = firm.api.post("/schedules", body(firm, template, starts_on=str(begins), missed="skip")).expect(201)
    firm.world.run_due(firm.id)
    made = skipping.json["items"][0]["schedule"]
    # The period that is under way is made at once.
    assert sorted(periods(firm, made).values()) == ["made", "skipped", "skipped"]
    firm.api.post("/schedules", body(firm, template, jones, starts_on=str(begins), missed="make")).expect(201)
    firm.world.run_due(firm.id)
    assert len(titles(firm)) == 4
    # One that was skipped is made up for, once.
    path = f"/schedules/{made['id']}/periods"
    done = firm.api.post(path, {"period_start": str(begins), "decision": "make"}).expect(200).json
    assert (done["status"], done["by"]) == ("made", "Test")
    firm.api.post(path, {"period_start": str(begins), "decision": "make"}).problem(409, "period_already_made")
    firm.api.post(path, {"period_start": str(begins), "decision": "skip"}).problem(409, "period_already_made")


def test_a_job_made_by_hand_counts_as_the_period_s(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    ends = add_months(THIS_QUARTER, 3) - timedelta(days=1)
    job = firm.apply(template, period_start=str(THIS_QUARTER), period_end=str(ends))
    firm.world.run_due(firm.id)
    found = firm.api.get(f"/schedules/{made['id']}/periods").json["items"]
    assert [(p["status"], p["job"]["id"]) for p in found] == [("made", job["id"])]
    assert len(titles(firm)) == 1


def test_what_can_t_be_made_is_told_and_the_series_goes_on(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    firm.client_named("Smith Ltd", id=firm.client, version=2, status="former")
    firm.world.run_due(firm.id)
    found = firm.api.get(f"/schedules/{made['id']}/periods").json["items"]
    assert [(p["status"], p["code"]) for p in found] == [("refused", "client_former")]
    shown = firm.api.get(f"/schedules/{made['id']}").expect(200).json
    assert shown["next_period_start"] == str(add_months(THIS_QUARTER, 3))
    firm.client_named("Smith Ltd", id=firm.client, version=3)
    decision = {"period_start": str(THIS_QUARTER), "decision": "make"}
    firm.api.post(f"/schedules/{made['id']}/periods", decision).expect(200)
    assert len(titles(firm)) == 1


def test_two_workers_at_once_make_each_period_once(firm: Any, template: str) -> None:
    clients = [firm.client_named(f"Client {i}") for i in range(12)]
    firm.api.post("/schedules", body(firm, template, *clients)).expect(201)
    until = instant(add_months(THIS_QUARTER, 10))

    def work() -> None:
        Timers(firm.world.runtime).run_due(now=until, firm_id=firm.id)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    work()
    with firm.world.uow(firm.id) as uow:
        found = uow.session.execute(text("SELECT client_id, period_start, count(*) AS n FROM jobs GROUP BY 1, 2")).all()
    assert len(found) == 12 * 4
    assert {row.n for row in found} == {1}


def test_the_same_turn_told_twice_makes_nothing_twice(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    fire = firm.world.service.timers["schedule"]
    for _ in range(2):
        with firm.world.uow(firm.id) as uow:
            fire(uow, made["id"], str(THIS_QUARTER))
    assert len(titles(firm)) == 1


def test_a_worker_killed_in_the_middle_leaves_every_period_made_once(firm: Any, template: str, worker: Any) -> None:
    clients = [firm.client_named(f"Client {i}") for i in range(60)]
    firm.api.post("/schedules", body(firm, template, *clients)).expect(201)

    def made() -> int:
        with firm.world.uow(firm.id) as uow:
            return int(uow.session.execute(text("SELECT count(*) FROM jobs")).scalar_one())

    with worker() as first, worker():
        eventually(lambda: made() >= 5)
        os.kill(first.pid, signal.SIGKILL)
        assert 5 <= made() < 60
        eventually(lambda: made() >= 59)
    # What the killed one had claimed is taken up when its claim has run out: two minutes, or now for this test's clock.
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(minutes=5))
    with firm.world.uow(firm.id) as uow:
        per_client = uow.session.execute(text("SELECT client_id, count(*) AS n FROM jobs GROUP BY 1")).all()
        outcomes = uow.session.execute(text("SELECT count(*) FROM schedule_periods WHERE status = 'made'")).scalar_one()
    assert {row.n for row in per_client} == {1}
    assert (len(per_client), outcomes) == (60, 60)


def test_paused_it_makes_nothing_and_goes_on_as_it_is_said(firm: Any, template: str) -> None:
    made = schedule(firm, template, starts_on=str(add_months(THIS_QUARTER, -6)), missed="make")
    path = f"/schedules/{made['id']}"
    paused = firm.api.patch(path, {"status": "paused"}, if_match=made["version"]).expect(200)
    firm.world.run_due(firm.id, at=instant(add_months(THIS_QUARTER, 1)))
    assert titles(firm) == []
    firm.api.patch(path, {"status": "active"}, if_match=made["version"]).problem(412, "version_conflict")
    firm.api.patch(path, {"status": "active"}, if_match=paused.etag).problem(422, "missed_periods")
    firm.api.patch(path, {"status": "active", "missed": "skip"}, if_match=paused.etag).expect(200)
    firm.world.run_due(firm.id)
    assert sorted(periods(firm, made).values()) == ["made", "skipped", "skipped"]
    ended = firm.api.patch(path, {"status": "ended"}, if_match=firm.api.get(path).etag).expect(200)
    firm.world.run_due(firm.id, at=instant(add_months(THIS_QUARTER, 12)))
    assert len(titles(firm)) == 1
    firm.api.patch(path, {"status": "active"}, if_match=ended.etag).problem(409, "schedule_ended")


def test_another_rule_holds_from_behind_what_was_made(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    firm.world.run_due(firm.id)
    path, following = f"/schedules/{made['id']}", add_months(THIS_QUARTER, 3)
    etag = firm.api.get(path).etag
    monthly = {"rule": {"kind": "months", "every": 1}}
    early = monthly | {"starts_on": str(THIS_QUARTER + timedelta(days=3)), "missed": "make"}
    firm.api.patch(path, early, if_match=etag).problem(409, "period_overlaps")
    changed = firm.api.patch(path, monthly, if_match=etag).expect(200).json
    assert (changed["starts_on"], changed["next_period_start"]) == (str(following), str(following))
    firm.world.run_due(firm.id, at=instant(add_months(following, 1)))
    assert sorted(periods(firm, made)) == [
        str(THIS_QUARTER),
        str(following),
        str(add_months(following, 1)),
    ]


def test_people_change_from_now_on_and_if_asked_in_jobs_that_nobody_has_begun(firm: Any, template: str) -> None:
    made = schedule(firm, template, people=[{"role": "preparer", "staff_id": str(firm.ben)}])
    firm.world.run_due(firm.id)
    path = f"/schedules/{made['id']}"
    job = firm.api.get("/jobs?closed=any").json["items"][0]
    assert firm.task(job, "prepare")["owner"]["name"] == "Ben"
    to_eve = {"people": [{"role": "preparer", "staff_id": str(firm.eve)}], "owner_id": str(firm.eve)}
    shown = firm.api.patch(path, to_eve, if_match=firm.api.get(path).etag).expect(200)
    assert firm.task(job, "prepare")["owner"]["name"] == "Ben"
    firm.api.patch(path, to_eve | {"also_open_jobs": True}, if_match=shown.etag).expect(200)
    assert firm.task(job, "prepare")["owner"]["name"] == "Eve"
    assert firm.job(job["id"])["owner"]["name"] == "Eve"
    firm.world.run_due(firm.id, at=instant(add_months(THIS_QUARTER, 3)))
    second = next(j for j in firm.api.get("/jobs?closed=any").json["items"] if j["id"] != job["id"])
    assert firm.task(second, "prepare")["owner"]["name"] == "Eve"


def test_who_has_left_the_firm_holds_nothing_up(firm: Any, template: str) -> None:
    made = schedule(firm, template, people=[{"role": "preparer", "staff_id": str(firm.ben)}])
    firm.staff("Ben", id=firm.ben, active=False, version=2)
    firm.world.run_due(firm.id)
    assert list(periods(firm, made).values()) == ["made"]


def test_an_extension_does_not_shift_the_series(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    firm.world.run_due(firm.id)
    job = firm.api.get("/jobs?closed=any").json["items"][0]
    move = {"which": "extended", "due_on": str(add_months(THIS_QUARTER, 9)), "reason": "extension granted"}
    firm.api.post(f"/jobs/{job['id']}/due_date", move).expect(200)
    following = firm.api.get(f"/schedules/{made['id']}/occurrences?count=2").json["items"]
    assert [i["period_start"] for i in following] == [str(add_months(THIS_QUARTER, n)) for n in (3, 6)]


def test_each_client_is_told_apart(firm: Any, template: str) -> None:
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    former = firm.client_named("Former Ltd", status="former")
    schedule(firm, template)
    found = firm.api.post("/schedules", body(firm, template, firm.client, hidden, former, new_id())).expect(201)
    codes = [item["error"]["code"] for item in found.json["items"]]
    assert codes == ["schedule_exists", "client_not_found", "client_former", "client_not_found"]
    eve = firm.as_(firm.eve)
    secret = eve.post("/schedules", body(firm, template, hidden)).expect(201).json["items"][0]["schedule"]
    assert len(eve.get("/schedules").json["items"]) == 2
    assert len(firm.api.get("/schedules").json["items"]) == 1
    for path in ("", "/periods", "/occurrences"):
        firm.api.get(f"/schedules/{secret['id']}{path}").problem(404, "schedule_not_found")
    firm.api.patch(f"/schedules/{secret['id']}", {"status": "paused"}, if_match=1).problem(404, "schedule_not_found")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"rule": {"kind": "rrule", "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}}, "schedule_never_fires"),
        ({"rule": {"kind": "rrule", "rrule": "FREQ=SECONDLY"}}, "rrule_invalid"),
        ({"ends_on": "2000-01-01"}, "schedule_never_fires"),
        ({"starts_on": "1899-12-31"}, "date_out_of_range"),
        ({"starts_on": "1901-01-01"}, "missed_periods"),
        ({"people": [{"role": "magician", "staff_id": "{ben}"}]}, "unknown_role"),
        ({"owner_id": str(new_id())}, "unknown_staff"),
    ],
)
def test_bad_schedules_are_refused_and_nothing_is_planned(
    firm: Any, template: str, more: dict[str, Any], code: str
) -> None:
    if "people" in more:
        more = {"people": [{"role": "magician", "staff_id": str(firm.ben)}]}
    firm.api.post("/schedules", body(firm, template, **more)).problem(422, code)
    assert firm.api.get("/schedules").json["items"] == []
    assert [row for row in firm.world.due(firm.id) if row.kind == "schedule"] == []


def test_a_period_that_is_not_in_the_schedule_is_refused(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    decision = {"period_start": str(THIS_QUARTER + timedelta(days=1)), "decision": "make"}
    firm.api.post(f"/schedules/{made['id']}/periods", decision).problem(422, "period_not_in_schedule")
    assert titles(firm) == []


def test_a_period_has_one_outcome_and_what_is_asked_twice_says_so(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    path, start = f"/schedules/{made['id']}/periods", {"period_start": str(THIS_QUARTER)}
    firm.api.post(path, start | {"decision": "skip"}).expect(200)
    firm.api.post(path, start | {"decision": "skip"}).problem(409, "period_already_skipped")
    job = firm.api.post(path, start | {"decision": "make"}).expect(200).json["job"]
    again = firm.api.post(path, start | {"decision": "make"}).problem(409, "period_already_made").json
    assert again["job_id"] == job["id"]
    firm.api.post(path, start | {"decision": "skip"}).problem(409, "period_already_made")
    assert len(titles(firm)) == 1


def test_another_first_day_needs_its_rule(firm: Any, template: str) -> None:
    made = schedule(firm, template)
    body = {"starts_on": "2099-01-01"}
    firm.api.patch(f"/schedules/{made['id']}", body, if_match=made["version"]).problem(422, "rule_missing")
    assert firm.api.get(f"/schedules/{made['id']}").json["version"] == made["version"]
