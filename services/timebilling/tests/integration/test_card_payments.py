"""Paying by card: Stripe's API answered by a server of our own, its events signed as it signs them."""

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import Conflict, NotFound, Unavailable
from praxis.timebilling.v1.timebilling_pb2 import GetInvoiceRequest, StartCheckoutRequest
from timebilling.card_payments.usecases import book_fee

SECRET = "whsec_only_for_tests"
NOBODY = "018f0000-0000-7000-8000-000000000000"


def money(amount: str, currency: str = "GBP") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


class Stripe:
    """What of Stripe's API we use, with its idempotency: the same key gives the same thing."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, str]] = {}
        self.refunds: list[dict[str, str]] = []
        self.fee: dict[str, Any] | None = None  # the balance transaction of every charge, once there is one
        self.accounts: list[str | None] = []
        self.down = False
        self._answers: dict[str, dict[str, Any]] = {}
        self._count = itertools.count(1)
        self._lock = threading.Lock()
        stripe = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers.get("content-length") or 0)).decode()))
                self._reply(*stripe.post(self.path, form, self.headers))

            def do_GET(self) -> None:
                self._reply(*stripe.get(self.path))

            def _reply(self, status: int, body: dict[str, Any]) -> None:
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def post(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, dict[str, Any]]:
        if self.down:
            return 503, {"error": {"type": "api_error", "message": "down"}}
        with self._lock:
            key = headers["idempotency-key"]
            self.accounts.append(headers.get("stripe-account"))
            if key not in self._answers:
                self._answers[key] = self._make(path, form)
            made = self._answers[key]
            return (400, made) if "error" in made else (200, made)

    def _make(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        number = next(self._count)
        if path == "/v1/checkout/sessions":
            self.sessions[f"cs_{number}"] = form
            return {
                "id": f"cs_{number}",
                "object": "checkout.session",
                "url": f"https://checkout.stripe.com/c/{number}",
            }
        if form["payment_intent"] == "pi_gone":
            return {
                "error": {
                    "type": "invalid_request_error",
                    "code": "charge_already_refunded",
                    "message": "Charge has already been refunded.",
                }
            }
        self.refunds.append(form)
        return {"id": f"re_{number}", "object": "refund", "status": "succeeded"}

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        intent = path.split("?")[0].rpartition("/")[2]
        session = self.sessions.get(intent.replace("pi_", "cs_"), {})
        metadata = {
            k.partition("[metadata][")[2].rstrip("]"): v
            for k, v in session.items()
            if "payment_intent_data[metadata]" in k
        }
        # Only who asks for it is given the charge, with what was kept of it.
        charge = {"id": "ch_1", "object": "charge", "balance_transaction": self.fee} if "expand" in path else "ch_1"
        return 200, {"id": intent, "object": "payment_intent", "metadata": metadata, "latest_charge": charge}


@pytest.fixture
def stripe(world: Any) -> Iterator[Stripe]:
    made = Stripe()
    settings = world.runtime.settings
    for name, value in (
        ("stripe_api_key", "sk_test_x"),
        ("stripe_webhook_secret", SECRET),
        ("stripe_api_base", made.url),
    ):
        object.__setattr__(settings, name, value)
    yield made
    for name in ("stripe_api_key", "stripe_webhook_secret"):
        object.__setattr__(settings, name, "")
    made.close()


@pytest.fixture
def shop(firm: Any, stripe: Stripe) -> Any:
    """A firm that takes cards and is owed 100.00."""
    firm.rate("100.00")
    firm.partner.put("/card-payments", {"enabled": True}, if_match=0).expect(200)
    firm.approved(3600)
    firm.invoice = firm.issued()
    firm.stripe = stripe
    return firm


def checkout(shop: Any) -> str:
    """Starts a checkout; the session's id at the provider."""
    shop.partner.post(f"/invoices/{shop.invoice['id']}/checkout").expect(200)
    return list(shop.stripe.sessions)[-1]


def event(kind: str, thing: dict[str, Any]) -> bytes:
    return json.dumps({"id": f"evt_{new_id()}", "object": "event", "type": kind, "data": {"object": thing}}).encode()


def paid(shop: Any, session: str, amount: int = 10_000, currency: str = "gbp", **more: Any) -> bytes:
    form = shop.stripe.sessions[session]
    metadata = {k.removeprefix("metadata[").rstrip("]"): v for k, v in form.items() if k.startswith("metadata[")}
    thing = {
        "id": session,
        "object": "checkout.session",
        "payment_status": "paid",
        "payment_intent": session.replace("cs_", "pi_"),
        "amount_total": amount,
        "currency": currency,
        "metadata": metadata,
    }
    return event("checkout.session.completed", thing | more)


def signature(payload: bytes, secret: str = SECRET, ago: int = 0) -> str:
    at = int(time.time()) - ago
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + payload, hashlib.sha256).hexdigest()}"


def tell(shop: Any, payload: bytes, signed: str | None = None) -> Any:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": signature(payload) if signed is None else signed,
    }
    return shop.world.anonymous().request("POST", "/card-payments/stripe/events", content=payload, headers=headers)


def received(shop: Any) -> list[Any]:
    return shop.partner.get("/payments").json["items"]


def balance(shop: Any) -> str:
    return shop.partner.get(f"/invoices/{shop.invoice['id']}").json["balance"]["amount"]


def test_a_checkout_is_for_the_balance_and_its_payment_pays_the_invoice(shop: Any) -> None:
    session = checkout(shop)
    form = shop.stripe.sessions[session]
    assert (form["line_items[0][price_data][unit_amount]"], form["line_items[0][price_data][currency]"]) == (
        "10000",
        "gbp",
    )
    assert form["line_items[0][price_data][product_data][name]"] == "INV-000001"
    assert tell(shop, paid(shop, session)).expect(200).json == {"heard": True}
    (payment,) = received(shop)
    assert (payment["method"], payment["amount"], payment["status"], payment["reference"]) == (
        "card",
        money("100.00"),
        "applied",
        "INV-000001",
    )
    assert balance(shop) == "0.00"
    shop.partner.post(f"/invoices/{shop.invoice['id']}/checkout").problem(409, "invoice_not_open")
    shop.partner.post(f"/payments/{payment['id']}/reverse", {"reason": "mistake"}).problem(409, "payment_from_provider")
    shop.holds()


def test_who_asks_again_is_sent_to_the_same_page_until_the_balance_changes(shop: Any) -> None:
    path = f"/invoices/{shop.invoice['id']}/checkout"
    first, second = (shop.partner.post(path).expect(200).json for _ in range(2))
    assert first == second
    shop.pay("40.00", (shop.invoice["id"], "40.00"))
    third = shop.partner.post(path).expect(200).json
    assert third["amount"] == money("60.00")
    assert third["url"] != first["url"]


def test_many_starting_at_once_are_sent_to_one_page(shop: Any) -> None:
    path = f"/invoices/{shop.invoice['id']}/checkout"
    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(lambda _: shop.partner.post(path).expect(200).json["url"], range(16)))
    assert (len(urls), len(shop.stripe.sessions)) == (1, 1)


def test_the_same_event_delivered_32_times_at_once_is_one_payment(shop: Any) -> None:
    payload = paid(shop, checkout(shop))
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: tell(shop, payload), range(32)))
    assert Counter(a.status for a in answers) == {200: 32}
    assert sum(a.json["heard"] for a in answers) == 1
    assert len(received(shop)) == 1
    assert balance(shop) == "0.00"
    shop.holds()


def test_what_the_provider_keeps_is_posted_once_when_it_says_so(shop: Any) -> None:
    session = checkout(shop)
    tell(shop, paid(shop, session)).expect(200)
    (payment,) = received(shop)
    assert payment["fees"] == []
    (planned,) = (d for d in shop.world.due(shop.id) if d.kind == "card_fee")
    with shop.world.uow(shop.id) as uow, pytest.raises(Unavailable) as early:
        book_fee(uow, **planned.payload)  # not said yet: the worker tries again
    assert early.value.code == "card_fee_unknown"
    shop.stripe.fee = {"id": "txn_1", "object": "balance_transaction", "amount": 11_900, "fee": 371, "currency": "eur"}
    for _ in range(2):
        with shop.world.uow(shop.id) as uow:
            book_fee(uow, **planned.payload)
    # In the currency the account is paid out in; what the client has paid stays what it was.
    (payment,) = received(shop)
    assert payment["fees"] == [money("3.71", "EUR")]
    assert (payment["amount"], balance(shop)) == (money("100.00"), "0.00")
    with shop.world.uow(shop.id) as uow:
        rows = uow.session.execute(
            text(
                "SELECT e.account, e.debit, e.credit FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id "
                "WHERE p.kind = 'card_fee' ORDER BY e.account"
            )
        ).all()
    assert [tuple(r) for r in rows] == [("bank", 0, Decimal("3.71")), ("card_fees", Decimal("3.71"), 0)]
    shop.holds()


def test_a_dispute_costs_its_fee(shop: Any) -> None:
    session = checkout(shop)
    tell(shop, paid(shop, session)).expect(200)
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "payment_intent": session.replace("cs_", "pi_"),
        "amount": 10_000,
        "currency": "gbp",
        "reason": "fraudulent",
        "balance_transactions": [
            {"id": "txn_2", "object": "balance_transaction", "amount": -10_000, "fee": 2_000, "currency": "gbp"}
        ],
    }
    for heard in (True, False):
        assert tell(shop, event("charge.dispute.funds_withdrawn", dispute)).expect(200).json == {"heard": heard}
    assert (received(shop)[0]["fees"], received(shop)[0]["status"]) == ([money("20.00")], "returned")
    shop.holds()


def test_what_was_paid_meanwhile_is_the_clients_credit(shop: Any) -> None:
    session = checkout(shop)
    shop.pay("70.00", (shop.invoice["id"], "70.00"))
    tell(shop, paid(shop, session)).expect(200)
    card = next(p for p in received(shop) if p["method"] == "card")
    assert (card["status"], card["unapplied"]) == ("part_applied", money("70.00"))
    assert balance(shop) == "0.00"
    shop.holds()


def test_forged_replayed_and_foreign_events_change_nothing(shop: Any) -> None:
    payload = paid(shop, checkout(shop))
    for signed in (
        "",
        "t=1,v1=00",
        signature(payload, "whsec_other"),
        signature(payload, ago=301),
        signature(payload + b" "),
    ):
        tell(shop, payload, signed).problem(400, "webhook_signature_invalid")
    tell(shop, b"not json", signature(b"not json")).problem(400, "webhook_signature_invalid")
    foreign = json.loads(payload)
    foreign["data"]["object"]["metadata"] = {}
    for body in (foreign, {**foreign, "type": "customer.created"}):
        sent = json.dumps(body).encode()
        assert tell(shop, sent).expect(200).json == {"heard": False}
    unpaid = paid(shop, next(iter(shop.stripe.sessions)), payment_status="unpaid")
    assert tell(shop, unpaid).expect(200).json == {"heard": False}
    unknown = json.loads(payload)
    unknown["data"]["object"]["metadata"]["praxis_checkout"] = NOBODY
    tell(shop, json.dumps(unknown).encode()).problem(404, "checkout_not_found")
    assert (received(shop), balance(shop)) == ([], "100.00")
    # Signed now, the same bytes are believed.
    assert tell(shop, payload).expect(200).json == {"heard": True}


def test_a_refund_from_here_moves_the_money_and_its_own_event_is_no_news(shop: Any) -> None:
    session = checkout(shop)
    tell(shop, paid(shop, session)).expect(200)
    (payment,) = received(shop)
    body = {
        "amount": money("30.00"),
        "returned_on": shop.day(0),
        "reason": "agreed",
        "take_back": [{"invoice_id": shop.invoice["id"], "amount": money("30.00")}],
    }
    shop.stripe.down = True
    shop.partner.post(f"/payments/{payment['id']}/refund", body).problem(503, "card_payments_unavailable")
    assert balance(shop) == "0.00"
    shop.stripe.down = False
    answer = shop.partner.post(f"/payments/{payment['id']}/refund", body).expect(200).json
    assert [(r["payment_intent"], r["amount"]) for r in shop.stripe.refunds] == [("pi_1", "3000")]
    told = {
        "id": answer["refunds"][0]["reference"],
        "object": "refund",
        "status": "succeeded",
        "payment_intent": "pi_1",
        "amount": 3000,
        "currency": "gbp",
    }
    for kind in ("refund.created", "refund.updated"):
        assert tell(shop, event(kind, told)).expect(200).json == {"heard": False}
    assert balance(shop) == "30.00"
    shop.holds()


def test_a_refund_made_at_the_provider_is_taken_up_once(shop: Any) -> None:
    tell(shop, paid(shop, checkout(shop))).expect(200)
    told = {
        "id": "re_x",
        "object": "refund",
        "status": "succeeded",
        "payment_intent": "pi_1",
        "amount": 2500,
        "currency": "gbp",
        "reason": "requested_by_customer",
    }
    assert tell(shop, event("refund.created", told | {"status": "pending"})).json == {"heard": False}
    payloads = [event("refund.updated", told) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = [a.expect(200).json["heard"] for a in pool.map(lambda p: tell(shop, p), payloads)]
    assert answers.count(True) == 1
    (payment,) = received(shop)
    assert [(r["kind"], r["amount"], r["reference"]) for r in payment["refunds"]] == [
        ("refund", money("25.00"), "re_x")
    ]
    assert balance(shop) == "25.00"
    tell(shop, event("refund.created", told | {"id": "re_y", "payment_intent": "pi_99"})).expect(200)  # not ours
    shop.holds()


def test_a_dispute_takes_the_money_and_a_won_one_brings_it_back(shop: Any) -> None:
    tell(shop, paid(shop, checkout(shop))).expect(200)
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "payment_intent": "pi_1",
        "amount": 10_000,
        "currency": "gbp",
        "reason": "fraudulent",
    }
    for _ in range(2):
        tell(shop, event("charge.dispute.funds_withdrawn", dispute)).expect(200)
    assert balance(shop) == "100.00"
    assert received(shop)[0]["refunds"][0]["reason"] == "disputed: fraudulent"
    for _ in range(2):
        tell(shop, event("charge.dispute.funds_reinstated", dispute)).expect(200)
    assert balance(shop) == "0.00"
    assert len(received(shop)) == 2
    shop.holds()


def test_a_refund_told_before_its_payment_is_refused_to_be_told_again(shop: Any) -> None:
    session = checkout(shop)
    told = {
        "id": "re_x",
        "object": "refund",
        "status": "succeeded",
        "payment_intent": "pi_1",
        "amount": 2500,
        "currency": "gbp",
    }
    tell(shop, event("refund.created", told)).problem(404, "payment_not_found")
    tell(shop, paid(shop, session)).expect(200)
    assert tell(shop, event("refund.created", told)).expect(200).json == {"heard": True}
    shop.holds()


def test_an_expired_page_is_not_offered_again(shop: Any) -> None:
    session = checkout(shop)
    payload = json.loads(paid(shop, session))
    payload["type"] = "checkout.session.expired"
    assert tell(shop, json.dumps(payload).encode()).expect(200).json == {"heard": True}
    assert checkout(shop) != session


def test_a_contact_pays_an_invoice_of_their_own_client_only(shop: Any, world: Any) -> None:
    mine = world.grpc(shop.id, caller="portal", user=world.portal_token(shop.id, [shop.client]))
    asked = StartCheckoutRequest(invoice_id=shop.invoice["id"])
    assert mine.call("StartCheckout", asked).url.startswith("https://checkout.stripe.com/")
    assert mine.call("GetInvoice", GetInvoiceRequest(invoice_id=shop.invoice["id"])).payable_by_card is True
    other = world.grpc(shop.id, caller="portal", user=world.portal_token(shop.id, [new_id()]))
    with pytest.raises(NotFound, match="invoice_not_found"):
        other.call("StartCheckout", asked)
    shop.partner.put("/card-payments", {"enabled": False}, if_match=1).expect(200)
    with pytest.raises(Conflict, match="card_payments_off"):
        mine.call("StartCheckout", asked)
    assert mine.call("GetInvoice", GetInvoiceRequest(invoice_id=shop.invoice["id"])).payable_by_card is False


def test_what_is_not_to_be_paid_has_no_page(shop: Any, world: Any, new_firm: Any) -> None:
    shop.approved(60)
    draft = shop.draft()
    shop.partner.post(f"/invoices/{draft['id']}/checkout").problem(409, "invoice_not_open")
    new_firm().partner.post(f"/invoices/{shop.invoice['id']}/checkout").problem(404, "invoice_not_found")
    shop.stripe.down = True
    shop.partner.post(f"/invoices/{shop.invoice['id']}/checkout").problem(503, "card_payments_unavailable")
    object.__setattr__(world.runtime.settings, "stripe_api_key", "")
    shop.partner.post(f"/invoices/{shop.invoice['id']}/checkout").problem(409, "card_payments_off")
    assert shop.stripe.sessions == {}


def test_a_firms_own_account_is_named_to_the_provider(shop: Any) -> None:
    shop.partner.put("/card-payments", {"enabled": True, "account": "nonsense"}, if_match=1).problem(
        400, "request_invalid"
    )
    shop.partner.put("/card-payments", {"enabled": True, "account": "acct_1Own"}, if_match=1).expect(200)
    checkout(shop)
    assert shop.stripe.accounts == ["acct_1Own"]
    assert UUID(shop.partner.get("/invoices").json["items"][0]["id"])
