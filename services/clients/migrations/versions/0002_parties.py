"""Fields of the firm's own, other and former names, groups, relationships."""

from alembic import op
from sqlalchemy import text

from chassis.migrate import protect, search_function

revision = "parties_0002"
down_revision = "0001"


def upgrade() -> None:
    names()
    custom_fields()
    groups()
    relationships()


def names() -> None:
    """What a client or contact is or was also called; found by search like the name they have now."""
    op.execute("ALTER TABLE clients ADD COLUMN other_names text[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE clients ADD COLUMN former_names text[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE contacts ADD COLUMN former_names text[] NOT NULL DEFAULT '{}'")
    op.execute(
        "ALTER TABLE clients ALTER COLUMN search_text "
        "SET EXPRESSION AS (fold(words(name, number, tags || other_names || former_names)))"
    )
    op.execute(
        "ALTER TABLE contacts ALTER COLUMN search_text SET EXPRESSION AS (fold(words(name, email, former_names)))"
    )
    op.execute("CREATE INDEX ix_clients_by_change ON clients (firm_id, updated_at, id)")


def custom_fields() -> None:
    op.execute("""
        CREATE TABLE custom_fields (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            key text NOT NULL,
            label text NOT NULL,
            kind text NOT NULL CONSTRAINT ck_custom_fields_kind CHECK (kind IN ('text', 'number', 'date', 'choice', 'staff')),
            choices text[] NOT NULL,
            position integer NOT NULL,
            active boolean NOT NULL,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_custom_fields PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_custom_fields_firm_id_key UNIQUE (firm_id, key)
        )""")
    protect(op, "custom_fields")
    op.execute("ALTER TABLE clients ADD COLUMN custom jsonb NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX ix_clients_custom ON clients USING gin (firm_id, custom)")
    search_function(
        op,
        "clients_holding(wanted jsonb) RETURNS TABLE (id uuid) ROWS 50",
        f"SELECT c.id FROM clients c WHERE c.firm_id = {FIRM} AND c.custom @> wanted",
    )
    # Also values of clients that the asker may not see: a field in use is in use.
    search_function(
        op,
        "custom_values(field text) RETURNS TABLE (value text) ROWS 10",
        f"SELECT DISTINCT c.custom ->> field FROM clients c WHERE c.firm_id = {FIRM} AND c.custom ? field",
    )


def groups() -> None:
    op.execute("""
        CREATE TABLE client_groups (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            name text NOT NULL,
            kind text NOT NULL CONSTRAINT ck_client_groups_kind CHECK (kind IN ('family', 'corporate', 'other')),
            note text,
            parent_id uuid CONSTRAINT ck_client_groups_parent CHECK (parent_id <> id),
            bill_to_id uuid,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            sort_name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (fold(name)) STORED,
            version bigint NOT NULL,
            CONSTRAINT pk_client_groups PRIMARY KEY (firm_id, id),
            CONSTRAINT fk_client_groups_firm_id_parent_id FOREIGN KEY (firm_id, parent_id) REFERENCES client_groups (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_client_groups_by_name ON client_groups (firm_id, sort_name, id)")
    op.execute("CREATE INDEX ix_client_groups_parent ON client_groups (firm_id, parent_id)")
    op.execute("""
        CREATE TABLE client_group_members (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            group_id uuid NOT NULL, client_id uuid NOT NULL,
            CONSTRAINT pk_client_group_members PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_client_group_members_firm_id_client_id UNIQUE (firm_id, client_id),
            CONSTRAINT uq_client_group_members_firm_id_group_id_client_id UNIQUE (firm_id, group_id, client_id),
            CONSTRAINT fk_client_group_members_firm_id_group_id FOREIGN KEY (firm_id, group_id) REFERENCES client_groups (firm_id, id),
            CONSTRAINT fk_client_group_members_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id)
        )""")
    # Who is billed is one of the group: an invariant of the database, since an invoice depends on it.
    op.execute("""
        ALTER TABLE client_groups ADD CONSTRAINT fk_client_groups_bill_to
            FOREIGN KEY (firm_id, id, bill_to_id) REFERENCES client_group_members (firm_id, group_id, client_id)
            DEFERRABLE INITIALLY DEFERRED""")
    protect(op, "client_groups", "client_group_members")
    # A group is hidden if it has clients, but none that the caller may see.
    op.execute(f"""
        CREATE POLICY private ON client_groups AS RESTRICTIVE TO {app_login()} USING (
            NOT EXISTS (SELECT FROM client_group_members m WHERE m.firm_id = client_groups.firm_id AND m.group_id = client_groups.id)
            OR EXISTS (SELECT FROM client_group_members m JOIN clients c ON c.firm_id = m.firm_id AND c.id = m.client_id
                       WHERE m.firm_id = client_groups.firm_id AND m.group_id = client_groups.id))
        WITH CHECK (true)""")


def relationships() -> None:
    op.execute("""
        CREATE TABLE relationships (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            kind text NOT NULL,
            other_client_id uuid CONSTRAINT ck_relationships_itself CHECK (other_client_id <> client_id),
            other_name text,
            since date, until date,
            note text,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            search_text text NOT NULL GENERATED ALWAYS AS (fold(coalesce(other_name, ''))) STORED,
            version bigint NOT NULL,
            CONSTRAINT pk_relationships PRIMARY KEY (firm_id, id),
            CONSTRAINT ck_relationships_other CHECK ((other_client_id IS NULL) <> (other_name IS NULL)),
            CONSTRAINT ck_relationships_period CHECK (until >= since),
            CONSTRAINT fk_relationships_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id),
            CONSTRAINT fk_relationships_firm_id_other_client_id FOREIGN KEY (firm_id, other_client_id) REFERENCES clients (firm_id, id)
        )""")
    op.execute("""
        CREATE UNIQUE INDEX uq_relationships_clients ON relationships (firm_id, client_id, other_client_id, kind)
        WHERE other_client_id IS NOT NULL""")
    op.execute("""
        CREATE UNIQUE INDEX uq_relationships_named ON relationships (firm_id, client_id, kind, search_text)
        WHERE other_client_id IS NULL""")
    op.execute("CREATE INDEX ix_relationships_other ON relationships (firm_id, other_client_id)")
    op.execute("CREATE INDEX ix_relationships_search ON relationships USING gin (firm_id, search_text gin_trgm_ops)")
    protect(op, "relationships")
    op.execute(f"""
        CREATE POLICY private ON relationships AS RESTRICTIVE TO {app_login()} USING (
            EXISTS (SELECT FROM clients c WHERE c.firm_id = relationships.firm_id AND c.id = relationships.client_id)
            AND (other_client_id IS NULL OR EXISTS (
                SELECT FROM clients c WHERE c.firm_id = relationships.firm_id AND c.id = relationships.other_client_id)))""")


def app_login() -> str:
    """The application's login, whom the private policies are for; not the search role, whose indexes they would turn off."""
    return str(op.get_bind().execute(text("SELECT replace(current_user, '_owner', '_app')")).scalar_one())


FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
