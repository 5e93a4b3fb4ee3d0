"""What kind of file bytes are, by their content; names and browsers may claim anything."""

import threading

# isort: off
import pylibmagic  # noqa: F401 - brings libmagic and its database; `magic` loads them, so it comes second
import magic
# isort: on

_lock = threading.Lock()  # libmagic's cookie is not for two threads at once


def media_type(head: bytes) -> str:
    """The media type that a file's first bytes show, e.g. "application/pdf"."""
    with _lock:
        return str(magic.from_buffer(head, mime=True))
