"""Who is asking: verified tokens, and the service's own token for asking others."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

import httpx
import jwt

from chassis.errors import Unauthenticated, Unavailable

ALGORITHM = "EdDSA"  # the only one accepted, whatever a token's header claims
AUDIENCES = ("staff", "portal", "partner", "service")
LEEWAY = 30  # seconds of clock skew between machines

Kind = Literal["staff", "portal", "partner", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `id` is the staff member, contact or API client; for a service its name."""

    kind: Kind
    id: str
    firm_id: UUID | None
    name: str = ""
    permissions: frozenset[str] = frozenset()
    client_ids: frozenset[UUID] = frozenset()
    token: str = ""
    source: str = ""

    @property
    def actor(self) -> str:
        """The actor as audit rows and events name it."""
        kind = {"portal": "contact"}.get(self.kind, self.kind)
        return f"{kind}:{self.id}"

    @property
    def viewer(self) -> str:
        """Who private clients are hidden from unless named: staff and partner systems. Empty: nobody in particular."""
        return self.id if self.kind in ("staff", "partner") else ""

    @property
    def uuid(self) -> UUID:
        return UUID(self.id)


def system(service: str, firm_id: UUID | None) -> Principal:
    """The service itself, at work for a firm: consumers, timers, commands."""
    return Principal("service", service, firm_id, name=service, source="worker")


class KeySource(Protocol):
    def key(self, kid: str) -> Any:
        """The public key of that id, or None."""


@dataclass
class JwksKeys:
    """Identity's public keys by HTTP, kept for five minutes; an unknown key id asks again, at most every five seconds."""

    url: str
    max_age: float = 300
    _keys: dict[str, Any] = field(default_factory=dict)
    _fetched: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, kid: str) -> Any:
        age = time.monotonic() - self._fetched
        if age > self.max_age or (kid not in self._keys and age > 5):
            with self._lock:
                self._refresh(kid)
        return self._keys.get(kid)

    def _refresh(self, kid: str) -> None:
        age = time.monotonic() - self._fetched
        if age < 5 and self._keys:
            return
        try:
            answer = httpx.get(self.url, timeout=3).raise_for_status()
            self._keys = {k["kid"]: jwt.PyJWK(k, algorithm=ALGORITHM).key for k in answer.json()["keys"]}
            self._fetched = time.monotonic()
        except (httpx.HTTPError, ValueError, KeyError) as error:
            # Known keys go on serving while identity is away; only without any is there nothing to verify by.
            if kid not in self._keys:
                raise Unavailable(
                    "keys_unavailable", "Sign-in keys can't be read right now. Try again shortly.", retry_after=2
                ) from error


class TokenVerifier:
    """Verifies tokens of the one issuer; remembers the last few thousand verified ones until they expire."""

    def __init__(self, keys: KeySource, issuer: str, remember: int = 5000) -> None:
        self._keys = keys
        self._issuer = issuer
        self._remember = remember
        self._seen: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Principal:
        """The principal of a token. Errors: `token_invalid`, `token_expired` (401)."""
        with self._lock:
            seen = self._seen.get(token)
        if seen and seen[0] > time.time():
            return seen[1]
        expires, principal = self._verify(token)
        with self._lock:
            self._seen[token] = (expires, principal)
            while len(self._seen) > self._remember:
                self._seen.popitem(last=False)
        return principal

    def _verify(self, token: str) -> tuple[float, Principal]:
        try:
            key = self._keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise jwt.InvalidKeyError("unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCES,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
            return claims["exp"] + LEEWAY, _principal(claims, token)
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("token_expired", "The session has expired. Sign in again.") from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            raise Unauthenticated("token_invalid", "This token is not valid here. Sign in again.") from error


def _principal(claims: dict[str, Any], token: str) -> Principal:
    audience = claims["aud"]
    if isinstance(audience, list):  # a token for several audiences stands in for none of them
        (audience,) = audience
    firm = claims.get("firm")
    if firm is None and audience != "service":
        raise ValueError("no firm")
    sub = claims["sub"]
    if audience == "service":
        prefix, _, sub = sub.partition(":")
        if prefix != "service":
            raise ValueError("not a service")
    return Principal(
        kind=audience,
        id=sub if audience == "service" else str(UUID(sub)),
        firm_id=UUID(firm) if firm else None,
        name=str(claims.get("name", "")),
        permissions=frozenset(claims.get("permissions", ())),
        client_ids=frozenset(UUID(c) for c in claims.get("clients", ())),
        token=token,
    )


class ServiceTokens:
    """This service's own tokens, one per firm, fetched from identity and kept until shortly before they expire."""

    def __init__(self, url: str, service: str, secret: str) -> None:
        self._url, self._service, self._secret = url, service, secret
        self._tokens: dict[UUID | None, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def get(self, firm_id: UUID | None) -> str:
        expires, token = self._tokens.get(firm_id, (0.0, ""))
        if expires > time.monotonic():
            return token
        with self._lock:
            expires, token = self._fetch(firm_id)
            if len(self._tokens) > 10_000:
                self._tokens.clear()
            self._tokens[firm_id] = (expires, token)
        return token

    def _fetch(self, firm_id: UUID | None) -> tuple[float, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": f"service:{self._service}",
            "client_secret": self._secret,
        }
        if firm_id:
            form["firm"] = str(firm_id)
        try:
            answer = httpx.post(self._url, data=form, timeout=5).raise_for_status().json()
        except httpx.HTTPError as error:
            raise Unavailable(
                "identity_unavailable", "The identity service does not answer. Try again shortly.", retry_after=2
            ) from error
        return time.monotonic() + answer["expires_in"] * 0.8, answer["access_token"]
