"""Coming in by a mailed code, and going out."""

from typing import Any
from uuid import UUID

from flask import Response, g, make_response, redirect, render_template, request, url_for

from chassis.errors import DomainError, Unauthenticated
from portal.pages import web
from portal.pages.blueprint import pages
from portal.sessions import usecases
from portal.sessions.addresses import Home
from portal.sessions.usecases import Choice, SignedIn


@pages.get("/sign-in")
@web.public
def sign_in() -> str:
    return render_template("sign_in.html", back=_back(request.args.get("back")), email="", error="")


@pages.post("/sign-in")
@web.public
def ask_code() -> Any:
    email, back = request.form.get("email", "").strip()[:320], _back(request.form.get("back"))
    if "@" not in email:
        error = "That is no e-mail address. Write the one the firm knows you by."
        return render_template("sign_in.html", back=back, email=email, error=error), 422
    try:
        id = usecases.ask_code(web.runtime(), web.caller(), email)
    except DomainError as error:
        if web.wants_json():
            raise
        page = render_template("sign_in.html", back=back, email=email, error=error.message)
        return page, error.status, {"retry-after": str(error.retry_after or 5)}
    return redirect(url_for("pages.code", id=id, back=back or None), 303)


@pages.get("/sign-in/<uuid:id>")
@web.public
def code(id: UUID) -> str:
    return render_template("code.html", id=id, back=_back(request.args.get("back")), error="", over=False)


@pages.post("/sign-in/<uuid:id>")
@web.public
def enter_code(id: UUID) -> Any:
    back = _back(request.form.get("back"))
    try:
        answer = usecases.verify_code(web.runtime(), web.caller(), id, request.form.get("code", "")[:20])
    except DomainError as error:
        if web.wants_json():
            raise
        over = error.code == "code_expired"
        return render_template("code.html", id=id, back=back, error=error.message, over=over), error.status
    if isinstance(answer, Choice):
        return render_template("choose.html", id=id, back=back, choice=answer)
    return _come_in(answer, back)


@pages.post("/sign-in/<uuid:id>/firm")
@web.public
def choose_firm(id: UUID) -> Any:
    try:
        firm, contact = (UUID(part) for part in request.form.get("home", "").split(":"))
        secret = request.form.get("secret", "")
        return _come_in(
            usecases.choose_firm(web.runtime(), web.caller(), id, secret, Home(firm, contact)),
            _back(request.form.get("back")),
        )
    except (ValueError, Unauthenticated):
        message = "This sign-in no longer works. Ask for a new code."
        return render_template("sign_in.html", back="", email="", error=message), 401


def _come_in(signed_in: SignedIn, back: str) -> Response:
    g.signed_in = signed_in
    return make_response(redirect(back or url_for("pages.home"), 303))


@pages.post("/sign-out")
def sign_out() -> Response:
    usecases.sign_out(web.runtime(), web.caller(), request.cookies.get(web.DEVICE, ""))
    g.pop("signed_in", None)
    response = make_response(redirect(url_for("pages.sign_in"), 303))
    web.forget_cookies(response)
    return response


def _back(path: str | None) -> str:
    """Where somebody wanted to go: a page of the portal, or nowhere."""
    safe = bool(path) and str(path).startswith("/portal/") and "\\" not in str(path) and "//" not in str(path)
    return str(path)[:300] if safe and str(path).isprintable() else ""
