"""Clients through the API: made, read, changed, archived, listed; and what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import ClientChanged

NEW = {"name": "Smith Ltd", "kind": "organisation"}


def test_a_new_client_gets_the_firms_defaults_and_a_number(office):
    client = office.client("Smith Ltd")
    assert (client["currency"], client["country"], client["language"]) == ("GBP", "GB", "en-GB")
    assert (client["number"], client["status"], client["version"]) == ("C00001", "active", 1)
    assert office.client("Jones Ltd")["number"] == "C00002"


def test_a_client_is_read_as_it_was_made(office):
    same = {
        "kind": "organisation",
        "number": "MUE-1",
        "status": "prospect",
        "currency": "EUR",
        "language": "de-DE",
        "country": "DE",
        "year_end": "06-30",
        "external_id": "crm-7",
    }
    given = same | {
        "name": " Müller  GmbH ",
        "address": {"line1": "Hauptstr. 1", "line2": " ", "city": "Köln", "postcode": "50667", "country": "DE"},
        "tags": ["VIP", "farm", "vip"],
        "tax_numbers": {"vat": "DE 136695976", "income_tax": "12/345/67890"},
        "partner_id": str(office.ada),
        "manager_id": str(office.ben),
    }
    made = office.api.post("/clients", given).expect(201)
    assert made.headers["location"] == f"/api/clients/v1/clients/{made.json['id']}"
    read = office.api.get(f"/clients/{made.json['id']}").expect(200)
    assert (read.json, read.etag) == (made.json, '"1"')
    shown = same | {
        "id": made.json["id"],
        "name": "Müller GmbH",
        "address": {"line1": "Hauptstr. 1", "city": "Köln", "postcode": "50667", "country": "DE"},
        "tags": ["farm", "VIP"],
        "tax_numbers": {"vat": "*******5976", "income_tax": "******7890", "payroll": None},
        "partner": {"id": str(office.ada), "name": "Ada Byron"},
        "manager": {"id": str(office.ben), "name": "Ben Okri"},
        "visible_to": None,
        "contacts": [],
        "open_engagements": 0,
        "version": 1,
    }
    assert read.json.items() >= shown.items()


def test_every_change_is_announced_with_its_version(office):
    client = office.client(tags=["VIP"], tax_numbers={"vat": "GB200049136"})
    office.api.patch(f"/clients/{client['id']}", {"name": "Smith & Co"}, if_match=1).expect(200)
    office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"}).expect(200)
    office.api.post(f"/clients/{client['id']}/activate").expect(200)
    events = office.world.events(office.firm, ClientChanged)
    assert [(e.version, e.name, e.status) for e in events] == [
        (1, "Smith Ltd", "active"),
        (2, "Smith & Co", "active"),
        (3, "Smith & Co", "former"),
        (4, "Smith & Co", "active"),
    ]
    assert (events[0].tax_label, list(events[0].tags)) == ("VAT GB *******9136", ["VIP"])


def test_a_change_sets_what_is_given_and_leaves_the_rest(office):
    client = office.client(year_end="03-31", tags=["VIP"], tax_numbers={"vat": "GB200049136", "payroll": "123/AB456"})
    change = {"year_end": None, "manager_id": str(office.ben), "tax_numbers": {"vat": None, "income_tax": "1955839661"}}
    changed = office.api.patch(f"/clients/{client['id']}", change, if_match=1).expect(200)
    assert changed.etag == '"2"'
    assert (changed.json["year_end"], changed.json["manager"]["name"], changed.json["tags"]) == (
        None,
        "Ben Okri",
        ["VIP"],
    )
    assert changed.json["tax_numbers"] == {"vat": None, "income_tax": "******9661", "payroll": "****B456"}


def test_a_change_that_changes_nothing_leaves_no_trace(office):
    client = office.client(tax_numbers={"vat": "GB200049136"})
    before = office.traces()
    same = {"name": " Smith  Ltd", "tax_numbers": {"vat": "gb 200 049 136"}}
    assert office.api.patch(f"/clients/{client['id']}", same, if_match=1).expect(200).etag == '"1"'
    assert office.traces() == before


def test_another_tax_number_with_the_same_ending_is_a_change(office):
    client = office.client(tax_numbers={"vat": "GB200049136"})
    changed = office.api.patch(f"/clients/{client['id']}", {"tax_numbers": {"vat": "GB499239136"}}, if_match=1)
    assert changed.expect(200).json["version"] == 2
    assert office.api.post("/tax-number-lookups", {"tax_number": "GB499239136"}).json["items"][0]["id"] == client["id"]
    assert office.api.post("/tax-number-lookups", {"tax_number": "GB200049136"}).json["items"] == []


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"colour": "red"}, 400, "request_invalid"),
        ({"version": 7}, 400, "request_invalid"),
        ({"firm_id": str(new_id())}, 400, "request_invalid"),
        ({"name": 7}, 400, "request_invalid"),
        ({"name": "  "}, 400, "request_invalid"),
        ({"kind": "robot"}, 400, "request_invalid"),
        ({"status": "former"}, 400, "request_invalid"),
        ({"tags": "VIP"}, 400, "request_invalid"),
        ({"partner_id": "ada"}, 400, "request_invalid"),
        ({"visible_to": []}, 400, "request_invalid"),
        ({"tax_numbers": {"vat": "*******9136"}}, 400, "request_invalid"),
        ({"tax_numbers": {"shoe_size": "1234"}}, 400, "request_invalid"),
        ({"currency": "ABC"}, 422, "unknown_currency"),
        ({"country": "XX"}, 422, "unknown_country"),
        ({"language": "xx"}, 422, "unknown_language"),
        ({"year_end": "02-30"}, 422, "year_end_invalid"),
        ({"address": {"line1": "1 High St", "city": "Leeds", "country": "XX"}}, 422, "unknown_country"),
        ({"tax_numbers": {"vat": "A-1/2"}}, 422, "tax_number_invalid"),
        ({"tax_numbers": {"vat": "GB123456789"}}, 422, "tax_number_invalid"),
        ({"tax_numbers": {"income_tax": "1234567890"}}, 422, "tax_number_invalid"),
        ({"partner_id": str(new_id())}, 422, "unknown_staff"),
        ({"manager_id": str(new_id())}, 422, "unknown_staff"),
        ({"visible_to": [str(new_id())]}, 422, "private_without_you"),
    ],
)
def test_bad_input_has_its_code_and_changes_nothing(office, wrong, status, code):
    client = office.client("Jones Ltd")
    before = office.traces()
    office.unchanged_by(office.api.post("/clients", NEW | wrong), status, code, before)
    office.unchanged_by(office.api.patch(f"/clients/{client['id']}", wrong, if_match=1), status, code, before)


def test_a_body_that_is_no_object_is_refused(office):
    before = office.traces()
    office.unchanged_by(office.api.post("/clients", ["Smith"]), 400, "request_invalid", before)
    office.unchanged_by(office.api.post("/clients"), 400, "request_invalid", before)


def test_a_number_is_taken_once_per_firm_whatever_its_case(office, stranger):
    office.client(number="SMI001")
    other = office.client("Jones Ltd")
    before = office.traces()
    office.unchanged_by(office.api.post("/clients", NEW | {"number": "smi001"}), 409, "client_number_taken", before)
    taking = office.api.patch(f"/clients/{other['id']}", {"number": "SMI001"}, if_match=1)
    office.unchanged_by(taking, 409, "client_number_taken", before)
    assert stranger.client(number="SMI001")["number"] == "SMI001"


def test_a_number_typed_by_hand_is_never_given_out_again(office):
    assert office.client(number="C00002")["number"] == "C00002"
    assert office.client("Next Ltd")["number"] == "C00003"
    assert office.client("Then Ltd")["number"] == "C00004"


def test_an_external_id_is_taken_once_per_firm(office):
    office.client(external_id="crm-7")
    before = office.traces()
    office.unchanged_by(office.api.post("/clients", NEW | {"external_id": "crm-7"}), 409, "external_id_taken", before)


def test_new_clients_made_at_once_get_numbers_without_gaps_or_doubles(office):
    with ThreadPoolExecutor(8) as pool:
        numbers = [c["number"] for c in pool.map(lambda n: office.client(f"Client {n}"), range(16))]
    assert sorted(numbers) == [f"C{n:05d}" for n in range(1, 17)]


def test_someone_who_left_cannot_be_named_anew_but_stays_where_they_are(office):
    client = office.client(manager_id=str(office.ben))
    office.hire(office.ben, "Ben Okri", active=False, version=2)
    before = office.traces()
    office.unchanged_by(
        office.api.post("/clients", NEW | {"manager_id": str(office.ben)}), 422, "unknown_staff", before
    )
    same = {"name": "Smith & Co", "manager_id": str(office.ben)}
    assert (
        office.api.patch(f"/clients/{client['id']}", same, if_match=1).expect(200).json["manager"]["name"] == "Ben Okri"
    )


def test_of_two_people_editing_one_client_the_second_is_told(office):
    client = office.client()
    office.api.patch(f"/clients/{client['id']}", {"name": "Adas Ltd"}, if_match=1).expect(200)
    before = office.traces()
    lost = office.bens.patch(f"/clients/{client['id']}", {"name": "Bens Ltd"}, if_match=1)
    office.unchanged_by(lost, 412, "version_conflict", before)
    assert lost.json["current_version"] == 2
    assert (lost.json["current"]["name"], lost.json["yours"]["change"]) == ("Adas Ltd", {"name": "Bens Ltd"})


def test_of_changes_at_the_same_moment_one_wins(office):
    client = office.client()
    with ThreadPoolExecutor(8) as pool:
        names = [f"Name {n}" for n in range(8)]
        answers = list(
            pool.map(lambda name: office.api.patch(f"/clients/{client['id']}", {"name": name}, if_match=1), names)
        )
    assert sorted(a.status for a in answers) == [200] + [412] * 7
    assert len(office.world.events(office.firm, ClientChanged)) == 2


def test_a_change_without_a_version_is_refused(office):
    client = office.client()
    before = office.traces()
    office.unchanged_by(office.api.patch(f"/clients/{client['id']}", {"name": "X"}), 428, "if_match_required", before)


def test_the_same_key_makes_one_client(office):
    first = office.api.post("/clients", NEW, key="once").expect(201)
    before = office.traces()
    assert office.api.post("/clients", NEW, key="once").expect(201).json == first.json
    assert office.traces() == before
    other = office.api.post("/clients", NEW | {"name": "Jones Ltd"}, key="once")
    office.unchanged_by(other, 409, "idempotency_key_reused", before)


def test_a_strangers_client_is_not_found(office, stranger):
    client = stranger.client()
    path = f"/clients/{client['id']}"
    before, theirs = office.traces(), stranger.traces()
    for answer in (
        office.api.get(path),
        office.api.patch(path, {"name": "Mine"}, if_match=1),
        office.api.post(f"{path}/archive", {"reason": "mine"}),
        office.api.post(f"{path}/activate"),
    ):
        office.unchanged_by(answer, 404, "client_not_found", before)
    absent = office.api.get(f"/clients/{new_id()}").problem(404, "client_not_found")
    assert absent.json == office.api.get(path).json
    assert stranger.traces() == theirs


def test_an_id_that_is_none_is_refused(office):
    office.api.get("/clients/7").problem(400, "request_invalid")


def test_a_client_becomes_former_and_active_again_and_says_why(office):
    client = office.client(status="prospect")
    path = f"/clients/{client['id']}"
    assert office.api.post(f"{path}/activate").expect(200).json["status"] == "active"
    office.unchanged_by(office.api.post(f"{path}/activate"), 409, "client_already_active", office.traces())
    archived = office.api.post(f"{path}/archive", {"reason": "Moved abroad"}).expect(200)
    assert (archived.json["status"], archived.etag) == ("former", '"3"')
    office.unchanged_by(
        office.api.post(f"{path}/archive", {"reason": "again"}), 409, "client_already_former", office.traces()
    )
    office.unchanged_by(office.api.post(f"{path}/archive", {}), 400, "request_invalid", office.traces())
    row = next(r for r in office.world.audit(office.firm) if r.action == "client.archived")
    assert (row.reason, row.before, row.after) == ("Moved abroad", {"status": "active"}, {"status": "former"})


def test_a_client_with_open_engagements_is_not_archived(office):
    client = office.client()
    engagement = office.engagement(client)
    before = office.traces()
    refused = office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"})
    office.unchanged_by(refused, 409, "client_has_open_engagements", before)
    assert refused.json["engagements"] == ["Accounts 2026"]
    office.api.post(f"/engagements/{engagement['id']}/close", {"ends_on": "2026-06-30", "reason": "left"}).expect(200)
    office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"}).expect(200)


def test_every_act_is_audited_with_what_changed(office):
    client = office.client(tax_numbers={"vat": "GB200049136"})
    office.api.patch(f"/clients/{client['id']}", {"name": "Smith & Co", "tags": ["VIP"]}, if_match=1).expect(200)
    made, changed = office.world.audit(office.firm)
    assert (made.action, made.subject_id, made.actor) == ("client.created", client["id"], f"staff:{office.ada}")
    assert made.after["name"] == "Smith Ltd"
    assert (changed.action, changed.before, changed.after) == (
        "client.changed",
        {"name": "Smith Ltd", "tags": []},
        {"name": "Smith & Co", "tags": ["VIP"]},
    )


def test_a_tax_number_is_kept_nowhere_in_the_clear(office):
    office.client(tax_numbers={"vat": "GB 200 049 136"})
    with office.world.uow(office.firm) as uow:
        kept = uow.session.execute(
            text(
                "SELECT string_agg(t::text, '') FROM (SELECT c::text AS t FROM clients c UNION ALL SELECT n::text FROM tax_numbers n "
                "UNION ALL SELECT a::text FROM audit a UNION ALL SELECT encode(body, 'escape') FROM outbox "
                "UNION ALL SELECT encode(body, 'escape') FROM idempotency) every"
            )
        ).scalar_one()
    assert "Smith Ltd" in kept
    assert "200049136" not in kept
    assert "200 049 136" not in kept


def test_a_tax_number_is_found_by_its_exact_value_within_the_firm(office, stranger):
    client = office.client(tax_numbers={"vat": "GB 200 049 136"})
    office.client("Jones Ltd", tax_numbers={"vat": "GB980780684"})
    found = office.api.post("/tax-number-lookups", {"tax_number": "gb-200049136"}).expect(200).json["items"]
    assert [c["id"] for c in found] == [client["id"]]
    assert stranger.api.post("/tax-number-lookups", {"tax_number": "GB200049136"}).json["items"] == []
    assert office.api.post("/tax-number-lookups", {"tax_number": "GB20004913"}).json["items"] == []


def test_the_list_goes_by_name_without_regard_to_case_and_accents(office):
    for name in ("zebra Ltd", "Émile", "adam", "Zoe", "Eva", "Österreich AG", "Otto"):
        office.client(name)
    names = [c["name"] for c in office.api.get("/clients").json["items"]]
    assert names == ["adam", "Émile", "Eva", "Österreich AG", "Otto", "zebra Ltd", "Zoe"]


def test_pages_meet_without_gaps_or_doubles_also_among_equal_names(office):
    made = {office.client("Same Ltd" if n % 2 else f"Client {n}")["id"] for n in range(9)}
    seen, cursor = [], ""
    while cursor is not None:
        page = (
            office.api.get("/clients", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).expect(200).json
        )
        seen += [c["id"] for c in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 9
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["rubbish", "bnVsbA", "WzFd"])
def test_a_cursor_of_another_list_is_refused(office, cursor):
    office.api.get(f"/clients?cursor={cursor}").problem(400, "cursor_invalid")


def test_the_list_is_filtered_by_what_one_asks_for(office):
    smith = office.client("Smith Ltd", tags=["VIP", "farm"], partner_id=str(office.ada), external_id="crm-1")
    jones = office.client("Jones Ltd", tags=["farm"], manager_id=str(office.ben), status="prospect")
    for query, expected in {
        "status=active": [smith],
        "status=prospect": [jones],
        "status=former": [],
        "tag=farm": [jones, smith],
        "tag=VIP": [smith],
        f"partner_id={office.ada}": [smith],
        f"manager_id={office.ben}": [jones],
        "external_id=crm-1": [smith],
        "q=smiht": [smith],
        "q=ltd&tag=farm&status=prospect": [jones],
    }.items():
        found = office.api.get(f"/clients?{query}").expect(200).json["items"]
        assert [c["id"] for c in found] == [c["id"] for c in expected], query


@pytest.mark.parametrize("query", ["status=dead", "limit=0", "limit=201", "partner_id=ada", "colour=red", "q="])
def test_a_filter_that_is_none_is_refused(office, query):
    office.api.get(f"/clients?{query}").problem(400, "request_invalid")


def test_the_list_shows_contacts_with_their_roles(office):
    client = office.client()
    jo = office.contact("Jo Smith", client, email="jo@example.com", portal_access=True)
    office.contact("Al Left", client)
    left = office.api.get("/contacts?q=left").json["items"][0]
    office.api.patch(f"/contacts/{left['id']}", {"active": False}, if_match=1).expect(200)
    office.engagement(client)
    shown = office.api.get("/clients").json["items"][0]
    assert shown["open_engagements"] == 1
    assert shown["contacts"] == [
        {"id": jo["id"], "name": "Jo Smith", "email": "jo@example.com", "portal_access": True, "roles": ["director"]}
    ]


def test_the_list_is_exported_as_csv(office):
    office.client("Smith Ltd")
    office.client("=HYPERLINK(1)")
    answer = office.api.get("/clients", headers={"accept": "text/csv"}).expect(200)
    lines = answer.response.text.splitlines()
    assert len(lines) == 3
    assert "'=HYPERLINK(1)" in lines[1]


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/clients", "clients:clients:read"),
        ("POST", "/clients", "clients:clients:write"),
        ("GET", "/search?q=smith", "clients:clients:read"),
    ],
)
def test_an_operation_needs_its_permission(office, method, path, permission):
    others = sorted(office.world.all_permissions() - {permission})
    body = NEW if method == "POST" else None
    office.world.api(office.firm, staff=office.ada, permissions=others).request(method, path, body).problem(
        403, "permission_missing"
    )
    office.world.anonymous().request(method, path, body).expect(401)
    portal = office.world.api(office.firm, audience="portal", permissions=[permission])
    portal.request(method, path, body).problem(403, "audience_not_allowed")


def test_before_the_firm_is_known_one_is_asked_to_wait(world):
    api = world.api(world.firm())
    api.post("/clients", NEW).problem(503, "firm_settings_pending")
    assert api.get("/clients").json["items"] == []


def test_other_and_former_names_are_kept_and_found(office):
    client = office.client("Smith Ltd", other_names=["Harbour Café", "Harbour Café"])
    assert (client["other_names"], client["former_names"]) == (["Harbour Café"], [])
    path = f"/clients/{client['id']}"
    renamed = office.api.patch(path, {"name": "Quarterdeck Ltd"}, if_match=1).expect(200).json
    assert renamed["former_names"] == ["Smith Ltd"]
    for q in ("smith", "harbour cafe", "quarterdeck"):
        assert office.api.get("/search", params={"q": q}).json["items"][0]["id"] == client["id"], q
    closed = office.api.patch(path, {"other_names": []}, if_match=2).expect(200).json
    assert (closed["other_names"], closed["former_names"]) == ([], ["Smith Ltd", "Harbour Café"])
    contact = office.contact("Jo Smith")
    wed = office.api.patch(f"/contacts/{contact['id']}", {"name": "Jo Jones"}, if_match=1).expect(200).json
    assert wed["former_names"] == ["Jo Smith"]
    assert office.api.get("/search?q=jo smith").json["items"][0]["id"] == contact["id"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Apple", "Berry", "Cherry"]),
        ("number", ["Cherry", "Apple", "Berry"]),
        ("-created_at", ["Berry", "Apple", "Cherry"]),
        ("-updated_at", ["Cherry", "Berry", "Apple"]),
    ],
)
def test_the_list_is_sorted_as_asked_over_all_pages(office, sort, names):
    made = {
        name: office.client(name, number=number)
        for name, number in (("Cherry", "a1"), ("Apple", "B2"), ("Berry", "c3"))
    }
    office.api.patch(f"/clients/{made['Cherry']['id']}", {"tags": ["x"]}, if_match=1).expect(200)
    listed, cursor = [], ""
    while cursor is not None:
        page = office.api.get(f"/clients?sort={sort}&limit=1{cursor and '&cursor=' + cursor}").expect(200).json
        listed += [c["name"] for c in page["items"]]
        cursor = page["next_cursor"]
    assert listed == names
    office.api.get("/clients?sort=size").problem(400, "request_invalid")


def test_the_list_is_filtered_by_kind_and_country(office):
    office.client("Ada", kind="person")
    office.client("Müller GmbH", country="DE")
    assert [c["name"] for c in office.api.get("/clients?kind=person").json["items"]] == ["Ada"]
    assert [c["name"] for c in office.api.get("/clients?country=DE").json["items"]] == ["Müller GmbH"]
