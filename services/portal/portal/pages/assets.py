"""Style, script and font of the pages: our own from here, others' from what npm has put into services/portal/assets."""

import hashlib
import re
from pathlib import Path
from uuid import UUID

from flask import Response, send_file, url_for

from chassis.errors import NotFound
from portal.branding import usecases as branding
from portal.pages import web
from portal.pages.blueprint import pages

_OWN = Path(__file__).with_name("static")
_FETCHED = Path(__file__).resolve().parents[2] / "assets" / "node_modules"
_FONT = "@fontsource-variable/inter/files/inter-{}-wght-normal.woff2"
FILES = {
    "portal.css": _OWN / "portal.css",
    "portal.js": _OWN / "portal.js",
    "htmx.js": _FETCHED / "htmx.org/dist/htmx.min.js",
    **{f"inter-{part}.woff2": _FETCHED / _FONT.format(part) for part in ("latin", "latin-ext", "greek", "cyrillic")},
}
_ACCENT = re.compile(r"^[0-9a-f]{6}$")
_YEAR = "public, max-age=31536000, immutable"


_marks: dict[str, str] = {}


def _mark(name: str) -> str | None:
    """A file's fingerprint, by which browsers know a new one; None where npm has not been run (yet): pages go without."""
    if name not in _marks and FILES[name].exists():
        _marks[name] = hashlib.sha256(FILES[name].read_bytes()).hexdigest()[:12]
    return _marks.get(name)


def url(name: str) -> str | None:
    """Where a page finds the file, or None."""
    mark = _mark(name)
    return url_for("pages.asset_file", name=name, v=mark) if mark else None


@pages.get("/assets/<name>")
@web.public
def asset_file(name: str) -> Response:
    if name not in FILES or _mark(name) is None:
        raise NotFound("not_found", "There is no such file.")
    response = send_file(FILES[name])
    response.headers["cache-control"] = _YEAR
    return response


@pages.get("/accent/<colour>.css")
@web.public
def accent(colour: str) -> Response:
    """The firm's accent as a style sheet: a strict policy allows no styles inside pages."""
    if not _ACCENT.match(colour):
        raise NotFound("not_found", "There is no such colour.")
    response = Response(f":root{{--accent:#{colour}}}", mimetype="text/css")
    response.headers["cache-control"] = _YEAR
    return response


@pages.get("/logo/<uuid:logo_id>")
def logo(logo_id: UUID) -> Response:
    """The firm's logo, for whoever is signed in there. Its id is another when it is another, so browsers may keep it."""
    with web.work() as uow:
        firm = branding.of_firm(uow)
        if firm.logo_id != logo_id:
            raise NotFound("not_found", "There is no such picture.")
        found = branding.logo(uow, firm)
    response = Response(found.content, mimetype=found.media_type)
    response.headers["cache-control"] = "private, max-age=31536000, immutable"
    response.headers["x-content-type-options"] = "nosniff"
    return response
