"""What a partner system may be given, and what it may ask for."""

from collections.abc import Collection, Iterable


def excess(asked: Iterable[str], allowed: Collection[str]) -> list[str]:
    """What is asked for beyond what is allowed, sorted: an API client never has more than its creator had."""
    return sorted(set(asked) - set(allowed))


def granted(scope: str | None, scopes: Collection[str], known: Collection[str]) -> list[str] | None:
    """The permissions a token gets: what `scope` names of the client's scopes, all without one (RFC 6749, 3.3). None: `scope`
    names something that isn't the client's. A permission that the data no longer has is granted to nobody."""
    asked = scope.split() if scope else list(scopes)
    if excess(asked, scopes):
        return None
    return sorted(set(asked) & set(known))
