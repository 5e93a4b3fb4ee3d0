"""A template is published, applied, worked through with the client's answers, and finished."""

from typing import Any

from chassis.db import new_id
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.timebilling.v1.events_pb2 import TimeEntryChanged
from praxis.workflow.v1.events_pb2 import JobChanged, RequestChanged, TaskChanged
from praxis.workflow.v1.workflow_pb2 import AnswerRequestItemRequest, MarkRequestViewedRequest, SubmitRequestRequest


def test_a_vat_return_from_template_to_done(firm: Any, vat: dict[str, Any]) -> None:
    engagement = firm.engagement(firm.client, {"preparer": firm.ben})
    job = firm.apply(firm.publish(vat), engagement_id=str(engagement))

    # The right steps, owners and due dates appear by themselves.
    assert job["title"] == "VAT return, Q3 2026"
    assert job["statutory_due_on"] == "2026-11-07"
    assert job["internal_due_on"] == "2026-10-21"
    assert [(t["key"], t["owner"]["name"], t["due_on"], t["blocked"]) for t in job["tasks"]] == [
        ("prepare", "Ben", "2026-10-14", True),
        ("review", "Ada", "2026-10-16", True),
        ("file", "Ben", "2026-10-19", True),
    ]
    assert job["owner"]["name"] == "Ada"
    assert job["budget_minutes"] == 165
    assert [(r["title"], r["status"], r["due_on"]) for r in job["requests"]] == [
        ("Papers for the quarter", "sent", "2026-10-05")
    ]
    prepare, review, file = (t["id"] for t in job["tasks"])

    # Nothing can be done before the client has answered.
    firm.api.post(f"/tasks/{prepare}/done").problem(409, "task_blocked")

    # The client answers in the portal.
    portal, request = firm.portal(), job["requests"][0]
    bank, abroad, _ = (i["id"] for i in request["items"])
    portal.call("MarkRequestViewed", MarkRequestViewedRequest(request_id=request["id"]))
    assert firm.request(job)["status"] == "viewed"
    portal.call(
        "AnswerRequestItem",
        AnswerRequestItemRequest(request_id=request["id"], item_id=bank, document_ids=[str(new_id())]),
    )
    portal.call("AnswerRequestItem", AnswerRequestItemRequest(request_id=request["id"], item_id=abroad, answer="no"))
    reply = portal.call("SubmitRequest", SubmitRequestRequest(request_id=request["id"]))
    assert reply.request.status == "submitted"

    # The waiting task unblocks.
    assert not firm.task(job, "prepare")["blocked"]
    assert firm.task(job, "review")["blocked"]
    firm.api.post(f"/requests/{request['id']}/accept").expect(200)

    # Time and documents show at the job.
    firm.deliver(
        TimeEntryChanged(
            time_entry_id=str(new_id()), staff_id=str(firm.ben), client_id=str(firm.client), job_id=job["id"], task_id=prepare, day="2026-10-12",
            seconds=5400, status="submitted", version=1,
        )
    )  # fmt: skip
    firm.deliver(
        DocumentChanged(
            document_id=str(new_id()),
            client_id=str(firm.client),
            job_id=job["id"],
            request_id=request["id"],
            status="stored",
            version=2,
        )
    )
    shown = firm.job(job["id"])
    assert (shown["logged_minutes"], shown["documents"], shown["tasks"][0]["logged_minutes"]) == (90, 1, 90)

    # Tasks are done one after the other; the job is done with the last, and stands with the done ones.
    for task in (prepare, review, file):
        firm.api.post(f"/tasks/{task}/start").expect(200)
        assert firm.api.post(f"/tasks/{task}/done").expect(200).json["status"] == "done"
    done = firm.job(job["id"])
    assert (done["status"], done["stage"]["name"], done["tasks_done"]) == ("done", "Done", 3)

    # Others have heard of all of it, each state with a version of its own.
    last = firm.world.events(firm.id, JobChanged)[-1]
    assert (last.status, last.closed, last.stage, last.tasks_done, last.version) == (
        "done",
        True,
        "Done",
        3,
        done["version"],
    )
    requests = firm.world.events(firm.id, RequestChanged)
    assert [r.status for r in requests] == [
        "sent",
        "viewed",
        "partly_answered",
        "partly_answered",
        "submitted",
        "accepted",
    ]
    assert requests[-1].items[0].status == "accepted"
    assert requests[-1].job_title == "VAT return, Q3 2026"
    versions = [(e.task_id, e.version) for e in firm.world.events(firm.id, TaskChanged)]
    assert len(versions) == len(set(versions))


def test_preview_makes_nothing_and_says_what_it_could_not_settle(firm: Any, vat: dict[str, Any]) -> None:
    template = firm.publish(vat)
    before = firm.world.events(firm.id)
    seen = firm.api.post(
        f"/templates/{template}/preview",
        {"client_id": str(firm.client), "period_start": "2026-07-01", "period_end": "2026-09-30", "people": [{"role": "reviewer", "staff_id": str(firm.eve)}]},
    ).expect(200).json  # fmt: skip
    assert seen["title"] == "VAT return, Q3 2026"
    assert [t["due_on"] for t in seen["tasks"]] == ["2026-10-14", "2026-10-16", "2026-10-19"]
    assert seen["tasks"][0]["due_why"] == "10 business days after the period's end (30 Sep 2026)"
    assert seen["tasks"][1]["owner"]["name"] == "Eve"
    assert seen["tasks"][1]["owner_why"] == "named on the call"
    assert {(w["code"], w["role"]) for w in seen["warnings"]} >= {
        ("role_unresolved", "preparer"),
        ("portal_contact_missing", None),
    }
    assert firm.api.get("/jobs").expect(200).json["items"] == []
    assert firm.world.events(firm.id) == before


def test_people_are_resolved_in_the_documented_order(firm: Any, vat: dict[str, Any]) -> None:
    vat["roles"][1]["staff_id"] = str(firm.ben)  # template default
    template = firm.publish(vat)
    engagement = firm.engagement(firm.client, {"reviewer": firm.eve})

    def reviewer(**more: Any) -> tuple[str, str]:
        body = {"client_id": str(firm.client), **more}
        task = firm.api.post(f"/templates/{template}/preview", body).expect(200).json["tasks"][1]
        return task["owner"]["name"], task["owner_why"]

    zoe = firm.staff("Zoe")
    assert reviewer(people=[{"role": "reviewer", "staff_id": str(zoe)}], engagement_id=str(engagement)) == (
        "Zoe",
        "named on the call",
    )
    assert reviewer(engagement_id=str(engagement)) == ("Eve", "engagement")
    assert reviewer() == ("Ada", "client's manager")
    firm.client_named("Smith Ltd", id=firm.client, version=2)
    assert reviewer() == ("Ben", "template default")
