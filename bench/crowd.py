"""A firm with many clients, straight into the database of the clients service."""

import random
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import psycopg

from bench import servers
from chassis.db import new_id

_FIRST = "Ada Ben Cleo Dora Emil Finn Gwen Hugo Iris Jana Karl Lena Mona Nils Olga Paul Rosa Sven Tina Uwe Vera Zoë"
_LAST = (
    "Smith Johnson Williams Brown Weber Wagner Becker Hoffmann Koch Bauer Richter Klein Wolf Schröder Müller Okafor "
    "Nowak Rossi García Dubois Jansen Lindqvist Kowalski Andersson Harrison Whitfield Pemberton Ashworth Fairbanks"
)
_KIND = "Ltd GmbH Consulting Trading Holdings Partners Bakery Studio Logistics Engineering Dental Farms"
_AT = "2026-01-05 09:00:00+00"


def database(role: str) -> str:
    """The clients service's database, as its application (`app`) or its owner."""
    from tools.launcher.area import Area
    from tools.launcher.platform import Platform

    return Platform(Area(servers.STATE / "run", servers.STATE / "secrets")).database_url("clients", role)


def fill(url: str, firm: UUID, staff: UUID, clients: int) -> None:
    """So many clients, each with a contact, an engagement and a tax number. `url` is the owner's: row-level security would stop nobody else."""
    print(f"filling in {clients:,} clients …", flush=True)
    ids = [(new_id(), new_id()) for _ in range(clients)]
    with psycopg.connect(url) as connection:
        for table, columns, rows in _tables(firm, staff, ids):
            with connection.cursor().copy(f"COPY {table} (firm_id, id, {columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((firm, *row))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def names(many: int) -> Iterator[str]:
    """As many names as wanted, the same each time."""
    first, last, kind = _FIRST.split(), _LAST.split(), _KIND.split()
    chance = random.Random(1)
    for n in range(many):
        yield f"{chance.choice(first)} {chance.choice(last)} {chance.choice(last)} {n % 997} {chance.choice(kind)}"


def _tables(firm: UUID, staff: UUID, ids: list[tuple[UUID, UUID]]) -> Iterable[tuple[str, str, Iterable[Any]]]:
    clients = (
        (client, f"K{n:06d}", name, "organisation", "active", "GBP", "en", "GB", [f"tag{n % 500}"], staff, _AT, _AT, 1)
        for n, ((client, _), name) in enumerate(zip(ids, names(len(ids)), strict=True))
    )
    contacts = (
        (contact, " ".join(reversed(name.split()[:2])), f"p{n}@example.com", "en", False, True, _AT, _AT, 1)
        for n, ((_, contact), name) in enumerate(zip(ids, names(len(ids)), strict=True))
    )
    roles = ((new_id(), contact, client, "director") for client, contact in ids)
    engagements = (
        (new_id(), client, "Accounts", "accounts", "open", "2026-01-01", "hourly", _AT, _AT, 1) for client, _ in ids
    )
    numbers = (
        (new_id(), client, "vat", b"sealed", "*******9136", n.to_bytes(8, "big")) for n, (client, _) in enumerate(ids)
    )
    yield (
        "clients",
        "number, name, kind, status, currency, language, country, tags, partner_id, created_at, updated_at, version",
        clients,
    )
    yield "contacts", "name, email, language, portal_access, active, created_at, updated_at, version", contacts
    yield "contact_roles", "contact_id, client_id, role", roles
    yield (
        "engagements",
        "client_id, title, service, status, starts_on, fee_kind, created_at, updated_at, version",
        engagements,
    )
    yield "tax_numbers", "client_id, scheme, sealed, shown, lookup", numbers
