"""The critical path on the job page, and a job at risk before any date has passed."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TODAY = datetime.now(ZoneInfo("Europe/London")).date()


def day(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


def big_job(firm: Any, deadline: str, hours: int) -> dict[str, Any]:
    """Prepare for so many hours, then review for one."""
    body = {"client_id": str(firm.client), "title": "Accounts", "statutory_due_on": deadline}
    job = firm.api.post("/jobs", body).expect(201).json
    path = f"/jobs/{job['id']}/tasks"
    first = firm.api.post(path, {"title": "Prepare", "budget_minutes": hours * 60}).expect(201).json["tasks"][0]
    body = {"title": "Review", "budget_minutes": 60, "after": [first["id"]]}
    return firm.api.post(path, body).expect(201).json


def test_the_job_page_foretells_the_finish_along_the_critical_path(firm: Any) -> None:
    job = big_job(firm, day(90), hours=15)
    found = job["forecast"]
    assert [(leg["kind"], leg["title"]) for leg in found["path"]] == [("task", "Prepare"), ("task", "Review")]
    assert found["late_days"] == 0
    assert found["path"][1]["starts_on"] == found["path"][0]["finishes_on"]
    assert date.fromisoformat(found["finish_on"]) >= TODAY + timedelta(days=2)
    assert job["status"] == "on_track"
    # It turns by itself on the first day that is too late: half of June is not done in a day.
    assert date.fromisoformat(job["late_from"]) <= TODAY + timedelta(days=90)
    assert job["late_from"] in {row.payload["day"] for row in firm.world.due(firm.id) if row.kind == "job_turn"}


def test_a_job_that_no_longer_fits_before_its_deadline_is_at_risk_and_says_because_of_what(firm: Any) -> None:
    job = big_job(firm, day(2), hours=80)
    assert (job["status"], job["late_from"]) == ("at_risk", day(0))
    assert "no longer fits" in job["why"]["says"]
    assert job["forecast"]["late_days"] > 0
    assert "“Prepare” comes first and takes 80 hours" in job["forecast"]["says"]
    assert [j["id"] for j in firm.api.get("/jobs", params={"status": "at_risk"}).json["items"]] == [job["id"]]
    # Less to do, and it is on track again.
    task = job["tasks"][0]
    firm.api.patch(f"/tasks/{task['id']}", {"budget_minutes": 30}, if_match=task["version"]).expect(200)
    assert firm.job(job["id"])["status"] == "on_track"


def test_the_client_who_answers_too_late_is_named_as_the_cause(firm: Any) -> None:
    job = big_job(firm, day(10), hours=1)
    body = {
        "title": "Bank statements",
        "items": [{"kind": "file", "label": "Statements"}],
        "blocks": [job["tasks"][0]["id"]],
        "due_on": day(20),
    }
    firm.api.post(f"/jobs/{job['id']}/requests", body).expect(201)
    late = firm.job(job["id"])
    assert (late["forecast"]["finish_on"], late["forecast"]["late_days"]) >= (day(20), 10)
    assert "because “Bank statements” lies with the client" in late["forecast"]["says"]
    # Nothing can be worked on, and it lies with the client: that is said first.
    assert late["status"] == "waiting_for_client"


def test_what_is_done_has_no_forecast(firm: Any) -> None:
    job = big_job(firm, day(10), hours=1)
    for task in job["tasks"]:
        firm.api.post(f"/tasks/{task['id']}/done").expect(200)
    done = firm.job(job["id"])
    assert (done["forecast"], done["late_from"], done["status"]) == (None, None, "done")
