"""The guard over items of issued invoices looks at a statement's new rows together: a draft of a thousand entries asks once."""

from alembic import op

revision = "items_at_once"
down_revision = "made_files"


def upgrade() -> None:
    op.execute("DROP TRIGGER refuse_issued_line_change ON invoice_items")
    op.execute(
        "CREATE TRIGGER refuse_issued_line_change BEFORE UPDATE OR DELETE ON invoice_items "
        "FOR EACH ROW EXECUTE FUNCTION refuse_issued_line_change()"
    )
    op.execute(
        """CREATE FUNCTION refuse_items_on_issued() RETURNS trigger LANGUAGE plpgsql AS $f$
        BEGIN
            -- A credit note is written whole in the transaction that numbers it.
            IF EXISTS (SELECT 1 FROM (SELECT DISTINCT firm_id, invoice_id FROM added) a
                       JOIN invoices i ON i.firm_id = a.firm_id AND i.id = a.invoice_id
                       WHERE i.state <> 'draft' AND NOT (i.kind = 'credit_note' AND i.issued_at = transaction_timestamp())) THEN
                RAISE EXCEPTION 'an issued invoice does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_issued';
            END IF;
            RETURN NULL;
        END $f$"""
    )
    op.execute(
        "CREATE TRIGGER refuse_items_on_issued AFTER INSERT ON invoice_items REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_items_on_issued()"
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
