"""The bound of `clients`: the same page of clients by raw SQL behind Flask. No token, no row-level security, no specification."""

from typing import Any

from flask import jsonify, request

from bench.bound_flask import Server, _pool, app

_PAGE = """
    SELECT c.id::text, c.number, c.name, c.kind, c.status, c.currency, c.language, c.country, c.year_end, c.address, c.tags,
           c.other_names, c.former_names, c.custom, c.external_id, c.created_at::text, c.updated_at::text, c.version,
           c.sort_name, partner.name, manager.name,
           (SELECT jsonb_object_agg(t.scheme, t.shown) FROM tax_numbers t WHERE t.firm_id = c.firm_id AND t.client_id = c.id),
           (SELECT count(*) FROM engagements e WHERE e.firm_id = c.firm_id AND e.client_id = c.id AND e.status = 'open'),
           (SELECT jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'email', k.email, 'role', r.role))
            FROM contact_roles r JOIN contacts k ON k.firm_id = r.firm_id AND k.id = r.contact_id
            WHERE r.firm_id = c.firm_id AND r.client_id = c.id)
    FROM clients c
    LEFT JOIN staff_copy partner ON partner.firm_id = c.firm_id AND partner.id = c.partner_id
    LEFT JOIN staff_copy manager ON manager.firm_id = c.firm_id AND manager.id = c.manager_id
    WHERE c.firm_id = %(firm)s AND (c.sort_name, c.id) > (%(name)s, %(id)s)
    ORDER BY c.sort_name, c.id LIMIT %(rows)s"""
_NAMES = (
    "id number name kind status currency language country year_end address tags other_names former_names custom external_id "
    "created_at updated_at version sort_name partner manager tax_numbers open_engagements contacts"
)


@app.get("/clients")
def list_clients() -> Any:
    limit = int(request.args["limit"])
    values = {
        "firm": request.args["firm"],
        "name": request.args.get("name", ""),
        "id": request.args.get("id", "00000000-0000-0000-0000-000000000000"),
        "rows": limit + 1,
    }
    names = _NAMES.split()
    with _pool().connection() as connection:
        rows = connection.execute(_PAGE, values).fetchall()
    return jsonify(
        items=[dict(zip(names, row, strict=True)) for row in rows[:limit]],
        more=len(rows) > limit,
    )


if __name__ == "__main__":
    Server().run()
