"""What journeys are told with: the running platform, a firm in it, people who sign in, a contact with a mailbox.

Everything goes through the edge by HTTP, as browsers and partner systems do it.
"""

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import lxml.html

from chassis.testing import Answer, eventually

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Platform:
    """A running platform: where browsers reach it, where its mail can be read, and its own command."""

    app: str
    files: str
    mail: str
    praxis: Callable[..., subprocess.CompletedProcess[str]]
    patience: list[float] = field(default_factory=lambda: [0.0])

    def patiently(self, method: str, url: str, **more: Any) -> tuple[httpx.Response, int]:
        """Asks as a client does that knows its network: when no answer comes, the same request again. Says how often it asked."""
        deadline, tries = time.monotonic() + self.patience[0], 0
        while True:
            tries += 1
            try:
                answer = httpx.request(method, url, timeout=30, **more)
                if answer.status_code not in (502, 503, 504) or time.monotonic() > deadline:
                    return answer, tries
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def status(self) -> dict[str, Any]:
        """Each part's state and process, as `./praxis status --json` says it."""
        return json.loads(self.praxis("status", "--json").stdout)

    def setup_token(self) -> str:
        """A one-time token for a further firm, made as an operator makes it."""
        done = self.praxis("run", "identity", "setup-token")
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def messages(self, to: str) -> list[dict[str, Any]]:
        """Mail to an address, newest first."""
        found = httpx.get(f"{self.mail}/api/messages", params={"to": to}).raise_for_status().json()
        return list(found["items"])

    def mailed(self, to: str, pattern: str) -> str:
        """The first group of `pattern` in the newest mail to that address that has it."""

        def look() -> str | None:
            for message in self.messages(to):
                if match := re.search(pattern, message["text"]):
                    return match[1]
            return None

        return str(eventually(look))


@dataclass
class Person:
    """Somebody who is signed in, and asks the API through the edge."""

    platform: Platform
    token: str
    id: str
    email: str

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        if_match: str | int | None = None,
        key: str | None = None,
        **more: Any,
    ) -> Answer:
        headers = {"authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if if_match is not None:
            headers["if-match"] = if_match if isinstance(if_match, str) else f'"{if_match}"'
        if method == "POST":
            headers["idempotency-key"] = key or str(uuid4())
        if json is not None:
            more["json"] = json
        answer, tries = self.platform.patiently(method, f"{self.platform.app}/api/{path}", headers=headers, **more)
        if answer.status_code == 412 and tries > 1 and method in ("PUT", "PATCH"):
            # The change had been made, only its answer was lost: what stands there now is the answer.
            answer, _ = self.platform.patiently("GET", f"{self.platform.app}/api/{path}", headers=headers)
        return Answer(answer)

    def get(self, path: str, **more: Any) -> Any:
        return self.request("GET", path, **more).expect(200).json

    def post(self, path: str, json: Any = None, *, status: int = 0, **more: Any) -> Any:
        answer = self.request("POST", path, json, **more)
        assert answer.status == status if status else answer.status in (200, 201), (
            f"{path}: {answer.status} {answer.response.text[:1500]}"
        )
        return answer.json

    def put(self, path: str, json: Any, *, if_match: str | int) -> Any:
        return self.request("PUT", path, json, if_match=if_match).expect(200).json

    def patch(self, path: str, json: Any, *, if_match: str | int) -> Any:
        return self.request("PATCH", path, json, if_match=if_match).expect(200).json


def sign_in(platform: Platform, email: str, password: str = PASSWORD) -> Person:
    """Signs a staff member in by password."""
    answer = httpx.post(
        f"{platform.app}/api/identity/v1/sessions", json={"email": email, "password": password}, timeout=30
    )
    session = Answer(answer).expect(201 if answer.status_code == 201 else 200).json
    return Person(platform, session["access_token"], session["me"]["id"], email)


@dataclass
class Firm:
    """A firm with people in it: an owner, and colleagues by what they do."""

    platform: Platform
    id: str
    owner: Person
    tag: str
    people: dict[str, Person] = field(default_factory=dict)

    def address(self, who: str) -> str:
        return f"{who}@{self.tag}.example"

    def hire(self, who: str, *, roles: list[str], grade: str) -> Person:
        """Invites a colleague, who accepts by the mailed link and signs in."""
        email = self.address(who)
        made = self.owner.post(
            "identity/v1/staff",
            {"name": who.title(), "email": email, "roles": roles, "grade": grade, "weekly_capacity_minutes": 2250},
        )
        token = self.platform.mailed(email, r"token=([\w.~-]+)")
        accepted = httpx.post(
            f"{self.platform.app}/api/identity/v1/invitations/accept",
            json={"token": token, "password": PASSWORD},
            timeout=30,
        )
        assert accepted.status_code in (200, 201, 204), accepted.text
        person = sign_in(self.platform, email)
        assert person.id == made["id"]
        self.people[who] = person
        return person


def open_firm(
    platform: Platform, *, currency: str = "GBP", country: str = "GB", time_zone: str = "Europe/London"
) -> Firm:
    """Sets up a new firm as its owner would on their first day."""
    tag = uuid4().hex[:10]
    body = {
        "token": platform.setup_token(),
        "firm": {
            "name": f"Firm {tag}",
            "time_zone": time_zone,
            "currency": currency,
            "country": country,
            "language": "en-GB",
        },
        "owner": {"name": "Olive Owner", "email": f"owner@{tag}.example", "password": PASSWORD},
    }
    made = Answer(httpx.post(f"{platform.app}/api/identity/v1/setup", json=body, timeout=30)).expect(201).json
    return Firm(platform, made["id"], sign_in(platform, body["owner"]["email"]), tag)


@dataclass
class PortalVisitor:
    """A client's contact in the portal: pages, links and forms, as a browser without JavaScript has them."""

    platform: Platform
    email: str
    cookies: dict[str, str] = field(default_factory=dict)
    url: str = ""
    page: Any = None

    def open(self, path: str) -> Any:
        return self._go("GET", urljoin(self.platform.app, path))

    def submit(self, form: Any, **values: str) -> Any:
        """Fills a form in and sends it."""
        data = dict(form.form_values()) | values
        target = urljoin(self.url, form.get("action") or self.url)
        return self._go((form.get("method") or "get").upper(), target, data=data)

    def send_file(self, form: Any, name: str, content: bytes, media_type: str) -> Any:
        """Sends a file by a form whose target is the object store, and follows where the store sends the browser."""
        fields = dict(form.form_values())
        answer, _ = self.platform.patiently(
            "POST", form.get("action"), data=fields, files={"file": (name, content, media_type)}
        )
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:500]}"
        return self._go("GET", answer.headers["location"])

    def form(self, *fragments: str) -> Any:
        """The form of the page whose action or text holds all fragments."""
        for form in self.page.forms:
            text = lxml.html.tostring(form, encoding="unicode").lower()
            if all(f in text for f in fragments):
                return form
        raise LookupError(f"no form with {fragments} at {self.url}: {self.text()[:800]}")

    def text(self) -> str:
        return re.sub(r"\s+", " ", self.page.text_content())

    def _go(self, method: str, url: str, data: dict[str, str] | None = None) -> Any:
        for _ in range(10):
            headers = {"cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
            if method != "GET":
                headers["origin"] = self.platform.app
            answer, _ = self.platform.patiently(method, url, data=data, headers=headers)
            for cookie in answer.headers.get_list("set-cookie"):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            if answer.status_code not in (302, 303):
                break
            method, url, data = "GET", urljoin(url, answer.headers["location"]), None
        assert answer.status_code == 200, f"{answer.status_code} at {url}: {answer.text[:1500]}"
        self.url, self.page = url, lxml.html.fromstring(answer.text)
        return self.page


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
