"""A year of time, rates to charge it by, invoices and what was paid of them."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tools.demo.api import Person, each
from tools.demo.firm import Demo

RATES = {"partner": 280, "manager": 190, "senior": 130, "junior": 85}
COSTS = {"partner": 95, "manager": 62, "senior": 41, "junior": 27}
WORDS = ("Prepared", "Reviewed", "Reconciled", "Call with the client about", "Research for", "Correspondence on")


def set_rates(demo: Demo) -> None:
    """What each grade charges and costs; six-minute rounding; VAT."""
    since = (demo.today - timedelta(days=730)).isoformat()
    rates = [
        {"kind": kind, "level": "grade", "grade": grade, "rate": _gbp(amount)}
        for kind, amounts in (("bill", RATES), ("cost", COSTS))
        for grade, amount in amounts.items()
    ]
    demo.owner.post("timebilling/v1/rates/set", {"from": since, "rates": rates}, key="rates")
    code = demo.owner.post(
        "timebilling/v1/tax-codes",
        {"code": "VAT20", "label": "VAT", "category": "S", "percent": "20", "from": since},
        key="vat",
    )
    settings, version = demo.owner.etag("timebilling/v1/settings")
    if settings["default_tax_code_id"] != code["id"]:
        demo.owner.change("timebilling/v1/settings", {"default_tax_code_id": code["id"]}, version=version)
    for name, billable in (("Preparation", True), ("Review", True), ("Meeting", True), ("Administration", False)):
        demo.owner.post("timebilling/v1/activities", {"name": name, "billable": billable}, key=f"activity:{name}")


def log_time(demo: Demo) -> None:
    """Every job has been worked on by its people, in its time; all but the last fortnight is approved."""
    entries = [entry for job in demo.jobs for entry in _entries(demo, job)]
    by_id = {p.id: p for p in demo.people.values()}

    def one(numbered: tuple[int, tuple[str, dict[str, Any]]]) -> tuple[str, str]:
        n, (staff, body) = numbered
        made = by_id[staff].post("timebilling/v1/time-entries", body, key=f"time:{n}:{body['job_id']}")
        return made["id"], body["day"]

    logged = each(list(enumerate(entries)), one)
    recent = (demo.today - timedelta(days=14)).isoformat()
    submitted = [id for id, day in logged if day < (demo.today - timedelta(days=4)).isoformat()]
    approved = [id for id, day in logged if day < recent]
    for start in range(0, len(submitted), 400):
        demo.owner.post(
            "timebilling/v1/time-entries/submit", {"ids": submitted[start : start + 400]}, key=f"submit:{start}"
        )
    for start in range(0, len(approved), 400):
        demo.owner.post(
            "timebilling/v1/time-entries/approve", {"ids": approved[start : start + 400]}, key=f"approve:{start}"
        )


def _entries(demo: Demo, job: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for task in job["tasks"]:
        if task["status"] != "done" or not task["owner"]:
            continue
        due = date.fromisoformat(task["due_on"]) if task["due_on"] else demo.today
        day = _working_day(min(due, demo.today) - timedelta(days=demo.random.randint(0, 6)))
        minutes = max(6, round(task["budget_minutes"] * demo.random.uniform(0.6, 1.35)))
        narrative = f"{demo.random.choice(WORDS)} {job['title']}"
        found.append(
            (
                task["owner"]["id"],
                {
                    "job_id": job["id"],
                    "task_id": task["id"],
                    "day": day.isoformat(),
                    "seconds": minutes * 60,
                    "narrative": narrative,
                },
            )
        )
    return found


def _working_day(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


def bill(demo: Demo) -> None:
    """Each client's WIP up to last month's end is billed; older invoices are paid, some in part, some late."""
    until = demo.today.replace(day=1) - timedelta(days=1)
    bills: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for n, who in enumerate(demo.owner.get("timebilling/v1/wip?limit=200")["items"]):
        # The oldest work goes out first; of one client in six, work waits to be billed.
        months = [
            back
            for back in (2, 1, 0)
            if (who["oldest_day"] or "9999") <= (until - timedelta(days=31 * back)).isoformat()
        ]
        if months and n % 6 != 5:
            bills[months[n % len(months)]].append(who)
    for back, month in sorted(bills.items(), reverse=True):
        issued_on = until - timedelta(days=31 * back)
        each(month, lambda who, on=issued_on, back=back: _bill_one(demo, demo.owner, who, on, back))  # type: ignore[misc]


def _bill_one(demo: Demo, biller: Person, who: dict[str, Any], issued_on: date, back: int) -> None:
    id = who["client_id"]
    draft = biller.post("timebilling/v1/invoices", {"client_id": id, "until": issued_on.isoformat()}, key=f"draft:{id}")
    seed = int(id[-4:], 16)
    if seed % 5 == 0:
        net = (Decimal(draft["net"]["amount"]) * Decimal("0.9")).quantize(Decimal("1"))
        draft = biller.change(
            f"timebilling/v1/invoices/{draft['id']}",
            {"net": _gbp(net), "reason": "Agreed fee"},
            version=draft["version"],
        )
    if seed % 11 == 0:
        return  # a draft somebody is still looking at
    issued = biller.post(
        f"timebilling/v1/invoices/{draft['id']}/issue", {"issued_on": issued_on.isoformat()}, key=f"issue:{id}"
    )
    share = Decimal(0) if seed % 7 == 0 or (back == 0 and seed % 3) else Decimal("0.5") if seed % 7 == 1 else Decimal(1)
    amount = (Decimal(issued["total"]["amount"]) * share).quantize(Decimal("0.01"))
    if amount:
        payment = {
            "client_id": id, "amount": _gbp(amount), "received_on": min(issued_on + timedelta(days=5 + seed % 20), demo.today).isoformat(),
            "reference": f"BACS {issued['number']}", "allocations": [{"invoice_id": issued["id"], "amount": _gbp(amount)}],
        }  # fmt: skip
        biller.post("timebilling/v1/payments", payment, key=f"payment:{id}")


def _gbp(amount: int | Decimal) -> dict[str, str]:
    return {"amount": f"{Decimal(amount):.2f}", "currency": "GBP"}
