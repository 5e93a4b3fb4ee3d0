"""Templates through the API: drafts, versions that never change, refusals that change nothing."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError


def test_a_published_version_never_changes(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    first = firm.api.get(f"/templates/{template}/versions/1").expect(200).json
    got = firm.api.get(f"/templates/{template}").expect(200)
    vat["tasks"].append({"key": "archive", "title": "Archive"})
    saved = firm.api.put(f"/templates/{template}/draft", vat, if_match=got.etag).expect(200).json
    assert saved["draft_differs"]
    published = firm.api.post(f"/templates/{template}/publish").expect(200).json
    assert [v["number"] for v in published["versions"]] == [2, 1]
    assert firm.api.get(f"/templates/{template}/versions/1").expect(200).json == first
    assert len(firm.api.get(f"/templates/{template}/versions/2").expect(200).json["content"]["tasks"]) == 4


def test_the_database_refuses_to_change_a_published_version(firm: Any, vat: dict[str, Any]) -> None:
    firm.publish(vat)
    with pytest.raises(ProgrammingError, match="permission denied"), firm.world.uow(firm.id) as uow:
        uow.session.execute(text("UPDATE template_versions SET number = 7"))


def test_a_job_keeps_the_version_it_was_made_from(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    job = firm.apply(template)
    vat["tasks"][0]["title"] = "Prepare differently"
    etag = firm.api.get(f"/templates/{template}").etag
    firm.api.put(f"/templates/{template}/draft", vat, if_match=etag).expect(200)
    firm.api.post(f"/templates/{template}/publish").expect(200)
    assert firm.job(job["id"])["template"]["version"] == 1
    assert firm.job(job["id"])["tasks"][0]["title"] == "Prepare"
    older = firm.apply(template, template_version=1, period_start="2026-10-01", period_end="2026-12-31")
    newer = firm.apply(template, period_start="2027-01-01", period_end="2027-03-31")
    assert [older["tasks"][0]["title"], newer["tasks"][0]["title"]] == ["Prepare", "Prepare differently"]


def test_publishing_what_is_published_already_is_refused(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    firm.api.post(f"/templates/{template}/publish").problem(409, "nothing_to_publish")


def test_a_template_without_tasks_can_be_drafted_but_not_published_or_applied(firm: Any) -> None:
    template = firm.api.post("/templates", {"name": "Empty"}).expect(201).json["id"]
    firm.api.post(f"/templates/{template}/publish").problem(422, "template_without_tasks")
    body = {"template_id": template, "client_id": str(firm.client)}
    firm.api.post("/jobs", body).problem(409, "template_not_published")


def test_a_cycle_is_refused_naming_its_path_and_nothing_changes(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    before = firm.api.get(f"/templates/{template}").expect(200)
    vat["dependencies"].append({"before": "file", "after": "prepare"})
    refused = firm.api.put(f"/templates/{template}/draft", vat, if_match=before.etag).problem(422, "dependency_cycle")
    assert set(refused.json["path"]) == {"prepare", "review", "file"}
    assert "Prepare" in refused.json["title"]
    assert firm.api.get(f"/templates/{template}").json == before.json


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"tasks": [{"key": "a", "title": "A", "role": "wizard"}]}, 422, "unknown_role"),
        ({"roles": [{"role": "preparer", "staff_id": str(uuid4())}]}, 422, "unknown_staff"),
        ({"tasks": [{"key": "a", "title": "A", "surprise": 1}]}, 400, "request_invalid"),
        ({"tasks": [{"key": "a", "title": "A", "budget_minutes": -1}]}, 400, "request_invalid"),
        ({"tasks": [{"key": "a", "title": "A", "due": {"anchor": "full_moon"}}]}, 400, "request_invalid"),
        ({"tasks": [{"key": "Not A Key", "title": "A"}]}, 400, "request_invalid"),
    ],
)
def test_a_contradictory_draft_changes_nothing(firm: Any, change: dict[str, Any], status: int, code: str) -> None:
    firm.api.post("/templates", {"name": "New", "content": change}).problem(status, code)
    assert firm.api.get("/templates").json["items"] == []


def test_a_lost_update_of_a_draft_is_refused(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    etag = firm.api.get(f"/templates/{template}").etag
    firm.api.patch(f"/templates/{template}", {"name": "VAT"}, if_match=etag).expect(200)
    firm.api.put(f"/templates/{template}/draft", vat, if_match=etag).problem(412, "version_conflict")
    firm.api.put(f"/templates/{template}/draft", vat).problem(428, "if_match_required")


def test_another_firm_s_template_is_not_found(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    stranger = firm.world.api(firm.world.firm())
    stranger.get(f"/templates/{template}").problem(404, "template_not_found")
    stranger.post(f"/templates/{template}/publish").problem(404, "template_not_found")
    assert stranger.get("/templates").json["items"] == []


def test_an_archived_template_is_not_applied(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    etag = firm.api.get(f"/templates/{template}").etag
    firm.api.patch(f"/templates/{template}", {"archived": True}, if_match=etag).expect(200)
    firm.api.post("/jobs", {"template_id": template, "client_id": str(firm.client)}).problem(409, "template_archived")
    assert firm.api.get("/templates").json["items"] == []
    assert [t["id"] for t in firm.api.get("/templates", params={"archived": "true"}).json["items"]] == [template]


def test_templates_are_listed_by_name_in_pages(firm: Any, vat: dict[str, Any]) -> None:
    for name in ("Payroll", "Accounts", "VAT return"):
        firm.api.post("/templates", {"name": name, "content": vat}).expect(201)
    first = firm.api.get("/templates", params={"limit": 2}).expect(200).json
    assert [(t["name"], t["tasks"], t["budget_minutes"]) for t in first["items"]] == [
        ("Accounts", 3, 165),
        ("Payroll", 3, 165),
    ]
    rest = firm.api.get("/templates", params={"limit": 2, "cursor": first["next_cursor"]}).expect(200).json
    assert [t["name"] for t in rest["items"]] == ["VAT return"]
    assert [t["name"] for t in firm.api.get("/templates", params={"q": "pay"}).json["items"]] == ["Payroll"]


def test_who_may_only_read_templates_can_not_write_them(firm: Any) -> None:
    reader = firm.as_(firm.ben, permissions=["workflow:templates:read"])
    reader.get("/templates").expect(200)
    reader.post("/templates", {"name": "New"}).problem(403, "permission_missing")
    firm.world.api(firm.id, audience="portal", clients=[firm.client]).get("/templates").expect(403)
