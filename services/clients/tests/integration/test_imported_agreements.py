"""Engagements and notes brought in from spreadsheets: by the same rules as any other row."""

import io

import pytest
import xlsxwriter

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import EngagementChanged, NoteWritten, NoticeDue
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from praxis.workflow.v1.events_pb2 import JobChanged


def book(**sheets):
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    workbook.close()
    return out.getvalue()


def check(office, **sheets):
    data = book(**sheets)
    made = office.api.post("/imports", {"file_name": "agreed.xlsx", "size": len(data)}).expect(201).json
    headers = {"content-type": "application/octet-stream"}
    office.api.post(f"/imports/{made['id']}/parts/1", content=data, headers=headers).expect(200)
    act(office, made["id"], "read")
    return act(office, made["id"], "check", {})


def act(office, id, what, body=None):
    office.api.post(f"/imports/{id}/{what}", body).expect(202)
    office.world.run_due(office.firm)
    return office.api.get(f"/imports/{id}").expect(200).json


def bring(office, **sheets):
    return act(office, check(office, **sheets)["id"], "run")


def counted(seen):
    return {outcome: many for outcome, many in seen["counts"].items() if many}


def problems(office, seen, outcome="bad"):
    rows = office.api.get(f"/imports/{seen['id']}/rows?outcome={outcome}").expect(200).json["items"]
    return [(row["row"], problem["column"], problem["code"]) for row in rows for problem in row["problems"]]


def agreed(office):
    items = office.api.get("/engagements?limit=200").expect(200).json["items"]
    return [{name: value for name, value in item.items() if name not in ("version", "updated_at")} for item in items]


def notes(office, client):
    items = office.api.get(f"/clients/{client['id']}/notes").expect(200).json["items"]
    return [{name: value for name, value in item.items() if name not in ("version", "updated_at")} for item in items]


TITLES = [
    "Client",
    "Engagement",
    "Service",
    "Start",
    "End",
    "Team",
    "Fee type",
    "Amount",
    "Currency",
    "Billed every",
    "Fee description",
    "Stages",
    "Status",
]


def test_engagements_as_people_write_them_and_clients_come_in_with_one_workbook(office):
    done = bring(office, Clients=[["number", "name"], ["A1", "Anna"], ["B1", "Bert"]], Engagements=[
        [name for name in TITLES if name not in ("Billed every",)] + ["fee interval"],
        ["A1", "VAT", "VAT return", "01.02.2026", "", "preparer: Ben Okri; reviewer: ada byron", "recurring", "1,250", "EUR", "", "", "", "quarterly"],
        ["Bert", "Fit-out", "advisory", "2026-01-15", "31/12/2026", "", "milestone", "1500", "", "in stages", "Draft: 500; Hand-over: 1'000.00 by 30.09.2026", "", ""],
        ["b1", "Past", "tax", "2020-01-01", "2020-12-31", "", "Hourly", "", "", "", "", "closed", ""],
    ])  # fmt: skip
    assert counted(done) == {"new": 5}, problems(office, done)
    by = {e["title"]: e for e in agreed(office)}
    assert by["VAT"]["fee"] == {
        "kind": "recurring",
        "amount": {"amount": "1250.00", "currency": "EUR"},
        "interval": "quarterly",
    }
    assert (by["VAT"]["service"], by["VAT"]["starts_on"]) == ("vat_return", "2026-02-01")
    assert [(p["job_role"], p["staff"]["name"]) for p in by["VAT"]["people"]] == [
        ("preparer", "Ben Okri"),
        ("reviewer", "Ada Byron"),
    ]
    assert by["Fit-out"]["fee"]["milestones"] == [
        {"title": "Draft", "amount": {"amount": "500.00", "currency": "GBP"}},
        {"title": "Hand-over", "amount": {"amount": "1000.00", "currency": "GBP"}, "due_on": "2026-09-30"},
    ]
    assert (by["Past"]["status"], by["Past"]["ends_on"], by["Past"]["client"]["name"]) == (
        "closed",
        "2020-12-31",
        "Bert",
    )
    assert [e.title for e in office.world.events(office.firm, EngagementChanged)] == ["VAT", "Fit-out", "Past"]
    assert [r.subject_id for r in office.world.audit(office.firm) if r.action == "engagement.opened"] == [
        by[title]["id"] for title in ("VAT", "Fit-out", "Past")
    ]


BASE = {"client": "S1", "title": "Work", "service": "vat", "start": "2026-01-01", "fee": "hourly"}


@pytest.mark.parametrize(("more", "column", "code"), [
    ({"client": "Nobody"}, "client", "client_not_found"),
    ({"fee": "barter"}, "fee", "fee_unknown"),
    ({"fee": "fixed", "amount": ""}, "amount", "fee_amount_required"),
    ({"fee": "fixed", "amount": "lots"}, "amount", "amount_invalid"),
    ({"fee": "fixed", "amount": "12.345"}, "amount", "amount_ambiguous"),
    ({"fee": "fixed", "amount": "0.125"}, "amount", "amount_invalid"),
    ({"fee": "fixed", "amount": "0"}, "amount", "amount_invalid"),
    ({"fee": "recurring", "amount": "5", "interval": "weekly"}, "interval", "interval_unknown"),
    ({"fee": "milestone", "amount": "5", "description": "d", "milestones": "A: 3"}, "milestones", "fee_milestones_sum"),
    ({"fee": "milestone", "amount": "5", "description": "d", "milestones": "all of it"}, "milestones", "milestones_invalid"),
    ({"fee": "contingent", "description": "d", "percent": "101"}, "percent", "fee_percent_invalid"),
    ({"people": "Ada Byron"}, "people", "people_invalid"),
    ({"people": "preparer: Nobody"}, "people", "unknown_staff"),
    ({"people": "preparer: Ada Byron; preparer: Ben Okri"}, "people", "job_role_twice"),
    ({"end": "2025-12-31"}, "end", "ends_before_start"),
    ({"status": "closed"}, "status", "value_missing"),
    ({"service": "!!"}, "service", "service_invalid"),
    ({"client": "F1"}, "client", "client_former"),
    ({"title": ""}, "title", "value_missing"),
])  # fmt: skip
def test_a_bad_engagement_is_named_by_its_cell_and_changes_nothing(office, more, column, code):
    office.client("Smith", number="S1")
    former = office.client("Former", number="F1")
    office.api.post(f"/clients/{former['id']}/archive", {"reason": "left"}).expect(200)
    row = BASE | more
    seen = check(office, Engagements=[list(row), list(row.values())])
    assert problems(office, seen) == [(2, column, code)]
    act(office, seen["id"], "run")
    assert agreed(office) == []


def test_an_engagement_is_recognised_changed_closed_and_given_back(office):
    client = office.client("Smith", number="S1")
    office.engagement(client, title="Plain")
    closed = office.engagement(client, title="Closed", external_id="X2")
    office.api.post(f"/engagements/{closed['id']}/close", {"ends_on": "2026-06-30", "reason": "done"}).expect(200)
    office.engagement(client, title="Ends", external_id="X3")
    before = agreed(office)
    seen = check(office, Engagements=[
        ["external_id", "client", "title", "service", "start", "fee", "amount", "end", "status"],
        ["", "S1", "Plain", "accounts", "2026-01-01", "fixed", "1200", "", ""],
        ["", "S1", "Plain", "payroll", "2026-01-01", "hourly", "", "", ""],
        ["X2", "S1", "Closed anew", "accounts", "2026-01-01", "fixed", "1200", "", ""],
        ["X3", "S1", "Ended", "accounts", "2026-01-01", "fixed", "1300", "2026-12-31", "closed"],
        ["X3", "S1", "Again", "accounts", "2026-01-01", "hourly", "", "", ""],
    ])  # fmt: skip
    assert (counted(seen), problems(office, seen)) == (
        {"same": 1, "changed": 1, "bad": 3},
        [(3, None, "duplicate_engagement"), (4, None, "engagement_closed"), (6, None, "duplicate_external_id")],
    )
    assert counted(act(office, seen["id"], "run")) == {"same": 1, "changed": 1, "bad": 3}
    now = {e["title"]: e for e in agreed(office)}
    assert (now["Ended"]["status"], now["Ended"]["ends_on"], now["Ended"]["fee"]["amount"]["amount"]) == (
        "closed",
        "2026-12-31",
        "1300.00",
    )
    assert counted(act(office, seen["id"], "undo")) == {"undone": 1}
    assert agreed(office) == before


def test_an_import_undone_leaves_engagements_with_jobs_or_invoices_and_notes_changed_since(office):
    client, other = office.client("Smith", number="S1"), office.client("Jones", number="S2")
    title = ["client", "title", "service", "start", "fee"]
    rows = [
        [number, name, "vat", "2026-01-01", "hourly"]
        for number, name in (("S1", "Has a job"), ("S1", "Nothing"), ("S2", "Invoiced"))
    ]
    done = bring(office, Engagements=[title, *rows], Notes=[["client", "text"], ["S1", "Pinned since"], ["S1", "Goes"]])
    assert counted(done) == {"new": 5}, problems(office, done)
    made = {e["title"]: e["id"] for e in agreed(office)}
    job = JobChanged(
        job_id=str(new_id()), client_id=client["id"], engagement_id=made["Has a job"], title="VAT Q3", version=1
    )
    office.world.deliver(office.firm, job)
    invoice = InvoiceChanged(invoice_id=str(new_id()), client_id=other["id"], number="INV-7", status="open", version=1)
    office.world.deliver(office.firm, invoice)
    pinned = next(
        n for n in office.api.get(f"/clients/{client['id']}/notes").json["items"] if n["text"] == "Pinned since"
    )
    office.api.patch(f"/notes/{pinned['id']}", {"pinned": True}, if_match=1).expect(200)
    undone = act(office, done["id"], "undo")
    assert counted(undone) == {"undone": 2, "kept": 3}
    assert sorted(problems(office, undone, "kept"), key=str) == [
        (2, None, "changed_since"), (2, None, "has_job"), (4, None, "has_invoice"),
    ]  # fmt: skip
    assert {e["title"] for e in agreed(office)} == {"Has a job", "Invoiced"}
    assert [n["text"] for n in notes(office, client)] == ["Pinned since"]
    gone = [e for e in office.world.events(office.firm, EngagementChanged) if e.removed]
    assert [(e.title, e.status, e.version) for e in gone] == [("Nothing", "closed", 2)]
    assert [e.what for e in office.world.events(office.firm, NoteWritten)] == ["added", "added", "changed", "deleted"]
    told = office.api.get(f"/clients/{client['id']}/timeline").json["items"]
    assert "Nothing" not in str(told)


def test_notes_keep_their_author_and_day_and_nobody_is_told_again(office):
    client = office.client("Smith", number="S1")
    mine = office.api.post(f"/clients/{client['id']}/notes", {"text": "Old words"}).expect(201).json
    bens = office.bens.post(f"/clients/{client['id']}/notes", {"text": "Ben's"}).expect(201).json
    before = notes(office, client)

    def quoted():
        told = office.api.get(f"/clients/{client['id']}/timeline?kind=note").expect(200).json["items"]
        return {entry["title"] for entry in told}

    done = bring(office, Notes=[
        ["id", "client", "note", "pinned", "mentioned", "written by", "date"],
        ["", "S1", "Prefers calls\n\nin the morning", "yes", "Ben Okri", "Ada Byron", "31.03.2019"],
        ["", "S1", "From before", "", "", "Somebody who left", "2001-02-03T10:00:00+00:00"],
        [mine["id"], "S1", "New words", "", "", "", ""],
        [bens["id"], "S1", "Forged", "", "", "", ""],
        ["", "S1", "Nobody", "", "No Such Person", "", ""],
        ["", "S9", "Nowhere", "", "", "", ""],
    ])  # fmt: skip
    assert counted(done) == {"new": 2, "changed": 1, "bad": 3}, problems(office, done)
    assert problems(office, done) == [
        (5, "text", "note_not_yours"), (6, "mentioned", "unknown_staff"), (7, "client", "client_not_found"),
    ]  # fmt: skip
    assert office.world.events(office.firm, NoticeDue) == []
    by = {n["text"]: n for n in notes(office, client)}
    assert by["Prefers calls\n\nin the morning"]["author"] == "Ada Byron"
    assert (by["From before"]["author"], by["From before"]["created_at"]) == (
        "Somebody who left",
        "2001-02-03T10:00:00+00:00",
    )
    assert by["New words"]["id"] == mine["id"]
    assert quoted() == {"Prefers calls in the morning", "From before", "New words", "Ben's"}
    again = bring(office, Notes=[["client", "note"], ["S1", "From before"]])
    assert counted(again) == {"same": 1}
    assert counted(act(office, done["id"], "undo")) == {"undone": 3}
    assert notes(office, client) == before
    assert quoted() == {"Old words", "Ben's"}
