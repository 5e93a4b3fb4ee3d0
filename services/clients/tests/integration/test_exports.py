"""Everything taken out and brought into an empty firm is there again, and taken out again it is the same."""

import io
import tracemalloc
import zipfile

import pytest
from openpyxl import load_workbook

from chassis.auth import Principal
from chassis.db import new_id
from clients.exports import usecases

KINDS = ("custom_fields", "groups", "clients", "contacts", "relationships", "engagements", "notes")


def load(office, data, name):
    """A file brought as far as the dry run."""
    made = office.api.post("/imports", {"file_name": name, "size": len(data)}).expect(201).json
    for number in range(made["parts"]):
        part = data[number * made["part_size"] : (number + 1) * made["part_size"]]
        headers = {"content-type": "application/octet-stream"}
        office.api.post(f"/imports/{made['id']}/parts/{number + 1}", content=part, headers=headers).expect(200)
    act(office, made["id"], "read")
    return act(office, made["id"], "check", {})


def act(office, id, what, body=None):
    office.api.post(f"/imports/{id}/{what}", body).expect(202)
    office.world.run_due(office.firm)
    return office.api.get(f"/imports/{id}").expect(200).json


def bring(office, data, name="clients.csv"):
    done = act(office, load(office, data, name)["id"], "run")
    assert done["state"] == "done", done
    return done


def counted(seen):
    return {outcome: many for outcome, many in seen["counts"].items() if many}


def problems(office, id, outcome="bad"):
    rows = office.api.get(f"/imports/{id}/rows?outcome={outcome}&limit=200").expect(200).json["items"]
    return [(row["table"], row["row"], row["cells"], row["problems"]) for row in rows]


def everything(office):
    """What the firm has, as its lists show it, but for when and how often it changed, and ids that an export doesn't keep."""
    passing = ("version", "updated_at", "created_at")
    found = {}
    for path in ("/custom-fields", "/clients", "/contacts", "/groups", "/engagements"):
        limit = "" if path == "/custom-fields" else "?limit=200"
        items = office.api.get(path + limit).expect(200).json["items"]
        gone = (*passing, "id") if path == "/custom-fields" else passing
        found[path] = [{name: value for name, value in item.items() if name not in gone} for item in items]
    for client in found["/clients"]:
        notes = office.api.get(f"/clients/{client['id']}/notes?limit=200").expect(200).json["items"]
        found[client["id"]] = [{k: v for k, v in note.items() if k not in ("version", "updated_at")} for note in notes]
    return found


def export(api, **wanted):
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return api.get(f"/export?{query}").expect(200).response


def sheets(data):
    book = load_workbook(io.BytesIO(data), read_only=True)
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


@pytest.fixture
def full(office):
    """A firm that has a bit of everything, as awkward as it gets."""
    post = office.api.post
    for field in (
        {"label": "Größe (m²)", "kind": "number"},
        {"label": "Referred by", "kind": "text"},
        {"label": "Since", "kind": "date", "key": "since_when"},
        {"label": "Risk", "kind": "choice", "choices": ["low; calm", "high"]},
        {"label": "Second partner", "kind": "staff"},
        {"label": "Old one", "kind": "text"},
    ):
        made = post("/custom-fields", field).expect(201).json
        if field["label"] == "Old one":
            old = made
    custom = {"grosse_m2": 12.5, "referred_by": "=cmd|' /C calc'!A0", "since_when": "2019-12-31", "risk": "low; calm"}
    custom |= {"second_partner": str(office.ben), "old_one": "kept"}
    keys = {f["label"]: f["key"] for f in office.api.get("/custom-fields").json["items"]}
    custom[keys["Größe (m²)"]] = custom.pop("grosse_m2")
    main = office.client(
        "=Müller & Söhne <GmbH>", number="0012", external_id="X; 1", country="DE", currency="EUR", language="de-DE", year_end="12-31",
        tags=["Bau; Umbau", "VIP", "a\\b"], other_names=["Müller's", "+Plus"], partner_id=str(office.ada), manager_id=str(office.ben),
        tax_numbers={"vat": "DE136695976"}, custom=custom,
        address={"line1": "Hauptstr. 1", "line2": "2. OG", "city": "Köln", "region": "NRW", "postcode": "01067", "country": "AT"},
    )  # fmt: skip
    office.api.patch(f"/custom-fields/{old['id']}", {"active": False}, if_match=1).expect(200)
    office.api.patch(f"/clients/{main['id']}", {"name": "@Müller"}, if_match=1).expect(200)
    twins = [office.client("José Núñez", kind="person", born_on="1980-02-29") for _ in range(2)]
    same_tax = [office.client(f"Branch {n}", tax_numbers={"vat": "GB980780684"}) for n in range(2)]
    secret = office.client("Secret Ltd", number="SEC-1", visible_to=[str(office.ada), str(office.ben)])
    gone = office.client("Former")
    post(f"/clients/{gone['id']}/archive", {"reason": "left"}).expect(200)
    office.client("New", status="prospect")
    top = post("/groups", {"name": "Same name", "kind": "corporate", "note": "one\n\ntwo"}).expect(201).json
    lower = (
        post("/groups", {"name": "Same name", "client_ids": [main["id"], twins[0]["id"]], "bill_to_id": twins[0]["id"]})
        .expect(201)
        .json
    )
    office.api.patch(f"/groups/{lower['id']}", {"parent_id": top["id"]}, if_match=1).expect(200)
    office.contact("Jo", main, twins[0], secret, email="jo@example.com", phone="+44 20 7946 0000", portal_access=True)
    office.contact("Jo", same_tax[0], email="jo@example.com", external_id="=K1")
    office.contact("-Lonely", language="fr")
    left = office.contact("Left", gone)
    office.api.patch(f"/contacts/{left['id']}", {"active": False, "name": "Left long ago"}, if_match=1).expect(200)
    for related in (
        {"client_id": twins[1]["id"], "kind": "director_of", "other_client_id": main["id"], "since": "2020-01-01", "until": "2024-12-31"},
        {"client_id": twins[0]["id"], "kind": "sibling_of", "other_client_id": twins[1]["id"]},
        {"client_id": main["id"], "kind": "advised_by", "other_name": "Alte Bank", "note": "=careful"},
        {"client_id": secret["id"], "kind": "subsidiary_of", "other_client_id": main["id"]},
    ):  # fmt: skip
        post("/relationships", related).expect(201)
    agree(office, main, twins[0], secret, gone)
    for client, said, more in (
        (main, "=SUM(1)\n\nprefers; calls: \\ and | so on", {"pinned": True, "mentions": [str(office.ben), str(office.ada)]}),
        (main, "second", {}),
        (secret, "hush", {}),
    ):  # fmt: skip
        post(f"/clients/{client['id']}/notes", {"text": said, **more}).expect(201)
    office.bens.post(f"/clients/{gone['id']}/notes", {"text": "Ben's words"}).expect(201)
    return office


def agree(office, main, twin, secret, gone):
    """An engagement of every kind of fee, one of them closed, one of a former client."""
    eur = {"currency": "EUR"}
    fees = (
        {"kind": "hourly"},
        {"kind": "capped", "amount": {"amount": "12000.50", **eur}, "description": "= at most"},
        {"kind": "fixed", "amount": {"amount": "1200", "currency": "JPY"}},
        {"kind": "recurring", "amount": {"amount": "99.999", "currency": "KWD"}, "interval": "quarterly"},
        {"kind": "milestone", "amount": {"amount": "1500.00", **eur}, "description": "in stages", "milestones": [
            {"title": "Draft: 3; by 2026-01-01", "amount": {"amount": "500.25", **eur}},
            {"title": "Hand-over", "amount": {"amount": "999.75", **eur}, "due_on": "2026-09-30"},
        ]},
        {"kind": "retainer", "amount": {"amount": "5000", **eur}},
        {"kind": "contingent", "description": "if won", "percent": "12.5"},
    )  # fmt: skip
    people = [
        {"job_role": "reviewer", "staff_id": str(office.ada)},
        {"job_role": "preparer", "staff_id": str(office.ben)},
    ]
    made = [office.engagement(main, title=f"By {fee['kind']}; =1", fee=fee, people=people) for fee in fees]
    office.engagement(secret, title="Secret work", ends_on="2027-12-31", external_id="+E1")
    office.engagement(twin, title="Same"), office.engagement(twin, title="Same")
    closing = {"ends_on": "2026-06-30", "reason": "- done"}
    office.api.post(f"/engagements/{made[0]['id']}/close", closing).expect(200)
    office.api.post(f"/clients/{gone['id']}/activate").expect(200)
    former = office.engagement(gone, service="advisory", starts_on="2020-02-29")
    office.api.post(f"/engagements/{former['id']}/close", closing).expect(200)
    office.api.post(f"/clients/{gone['id']}/archive", {"reason": "left"}).expect(200)


def relationships(office):
    kept = ("kind", "since", "until", "note", "other_name")
    found = []
    for client in office.api.get("/clients?limit=200").json["items"]:
        items = office.api.get(f"/relationships?client_id={client['id']}&limit=200").expect(200).json["items"]
        found += [(client["id"], *(item.get(name) for name in kept)) for item in items]
    return sorted(found, key=str)


def moved(office, world):
    """An empty firm where the same people work."""
    return type(office)(world, world.firm(), ada=office.ada, ben=office.ben).open()


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_exported_into_an_empty_firm_and_exported_again_it_is_the_same(full, world, format):
    first = export(full.api, format=format).content
    other = moved(full, world)
    seen = load(other, first, f"all.{format}")
    assert problems(other, seen["id"]) == []
    done = act(other, seen["id"], "run")
    assert problems(other, seen["id"]) == []
    assert done["counts"]["bad"] == 0
    second = export(other.api, format=format).content
    if format == "xlsx":
        assert sheets(second) == sheets(first)
        assert [len(rows) for rows in sheets(first).values()] == [7, 3, 9, 7, 5, 12, 5]
    else:
        opened = [zipfile.ZipFile(io.BytesIO(data)) for data in (first, second)]
        names = [f"{kind}.csv" for kind in KINDS]
        assert [z.namelist() for z in opened] == [names, names]
        assert [opened[0].read(name) for name in names] == [opened[1].read(name) for name in names]
    assert everything(other) == everything(full)
    assert relationships(other) == relationships(full)
    found = other.api.post("/tax-number-lookups", {"tax_number": "DE136695976"}).json["items"]
    assert [c["number"] for c in found] == ["0012"]


def test_one_kind_at_a_time_goes_back_in_as_csv(full, world):
    other = moved(full, world)
    for kind in KINDS:
        answer = export(full.api, format="csv", kind=kind)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert f'filename="{kind} 2' in answer.headers["content-disposition"]
        done = bring(other, answer.content, f"{kind}.csv")
        assert problems(other, done["id"]) == []
    for kind in KINDS:
        assert export(other.api, format="csv", kind=kind).content == export(full.api, format="csv", kind=kind).content


def test_brought_back_where_it_came_from_nothing_changes(full):
    data = export(full.api).content
    seen = load(full, data, "all.xlsx")
    outcomes = counted(seen)
    assert outcomes.keys() == {"same"}, problems(full, seen["id"], "changed")


def test_formulas_are_text_and_tax_numbers_whole(full):
    rows = sheets(export(full.api, format="xlsx", kind="clients").content)
    assert list(rows) == ["clients"]
    titles, first, *_ = rows["clients"]
    said = dict(zip(titles, first, strict=True))
    assert (said["name"], said["former_names"], said["vat"]) == ("@Müller", "=Müller & Söhne <GmbH>", "DE136695976")
    assert (said["number"], said["postcode"], said["partner"]) == ("0012", "01067", "Ada Byron")
    text = export(full.api, format="csv", kind="clients").content.decode("utf-8-sig")
    assert '"\'@Müller"' in text
    assert '"\'=Müller & Söhne <GmbH>"' in text


def test_private_clients_and_what_is_theirs_are_only_for_those_named(office):
    secret = office.client(
        "Secret Ltd", number="SEC-1", visible_to=[str(office.ada)], tax_numbers={"vat": "GB200049136"}
    )
    known = office.client("Open Ltd")
    office.contact("Olive Own", secret)
    office.contact("Sam Shared", secret, known)
    hidden = office.api.post("/groups", {"name": "Hidden", "client_ids": [secret["id"]]}).expect(201).json
    office.api.post("/groups", {"name": "Below", "parent_id": hidden["id"]}).expect(201)
    office.api.post(
        "/relationships", {"client_id": secret["id"], "kind": "opposed_to", "other_client_id": known["id"]}
    ).expect(201)
    office.engagement(secret, title="Hush work")
    office.api.post(f"/clients/{secret['id']}/notes", {"text": "Hush words"}).expect(201)
    office.engagement(known)
    whole, bens = sheets(export(office.api).content), sheets(export(office.bens).content)
    assert [len(rows) - 1 for rows in whole.values()] == [0, 2, 2, 3, 1, 2, 1]
    assert [len(rows) - 1 for rows in bens.values()] == [0, 1, 1, 1, 0, 1, 0]
    for word in ("Secret", "SEC-1", "200049136", "Olive", "Hidden", "Hush work", "Hush words", hidden["id"]):
        assert word not in str(bens)
        assert word in str(whole)


def test_an_export_needs_its_own_permission_and_is_recorded(office, stranger):
    all_but = sorted(office.world.all_permissions() - {"clients:exports:read"})
    without = office.world.api(office.firm, staff=office.ada, permissions=all_but)
    without.get("/export").problem(403, "permission_missing")
    assert [row for row in office.world.audit(office.firm) if row.action == "clients.exported"] == []
    office.client("Smith")
    export(office.api, format="csv", kind="clients")
    (row,) = [row for row in office.world.audit(office.firm) if row.action == "clients.exported"]
    assert (row.actor, row.after) == (f"staff:{office.ada}", {"format": "csv", "kinds": ["clients"]})
    assert "Smith" not in export(stranger.api, format="csv", kind="clients").text
    for bad in ("format=pdf", "kind=invoices", "kind=", "x=1"):
        office.api.get(f"/export?{bad}").problem(400, "request_invalid")


def test_people_of_one_name_are_told_apart_by_id(office, world):
    twin = new_id()
    office.hire(twin, "ADA BYRON")
    office.client("Smith", partner_id=str(twin))
    data = export(office.api, format="csv", kind="clients").content
    assert str(twin) in data.decode()
    other = moved(office, world)
    other.hire(twin, "ADA BYRON")
    assert counted(bring(other, data)) == {"new": 1}
    assert other.api.get("/clients").json["items"][0]["partner"]["id"] == str(twin)


def test_clients_of_somebody_who_has_left_come_back_as_they_were(office, world):
    client = office.client("Smith", partner_id=str(office.ben), visible_to=[str(office.ada), str(office.ben)])
    office.hire(office.ben, "Ben Okri", active=False, version=2)
    data = export(office.api, format="csv", kind="clients").content
    assert counted(load(office, data, "clients.csv")) == {"same": 1}
    other = moved(office, world)
    other.hire(office.ben, "Ben Okri", active=False, version=2)
    assert counted(bring(other, data)) == {"new": 1}
    held = other.api.get(f"/clients/{client['id']}").expect(200).json
    assert (held["partner"]["id"], len(held["visible_to"])) == (str(office.ben), 2)


def test_memory_is_flat_however_much_is_taken_out(office):
    lines = (f"N{n},Client {n},Street {n},Town,farm;VIP {n}" for n in range(5000))
    bring(office, "\n".join(["number,name,address,city,tags", *lines]).encode())
    ada = Principal("staff", str(office.ada), office.firm, name="Ada")
    for format in ("xlsx", "csv"):
        with office.world.uow(office.firm, principal=ada) as uow:
            _, _, pieces = usecases.export(uow, format, "clients")
        most = []
        tracemalloc.start()
        for piece in pieces:
            assert len(piece) < 500_000
            most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(most) > 5000 // 500
        assert most[-1] < min(most[len(most) * 2 // 3] * 1.2, 10_000_000)
