"""The HTTP side of a service: its specification routes and validates, each operation runs in a unit of work."""

import csv
import hashlib
import inspect
import io
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import anyio.to_thread
import jsonschema_rs
import orjson
from connexion import ConnexionMiddleware
from connexion.decorators.parameter import _get_path_arguments, _get_query_arguments, sanitized
from connexion.exceptions import BadRequestProblem, ExtraParameterProblem, ProblemException, UnsupportedMediaTypeProblem
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from connexion.resolver import Resolution, Resolver
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import merged, openapi, telemetry
from chassis.auth import Principal
from chassis.errors import (
    BadRequest,
    DomainError,
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    Unauthenticated,
)
from chassis.uow import Idempotency, Stored, Uow, perform, unit_of_work

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

COOKIE = "__Host-praxis"
DEFAULT_AUDIENCES = ("staff", "partner")
FORM = "application/x-www-form-urlencoded"
_READS = frozenset({"get", "head"})
_PRECONDITION = frozenset({"put", "patch", "delete"})


@dataclass(frozen=True)
class Reply:
    """An answer that is more than a body: its status, its version as ETag, where the new thing stands, cookies.
    A body of bytes goes out as it is; `headers` then names its content-type. A read may answer an iterator of bytes: it is
    drawn from while the answer goes out, after the operation's unit of work has ended, so whatever it reads it reads in its own."""

    body: Any = None
    status: int = 200
    etag: int | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()  # Set-Cookie values; such an answer is never stored for replay


NO_CONTENT = Reply(status=204)


def created(body: Any, location: str, etag: int | None = None) -> Reply:
    """201 with the thing made; `location` is below the API's root."""
    return Reply(body, 201, etag, location)


# --- operations -------------------------------------------------------------------------------------------------------


class Operations(Resolver):
    """Resolves `operationId` to a function and wraps it into a unit of work.

    An operation whose specification has no `security` is refused at start: nothing is public by forgetting.
    """

    def __init__(self, runtime: "Runtime", base_path: str, paths: Mapping[str, Any]) -> None:
        super().__init__()
        self._runtime = runtime
        self._base_path = base_path
        self._paths = paths

    def resolve(self, operation: Any) -> Resolution:
        spec = operation._operation  # connexion keeps vendor extensions only there
        if "security" not in spec:
            raise TypeError(f"{operation.operation_id} does not say which permission it needs")
        method = operation.method.lower()
        reads = self._paths[operation.path].get("get") if method in _PRECONDITION else None
        wrapped = _Operation(self._runtime, self._base_path, _function(spec), method, spec, reads)
        return Resolution(wrapped, spec["operationId"])


def _function(spec: Mapping[str, Any]) -> Callable[..., Any]:
    module, _, name = spec["operationId"].rpartition(".")
    return cast(Callable[..., Any], getattr(import_module(module), name))


def _may(principal: Principal, spec: Mapping[str, Any]) -> bool:
    """Whether the caller could call that operation too."""
    needed = {scope for way in spec["security"] for scope in way["token"]}
    audiences = spec.get("x-audiences", DEFAULT_AUDIENCES)
    return bool(spec["security"]) and principal.kind in audiences and needed <= principal.permissions


class _Operation:
    """One operation. `reads` is the specification of what reads the thing it changes, where there is such an operation."""

    def __init__(
        self,
        runtime: "Runtime",
        base_path: str,
        function: Callable[..., Any],
        method: str,
        spec: dict[str, Any],
        reads: Mapping[str, Any] | None = None,
    ) -> None:
        self._runtime, self._base_path, self._function, self._method = runtime, base_path, function, method
        self._id = spec["operationId"]
        self._audiences = tuple(spec.get("x-audiences", DEFAULT_AUDIENCES))
        self._reads = reads
        # A list narrowed by an id that was given up for another is the list of the one that stands.
        asked = {parameter["name"] for parameter in spec.get("parameters", ()) if parameter["in"] == "query"}
        self._merged = runtime.service.merged if runtime.service.merged in asked else ""
        self._one_page = (
            "limit" in inspect.signature(function).parameters and "cursor" in inspect.signature(function).parameters
        )

    def __call__(self, headers: Mapping[str, str], principal: Principal | None, arguments: dict[str, Any]) -> Response:
        """Runs the operation for whoever asks and answers what it answered."""
        started, status = time.monotonic(), 500
        try:
            with telemetry.continued(headers, self._id):
                answer = self._answer(headers, principal, arguments)
                status = answer.status_code
                return answer
        except DomainError as error:
            status = error.status
            raise
        finally:
            telemetry.requests_seconds.record(time.monotonic() - started, {"operation": self._id, "status": status})

    def _answer(self, headers: Mapping[str, str], principal: Principal | None, arguments: dict[str, Any]) -> Response:
        if principal is None:
            return _response(self._as_reply(self._function(self._runtime, **arguments)), self._base_path)
        if principal.kind not in self._audiences:
            raise Forbidden("audience_not_allowed", f"This is not for {principal.kind} tokens.")
        principal = replace(principal, source=headers.get("x-envoy-external-address", ""))
        if self._method in _READS:
            return self._read(principal, headers, arguments)
        return self._write(principal, headers, arguments)

    def _read(self, principal: Principal, headers: Mapping[str, str], arguments: dict[str, Any]) -> Response:
        if self._one_page and "text/csv" in headers.get("accept", ""):
            return _csv(self._pages(principal, arguments))
        with unit_of_work(self._runtime, principal) as uow:
            reply = self._as_reply(self._function(uow, **self._led_on(uow, arguments)))
            if uow.wrote:  # a read that leaves a trace (who opened what) or fetched a copy it lacked
                uow.commit()
            return _response(reply, self._base_path, headers.get("if-none-match"))

    def _led_on(self, uow: Uow, arguments: dict[str, Any]) -> dict[str, Any]:
        given = arguments.get(self._merged)
        return arguments | {self._merged: str(merged.standing(uow, given))} if given else arguments

    def _write(self, principal: Principal, headers: Mapping[str, str], arguments: dict[str, Any]) -> Any:
        if_match = _version(headers.get("if-match"))
        if if_match is None and self._method in _PRECONDITION:
            raise PreconditionRequired("if_match_required", "Send the ETag of the version you have seen as If-Match.")
        idempotency = None
        if key := headers.get("idempotency-key"):
            facts = orjson.dumps(arguments, default=str, option=orjson.OPT_SORT_KEYS)
            idempotency = Idempotency.of(key, self._id.encode(), facts)
        cookies: tuple[str, ...] = ()

        def work(uow: Uow) -> Stored:
            nonlocal cookies
            reply = self._as_reply(self._function(uow, **arguments))
            cookies = reply.cookies
            return _stored(reply, self._base_path)

        try:
            stored = perform(self._runtime, principal, work, if_match=if_match, idempotency=idempotency)
        except PreconditionFailed as lost:
            lost.more |= self._both_versions(principal, if_match, arguments)
            raise
        return _from_stored(stored, cookies)

    def _both_versions(self, principal: Principal, if_match: int | None, arguments: dict[str, Any]) -> dict[str, Any]:
        """What the second of two people editing one thing needs: how it is now, if they may read it, and what they wanted."""
        yours = {"version": if_match, "change": arguments.get("body")}
        if self._reads is None or not _may(principal, self._reads):
            return {"yours": yours}
        function = _function(self._reads)
        asked = {name: value for name, value in arguments.items() if name in inspect.signature(function).parameters}
        try:
            with unit_of_work(self._runtime, principal) as uow:
                return {"yours": yours, "current": self._as_reply(function(uow, **asked)).body}
        except NotFound:  # gone, or hidden, since
            return {"yours": yours}

    @staticmethod
    def _as_reply(result: Any) -> Reply:
        return result if isinstance(result, Reply) else Reply(result)

    def _pages(self, principal: Principal, arguments: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        cursor = None
        while True:
            with unit_of_work(self._runtime, principal) as uow:
                page = self._function(uow, **self._led_on(uow, arguments) | {"limit": 200, "cursor": cursor})
            yield page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


_ETAG = re.compile(r'^(?:W/)?"(\d{1,18})"$')


def _version(header: str | None) -> int | None:
    if header is None:
        return None
    match = _ETAG.match(header.strip())
    if match is None:
        raise BadRequest("if_match_invalid", 'If-Match must be an ETag that this API gave, such as "3".')
    return int(match[1])


def _stored(reply: Reply, base_path: str) -> Stored:
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["etag"] = f'"{reply.etag}"'
    if reply.location is not None:
        headers["location"] = base_path + reply.location
    if isinstance(reply.body, bytes):
        return Stored(reply.status, headers, reply.body)
    body = b"" if reply.body is None else orjson.dumps(reply.body, default=str)
    return Stored(reply.status, headers, body)


def _from_stored(stored: Stored, cookies: tuple[str, ...] = ()) -> Response:
    headers = dict(stored.headers)
    kind = headers.pop("content-type", "application/json" if stored.body else None)
    response = Response(stored.body, stored.status, headers, media_type=kind)
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def _response(reply: Reply, base_path: str, if_none_match: str | None = None) -> Response:
    if isinstance(reply.body, Iterator):
        return StreamingResponse(reply.body, reply.status, dict(reply.headers))
    stored = _stored(reply, base_path)
    if if_none_match and stored.headers.get("etag") == if_none_match:
        return Response(status_code=304, headers=stored.headers)
    return _from_stored(stored, reply.cookies)


# --- lists as CSV ----------------------------------------------------------------------------------------------------


def _csv(pages: Iterator[list[dict[str, Any]]]) -> Response:
    def chunks() -> Iterator[str]:
        columns: list[str] | None = None
        for items in pages:
            out = io.StringIO()
            writer = csv.writer(out)
            for item in items:
                row = _flat(item)
                if columns is None:
                    columns = list(row)
                    writer.writerow(columns)
                writer.writerow([_cell(row.get(c)) for c in columns])
            yield out.getvalue()

    return StreamingResponse(
        chunks(), media_type="text/csv; charset=utf-8", headers={"content-disposition": "attachment"}
    )


def _flat(item: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            row |= _flat(value, f"{prefix}{name}.")
        else:
            row[prefix + name] = value
    return row


def _cell(value: Any) -> str:
    """A cell's text; one that a spreadsheet would run as a formula is quoted (OWASP: CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(
            orjson.dumps(v, default=str).decode() if isinstance(v, (dict, list)) else str(v) for v in value
        )
    shown = str(value)
    if (
        isinstance(value, str)
        and shown[:1] in ("=", "+", "-", "@", "\t", "\r")
        and not re.fullmatch(r"-\d+(\.\d+)?", shown)
    ):
        return "'" + shown
    return shown


# --- validation ------------------------------------------------------------------------------------------------------


class _Parameters:
    """The parameters of an operation: taken from path, query and headers as connexion reads them, checked, handed on."""

    def __init__(self, connexions: Any) -> None:
        self._connexions = connexions
        self._in: dict[str, list[dict[str, Any]]] = {"path": [], "query": [], "header": []}
        for parameter in connexions.parameters:
            self._in[parameter["in"]].append(parameter)
        self._query_names = {p["name"] for p in self._in["query"]}
        self._uri_parser = connexions.uri_parser_class(connexions.parameters, connexions.body_definition())

    def of(self, scope: Scope, headers: Headers) -> dict[str, Any]:
        """The function's arguments. Errors: `request_invalid` for one that is unknown, missing or not what it should be."""
        arguments: dict[str, Any] = {}
        if scope["query_string"] or self._in["query"] or self._in["path"]:
            asked = ConnexionRequest(scope, uri_parser=self._uri_parser)
            arguments |= self._of_path(asked.path_params) | self._of_query(asked.query_params)
        for parameter in self._in["header"]:
            _check_parameter("header", headers.get(parameter["name"]), parameter)
        return arguments

    def _of_path(self, given: dict[str, Any]) -> dict[str, Any]:
        for parameter in self._in["path"]:
            _check_parameter("path", given.get(parameter["name"]), parameter)
        return dict(_get_path_arguments(given, operation=self._connexions, sanitize=sanitized))

    def _of_query(self, given: dict[str, Any]) -> dict[str, Any]:
        if unknown := given.keys() - self._query_names:
            raise ExtraParameterProblem(param_type="query", extra_params=unknown)
        for parameter in self._in["query"]:
            _check_parameter("query", given.get(parameter["name"]), parameter)
        return dict(
            _get_query_arguments(given, operation=self._connexions, arguments=[], has_kwargs=True, sanitize=sanitized)
        )


def _check_parameter(place: str, value: Any, parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    if value is None:
        if parameter.get("required"):
            raise BadRequest("request_invalid", f"Missing {place} parameter '{name}'")
        return
    validator = openapi.compiled(parameter["schema"])
    if not validator.is_valid(value):
        error = next(iter(validator.iter_errors(value)))
        raise BadRequest("request_invalid", f"{place} parameter '{name}': {error.message}")
    if _unstorable(value):
        raise BadRequest("request_invalid", _NUL)


class _Body:
    """The body of an operation: JSON or a form, checked against its schema, or the bytes of another media type it names.

    A schema of format `binary` asks for the bytes of JSON too: who checks a signature needs them as they were sent.
    """

    def __init__(self, connexions: Any) -> None:
        self._schemas = {kind: connexions.body_schema(kind) for kind in connexions.consumes}
        self._required = bool(connexions.request_body.get("required"))

    async def of(self, headers: Headers, receive: Receive) -> Any:
        """The body, checked. Errors: `media_type_not_supported` (415), `request_invalid`."""
        kind = headers.get("content-type", next(iter(self._schemas))).partition(";")[0].strip().lower()
        if kind not in self._schemas:
            raise UnsupportedMediaTypeProblem(f"Invalid Content-type ({kind}), expected {list(self._schemas)}")
        raw = await _all_of(receive)
        if not raw:
            if self._required:
                raise BadRequest("request_invalid", "The request needs a body.")
            return {}
        if self._schemas[kind].get("format") == "binary" or (kind != FORM and not kind.endswith("json")):
            return raw
        body = _form(raw) if kind == FORM else _json(raw)
        validator = openapi.compiled(self._schemas[kind])
        if not validator.is_valid(body):
            _refuse(validator.iter_errors(body), "body")
        if _unstorable(body):
            raise BadRequest("request_invalid", _NUL)
        return {} if body is None else body


async def _all_of(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _json(raw: bytes) -> Any:
    """JSON in UTF-8 (RFC 8259), strictly: no NaN, no half of a character pair, which a database could not hold."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest("request_invalid", f"The body is not JSON in UTF-8: {error}") from None


def _form(raw: bytes) -> dict[str, str]:
    """The fields of a form, each at most once (RFC 6749, section 3.2)."""
    try:
        fields = parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise BadRequest("request_invalid", "The body is not a form in UTF-8.") from None
    if len({name for name, _ in fields}) != len(fields):
        raise BadRequest("request_invalid", "A field of the form is given twice.")
    return dict(fields)


def _refuse(errors: Iterator[jsonschema_rs.ValidationError], where: str) -> None:
    found = [
        {"pointer": openapi.pointer(list(e.instance_path)), "message": e.message}
        for e, _ in zip(errors, range(20), strict=False)
    ]
    if found:
        raise BadRequest(
            "request_invalid", f"The {where} is not what the specification says: {found[0]['message']}", errors=found
        )


_NUL = "A text holds the character NUL, which can't be kept. Remove it."


def _unstorable(value: Any) -> bool:
    """Whether a text anywhere inside holds NUL: JSON knows it, PostgreSQL's text does not."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_unstorable(k) or _unstorable(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_unstorable, value))


def _check_answer(connexions: Any, answer: Response) -> None:
    """That an answer is what its specification says; on in tests. A refusal's form is the same everywhere and not checked here."""
    if answer.media_type != "application/json" or not answer.body:
        return
    schema = connexions.response_schema(str(answer.status_code), "application/json")
    errors = list(openapi.compiled(schema).iter_errors(orjson.loads(answer.body)))
    if errors:
        raise AssertionError(
            f"the answer breaks its own specification at {list(errors[0].instance_path)}: {errors[0].message}"
        )


# --- security --------------------------------------------------------------------------------------------------------


class _Permission:
    """Who may call an operation: the permissions its specification names, or nobody in particular if it is public."""

    def __init__(self, runtime: "Runtime", connexions: Any) -> None:
        self._runtime = runtime
        requirements = connexions.security or []
        if len(requirements) > 1 or any(set(r) != {"token"} for r in requirements):
            raise TypeError(f"{connexions.operation_id} has to need one token")
        self._public = not requirements
        self._needed = frozenset(requirements[0]["token"]) if requirements else frozenset()

    def verify(self, headers: Headers) -> Principal | None:
        """Who asks; None for a public operation. Errors: `token_missing`, `token_invalid` (401), `permission_missing` (403)."""
        if self._public:
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("token_missing", "Sign in first: this needs a token.")
        principal = self._runtime.verifier.verify(token.strip())
        if missing := self._needed - principal.permissions:
            raise Forbidden("permission_missing", f"This needs the permission {min(missing)}.", permission=min(missing))
        return principal


# --- errors ----------------------------------------------------------------------------------------------------------


def problem_response(error: DomainError) -> ConnexionResponse:
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return ConnexionResponse(
        status_code=error.status,
        content_type="application/problem+json",
        body=orjson.dumps(error.problem(), default=str),
        headers=headers,
    )


_CODES = {
    400: "request_invalid",
    401: "token_invalid",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "media_type_not_supported",
}


def _on_connexion_error(_request: Any, error: ProblemException) -> ConnexionResponse:
    refusal = BadRequest(_CODES.get(error.status, "request_invalid"), str(error.detail or error.title))
    return _with_status(refusal, error.status)


def _on_http_error(_request: Any, error: HTTPException) -> ConnexionResponse:
    return _with_status(
        BadRequest(_CODES.get(error.status_code, "request_invalid"), str(error.detail)), error.status_code
    )


def _with_status(error: DomainError, status: int) -> ConnexionResponse:
    body = error.problem() | {"status": status}
    return ConnexionResponse(status_code=status, content_type="application/problem+json", body=orjson.dumps(body))


def _on_domain_error(_request: Any, error: DomainError) -> ConnexionResponse:
    return problem_response(error)


def _on_integrity_error(_request: Any, error: IntegrityError) -> ConnexionResponse:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    log.error("constraint_without_code", extra={"constraint": constraint})
    return _with_status(BadRequest("refused_by_rule", f"The change breaks the rule {constraint}."), 409)


def _on_any_error(_request: Any, error: Exception) -> ConnexionResponse:
    log.error("request_failed", exc_info=error)
    return _with_status(BadRequest("internal_error", "Something went wrong on our side; nothing was changed."), 500)


# --- from the route to the operation ---------------------------------------------------------------------------------


class _Call:
    """What connexion's routing leads to: permission, parameters, body, each prepared once per operation; then the operation."""

    def __init__(self, runtime: "Runtime", connexions: Any) -> None:
        self._connexions = connexions
        self._operation: _Operation = connexions.function
        self._permission = _Permission(runtime, connexions)
        self._parameters = _Parameters(connexions)
        self._body = _Body(connexions) if connexions.is_request_body_defined else None
        self._check_answers = runtime.settings.validate_responses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        principal = self._permission.verify(headers)
        arguments = self._parameters.of(scope, headers)
        if self._body is not None:
            arguments["body"] = await self._body.of(headers, receive)
        if principal is None:
            _asked.set(HTTPConnection(scope))
        answer = await anyio.to_thread.run_sync(partial(self._operation, headers, principal, arguments))
        if self._check_answers:
            _check_answer(self._connexions, answer)
        await answer(scope, receive, send)


_asked: ContextVar[HTTPConnection] = ContextVar("asked")


def asked() -> HTTPConnection:
    """The request that a public operation answers: its headers, and where it came from."""
    return _asked.get()


class _Calls(RoutedAPI[_Call]):
    def __init__(self, *args: Any, runtime: "Runtime", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runtime = runtime
        self.add_paths()

    def make_operation(self, operation: Any) -> _Call:
        return _Call(self._runtime, operation)


class _Calling(RoutedMiddleware[_Calls]):
    """Stands where connexion has its own middlewares for security, validation, context and calling (docs/decisions/0005)."""

    api_cls = _Calls


async def _nowhere(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise HTTPException(404, f"There is nothing at {scope['path']}.")


# --- the application -------------------------------------------------------------------------------------------------


def make_app(runtime: "Runtime") -> ASGIApp:
    """The service's ASGI application: its API, its specification, its health, its pages."""
    service = runtime.service
    spec = openapi.load(service.root / "openapi.yaml")
    base_path = spec["servers"][0]["url"]
    app = ConnexionMiddleware(
        _nowhere,
        import_name=service.name,
        resolver=Operations(runtime, base_path, spec["paths"]),
        middlewares=[ServerErrorMiddleware, ExceptionMiddleware, RoutingMiddleware, _Calling],
    )
    app.add_error_handler(DomainError, _on_domain_error)
    app.add_error_handler(ProblemException, _on_connexion_error)
    app.add_error_handler(BadRequestProblem, _on_connexion_error)
    app.add_error_handler(HTTPException, _on_http_error)
    app.add_error_handler(IntegrityError, _on_integrity_error)
    app.add_error_handler(Exception, _on_any_error)
    app.add_api(spec, base_path=base_path, runtime=runtime)
    pages = {}
    if service.pages:
        from a2wsgi import WSGIMiddleware

        pages = {
            prefix: WSGIMiddleware(make(runtime), workers=runtime.settings.threads)
            for prefix, make in service.pages.items()
        }
    return Front(runtime, app, pages, base_path + "/openapi.json", orjson.dumps(spec, default=str))


class Front:
    """What stands before the API: health, the specification, the size limit, the cookie, and one line of access log."""

    def __init__(self, runtime: "Runtime", api: ASGIApp, pages: Mapping[str, Any], spec_path: str, spec: bytes) -> None:
        self._runtime, self._api, self._pages = runtime, api, pages
        self._spec_path, self._spec = spec_path, spec
        self._spec_etag = f'"{hashlib.sha256(spec).hexdigest()[:16]}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            anyio.to_thread.current_default_thread_limiter().total_tokens = self._runtime.settings.threads
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/healthz":
            await Response("ok")(scope, receive, send)
        elif path == "/readyz":
            why_not = await anyio.to_thread.run_sync(self._runtime.why_not_ready)
            await Response(why_not or "ready", 503 if why_not else 200)(scope, receive, send)
        elif path == self._spec_path and scope["method"] == "GET":
            headers = {"etag": self._spec_etag, "cache-control": "no-cache"}
            known = dict(scope["headers"]).get(b"if-none-match", b"").decode() == self._spec_etag
            await Response(b"" if known else self._spec, 304 if known else 200, headers, "application/json")(
                scope, receive, send
            )
        else:
            await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.monotonic(), 0
        target = next((app for prefix, app in self._pages.items() if _below(scope["path"], prefix)), self._api)

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            limited = await _limited(scope, receive, self._runtime.settings.max_body_bytes)
        except TooLarge as error:
            await _send_problem(error, scope, receive, note_status)
        else:
            await target(_with_cookie_as_bearer(scope), limited, note_status)
        log.debug(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round((time.monotonic() - started) * 1000, 1),
            },
        )


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing is to be done at the start or at the end of a process besides saying that it is."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


async def _send_problem(error: DomainError, scope: Scope, receive: Receive, send: Send) -> None:
    body = orjson.dumps(error.problem())
    await Response(body, error.status, media_type="application/problem+json")(scope, receive, send)


async def _limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """A `receive` that never hands on more than `limit` bytes. Reads bodies up front (they are small) so that a refusal comes before any work."""
    headers = dict(scope["headers"])
    if scope["method"] in ("GET", "HEAD"):
        return receive
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge("body_too_large", f"The body may have {limit} bytes at most.")
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > limit:
            raise TooLarge("body_too_large", f"The body may have {limit} bytes at most.")
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": b"".join(chunks), "more_body": False}

    return replay


def _with_cookie_as_bearer(scope: Scope) -> Scope:
    """Browsers carry the token in a cookie; from here on there is one way to carry it."""
    headers = dict(scope["headers"])
    if b"authorization" in headers or b"cookie" not in headers:
        return scope
    for part in headers[b"cookie"].decode("latin1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value:
            return {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {value}".encode("latin1"))]}
    return scope
