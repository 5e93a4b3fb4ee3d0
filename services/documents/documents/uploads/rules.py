"""Decisions about uploads: which way the bytes go, and whether what arrived is what was announced. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from chassis.errors import Conflict, Invalid

MIB = 1024 * 1024
SINGLE_PUT_MAX = 64 * MIB  # bytes; up to here one PUT carries a hash that the store enforces
FORM_MAX = 512 * MIB  # bytes; a form post can't be resumed
UPLOAD_MAX = 50 * 1024 * MIB  # bytes
PART_SIZE = 16 * MIB  # bytes; S3 asks for at least 5 MiB and at most 10,000 parts
PATIENCE = {
    "put": timedelta(hours=1),
    "form": timedelta(hours=1),
    "multipart": timedelta(days=3),
}  # then the sweep takes it


@dataclass(frozen=True, slots=True)
class Plan:
    """How the bytes travel: `put`, `form` or `multipart`, the latter in `parts` of `part_size` bytes."""

    method: str
    part_size: int | None = None
    parts: int | None = None


def plan(size: int, sha256: str | None, *, form: bool) -> Plan:
    """The way for a file of `size` bytes. Errors: `too_large`, `hash_missing`."""
    most = FORM_MAX if form else UPLOAD_MAX
    if size > most:
        raise Invalid("too_large", f"A file may have at most {most // MIB} MB here.", pointer="/size", max_size=most)
    if form:
        return Plan("form")
    if sha256 is None:
        raise Invalid("hash_missing", "Send the file's SHA-256, so that what arrives can be proven.", pointer="/sha256")
    if size <= SINGLE_PUT_MAX:
        return Plan("put")
    return Plan("multipart", PART_SIZE, -(-size // PART_SIZE))


def refusal(*, size: int | None, sha256: str | None, found_size: int, found_sha256: str | None) -> str | None:
    """Why bytes that arrived are not the announced ones (`size_differs`, `hash_differs`), or None.

    What was not announced (a form's hash) or not told by the store is not compared.
    """
    if size is not None and found_size != size:
        return "size_differs"
    if sha256 is not None and found_sha256 is not None and found_sha256 != sha256:
        return "hash_differs"
    return None


def missing_parts(received: dict[int, int], *, size: int, part_size: int, parts: int) -> list[int]:
    """Numbers of the parts that the store lacks or has in the wrong length. `received`: bytes by number."""
    last = size - part_size * (parts - 1)
    return [n for n in range(1, parts + 1) if received.get(n) != (last if n == parts else part_size)]


def ensure_part(number: int, parts: int | None) -> None:
    """Errors: `part_unknown`."""
    if parts is None or number > parts:
        raise Invalid("part_unknown", f"There is no part {number} of this upload.", pointer="/parts")


def ensure_going_on(status: str) -> None:
    """An upload takes bytes only until it is completed, refused or given up. Errors: `upload_over`."""
    if status != "started":
        raise Conflict("upload_over", f"This upload is {status}. Start a new one.", upload_status=status)


def ensure_own_origin(redirect_url: str, public_url: str) -> None:
    """A form post may only lead back to this platform. Errors: `redirect_foreign`."""
    target, own = urlsplit(redirect_url), urlsplit(public_url)
    if (target.scheme, target.netloc) != (own.scheme, own.netloc) or target.query or target.fragment:
        # Some stores replace the query by their own; the state of a page belongs into its path.
        raise Invalid(
            "redirect_foreign",
            "The redirect must be a plain address on this platform's own origin.",
            pointer="/redirect_url",
        )
