"""Clients, contacts, engagements, copies of staff and firm, search."""

from alembic import op
from sqlalchemy import text

from chassis.migrate import plumbing, protect, search_function, searchable

revision = "0001"
down_revision = None


def upgrade() -> None:
    words()
    clients()
    contacts()
    engagements()
    copies()
    plumbing(op)
    search()


def words() -> None:
    """Text as it is compared: small letters without accents. IMMUTABLE wrappers, for generated columns and indexes."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.execute("""
        CREATE FUNCTION fold(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN lower(public.unaccent('public.unaccent'::regdictionary, said) COLLATE "pg_c_utf8")""")
    op.execute("""
        CREATE FUNCTION words(name text, more text, tags text[] DEFAULT '{}') RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN name || ' ' || coalesce(more, '') || ' ' || array_to_string(tags, ' ')""")


def clients() -> None:
    op.execute("""
        CREATE TABLE clients (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            number text NOT NULL,
            name text NOT NULL,
            kind text NOT NULL CONSTRAINT ck_clients_kind CHECK (kind IN ('person', 'organisation')),
            status text NOT NULL CONSTRAINT ck_clients_status CHECK (status IN ('prospect', 'active', 'former')),
            currency text NOT NULL, language text NOT NULL, country text NOT NULL,
            year_end text,
            address jsonb,
            tags text[] NOT NULL,
            partner_id uuid, manager_id uuid,
            visible_to uuid[] CONSTRAINT ck_clients_visible_to CHECK (cardinality(visible_to) > 0),
            external_id text,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            sort_name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (fold(name)) STORED,
            search_text text NOT NULL GENERATED ALWAYS AS (fold(words(name, number, tags))) STORED,
            version bigint NOT NULL,
            CONSTRAINT pk_clients PRIMARY KEY (firm_id, id)
        )""")
    # "smi001" and "SMI001" are one number.
    op.execute('CREATE UNIQUE INDEX uq_clients_number ON clients (firm_id, (lower(number) COLLATE "C"))')
    op.execute(
        "CREATE UNIQUE INDEX uq_clients_external_id ON clients (firm_id, external_id) WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_clients_by_name ON clients (firm_id, sort_name, id)")
    op.execute("CREATE INDEX ix_clients_by_status ON clients (firm_id, status, sort_name, id)")
    op.execute("CREATE INDEX ix_clients_by_partner ON clients (firm_id, partner_id, sort_name, id)")
    op.execute("CREATE INDEX ix_clients_by_manager ON clients (firm_id, manager_id, sort_name, id)")
    op.execute("CREATE INDEX ix_clients_search ON clients USING gin (firm_id, search_text gin_trgm_ops)")
    op.execute("CREATE INDEX ix_clients_tags ON clients USING gin (firm_id, tags)")
    protect(op, "clients", visible_to=True)

    op.execute("""
        CREATE TABLE tax_numbers (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            scheme text NOT NULL,
            sealed bytea NOT NULL, shown text NOT NULL, lookup bytea NOT NULL,
            CONSTRAINT pk_tax_numbers PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_tax_numbers_firm_id_client_id_scheme UNIQUE (firm_id, client_id, scheme),
            CONSTRAINT fk_tax_numbers_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_tax_numbers_lookup ON tax_numbers (firm_id, lookup)")
    protect(op, "tax_numbers")
    with_client("tax_numbers")

    op.execute(
        "CREATE TABLE number_series (firm_id uuid NOT NULL CONSTRAINT pk_number_series PRIMARY KEY, next bigint NOT NULL)"
    )
    protect(op, "number_series")


def contacts() -> None:
    op.execute("""
        CREATE TABLE contacts (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            name text NOT NULL,
            email text, phone text,
            language text NOT NULL,
            portal_access boolean NOT NULL,
            active boolean NOT NULL,
            external_id text,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            sort_name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (fold(name)) STORED,
            search_text text NOT NULL GENERATED ALWAYS AS (fold(words(name, email))) STORED,
            version bigint NOT NULL,
            CONSTRAINT pk_contacts PRIMARY KEY (firm_id, id),
            CONSTRAINT ck_contacts_portal_access CHECK (NOT portal_access OR (active AND email IS NOT NULL))
        )""")
    op.execute(
        "CREATE UNIQUE INDEX uq_contacts_external_id ON contacts (firm_id, external_id) WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_contacts_by_name ON contacts (firm_id, sort_name, id)")
    op.execute("CREATE INDEX ix_contacts_search ON contacts USING gin (firm_id, search_text gin_trgm_ops)")
    op.execute("""
        CREATE TABLE contact_roles (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            contact_id uuid NOT NULL, client_id uuid NOT NULL,
            role text NOT NULL,
            CONSTRAINT pk_contact_roles PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_contact_roles_firm_id_contact_id_client_id_role UNIQUE (firm_id, contact_id, client_id, role),
            CONSTRAINT fk_contact_roles_firm_id_contact_id FOREIGN KEY (firm_id, contact_id) REFERENCES contacts (firm_id, id),
            CONSTRAINT fk_contact_roles_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_contact_roles_client ON contact_roles (firm_id, client_id)")
    protect(op, "contacts", "contact_roles")
    # A contact is hidden if they act for clients, but for none that the caller may see.
    op.execute(f"""
        CREATE POLICY private ON contacts AS RESTRICTIVE TO {app_login()} USING (
            NOT EXISTS (SELECT FROM contact_roles r WHERE r.firm_id = contacts.firm_id AND r.contact_id = contacts.id)
            OR EXISTS (SELECT FROM contact_roles r JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
                       WHERE r.firm_id = contacts.firm_id AND r.contact_id = contacts.id))
        WITH CHECK (true)""")


def engagements() -> None:
    op.execute("""
        CREATE TABLE engagements (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            title text NOT NULL,
            service text NOT NULL,
            status text NOT NULL CONSTRAINT ck_engagements_status CHECK (status IN ('open', 'closed')),
            starts_on date NOT NULL, ends_on date,
            fee_kind text NOT NULL CONSTRAINT ck_engagements_fee_kind
                CHECK (fee_kind IN ('hourly', 'capped', 'fixed', 'recurring', 'milestone', 'retainer', 'contingent')),
            fee_amount numeric(16, 4), fee_currency text, fee_interval text, fee_description text,
            close_reason text,
            external_id text,
            created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_engagements PRIMARY KEY (firm_id, id),
            CONSTRAINT fk_engagements_firm_id_client_id FOREIGN KEY (firm_id, client_id) REFERENCES clients (firm_id, id),
            CONSTRAINT ck_engagements_period CHECK (ends_on >= starts_on),
            CONSTRAINT ck_engagements_fee_amount CHECK (fee_amount > 0 AND (fee_amount IS NULL) = (fee_currency IS NULL))
        )""")
    op.execute(
        "CREATE UNIQUE INDEX uq_engagements_external_id ON engagements (firm_id, external_id) WHERE external_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_engagements_by_start ON engagements (firm_id, starts_on, id)")
    op.execute("CREATE INDEX ix_engagements_of_client ON engagements (firm_id, client_id, starts_on, id)")
    op.execute("""
        CREATE TABLE engagement_people (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            engagement_id uuid NOT NULL,
            job_role text NOT NULL,
            staff_id uuid NOT NULL,
            CONSTRAINT pk_engagement_people PRIMARY KEY (firm_id, id),
            CONSTRAINT uq_engagement_people_firm_id_engagement_id_job_role UNIQUE (firm_id, engagement_id, job_role),
            CONSTRAINT fk_engagement_people_firm_id_engagement_id FOREIGN KEY (firm_id, engagement_id) REFERENCES engagements (firm_id, id)
        )""")
    protect(op, "engagements", "engagement_people")
    with_client("engagements")


def with_client(table: str) -> None:
    """Rows of a client one may not see don't exist either."""
    op.execute(f"""
        CREATE POLICY private ON {table} AS RESTRICTIVE TO {app_login()} USING (
            EXISTS (SELECT FROM clients c WHERE c.firm_id = {table}.firm_id AND c.id = {table}.client_id))""")


def app_login() -> str:
    """The application's login; the search role is not meant by these policies, which would turn its indexes off."""
    return str(op.get_bind().execute(text("SELECT replace(current_user, '_owner', '_app')")).scalar_one())


def copies() -> None:
    op.execute("""
        CREATE TABLE staff_copy (
            firm_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, active boolean NOT NULL, version bigint NOT NULL,
            CONSTRAINT pk_staff_copy PRIMARY KEY (firm_id, id)
        )""")
    op.execute("""
        CREATE TABLE firm_copy (
            firm_id uuid NOT NULL, id uuid NOT NULL, currency text NOT NULL, country text NOT NULL, language text NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_firm_copy PRIMARY KEY (firm_id, id)
        )""")
    protect(op, "staff_copy", "firm_copy")


def search() -> None:
    """One or two letters begin a name or a number; from three on, trigrams forgive typos and find the middle of a name."""
    for table in ("clients", "contacts", "contact_roles"):
        searchable(op, table)
    # One wrong letter in a name of five leaves a third of its trigrams. The number of ROWS told to the planner keeps it
    # from reading a whole firm to meet a few hits.
    forgiving = "ROWS 50 SET pg_trgm.word_similarity_threshold = 0.33"
    search_function(
        op,
        f"search_clients(said text, most int) RETURNS TABLE (id uuid, score real) {forgiving}",
        f"""
        WITH alike AS (
            SELECT c.id, c.sort_name, c.number, word_similarity(fold(said), c.search_text) AS likeness
            FROM clients c
            WHERE length(said) >= 3 AND c.firm_id = {FIRM} AND fold(said) <% c.search_text AND {SEEN}
        )
        (SELECT id, (likeness
                 + CASE WHEN lower(number) = fold(said) THEN 2 WHEN starts_with(sort_name, fold(said)) THEN 1 ELSE 0 END)::real AS score
         FROM alike WHERE {ENOUGH}
         ORDER BY score DESC, sort_name, id LIMIT most)
        UNION ALL
        (SELECT c.id, 2 FROM clients c
         WHERE length(said) < 3 AND c.firm_id = {FIRM} AND {begins('(lower(c.number) COLLATE "C")')} AND {SEEN}
         ORDER BY lower(c.number) COLLATE "C" LIMIT most)
        UNION ALL
        (SELECT c.id, 1 FROM clients c
         WHERE length(said) < 3 AND c.firm_id = {FIRM} AND {begins("c.sort_name")} AND NOT {begins('(lower(c.number) COLLATE "C")')} AND {SEEN}
         ORDER BY c.sort_name, c.id LIMIT most)
        """,
    )
    search_function(
        op,
        f"search_contacts(said text, most int) RETURNS TABLE (id uuid, score real) {forgiving}",
        f"""
        WITH alike AS (
            SELECT k.id, k.sort_name, k.email, word_similarity(fold(said), k.search_text) AS likeness
            FROM contacts k
            WHERE length(said) >= 3 AND k.firm_id = {FIRM} AND fold(said) <% k.search_text AND {ACTS_FOR_ONE_SEEN}
        )
        (SELECT id, (likeness
                 + CASE WHEN lower(email) = lower(said) THEN 2 WHEN starts_with(sort_name, fold(said)) THEN 1 ELSE 0 END)::real AS score
         FROM alike WHERE {ENOUGH}
         ORDER BY score DESC, sort_name, id LIMIT most)
        UNION ALL
        (SELECT k.id, 1 FROM contacts k
         WHERE length(said) < 3 AND k.firm_id = {FIRM} AND {begins("k.sort_name")} AND {ACTS_FOR_ONE_SEEN}
         ORDER BY k.sort_name, k.id LIMIT most)
        """,
    )
    search_function(
        op,
        "clients_tagged(tag text) RETURNS TABLE (id uuid) ROWS 50",
        f"SELECT c.id FROM clients c WHERE c.firm_id = {FIRM} AND c.tags @> ARRAY[tag]",
    )


FIRM = "(SELECT nullif(current_setting('app.firm_id', true), '')::uuid)"
VIEWER = "(SELECT nullif(current_setting('app.viewer', true), '')::uuid)"
# Filtered here too, although the policed table decides in the end: else hidden rows would use up the places of visible ones.
SEEN = f"(c.visible_to IS NULL OR {VIEWER} IS NULL OR {VIEWER} = ANY (c.visible_to))"
ACTS_FOR_ONE_SEEN = f"""EXISTS (SELECT FROM (SELECT 1) one
    LEFT JOIN contact_roles r ON r.firm_id = k.firm_id AND r.contact_id = k.id
    LEFT JOIN clients c ON c.firm_id = r.firm_id AND c.id = r.client_id
    WHERE c.id IS NULL OR {SEEN})"""
# Forgiving only as far as needed: where somebody fits well, those who fit half as well are noise.
ENOUGH = "likeness >= 0.6 * (SELECT max(likeness) FROM alike)"


def begins(column: str) -> str:
    """A prefix as a range, which a plain index answers."""
    return f"{column} >= fold(said) AND {column} < fold(said) || chr(1114111)"
