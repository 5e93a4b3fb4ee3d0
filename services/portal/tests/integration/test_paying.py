"""The button to pay an invoice by card."""

from typing import Any

from chassis.db import new_id
from chassis.errors import Conflict, NotFound, Unavailable
from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1.timebilling_pb2 import GetInvoiceResponse, StartCheckoutResponse

from .conftest import Firm

PAGE = "https://checkout.stripe.com/c/pay/1"


def stand(firm: Firm, *, by_card: bool = True, refuse: Exception | None = None) -> str:
    """Timebilling with one open invoice."""
    id = str(new_id())
    money = {n: Money(amount="700.00", currency="GBP") for n in ("net", "total", "balance")}
    shown = GetInvoiceResponse(
        invoice_id=id,
        number="INV-000001",
        status="open",
        issued_on="2026-11-01",
        payable_by_card=by_card,
        paid=Money(amount="0.00", currency="GBP"),
        **money,
    )

    def start(asked: Any) -> StartCheckoutResponse:
        if refuse:
            raise refuse
        return StartCheckoutResponse(url=PAGE)

    firm.world.answers("timebilling", {"GetInvoice": lambda _: shown, "StartCheckout": start})
    return f"/portal/invoices/{id}"


def test_the_button_leads_to_the_card_providers_page(firm: Firm) -> None:
    page = stand(firm)
    browser = firm.signed_in()
    assert "Pay £700.00 by card" in browser.get(page).text
    answer = browser.post(f"{page}/pay")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)


def test_who_comes_back_is_thanked_and_not_asked_again(firm: Firm) -> None:
    page = stand(firm)
    shown = firm.signed_in().get(f"{page}?paid=1").text
    assert "Thank you" in shown
    assert "by card" not in shown


def test_a_firm_that_takes_no_cards_has_no_button(firm: Firm) -> None:
    assert "by card" not in firm.signed_in().get(stand(firm, by_card=False)).text


def test_why_it_can_not_be_paid_is_said_on_the_invoice(firm: Firm) -> None:
    browser = firm.signed_in()
    for refused, status in (
        (Conflict("invoice_not_open", "There is nothing to pay on this invoice."), 409),
        (Unavailable("card_payments_unavailable", "The card provider does not answer."), 503),
    ):
        page = stand(firm, refuse=refused)
        browser.get(page)
        answer = browser.post(f"{page}/pay")
        assert answer.status_code == status
        assert refused.message in answer.text
    page = stand(firm, refuse=NotFound("invoice_not_found", "There is no such invoice."))
    browser.get(page)
    assert browser.post(f"{page}/pay").status_code == 404


def test_a_forged_form_starts_nothing(firm: Firm) -> None:
    page = stand(firm)
    browser = firm.signed_in()
    browser.get(page)
    assert browser.post(f"{page}/pay", origin="https://evil.example").status_code == 403
    assert browser.post(f"{page}/pay", csrf=False).status_code == 403
