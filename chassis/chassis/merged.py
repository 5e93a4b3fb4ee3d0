"""Things of another service that became one: the id given up is followed to the one that stands for it.

A service that refers to such things calls `mergeable(op)` in a migration, `follow` when it hears of a merge, `standing`
where an id comes in that may have been given up meanwhile, and names `again` among its timers as `repoint`. Its lists that
are narrowed by such an id, the `merged` of the service, are narrowed to the one that stands (`chassis.http`).
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.migrate import protect
from chassis.uow import Uow

_AGAIN_AFTER = timedelta(minutes=2)  # longer than any transaction lasts

_NOTE = text(
    "INSERT INTO merged_ids (firm_id, id, into_id) VALUES (:firm, :old, :into) "
    "ON CONFLICT (firm_id, id) DO UPDATE SET into_id = excluded.into_id"
)
_CHAIN = text("UPDATE merged_ids SET into_id = :into WHERE firm_id = :firm AND into_id = :old")
_STANDING = text("SELECT into_id FROM merged_ids WHERE firm_id = :firm AND id = :id")
_ALL_STANDING = text("SELECT id, into_id FROM merged_ids WHERE firm_id = :firm AND id = ANY(:ids)")
_REPOINT = text("SELECT repoint(:column, :old, :into)")


def follow(uow: Uow, column: str, old: UUID, into: UUID) -> UUID:
    """Whatever of the firm names `old` in this column names `into` from now on, in every table; answers the id that stands.

    Done twice it changes nothing. Done once more a little later, for what was being written at the same moment.
    """
    into = standing(uow, into)
    if into == old:
        return into
    values = {"firm": uow.firm_id, "old": old, "into": into}
    uow.session.execute(_NOTE, values)
    uow.session.execute(_CHAIN, values)
    again(uow, column, str(old))
    uow.later("repoint", f"{column}/{old}", at=uow.now + _AGAIN_AFTER, column=column, old=str(old))
    return into


def again(uow: Uow, column: str, old: str) -> None:
    """Moves what still names the id given up."""
    uow.session.execute(_REPOINT, {"column": column, "old": UUID(old), "into": standing(uow, UUID(old))})
    uow.keep()


def standing(uow: Uow, id: UUID | str) -> UUID:
    """The id that stands for this one: mostly itself."""
    found = uow.session.execute(_STANDING, {"firm": uow.firm_id, "id": UUID(str(id))}).scalar()
    return found or UUID(str(id))


def all_standing(uow: Uow, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The ids that stand for these, by those given."""
    found = {id: id for id in ids}
    given_up = uow.session.execute(_ALL_STANDING, {"firm": uow.firm_id, "ids": list(found)})
    return found | {row.id: row.into_id for row in given_up}


def mergeable(op: Any, column: str) -> None:
    """The table of ids given up, and the function that moves what names one.

    The function belongs to the owner of the tables, so that it also reaches rows which the application's login may only
    add. Triggers that refuse changes let it pass: see `let_pass`.
    """
    op.execute(
        "CREATE TABLE merged_ids (firm_id uuid NOT NULL, id uuid NOT NULL, into_id uuid NOT NULL, "
        "CONSTRAINT pk_merged_ids PRIMARY KEY (firm_id, id), CONSTRAINT ck_merged_ids_other CHECK (id <> into_id))"
    )
    protect(op, "merged_ids")
    op.execute("""
        CREATE FUNCTION repoint(reference text, given_up uuid, stands uuid) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $f$
        DECLARE firm uuid := nullif(current_setting('app.firm_id', true), '')::uuid; place regclass; moved bigint; total bigint := 0;
        BEGIN
            FOR place IN
                SELECT c.oid::regclass FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = reference AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped
                JOIN pg_attribute f ON f.attrelid = c.oid AND f.attname = 'firm_id'
                WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname
            LOOP
                EXECUTE format('UPDATE %s SET %I = $1 WHERE firm_id = $2 AND %I = $3', place, reference, reference)
                    USING stands, firm, given_up;
                GET DIAGNOSTICS moved = ROW_COUNT;
                total := total + moved;
            END LOOP;
            RETURN total;
        END $f$""")
    op.execute("REVOKE ALL ON FUNCTION repoint(text, uuid, uuid) FROM PUBLIC")
    op.execute(
        "DO $$ BEGIN EXECUTE format('GRANT EXECUTE ON FUNCTION repoint(text, uuid, uuid) TO %I', "
        "replace(current_user, '_owner', '_app')); END $$"
    )
    let_pass(op, column)


def let_pass(op: Any, column: str) -> None:
    """Triggers that guard rows naming such things are not asked when `repoint` moves them, and only then: inside it, the
    current user is the owner of the function. For migrations; `guards` tells of those that were made later."""
    op.execute(f"""
        DO $$ DECLARE guard record; BEGIN
            FOR guard IN {guards(column)} LOOP
                EXECUTE replace(replace(guard.definition, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'),
                    ' EXECUTE FUNCTION', ' WHEN (CURRENT_USER = SESSION_USER) EXECUTE FUNCTION');
            END LOOP;
        END $$""")


def guards(column: str) -> str:
    """The query for triggers that could refuse what `repoint` does with this column."""
    return f"""SELECT t.tgname AS name, t.tgrelid::regclass::text AS place, pg_get_triggerdef(t.oid) AS definition
        FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attname = '{column}'
        JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'public'::regnamespace
        WHERE NOT t.tgisinternal AND t.tgconstraint = 0 AND t.tgqual IS NULL AND t.tgtype & 16 <> 0"""
