"""Engagements through the API: opened, changed, closed; and what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import EngagementChanged
from praxis.workflow.v1.events_pb2 import JobChanged


def test_an_engagement_is_read_as_it_was_agreed(office, terms):
    client = office.client()
    body = terms(
        client,
        title="VAT returns",
        service="vat",
        ends_on="2026-12-31",
        fee={
            "kind": "recurring",
            "amount": {"amount": "99.5", "currency": "GBP"},
            "interval": "quarterly",
            "description": "per return",
        },
        people=[
            {"job_role": "reviewer", "staff_id": str(office.ben)},
            {"job_role": "preparer", "staff_id": str(office.ada)},
        ],
    )
    made = office.api.post("/engagements", body).expect(201)
    assert made.headers["location"] == f"/api/clients/v1/engagements/{made.json['id']}"
    assert office.api.get(f"/engagements/{made.json['id']}").json == made.json
    expected = {
        "client": {"id": client["id"], "number": "C00001", "name": "Smith Ltd"},
        "title": "VAT returns",
        "service": "vat",
        "status": "open",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "people": [
            {"job_role": "preparer", "staff": {"id": str(office.ada), "name": "Ada Byron"}},
            {"job_role": "reviewer", "staff": {"id": str(office.ben), "name": "Ben Okri"}},
        ],
        "fee": {
            "kind": "recurring",
            "amount": {"amount": "99.50", "currency": "GBP"},
            "interval": "quarterly",
            "description": "per return",
        },
        "version": 1,
    }
    assert made.json.items() >= expected.items()


def test_opening_changing_and_closing_are_announced(office):
    engagement = office.engagement(office.client(), people=[{"job_role": "preparer", "staff_id": str(office.ada)}])
    path = f"/engagements/{engagement['id']}"
    change = {"fee": {"kind": "hourly"}, "people": [{"job_role": "preparer", "staff_id": str(office.ben)}]}
    changed = office.api.patch(path, change, if_match=1).expect(200)
    assert (changed.etag, changed.json["fee"]) == ('"2"', {"kind": "hourly"})
    closed = office.api.post(f"{path}/close", {"ends_on": "2026-06-30", "reason": "Client moved"}).expect(200).json
    assert (closed["status"], closed["ends_on"], closed["close_reason"]) == ("closed", "2026-06-30", "Client moved")
    assert [
        (e.version, e.status, e.ends_on, e.fee.kind, e.fee.amount.amount, e.people[0].staff_id)
        for e in office.world.events(office.firm, EngagementChanged)
    ] == [
        (1, "open", "", "fixed", "1200.00", str(office.ada)),
        (2, "open", "", "hourly", "", str(office.ben)),
        (3, "closed", "2026-06-30", "hourly", "", str(office.ben)),
    ]


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"colour": "red"}, 400, "request_invalid"),
        ({"status": "closed"}, 400, "request_invalid"),
        ({"title": 7}, 400, "request_invalid"),
        ({"starts_on": "2026-02-30"}, 400, "request_invalid"),
        ({"ends_on": "tomorrow"}, 400, "request_invalid"),
        ({"service": "Tax & More"}, 400, "request_invalid"),
        ({"fee": {"kind": "barter"}}, 400, "request_invalid"),
        ({"fee": {"kind": "fixed", "amount": 1200}}, 400, "request_invalid"),
        ({"ends_on": "2025-12-31"}, 422, "ends_before_start"),
        ({"fee": {"kind": "fixed"}}, 422, "fee_amount_required"),
        ({"fee": {"kind": "hourly", "amount": {"amount": "5", "currency": "GBP"}}}, 422, "fee_amount_unexpected"),
        ({"fee": {"kind": "recurring", "amount": {"amount": "5", "currency": "GBP"}}}, 422, "fee_interval_required"),
        ({"fee": {"kind": "fixed", "amount": {"amount": "0", "currency": "GBP"}}}, 422, "amount_invalid"),
        ({"fee": {"kind": "fixed", "amount": {"amount": "-5.00", "currency": "GBP"}}}, 422, "amount_invalid"),
        ({"fee": {"kind": "fixed", "amount": {"amount": "5.5", "currency": "JPY"}}}, 422, "amount_invalid"),
        ({"fee": {"kind": "fixed", "amount": {"amount": "5", "currency": "ABC"}}}, 422, "unknown_currency"),
        ({"people": [{"job_role": "preparer", "staff_id": str(new_id())}]}, 422, "unknown_staff"),
    ],
)
def test_bad_input_has_its_code_and_changes_nothing(office, terms, wrong, status, code):
    client = office.client()
    engagement = office.engagement(client)
    before = office.traces()
    office.unchanged_by(office.api.post("/engagements", terms(client) | wrong), status, code, before)
    office.unchanged_by(office.api.patch(f"/engagements/{engagement['id']}", wrong, if_match=1), status, code, before)


def test_one_person_holds_a_job_role(office, terms):
    client = office.client()
    twice = [{"job_role": "preparer", "staff_id": str(s)} for s in (office.ada, office.ben)]
    before = office.traces()
    office.unchanged_by(office.api.post("/engagements", terms(client, people=twice)), 422, "job_role_twice", before)


def test_a_period_moved_on_one_side_still_holds_together(office):
    engagement = office.engagement(office.client(), ends_on="2026-06-30")
    before = office.traces()
    moved = office.api.patch(f"/engagements/{engagement['id']}", {"starts_on": "2026-07-01"}, if_match=1)
    office.unchanged_by(moved, 422, "ends_before_start", before)


def test_a_closed_engagement_stays_as_it_was(office):
    engagement = office.engagement(office.client())
    path = f"/engagements/{engagement['id']}"
    early = {"ends_on": "2025-12-31", "reason": "never began"}
    office.unchanged_by(office.api.post(f"{path}/close", early), 422, "ends_before_start", office.traces())
    office.unchanged_by(office.api.post(f"{path}/close", {"reason": "x"}), 400, "request_invalid", office.traces())
    done = {"ends_on": "2026-06-30", "reason": "done"}
    office.api.post(f"{path}/close", done).expect(200)
    before = office.traces()
    office.unchanged_by(office.api.post(f"{path}/close", done), 409, "engagement_closed", before)
    office.unchanged_by(office.api.patch(path, {"title": "More"}, if_match=2), 409, "engagement_closed", before)


def test_a_lost_update_is_told(office):
    engagement = office.engagement(office.client())
    path = f"/engagements/{engagement['id']}"
    office.api.patch(path, {"title": "Adas"}, if_match=1).expect(200)
    before = office.traces()
    office.unchanged_by(office.bens.patch(path, {"title": "Bens"}, if_match=1), 412, "version_conflict", before)


def test_nothing_is_agreed_with_a_former_client(office, terms):
    client = office.client()
    office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"}).expect(200)
    before = office.traces()
    office.unchanged_by(office.api.post("/engagements", terms(client)), 409, "client_former", before)


def test_a_client_archived_while_work_is_agreed_has_no_open_engagement(office, terms):
    for _ in range(5):
        client = office.client()
        with ThreadPoolExecutor(2) as pool:
            agreed = pool.submit(office.api.post, "/engagements", terms(client))
            archived = pool.submit(office.api.post, f"/clients/{client['id']}/archive", {"reason": "left"})
            statuses = agreed.result().status, archived.result().status
        assert statuses in {(201, 409), (409, 200)}


def test_strangers_clients_and_engagements_are_not_found(office, stranger, terms):
    client = stranger.client()
    engagement = stranger.engagement(client)
    path = f"/engagements/{engagement['id']}"
    before, theirs = office.traces(), stranger.traces()
    for answer, code in [
        (office.api.post("/engagements", terms(client)), "client_not_found"),
        (office.api.get(path), "engagement_not_found"),
        (office.api.patch(path, {"title": "Mine"}, if_match=1), "engagement_not_found"),
        (office.api.post(f"{path}/close", {"ends_on": "2026-06-30", "reason": "mine"}), "engagement_not_found"),
    ]:
        office.unchanged_by(answer, 404, code, before)
    assert stranger.traces() == theirs
    assert office.api.get(f"/engagements?client_id={client['id']}").json["items"] == []


def test_someone_who_left_stays_in_an_engagement_and_is_not_named_anew(office, terms):
    client = office.client()
    ben = {"job_role": "preparer", "staff_id": str(office.ben)}
    engagement = office.engagement(client, people=[ben])
    office.hire(office.ben, "Ben Okri", active=False, version=2)
    before = office.traces()
    office.unchanged_by(office.api.post("/engagements", terms(client, people=[ben])), 422, "unknown_staff", before)
    kept = office.api.patch(f"/engagements/{engagement['id']}", {"title": "More", "people": [ben]}, if_match=1).expect(
        200
    )
    assert kept.json["people"][0]["staff"]["name"] == "Ben Okri"


def test_the_list_goes_from_the_latest_start_and_is_filtered(office):
    smith, jones = office.client("Smith Ltd"), office.client("Jones Ltd")
    old = office.engagement(smith, starts_on="2024-01-01", service="vat")
    new = office.engagement(smith, starts_on="2026-05-01")
    mid = office.engagement(jones, starts_on="2025-01-01")
    office.api.post(f"/engagements/{old['id']}/close", {"ends_on": "2024-12-31", "reason": "done"}).expect(200)
    for query, expected in {
        "": [new, mid, old],
        f"client_id={smith['id']}": [new, old],
        "status=open": [new, mid],
        "status=closed": [old],
        "service=vat": [old],
    }.items():
        found = office.api.get(f"/engagements?{query}").expect(200).json["items"]
        assert [e["id"] for e in found] == [e["id"] for e in expected], query
    first = office.api.get("/engagements?limit=2").json
    second = office.api.get("/engagements", params={"limit": 2, "cursor": first["next_cursor"]}).json
    assert [e["id"] for e in first["items"] + second["items"]] == [new["id"], mid["id"], old["id"]]


@pytest.mark.parametrize(
    ("sort", "titles"),
    [("-starts_on", ["C", "A", "B"]), ("starts_on", ["B", "A", "C"]), ("-created_at", ["C", "B", "A"])],
)
def test_the_list_is_sorted_as_asked_over_all_pages(office, sort, titles):
    client = office.client()
    for title, starts_on in (("A", "2025-01-01"), ("B", "2024-01-01"), ("C", "2026-01-01")):
        office.engagement(client, title=title, starts_on=starts_on)
    listed, cursor = [], ""
    while cursor is not None:
        page = office.api.get(f"/engagements?sort={sort}&limit=1{cursor and '&cursor=' + cursor}").expect(200).json
        listed += [e["title"] for e in page["items"]]
        cursor = page["next_cursor"]
    assert listed == titles
    office.api.get("/engagements?sort=fee").problem(400, "request_invalid")


def test_closing_is_audited_with_its_reason(office):
    engagement = office.engagement(office.client())
    office.api.post(
        f"/engagements/{engagement['id']}/close", {"ends_on": "2026-06-30", "reason": "Client moved"}
    ).expect(200)
    row = office.world.audit(office.firm)[-1]
    assert (row.action, row.subject_id, row.reason) == ("engagement.closed", engagement["id"], "Client moved")
    assert (row.before, row.after) == (
        {"status": "open", "ends_on": None},
        {"status": "closed", "ends_on": "2026-06-30"},
    )


def test_stages_and_shares_are_kept_shown_and_told(office):
    client = office.client()
    stages = [
        {"title": "Start", "amount": {"amount": "400.00", "currency": "GBP"}},
        {"title": "End", "amount": {"amount": "800.00", "currency": "GBP"}, "due_on": "2026-12-31"},
    ]
    total = {"amount": "1200.00", "currency": "GBP"}
    fee = {"kind": "milestone", "amount": total, "description": "in two stages", "milestones": stages}
    made = office.engagement(client, fee=fee)
    assert made["fee"] == fee
    won = {"kind": "contingent", "description": "if won", "percent": "12.50"}
    assert office.engagement(client, fee=won)["fee"] == won
    told = office.world.events(office.firm, EngagementChanged)
    assert [(m.title, m.amount.amount, m.due_on) for m in told[0].fee.milestones] == [
        ("Start", "400.00", ""),
        ("End", "800.00", "2026-12-31"),
    ]
    assert told[1].fee.percent == "12.50"
    plain = office.api.patch(f"/engagements/{made['id']}", {"fee": {"kind": "hourly"}}, if_match=1).expect(200)
    assert plain.json["fee"] == {"kind": "hourly"}


def test_closing_is_shown_with_what_it_leaves_behind(office, stranger):
    client = office.client()
    monthly = {"kind": "recurring", "interval": "monthly", "amount": {"amount": "99", "currency": "GBP"}}
    engagement, other = office.engagement(client, fee=monthly), office.engagement(client, title="Another")

    def job(title, version=1, id=None, of=engagement, **more):
        event = JobChanged(
            job_id=id or str(new_id()),
            client_id=client["id"],
            title=title,
            engagement_id=of["id"],
            version=version,
            **more,
        )
        office.world.deliver(office.firm, event)
        return event.job_id

    job("Elsewhere", of=other)
    for n in range(21):
        last = job(f"VAT {n:02}", status="on_track")
    job("Over", status="done", closed=True)
    path = f"/engagements/{engagement['id']}/close"
    seen = office.api.get(path).expect(200).json
    assert (seen["open_jobs"], len(seen["jobs"]), seen["jobs"][0]["title"]) == (21, 20, "VAT 00")
    assert (seen["last_of_client"], seen["recurring"]) == (False, True)
    job("VAT 20", id=last, version=2, status="done", closed=True)
    assert office.api.get(path).json["open_jobs"] == 20
    stranger.api.get(path).problem(404, "engagement_not_found")
    office.api.post(path, {"ends_on": "2026-06-30", "reason": "done"}).expect(200)
    office.api.get(path).problem(409, "engagement_closed")
    seen = office.api.get(f"/engagements/{other['id']}/close").json
    assert (seen["open_jobs"], seen["last_of_client"], seen["recurring"]) == (1, True, False)


def test_a_job_known_before_says_its_engagement_when_it_is_sent_again(office):
    client = office.client()
    engagement = office.engagement(client)
    event = JobChanged(job_id=str(new_id()), client_id=client["id"], title="VAT", version=1)
    office.world.deliver(office.firm, event)
    event.engagement_id = engagement["id"]
    office.world.deliver(office.firm, event)
    assert office.api.get(f"/engagements/{engagement['id']}/close").json["open_jobs"] == 1
    kinds = [e["kind"] for e in office.api.get(f"/clients/{client['id']}/timeline").json["items"]]
    assert kinds.count("job") == 1
