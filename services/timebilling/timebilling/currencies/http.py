"""Operations on rates of exchange."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from chassis import paging
from chassis.http import Reply, created
from chassis.uow import Uow
from timebilling.currencies import usecases


def list_exchange_rates(
    uow: Uow, limit: int = 50, cursor: str | None = None, currency: str | None = None
) -> dict[str, Any]:
    after, values = paging.keyset(["day", "id"], cursor, descending=True, casts=["date", "uuid"])
    rows = uow.session.execute(
        text(
            "SELECT id, currency, day, rate FROM exchange_rates WHERE firm_id = :firm "
            f"AND (CAST(:currency AS text) IS NULL OR currency = :currency) {after} ORDER BY day DESC, id DESC LIMIT :limit"
        ),
        {"firm": uow.firm_id, "currency": currency, "limit": limit + 1, **values},
    ).all()
    return paging.page([usecases.view(r) for r in rows], limit, lambda r: (r["day"], r["id"]))


def set_exchange_rate(uow: Uow, body: dict[str, Any]) -> Reply:
    rate = usecases.set_rate(uow, body["currency"], date.fromisoformat(body["day"]), Decimal(body["rate"]))
    return created(usecases.view(rate), f"/exchange-rates/{rate.id}")
