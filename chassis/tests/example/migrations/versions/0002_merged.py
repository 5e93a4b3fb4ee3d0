"""Notes of a subject that may be merged into another; what a log says of one is only ever added."""

from alembic import op

from chassis.merged import mergeable
from chassis.migrate import append_only, protect

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for table in ("subject_notes", "subject_log"):
        op.execute(
            f"CREATE TABLE {table} (firm_id uuid NOT NULL, id uuid NOT NULL, subject_id uuid, CONSTRAINT pk_{table} PRIMARY KEY (firm_id, id))"
        )
    protect(op, "subject_notes", "subject_log")
    append_only(op, "subject_log")
    op.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'said is said'; END $f$"
    )
    op.execute("CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON subject_notes FOR EACH ROW EXECUTE FUNCTION refuse()")
    mergeable(op, "subject_id")
