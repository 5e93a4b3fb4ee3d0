"""Notes on clients: pinned, with mentions; hidden with a private client."""

import pytest

from chassis.db import new_id
from praxis.clients.v1.events_pb2 import NoteWritten, NoticeDue


def note(office, client, text="Prefers calls", **more):
    return office.api.post(f"/clients/{client['id']}/notes", {"text": text, **more}).expect(201).json


def test_notes_are_read_newest_first_and_pinned_ones_apart(office):
    client = office.client()
    made = [note(office, client, f"note {n}", pinned=n == 1) for n in range(3)]
    path = f"/clients/{client['id']}/notes"
    first = office.api.get(f"{path}?limit=2").expect(200).json
    rest = office.api.get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert first["items"] + rest["items"] == made[::-1]
    assert office.api.get(f"{path}?pinned=true").json["items"] == [made[1]]
    assert office.api.get(f"/notes/{made[0]['id']}").expect(200).json == made[0]
    assert made[0]["yours"] is True
    assert office.bens.get(path).json["items"][0]["yours"] is False


def test_who_is_mentioned_is_told_once(office):
    client = office.client("Smith Ltd")
    made = note(office, client, mentions=[str(office.ben), str(office.ada)])
    assert [m["name"] for m in made["mentions"]] == ["Ada Byron", "Ben Okri"]
    office.api.patch(f"/notes/{made['id']}", {"text": "Never calls"}, if_match=1).expect(200)
    office.api.patch(f"/notes/{made['id']}", {"mentions": [str(office.ben)]}, if_match=2).expect(200)
    (notice,) = office.world.events(office.firm, NoticeDue)
    assert list(notice.staff_ids) == [str(office.ben)], "whoever writes needn't be told"
    assert notice.says.endswith("mentioned you in a note on Smith Ltd.")
    assert [e.what for e in office.world.events(office.firm, NoteWritten)] == ["added", "changed", "changed"]


def test_words_are_their_authors_but_anyone_pins(office):
    made = note(office, office.client())
    path = f"/notes/{made['id']}"
    office.bens.patch(path, {"text": "No"}, if_match=1).problem(403, "note_not_yours")
    office.bens.delete(path, if_match=1).problem(403, "note_not_yours")
    assert office.bens.patch(path, {"pinned": True}, if_match=1).expect(200).json["pinned"] is True
    office.api.delete(path, if_match=1).problem(412, "version_conflict")
    office.api.delete(path, if_match=2).expect(204)
    office.api.get(path).problem(404, "note_not_found")


def test_a_note_taken_back_leaves_no_word_in_the_timeline(office):
    client = office.client("Smith Ltd")
    gone, kept = note(office, client, "Told in confidence"), note(office, client, "Prefers calls")
    told = f"/clients/{client['id']}/timeline"
    assert office.api.delete(f"/notes/{gone['id']}", if_match=9).status == 412
    assert "Told in confidence" in office.api.get(told).expect(200).response.text, "refused, so nothing is forgotten"
    office.api.delete(f"/notes/{gone['id']}", if_match=1).expect(204)
    assert [e["title"] for e in office.api.get(told).json["items"]] == ["Prefers calls", "Smith Ltd"]
    assert [e["subject_id"] for e in office.api.get(f"{told}?kind=note").json["items"]] == [kept["id"]]


def test_the_timeline_quotes_a_note_as_it_stands(office):
    client = office.client("Smith Ltd")
    made, kept = note(office, client, "Told in confidence"), note(office, client, "Prefers calls")
    told, path = f"/clients/{client['id']}/timeline", f"/notes/{made['id']}"

    def quoted():
        return [(e["subject_id"], e["title"]) for e in office.api.get(f"{told}?kind=note").expect(200).json["items"]]

    at = [e["at"] for e in office.api.get(told).json["items"]]
    assert office.api.patch(path, {"text": "Overwritten unseen"}, if_match=9).status == 412
    assert quoted() == [(kept["id"], "Prefers calls"), (made["id"], "Told in confidence")]
    office.api.patch(path, {"pinned": True}, if_match=1).expect(200)
    office.api.patch(path, {"text": f"Said {'x' * 200}\nby phone"}, if_match=2).expect(200)
    assert quoted() == [(kept["id"], "Prefers calls"), (made["id"], f"Said {'x' * 114}…")]
    assert "confidence" not in office.api.get(told).response.text
    assert [e["at"] for e in office.api.get(told).json["items"]] == at, "when it was written stays"


def test_notes_on_a_private_client_are_hidden_like_it(office):
    secret = office.client("Secret Ltd", visible_to=[str(office.ada)])
    made = note(office, secret)
    bens = office.bens
    bens.get(f"/clients/{secret['id']}/notes").problem(404, "client_not_found")
    bens.post(f"/clients/{secret['id']}/notes", {"text": "x"}).problem(404, "client_not_found")
    bens.get(f"/notes/{made['id']}").problem(404, "note_not_found")
    bens.patch(f"/notes/{made['id']}", {"pinned": True}, if_match=1).problem(404, "note_not_found")
    mention = office.api.post(f"/clients/{secret['id']}/notes", {"text": "x", "mentions": [str(office.ben)]})
    mention.problem(422, "mentioned_cannot_see")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "request_invalid"),
        ({"text": " "}, 400, "request_invalid"),
        ({"text": "x", "mentions": [str(new_id())]}, 422, "unknown_staff"),
        ({"text": "x", "author": "me"}, 400, "request_invalid"),
    ],
)
def test_a_wrong_note_has_its_code_and_changes_nothing(office, body, status, code):
    client = office.client()
    before = office.traces()
    office.unchanged_by(office.api.post(f"/clients/{client['id']}/notes", body), status, code, before)
    assert office.api.get(f"/clients/{client['id']}/notes").json["items"] == []


def test_notes_are_the_firms_own(office, stranger):
    made = note(office, office.client())
    stranger.api.get(f"/notes/{made['id']}").problem(404, "note_not_found")
