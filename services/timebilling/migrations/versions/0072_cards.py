"""Card payments: whether a firm takes them, and the checkouts its clients were sent to."""

from alembic import op

from chassis.migrate import protect

revision = "cards"
down_revision = "imports"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "card_settings", "checkouts")


STATEMENTS = (
    """CREATE TABLE card_settings (
        firm_id uuid NOT NULL, id uuid NOT NULL, enabled boolean NOT NULL, account text, version bigint NOT NULL,
        CONSTRAINT pk_card_settings PRIMARY KEY (firm_id, id), CONSTRAINT ck_card_settings_one CHECK (id = firm_id))""",
    """CREATE TABLE checkouts (
        firm_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, client_id uuid NOT NULL,
        amount numeric NOT NULL CONSTRAINT ck_checkouts_amount CHECK (amount > 0), currency text NOT NULL,
        state text NOT NULL CONSTRAINT ck_checkouts_state CHECK (state IN ('open', 'paid', 'expired')),
        session_id text NOT NULL, url text NOT NULL, payment_id uuid, expires_at timestamptz NOT NULL, created_at timestamptz NOT NULL,
        CONSTRAINT pk_checkouts PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_checkouts_invoice FOREIGN KEY (firm_id, invoice_id) REFERENCES invoices (firm_id, id),
        CONSTRAINT fk_checkouts_payment FOREIGN KEY (firm_id, payment_id) REFERENCES payments (firm_id, id),
        CONSTRAINT ck_checkouts_paid CHECK ((state = 'paid') = (payment_id IS NOT NULL)))""",
    "CREATE INDEX ix_checkouts_invoice ON checkouts (firm_id, invoice_id)",
    "CREATE INDEX ix_checkouts_payment ON checkouts (firm_id, payment_id) WHERE payment_id IS NOT NULL",
)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
