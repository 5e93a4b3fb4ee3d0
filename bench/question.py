"""question: an operation that asks another service over gRPC.

Two ratios. The question alone: timebilling's GetInvoice through chassis (two tokens verified, a unit of work under row-level security) against a bare gRPC
method that reads the same invoice by raw SQL. And the operation around it: the portal's page of one invoice, which asks, against its list of invoices, which
reads the portal's own copy.
"""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import grpc
import httpx

from bench import load, log_time, servers
from bench.report import Figure, Report, median
from chassis import rpc
from chassis.testing import eventually
from praxis.timebilling.v1 import timebilling_pb2 as tb
from tests.e2e.support import Firm, Platform, PortalVisitor, open_firm

ROUNDS, SECONDS, THREADS = 3, 4.0, 8
METHOD = "/praxis.timebilling.v1.Timebilling/GetInvoice"


def main(_words: list[str]) -> None:
    report = Report("question")
    with servers.running() as found:
        where = found["addresses"]
        platform = Platform(where["app"], where["files"], where["mail"], servers.praxis)
        firm = open_firm(platform)
        invoice, visitor = _invoice(firm)
        _asking(report, firm, invoice, visitor)
        _pages(report, invoice, visitor)
    report.keep()


def _invoice(firm: Firm) -> tuple[dict[str, Any], PortalVisitor]:
    """An issued invoice and the contact who may see it, signed in."""
    owner, today = firm.owner, datetime.now(UTC).date().isoformat()
    client = eventually(
        lambda: owner.post("clients/v1/clients", {"name": "Bench Ltd", "kind": "organisation"}, status=201)
    )
    contact = {
        "name": "Bea Bench",
        "email": firm.address("bea"),
        "portal_access": True,
        "clients": [{"client_id": client["id"], "roles": ["director"]}],
    }
    contact = owner.post("clients/v1/contacts", contact, status=201)
    job = owner.post("workflow/v1/jobs", {"client_id": client["id"], "title": "Bench"}, status=201)
    hour = {"amount": "100.00", "currency": "GBP"}
    owner.post(
        "timebilling/v1/rates", {"kind": "bill", "level": "firm", "rate": hour, "from": "2026-01-01"}, status=201
    )
    tax = {"code": "VAT20", "label": "VAT", "category": "S", "percent": "20", "from": "2026-01-01"}
    code = owner.post("timebilling/v1/tax-codes", tax, status=201)
    settings = owner.request("GET", "timebilling/v1/settings").expect(200)
    owner.patch("timebilling/v1/settings", {"default_tax_code_id": code["id"]}, if_match=settings.etag)
    body = {"job_id": job["id"], "day": today, "seconds": 3600, "narrative": "Advice"}
    entries = [owner.post("timebilling/v1/time-entries", body, status=201)["id"] for _ in range(10)]
    owner.post("timebilling/v1/time-entries/submit", {"ids": entries})
    owner.post("timebilling/v1/time-entries/approve", {"ids": entries})
    draft = owner.post("timebilling/v1/invoices", {"client_id": client["id"], "group_by": "entry"}, status=201)
    issued = owner.post(f"timebilling/v1/invoices/{draft['id']}/issue", {})
    eventually(
        lambda: owner.request("POST", "portal/v1/invitations", {"contact_id": contact["id"]}).status in (200, 201, 202)
    )
    visitor = PortalVisitor(firm.platform, contact["email"])
    visitor.open("/portal/sign-in")
    visitor.submit(visitor.form("email"), email=contact["email"])
    visitor.submit(
        visitor.form("code"), code=firm.platform.mailed(contact["email"], r"\b(\d{3} ?\d{3})\b").replace(" ", "")
    )
    eventually(lambda: visitor.open("/portal/invoices") is not None and issued["number"] in visitor.text())
    return issued, visitor


def _asking(report: Report, firm: Firm, invoice: dict[str, Any], visitor: PortalVisitor) -> None:
    from tools.launcher.area import Area
    from tools.launcher.platform import Platform as Launched

    launched = Launched(Area(servers.STATE / "run", servers.STATE / "secrets"))
    form = {
        "grant_type": "client_credentials",
        "client_id": "service:portal",
        "client_secret": launched.service_secret("portal"),
        "firm": firm.id,
    }
    service = (
        httpx.post(f"{firm.platform.app}/api/identity/v1/oauth/token", data=form)
        .raise_for_status()
        .json()["access_token"]
    )
    metadata = [("authorization", f"Bearer {service}"), (rpc.USER, visitor.cookies["__Host-praxis-portal"])]
    request = tb.GetInvoiceRequest(invoice_id=invoice["id"])
    bare = subprocess.Popen(
        [sys.executable, "-m", "bench.bound_grpc", launched.database_url("timebilling", "owner"), firm.id],
        stdout=subprocess.PIPE, text=True, cwd=servers.ROOT,
    )  # fmt: skip
    try:
        assert bare.stdout is not None
        targets = {
            "bound": f"127.0.0.1:{int(bare.stdout.readline())}",
            "ours": launched.bind("timebilling-grpc", "grpc"),
        }
        rates: dict[str, list[float]] = {"bound": [], "ours": []}
        for _ in range(ROUNDS):
            for name, target in targets.items():
                rates[name].append(_calls(target, request, metadata))
        report.add(
            Figure("GetInvoice over gRPC", median(rates["ours"]), median(rates["bound"]), "calls/s", "≥ 0.7", rates)
        )
    finally:
        bare.terminate()
        bare.wait()


def _calls(target: str, request: Any, metadata: list[tuple[str, str]]) -> float:
    """Calls a second, from some threads on one channel."""
    done = [0] * THREADS
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(
            METHOD,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=tb.GetInvoiceResponse.FromString,
        )
        assert call(request, timeout=10, metadata=metadata).number
        began = time.perf_counter()
        deadline = began + SECONDS

        def work(index: int) -> None:
            while time.perf_counter() < deadline:
                call(request, timeout=10, metadata=metadata)
                done[index] += 1

        threads = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - began)


def _pages(report: Report, invoice: dict[str, Any], visitor: PortalVisitor) -> None:
    cookie = "; ".join(f"{k}={v}" for k, v in visitor.cookies.items() if k == "__Host-praxis-portal")
    port = log_time.port("portal-http")
    headers = {"cookie": cookie, "x-forwarded-proto": "http"}
    asks = load.request("GET", f"/portal/invoices/{invoice['id']}", headers=headers)
    plain = load.request("GET", "/portal/invoices", headers=headers)
    rates: dict[str, list[float]] = {"asks": [], "plain": []}
    for _ in range(ROUNDS):
        for name, sent in (("plain", plain), ("asks", asks)):
            result = load.run(port, lambda _, sent=sent: sent, connections=8, seconds=SECONDS)  # type: ignore[misc]
            assert not result.errors, f"{result.errors} errors"
            rates[name].append(result.rate)
    report.add(
        Figure(
            "a page that asks ÷ one that does not",
            median(rates["asks"]),
            median(rates["plain"]),
            "requests/s",
            "≥ 0.5",
            rates,
        )
    )
