"""Branding, portal users, sign-in, what is sent and reminded, copies of what clients are shown."""

from alembic import op

from chassis.migrate import plumbing, protect

revision = "0001"
down_revision = None

_TABLES = (
    """CREATE TABLE branding (
        firm_id uuid NOT NULL, id uuid NOT NULL, display_name text NOT NULL, own_name boolean NOT NULL,
        accent text NOT NULL CONSTRAINT ck_branding_accent CHECK (accent ~ '^#[0-9a-f]{6}$'),
        address text NOT NULL, footer text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_branding PRIMARY KEY (firm_id, id), CONSTRAINT ck_branding_one CHECK (id = firm_id))""",
    """CREATE TABLE portal_users (
        firm_id uuid NOT NULL, id uuid NOT NULL, invited_at timestamptz, invitations int NOT NULL, last_seen_at timestamptz,
        CONSTRAINT pk_portal_users PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE sign_in_addresses (
        address bytea NOT NULL, firm_id uuid NOT NULL, contact_id uuid NOT NULL,
        CONSTRAINT pk_sign_in_addresses PRIMARY KEY (address, firm_id, contact_id))""",
    "CREATE INDEX ix_sign_in_addresses_contact ON sign_in_addresses (firm_id, contact_id)",
    """CREATE TABLE sign_ins (
        id uuid CONSTRAINT pk_sign_ins PRIMARY KEY, address bytea NOT NULL, expires_at timestamptz NOT NULL, tries int NOT NULL,
        choice bytea, used_at timestamptz)""",
    "CREATE INDEX ix_sign_ins_expires_at ON sign_ins (expires_at)",
    "CREATE TABLE attempts (id uuid CONSTRAINT pk_attempts PRIMARY KEY, key bytea NOT NULL, at timestamptz NOT NULL)",
    "CREATE INDEX ix_attempts_key_at ON attempts (key, at)",
    "CREATE INDEX ix_attempts_at ON attempts (at)",
    """CREATE TABLE devices (
        firm_id uuid NOT NULL, id uuid NOT NULL, contact_id uuid NOT NULL, secret bytea NOT NULL, previous_secret bytea,
        rotated_at timestamptz NOT NULL, created_at timestamptz NOT NULL, revoked_at timestamptz, revoked_why text,
        user_agent text NOT NULL, CONSTRAINT pk_devices PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE sendings (
        firm_id uuid NOT NULL, id uuid NOT NULL, contact_id uuid NOT NULL, upload_id uuid NOT NULL, document_id uuid NOT NULL, request_id uuid NOT NULL,
        item_id uuid NOT NULL, started_at timestamptz NOT NULL, done_at timestamptz, CONSTRAINT pk_sendings PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE reminders (
        firm_id uuid NOT NULL, id uuid NOT NULL, contact_id uuid NOT NULL, request_id uuid NOT NULL, number int NOT NULL,
        due_at timestamptz NOT NULL, told_at timestamptz, CONSTRAINT pk_reminders PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_reminders_waiting ON reminders (firm_id, contact_id, id) WHERE told_at IS NULL",
    """CREATE TABLE firm_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, time_zone text NOT NULL, language text NOT NULL,
        quiet_from text NOT NULL, quiet_until text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_firm_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE client_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, visible_to uuid[], version bigint NOT NULL,
        CONSTRAINT pk_client_copy PRIMARY KEY (firm_id, id))""",
    """CREATE TABLE contact_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, email text NOT NULL, language text NOT NULL,
        portal_access boolean NOT NULL, active boolean NOT NULL, client_ids uuid[] NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_contact_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_contact_copy_name ON contact_copy (firm_id, name, id) WHERE active AND portal_access",
    "CREATE INDEX ix_contact_copy_client_ids ON contact_copy USING gin (client_ids)",
    """CREATE TABLE request_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, job_id uuid, job_title text NOT NULL, title text NOT NULL,
        message text NOT NULL, status text NOT NULL, due_on date, items jsonb NOT NULL, return_reason text NOT NULL,
        version bigint NOT NULL, CONSTRAINT pk_request_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_request_copy_client ON request_copy (firm_id, client_id, status, due_on, id)",
    """CREATE TABLE job_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, title text NOT NULL, status text NOT NULL, due_on date,
        tasks_total int NOT NULL, tasks_done int NOT NULL, closed boolean NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_job_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_job_copy_client ON job_copy (firm_id, client_id, closed, due_on)",
    """CREATE TABLE document_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, job_id uuid, name text NOT NULL, kind text NOT NULL,
        visibility text NOT NULL, status text NOT NULL, size bigint NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_document_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_document_copy_client ON document_copy (firm_id, client_id, status, id)",
    """CREATE TABLE invoice_copy (
        firm_id uuid NOT NULL, id uuid NOT NULL, client_id uuid NOT NULL, number text NOT NULL, status text NOT NULL, issued_on date,
        due_on date, total numeric NOT NULL, balance numeric NOT NULL, currency text NOT NULL, document_id uuid,
        version bigint NOT NULL, CONSTRAINT pk_invoice_copy PRIMARY KEY (firm_id, id))""",
    "CREATE INDEX ix_invoice_copy_client ON invoice_copy (firm_id, client_id, issued_on)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    plumbing(op)
    protect(
        op,
        "branding",
        "portal_users",
        "devices",
        "sendings",
        "reminders",
        "firm_copy",
        "contact_copy",
        "request_copy",
        "job_copy",
    )
    protect(op, "document_copy", "invoice_copy")
    protect(op, "client_copy", visible_to=True)
