"""The firm, its people, its clients."""

import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx

from tools.demo.api import Person, each, mailed
from tools.demo.names import DOMAIN, FIRM, OWNER, STAFF, STREETS, Colleague, DemoClient, clients


@dataclass
class Demo:
    """What the demo has made so far."""

    app: str
    mail: str
    password: str
    http: httpx.Client
    today: date
    random: Random
    owner: Person
    people: dict[str, Person] = field(default_factory=dict)  # by name
    clients: list[tuple[DemoClient, dict[str, Any]]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def of_grade(self, grade: str) -> list[Person]:
        return [self.people[c.name] for c in (OWNER, *STAFF) if c.grade == grade and "billing" not in c.roles]


def open_firm(app: str, mail: str, setup_token: str, password: str, today: date) -> Demo:
    """The firm, set up as its owner would; one that is there already is taken as it is."""
    http = httpx.Client(timeout=60)
    chance = Random(2026)  # noqa: S311 - the same firm everywhere, not a secret
    demo = Demo(app, mail, password, http, today, chance, Person(app, http, OWNER.email, password))
    body = {
        "token": setup_token,
        "firm": {
            "name": FIRM, "time_zone": "Europe/London", "currency": "GBP", "country": "GB", "language": "en-GB", "week_start": 1,
            "quiet_from": "20:00", "quiet_until": "07:00",
        },
        "owner": {"name": OWNER.name, "email": OWNER.email, "password": password},
    }  # fmt: skip
    if not _is_there(demo):
        answer = http.post(f"{app}/api/identity/v1/setup", json=body)
        answer.raise_for_status()
    demo.people[OWNER.name] = demo.owner.sign_in()
    return demo


def _is_there(demo: Demo) -> bool:
    answer = demo.http.post(
        f"{demo.app}/api/identity/v1/sessions", json={"email": demo.owner.email, "password": demo.password}
    )
    return answer.is_success


def hire(demo: Demo) -> None:
    """Everyone is invited by mail, accepts and signs in."""
    known = {s["email"]: s for s in demo.owner.get("identity/v1/staff?limit=200")["items"]}

    def one(colleague: Colleague) -> Person:
        if known.get(colleague.email, {}).get("status") != "active":
            made = {
                "name": colleague.name, "email": colleague.email, "roles": list(colleague.roles), "grade": colleague.grade,
                "weekly_capacity_minutes": colleague.weekly_minutes,
            }  # fmt: skip
            demo.owner.post("identity/v1/staff", made, key=f"staff:{colleague.email}")
            token = mailed(demo.http, demo.mail, colleague.email, r"token=([\w.~-]+)")
            accept = {"token": token, "password": demo.password}
            demo.http.post(f"{demo.app}/api/identity/v1/invitations/accept", json=accept).raise_for_status()
        return Person(demo.app, demo.http, colleague.email, demo.password).sign_in()

    for colleague, person in zip(STAFF, each(STAFF, one), strict=True):
        demo.people[colleague.name] = person


def take_on_clients(demo: Demo, count: int) -> None:
    """Clients with a contact each, and what was agreed with them."""
    wanted = clients(count, demo.random)
    managers, partners = demo.of_grade("manager"), demo.of_grade("partner")
    houses = [demo.random.randint(1, 90) for _ in wanted]

    def one(numbered: tuple[int, DemoClient]) -> dict[str, Any]:
        n, who = numbered
        body: dict[str, Any] = {
            "name": who.name, "kind": who.kind, "number": who.number, "tags": [who.practice] + (["vip"] if n % 20 == 0 else []),
            "manager_id": managers[n % len(managers)].id, "partner_id": partners[n % len(partners)].id, "year_end": ("03-31", "12-31", "06-30")[n % 3],
            "status": "prospect" if n % 30 == 29 else "active",
            "address": {"line1": f"{houses[n]} {STREETS[n % len(STREETS)]}", "city": who.place, "postcode": f"HF{n % 20 + 1} {n % 9 + 1}AA", "country": "GB"},
        }  # fmt: skip
        if n == 41:  # one client only its partners and manager may see
            body["visible_to"] = sorted({demo.owner.id, *(p.id for p in partners), managers[n % len(managers)].id})
        made = demo.owner.post("clients/v1/clients", body, key=f"client:{who.number}")
        contact = {
            "name": who.contact, "email": who.contact_email, "portal_access": who.kind == "organisation" or n % 2 == 0,
            "clients": [{"client_id": made["id"], "roles": ["client" if who.kind == "person" else "director"]}],
        }  # fmt: skip
        demo.owner.post("clients/v1/contacts", contact, key=f"contact:{who.number}")
        if body["status"] == "active":
            demo.owner.post(
                "clients/v1/engagements", _engagement(demo, n, who, made["id"]), key=f"engagement:{who.number}"
            )
        return dict(made)

    demo.clients = list(zip(wanted, each(list(enumerate(wanted)), one), strict=True))


def _engagement(demo: Demo, n: int, who: DemoClient, client_id: str) -> dict[str, Any]:
    fees: list[dict[str, Any]] = [
        {"kind": "hourly"},
        {"kind": "recurring", "amount": {"amount": f"{150 + n % 5 * 50}.00", "currency": "GBP"}, "interval": "monthly"},
        {"kind": "fixed", "amount": {"amount": f"{900 + n % 7 * 150}.00", "currency": "GBP"}},
    ]
    seniors, juniors, managers = demo.of_grade("senior"), demo.of_grade("junior"), demo.of_grade("manager")
    preparers = seniors + juniors
    return {
        "client_id": client_id,
        "title": "Legal advice" if who.practice == "law" else "Accounts, tax and payroll",
        "service": "contract" if who.practice == "law" else "vat",
        "starts_on": (demo.today - timedelta(days=400)).isoformat(),
        "fee": fees[0] if who.practice == "law" else fees[n % 3],
        "people": [
            {"job_role": "preparer", "staff_id": preparers[n % len(preparers)].id},
            {"job_role": "reviewer", "staff_id": managers[n % len(managers)].id},
        ],
    }


def invite_contacts(demo: Demo, count: int) -> list[str]:
    """The first contacts are invited to the portal; their addresses."""
    found = demo.owner.get("clients/v1/contacts?limit=200")["items"]
    by_email = {c["email"]: c for c in found}
    emails = [who.contact_email for who, _ in demo.clients if by_email.get(who.contact_email, {}).get("portal_access")][
        :count
    ]
    for email in emails:
        demo.owner.post("portal/v1/invitations", {"contact_id": by_email[email]["id"]}, key=f"invitation:{email}")
    return emails


def brand(demo: Demo) -> None:
    """How the firm shows itself to clients, on pages and invoices."""
    answer = demo.http.get(
        f"{demo.app}/api/portal/v1/branding", headers={"authorization": f"Bearer {demo.owner.token}"}
    )
    answer.raise_for_status()
    now = answer.json()
    if now.get("display_name") != FIRM or not now.get("footer"):
        body = {
            "display_name": FIRM, "accent": "#0f766e", "address": "12 Quay Street\nBristol BS1 4DJ",
            "footer": f"{FIRM} LLP · billing@{DOMAIN} · VAT GB 000 0000 00",
        }  # fmt: skip
        version = int(answer.headers["etag"].strip('"'))
        demo.owner.change("portal/v1/branding", body, version=version)


def environment() -> tuple[str, str, str, str]:
    """Where the platform is: its address, its mail, the set-up token, the password of all demo people."""
    names = ("PRAXIS_PUBLIC_URL", "PRAXIS_MAIL_URL", "PRAXIS_SETUP_TOKEN", "PRAXIS_DEMO_PASSWORD")
    missing = [n for n in names if not os.environ.get(n)]
    if missing:
        raise SystemExit(f"settings missing: {', '.join(missing)} (./praxis demo sets them)")
    app, mail, token, password = (os.environ[n] for n in names)
    return app, mail, token, password
