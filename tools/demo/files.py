"""Documents that are real files: letters as PDF and bank statements as CSV, sent to the object store as a browser sends them."""

import base64
import csv
import hashlib
import io
from datetime import timedelta
from typing import Any

import typst

from tools.demo.api import each
from tools.demo.firm import Demo

_LETTER = """#set page(paper: "a4", margin: 3cm)
#set text(size: 11pt)
#let facts = json(bytes(sys.inputs.facts))
#text(fill: rgb("#0f766e"), weight: "bold", size: 14pt)[#facts.firm]
#v(1.5cm)
#facts.client \\ #facts.place
#v(1cm)
*Engagement letter*
#v(0.4cm)
Thank you for asking us to act for you. This letter says what we will do, what we need from you, and what it costs.
We prepare what the law asks of you, tell you in time what we need, and file what you have approved. You send us complete records; the client portal is the safest way.
#v(1cm)
Yours sincerely, \\ #facts.partner
"""


def upload(demo: Demo, count: int) -> None:
    """An engagement letter for the first clients, and a statement for every third of them."""
    wanted: list[tuple[str, str, bytes, str]] = []
    for n, (who, client) in enumerate(demo.clients[:count]):
        wanted.append((client["id"], "Engagement letter.pdf", _letter(who.name, who.place), "client_view"))
        if n % 3 == 0:
            wanted.append((client["id"], f"Bank statement {demo.today.year}.csv", _statement(demo), "firm"))
    each(wanted, lambda file: _send(demo, *file))


def _letter(client: str, place: str) -> bytes:
    import json

    from tools.demo.names import FIRM, OWNER

    facts = json.dumps({"firm": FIRM, "client": client, "place": place, "partner": OWNER.name})
    pdf = typst.compile(_LETTER.encode(), format="pdf", sys_inputs={"facts": facts})
    assert isinstance(pdf, bytes)
    return pdf


def _statement(demo: Demo) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("date", "text", "amount"))
    for n in range(40):
        day = demo.today - timedelta(days=120 - n * 3)
        writer.writerow(
            (
                day,
                demo.random.choice(("Card takings", "Supplier", "Rent", "Wages")),
                f"{demo.random.uniform(-900, 2400):.2f}",
            )
        )
    return out.getvalue().encode()


def _send(demo: Demo, client_id: str, name: str, content: bytes, visibility: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    known = demo.owner.get(f"documents/v1/documents?client_id={client_id}")["items"]
    if any(d["name"] == name and d["status"] == "stored" for d in known):
        return
    body = {"client_id": client_id, "name": name, "visibility": visibility, "size": len(content), "sha256": digest}
    # Signed addresses live for a minute only, so a key kept from an earlier run would answer a dead one.
    key = f"upload:{client_id}:{name}:{base64.b32encode(hashlib.sha256(content).digest()).decode()[:8]}:{len(known)}"
    started: dict[str, Any] = demo.owner.post("documents/v1/uploads", body, key=key)
    target = started["targets"][0]
    demo.http.put(target["url"], content=content, headers=target["headers"]).raise_for_status()
    demo.owner.post(f"documents/v1/uploads/{started['id']}/complete", key=f"complete:{started['id']}")
