"""Decisions about documents: what a file may be called, how it is served, who may see it. Pure."""

import mimetypes
import unicodedata
from urllib.parse import quote

from chassis.errors import Conflict, Invalid

LONGEST_NAME = 200  # bytes of UTF-8; file systems that clients save to allow 255
VISIBLE_TO_CLIENT = frozenset({"client_view", "client_edit"})
# What a browser would run if it ever opened it; served as bytes without a meaning.
_ACTIVE = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "text/javascript",
        "application/javascript",
    }
)
# Joiners that Persian, Indic scripts and emoji need; every other invisible formatting character can disguise a name.
_JOINERS = frozenset({"\u200c", "\u200d"})


def clean_name(raw: str) -> str:
    """A name that is safe to show, to put into a header and to save under, from whatever a computer called the file.

    Folders are dropped, as are control and bidirectional characters ("cod\\u202efdp.exe"), outer dots and spaces;
    too long a name loses the middle, never its ending. Errors: `name_unusable` if nothing is left.
    """
    last = raw.replace("\\", "/").rsplit("/", 1)[-1]
    composed = unicodedata.normalize("NFC", last)
    shown = "".join(" " if c in "\t\r\n" else c for c in composed if not _invisible(c))
    name = _shortened(" ".join(shown.split()).strip(". "))
    if not name.strip("\u200c\u200d. "):
        raise Invalid(
            "name_unusable", "This file has no usable name. Give it one with letters or digits.", pointer="/name"
        )
    return name


def _invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return (category in ("Cf", "Co", "Cs", "Zl", "Zp") and character not in _JOINERS) or (
        category == "Cc" and character not in "\t\r\n"
    )


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or len(ending) > 15:
        stem, ending = name, ""
    room = LONGEST_NAME - len((dot + ending if ending else "").encode())
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{stem}.{ending}" if ending else stem


def with_ending(name: str, media_type: str) -> str:
    """The name with the usual ending of its type, unless it has an ending already."""
    has_one = 1 <= len(name.rpartition(".")[2]) <= 5 and "." in name and " " not in name.rpartition(".")[2]
    if has_one or media_type == "application/octet-stream":
        return name
    return name + (mimetypes.guess_extension(media_type) or "")


def folded(name: str) -> str:
    """The name as search compares it: without case and accents."""
    marks_apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in marks_apart if not unicodedata.combining(c))


def content_disposition(name: str) -> str:
    """An attachment of that name (RFC 6266): a plain form for old browsers, the exact one in RFC 8187 encoding."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def served_type(media_type: str) -> str:
    """The content type a download is served with: nothing a browser would execute."""
    return "application/octet-stream" if media_type in _ACTIVE else media_type


def ensure_changeable(kind: str, status: str) -> None:
    """Staff keep uploads; what a service generated belongs to its invoice.

    Errors: `document_generated`; `document_not_stored` while nothing is proven.
    """
    if kind != "upload":
        raise Conflict("document_generated", "This file belongs to an invoice and stays as it is.")
    if status != "stored":
        ensure_received(0)


def ensure_received(current_version: int) -> None:
    """Errors: `document_not_stored` while no version is proven."""
    if current_version == 0:
        raise Conflict(
            "document_not_stored", "This document has not been received and verified yet. Wait until it is stored."
        )


def ensure_same_client(job_client_id: object, client_id: object) -> None:
    """A document's job is one of its client's. Errors: `job_of_another_client`."""
    if job_client_id != client_id:
        raise Invalid(
            "job_of_another_client",
            "This job belongs to another client. Choose one of this client's jobs.",
            pointer="/job_id",
        )
