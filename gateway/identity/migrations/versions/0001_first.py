"""Firms, staff, sessions, API clients."""

from alembic import op

from chassis.migrate import plumbing, protect

revision = "0001"
down_revision = None

TABLES = (
    """CREATE TABLE firms (
        firm_id uuid, id uuid, name text NOT NULL, time_zone text NOT NULL, currency text NOT NULL, country text NOT NULL,
        holidays_region text NOT NULL, language text NOT NULL, week_start smallint NOT NULL, quiet_from text NOT NULL,
        quiet_until text NOT NULL, version bigint NOT NULL,
        CONSTRAINT pk_firms PRIMARY KEY (firm_id, id), CONSTRAINT ck_firms_one CHECK (id = firm_id))""",
    """CREATE TABLE staff (
        firm_id uuid, id uuid, name text NOT NULL, email text NOT NULL, roles text[] NOT NULL, grade text NOT NULL,
        weekly_capacity_minutes int NOT NULL, skills text[] NOT NULL, active boolean NOT NULL, joined_at timestamptz,
        last_sign_in_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_staff PRIMARY KEY (firm_id, id), CONSTRAINT uq_staff_email UNIQUE (firm_id, email))""",
    "CREATE INDEX ix_staff_name ON staff (firm_id, name, id)",
    """CREATE TABLE invitations (
        firm_id uuid, id uuid, staff_id uuid NOT NULL, expires_at timestamptz NOT NULL, accepted_at timestamptz,
        withdrawn_at timestamptz, CONSTRAINT pk_invitations PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_invitations_staff FOREIGN KEY (firm_id, staff_id) REFERENCES staff (firm_id, id))""",
    "CREATE INDEX ix_invitations_staff_id ON invitations (firm_id, staff_id)",
    """CREATE TABLE sessions (
        firm_id uuid, id uuid, staff_id uuid NOT NULL, started_at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
        revoked_at timestamptz, revoked_why text, source text NOT NULL, user_agent text NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_sessions_staff FOREIGN KEY (firm_id, staff_id) REFERENCES staff (firm_id, id))""",
    "CREATE INDEX ix_sessions_staff_id ON sessions (firm_id, staff_id) WHERE revoked_at IS NULL",
    """CREATE TABLE refresh_tokens (
        firm_id uuid, id uuid, session_id uuid NOT NULL, digest bytea NOT NULL, issued_at timestamptz NOT NULL,
        spent_at timestamptz, CONSTRAINT pk_refresh_tokens PRIMARY KEY (firm_id, id),
        CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (firm_id, session_id) REFERENCES sessions (firm_id, id) ON DELETE CASCADE)""",
    "CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (firm_id, session_id)",
    """CREATE TABLE api_clients (
        firm_id uuid, id uuid, name text NOT NULL, digest bytea NOT NULL, scopes text[] NOT NULL, created_at timestamptz NOT NULL,
        created_by uuid NOT NULL, last_used_at timestamptz, revoked_at timestamptz, version bigint NOT NULL,
        CONSTRAINT pk_api_clients PRIMARY KEY (firm_id, id))""",
)

# Without row-level security: they are read before it is known which firm somebody belongs to (app.EXEMPT says why, each).
BEFORE_A_FIRM_IS_KNOWN = (
    "CREATE TABLE credentials (address bytea CONSTRAINT pk_credentials PRIMARY KEY, password_hash text NOT NULL, changed_at timestamptz NOT NULL)",
    """CREATE TABLE sign_in_addresses (
        address bytea, firm_id uuid, staff_id uuid NOT NULL, CONSTRAINT pk_sign_in_addresses PRIMARY KEY (address, firm_id))""",
    """CREATE TABLE password_resets (
        id uuid CONSTRAINT pk_password_resets PRIMARY KEY, address bytea NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz)""",
    "CREATE INDEX ix_password_resets_address ON password_resets (address)",
    "CREATE TABLE attempts (key bytea CONSTRAINT pk_attempts PRIMARY KEY, tries int NOT NULL, last_at timestamptz NOT NULL)",
    "CREATE INDEX ix_attempts_last_at ON attempts (last_at)",
    """CREATE TABLE setup_tokens (
        digest bytea CONSTRAINT pk_setup_tokens PRIMARY KEY, expires_at timestamptz NOT NULL, used_at timestamptz, firm_id uuid)""",
)


def upgrade() -> None:
    for statement in (*TABLES, *BEFORE_A_FIRM_IS_KNOWN):
        op.execute(statement)
    plumbing(op)
    protect(op, "firms", "staff", "invitations", "sessions", "refresh_tokens", "api_clients")
