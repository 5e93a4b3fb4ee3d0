"""Reports: the same figures as the lists, by whom and when, and nothing of private clients for strangers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from praxis.identity.v1.events_pb2 import FirmUpdated


def day(offset: int) -> str:
    return (date.today() + timedelta(days=offset)).isoformat()  # noqa: DTZ011 (as in test_board)


def job(firm: Any, title: str, due: int | None = None, *, client: Any = None, owner: Any = None, **task: Any) -> Any:
    body = {
        "client_id": str(client or firm.client), "title": title, "internal_due_on": day(due) if due is not None else None,
        "owner_id": str(owner or firm.ada), "service": "vat",
    }  # fmt: skip
    made = firm.api.post("/jobs", body).expect(201).json
    task = {"title": "Work", "budget_minutes": 60, "owner_id": str(owner or firm.ada)} | task
    return firm.api.post(f"/jobs/{made['id']}/tasks", task).expect(201).json


def done(firm: Any, made: Any, *, closed: int, started: int, client_days: int = 0, due: int | None = None) -> None:
    """Done so many days ago, begun so many days ago, after lying with the client for so many."""
    firm.api.post(f"/tasks/{made['tasks'][0]['id']}/done").expect(200)
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(
            text(
                "UPDATE jobs SET closed_at = :closed, created_at = :begun, starts_on = :started, client_seconds = :waited, internal_due = :due WHERE id = :id"
            ),
            {
                "closed": datetime.now(UTC) - timedelta(days=closed), "begun": datetime.now(UTC) - timedelta(days=started),
                "started": day(-started), "waited": client_days * 86400, "due": day(due) if due is not None else None, "id": made["id"],
            },
        )  # fmt: skip
        uow.keep()


def report(api: Any, name: str, **params: Any) -> dict[str, Any]:
    return api.get(f"/reports/{name}", params=params).expect(200).json


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["group"]["name"]: row for row in found["items"]}


# --- standing --------------------------------------------------------------------------------------------------------


def test_open_work_stands_as_the_lists_say_for_each_owner_client_and_template(firm: Any, vat: dict[str, Any]) -> None:
    other = firm.client_named("Jones")
    job(firm, "Late", -2, owner=firm.ben)
    job(firm, "Soon", 10)
    job(firm, "Theirs", 10, client=other, owner=firm.ben)
    firm.apply(firm.publish(vat))  # overdue since November 2026, and with the client
    found = report(firm.api, "standing", by="owner")
    assert {k: v for k, v in found["total"].items() if k in ("jobs", "on_track", "overdue", "overdue_with_client")} == {
        "jobs": 4, "on_track": 2, "overdue": 2, "overdue_with_client": 1,
    }  # fmt: skip
    counts = firm.api.get("/jobs/counts").json
    assert all(found["total"][name] == counts[name] for name in counts if name != "total")
    by_owner = rows(found)
    assert (by_owner["Ben"]["overdue"], by_owner["Ben"]["on_track"], by_owner["Ada"]["jobs"]) == (1, 1, 2)
    assert rows(report(firm.api, "standing", by="client"))["Jones"]["jobs"] == 1
    assert rows(report(firm.api, "standing", by="template"))["VAT return"]["budget_minutes"] == 165
    assert rows(report(firm.api, "standing", by="service"))["vat"]["jobs"] == 4
    assert rows(report(firm.api, "standing", by="period"))["2026-09"]["jobs"] == 1


def test_a_report_is_paged_and_exported(firm: Any) -> None:
    for n in range(5):
        job(firm, "Job", 5, client=firm.client_named(f"Client {n}"))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        found = report(firm.api, "standing", by="client", limit=2, **cursor)
        assert found["total"]["jobs"] == 5
        seen += [row["group"]["name"] for row in found["items"]]
        if found["next_cursor"] is None:
            break
        cursor = {"cursor": found["next_cursor"]}
    assert sorted(seen) == [f"Client {n}" for n in range(5)]
    sheet = firm.api.get("/reports/standing", params={"by": "client"}, headers={"accept": "text/csv"}).expect(200)
    header, *lines = sheet.response.text.strip().splitlines()
    assert header.startswith("group.key,group.name,")
    assert len(lines) == 5


# --- workload --------------------------------------------------------------------------------------------------------


def test_workload_counts_open_tasks_by_when_they_are_due(firm: Any) -> None:
    job(firm, "A", owner=firm.ben, due_on=day(-1))
    job(firm, "B", owner=firm.ben, due_on=day(60), budget_minutes=90)
    job(firm, "C", owner=firm.ben)
    finished = job(firm, "D", owner=firm.ben, due_on=day(1))
    firm.api.post(f"/tasks/{finished['tasks'][0]['id']}/done").expect(200)
    ben = rows(report(firm.api, "workload"))["Ben"]
    assert (ben["tasks"], ben["minutes"]) == (3, 210)
    assert (ben["overdue"], ben["later"], ben["undated"]) == (
        {"tasks": 1, "minutes": 60}, {"tasks": 1, "minutes": 90}, {"tasks": 1, "minutes": 60},
    )  # fmt: skip
    assert rows(report(firm.api, "workload", by="client"))["Smith Ltd"]["tasks"] == 3


def test_workload_by_client_is_the_same_work_as_by_owner(firm: Any) -> None:
    made = job(firm, "Tasks of two people on one day, in two spans and without a date", due_on=day(60))
    for owner, due in ((firm.ada, 60), (firm.ada, -3), (firm.ben, 60), (firm.ben, None)):
        task = {"title": "More", "budget_minutes": 30, "due_on": day(due) if due else None, "owner_id": str(owner)}
        firm.api.post(f"/jobs/{made['id']}/tasks", task).expect(201)
    by_owner, by_client = (report(firm.api, "workload", by=by)["total"] for by in ("owner", "client"))
    assert by_client == by_owner
    assert (by_client["tasks"], by_client["minutes"]) == (5, 180)
    assert {span: by_client[span]["tasks"] for span in ("overdue", "later", "undated")} == {
        "overdue": 1,
        "later": 3,
        "undated": 1,
    }


# --- delivery --------------------------------------------------------------------------------------------------------


def test_delivery_tells_how_long_it_took_and_because_of_whom_it_was_late(firm: Any) -> None:
    done(firm, job(firm, "In time"), closed=5, started=15, due=-5)
    done(firm, job(firm, "Ours"), closed=5, started=25, due=-9, client_days=1)
    done(firm, job(firm, "Theirs"), closed=5, started=35, due=-9, client_days=6)
    done(firm, job(firm, "Whenever"), closed=5, started=5)
    done(firm, job(firm, "Long ago"), closed=200, started=220)
    cancelled = job(firm, "Dropped")
    firm.api.post(f"/jobs/{cancelled['id']}/cancel", {"reason": "?"}).expect(200)
    found = report(firm.api, "delivery", by="service")
    assert found["total"] == {k: v for k, v in rows(found)["vat"].items() if k != "group"}
    assert found["total"] == {
        "made": 5, "done": 4, "in_time": 1, "late": 2, "late_ours": 1, "late_client": 1, "without_deadline": 1,
        "cycle_days": 15.0, "cycle_days_median": 15.0, "cycle_days_90": 27.0, "client_days": 1.8, "late_days": 4.0,
    }  # fmt: skip
    assert rows(report(firm.api, "delivery", by="owner"))["Ada"]["late"] == 2
    assert rows(report(firm.api, "delivery", by="client"))["Smith Ltd"]["late_client"] == 1
    by_month = report(firm.api, "delivery", by="month", first_day=day(-230))
    assert sum(row["done"] for row in by_month["items"]) == by_month["total"]["done"] == 5
    assert all(row["group"]["key"].endswith("-01") for row in by_month["items"])
    keys = [row["group"]["key"] for row in report(firm.api, "delivery", by="week", first_day=day(-230))["items"]]
    assert keys == sorted(keys, reverse=True)
    assert all(date.fromisoformat(key).weekday() == 0 for key in keys)


@pytest.mark.parametrize(
    ("closed", "month", "late"),
    [
        ("2026-03-31 10:59:59+00", "2026-03-01", 0),  # Auckland is 13 hours ahead until the first Sunday of April,
        ("2026-03-31 11:00:00+00", "2026-04-01", 1),
        ("2026-04-30 11:59:59+00", "2026-04-01", 30),  # and 12 hours then
        ("2026-04-30 12:00:00+00", "2026-05-01", 31),
    ],
)
def test_a_day_is_the_firm_s_own(firm: Any, closed: str, month: str, late: int) -> None:
    firm.deliver(FirmUpdated(firm_id=str(firm.id), time_zone="Pacific/Auckland", country="NZ", version=2))
    made = job(firm, "Done")
    firm.api.post(f"/tasks/{made['tasks'][0]['id']}/done").expect(200)
    with firm.world.uow(firm.id) as uow:
        when = {"closed": closed, "id": made["id"]}
        uow.session.execute(
            text(
                "UPDATE jobs SET closed_at = :closed, created_at = :closed, internal_due = '2026-03-31' WHERE id = :id"
            ),
            when,
        )
        uow.keep()
    (row,) = report(firm.api, "delivery", by="month", first_day="2026-03-01", last_day="2026-05-01")["items"]
    assert row["group"]["key"] == month
    assert (row["made"], row["done"], row["late_days"]) == (1, 1, late or None)


def test_a_report_without_anything_says_nothing(firm: Any) -> None:
    stranger = firm.world.api(firm.world.firm())
    found = report(stranger, "delivery")
    assert (found["items"], found["total"]["done"], found["total"]["cycle_days"]) == ([], 0, None)
    assert report(stranger, "standing")["total"]["jobs"] == 0


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"first_day": "2026-02-01", "last_day": "2026-01-01"}, 422, "span_invalid"),
        ({"first_day": "1999-01-01"}, 422, "span_too_long"),
        ({"last_day": "0001-01-01"}, 422, "date_out_of_range"),
        ({"by": "mood"}, 400, "request_invalid"),
        ({"cursor": "nonsense"}, 400, "cursor_invalid"),
    ],
)
def test_a_span_that_is_none_is_refused(firm: Any, params: dict[str, str], status: int, code: str) -> None:
    firm.api.get("/reports/delivery", params=params).problem(status, code)


def test_reports_are_for_those_who_may_see_the_firm_at_a_glance(firm: Any) -> None:
    staff = firm.as_(firm.ben, permissions=["workflow:jobs:read"])
    for name in ("standing", "workload", "delivery"):
        staff.get(f"/reports/{name}").problem(403, "permission_missing")


# --- private clients -------------------------------------------------------------------------------------------------


def test_a_private_client_is_in_no_figure_for_those_not_named(firm: Any) -> None:
    secret = firm.client_named("Secret GmbH", visible_to=[firm.ada])
    job(firm, "Open", 5)
    job(firm, "Hush", -5, client=secret)
    done(firm, job(firm, "Hush too", client=secret), closed=5, started=10)
    for named, api in (
        (True, firm.api),
        (False, firm.as_(firm.ben)),
        (False, firm.world.api(firm.id, audience="partner")),
    ):
        for by in ("owner", "client", "service"):
            standing = report(api, "standing", by=by)
            assert standing["total"]["jobs"] == sum(row["jobs"] for row in standing["items"]) == (2 if named else 1)
            delivery = report(api, "delivery", by=by)
            assert (delivery["total"]["made"], delivery["total"]["done"]) == ((3, 1) if named else (1, 0))
        for by in ("owner", "client"):
            workload = report(api, "workload", by=by)
            assert workload["total"]["tasks"] == sum(row["tasks"] for row in workload["items"]) == (2 if named else 1)
        assert ("Secret GmbH" in rows(report(api, "standing", by="client"))) is named
