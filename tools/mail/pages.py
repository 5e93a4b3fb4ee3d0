"""The pages and the JSON of the mail sink."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tools.mail.store import Store

_LINK = re.compile(r"https?://[^\s<>\"']+")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def application(store: Store) -> Starlette:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html"]),
    )
    templates.filters["linked"] = _linked

    def page(name: str, status: int = 200, **values: object) -> Response:
        return HTMLResponse(templates.get_template(name).render(**values), status, headers=_HEADERS)

    def inbox(request: Request) -> Response:
        to = request.query_params.get("to", "")
        return page("inbox.html", messages=store.list(to)[:200], to=to)

    def message(request: Request) -> Response:
        found = store.get(request.path_params["message_id"])
        return page("message.html", message=found) if found else page("gone.html", 404)

    def api(request: Request) -> Response:
        """GET /api/messages?to=address: what was sent to that address, newest first."""
        return JSONResponse({"items": [m.as_json() for m in store.list(request.query_params.get("to"))]})

    def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/", inbox),
            Route("/messages/{message_id:int}", message),
            Route("/api/messages", api),
            Route("/healthz", health),
            Route("/readyz", health),
        ]
    )


def _linked(text: str) -> Markup:
    """The text with its addresses clickable; everything else escaped."""
    parts, at = [], 0
    for match in _LINK.finditer(text):
        link = escape(match.group())
        parts += [
            escape(text[at : match.start()]),
            Markup('<a href="{0}">{0}</a>').format(link),
        ]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])
