"""Makes databases and logins: `python -m chassis.bootstrap` with a superuser's PRAXIS_POSTGRES_URL.

Per service: database praxis_<service>; <service>_owner owns it and migrates (BYPASSRLS, for backfills under forced
row-level security); <service>_app is what the processes use (owns nothing, bypasses nothing); <service>_search owns search
functions and can't log in. Passwords come from PRAXIS_<SERVICE>_APP_PASSWORD and …_OWNER_PASSWORD. Safe to run again.
"""

import os
import sys

import psycopg
from psycopg import sql

SERVICES = ("identity", "clients", "workflow", "timebilling", "documents", "portal")
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist")


def bootstrap(
    superuser_url: str, service: str, app_password: str, owner_password: str, database: str | None = None
) -> None:
    """Makes one service's roles and its database (default `praxis_<service>`) if they are not there, and sets the passwords."""
    database = database or f"praxis_{service}"
    app, owner, search = (sql.Identifier(f"{service}_{r}") for r in ("app", "owner", "search"))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, options in (
            (f"{service}_app", "LOGIN NOBYPASSRLS"),
            (f"{service}_owner", "LOGIN BYPASSRLS"),
            (f"{service}_search", "NOLOGIN"),
        ):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} " + options).format(sql.Identifier(role)))
        for role_id, password in ((app, app_password), (owner, owner_password)):
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role_id, sql.Literal(password)))
        connection.execute(sql.SQL("GRANT {} TO {}").format(search, owner))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), owner))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), app))
    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
        for extension in EXTENSIONS:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
        connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}, {}").format(owner, search))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app))
        for grant in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
            connection.execute(
                sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT " + grant + " TO {}").format(
                    owner, app
                )
            )


def main() -> None:
    url = os.environ.get("PRAXIS_POSTGRES_URL") or sys.exit("settings missing: PRAXIS_POSTGRES_URL")
    for service in SERVICES:
        passwords = [os.environ.get(f"PRAXIS_{service.upper()}_{role}_PASSWORD", "") for role in ("APP", "OWNER")]
        if not all(passwords):
            sys.exit(
                f"settings missing: PRAXIS_{service.upper()}_APP_PASSWORD and PRAXIS_{service.upper()}_OWNER_PASSWORD"
            )
        bootstrap(url, service, *passwords)
        print(f"database praxis_{service} is ready", flush=True)


if __name__ == "__main__":
    main()
