"""Two workers as they are deployed, one of them killed in the middle: every automation takes effect once for each happening,
every reminder is announced once."""

import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from chassis.testing import eventually
from praxis.workflow.v1.events_pb2 import NoticeDue, RequestReminderDue

JOBS = 60


def test_each_automation_takes_effect_once_though_a_worker_is_killed(firm: Any, worker: Any) -> None:
    tell = {"do": "notify", "who": [{"responsible": "job_owner"}], "text": "{job}"}
    for name, action in (("Task", {"do": "create_task", "title": "Once"}), ("Notice", tell)):
        body = {"name": name, "trigger": {"on": "job_made"}, "actions": [action]}
        firm.api.post("/automations", body).expect(201)
    for i in range(JOBS):
        firm.api.post("/jobs", {"client_id": str(firm.client), "title": f"Job {i}"}).expect(201)

    def ran() -> int:
        with firm.world.uow(firm.id) as uow:
            return int(uow.session.execute(text("SELECT count(*) FROM automation_runs")).scalar_one())

    with worker() as first, worker():
        eventually(lambda: ran() >= 10)
        os.kill(first.pid, signal.SIGKILL)
        assert 10 <= ran() < 2 * JOBS
        # What the killed one had claimed is taken up when its claim has run out: two minutes, or now for this test's clock.
        eventually(lambda: ran() >= 2 * JOBS - 1)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(minutes=5))

    assert ran() == 2 * JOBS
    titles = Counter(
        (job["title"], task["title"])
        for job in firm.api.get("/jobs", params={"limit": 100}).expect(200).json["items"]
        for task in firm.job(job["id"])["tasks"]
    )
    assert titles == {(f"Job {i}", "Once"): 1 for i in range(JOBS)}
    told = Counter(notice.says for notice in firm.world.events(firm.id, NoticeDue))
    assert told == {f"Job {i} (automation “Notice”)": 1 for i in range(JOBS)}


def test_each_reminder_is_announced_once_though_a_worker_is_killed(firm: Any, worker: Any) -> None:
    for i in range(JOBS // 10):
        job = firm.api.post("/jobs", {"client_id": str(firm.client), "title": f"Job {i}"}).expect(201).json
        for n in range(10):
            body = {"title": f"Papers {n}", "items": [{"kind": "text", "label": "?"}]}
            firm.api.post(f"/jobs/{job['id']}/requests", body).expect(201)
    with firm.world.uow(firm.id) as uow:  # days pass
        statement = "UPDATE due SET run_at = now() WHERE firm_id = :firm AND kind = 'request_reminder'"
        uow.session.execute(text(statement), {"firm": firm.id})

    def announced() -> list[str]:
        return [event.request_id for event in firm.world.events(firm.id, RequestReminderDue)]

    with worker() as first, worker():
        eventually(lambda: len(announced()) >= 10)
        os.kill(first.pid, signal.SIGKILL)
        assert len(announced()) < JOBS
        # One that the killed worker had claimed waits until the claim has run out.
        eventually(lambda: len(announced()) >= JOBS - 1)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(minutes=5))

    requests = firm.api.get("/requests", params={"limit": 200}).expect(200).json["items"]
    assert Counter(announced()) == {request["id"]: 1 for request in requests}
    assert {(r["reminders_sent"], r["next_reminder_at"] is not None) for r in requests} == {(1, True)}
