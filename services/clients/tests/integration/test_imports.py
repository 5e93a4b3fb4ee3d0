"""Spreadsheets brought in: what is good goes in, what is bad is said row by row, and the whole is taken back as one act."""

import io
import os
import signal
import threading
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import text

from chassis.db import new_id
from chassis.due import Timers
from chassis.testing import eventually
from clients.app import service
from clients.imports import reading, usecases
from praxis.clients.v1.events_pb2 import ClientChanged, ClientRemoved, ContactChanged
from praxis.timebilling.v1.events_pb2 import InvoiceChanged
from praxis.workflow.v1.events_pb2 import JobChanged


def send(office, data, name="clients.csv", **more):
    """Announces the file and sends its parts."""
    made = office.api.post("/imports", {"file_name": name, "size": len(data), **more}).expect(201).json
    for number in range(made["parts"]):
        part = data[number * made["part_size"] : (number + 1) * made["part_size"]]
        headers = {"content-type": "application/octet-stream"}
        office.api.post(f"/imports/{made['id']}/parts/{number + 1}", content=part, headers=headers).expect(200)
    return made["id"]


def act(office, id, what, body=None):
    office.api.post(f"/imports/{id}/{what}", body).expect(202)
    office.world.run_due(office.firm)
    return office.api.get(f"/imports/{id}").expect(200).json


def load(office, data, name="clients.csv", encoding=None, **check):
    """Everything up to the dry run."""
    id = send(
        office, data if isinstance(data, bytes) else data.encode(), name, **({"encoding": encoding} if encoding else {})
    )
    seen = act(office, id, "read")
    assert seen["state"] == "read", seen["problem"]
    seen = act(office, id, "check", check)
    assert seen["state"] == "checked", seen
    return seen


def bring(office, data, name="clients.csv", **check):
    """Everything up to the end."""
    done = act(office, load(office, data, name, **check)["id"], "run")
    assert done["state"] == "done", done
    return done


def counted(seen):
    return {outcome: many for outcome, many in seen["counts"].items() if many}


def problems(office, id, outcome="bad"):
    rows = office.api.get(f"/imports/{id}/rows?outcome={outcome}&limit=200").expect(200).json["items"]
    return [(row["row"], problem["column"], problem["code"]) for row in rows for problem in row["problems"]]


def everything(office):
    """What the firm has, as its lists show it, but for when and how often it changed."""

    def plain(item):
        return {k: v for k, v in item.items() if k not in ("version", "updated_at", "created_at")}

    def pages(path):
        cursor, items = "", []
        while cursor is not None:
            answer = office.api.get(f"{path}?limit=200{cursor and '&cursor=' + cursor}").expect(200).json
            items += [plain(item) for item in answer["items"]]
            cursor = answer["next_cursor"]
        return items

    own = [plain(field) for field in office.api.get("/custom-fields").expect(200).json["items"]]
    return {path: pages(path) for path in ("/clients", "/contacts", "/groups")} | {"own": own}


SMALL = """Mandantennummer;Name;Art;Straße;PLZ;Ort;Land;USt-IdNr.;Geburtsdatum;Jahresende;Schlagworte
M1;Müller GmbH;Firma;Hauptstr. 1;10115;Berlin;Deutschland;DE136695976;;31.12.;Bau, VIP
M2;"Weiß, Anna";Person;"Gasse 2
Hinterhaus";1010;Wien;AT;;31.01.1980;;
;Ohne Nummer AG;Firma;;;;CH;;;;
"""


def test_a_german_csv_of_excel_is_understood_without_a_word(office):
    seen = load(office, "\ufeff" + SMALL)
    assert [c["field"] for c in seen["tables"][0]["columns"]] == [
        "number", "name", "kind", "line1", "postcode", "city", "country", "vat", "born_on", "year_end", "tags",
    ]  # fmt: skip
    assert counted(seen) == {"new": 3}
    assert office.api.get("/clients").json["items"] == []  # a dry run
    done = act(office, seen["id"], "run")
    assert (done["state"], counted(done)) == ("done", {"new": 3})
    clients = {c["name"]: c for c in office.api.get("/clients").json["items"]}
    muller = clients["Müller GmbH"]
    assert (muller["number"], muller["country"], muller["year_end"], muller["tags"]) == (
        "M1",
        "DE",
        "12-31",
        ["Bau", "VIP"],
    )
    assert muller["address"] == {"line1": "Hauptstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    assert muller["tax_numbers"]["vat"].endswith("5976")
    assert (clients["Weiß, Anna"]["kind"], clients["Weiß, Anna"]["born_on"]) == ("person", "1980-01-31")
    assert clients["Weiß, Anna"]["address"]["line1"] == "Gasse 2 Hinterhaus"
    assert clients["Ohne Nummer AG"]["number"] == "C00001"
    assert len(office.world.events(office.firm, ClientChanged)) == 3
    assert office.api.post("/tax-number-lookups", {"tax_number": "DE136695976"}).json["items"][0]["id"] == muller["id"]
    with office.world.uow(office.firm) as uow:
        assert {str(s): m for s, _, m in service.republish[ClientChanged](uow)} == {
            e.client_id: e for e in office.world.events(office.firm, ClientChanged)
        }


def test_brought_in_again_nothing_is_new_and_a_change_is_seen(office):
    bring(office, SMALL.replace(";Ohne Nummer AG;", "M3;Ohne Nummer AG;"))
    again = SMALL.replace(";Ohne Nummer AG;", "M3;Ohne Nummer AG;").replace("Berlin", "Köln")
    seen = load(office, again)
    assert counted(seen) == {"same": 2, "changed": 1}
    before = everything(office)
    act(office, seen["id"], "run")
    assert office.api.get("/clients?q=muller").json["items"][0]["address"]["city"] == "Köln"
    undone = act(office, seen["id"], "undo")
    assert counted(undone) == {"undone": 1}
    assert everything(office) == before


@pytest.mark.parametrize(
    "again",
    ["external_id,name\nX1,New name\n", "name,vat\nNew name,GB980780684\n", "number,name\nS1,New name\n"],
)
def test_a_client_is_recognised_by_external_id_tax_number_or_number(office, again):
    client = office.client("Smith", external_id="X1", number="S1", tax_numbers={"vat": "GB980780684"})
    assert counted(bring(office, again)) == {"changed": 1}
    assert [(c["id"], c["name"]) for c in office.api.get("/clients").json["items"]] == [(client["id"], "New name")]


def test_a_person_is_recognised_by_name_and_date_of_birth(office):
    client = office.client("José Núñez", kind="person", born_on="1980-02-01")
    office.client("Jose Nunez", kind="person", born_on="1990-02-01")
    assert counted(bring(office, "name,date of birth,tags\njose nuñez,1/2/1980,VIP\n", "people.csv")) == {"changed": 1}
    assert office.api.get(f"/clients/{client['id']}").json["tags"] == ["VIP"]


BAD = {
    "name,e\n,x\n": [(2, "name", "value_missing")],
    "name,country\nA,Atlantis\n": [(2, "country", "unknown_country")],
    "name,born_on\nA,31/02/1980\n": [(2, "born_on", "date_invalid")],
    "name,vat\nA,GB123456789\n": [(2, "vat", "tax_number_invalid")],
    "name,vat\nA,#1\n": [(2, "vat", "tax_number_invalid")],
    "external_id,name\n1,A\n2,B\n1,C\n": [(4, None, "duplicate_external_id")],
    "number,name\nN1,A\nn1,B\n": [(3, None, "duplicate_number")],
    "name,partner\nA,Nobody Known\n": [(2, "partner", "unknown_staff")],
    "name,street\nA,High St 1\n": [(2, "street", "address_incomplete")],
    "name,status\nA,dead\n": [(2, "status", "status_unknown")],
    "name,group\nA,No such group\n": [(2, "group", "group_not_found")],
    "name,private_to\nA,Ben Okri\n": [(2, "visible_to", "private_without_you")],
    "name,number,currency\nA,no spaces,XXQ\n": [(2, "number", "number_invalid"), (2, "currency", "unknown_currency")],
}


@pytest.mark.parametrize("data", BAD)
def test_a_bad_cell_is_named_by_row_column_and_reason_and_changes_nothing(office, data):
    seen = load(office, data, ignore_unknown=True)
    assert problems(office, seen["id"]) == BAD[data]
    good = data.count("\n") - 2
    done = act(office, seen["id"], "run")
    assert counted(done) == ({"new": good} if good else {}) | {"bad": 1}
    assert len(office.api.get("/clients").json["items"]) == good


def xlsx(sheets):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    book.close()
    return out.getvalue()


FAMILY = {
    "Relationships": [["client", "kind", "other client", "other name"], ["A1", "spouse_of", "A2"], ["A1", "advised_by", "", "Old Bank"]],
    "Contacts": [["name", "email", "client", "role"], ["Jo", "jo@example.com", "A1", "director; owner"], ["Jo", "jo@example.com", "Bert", "spouse"],
                 ["Lonely", "", "", ""]],
    "Clients": [["number", "name", "kind", "group", "bills_group", "Referred by"], ["A1", "Anna", "person", "The Smiths", "yes", "Radio"],
                ["A2", "Bert", "person", "The Smiths"]],
    "Groups": [["name", "kind"], ["The Smiths", "family"]],
    "Fields": [["label", "kind"], ["Referred by", "text"]],
}  # fmt: skip


def test_a_workbook_keeps_who_belongs_to_whom_whatever_the_order_of_its_sheets(office):
    before = everything(office)
    office.api.post("/custom-fields", {"label": "Referred by", "kind": "text"}).expect(201)
    seen = load(office, xlsx(FAMILY), "family.xlsx")
    assert counted(seen) == {"new": 7, "changed": 1, "same": 1}, problems(office, seen["id"])
    done = act(office, seen["id"], "run")
    assert counted(done) == {"new": 7, "changed": 1, "same": 1}, problems(office, seen["id"])
    anna, bert = office.api.get("/clients").json["items"]
    assert anna["custom"] == {"referred_by": "Radio"}
    assert anna["group"]["name"] == bert["group"]["name"] == "The Smiths"
    (group,) = office.api.get("/groups").json["items"]
    assert office.api.get(f"/groups/{group['id']}").json["bill_to"]["id"] == anna["id"]
    jo = next(c for c in office.api.get("/contacts").json["items"] if c["name"] == "Jo")
    assert [(c["number"], c["roles"]) for c in jo["clients"]] == [("A1", ["director", "owner"]), ("A2", ["spouse"])]
    with office.world.uow(office.firm) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM relationships")).scalar_one() == 2
    undone = act(office, seen["id"], "undo")
    assert counted(undone) == {"undone": 8}, problems(office, seen["id"], "kept")
    office.api.delete(f"/custom-fields/{office.api.get('/custom-fields').json['items'][0]['id']}", if_match=1).expect(
        204
    )
    assert everything(office) == before
    gone = [e for e in office.world.events(office.firm, ContactChanged) if not e.active]
    assert {e.name for e in gone} == {"Jo", "Lonely"}


def test_what_others_have_built_on_is_named_and_kept_when_an_import_is_undone(office):
    office.client("Before")
    before = everything(office)
    done = bring(office, "number,name\nJ,Has a job\nI,Has an invoice\nE,Has an engagement\nC,Was changed\nN,Nothing\n")
    by = {c["number"]: c for c in office.api.get("/clients").json["items"]}
    office.world.deliver(
        office.firm, JobChanged(job_id=str(new_id()), client_id=by["J"]["id"], title="VAT Q3", version=1)
    )
    office.world.deliver(
        office.firm, InvoiceChanged(invoice_id=str(new_id()), client_id=by["I"]["id"], number="INV-7", version=1)
    )
    office.engagement(by["E"])
    office.api.patch(f"/clients/{by['C']['id']}", {"name": "Changed"}, if_match=1).expect(200)
    undone = act(office, done["id"], "undo")
    assert counted(undone) == {"undone": 1, "kept": 4}
    assert sorted(problems(office, done["id"], "kept")) == [
        (2, None, "has_job"), (3, None, "has_invoice"), (4, None, "has_engagement"), (5, None, "changed_since"),
    ]  # fmt: skip
    kept = office.api.get(f"/imports/{done['id']}/rows?outcome=kept").json["items"][0]
    assert "VAT Q3" in kept["problems"][0]["message"]
    assert [e.client_id for e in office.world.events(office.firm, ClientRemoved)] == [by["N"]["id"]]
    left = {c["number"] for c in everything(office)["/clients"]} - {c["number"] for c in before["/clients"]}
    assert left == {"J", "I", "E", "C"}


BOMB = io.BytesIO()
with zipfile.ZipFile(BOMB, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("[Content_Types].xml", "<Types/>")
    with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
        for _ in range(reading.MOST_UNPACKED // 2**20 + 1):
            sheet.write(b" " * 2**20)
REFUSED = [
    ("Käse".encode("cp1252") + b",name\n", "encoding_unknown"),
    (b"%PDF-1.7 and so on", "not_a_spreadsheet"),
    (b"\x89PNG\r\n\x1a\n\0\0", "not_a_spreadsheet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
    (b"PK\x03\x04 but no zip", "not_a_spreadsheet"),
    (b'name\n"never closed\nA\nB\n', "quote_unclosed"),
    (b"name\n", "empty_file"),
    (b"\n\n", "empty_file"),
    (b"x" * 1_500_000, "line_too_long"),
    (b"a\n" * (reading.MOST_ROWS + 5), "too_many_rows"),
    ((b"," * 300) + b"a\n", "too_many_columns"),
    (BOMB.getvalue(), "unpacked_too_large"),
]


@pytest.mark.parametrize(("data", "code"), REFUSED, ids=[f"{n}-{code}" for n, (_, code) in enumerate(REFUSED)])
def test_what_is_no_usable_spreadsheet_is_refused_with_the_reason_and_nothing_is_left_of_it(office, data, code):
    before = everything(office)
    id = send(office, data)
    seen = act(office, id, "read")
    assert (seen["state"], seen["problem"]["code"]) == ("refused", code)
    office.api.post(f"/imports/{id}/check", {}).problem(409, "import_not_read")
    with office.world.uow(office.firm) as uow:
        left = "SELECT (SELECT count(*) FROM import_parts) + (SELECT count(*) FROM import_rows WHERE import_id = :id)"
        assert uow.session.execute(text(left), {"id": id}).scalar_one() == 0
    assert everything(office) == before


def test_a_file_of_ten_million_rows_is_refused_before_a_byte_of_it_is_read(office):
    office.api.post("/imports", {"file_name": "huge.csv", "size": 10_000_000 * 40}).problem(422, "file_too_large")
    small = {"file_name": "huge.csv", "size": 10}
    id = office.api.post("/imports", small).expect(201).json["id"]
    headers = {"content-type": "application/octet-stream"}
    for number, body in ((1, b"x" * 11), (2, b"x" * 10), (1, b"x")):
        office.api.post(f"/imports/{id}/parts/{number}", content=body, headers=headers).problem(400, "part_wrong")
    office.api.post(f"/imports/{id}/read").problem(409, "parts_missing")


def test_reading_stops_at_the_first_row_too_many(monkeypatch):
    monkeypatch.setattr(reading, "MOST_ROWS", 1000)
    asked = []

    def parts():
        for number in range(100):
            asked.append(number)
            yield b"name\n" * 1000

    with pytest.raises(reading.Invalid) as refusal:
        list(reading.rows(parts()))
    assert (refusal.value.code, len(asked) < 5) == ("too_many_rows", True)


def test_a_named_encoding_reads_what_is_not_utf_8(office):
    bring_in = load(office, "Name\nKäse & Söhne\n".encode("cp1252"), encoding="windows-1252")
    act(office, bring_in["id"], "run")
    assert office.api.get("/clients").json["items"][0]["name"] == "Käse & Söhne"
    office.api.post("/imports", {"file_name": "a.csv", "size": 1, "encoding": "rot13"}).problem(
        422, "encoding_unsupported"
    )


def test_formulas_of_a_workbook_are_refused_cell_by_cell(office):
    seen = load(office, xlsx({"Clients": [["number", "name"], ["F1", "=1+1"], ["F2", "Fine"]]}), "f.xlsx")
    assert problems(office, seen["id"]) == [(2, "name", "formula_cell")]
    act(office, seen["id"], "run")
    assert [c["number"] for c in office.api.get("/clients").json["items"]] == ["F2"]


def test_columns_nobody_knows_are_refused_unless_they_are_to_be_ignored(office):
    id = send(office, b"name,Shoe size\nA,43\n")
    act(office, id, "read")
    office.api.post(f"/imports/{id}/check", {}).problem(422, "unknown_columns")
    for body, code in (
        ({"tables": [{"table": 0, "fields": ["name"]}]}, "mapping_invalid"),
        ({"tables": [{"table": 0, "fields": ["name", "shoe"]}]}, "mapping_invalid"),
        ({"tables": [{"table": 0, "fields": ["name", "name"]}]}, "field_mapped_twice"),
        ({"tables": [{"table": 0, "fields": [None, "tags"]}], "ignore_unknown": True}, "field_not_mapped"),
        ({"tables": [{"table": 3}]}, "mapping_invalid"),
    ):
        office.api.post(f"/imports/{id}/check", body).problem(422, code)
    assert act(office, id, "check", {"ignore_unknown": True})["state"] == "checked"
    seen = act(office, id, "check", {"tables": [{"table": 0, "fields": ["name", "tags"]}]})
    assert counted(act(office, seen["id"], "run")) == {"new": 1}
    assert office.api.get("/clients").json["items"][0]["tags"] == ["43"]


def test_an_import_is_its_owners_and_does_not_reach_what_they_cannot_see(office, stranger):
    hidden = office.client("Secret", number="S1", external_id="S", visible_to=[str(office.ada)])
    made = office.bens.post("/imports", {"file_name": "a.csv", "size": 19}).expect(201).json
    office.api.get(f"/imports/{made['id']}").problem(404, "import_not_found")
    stranger.api.get(f"/imports/{made['id']}").problem(404, "import_not_found")
    headers = {"content-type": "application/octet-stream"}
    office.bens.post(f"/imports/{made['id']}/parts/1", content=b"number,name\nS1,Mine\n"[:19], headers=headers).expect(
        200
    )
    for what in ("read", "check", "run"):
        office.bens.post(f"/imports/{made['id']}/{what}", {} if what == "check" else None).expect(202)
        office.world.run_due(office.firm)
    rows = office.bens.get(f"/imports/{made['id']}/rows").json["items"]
    assert rows[0]["problems"][0]["code"] == "client_number_taken"
    assert office.api.get(f"/clients/{hidden['id']}").json["name"] == "Secret"
    assert office.bens.get("/clients").json["items"] == []


def fifty_thousand():
    """A file as they come: BOM, semicolons, umlauts, line breaks inside quotes, dates in every fashion, and two rows in a hundred that are wrong."""
    dates = ("1980-03-31", "31.03.1980", "31/3/1980", "31. März 1980", "31 March 1980", "31-03-80")
    wrong = (";Person;31.02.1980;DE", "Zu alt;Person;31.02.1700;DE", "Nirgendwo;Person;;Atlantis", "Falsch;Tier;;DE")
    yield "\ufeffNummer;Name;Art;Geburtsdatum;Land;Straße;Ort;USt-IdNr.;Schlagworte;E-Mail"
    for n in range(50_000):
        if n % 50 == 49:
            yield f"B{n};{wrong[n // 50 % 4]};;;;;"
        else:
            yield f'N{n};"Müller-Lüdenscheidt\nund Söhne {n}";Person;{dates[n % 6]};Österreich;Hauptstraße {n};Köln;;Bau, Größe;'


class Memory:
    """The most memory the process has held meanwhile, beyond what it held at first."""

    def __enter__(self):
        self.first = self.most = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.02):
            self.most = max(self.most, self._now())

    def _now(self):
        with Path("/proc/self/statm").open() as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def grown(self):
        return (self.most - self.first) / 2**20


@pytest.mark.timeout(900)
def test_fifty_thousand_rows_go_in_within_bounded_memory_and_come_out_again(office):
    data = "\n".join(fifty_thousand()).encode()
    office.client("Was here before", number="N7", kind="person", address={"line1": "X", "city": "Y", "country": "GB"})
    before = everything(office)
    id = send(office, data, "Mandanten.csv")
    with Memory() as memory:
        assert act(office, id, "read")["state"] == "read"
        seen = act(office, id, "check", {"ignore_unknown": True})
        assert counted(seen) == {"new": 48_999, "changed": 1, "bad": 1000}
        done = act(office, id, "run")
    assert counted(done) == {"new": 48_999, "changed": 1, "bad": 1000}
    assert memory.grown < 100, f"{memory.grown:.0f} MB more"
    assert problems(office, id)[:5] == [
        (51, "Geburtsdatum", "date_invalid"),
        (51, "Name", "value_missing"),
        (101, "Geburtsdatum", "date_invalid"),
        (151, "Land", "unknown_country"),
        (201, "Art", "kind_unknown"),
    ]
    born = office.api.get("/clients?q=N25").json["items"][0]
    assert born["born_on"] == "1980-03-31"
    undone = act(office, id, "undo")
    assert counted(undone) == {"undone": 49_000}
    assert everything(office) == before


def test_a_worker_killed_between_chunks_leaves_whole_ones_and_the_next_goes_on(office, monkeypatch):
    monkeypatch.setattr(usecases, "CHUNK", 10)
    data = "number,name\n" + "".join(f"K{n},Client {n}\n" for n in range(35))
    seen = load(office, data)
    office.api.post(f"/imports/{seen['id']}/run").expect(202)
    real, calls = usecases._do, []

    def dies(*arguments):
        calls.append(1)
        real(*arguments)
        if len(calls) == 3:
            raise RuntimeError("killed in the middle of a chunk, before its commit")

    monkeypatch.setattr(usecases, "_do", dies)
    office.world.run_due(office.firm)
    halfway = office.api.get(f"/imports/{seen['id']}").json
    assert (halfway["state"], halfway["rows_done"], halfway["rows_total"]) == ("running", 20, 35)
    assert len(office.api.get("/clients?limit=200").json["items"]) == 20
    with office.world.uow(office.firm) as uow:
        uow.session.execute(text("UPDATE due SET run_at = now() WHERE done_at IS NULL"))
        uow.keep()
    Timers(office.world.runtime).run_due(firm_id=office.firm)
    done = office.api.get(f"/imports/{seen['id']}").json
    assert (done["state"], counted(done)) == ("done", {"new": 35})
    assert len({c["number"] for c in office.api.get("/clients?limit=200").json["items"]}) == 35
    assert len(office.world.events(office.firm, ClientChanged)) == 35


@pytest.mark.timeout(900)
def test_a_worker_process_killed_in_the_middle_of_an_import_loses_and_doubles_nothing(office, worker):
    many = 6_000
    seen = load(office, "number,name,tags\n" + "".join(f"K{n},Client {n},Bau\n" for n in range(many)))
    office.api.post(f"/imports/{seen['id']}/run").expect(202)

    def now():
        return office.api.get(f"/imports/{seen['id']}").expect(200).json

    def held():
        counts = "SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM timeline), (SELECT count(DISTINCT lower(number)) FROM clients)"
        with office.world.uow(office.firm) as uow:
            return tuple(uow.session.execute(text(counts)).one())

    with worker() as first:
        eventually(lambda: now()["rows_done"] >= 2000, within=240)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    halfway = now()
    assert halfway["state"] == "running"
    assert halfway["rows_done"] < many
    assert held() == (halfway["rows_done"],) * 3, "whole chunks, and all of each"
    # What the killed one had claimed is taken up when its claim has run out: two minutes, or now for this test's clock.
    with office.world.uow(office.firm) as uow:
        uow.session.execute(text("UPDATE due SET run_at = now() WHERE done_at IS NULL AND kind = 'import_step'"))
        uow.keep()
        uow.commit()
    with worker():
        eventually(lambda: now()["state"] == "done", within=240)
    assert counted(now()) == {"new": many}
    assert held() == (many,) * 3
    created = [row for row in office.world.audit(office.firm) if row.action == "client.created"]
    assert len({row.subject_id for row in created}) == len(created) == many
    changed = [event.client_id for event in office.world.events(office.firm, ClientChanged)]
    assert len(set(changed)) == len(changed) == many


def test_an_import_can_be_undone_for_ninety_days_and_then_its_rows_are_cleared(office):
    done = bring(office, "number,name,vat\nA1,Anna,GB980780684\n")
    until = datetime.fromisoformat(done["kept_until"])
    assert until - datetime.fromisoformat(done["updated_at"]) > timedelta(days=89)
    assert done["cleared_at"] is None
    office.world.run_due(office.firm, at=until - timedelta(hours=1))
    assert len(office.api.get(f"/imports/{done['id']}/rows").json["items"]) == 1
    office.world.run_due(office.firm, at=until + timedelta(hours=1))
    seen = office.api.get(f"/imports/{done['id']}").expect(200).json
    assert (seen["state"], counted(seen), seen["cleared_at"] is not None) == ("done", {"new": 1}, True)
    assert office.api.get(f"/imports/{done['id']}/rows").expect(200).json["items"] == []
    with office.world.uow(office.firm) as uow:
        left = "SELECT (SELECT count(*) FROM import_rows) + (SELECT count(*) FROM import_keys) + (SELECT count(*) FROM import_parts)"
        assert uow.session.execute(text(left)).scalar_one() == 0
    for what in ("undo", "run", "read"):
        office.api.post(f"/imports/{done['id']}/{what}").problem(409, "import_cleared")
    office.api.post(f"/imports/{done['id']}/check", {}).problem(409, "import_cleared")
    assert [c["number"] for c in office.api.get("/clients").json["items"]] == ["A1"]
