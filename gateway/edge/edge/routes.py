"""What the edge knows about paths. The template turns these lists into Envoy's routes and rules."""

from typing import NamedTuple

# Each serves /api/<service>/v1 itself; the edge rewrites nothing.
SERVICES = ("clients", "workflow", "timebilling", "documents", "portal", "identity")


class Operation(NamedTuple):
    """A set of requests: methods joined by `|`, and a regular expression for the whole path without its query."""

    methods: str
    path: str


# Everything else under /api needs a valid token before a service hears of it. The service checks again.
PUBLIC_OPERATIONS = (
    Operation("GET|HEAD", r"/api/[a-z]+/v1/openapi\.json"),
    Operation("GET|HEAD", r"/api/identity/v1/jwks"),
    Operation("GET|POST", r"/api/identity/v1/setup"),
    Operation("POST", r"/api/identity/v1/invitations/(look-up|accept)"),
    Operation("POST", r"/api/identity/v1/sessions(/refresh)?"),
    Operation("DELETE", r"/api/identity/v1/sessions/current"),
    Operation("POST", r"/api/identity/v1/password-resets(/complete)?"),
    Operation("POST", r"/api/identity/v1/oauth/token"),
    # Signed by the card provider; timebilling checks it.
    Operation("POST", r"/api/timebilling/v1/card-payments/stripe/events"),
    # Calendar programs can't sign in: the secret in the address permits it; workflow checks it.
    Operation("GET|HEAD", r"/api/workflow/v1/calendar-feeds/[A-Za-z0-9_-]+"),
)

# Where somebody could try passwords, secrets or codes one after the other: a tighter limit per address.
GUESSED_AT = (
    Operation("POST", r"/api/identity/v1/(sessions|setup)"),
    Operation("POST", r"/api/identity/v1/(invitations/.*|password-resets(/.*)?)"),
    Operation("POST", r"/api/identity/v1/oauth/token"),
    Operation("POST", r"/portal/sign-in(/.*)?"),
)
