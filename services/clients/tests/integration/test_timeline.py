"""What happened with a client, in every service; paged, each thing once, hidden with a private client."""


def entries(api, client, **more):
    params = {"limit": 200, **more}
    return api.get(f"/clients/{client['id']}/timeline", params=params).expect(200).json["items"]


def told(api, client, **more):
    return [(e["kind"], e["what"], e["title"]) for e in reversed(entries(api, client, **more))]


def test_what_is_done_with_a_client_here_is_told(office):
    client = office.client("Smith Ltd")
    jo = office.contact("Jo Smith", client)
    engagement = office.engagement(client)
    office.api.patch(f"/clients/{client['id']}", {"name": "Smith & Co", "tags": ["VIP"]}, if_match=1).expect(200)
    office.api.post(f"/clients/{client['id']}/notes", {"text": "Prefers\n calls"}).expect(201)
    closing = {"ends_on": "2026-06-30", "reason": "done"}
    office.api.post(f"/engagements/{engagement['id']}/close", closing).expect(200)
    office.api.delete(f"/contacts/{jo['id']}/clients/{client['id']}", if_match=1).expect(204)
    office.api.post(f"/clients/{client['id']}/archive", {"reason": "left"}).expect(200)
    assert told(office.api, client) == [
        ("client", "created", "Smith Ltd"),
        ("contact", "linked", "Jo Smith"),
        ("engagement", "opened", "Accounts 2026"),
        ("client", "changed", "Smith & Co"),
        ("note", "added", "Prefers calls"),
        ("engagement", "closed", "Accounts 2026"),
        ("contact", "unlinked", "Jo Smith"),
        ("client", "archived", "Smith & Co"),
    ]
    latest, changed = entries(office.api, client)[0], entries(office.api, client)[4]
    assert (latest["details"], latest["by"]) == ({"reason": "left"}, "Test")
    assert changed["details"] == {"fields": ["name", "tags"], "formerly": "Smith Ltd"}
    assert told(office.api, client, kind="note") == [("note", "added", "Prefers calls")]


def test_the_timeline_is_paged_without_gaps_or_doubles(office):
    client = office.client()
    for n in range(6):
        office.api.post(f"/clients/{client['id']}/notes", {"text": f"note {n}"}).expect(201)
    seen, cursor = [], ""
    while cursor is not None:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = office.api.get(f"/clients/{client['id']}/timeline", params=params).expect(200).json
        seen += [e["title"] for e in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [*(f"note {n}" for n in reversed(range(6))), "Smith Ltd"]


def test_the_timeline_of_a_private_client_is_hidden_like_it(office, stranger):
    secret = office.client("Secret Ltd", visible_to=[str(office.ada)])
    office.bens.get(f"/clients/{secret['id']}/timeline").problem(404, "client_not_found")
    stranger.api.get(f"/clients/{secret['id']}/timeline").problem(404, "client_not_found")
    assert len(entries(office.api, secret)) == 1
