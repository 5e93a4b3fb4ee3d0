"""The pages a firm's clients use: rendered here, readable by a phone, whole without JavaScript."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from chassis.errors import DomainError, NotFound
from portal import words
from portal.pages import assets, files, lists, requests, sign_in, web
from portal.pages.blueprint import pages
from portal.pages.brand import Brand
from portal.requests import rules

if TYPE_CHECKING:
    from chassis.service import Runtime

_ = (assets, files, lists, requests, sign_in)  # importing them registers their pages


def make_pages(runtime: "Runtime") -> Flask:
    """The Flask application under /portal."""
    app = Flask("portal", template_folder=str(Path(__file__).with_name("templates")), static_folder=None)
    app.extensions["praxis"] = runtime
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"words": words, "rules": rules, "csrf_token": web.csrf_token, "asset": assets.url}
    app.register_blueprint(pages)
    app.before_request(web.admit)
    app.after_request(web.dismiss)
    app.context_processor(lambda: {"brand": g.get("brand") or Brand.nobodys()})
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _refused(error: DomainError) -> Any:
    if web.wants_json():
        return web.problem(error)
    if error.status == 401:
        return Response(render_template("sign_in.html", error=error.message, back="", email=""), 401)
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
    return (
        render_template("problem.html", error=error, heading=_HEADINGS.get(error.status, "That did not work")),
        error.status,
        headers,
    )


_HEADINGS = {
    403: "This page is out of date",
    404: "There is nothing here",
    429: "Please wait a little",
    503: "We can’t do that right now",
}


def _http_error(error: HTTPException) -> Any:
    if request.method not in ("GET", "HEAD", "POST"):
        return error
    status = error.code or 500
    text = (
        "The address may be mistyped, or what stood here is gone."
        if status == 404
        else "Something went wrong on our side. Try again in a moment."
    )
    shown = NotFound("not_found", text)
    return render_template("problem.html", error=shown, heading=_HEADINGS.get(status, "That did not work")), status
