"""One family of errors. HTTP answers them as problem+json (RFC 9457), gRPC as a status with the code in its details."""

from typing import Any, ClassVar

import grpc


class DomainError(Exception):
    """Something the caller asked for can't be done.

    `code` is stable and made for programs; `message` says what to do and is made for people;
    `pointer` names the place in the body (RFC 6901); further keywords travel with the problem.
    """

    status: ClassVar[int] = 400
    grpc_status: ClassVar[grpc.StatusCode] = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(
        self, code: str, message: str, *, pointer: str | None = None, retry_after: int | None = None, **more: Any
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.pointer = pointer
        self.retry_after = retry_after
        self.more = more

    def problem(self) -> dict[str, Any]:
        """The error as an RFC 9457 object."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.message,
            "status": self.status,
            "code": self.code,
        }
        if self.pointer is not None:
            body["pointer"] = self.pointer
        return body | self.more


class BadRequest(DomainError):
    """The request itself is malformed: unknown field, wrong type, not JSON."""


class Unauthenticated(DomainError):
    status = 401
    grpc_status = grpc.StatusCode.UNAUTHENTICATED


class Forbidden(DomainError):
    status = 403
    grpc_status = grpc.StatusCode.PERMISSION_DENIED


class NotFound(DomainError):
    """Absent, or somebody else's: the two can't be told apart."""

    status = 404
    grpc_status = grpc.StatusCode.NOT_FOUND


class Conflict(DomainError):
    """Well formed and allowed, but the state of things forbids it now."""

    status = 409
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION


class PreconditionFailed(DomainError):
    """The thing has changed since the caller saw it."""

    status = 412
    grpc_status = grpc.StatusCode.ABORTED


class TooLarge(DomainError):
    status = 413
    grpc_status = grpc.StatusCode.OUT_OF_RANGE


class Invalid(DomainError):
    """Well formed, but a rule refuses the values."""

    status = 422
    grpc_status = grpc.StatusCode.INVALID_ARGUMENT


class PreconditionRequired(DomainError):
    status = 428


class TooMany(DomainError):
    status = 429
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unavailable(DomainError):
    """Something this depends on does not answer; the same request may succeed later."""

    status = 503
    grpc_status = grpc.StatusCode.UNAVAILABLE


_BY_GRPC_STATUS: dict[grpc.StatusCode, type[DomainError]] = {
    cls.grpc_status: cls
    for cls in (
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        PreconditionFailed,
        TooLarge,
        Invalid,
        TooMany,
        Unavailable,
    )
} | {grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable, grpc.StatusCode.CANCELLED: Unavailable}


def from_grpc(error: grpc.RpcError, service: str) -> DomainError:
    """The refusal of another service as the same `DomainError` it raised; anything else as `Unavailable`."""
    status = error.code()
    code = dict(error.trailing_metadata() or ()).get("praxis-code")
    if code is None:
        return Unavailable(
            f"{service}_unavailable", f"The {service} service does not answer. Try again shortly.", retry_after=2
        )
    return _BY_GRPC_STATUS.get(status, Unavailable)(str(code), error.details() or "")
