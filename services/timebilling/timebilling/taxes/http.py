"""Operations on tax codes."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select, tuple_

from chassis import paging
from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.taxes import usecases
from timebilling.taxes.tables import TaxCode


def list_tax_codes(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    wanted = select(TaxCode).order_by(TaxCode.code, TaxCode.id).limit(limit + 1)
    if cursor is not None:
        wanted = wanted.where(tuple_(TaxCode.code, TaxCode.id) > tuple(paging.decode_cursor(cursor, 2)))
    return paging.page(usecases.views(uow, uow.session.scalars(wanted)), limit, lambda v: (v["code"], v["id"]))


def create_tax_code(uow: Uow, body: dict[str, Any]) -> Reply:
    code = usecases.create(uow, body)
    return created(usecases.views(uow, [code])[0], f"/tax-codes/{code.id}")


def set_tax_rate(uow: Uow, tax_code_id: str, body: dict[str, Any]) -> Reply:
    code = usecases.set_rate(uow, tax_code_id, Decimal(body["percent"]), date.fromisoformat(body["from"]))
    return created(usecases.views(uow, [code])[0], f"/tax-codes/{code.id}")
