"""The browser's cookies. `__Host-` binds them to this host, the whole of it, and TLS (RFC 6265bis, 4.1.3.2)."""

from http.cookies import CookieError, SimpleCookie

from chassis.http import COOKIE
from identity.sessions.rules import IDLE_LIFETIME
from identity.tokens.minting import LIFETIME

REFRESH = "__Host-praxis-refresh"
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


def signed_in(access_token: str, refresh_token: str) -> tuple[str, ...]:
    return (
        f"{COOKIE}={access_token}; Max-Age={LIFETIME}; {_ATTRIBUTES}",
        f"{REFRESH}={refresh_token}; Max-Age={int(IDLE_LIFETIME.total_seconds())}; {_ATTRIBUTES}",
    )


def signed_out() -> tuple[str, ...]:
    return tuple(f"{name}=; Max-Age=0; {_ATTRIBUTES}" for name in (COOKIE, REFRESH))


def refresh_token(cookie_header: str | None) -> str:
    """The refresh token among a request's cookies, or "" without one."""
    try:
        morsel = SimpleCookie(cookie_header or "").get(REFRESH)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
