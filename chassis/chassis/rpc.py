"""gRPC: serving a module's functions as methods, and asking other services."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

import grpc
from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from sqlalchemy.exc import SQLAlchemyError

from chassis import errors, telemetry
from chassis.auth import Principal
from chassis.errors import DomainError, Forbidden, Unauthenticated, Unavailable
from chassis.events import message_class
from chassis.uow import Idempotency, Stored, Uow, perform
from praxis.common.v1 import options_pb2

if TYPE_CHECKING:
    from chassis.service import Runtime

log = logging.getLogger(__name__)

MAX_MESSAGE = 4 * 1024 * 1024
USER = "x-praxis-user"
KEY = "x-praxis-idempotency-key"


# How refusals cross gRPC. The first class of a status is what it comes back as when the code is all that is known.
_STATUS: dict[type[DomainError], grpc.StatusCode] = {
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    errors.PreconditionFailed: grpc.StatusCode.ABORTED,
    errors.TooLarge: grpc.StatusCode.OUT_OF_RANGE,
    errors.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.TooMany: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def refuse(context: grpc.ServicerContext, error: DomainError) -> NoReturn:
    """Ends a call with a refusal: its status, its message, its code in the trailing metadata."""
    context.set_trailing_metadata((("praxis-code", error.code),))
    context.abort(_STATUS.get(type(error), grpc.StatusCode.INVALID_ARGUMENT), error.message)
    raise AssertionError("abort raises")


def refusal(error: grpc.RpcError, service: str) -> DomainError:
    """The refusal of another service as the same `DomainError` it raised; anything else as `Unavailable`."""
    code = dict(error.trailing_metadata() or ()).get("praxis-code")
    if code is None:
        return Unavailable(
            f"{service}_unavailable", f"The {service} service does not answer. Try again shortly.", retry_after=2
        )
    kinds = {status: kind for kind, status in _STATUS.items()}
    return kinds.get(error.code(), Unavailable)(str(code), error.details() or "")


def access_of(method: MethodDescriptor) -> options_pb2.Access:
    """Who may call a method, by its contract. A method that does not say is callable by nobody."""
    options = method.GetOptions()
    return options.Extensions[options_pb2.access]


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def handlers(runtime: "Runtime", descriptor: ServiceDescriptor, module: ModuleType) -> grpc.GenericRpcHandler:
    """The methods of a contract, each a function of `module` with its name in snake_case."""
    methods = {}
    for method in descriptor.methods:
        function = getattr(module, _snake(method.name), None)
        if function is None:
            raise TypeError(f"{module.__name__} has no function {_snake(method.name)} for {method.full_name}")
        streaming = bool(getattr(method, "client_streaming", False))
        make = grpc.stream_unary_rpc_method_handler if streaming else grpc.unary_unary_rpc_method_handler
        methods[method.name] = make(
            _Method(runtime, method, function, streaming),
            request_deserializer=message_class(method.input_type).FromString,
            response_serializer=lambda body: body,
        )
    return grpc.method_handlers_generic_handler(descriptor.full_name, methods)


class _Method:
    """One method: checks who calls and for whom, runs the function in a unit of work, answers its message."""

    def __init__(
        self, runtime: "Runtime", method: MethodDescriptor, function: Callable[..., Message], streaming: bool
    ) -> None:
        self._runtime, self._method, self._function, self._streaming = runtime, method, function, streaming
        self._access = access_of(method)

    def __call__(self, request: Any, context: grpc.ServicerContext) -> bytes:
        metadata = {k: v for k, v in context.invocation_metadata() if isinstance(v, str)}
        started = time.monotonic()
        status = "OK"
        try:
            with telemetry.continued(metadata, self._method.full_name):
                return self._answer(request, metadata)
        except DomainError as error:
            status = error.code
            refuse(context, error)
        except SQLAlchemyError:
            status = "error"
            log.exception("rpc_failed", extra={"method": self._method.full_name})
            context.abort(grpc.StatusCode.INTERNAL, "internal error")
        finally:
            telemetry.requests_seconds.record(
                time.monotonic() - started, {"operation": self._method.full_name, "status": status}
            )
        raise AssertionError("abort raises")

    def _answer(self, request: Any, metadata: dict[str, str]) -> bytes:
        principal, firm_id = self._who(metadata)
        idempotency = None
        if key := metadata.get(KEY):
            # A stream can't be fingerprinted before it is read; its key alone stands for it.
            facts = b"" if self._streaming else request.SerializeToString(deterministic=True)
            idempotency = Idempotency.of(f"{self._method.name}:{key}", facts)

        def work(uow: Uow) -> Stored:
            return Stored(0, {}, self._function(uow, request).SerializeToString())

        return perform(self._runtime, principal, work, firm_id=firm_id, idempotency=idempotency).body

    def _who(self, metadata: dict[str, str]) -> tuple[Principal, UUID]:
        service = self._runtime.verifier.verify(_bearer(metadata.get("authorization", "")))
        if service.kind != "service" or service.id not in self._access.callers:
            raise Forbidden("caller_not_allowed", f"{service.actor} may not call {self._method.name}.")
        user = self._runtime.verifier.verify(metadata[USER]) if metadata.get(USER) else None
        if user and user.kind == "service":
            raise Unauthenticated("token_invalid", "A service token does not stand for a person.")
        if self._access.permission and (user is None or self._access.permission not in user.permissions):
            raise Forbidden("permission_missing", f"This needs the permission {self._access.permission}.")
        if user and service.firm_id and user.firm_id != service.firm_id:
            raise Forbidden("firm_mismatch", "The service and the person belong to different firms.")
        firm_id = user.firm_id if user else service.firm_id
        if firm_id is None:
            raise Forbidden("firm_missing", "The call is for no firm.")
        return user or service, firm_id


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("token_missing", "A service token is needed.")
    return token


def make_server(runtime: "Runtime") -> tuple[grpc.Server, int]:
    """The gRPC server with the service's methods and the standard health service; bound, not started. Returns its port."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=runtime.settings.threads, thread_name_prefix="rpc"),
        maximum_concurrent_rpcs=runtime.settings.threads * 8,
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            # Connections end now and then, so that clients find new instances.
            ("grpc.max_connection_age_ms", 300_000),
            ("grpc.max_connection_age_grace_ms", 30_000),
            ("grpc.so_reuseport", 0),
        ],
    )
    server.add_generic_rpc_handlers([handlers(runtime, d, m) for d, m in runtime.service.rpc])
    status = health.HealthServicer()
    status.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    port = server.add_insecure_port(runtime.settings.grpc_bind)
    if port == 0:
        raise OSError(f"can't bind {runtime.settings.grpc_bind}")
    return server, port


_SERVICE_CONFIG = (
    '{"loadBalancingConfig": [{"round_robin": {}}], "methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, '
    '"initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 3, "retryableStatusCodes": ["UNAVAILABLE"]}}]}'
)


class Breaker:
    """After five failures in a row a service is left alone for a few seconds: the callers fail at once instead of piling up."""

    FAILURES, REST = 5, 3.0

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0.0
        self._lock = threading.Lock()

    def check(self, service: str) -> None:
        if time.monotonic() < self._open_until:
            raise Unavailable(
                f"{service}_unavailable", f"The {service} service does not answer. Try again shortly.", retry_after=3
            )

    def record(self, ok: bool) -> None:
        with self._lock:
            self._failures = 0 if ok else self._failures + 1
            if self._failures >= self.FAILURES:
                self._open_until = time.monotonic() + self.REST * random.uniform(0.8, 1.2)  # noqa: S311 - jitter


class Channels:
    """Connections to the services this one asks; opened when first used, so never before a fork."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        service: str,
        method: str,
        request: Message | Iterator[Message],
        *,
        principal: Principal,
        firm_id: UUID | None,
        timeout: float,
        key: str | None = None,
    ) -> Any:
        """Calls `method` of `service`. Errors: the `DomainError` it raised; `<service>_unavailable` (503)."""
        descriptor = _method(service, method)
        breaker = self._breakers.setdefault(service, Breaker())
        breaker.check(service)
        metadata = [("authorization", f"Bearer {self._runtime.tokens.get(firm_id)}"), *telemetry.inject().items()]
        if principal.kind != "service":
            metadata.append((USER, principal.token))
        if key:
            metadata.append((KEY, key))
        call = self._call(service, descriptor)
        try:
            answer = call(request, timeout=timeout, metadata=metadata)
            breaker.record(True)
            return answer
        except grpc.RpcError as error:
            refused = refusal(error, service)
            breaker.record(not isinstance(refused, Unavailable))
            raise refused from error

    def _call(self, service: str, method: MethodDescriptor) -> Any:
        channel = self._channel(service)
        path = f"/{method.containing_service.full_name}/{method.name}"
        serialize, parse = (lambda m: m.SerializeToString()), message_class(method.output_type).FromString
        if getattr(method, "client_streaming", False):
            return channel.stream_unary(path, request_serializer=serialize, response_deserializer=parse)
        return channel.unary_unary(path, request_serializer=serialize, response_deserializer=parse)

    def _channel(self, service: str) -> grpc.Channel:
        with self._lock:
            if service not in self._channels:
                target = getattr(self._runtime.settings, f"{service}_grpc")
                self._channels[service] = grpc.insecure_channel(
                    target if "://" in target else f"dns:///{target}",
                    options=[
                        ("grpc.service_config", _SERVICE_CONFIG),
                        ("grpc.enable_retries", 1),
                        ("grpc.max_send_message_length", MAX_MESSAGE),
                    ],
                )
            return self._channels[service]

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()


def _method(service: str, method: str) -> MethodDescriptor:
    name = f"praxis.{service}.v1.{service.capitalize()}"
    __import__(f"praxis.{service}.v1.{service}_pb2")
    found: MethodDescriptor = symbol_database.Default().pool.FindServiceByName(name).methods_by_name[method]
    return found
