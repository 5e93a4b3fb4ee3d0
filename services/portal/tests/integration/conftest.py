"""The portal on a real database, behind its real ASGI application, mailing to a real SMTP server; other services stand at their ports."""

import base64
import hashlib
import re
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiosmtpd.controller import Controller

from chassis.db import new_id
from chassis.errors import Conflict, Invalid
from chassis.testing import ISSUER, World, drop_database, make_world
from portal.app import service
from praxis.clients.v1.events_pb2 import ClientChanged, ContactChanged, ContactRole
from praxis.common.v1.types_pb2 import Audience
from praxis.documents.v1 import documents_pb2 as documents
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.identity.v1.identity_pb2 import IssuePortalTokenResponse
from praxis.workflow.v1.events_pb2 import RequestChanged, RequestItem
from praxis.workflow.v1.workflow_pb2 import RequestReply

FILES = "http://files.praxis.test"


class Mailbox:
    """An SMTP server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.url = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [m for m in self.messages if address in m["To"]]


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    yield box
    controller.stop()


@pytest.fixture(scope="session")
def world(mailbox: Mailbox) -> Iterator[World]:
    made = make_world(
        service,
        smtp_url=mailbox.url,
        mail_from="Praxis <portal@praxis.test>",
        field_key=base64.b64encode(hashlib.sha256(b"only for tests").digest()).decode(),
        s3_public_url=FILES,
    )
    yield made
    made.close()
    drop_database(made.runtime.settings.database_url)


class _Forms(HTMLParser):
    """Hidden fields and texts of a page, as much as the tests need."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.actions: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "input" and said.get("type") == "hidden":
            self.hidden[said["name"] or ""] = said.get("value") or ""
        if tag == "form":
            self.actions.append(said.get("action") or "")


class Browser:
    """What a browser does without JavaScript: cookies by hand (httpx refuses Secure ones on http), Origin, hidden fields."""

    def __init__(self, world: World, address: str = "203.0.113.7") -> None:
        self._client = world.anonymous().client
        self.cookies: dict[str, str] = {}
        self.page: httpx.Response | None = None
        self.address = address

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._send("GET", path, headers)

    def post(
        self,
        path: str,
        form: dict[str, str] | None = None,
        *,
        origin: str | None = ISSUER,
        csrf: bool = True,
        accept: str = "text/html",
        **more: Any,
    ) -> httpx.Response:
        headers = {"accept": accept} | ({"origin": origin} if origin else {})
        hidden = _Forms(self.page.text).hidden if self.page is not None and csrf else {}
        if "json" in more:
            headers |= {"x-csrf": hidden.get("csrf", ""), "accept": "application/json"}
            return self._send("POST", path, headers, **more)
        kept = {k: v for k, v in hidden.items() if k in ("csrf", "back", "secret")}
        return self._send("POST", path, headers, data=kept | (form or {}))

    def follow(self, response: httpx.Response) -> httpx.Response:
        assert response.status_code == 303, f"{response.status_code}: {response.text[:1500]}"
        return self.get(response.headers["location"].removeprefix(ISSUER))

    def _send(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        self._client.cookies.clear()
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        headers = {"x-praxis-source": self.address, **headers} | ({"cookie": cookies} if cookies else {})
        response = self._client.request(method, path, headers=headers, follow_redirects=False, **more)
        for line in response.headers.get_list("set-cookie"):
            assert "Secure" in line
            assert "HttpOnly" in line
            assert "SameSite=Lax" in line
            name, _, value = line.split(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if "text/html" in response.headers.get("content-type", ""):
            self.page = response
        return response


_networks = iter(range(1, 60_000))


class Workflow:
    """Workflow's part of a request at its port: decides as workflow does, in memory."""

    def __init__(self, request: RequestChanged) -> None:
        self.request = request

    def answers(self) -> dict[str, Any]:
        return {"MarkRequestViewed": self._view, "AnswerRequestItem": self._answer, "SubmitRequest": self._submit}

    def _told(self) -> RequestReply:
        self.request.version += 1
        return RequestReply(request=self.request)

    def _view(self, _: Any) -> RequestReply:
        self.request.status = "viewed"
        return self._told()

    def _answer(self, asked: Any) -> RequestReply:
        item = next(i for i in self.request.items if i.item_id == asked.item_id)
        if item.status == "accepted":
            raise Conflict("item_accepted", "This answer was accepted and stays as it is.")
        if item.kind == "number" and asked.outcome == "answered" and not asked.answer.replace(".", "").isdigit():
            raise Invalid("answer_invalid", "Give a number, such as 1234.56.")
        item.status, item.answer = asked.outcome, asked.answer
        item.document_ids[:] = asked.document_ids
        self.request.status = "partly_answered"
        return self._told()

    def _submit(self, _: Any) -> RequestReply:
        left = [i.label for i in self.request.items if i.required and i.status in ("open", "returned")]
        if left:
            raise Conflict("answers_missing", f"Still to answer: {', '.join(left)}.")
        self.request.status = "submitted"
        return self._told()


class Firm:
    """A firm with clients, contacts and what they are asked."""

    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self.world, self.mailbox, self.id = world, mailbox, world.firm()
        self.staff = new_id()
        self.api = world.api(self.id, staff=self.staff)
        firm = {
            "name": "Hartley & Moss",
            "time_zone": "Europe/London",
            "language": "en-GB",
            "quiet_from": "",
            "quiet_until": "",
        }
        world.deliver(self.id, FirmUpdated(firm_id=str(self.id), version=1, **firm))
        self.client = self.add_client("Ada Lovelace Ltd")
        self.email = f"ada-{self.id.hex[-8:]}@example.com"
        self.contact = self.add_contact("Ada Lovelace", self.email, [self.client])
        world.answers("identity", {"IssuePortalToken": self._token})

    def _token(self, asked: Any) -> IssuePortalTokenResponse:
        token = self.world.portal_token(
            UUID(asked.firm_id), [UUID(c) for c in asked.client_ids], UUID(asked.contact_id)
        )
        return IssuePortalTokenResponse(access_token=token, expires_in=600)

    def add_client(self, name: str, visible_to: list[UUID] | None = None) -> UUID:
        id = new_id()
        audience = Audience(private=visible_to is not None, staff_ids=[str(s) for s in visible_to or []])
        self.world.deliver(self.id, ClientChanged(client_id=str(id), name=name, audience=audience, version=1))
        return id

    def add_contact(
        self, name: str, email: str, clients: list[UUID], *, id: UUID | None = None, version: int = 1, **more: Any
    ) -> UUID:
        id = id or new_id()
        facts = {"portal_access": True, "active": True, **more}
        roles = [ContactRole(client_id=str(c), role="director") for c in clients]
        self.world.deliver(
            self.id, ContactChanged(contact_id=str(id), name=name, email=email, roles=roles, version=version, **facts)
        )
        return id

    def add_request(self, items: list[RequestItem], *, client: UUID | None = None, **more: Any) -> Workflow:
        facts = {"title": "VAT return papers", "job_title": "VAT return Q3", "status": "sent", "version": 1, **more}
        request = RequestChanged(
            request_id=str(new_id()), client_id=str(client or self.client), job_id=str(new_id()), items=items, **facts
        )
        self.world.deliver(self.id, request)
        workflow = Workflow(request)
        self.world.answers("workflow", workflow.answers())
        return workflow

    def browser(self) -> Browser:
        number = next(_networks)
        return Browser(self.world, f"198.51.{number // 250}.{number % 250 + 1}")

    def code(self, email: str | None = None) -> str:
        """The code that was mailed last."""
        self.world.run_due(self.id)
        message = self.mailbox.to(email or self.email)[-1]
        return re.sub(r"\D", "", message["Subject"])[:6]

    def signed_in(self) -> Browser:
        browser = self.browser()
        browser.get("/portal/sign-in")
        page = browser.follow(browser.post("/portal/sign-in", {"email": self.email}))
        home = browser.post(str(page.url.path), {"code": self.code()})
        browser.follow(home)
        return browser


@pytest.fixture
def firm(world: World, mailbox: Mailbox) -> Firm:
    return Firm(world, mailbox)


class Documents:
    """Documents' part of an upload at its port."""

    def __init__(self, firm: Firm, refuse: Exception | None = None) -> None:
        self.refuse, self.started = refuse, []
        firm.world.answers(
            "documents",
            {"StartUpload": self._start, "CompleteUpload": self._complete, "CreateDownload": self._download},
        )

    def _start(self, asked: Any) -> documents.StartUploadResponse:
        if asked.size > 100 * 1024 * 1024:
            raise Invalid("too_large", "A file may have at most 100 MB here.")
        self.started.append(asked)
        ids = {"document_id": str(new_id()), "upload_id": str(new_id())}
        if asked.sha256:
            return documents.StartUploadResponse(
                **ids, method="PUT", url=f"{FILES}/b/k", headers={"x-amz-checksum-sha256": "…"}
            )
        return documents.StartUploadResponse(**ids, method="POST", url=f"{FILES}/b", fields={"key": "k", "policy": "p"})

    def _complete(self, asked: Any) -> documents.CompleteUploadResponse:
        if self.refuse:
            raise self.refuse
        sent = self.started[-1]
        document = DocumentChanged(
            document_id=asked.document_id,
            client_id=sent.client_id,
            name=sent.name,
            status="stored",
            size=2048,
            version=2,
        )
        return documents.CompleteUploadResponse(document=document)

    def _download(self, asked: Any) -> documents.CreateDownloadResponse:
        return documents.CreateDownloadResponse(url=f"{FILES}/b/{asked.document_id}?signed", name="x.pdf")
