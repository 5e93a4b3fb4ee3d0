"""What items, movements and places on invoices refer to is looked up per statement, not per row: a thousand entries are asked about once."""

from alembic import op

revision = "references_at_once"
down_revision = "t5b_logo"

STATEMENTS = (
    # Nothing takes an item away, so what refers to one only has to find it when it is written.
    "DO $$ BEGIN EXECUTE format('REVOKE DELETE, TRUNCATE ON wip_items FROM %I', replace(current_user, '_owner', '_app')); END $$",
    "ALTER TABLE invoice_items DROP CONSTRAINT fk_invoice_items_item, DROP CONSTRAINT fk_invoice_items_invoice",
    "ALTER TABLE wip_movements DROP CONSTRAINT fk_wip_movements_item",
    # A place on an invoice: of a work item that is there, on a line of that very invoice, which is not issued.
    """CREATE OR REPLACE FUNCTION refuse_items_on_issued() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        IF EXISTS (SELECT FROM added a LEFT JOIN wip_items w ON w.firm_id = a.firm_id AND w.id = a.item_id WHERE w.id IS NULL) THEN
            RAISE EXCEPTION 'no such item' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_invoice_items_item';
        END IF;
        IF EXISTS (SELECT FROM (SELECT DISTINCT firm_id, line_id, invoice_id FROM added) a
                   LEFT JOIN invoice_lines l ON l.firm_id = a.firm_id AND l.id = a.line_id
                   WHERE l.invoice_id IS DISTINCT FROM a.invoice_id) THEN
            RAISE EXCEPTION 'a line of another invoice' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_invoice_items_invoice';
        END IF;
        -- A credit note is written whole in the transaction that numbers it.
        IF EXISTS (SELECT FROM (SELECT DISTINCT firm_id, invoice_id FROM added) a
                   JOIN invoices i ON i.firm_id = a.firm_id AND i.id = a.invoice_id
                   WHERE i.state <> 'draft' AND NOT (i.kind = 'credit_note' AND i.issued_at = transaction_timestamp())) THEN
            RAISE EXCEPTION 'an issued invoice does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_issued';
        END IF;
        RETURN NULL;
    END $f$""",
    # Which item a place, and which invoice a line, belongs to never changes; the guard above looks when they are written.
    """CREATE FUNCTION refuse_items_moved() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        RAISE EXCEPTION 'a place on an invoice does not move' USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_items_fixed';
    END $f$""",
    """CREATE TRIGGER refuse_items_moved BEFORE UPDATE OF firm_id, id, invoice_id, line_id, item_id ON invoice_items FOR EACH ROW
        WHEN ((OLD.firm_id, OLD.id, OLD.invoice_id, OLD.line_id, OLD.item_id)
              IS DISTINCT FROM (NEW.firm_id, NEW.id, NEW.invoice_id, NEW.line_id, NEW.item_id))
        EXECUTE FUNCTION refuse_items_moved()""",
    """CREATE FUNCTION demand_items_of_movements() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        IF EXISTS (SELECT FROM added a LEFT JOIN wip_items w ON w.firm_id = a.firm_id AND w.id = a.item_id WHERE w.id IS NULL) THEN
            RAISE EXCEPTION 'no such item' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_wip_movements_item';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE TRIGGER demand_items_of_movements AFTER INSERT ON wip_movements REFERENCING NEW TABLE AS added "
    "FOR EACH STATEMENT EXECUTE FUNCTION demand_items_of_movements()",
    # The invoice an item is on: there when the item is put on it, and not dropped while an item says it is on it. The lock is what
    # a foreign key takes, so that whoever drops the draft at that moment waits and then sees the item.
    "ALTER TABLE wip_items DROP CONSTRAINT fk_wip_items_invoice",
    """CREATE FUNCTION demand_invoice_of_items() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        PERFORM FROM invoices i WHERE (i.firm_id, i.id) IN (SELECT DISTINCT firm_id, invoice_id FROM put WHERE invoice_id IS NOT NULL)
            ORDER BY i.id FOR KEY SHARE;
        IF EXISTS (SELECT FROM (SELECT DISTINCT firm_id, invoice_id FROM put WHERE invoice_id IS NOT NULL) p
                   LEFT JOIN invoices i ON i.firm_id = p.firm_id AND i.id = p.invoice_id WHERE i.id IS NULL) THEN
            RAISE EXCEPTION 'no such invoice' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_wip_items_invoice';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE TRIGGER demand_invoice_of_new_items AFTER INSERT ON wip_items REFERENCING NEW TABLE AS put "
    "FOR EACH STATEMENT EXECUTE FUNCTION demand_invoice_of_items()",
    "CREATE TRIGGER demand_invoice_of_items AFTER UPDATE ON wip_items REFERENCING NEW TABLE AS put "
    "FOR EACH STATEMENT EXECUTE FUNCTION demand_invoice_of_items()",
    """CREATE FUNCTION refuse_invoice_with_items() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN
        IF EXISTS (SELECT FROM wip_items w WHERE w.firm_id = OLD.firm_id AND w.invoice_id = OLD.id) THEN
            RAISE EXCEPTION 'items are on this draft' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_wip_items_invoice';
        END IF;
        RETURN NULL;
    END $f$""",
    "CREATE TRIGGER refuse_invoice_with_items AFTER DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION refuse_invoice_with_items()",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
