"""What every page needs: who is looking, cookies, protection against forged forms, what goes wrong in words."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for

from chassis.auth import Principal
from chassis.errors import DomainError, Forbidden, NotFound, Unauthenticated
from chassis.uow import Uow, unit_of_work
from portal.copies.tables import ContactCopy
from portal.sessions import usecases as sessions
from portal.sessions.rules import DEVICE_LIFETIME
from portal.sessions.usecases import Caller, SignedIn
from portal.settings import settings_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from chassis.service import Runtime

ACCESS, DEVICE = "__Host-praxis-portal", "__Host-praxis-portal-device"
_READS = ("GET", "HEAD")


def runtime() -> "Runtime":
    found: Runtime = current_app.extensions["praxis"]
    return found


def caller() -> Caller:
    return Caller(
        request.headers.get("x-praxis-source") or request.remote_addr or "", request.headers.get("user-agent", "")[:300]
    )


# Who is looking


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a page that needs no sign-in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def admit() -> "AnyResponse | None":
    """Before each request: forged writes are refused, and whoever is not signed in is sent to do so."""
    if request.method not in _READS:
        _ensure_own_origin()
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "is_public", False):
        return None
    try:
        g.principal = _principal()
    except Unauthenticated:
        if request.method in _READS and not wants_json():
            return redirect(url_for("pages.sign_in", back=request.path), 303)
        raise
    if request.method not in _READS:
        _ensure_csrf()
    return None


def _principal() -> Principal:
    try:
        principal = runtime().verifier.verify(request.cookies.get(ACCESS, ""))
    except Unauthenticated:
        g.signed_in = sessions.renew(runtime(), caller(), request.cookies.get(DEVICE, ""))
        principal = runtime().verifier.verify(g.signed_in.access_token)
    if principal.kind != "portal":
        raise Unauthenticated("token_invalid", "This is not a client's sign-in.")
    return replace(principal, source=caller().source)


@contextmanager
def work() -> Iterator[Uow]:
    """A unit of work as the contact, limited to the clients they act for today; commits at the end."""
    principal: Principal = g.principal
    with unit_of_work(runtime(), principal) as uow:
        contact = uow.session.get(ContactCopy, (uow.firm_id, principal.uuid))
        if contact is None or not contact.welcome:
            raise Unauthenticated("session_ended", "You have been signed out. Sign in again.")
        # The token may be minutes older than a change of who acts for whom.
        uow.principal = replace(
            principal, name=contact.name, client_ids=principal.client_ids & frozenset(contact.client_ids)
        )
        yield uow
        uow.commit()


# Cookies


def set_cookies(response: Response, signed_in: SignedIn) -> None:
    response.set_cookie(ACCESS, signed_in.access_token, max_age=max(signed_in.expires_in - 30, 1), **_COOKIE)
    if signed_in.device_token:
        response.set_cookie(DEVICE, signed_in.device_token, max_age=int(DEVICE_LIFETIME.total_seconds()), **_COOKIE)


def forget_cookies(response: Response) -> None:
    for name in (ACCESS, DEVICE):
        response.set_cookie(name, "", max_age=0, **_COOKIE)


_COOKIE: dict[str, Any] = {"secure": True, "httponly": True, "samesite": "Lax", "path": "/"}


def dismiss(response: Response) -> Response:
    """After each request: renewed cookies, and nothing that a shared computer would keep."""
    if signed_in := g.pop("signed_in", None):
        set_cookies(response, signed_in)
    response.headers.setdefault("cache-control", "no-store")
    return response


# Forged forms


def _ensure_own_origin() -> None:
    """The browser says where a form stands; SameSite keeps cookies from strangers' forms besides. Errors: `origin_refused`."""
    said = request.headers.get("origin") or request.headers.get("referer") or ""
    own, place = urlsplit(settings_of(runtime()).public_url), urlsplit(said)
    if (place.scheme, place.netloc) != (own.scheme, own.netloc):
        raise Forbidden("origin_refused", "This form did not come from our own pages. Open the page again.")


def csrf_token() -> str:
    """What stands in each of the contact's forms."""
    principal: Principal = g.principal
    facts = f"{principal.firm_id}:{principal.id}".encode()
    return hmac.digest(settings_of(runtime()).key_for("csrf"), facts, "sha256").hex()


def _ensure_csrf() -> None:
    shown = request.headers.get("x-csrf") or request.form.get("csrf", "")
    if not hmac.compare_digest(shown.encode(), csrf_token().encode()):
        raise Forbidden("csrf_refused", "This page is out of date. Open it again, then repeat what you did.")


# What goes wrong


def wants_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def problem(error: DomainError) -> tuple[dict[str, Any], int, dict[str, str]]:
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
    return error.problem(), error.status, {"content-type": "application/problem+json", **headers}


def with_uuids(view: Callable[..., Any]) -> Callable[..., Any]:
    """Turns `ValueError` of a malformed id in a form into `not_found`, as for any id that is nobody's."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except ValueError as error:
            raise NotFound("not_found", "There is no such thing.") from error

    return wrapped
