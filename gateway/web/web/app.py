"""The built files over HTTP: hashed assets kept for ever, pages asked for anew, every other address the app itself."""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"  # the name carries a hash of the content
ASK_AGAIN = "no-cache"  # kept, but revalidated by ETag: a new build is seen at the next load
ENCODINGS = ((".br", "br"), (".gz", "gzip"))  # made by the build beside each file, best first
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class BuiltFiles(StaticFiles):
    """A build's files, each in the best encoding that the browser takes.

    The app's own addresses (/work/jobs/…) are no files: they all open the one page, which then reads its address.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or not is_page(path):
                raise
            return await super().get_response("index.html", scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        path = Path(full_path)
        packed, encoding = best_encoding(path, accepted_encodings(scope))
        response = super().file_response(packed, packed.stat(), scope, status_code)
        if encoding:
            response.headers["content-encoding"] = encoding
            # The type was named by the packed file's ending; the browser unpacks and sees the plain one.
            plain = super().file_response(path, stat_result, scope, status_code)
            response.headers["content-type"] = plain.headers.get("content-type", "application/octet-stream")
        response.headers["vary"] = "accept-encoding"
        response.headers["cache-control"] = FOREVER if path.parent.name == "assets" else ASK_AGAIN
        return response


def create_app(root: Path) -> Starlette:
    """The web server over the build at `root`."""
    files = BuiltFiles(directory=root, check_dir=False)

    async def readyz(request: Request) -> Response:
        built = (root / "index.html").is_file()
        return JSONResponse({"status": "ready" if built else "not built"}, 200 if built else 503)

    async def docs(request: Request) -> Response:
        return await files.get_response("api/docs/index.html", request.scope)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/api/docs", to_docs),
            Route("/api/docs/", docs),
            Route("/api/{rest:path}", unknown_api, methods=METHODS),
            Mount("/", files),
        ],
        exception_handlers={404: not_found},
    )


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def to_docs(request: Request) -> Response:
    return RedirectResponse("/api/docs/", 308)


async def unknown_api(request: Request) -> Response:
    """What reaches this server below /api has no service behind it: say so, don't show the app."""
    problem = {"type": "about:blank", "title": "There is no such API here.", "status": 404, "code": "not_found"}
    return JSONResponse(problem, 404, media_type="application/problem+json")


async def not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse("Not found", 404, headers={"cache-control": "no-store"})


def is_page(path: str) -> bool:
    """A page has no ending; a missing asset (`/assets/old-1a2b.js`) must not be answered with a page."""
    return path == "." or "." not in path.rsplit("/", 1)[-1]


def accepted_encodings(scope: Scope) -> set[str]:
    """What Accept-Encoding offers, without what it refuses by `q=0`."""
    header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-encoding"), "")
    offers = [offer.replace(" ", "").partition(";") for offer in header.split(",")]
    return {name for name, _, weight in offers if weight not in ("q=0", "q=0.0")}


def best_encoding(path: Path, accepted: set[str]) -> tuple[Path, str | None]:
    """The packed file beside `path` and its encoding, or the file itself."""
    for ending, encoding in ENCODINGS:
        packed = path.with_name(path.name + ending)
        if encoding in accepted and packed.is_file():
            return packed, encoding
    return path, None
