"""Permissions as data: what each allows and which roles have it (permissions.yaml beside this file)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROLES = ("owner", "partner", "manager", "staff", "billing", "readonly")
PORTAL = "portal:self"  # what a contact's token carries, and nothing else


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of permissions.yaml."""

    name: str
    says: str
    roles: frozenset[str]


@cache
def all_permissions() -> dict[str, Permission]:
    """Every permission by name, in order of name."""
    data = yaml.safe_load((Path(__file__).parent / "permissions.yaml").read_text())
    permissions = [Permission(name, str(line["says"]), frozenset(line["roles"])) for name, line in data.items()]
    return {p.name: p for p in sorted(permissions, key=lambda p: p.name)}


def permissions_of(roles: Iterable[str]) -> list[str]:
    """What these roles may do together, sorted."""
    held = frozenset(roles)
    return [p.name for p in all_permissions().values() if p.roles & held]
