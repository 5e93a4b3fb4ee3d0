"""One family of errors. HTTP answers them as problem+json (RFC 9457), gRPC as a status with the code in its details."""

from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller asked for can't be done.

    `code` is stable and made for programs; `message` says what to do and is made for people;
    `pointer` names the place in the body (RFC 6901); further keywords travel with the problem.
    """

    status: ClassVar[int] = 400

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


class Forbidden(DomainError):
    status = 403


class NotFound(DomainError):
    """Absent, or somebody else's: the two can't be told apart."""

    status = 404


class Conflict(DomainError):
    """Well formed and allowed, but the state of things forbids it now."""

    status = 409


class PreconditionFailed(DomainError):
    """The thing has changed since the caller saw it."""

    status = 412


class TooLarge(DomainError):
    status = 413


class Invalid(DomainError):
    """Well formed, but a rule refuses the values."""

    status = 422


class PreconditionRequired(DomainError):
    status = 428


class TooMany(DomainError):
    status = 429


class Unavailable(DomainError):
    """Something this depends on does not answer; the same request may succeed later."""

    status = 503
