"""Templates become jobs; jobs are in all the states a firm's jobs are in."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tools.demo.api import each
from tools.demo.firm import Demo


@dataclass(frozen=True)
class Order:
    """A job to be made: for whom, from which template, for which period, and how far it has come (0 to 1)."""

    client: int
    template: str
    start: date
    end: date
    progress: float


def take_over_templates(demo: Demo) -> dict[str, str]:
    """Both practices' starter templates; their ids by name."""
    for practice in ("accounting", "law"):
        demo.owner.post(f"workflow/v1/starter-templates/{practice}/take-over", key=f"starters:{practice}")
    return {t["name"]: t["id"] for t in demo.owner.get("workflow/v1/templates?limit=200")["items"]}


def make_jobs(demo: Demo) -> None:
    """The last quarters and payrolls, last year's accounts, matters of the law clients."""
    templates = take_over_templates(demo)
    orders = _orders(demo)
    found = demo.owner.get("workflow/v1/stages")["items"]
    stages = {s["kind"]: s["id"] for s in reversed(found)}  # the first of each kind
    stages["review"] = [s["id"] for s in found if s["kind"] == "active"][-1]
    preparers, reviewers = demo.of_grade("senior") + demo.of_grade("junior"), demo.of_grade("manager")

    def one(order: Order) -> dict[str, Any]:
        who, client = demo.clients[order.client]
        body: dict[str, Any] = {
            "client_id": client["id"],
            "template_id": templates[order.template],
            "starts_on": order.start.isoformat(),
        }
        if order.template in ("VAT return", "Monthly payroll", "Annual accounts"):
            body |= {"period_start": order.start.isoformat(), "period_end": order.end.isoformat()}
        reviewer = reviewers[order.client % len(reviewers)].id
        # Only those named on a private client can work for it.
        preparer = reviewer if client["visible_to"] else preparers[order.client % len(preparers)].id
        people = {"preparer": preparer, "reviewer": reviewer}
        if order.template == "Annual accounts":
            people["partner"] = demo.owner.id
        body["people"] = [{"role": role, "staff_id": staff} for role, staff in people.items()]
        key = f"{who.number}:{order.template}:{order.end}"
        made = demo.owner.post("workflow/v1/jobs", body, key=f"job:{key}")
        return _advance(demo, made, order.progress, stages, key)

    demo.jobs = each(orders, one)


def _orders(demo: Demo) -> list[Order]:
    today, found = demo.today, []
    quarters = [_quarter(today, back) for back in (1, 2)]
    months = [_month(today, back) for back in (0, 1)]
    for n, (who, client) in enumerate(demo.clients):
        if client["status"] != "active":
            continue
        if who.practice == "law":
            begun = today - timedelta(days=demo.random.randint(1, 25))
            found.append(Order(n, "Contract review", begun, begun, demo.random.choice((0.0, 0.3, 0.6, 1.0))))
            if n % 3 == 0:
                found.append(Order(n, "Company formation", begun, begun, demo.random.choice((0.0, 0.5))))
            continue
        if n % 2 == 0:
            for back, (start, end) in enumerate(quarters):
                late = demo.random.random()
                found.append(Order(n, "VAT return", start, end, 1.0 if back else 0.95 if late < 0.5 else late - 0.4))
        if n % 5 == 0:
            for back, (start, end) in enumerate(months):
                found.append(
                    Order(n, "Monthly payroll", start, end, 1.0 if back else demo.random.choice((0.0, 0.4, 0.7)))
                )
        if n % 4 == 1:
            end = date(today.year if today.month > 3 else today.year - 1, 3, 31)
            found.append(
                Order(
                    n, "Annual accounts", end - timedelta(days=364), end, demo.random.choice((0.2, 0.4, 0.6, 0.8, 1.0))
                )
            )
        if n % 25 == 3:
            begun = today - timedelta(days=demo.random.randint(3, 12))
            found.append(Order(n, "New client", begun, begun, demo.random.choice((0.0, 0.3))))
    return found


def _advance(demo: Demo, job: dict[str, Any], progress: float, stages: dict[str, str], key: str) -> dict[str, Any]:
    """Does tasks in order until the job has come so far; what the client should have sent has come by e-mail."""
    tasks, requests = job["tasks"], job["requests"]
    upto = round(len(tasks) * max(progress, 0.0))
    if upto:
        for request in requests:
            if request["status"] == "sent":
                demo.owner.post(
                    f"workflow/v1/requests/{request['id']}/waive",
                    {"reason": "Received by e-mail"},
                    key=f"waive:{key}:{request['id']}",
                )
    for task in tasks[:upto]:
        for line in task["checklist"]:
            tick = {"key": line["key"], "done": True}
            demo.owner.post(
                f"workflow/v1/tasks/{task['id']}/checklist", tick, key=f"tick:{key}:{task['id']}:{line['key']}"
            )
        body = (
            {"despite_block": "Received by e-mail"}
            if any(r["status"] in ("draft", "scheduled") for r in requests)
            else None
        )
        demo.owner.post(f"workflow/v1/tasks/{task['id']}/done", body, key=f"done:{key}:{task['id']}")
    if upto == len(tasks):
        stage = {"stage_id": stages["done"], "skip_open_tasks": True}
        return dict(demo.owner.post(f"workflow/v1/jobs/{job['id']}/move", stage, key=f"stage:{key}"))
    here = (
        "review"
        if progress >= 0.6
        else "active"
        if upto
        else "waiting"
        if job["status"] == "waiting_for_client"
        else ""
    )
    if here:
        return dict(
            demo.owner.post(f"workflow/v1/jobs/{job['id']}/move", {"stage_id": stages[here]}, key=f"stage:{key}")
        )
    return job


def _quarter(today: date, back: int) -> tuple[date, date]:
    """The calendar quarter that ended `back` quarters ago (1: the last one that is over)."""
    index = today.year * 4 + (today.month - 1) // 3 - back
    start = date(index // 4, index % 4 * 3 + 1, 1)
    after = date((index + 1) // 4, (index + 1) % 4 * 3 + 1, 1)
    return start, after - timedelta(days=1)


def _month(today: date, back: int) -> tuple[date, date]:
    index = today.year * 12 + today.month - 1 - back
    start = date(index // 12, index % 12 + 1, 1)
    after = date((index + 1) // 12, (index + 1) % 12 + 1, 1)
    return start, after - timedelta(days=1)
