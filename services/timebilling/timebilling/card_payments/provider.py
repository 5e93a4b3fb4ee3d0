"""The port to Stripe. `PRAXIS_STRIPE_API_BASE` points it elsewhere (tests stand a server of their own there)."""

import logging
from typing import TYPE_CHECKING, Any

import stripe

from chassis.errors import BadRequest, Conflict, Unavailable

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)


def configured(runtime: "Runtime") -> bool:
    """Whether this installation has an account with Stripe."""
    return bool(runtime.settings.stripe_api_key and runtime.settings.stripe_webhook_secret)


def create_session(runtime: "Runtime", account: str | None, params: dict[str, Any], key: str) -> tuple[str, str]:
    """A checkout page: its id and address. Sent again under the same key it is the same one. Errors: `card_payments_unavailable` (503)."""
    made = _asking(lambda client: client.v1.checkout.sessions.create(params, _options(account, key)), runtime)
    return str(made.id), str(made.url)


def refund(runtime: "Runtime", account: str | None, payment_intent: str, amount: int, key: str) -> str:
    """Gives money of a payment back: the refund's id. Errors: `card_payments_unavailable` (503), `card_refund_refused` (400)."""
    params = {"payment_intent": payment_intent, "amount": amount}
    return str(_asking(lambda client: client.v1.refunds.create(params, _options(account, key)), runtime).id)


def metadata_of(runtime: "Runtime", account: str | None, payment_intent: str) -> dict[str, str]:
    """What we wrote on a payment when its checkout was made. Errors: `card_payments_unavailable` (503)."""
    found = _asking(lambda client: client.v1.payment_intents.retrieve(payment_intent, None, _options(account)), runtime)
    return dict(found.metadata.to_dict() if found.metadata else {})


def transaction_of(runtime: "Runtime", account: str | None, payment_intent: str) -> dict[str, Any] | None:
    """The balance transaction of a payment's charge: amount, fee, net; None while there is none. Errors: `card_payments_unavailable` (503)."""
    wanted = {"expand": ["latest_charge.balance_transaction"]}
    found = _asking(
        lambda client: client.v1.payment_intents.retrieve(payment_intent, wanted, _options(account)), runtime
    )
    charge = found.to_dict().get("latest_charge")
    made = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return made if isinstance(made, dict) else None


def verified(runtime: "Runtime", payload: bytes, signature: str) -> dict[str, Any]:
    """The event, if Stripe signed just these bytes in the last five minutes. Errors: `webhook_signature_invalid` (400), `card_payments_off` (409)."""
    secret = runtime.settings.stripe_webhook_secret
    if not secret:
        raise Conflict("card_payments_off", "This installation has no account with the card provider.")
    try:
        event = stripe.Webhook.construct_event(payload, signature, secret)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise BadRequest(
            "webhook_signature_invalid", "The event is not signed by the card provider, or too old."
        ) from error
    found: dict[str, Any] = event.to_dict()
    return found


def _options(account: str | None, key: str | None = None) -> Any:
    return {k: v for k, v in (("stripe_account", account), ("idempotency_key", key)) if v}


def _asking(ask: Any, runtime: "Runtime") -> Any:
    settings: Any = runtime.settings
    client = stripe.StripeClient(
        settings.stripe_api_key,
        base_addresses={"api": settings.stripe_api_base},
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=10),
    )
    try:
        return ask(client)
    except stripe.InvalidRequestError as error:
        log.warning("card_provider_refused", extra={"code": error.code, "says": error.user_message})
        raise BadRequest(
            "card_payment_refused", f"The card provider refused: {error.user_message or error.code}."
        ) from error
    except stripe.StripeError as error:
        log.warning("card_provider_failed", extra={"error": repr(error)})
        raise Unavailable(
            "card_payments_unavailable", "The card provider does not answer. Try again shortly.", retry_after=10
        ) from error
