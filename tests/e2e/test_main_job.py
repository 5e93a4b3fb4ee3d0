"""The main job, end to end: a recurring service becomes work, the client answers, time becomes an invoice, the invoice money.

Nothing is faked: every step goes through the edge, and what crosses services arrives by events.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import httpx
import pypdf
import pytest

from chassis.testing import eventually
from tests.e2e.support import Firm, Person, Platform, PortalVisitor, open_firm, sha256

PERIOD = {"period_start": "2026-07-01", "period_end": "2026-09-30"}

TEMPLATE = {
    "title": "{template}, {period}",
    "statutory_due": {"anchor": "period_end", "amount": 1, "unit": "months", "plus_days": 7, "roll": "next"},
    "internal_due": {"anchor": "period_end", "amount": 25, "unit": "days", "roll": "previous"},
    "owner_role": "reviewer",
    "roles": [{"role": "preparer"}, {"role": "reviewer"}],
    "tasks": [
        {
            "key": "collect",
            "title": "Check that records are complete",
            "role": "preparer",
            "due": {"anchor": "period_end", "amount": 10, "unit": "days", "roll": "next"},
            "budget_minutes": 60,
        },
        {
            "key": "prepare",
            "title": "Prepare the return",
            "role": "preparer",
            "due": {"anchor": "period_end", "amount": 12, "unit": "business_days"},
            "budget_minutes": 180,
        },
        {
            "key": "review",
            "title": "Review and file",
            "role": "reviewer",
            "due": {"anchor": "period_end", "amount": 25, "unit": "days", "roll": "previous"},
            "budget_minutes": 60,
        },
    ],
    "requests": [
        {
            "key": "records",
            "title": "Records for your VAT return",
            "message": "Please send us what we need for the quarter.",
            "due": {"anchor": "period_end", "amount": 7, "unit": "days", "roll": "next"},
            "items": [
                {"kind": "file", "label": "Bank statements"},
                {"kind": "yes_no", "label": "Did you buy a vehicle?"},
                {"kind": "text", "label": "Anything unusual?", "required": False},
            ],
        }
    ],
    "dependencies": [
        {"before": "records", "after": "collect"},
        {"before": "collect", "after": "prepare"},
        {"before": "prepare", "after": "review"},
    ],
}


@pytest.fixture(scope="module")
def firm(platform: Platform) -> Firm:
    firm = open_firm(platform)
    firm.hire("manager", roles=["manager"], grade="manager")
    firm.hire("senior", roles=["staff"], grade="senior")
    return firm


def test_the_main_job(platform: Platform, firm: Firm) -> None:
    main_job(platform, firm)


def main_job(platform: Platform, firm: Firm, before: Callable[[str], None] = lambda step: None) -> None:
    """All of it, for one client; `before` is told which step comes next."""
    manager, senior = firm.people["manager"], firm.people["senior"]
    before("client")
    client = create_client(firm, manager)
    contact = create_contact(firm, manager, client)
    before("template")
    template = publish_template(manager)
    before("job")
    job = apply_template(manager, senior, client, template)
    before("portal")
    visitor = sign_in_to_the_portal(platform, firm, manager, contact)
    before("request")
    document = answer_the_request(visitor, senior, job)
    before("tasks")
    job = work_the_tasks(manager, senior, job)
    before("time")
    entries = log_time(senior, job)
    before("approval")
    approve_time(firm, manager, senior, client, job, entries)
    before("invoice")
    invoice = issue_the_invoice(firm, client)
    before("pdf")
    check_the_pdf(firm, invoice)
    find_the_invoice_in_the_portal(visitor, invoice)
    before("payment")
    pay_a_part(firm, invoice)
    before("overview")
    see_it_all(firm, manager, client, job, invoice, document)


def create_client(firm: Firm, manager: Person) -> dict:
    owner = firm.owner
    eventually(
        lambda: (
            manager.request(
                "POST", "clients/v1/clients", {"name": "Probe Ltd", "kind": "organisation", "manager_id": manager.id}
            ).status
            == 201
        )
    )
    client = owner.post(
        "clients/v1/clients",
        {
            "name": "Marlow Pottery Ltd",
            "kind": "organisation",
            "number": "MAR001",
            "manager_id": manager.id,
            "partner_id": owner.id,
            "address": {"line1": "4 Kiln Lane", "city": "Marlow", "postcode": "SL7 1AA", "country": "GB"},
        },
        status=201,
    )
    assert client["currency"] == "GBP"
    found = eventually(lambda: manager.get("clients/v1/search?q=marlow potery")["items"])
    assert found[0]["id"] == client["id"]
    return client


def create_contact(firm: Firm, manager: Person, client: dict) -> dict:
    body = {
        "name": "Mina Marlow",
        "email": firm.address("mina"),
        "portal_access": True,
        "clients": [{"client_id": client["id"], "roles": ["director"]}],
    }
    return manager.post("clients/v1/contacts", body, status=201)


def publish_template(manager: Person) -> dict:
    made = manager.post("workflow/v1/templates", {"name": "VAT return", "service": "vat"}, status=201)
    saved = manager.put(f"workflow/v1/templates/{made['id']}/draft", TEMPLATE, if_match=made["version"])
    published = manager.post(f"workflow/v1/templates/{saved['id']}/publish")
    assert published["current_version"] == 1
    return published


def apply_template(manager: Person, senior: Person, client: dict, template: dict) -> dict:
    """Owners by role, dates by rule: 30 September 2026 is a Wednesday; 7 November a Saturday."""
    body = {
        "client_id": client["id"],
        "template_id": template["id"],
        **PERIOD,
        "people": [{"role": "preparer", "staff_id": senior.id}, {"role": "reviewer", "staff_id": manager.id}],
    }
    made = eventually(lambda: created_job(manager, body))
    job = manager.get(f"workflow/v1/jobs/{made['id']}")
    assert job["title"] == "VAT return, Q3 2026"
    assert job["owner"]["id"] == manager.id
    tasks = {t["title"]: t for t in job["tasks"]}
    assert [(t["owner"]["id"], t["due_on"], t["blocked"]) for t in job["tasks"]] == [
        (senior.id, "2026-10-12", True),  # 10 October is a Saturday: next business day
        (senior.id, "2026-10-16", True),  # 12 business days after Wednesday, 30 September
        (manager.id, "2026-10-23", True),  # 25 October is a Sunday: the business day before
    ]
    assert len(tasks) == 3
    assert (
        job["statutory_due_on"] == "2026-11-09"
    )  # one month and seven days after the period; 7 November is a Saturday
    (request,) = job["requests"]
    assert request["status"] == "sent"
    assert manager.request("POST", "workflow/v1/jobs", body).problem(409, "period_already_made")
    return job


def created_job(manager: Person, body: dict) -> dict | None:
    answer = manager.request("POST", "workflow/v1/jobs", body)
    assert answer.status == 201, answer.response.text
    return answer.json


def sign_in_to_the_portal(platform: Platform, firm: Firm, manager: Person, contact: dict) -> PortalVisitor:
    eventually(
        lambda: (
            manager.request("POST", "portal/v1/invitations", {"contact_id": contact["id"]}).status in (200, 201, 202)
        )
    )
    link = platform.mailed(contact["email"], r"(https?://\S+/portal\S*)")
    visitor = PortalVisitor(platform, contact["email"])
    visitor.open(link)
    visitor.open("/portal/sign-in")
    visitor.submit(visitor.form("email"), email=contact["email"])
    code = platform.mailed(contact["email"], r"\b(\d{3} ?\d{3})\b").replace(" ", "")
    visitor.submit(visitor.form("code"), code=code)
    eventually(lambda: "Records for your VAT return" in (visitor.open("/portal/") is not None and visitor.text()))
    return visitor


def answer_the_request(visitor: PortalVisitor, senior: Person, job: dict) -> dict:
    """The client answers and sends a file straight to the object store; the waiting task unblocks by itself."""
    (link,) = {a for a in visitor.page.xpath("//a/@href") if "/requests/" in a}
    content = b"%PDF-1.4\n% bank statement\n" + uuid4().bytes * 500
    visitor.open(link)
    items = {
        h.text_content().strip(): h.xpath("ancestor::section/@id")[0].removeprefix("item-")
        for h in visitor.page.xpath("//section//h2")
    }
    visitor.submit(
        visitor.form("answer-"), do=f"add:{items['Bank statements']}"
    )  # without JavaScript: a form for the store
    visitor.send_file(visitor.form("amz-signature"), "statement.pdf", content, "application/pdf")
    visitor.open(link)
    answers = {items["Did you buy a vehicle?"]: "no", items["Anything unusual?"]: "Nothing this quarter."}
    visitor.submit(visitor.form("answer-"), do="save", **{f"answer-{id}": answer for id, answer in answers.items()})
    visitor.open(link)
    visitor.submit(visitor.form("answer-"), do="submit")

    def unblocked() -> dict | None:
        now = senior.get(f"workflow/v1/jobs/{job['id']}")
        return now if not now["tasks"][0]["blocked"] else None

    now = eventually(unblocked)
    (request,) = now["requests"]
    assert request["status"] == "submitted"
    given = {i["label"]: i for i in request["items"]}
    assert given["Did you buy a vehicle?"]["answer"] == "no"
    (document_id,) = given["Bank statements"]["document_ids"]
    (document,) = eventually(
        lambda: [
            d for d in senior.get(f"documents/v1/documents?job_id={job['id']}")["items"] if d["status"] == "stored"
        ]
    )
    assert document["id"] == document_id
    assert document["sha256"] == sha256(content)
    download = senior.post(f"documents/v1/documents/{document_id}/downloads")
    got = httpx.get(download["url"], timeout=30)
    assert got.content == content
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in got.headers["content-disposition"]
    return document


def work_the_tasks(manager: Person, senior: Person, job: dict) -> dict:
    """Tasks are done in turn, the job moves, and its status follows from that."""
    manager.post(f"workflow/v1/requests/{job['requests'][0]['id']}/accept")
    collect, prepare, review = (t["id"] for t in job["tasks"])
    senior.request("POST", f"workflow/v1/tasks/{prepare}/done").problem(409, "task_blocked")
    for task, who in ((collect, senior), (prepare, senior), (review, manager)):
        who.post(f"workflow/v1/tasks/{task}/start")
        who.post(f"workflow/v1/tasks/{task}/done")
    stages = manager.get("workflow/v1/stages")["items"]
    done = next(s for s in stages if s["kind"] == "done")
    moved = manager.post(f"workflow/v1/jobs/{job['id']}/move", {"stage_id": done["id"]})
    assert moved["status"] == "done"
    assert moved["status_why"]["says"] if "status_why" in moved else moved["why"]["says"]
    return moved


def log_time(senior: Person, job: dict) -> list[str]:
    def entry(seconds: int, narrative: str) -> str:
        body = {
            "job_id": job["id"],
            "task_id": job["tasks"][1]["id"],
            "day": datetime.now(UTC).date().isoformat(),
            "seconds": seconds,
            "narrative": narrative,
        }
        return senior.post("timebilling/v1/time-entries", body, status=201)["id"]

    return [entry(2 * 3600, "Prepared the return"), entry(420, "Call with the client")]


def approve_time(firm: Firm, manager: Person, senior: Person, client: dict, job: dict, entries: list[str]) -> None:
    """Seniors charge GBP 150.00 for this client; rounding is up to six minutes: 2 h and 7 min → 2.2 h = GBP 330.00."""
    owner = firm.owner
    settings = owner.request("GET", "timebilling/v1/settings").expect(200)
    rounding = {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0}
    owner.patch(
        "timebilling/v1/settings",
        {"rounding": rounding},
        if_match=settings.etag,
    )
    owner.post(
        "timebilling/v1/rates",
        {"kind": "bill", "level": "firm", "rate": gbp("100.00"), "from": "2026-01-01"},
        status=201,
    )
    owner.post(
        "timebilling/v1/rates",
        {
            "kind": "bill",
            "level": "client_grade",
            "client_id": client["id"],
            "grade": "senior",
            "rate": gbp("150.00"),
            "from": "2026-04-01",
        },
        status=201,
    )
    senior.post("timebilling/v1/time-entries/submit", {"ids": entries})
    answer = manager.post("timebilling/v1/time-entries/approve", {"ids": entries})
    assert answer["failed"] == 0, answer
    why = manager.get(f"timebilling/v1/time-entries/{entries[0]}/why")
    assert "150.00" in str(why)
    wip = owner.get(f"timebilling/v1/wip/clients/{client['id']}")
    assert wip["unbilled"] == gbp("330.00")
    eventually(lambda: manager.get(f"workflow/v1/jobs/{job['id']}")["logged_minutes"] == 127)


def issue_the_invoice(firm: Firm, client: dict) -> dict:
    owner = firm.owner
    code = owner.post(
        "timebilling/v1/tax-codes",
        {"code": "VAT20", "label": "VAT", "category": "S", "percent": "20", "from": "2026-01-01"},
        status=201,
    )
    settings = owner.request("GET", "timebilling/v1/settings").expect(200)
    owner.patch("timebilling/v1/settings", {"default_tax_code_id": code["id"]}, if_match=settings.etag)
    draft = owner.post("timebilling/v1/invoices", {"client_id": client["id"]}, status=201)
    assert draft["number"] is None
    draft = owner.patch(
        f"timebilling/v1/invoices/{draft['id']}",
        {"net": gbp("300.00"), "reason": "Agreed discount"},
        if_match=draft["version"],
    )
    issued = owner.post(f"timebilling/v1/invoices/{draft['id']}/issue", {})
    assert issued["number"] == "INV-000001"
    assert (issued["net"], issued["tax"], issued["total"]) == (gbp("300.00"), gbp("60.00"), gbp("360.00"))
    owner.request("POST", f"timebilling/v1/invoices/{draft['id']}/issue", {}).problem(409, "invoice_already_issued")
    return issued


def check_the_pdf(firm: Firm, invoice: dict) -> None:
    def kept() -> str | None:
        return firm.owner.get(f"timebilling/v1/invoices/{invoice['id']}")["document_id"]

    document_id = eventually(kept)
    download = eventually(
        lambda: firm.owner.request("POST", f"documents/v1/documents/{document_id}/downloads").expect(201).json
    )
    text = "".join(
        page.extract_text() for page in pypdf.PdfReader(BytesIO(httpx.get(download["url"], timeout=30).content)).pages
    )
    assert "INV-000001" in text
    assert "360.00" in text
    assert "Marlow Pottery Ltd" in text


def find_the_invoice_in_the_portal(visitor: PortalVisitor, invoice: dict) -> None:
    eventually(lambda: invoice["number"] in (visitor.open("/portal/invoices") is not None and visitor.text()))
    (link,) = {a for a in visitor.page.xpath("//a/@href") if f"/invoices/{invoice['id']}" in a and "download" not in a}
    visitor.open(link)
    assert "360.00" in visitor.text()


def pay_a_part(firm: Firm, invoice: dict) -> None:
    def pay(amount: str) -> object:
        body = {
            "client_id": invoice["client_id"],
            "amount": gbp(amount),
            "received_on": datetime.now(UTC).date().isoformat(),
            "allocations": [{"invoice_id": invoice["id"], "amount": gbp(amount)}],
        }
        return firm.owner.request("POST", "timebilling/v1/payments", body)

    pay("360.01").problem(409, "payment_over_balance")
    pay("160.00").expect(201)
    now = firm.owner.get(f"timebilling/v1/invoices/{invoice['id']}")
    assert now["status"] == "part_paid"
    assert now["balance"] == gbp("200.00")


def see_it_all(firm: Firm, manager: Person, client: dict, job: dict, invoice: dict, document: dict) -> None:
    work = manager.get("workflow/v1/overview")
    assert work["done_last_30_days"] == 1
    assert work["counts"]["total"] == 0
    money = firm.owner.get("timebilling/v1/overview")["currencies"][0]
    assert Decimal(money["debtors"]["amount"]) == Decimal("200.00")
    assert Decimal(money["billed_this_month"]["amount"]) == Decimal("300.00")
    assert Decimal(money["wip"]["amount"]) == 0
    wip = firm.owner.get(f"timebilling/v1/wip/jobs/{job['id']}")
    assert (wip["standard"], wip["billed"], wip["written_down"], wip["remaining"]) == (
        gbp("330.00"),
        gbp("300.00"),
        gbp("30.00"),
        gbp("0.00"),
    )
    names = {d["name"] for d in manager.get(f"documents/v1/documents?client_id={client['id']}")["items"]}
    assert {"INV-000001.pdf", document["name"]} <= names


def gbp(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}
