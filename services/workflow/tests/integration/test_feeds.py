"""Calendars by a secret address: what stands in them, for whom, and until when."""

from typing import Any

import pytest
from icalendar import Calendar

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import GroupChanged


def subscribe(api: Any, **body: Any) -> str:
    made = api.post("/feeds", body).expect(201)
    assert made.headers["cache-control"] == "no-store"
    return made.json["url"].removeprefix("http://praxis.test")


def entries(firm: Any, path: str) -> dict[str, str]:
    answer = firm.world.anonymous().get(path).expect(200)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = Calendar.from_ical(answer.response.text)
    return {str(e["summary"]): e["dtstart"].dt.isoformat() for e in found.walk("VEVENT")}


@pytest.fixture
def job(firm: Any, vat: dict[str, Any]) -> dict[str, Any]:
    return firm.apply(firm.publish(vat), people=[{"role": "preparer", "staff_id": str(firm.ben)}])


def test_a_person_s_feed_holds_their_open_tasks_and_jobs(firm: Any, job: dict[str, Any]) -> None:
    ben = subscribe(firm.as_(firm.ben), kind="person")
    assert entries(firm, ben) == {
        "Prepare – VAT return, Q3 2026 (Smith Ltd)": firm.task(job, "prepare")["due_on"],
        "File – VAT return, Q3 2026 (Smith Ltd)": firm.task(job, "file")["due_on"],
    }
    assert "VAT return, Q3 2026 (Smith Ltd)" in entries(firm, subscribe(firm.api, kind="person"))
    firm.api.post(f"/tasks/{firm.task(job, 'prepare')['id']}/skip", {"reason": "not needed"}).expect(200)
    assert list(entries(firm, ben)) == ["File – VAT return, Q3 2026 (Smith Ltd)"]


def test_a_client_s_and_a_group_s_feed_hold_theirs_without_what_is_private(firm: Any, job: dict[str, Any]) -> None:
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    body = {"client_id": str(hidden), "title": "Secret", "statutory_due_on": "2027-01-31"}
    firm.as_(firm.eve).post("/jobs", body).expect(201)
    group = new_id()
    members = [str(firm.client), str(hidden)]
    firm.deliver(GroupChanged(group_id=str(group), name="Family", kind="family", client_ids=members, version=1))
    of_client = entries(firm, subscribe(firm.api, kind="client", client_id=str(firm.client)))
    assert len(of_client) == 4
    assert entries(firm, subscribe(firm.api, kind="group", group_id=str(group))) == of_client
    eve = subscribe(firm.as_(firm.eve), kind="group", group_id=str(group))
    assert set(entries(firm, eve)) == {*of_client, "Secret (Hidden Ltd)"}
    # With the eyes of who set it up, at every reading.
    firm.client_named("Hidden Ltd", id=hidden, visible_to=[firm.ben], version=2)
    assert entries(firm, eve) == of_client


def test_a_feed_ends_when_it_is_revoked_or_its_owner_leaves(firm: Any, job: dict[str, Any]) -> None:
    first, second = subscribe(firm.api, kind="person"), subscribe(firm.as_(firm.ben), kind="person")
    entries(firm, first)
    (feed,) = firm.api.get("/feeds").expect(200).json["items"]
    assert feed["read_at"]
    assert "url" not in feed
    firm.as_(firm.ben).delete(f"/feeds/{feed['id']}", if_match=feed["version"]).problem(404, "feed_not_found")
    firm.api.delete(f"/feeds/{feed['id']}", if_match=feed["version"]).expect(204)
    firm.world.anonymous().get(first).problem(404, "feed_not_found")
    assert firm.api.get("/feeds").json["items"] == []
    entries(firm, second)
    firm.staff("Ben", id=firm.ben, active=False, version=2)
    firm.world.anonymous().get(second).problem(404, "feed_not_found")


def test_a_guessed_or_changed_secret_opens_nothing(firm: Any) -> None:
    url = subscribe(firm.api, kind="person")
    other = "A" if url[-1] != "A" else "Q"
    for path in (
        url[:-1] + other,
        url[:-4],
        "/api/workflow/v1/calendar-feeds/x",
        "/api/workflow/v1/calendar-feeds/" + "A" * 54,
    ):
        firm.world.anonymous().get(path).problem(404, "feed_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "client"}, 422, "feed_invalid"),
        ({"kind": "person", "client_id": str(new_id())}, 422, "feed_invalid"),
        ({"kind": "group", "group_id": str(new_id())}, 404, "group_not_found"),
        ({"kind": "everything"}, 400, "request_invalid"),
    ],
)
def test_bad_feeds_are_refused_and_none_is_made(firm: Any, body: dict[str, Any], status: int, code: str) -> None:
    firm.api.post("/feeds", body).problem(status, code)
    assert firm.api.get("/feeds").json["items"] == []


def test_a_private_client_s_stranger_subscribes_to_nothing(firm: Any) -> None:
    hidden = firm.client_named("Hidden Ltd", visible_to=[firm.eve])
    firm.world.answers("clients", {"GetClient": _refuse})
    firm.api.post("/feeds", {"kind": "client", "client_id": str(hidden)}).problem(404, "client_not_found")
    firm.api.get("/feeds").expect(200)


def _refuse(_request: Any) -> Any:
    from chassis.errors import NotFound

    raise NotFound("client_not_found", "There is no such client.")
