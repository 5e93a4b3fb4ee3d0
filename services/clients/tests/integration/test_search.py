"""Search as you type: finds in spite of typos and accents, best first, by index, as the application's login."""

import random
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import text

from chassis import auth
from chassis.db import new_id
from chassis.testing import backing
from clients.conflicts import usecases as conflicts
from clients.contacts import queries as contacts
from clients.engagements import queries as engagements
from clients.exports import queries as exports
from clients.groups import queries as groups
from clients.notes import queries as notes
from clients.parties import queries as parties
from clients.relationships import queries as relationships
from clients.search import queries as search
from clients.timeline import queries as timeline

ROWS = 12_000


def found(office, q, **more):
    return [hit["name"] for hit in office.api.get("/search", params={"q": q, **more}).expect(200).json["items"]]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("johnson", "Johnson & Sons"),
        ("jonson", "Johnson & Sons"),
        ("johsnon", "Johnson & Sons"),
        ("JOHN", "Johnson & Sons"),
        ("sons johnson", "Johnson & Sons"),
        ("muller", "Müller Bäckerei"),
        ("Mueller", "Müller Bäckerei"),
        ("baeckerei", "Müller Bäckerei"),
        ("bäcker", "Müller Bäckerei"),
        ("strasse", "Große Straße AG"),
        ("lodz", "Łódź Trading"),
        ("привет", "ПРИВЕТ Консалтинг"),
        ("mü", "Müller Bäckerei"),
        ("j", "Johnson & Sons"),
        ("abc-77", "Numbered Ltd"),
        ("AB", "Numbered Ltd"),
        ("charity", "Tagged Trust"),
    ],
)
def test_a_client_is_found_by_what_one_is_likely_to_type(office, typed, name):
    for other in ("Johnson & Sons", "Müller Bäckerei", "Große Straße AG", "Łódź Trading", "ПРИВЕТ Консалтинг", "Zzyzx"):
        office.client(other)
    office.client("Numbered Ltd", number="ABC-77")
    office.client("Tagged Trust", tags=["Charity"])
    assert found(office, typed)[0] == name


def test_the_best_hits_come_first_and_poor_ones_only_for_want_of_better(office):
    for name in ("Northern Smith Partners", "Smyth Ltd", "Smith Ltd", "Blacksmiths United"):
        office.client(name)
    office.client("Other Ltd", number="smith")
    assert found(office, "smith") == ["Other Ltd", "Smith Ltd", "Northern Smith Partners"]
    assert found(office, "smyth")[0] == "Smyth Ltd"
    assert "Smith Ltd" in found(office, "smeth")


def test_a_contact_is_found_with_the_clients_they_act_for(office):
    client = office.client("Harbour Ltd")
    jo = office.contact("Josephine Baker", client, email="jo@harbour.example")
    for q in ("josefine", "baker", "jo@harbour.example"):
        hit = office.api.get("/search", params={"q": q}).json["items"][0]
        assert (hit["type"], hit["id"], hit["email"]) == ("contact", jo["id"], "jo@harbour.example"), q
        assert hit["related"] == [{"id": client["id"], "name": "Harbour Ltd"}]
    hit = office.api.get("/search?q=harbour ltd").json["items"][0]
    assert (hit["type"], hit["related"]) == ("client", [{"id": jo["id"], "name": "Josephine Baker"}])


def test_no_more_hits_than_asked_for(office):
    for n in range(5):
        office.client(f"Smith {n}")
    assert len(found(office, "smith", limit=3)) == 3


def test_nothing_is_found_of_another_firm(office, stranger):
    stranger.client("Lighthouse Ltd")
    stranger.contact("Lighthouse Keeper")
    assert found(office, "lighthouse") == []


@pytest.mark.parametrize("q", ["%", "_", "' OR 1=1 --", "\\", "&|!:*", "(((", "😀"])
def test_characters_that_mean_something_elsewhere_mean_nothing_here(office, q):
    office.client("Smith Ltd")
    assert found(office, q) == []


@pytest.fixture(scope="module")
def crowd(world):
    """A firm with thousands of clients, contacts and engagements, and another as large."""
    firms = [world.firm(), world.firm()]
    with psycopg.connect(world.runtime.settings.owner_database_url) as connection:
        for firm in firms:
            _fill(connection, firm)
    with psycopg.connect(world.runtime.settings.owner_database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return firms[0]


def _fill(connection, firm):
    chance = random.Random(1)
    names = [
        f"{chance.choice(_FIRST)} {chance.choice(_LAST)} {chance.randrange(1000)} {chance.choice(_KIND)}"
        for _ in range(ROWS)
    ]
    partners = [new_id() for _ in range(50)]
    clients, people = [new_id() for _ in names], [new_id() for _ in names]
    cursor = connection.cursor()
    with cursor.copy(
        "COPY clients (firm_id, id, number, name, kind, status, currency, language, country, tags, partner_id, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n, name in enumerate(names):
            status = "former" if n % 100 == 0 else "active"
            row = (
                firm,
                clients[n],
                f"K{n}",
                name,
                "organisation",
                status,
                "GBP",
                "en",
                "GB",
                [f"tag{n % 500}"],
                partners[n % 50],
                "now",
                "now",
                1,
            )
            copy.write_row(row)
    with cursor.copy(
        "COPY contacts (firm_id, id, name, email, language, portal_access, active, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n, name in enumerate(names):
            copy.write_row(
                (firm, people[n], name[::-1] + name, f"p{n}@example.com", "en", False, True, "now", "now", 1)
            )
    with cursor.copy("COPY tax_numbers (firm_id, id, client_id, scheme, sealed, shown, lookup) FROM STDIN") as copy:
        for n in range(ROWS):
            copy.write_row((firm, new_id(), clients[n], "vat", b"sealed", "*******9136", f"lookup {n}".encode()))
    with cursor.copy("COPY contact_roles (firm_id, id, contact_id, client_id, role) FROM STDIN") as copy:
        for n in range(ROWS):
            copy.write_row((firm, new_id(), people[n], clients[n], "director"))
    for n in range(0, ROWS, 5):
        cursor.execute(
            "UPDATE clients SET custom = jsonb_build_object('region', %s::text) WHERE firm_id = %s AND id = %s",
            (f"r{n % 1000}", firm, clients[n]),
        )
    families = [new_id() for _ in range(500)]
    with cursor.copy(
        "COPY client_groups (firm_id, id, name, kind, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n, group in enumerate(families):
            copy.write_row((firm, group, f"Group {n}", "other", "now", "now", 1))
    with cursor.copy("COPY client_group_members (firm_id, id, group_id, client_id) FROM STDIN") as copy:
        for n in range(ROWS // 2):
            copy.write_row((firm, new_id(), families[n % 500], clients[n]))
    with cursor.copy(
        "COPY relationships (firm_id, id, client_id, kind, other_client_id, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n in range(ROWS - 1):
            copy.write_row((firm, new_id(), clients[n], "related_to", clients[n + 1], "now", "now", 1))
    with cursor.copy(
        "COPY client_notes (firm_id, id, client_id, said, pinned, mentions, author, author_name, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n in range(ROWS):
            copy.write_row((firm, new_id(), clients[n % 3000], "note", False, [], "staff:1", "A", "now", "now", 1))
    with cursor.copy(
        "COPY timeline (firm_id, id, client_id, at, kind, what, subject_id, title, details, actor, actor_name) FROM STDIN"
    ) as copy:
        for n in range(ROWS * 2):
            copy.write_row((firm, new_id(), clients[n % 3000], "now", "job", "done", new_id(), "T", "{}", "", ""))
    with cursor.copy(
        "COPY engagements (firm_id, id, client_id, title, service, status, starts_on, fee_kind, created_at, updated_at, version) FROM STDIN"
    ) as copy:
        for n in range(ROWS):
            copy.write_row(
                (
                    firm,
                    new_id(),
                    clients[n],
                    f"Work {n}",
                    "vat",
                    "open",
                    f"20{n % 20 + 10}-01-01",
                    "hourly",
                    "now",
                    "now",
                    1,
                )
            )


_FIRST = [
    "Ada",
    "Ben",
    "Cleo",
    "Dora",
    "Emil",
    "Finn",
    "Gwen",
    "Hugo",
    "Iris",
    "Jana",
    "Karl",
    "Lena",
    "Mona",
    "Nils",
    "Olga",
    "Paul",
    "Rosa",
    "Sven",
    "Tina",
    "Uwe",
]
_LAST = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Weber",
    "Wagner",
    "Becker",
    "Hoffmann",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Lovelace",
    "Hopper",
    "Turing",
    "Noether",
    "Curie",
]
_KIND = ["Ltd", "GmbH", "Consulting", "Trading", "Holdings", "Partners", "Bakery", "Studio", "Logistics", "Engineering"]


@pytest.fixture
def plans(world, crowd):
    """Runs a read as the application's login and answers the plans of all its statements, those inside functions too.

    auto_explain belongs to superusers, so the connection is one that has put on the application's login.
    """
    database = world.runtime.settings.database_url.rsplit("/", 1)[1]
    with psycopg.connect(backing("PRAXIS_TEST_POSTGRES_URL"), dbname=database) as connection:
        notices = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        connection.execute("LOAD 'auto_explain'")
        for setting, value in _EXPLAIN.items():
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        connection.execute("SET SESSION AUTHORIZATION clients_app")
        connection.execute(
            "SELECT set_config('app.firm_id', %s, false), set_config('app.viewer', %s, false)",
            (str(crowd), str(new_id())),
        )

        class Session:
            """Stands where the unit of work's session stands, on this connection."""

            def execute(self, statement, parameters):
                compiled = statement.compile(dialect=world.runtime.engine.dialect)
                return Rows(
                    connection.cursor(row_factory=psycopg.rows.dict_row).execute(str(compiled), parameters).fetchall()
                )

        def plans_of(read, *arguments):
            notices.clear()
            answer = read(_Reader(Session(), world, crowd), *arguments)
            connection.execute("SELECT 1")  # a statement's plan is told when the next one takes its place
            shown = [n for n in notices if "FROM" in n]
            assert shown, "the plan of the read itself is seen"
            return answer, shown

        yield plans_of


_EXPLAIN = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_level": "notice",
    "client_min_messages": "notice",
}


class Rows(list):
    def mappings(self):
        return self

    def first(self):
        return self[0] if self else None


class _Reader:
    """A unit of work that only reads."""

    def __init__(self, session, world, firm):
        self.session, self.runtime, self.firm_id = session, world.runtime, firm
        self.principal = auth.Principal("staff", str(new_id()), firm)


@pytest.mark.parametrize("typed", ["lovelace consulting", "smiht", "jo", "K77", "zz", "p77@example.com"])
def test_search_reads_no_table_from_end_to_end(plans, typed):
    _, shown = plans(search.search, typed, 10)
    looked_inside = [plan for plan in shown if "search_text" in plan and "Index Cond" in plan]
    assert len(looked_inside) == 1, "the search function is seen from the inside"
    for plan in shown:
        assert "Seq Scan on" not in plan, plan


def test_search_in_a_crowd_finds_by_trigrams(plans):
    answer, shown = plans(search.search, "lovelace consulting", 10)
    assert len(answer["items"]) == 10
    assert any("ix_clients_search" in plan for plan in shown)
    assert any("ix_contacts_search" in plan for plan in shown)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "ix_clients_by_name"),
        ({"status": "active"}, "ix_clients_by_"),
        ({"status": "former"}, "ix_clients_by_status"),
        ({"tag": "tag7"}, "ix_clients_tags"),
        ({"q": "lovelace"}, "ix_clients_search"),
    ],
)
def test_the_list_of_clients_goes_by_index_also_deep_down(plans, wanted, index):
    page, shown = plans(parties.list_clients, 50, None, wanted)
    assert any(index in plan for plan in shown), shown
    if page["next_cursor"]:
        page, more = plans(parties.list_clients, 50, page["next_cursor"], wanted)
        shown += more
    for plan in shown:
        for table in ("clients", "contacts", "contact_roles", "engagements", "tax_numbers"):
            assert f"Seq Scan on {table} " not in plan, plan


@pytest.mark.parametrize(
    ("sort", "index"),
    [("number", "uq_clients_number"), ("-created_at", "pk_clients"), ("-updated_at", "ix_clients_by_change")],
)
def test_the_list_of_clients_is_sorted_by_index_also_deep_down(plans, sort, index):
    page, shown = plans(parties.list_clients, 50, None, {}, sort)
    _, more = plans(parties.list_clients, 50, page["next_cursor"], {}, sort)
    assert all(index in plan for plan in shown + more)
    for plan in shown + more:
        assert "Seq Scan on clients " not in plan, plan


def test_clients_are_listed_by_a_field_of_the_firms_own_by_index(plans):
    held = '{"region": "r5"}'
    filters = parties._FILTERS["custom"]
    page, shown = plans(lambda uow: parties._clients(uow, filters, {"custom": held}, rows=50))
    assert page
    assert any("ix_clients_custom" in plan for plan in shown)
    for plan in shown:
        assert "Seq Scan on clients " not in plan, plan


def test_what_hangs_on_one_client_is_read_by_index(plans, world, crowd):
    with world.uow(crowd) as uow:
        client = str(uow.session.execute(text("SELECT client_id FROM client_notes ORDER BY id LIMIT 1")).scalar_one())
    reads = [
        (timeline.read_timeline, (client, 50, None, None), "ix_timeline_client"),
        (notes.list_notes, (client, 50, None, None), "ix_client_notes_client"),
        (relationships.list_relationships, (50, None, client), "ix_relationships_other"),
        (groups.list_groups, (50, None, {"client_id": client}), "uq_client_group_members_firm_id_"),
    ]
    for read, arguments, index in reads:
        _, shown = plans(read, *arguments)
        assert any(index in plan for plan in shown), (read, shown)
        for plan in shown:
            for table in ("clients", "timeline", "client_notes", "relationships", "client_group_members"):
                assert f"Seq Scan on {table} " not in plan, plan


def test_a_conflict_check_looks_by_index(plans):
    def like(uow):
        values = {"core": "lovelace consulting", "words": ["lovelace", "consulting"], "enough": 0.5, "most": 200}
        return uow.session.execute(conflicts._LIKE, values)

    found, shown = plans(like)
    assert found
    assert any("ix_clients_search" in plan and "ix_contacts_search" in plan for plan in shown)
    for plan in shown:
        assert "Seq Scan on" not in plan, plan


@pytest.mark.parametrize("wanted", [{"tag": "tag7"}, {"q": "lovelace"}])
def test_the_hits_of_a_filter_are_fetched_one_by_one_not_a_whole_firm_to_meet_them(plans, wanted):
    _, shown = plans(parties.list_clients, 50, None, wanted)
    read = next(plan for plan in shown if "page AS" in plan)
    page = read[read.index("CTE page") : read.index("CTE Scan on page")]
    assert "Index Scan using pk_clients on clients c " in page
    assert "Bitmap" not in page


def test_a_tax_number_is_found_by_index(plans, world):
    answer, shown = plans(parties.find_by_tax_number, "lookup 7")
    assert answer["items"] == []
    assert any("ix_tax_numbers_lookup" in plan for plan in shown)


def test_the_list_of_contacts_goes_by_index(plans):
    page, shown = plans(contacts.list_contacts, 50, None, {})
    _, more = plans(contacts.list_contacts, 50, page["next_cursor"], {"active": True})
    for plan in shown + more:
        assert "ix_contacts_by_name" in plan
        assert "Seq Scan on" not in plan, plan


def test_the_list_of_engagements_goes_by_index(plans, world, crowd):
    page, shown = plans(engagements.list_engagements, 50, None, {"status": "open"})
    _, more = plans(engagements.list_engagements, 50, page["next_cursor"], {})
    client = page["items"][0]["client"]["id"]
    for sort, index in (("starts_on", "ix_engagements_by_start"), ("-created_at", "pk_engagements")):
        first, begin = plans(engagements.list_engagements, 50, None, {}, sort)
        _, deep = plans(engagements.list_engagements, 50, first["next_cursor"], {}, sort)
        assert all(index in plan and "Seq Scan on engagements " not in plan for plan in begin + deep), sort
    _, of_client = plans(engagements.list_engagements, 50, None, {"client_id": client})
    assert all("ix_engagements_by_start" in plan for plan in shown + more)
    assert all("ix_engagements_of_client" in plan for plan in of_client)
    for plan in shown + more + of_client:
        assert "Seq Scan on engagements " not in plan, plan
        assert "Seq Scan on clients " not in plan, plan


@pytest.mark.parametrize(("kind", "index"), [("clients", "pk_clients"), ("contacts", "pk_contacts")])
def test_an_export_goes_by_index_also_deep_down(plans, world, crowd, monkeypatch, kind, index):
    monkeypatch.setattr(
        exports, "fields", lambda uow: SimpleNamespace(open=lambda *sealed: "1")
    )  # the crowd's are made up
    with world.uow(crowd) as uow:
        words = exports.Words(uow)
    after = None
    for _ in range(3):
        (rows, after), shown = plans(exports._READ[kind], words, after)
        assert len(rows) >= exports.PAGE
        assert any(f"Index Scan using {index}" in plan for plan in shown), shown
        for plan in shown:
            for table in (kind, "tax_numbers", "client_group_members"):
                assert f"Seq Scan on {table} " not in plan, plan
