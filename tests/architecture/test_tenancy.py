"""Every service's database, as its migrations make it: no firm's rows without a firm, no way round it, nothing that the mappings don't know."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import SimpleNamespace

import psycopg
import pytest

from chassis.db import EXEMPT as PLUMBING
from chassis.testing import clone_database, drop_database, unmapped_differences

SERVICES = ("clients", "workflow", "timebilling", "documents", "portal", "identity")


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """A migrated database of each service: `owner` and `app` are its two logins' addresses."""
    for module in walk_packages(import_module(request.param).__path__, f"{request.param}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)  # each maps its tables as it is imported
    app = import_module(f"{request.param}.app")
    login, owner = clone_database(app.service)
    try:
        yield SimpleNamespace(
            name=request.param,
            service=app.service,
            exempt=getattr(app, "EXEMPT", {}),
            mappings=import_module(f"{request.param}.db").Base.metadata,
            owner=owner,
            app=login,
        )
    finally:
        drop_database(owner)


def rows(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def test_every_table_is_behind_row_level_security_or_exempt_with_a_reason(service):
    tables = rows(
        service.owner,
        "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
        "WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace",
    )
    assert {name for name, policed in tables if not policed} == PLUMBING.keys() | service.exempt.keys()
    assert all(service.exempt.values())


def test_every_key_and_unique_index_of_a_firms_table_begins_with_the_firm(service):
    """Otherwise a row of one firm could refuse another's. Ids that are random in the whole world may stand alone."""
    unique = rows(
        service.owner,
        "SELECT c.relname, i.relname, a.attname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0] "
        "WHERE x.indisunique AND c.relrowsecurity AND c.relnamespace = 'public'::regnamespace",
    )
    assert [row for row in unique if row[2] != "firm_id" and row[:2] not in {("audit", "pk_audit")}] == []


def test_the_applications_login_cannot_get_round_it(service):
    """It owns nothing, can't bypass, and what runs with another's rights is search, which filters by the firm itself."""
    name = psycopg.conninfo.conninfo_to_dict(service.app)["user"]
    assert rows(service.app, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        (False, False)
    ]
    assert rows(service.owner, f"SELECT relname FROM pg_class WHERE relowner = '{name}'::regrole") == []
    views = rows(
        service.owner,
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace "
        "AND NOT coalesce(reloptions @> '{security_invoker=true}', false)",
    )
    extensions = {"pg_stat_statements", "pg_stat_statements_info"}
    assert {view for (view,) in views} <= extensions
    definers = rows(
        service.owner,
        "SELECT proname, prosrc FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
    )
    assert [name for name, source in definers if "app.firm_id" not in source] == []


def test_mappings_and_migrated_database_agree(service):
    assert unmapped_differences(service.service, service.mappings, service.owner) == []
