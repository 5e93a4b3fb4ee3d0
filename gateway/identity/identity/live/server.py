"""`python -m identity live`: server-sent events that tell open screens what has changed.

Plain uvicorn: gunicorn would wait for open streams until it kills them. One process, one event loop, thousands of streams.
"""

import asyncio
import logging
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from chassis.auth import Principal
from chassis.errors import DomainError, Forbidden, Unauthenticated, Unavailable
from chassis.http import COOKIE
from chassis.settings import host_port
from identity.live.audiences import Audiences, reader
from identity.live.hub import Hub, Stream
from identity.live.listening import Listener
from identity.live.rules import HEARTBEAT, OPENING

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

PATH = "/api/identity/v1/live"
PERMISSION = "identity:live:read"
HEARTBEAT_SECONDS = 15.0
READ_AGAIN_SECONDS = 30.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """The ASGI answer that is a stream: it ends when its token does, when its reader goes or lags, or when the process stops."""

    def __init__(self, hub: Hub, principal: Principal, expires: float, last_event_id: str | None) -> None:
        self._hub, self._principal, self._expires, self._last_event_id = hub, principal, expires, last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._principal.firm_id is not None
        stream, beginning = self._hub.open(self._principal.firm_id, self._principal.id, self._last_event_id)
        tasks = [
            asyncio.create_task(self._pump(stream, beginning, send)),
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(stream.closed.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=self._expires - time.time())
        finally:
            self._hub.leave(stream)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await _end(send)

    async def _pump(self, stream: Stream, beginning: list[bytes], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send(_body(OPENING + b"".join(beginning)))
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    frames = [await stream.frames.get()]
            except TimeoutError:
                frames = [HEARTBEAT]
            while not stream.frames.empty():
                frames.append(stream.frames.get_nowait())
            await send(_body(b"".join(frames)))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(send: Send) -> None:
    """Ends the answer as one that is whole; whoever doesn't read any more is cut off."""
    try:
        async with asyncio.timeout(1):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (TimeoutError, OSError):
        log.info("slow_reader_dropped")


def _body(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}


def make_app(runtime: "Runtime", hub: Hub, listener: Listener, audiences: Audiences) -> Starlette:
    """The live process's application."""

    async def live(request: Request) -> Any:
        if hub.closing:
            raise Unavailable("stopping", "This process is stopping. Connect again.", retry_after=1)
        token = _token(request)
        principal = runtime.verifier.verify(token)
        if principal.kind != "staff":
            raise Forbidden("audience_not_allowed", f"This is not for {principal.kind} tokens.")
        if PERMISSION not in principal.permissions:
            raise Forbidden("permission_missing", f"This needs the permission {PERMISSION}.", permission=PERMISSION)
        # Browsers send the header when they reconnect by themselves; a page that opens a new stream can only use the query.
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        assert principal.firm_id is not None
        await asyncio.to_thread(audiences.load, principal.firm_id)
        expires = float(jwt.decode(token, options={"verify_signature": False})["exp"])  # verified above
        return EventStream(hub, principal, expires, last)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        why_not = (
            "stopping" if hub.closing else "" if listener.connected.is_set() else "not yet connected to the broker"
        )
        return PlainTextResponse(why_not or "ready", 503 if why_not else 200)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        listener.start()
        reading = asyncio.create_task(_read_again(audiences))
        yield
        reading.cancel()
        listener.stop()

    routes = [Route(PATH, live), Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={DomainError: _problem})


async def _read_again(audiences: Audiences) -> None:
    """Now and then: an audience that changed while the broker was away reaches the copy a moment later than us."""
    while True:
        await asyncio.sleep(READ_AGAIN_SECONDS)
        try:
            await asyncio.to_thread(audiences.load_again)
        except DomainError as error:
            log.warning("audiences_not_read", extra={"error": error.code})


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("token_missing", "Sign in first: this needs a token.")
    return token


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error.problem(), error.status, headers, "application/problem+json")


class _Server(uvicorn.Server):
    """Ends the streams before uvicorn waits for its connections to close."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: Any) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(self._hub.close)
        super().handle_exit(sig, frame)


def serve(runtime: "Runtime", _arguments: list[str]) -> None:
    """Runs the live process until SIGTERM."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a stream is an open file
    asyncio.run(_serve(runtime))


async def _serve(runtime: "Runtime") -> None:
    loop, audiences = asyncio.get_running_loop(), Audiences(reader(runtime))
    hub = Hub(audiences.may_hear)

    def interrupted() -> None:
        audiences.load_again()
        loop.call_soon_threadsafe(hub.interrupted)

    listener = Listener(
        runtime.settings.amqp_url,
        on_event=lambda event: loop.call_soon_threadsafe(hub.publish, audiences.hint(event)),
        on_interruption=interrupted,
    )
    host, port = host_port(runtime.settings.http_bind)
    config = uvicorn.Config(
        make_app(runtime, hub, listener, audiences),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,  # longer than the edge keeps an idle connection
        timeout_graceful_shutdown=10,
    )
    await _Server(config, hub).serve()
