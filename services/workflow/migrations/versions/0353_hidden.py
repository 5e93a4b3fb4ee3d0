"""The clients that whoever asks may not see, as one array: a function that answers a set costs a call for each of them."""

from alembic import op

from chassis.migrate import search_function

revision = "hidden_0353"
down_revision = "keeping_0131"


def upgrade() -> None:
    viewer = "nullif(current_setting('app.viewer', true), '')::uuid"
    # hidden_clients() stays: the release before this one asks it.
    search_function(
        op,
        "hidden_client_ids() RETURNS uuid[]",
        f"""SELECT coalesce(array_agg(id), '{{}}') FROM client_copy
            WHERE firm_id = nullif(current_setting('app.firm_id', true), '')::uuid
                AND visible_to IS NOT NULL AND {viewer} IS NOT NULL AND NOT {viewer} = ANY (visible_to)""",
    )
