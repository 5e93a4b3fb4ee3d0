"""Asking the platform as its users do, with keys that make every act repeatable: a demo that was interrupted goes on where it stopped."""

import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

import httpx

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 6  # requests under way; more only makes the machine busy
PATIENCE = 30.0


class RefusedError(Exception):
    """The platform refused something the demo asked for: a mistake in the demo."""


@dataclass
class Person:
    """Somebody signed in. Tokens last ten minutes, so a longer demo signs in again."""

    app: str
    http: httpx.Client
    email: str
    password: str
    id: str = ""
    token: str = ""
    signed_in: float = 0.0

    def sign_in(self) -> "Person":
        session = self._send("POST", "identity/v1/sessions", {"email": self.email, "password": self.password}, {})
        self.id, self.token, self.signed_in = session["me"]["id"], session["access_token"], time.monotonic()
        return self

    def get(self, path: str) -> Any:
        return self._send("GET", path, None, self._headers())

    def etag(self, path: str) -> tuple[Any, int]:
        """A thing and its version."""
        found = self.get(path)
        return found, int(found["version"])

    def post(self, path: str, body: Any = None, *, key: str) -> Any:
        """`key` names the act: the same key does it once, however often the demo runs on this day."""
        return self._send(
            "POST",
            path,
            body,
            self._headers() | {"idempotency-key": str(uuid5(NAMESPACE_URL, f"demo:{self.app}:{key}"))},
        )

    def change(self, path: str, body: Any, *, version: int, method: str = "PATCH") -> Any:
        return self._send(method, path, body, self._headers() | {"if-match": f'"{version}"'})

    def _headers(self) -> dict[str, str]:
        if time.monotonic() - self.signed_in > 480:
            self.sign_in()
        return {"authorization": f"Bearer {self.token}"}

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        """Copies of what others own arrive by events a moment later: what is not there yet is asked for again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.http.request(method, f"{self.app}/api/{path}", json=body, headers=headers)
            if answer.is_success:
                return answer.json() if answer.content else None
            behind = answer.status_code in (404, 429, 502, 503, 504) or "unknown_staff" in answer.text
            if not behind or time.monotonic() > deadline:
                raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text[:600]}")
            time.sleep(0.3)


def mailed(http: httpx.Client, mail: str, to: str, pattern: str) -> str:
    """The first group of `pattern` in mail to that address, as soon as it has arrived."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for message in http.get(f"{mail}/api/messages", params={"to": to}).raise_for_status().json()["items"]:
            if match := re.search(pattern, message["text"]):
                return match[1]
        time.sleep(0.2)
    raise RefusedError(f"no mail to {to} arrived")


def each(items: Iterable[T], act: Callable[[T], R]) -> list[R]:
    """Does the same for all, a few at once; answers in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(act, items))
