"""Bank statements: the files imported, their lines, and which payment each line became."""

from alembic import op

from chassis.migrate import append_only, protect

revision = "bank"
down_revision = "money_back"


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    protect(op, "bank_imports", "bank_lines")
    append_only(op, "bank_imports")


STATEMENTS = (
    """CREATE TABLE bank_imports (
        firm_id uuid NOT NULL, id uuid NOT NULL, account text NOT NULL, file_name text NOT NULL, lines int NOT NULL, new int NOT NULL,
        imported_by text NOT NULL, at timestamptz NOT NULL, CONSTRAINT pk_bank_imports PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE bank_lines (
        firm_id uuid NOT NULL, id uuid NOT NULL, import_id uuid NOT NULL, account text NOT NULL, fingerprint bytea NOT NULL,
        booked_on date NOT NULL, amount numeric NOT NULL, currency text NOT NULL, counterparty text NOT NULL, reference text NOT NULL,
        state text NOT NULL CONSTRAINT ck_bank_lines_state CHECK (state IN ('open', 'matched', 'ignored', 'outgoing')),
        payment_id uuid, reason text, version bigint NOT NULL,
        CONSTRAINT pk_bank_lines PRIMARY KEY (firm_id, id),
        -- A line of an account is known once, in however many files it stands.
        CONSTRAINT uq_bank_lines_fingerprint UNIQUE (firm_id, fingerprint),
        CONSTRAINT fk_bank_lines_import FOREIGN KEY (firm_id, import_id) REFERENCES bank_imports (firm_id, id),
        CONSTRAINT fk_bank_lines_payment FOREIGN KEY (firm_id, payment_id) REFERENCES payments (firm_id, id),
        CONSTRAINT ck_bank_lines_matched CHECK ((state = 'matched') = (payment_id IS NOT NULL)),
        CONSTRAINT ck_bank_lines_ignored CHECK (state <> 'ignored' OR reason IS NOT NULL))""",
    # A payment stands for one line of the bank.
    "CREATE UNIQUE INDEX uq_bank_lines_payment ON bank_lines (firm_id, payment_id) WHERE payment_id IS NOT NULL",
    "CREATE INDEX ix_bank_lines_state ON bank_lines (firm_id, state, booked_on, id)",
    "CREATE INDEX ix_bank_lines_booked_on ON bank_lines (firm_id, booked_on, id)",
)


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
