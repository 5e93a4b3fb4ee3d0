"""Reading and setting how a client is billed."""

from typing import Any
from uuid import UUID

from chassis.uow import Uow, lost_update
from timebilling.client_terms.tables import ClientTerms
from timebilling.copies.usecases import client
from timebilling.taxes.tables import TaxCode

_FIELDS = ("payment_terms_days", "tax_inclusive", "legal_name", "vat_id", "buyer_reference", "electronic_address")


def load(uow: Uow, client_id: UUID) -> ClientTerms:
    """The client's terms; without any, those of the firm count (version 0)."""
    return uow.session.get(ClientTerms, (uow.firm_id, client_id)) or ClientTerms(
        id=client_id, tax_inclusive=False, legal_name="", vat_id="", buyer_reference="", version=0
    )


def change(uow: Uow, client_id: UUID, body: dict[str, Any], if_match: int | None) -> ClientTerms:
    """Errors: `client_not_found`, `tax_code_not_found` (404), `version_conflict` (412)."""
    client(uow, client_id)
    stored = uow.session.get(ClientTerms, (uow.firm_id, client_id), with_for_update=True, populate_existing=True)
    terms = stored or load(uow, client_id)
    if if_match is not None and if_match != terms.version:
        raise lost_update(terms.version)
    before = view(terms)
    for name in _FIELDS:
        setattr(terms, name, body.get(name, getattr(terms, name)))
    if "tax_code_id" in body:
        code = body["tax_code_id"]
        terms.tax_code_id = None if code is None else uow.get(TaxCode, code).id
    if stored is None:
        terms.version = None  # counted from the first writing on
        uow.session.add(terms)
    uow.session.flush()
    uow.audit("client_terms.changed", "client", client_id, before=before, after=view(terms))
    return terms


def view(terms: ClientTerms) -> dict[str, Any]:
    names = (*_FIELDS, "tax_code_id", "version")
    return {"client_id": terms.id} | {n: getattr(terms, n) for n in names}
