"""Tenancy as this service's queries meet it, and the plan of its list."""

import psycopg
import pytest
from sqlalchemy import text


def test_without_a_firm_no_row_is_seen(world, firm):
    with world.runtime.engine.connect() as connection:
        for table in ("firms", "staff", "sessions", "refresh_tokens", "invitations", "api_clients", "audit"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_a_row_of_another_firm_cannot_be_written(world, practice):
    one, other = practice(), practice()
    with pytest.raises(Exception, match="row-level security"), world.uow(one.id) as uow:
        uow.session.execute(
            text(
                "INSERT INTO api_clients (firm_id, id, name, digest, scopes, created_at, created_by, version) "
                "VALUES (:firm, gen_random_uuid(), 'x', '', '{}', now(), gen_random_uuid(), 1)"
            ),
            {"firm": other.id},
        )


def test_the_list_of_staff_uses_its_index(world, practice):
    """With many firms in the table, one firm's first page reads that firm's rows in order, as the application's login."""
    firm = practice()
    with psycopg.connect(world.runtime.settings.owner_database_url) as connection:
        connection.execute(
            "INSERT INTO staff SELECT gen_random_uuid(), gen_random_uuid(), 'n' || n, n || '@x.example', '{staff}', 'senior', 1, '{}', "
            "true, now(), NULL, 1 FROM generate_series(1, 20000) n"
        )
        connection.execute("ANALYZE staff")
    with world.uow(firm.id) as uow:
        plan = uow.session.execute(
            text("EXPLAIN SELECT * FROM staff WHERE firm_id = :firm ORDER BY name, id LIMIT 51"), {"firm": firm.id}
        ).scalars()
        lines = "\n".join(plan)
    assert "ix_staff_name" in lines
    assert "Seq Scan" not in lines
