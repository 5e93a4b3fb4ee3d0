"""Interest that clients are charged for invoices paid late: of which invoice, for which days."""

from alembic import op

from chassis.migrate import protect

revision = "interest"
down_revision = "bills_tried_again"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE interest_charges (
            firm_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, line_id uuid NOT NULL, first date NOT NULL, last date NOT NULL,
            percent numeric NOT NULL, balance numeric NOT NULL, amount numeric NOT NULL, at timestamptz NOT NULL,
            CONSTRAINT pk_interest_charges PRIMARY KEY (firm_id, id),
            CONSTRAINT ck_interest_charges_period CHECK (first <= last),
            CONSTRAINT ck_interest_charges_amount CHECK (least(percent, balance, amount) > 0),
            CONSTRAINT fk_interest_charges_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
            CONSTRAINT fk_interest_charges_line FOREIGN KEY (firm_id, line_id) REFERENCES invoice_lines (firm_id, id) ON DELETE CASCADE)"""
    )
    op.execute("CREATE INDEX ix_interest_charges_invoice ON interest_charges (firm_id, invoice_id)")
    op.execute("CREATE UNIQUE INDEX uq_interest_charges_line ON interest_charges (firm_id, line_id)")
    protect(op, "interest_charges")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
