"""Operations on card payments."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.http import Reply, asked
from chassis.uow import Uow
from timebilling import money
from timebilling.card_payments import provider, usecases
from timebilling.card_payments.tables import CardSettings

if TYPE_CHECKING:
    from chassis.service import Runtime


def get_settings(uow: Uow) -> Reply:
    return _reply(uow, usecases.load(uow))


def change_settings(uow: Uow, body: dict[str, Any]) -> Reply:
    return _reply(uow, usecases.change(uow, body, uow.if_match))


def start_checkout(uow: Uow, invoice_id: str) -> dict[str, Any]:
    made = usecases.start(
        uow, UUID(invoice_id), None, f"{uow.runtime.settings.public_url}/portal/invoices/{invoice_id}"
    )
    return {
        "id": made.id,
        "url": made.url,
        "amount": money.view(made.amount, made.currency),
        "expires_at": made.expires_at,
    }


def hear_stripe(runtime: "Runtime", body: bytes) -> dict[str, Any]:
    return {"heard": usecases.hear(runtime, body, asked().headers.get("stripe-signature", ""))}


def _reply(uow: Uow, found: CardSettings) -> Reply:
    configured = provider.configured(uow.runtime)
    shown = {"enabled": found.enabled, "account": found.account, "configured": configured, "version": found.version}
    return Reply(shown, etag=found.version)
