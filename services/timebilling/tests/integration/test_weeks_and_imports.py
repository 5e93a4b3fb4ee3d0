"""The week grid, copying a week, typed lines, and time from other programs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.db import new_id
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged


def monday(firm: Any) -> Any:
    """A week that is over."""
    return firm.today - timedelta(days=firm.today.weekday() + 14)


def week(firm: Any, first: Any = None, api: Any = None) -> Any:
    return (api or firm.staff).get(f"/weeks/{first or monday(firm)}").expect(200)


def cell(firm: Any, day: int, seconds: int, **more: Any) -> dict[str, Any]:
    on = str(monday(firm) + timedelta(days=day))
    return {"job_id": str(firm.job), "billable": True, "day": on, "seconds": seconds, **more}


def put(firm: Any, *cells: dict[str, Any], if_match: Any = None, api: Any = None, **more: Any) -> Any:
    etag = if_match or week(firm, api=api).etag
    return (api or firm.staff).put(f"/weeks/{monday(firm)}", {"cells": list(cells), **more}, if_match=etag)


def entries(firm: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = firm.partner.get("/time-entries").expect(200).json["items"]
    return found


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_a_week_is_put_as_a_grid(firm: Any) -> None:
    other = firm.add_job(title="Payroll")
    shown = put(
        firm,
        cell(firm, 0, 3600, narrative="Ledgers"),
        cell(firm, 1, 7200),
        cell(firm, 1, 1800, job_id=str(other), billable=False),
    ).expect(200)
    assert [(r["job_title"], r["billable"], r["seconds"]) for r in shown.json["rows"]] == [
        ("Payroll", False, 1800),
        ("VAT return Q3", True, 10800),
    ]
    assert shown.json["day_seconds"] == [3600, 9000, 0, 0, 0, 0, 0]
    assert week(firm).json == shown.json
    assert week(firm).etag == shown.etag
    changed = put(firm, cell(firm, 0, 0), cell(firm, 1, 5400)).expect(200).json
    assert changed["day_seconds"] == [0, 7200, 0, 0, 0, 0, 0]
    assert sorted(e["seconds"] for e in entries(firm)) == [1800, 5400]
    firm.holds()


def test_a_cell_of_several_entries_gives_or_takes_the_difference(firm: Any) -> None:
    day = str(monday(firm))
    firm.log(3600, day=day, narrative="first")
    firm.log(1800, day=day, narrative="second")
    put(firm, cell(firm, 0, 6000)).expect(200)
    assert sorted((e["narrative"], e["seconds"]) for e in entries(firm)) == [("first", 3600), ("second", 2400)]
    put(firm, cell(firm, 0, 0)).expect(200)
    assert entries(firm) == []


def test_a_bad_cell_leaves_the_whole_week_as_it_was(firm: Any) -> None:
    firm.rate()
    firm.approved(60, day=str(monday(firm) + timedelta(days=2)))
    before = week(firm).json
    problem = put(
        firm,
        cell(firm, 0, 3600),
        cell(firm, 1, 90_000),
        cell(firm, 2, 120),
        cell(firm, 8, 60),
        cell(firm, 0, 60),
        cell(firm, 3, 60, activity_id=str(new_id())),
        cell(firm, 4, -1),
    ).problem(422, "week_refused")
    assert [(e["pointer"], e["code"]) for e in problem.json["errors"]] == [
        ("/cells/1", "seconds_out_of_range"),
        ("/cells/2", "entry_approved"),
        ("/cells/3", "day_not_in_week"),
        ("/cells/4", "cell_twice"),
        ("/cells/5", "activity_not_found"),
        ("/cells/6", "seconds_out_of_range"),
    ]
    assert week(firm).json == before
    assert len(firm.world.events(firm.id, TimeEntryChanged)) == 3


def test_a_week_of_more_entries_than_a_grid_shows_is_refused(firm: Any) -> None:
    with firm.world.uow(firm.id) as uow:
        uow.session.execute(
            text(
                "INSERT INTO time_entries (firm_id, id, staff_id, client_id, job_id, day, seconds, billable, narrative, status, created_at, version) "
                "SELECT :firm, uuidv7(), :staff, :client, :job, :day, 60, true, '', 'draft', now(), 1 FROM generate_series(1, 1001)"
            ),
            {"firm": firm.id, "staff": firm.ada, "client": firm.client, "job": firm.job, "day": monday(firm)},
        )
    firm.staff.get(f"/weeks/{monday(firm)}").problem(409, "week_too_full")


def test_a_week_somebody_has_changed_meanwhile_is_not_overwritten(firm: Any) -> None:
    etag = week(firm).etag
    firm.log(60, day=str(monday(firm)))
    put(firm, cell(firm, 0, 3600), if_match=etag).problem(412, "version_conflict")
    firm.staff.put(f"/weeks/{monday(firm)}", {"cells": [cell(firm, 0, 60)]}).problem(428, "if_match_required")
    assert [e["seconds"] for e in entries(firm)] == [60]


def test_a_locked_week_is_put_with_a_reason_by_those_who_may(firm: Any) -> None:
    firm.partner.post("/settings/lock", {"locked_until": firm.day(1)}).expect(200)
    problem = put(firm, cell(firm, 0, 60)).problem(422, "week_refused")
    assert problem.json["errors"][0]["code"] == "period_locked"
    put(firm, cell(firm, 0, 60), api=firm.partner, lock_override_reason="late").expect(200)
    assert len(entries(firm)) == 1


def test_a_week_is_ones_own_unless_one_approves(firm: Any, world: Any) -> None:
    firm.log(60, day=str(monday(firm)))
    path = f"/weeks/{monday(firm)}?staff_id={firm.ada}"
    assert firm.partner.get(path).expect(200).json["seconds"] == 60
    colleague = world.api(firm.id, permissions=["timebilling:time:read", "timebilling:time:write"])
    colleague.get(path).problem(403, "not_your_time")
    assert colleague.get(f"/weeks/{monday(firm)}").json["rows"] == []


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1989-12-31"])
def test_weeks_outside_of_all_time_are_refused(firm: Any, day: str) -> None:
    firm.staff.get(f"/weeks/{day}").problem(422, "day_out_of_range")
    body = {"cells": [cell(firm, 0, 60)]}
    firm.staff.put(f"/weeks/{day}", body, if_match=1).problem(422, "day_out_of_range")
    firm.staff.post(f"/weeks/{day}/copy", {}).problem(422, "day_out_of_range")
    firm.staff.post(f"/weeks/{monday(firm)}/copy", {"from": day}).problem(422, "day_out_of_range")
    firm.staff.get("/weeks/2026-02-30").problem(400, "request_invalid")


# --- copying ----------------------------------------------------------------------------------------------------------


def test_last_week_is_copied_once_however_often(firm: Any) -> None:
    first = monday(firm)
    for day, said in ((0, "Ledgers"), (2, "Review")):
        firm.log(3600 + day, day=str(first + timedelta(days=day)), narrative=said)
    following = first + timedelta(days=7)
    firm.log(60, day=str(following), narrative="Ledgers")
    answer = firm.staff.post(f"/weeks/{following}/copy", {}).expect(200).json
    assert (answer["copied"], [s["code"] for s in answer["skipped"]]) == (1, ["already_there"])
    assert answer["week"]["day_seconds"] == [60, 0, 3602, 0, 0, 0, 0]
    assert firm.staff.post(f"/weeks/{following}/copy", {}).json["copied"] == 0
    firm.partner.post("/settings/lock", {"locked_until": firm.day(1)}).expect(200)
    later = first + timedelta(days=-7)
    answer = firm.staff.post(f"/weeks/{later}/copy", {"from": str(first)}).json
    assert {s["code"] for s in answer["skipped"]} == {"period_locked"}
    assert len(entries(firm)) == 4


# --- typed lines ------------------------------------------------------------------------------------------------------


def quick(firm: Any, text: str, api: Any = None) -> Any:
    return (api or firm.staff).get("/quick-entry", params={"text": text}).expect(200).json


def test_a_typed_line_finds_the_job_and_can_be_logged(firm: Any) -> None:
    firm.add_job(title="Payroll")
    activity = firm.partner.post("/activities", {"name": "Review", "billable": False}).expect(201).json
    said = quick(firm, "1.5 smith vat review")
    assert (said["seconds"], said["day"], said["activity_name"], said["billable"]) == (
        5400,
        str(firm.today),
        "Review",
        False,
    )
    best = said["candidates"][0]
    assert (best["job_title"], best["client_name"], best["narrative"]) == ("VAT return Q3", "Smith Ltd", "review")
    firm.log(said["seconds"], job_id=best["job_id"], day=said["day"], activity_id=activity["id"], narrative="review")
    assert quick(firm, "2h")["candidates"][0]["job_id"] == best["job_id"]
    assert quick(firm, "nothing like it")["candidates"] == []
    assert quick(firm, "100% _ \\")["candidates"] == []
    firm.staff.get("/quick-entry").problem(400, "request_invalid")


def test_a_typed_line_finds_no_private_client_of_others(firm: Any, world: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    firm.add_job(client=secret, title="Secret job")
    assert len(quick(firm, "1 secret", firm.partner)["candidates"]) == 1
    assert quick(firm, "1 secret", world.api(firm.id, staff=new_id()))["candidates"] == []


# --- imports ----------------------------------------------------------------------------------------------------------

HEAD = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,Duration,Tags\n"


def toggl(firm: Any, *rows: tuple[str, ...]) -> str:
    """Rows of (person, client, project, task, text, day, length)."""
    lines = [f"{p},,{c},{j},{t},{x},Yes,{d},09:00:00,{s}," for p, c, j, t, x, d, s in rows]
    return HEAD + "\n".join(lines) + "\n"


def take(firm: Any, text: str, *, api: Any = None, **more: Any) -> Any:
    return (api or firm.partner).post("/time-imports", {"source": "toggl", "csv": text, **more})


def row(firm: Any, **more: str) -> tuple[str, ...]:
    values = {
        "person": "Ada Moss",
        "client": "Smith Ltd",
        "project": "VAT return Q3",
        "task": "",
        "text": "Ledgers",
        "day": firm.day(3),
        "length": "01:30:00",
    }
    return tuple((values | more).values())


def test_a_file_is_imported_after_a_dry_run_and_never_twice(firm: Any, world: Any) -> None:
    activity = firm.partner.post("/activities", {"name": "Review"}).expect(201).json
    text = toggl(
        firm,
        row(firm),
        row(firm),  # the same again, and meant
        row(firm, task="review", text="Q3"),
        row(firm, task="Filing", text="Q3"),
        row(firm, person="Nobody"),
        row(firm, project="Unheard of"),
        row(firm, length="soon"),
        row(firm, day="2126-01-01"),
    )
    seen = take(firm, text, dry_run=True).expect(200).json
    assert entries(firm) == []
    assert (seen["id"], seen["rows"], seen["imported"], seen["refused"], seen["duplicates"]) == (None, 8, 4, 4, 0)
    assert [(e["line"], e["column"], e["code"]) for e in seen["errors"]] == [
        (6, "person", "person_unmatched"),
        (7, "project", "job_unmatched"),
        (8, "length", "duration_invalid"),
        (9, "day", "day_out_of_range"),
    ]
    assert seen["unmatched"] == {"people": ["Nobody"], "jobs": ["Smith Ltd / Unheard of"]}
    done = take(firm, text).expect(200).json
    assert {**done, "id": None} == seen
    found = entries(firm)
    assert sorted(
        (e["narrative"], e["activity_name"], e["seconds"], e["status"]) for e in found if e["activity_id"]
    ) == [("Q3", "Review", 5400, "draft")]
    assert sorted(e["narrative"] for e in found) == ["Filing: Q3", "Ledgers", "Ledgers", "Q3"]
    assert {e["activity_id"] for e in found} == {activity["id"], None}
    assert len(world.events(firm.id, TimeEntryChanged)) == 4
    again = take(firm, text).expect(200).json
    assert (again["id"], again["imported"], again["duplicates"]) == (None, 0, 4)
    assert len(entries(firm)) == 4
    assert [a.action for a in world.audit(firm.id) if a.subject_type == "time_import"] == ["time.imported"]
    mapped = take(
        firm,
        text,
        people=[{"name": "Nobody", "id": str(firm.pat)}],
        jobs=[{"name": "Smith Ltd / Unheard of", "id": str(firm.job)}],
    ).json
    assert (mapped["imported"], mapped["refused"]) == (2, 2)
    assert len(firm.partner.get("/time-imports").expect(200).json["items"]) == 2
    firm.holds()


def test_an_import_is_undone_but_for_what_was_changed_or_handed_in(firm: Any) -> None:
    kept = firm.log(60)
    done = take(firm, toggl(firm, *(row(firm, text=f"n{n}") for n in range(4)))).expect(200).json
    by_text = {e["narrative"]: e for e in entries(firm)}
    firm.staff.patch(f"/time-entries/{by_text['n0']['id']}", {"seconds": 60}, if_match=1).expect(200)
    firm.staff.post("/time-entries/submit", {"ids": [by_text["n1"]["id"]]}).expect(200)
    firm.staff.delete(f"/time-entries/{by_text['n2']['id']}", if_match=1).expect(204)
    answer = firm.partner.post(f"/time-imports/{done['id']}/undo").expect(200).json
    assert (answer["done"], answer["failed"]) == (2, 2)
    assert {i["code"] for i in answer["items"]} == {None, "entry_changed"}
    assert {e["id"] for e in entries(firm)} == {kept["id"], by_text["n0"]["id"], by_text["n1"]["id"]}
    again = take(firm, toggl(firm, *(row(firm, text=f"n{n}") for n in range(4)))).json
    assert (again["imported"], again["duplicates"]) == (2, 2)
    whole = take(firm, toggl(firm, row(firm, text="whole"))).json
    firm.partner.post(f"/time-imports/{whole['id']}/undo").expect(200)
    firm.partner.post(f"/time-imports/{whole['id']}/undo").problem(409, "import_undone")
    firm.holds()


def test_a_locked_period_takes_no_import(firm: Any) -> None:
    firm.partner.post("/settings/lock", {"locked_until": firm.day(2)}).expect(200)
    text = toggl(firm, row(firm), row(firm, day=firm.day(1)))
    done = take(firm, text).expect(200).json
    assert (done["imported"], [e["code"] for e in done["errors"]]) == (1, ["period_locked"])
    assert take(firm, text, lock_override_reason="history").json["imported"] == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"csv": "Name,When\nAda,now\n"}, 422, "columns_missing"),
        ({"csv": HEAD}, 422, "import_empty"),
        ({"source": "excel"}, 400, "request_invalid"),
        ({"people": [{"name": "x", "id": "018f0000-0000-7000-8000-000000000000"}]}, 404, "mapping_unknown"),
        ({"jobs": [{"name": "x", "id": "018f0000-0000-7000-8000-000000000000"}]}, 404, "mapping_unknown"),
        ({"csv": ""}, 400, "request_invalid"),
    ],
)
def test_a_bad_import_changes_nothing(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    body = {"source": "toggl", "csv": toggl(firm, row(firm))} | change
    firm.partner.post("/time-imports", body).problem(status, code)
    assert entries(firm) == []
    firm.staff.post("/time-imports", body).problem(403, "permission_missing")


def test_an_import_finds_no_private_client_and_no_other_firms_job(firm: Any, new_firm: Any, world: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    firm.add_job(client=secret, title="Secret job")
    text = toggl(firm, row(firm, client="Secret Ltd", project="Secret job"))
    outsider = world.api(firm.id, staff=new_id())
    assert take(firm, text, api=outsider).json["errors"][0]["code"] == "job_unmatched"
    stranger = new_firm()
    done = take(firm, text, api=stranger.partner).json
    assert done["errors"][0]["code"] == "job_unmatched"
    mine = take(firm, text).json
    assert mine["imported"] == 1
    stranger.partner.post(f"/time-imports/{mine['id']}/undo").problem(404, "time_import_not_found")


def test_time_is_exported_as_csv_without_what_others_may_not_see(firm: Any, world: Any) -> None:
    secret = firm.add_client(name="Secret Ltd", only=[firm.pat])
    firm.log(60, api=firm.partner, job_id=str(firm.add_job(client=secret, title="Secret job")))
    firm.log(3600, narrative="=HYPERLINK(0)")
    csv = {"headers": {"accept": "text/csv"}}
    seen = world.api(firm.id, staff=new_id()).get("/time-entries", **csv).expect(200).response.text
    assert "Secret" not in seen
    assert "'=HYPERLINK(0)" in seen
    assert len(firm.partner.get("/time-entries", **csv).response.text.splitlines()) == 3
