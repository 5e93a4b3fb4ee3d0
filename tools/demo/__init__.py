"""The demo firm: one lively practice, made through the public APIs, the same on every machine on the same day."""

# Who a visitor may be; the password is the installation's own.
SIGN_INS = (
    "amelia@harbour-finch.example   owner and partner: everything",
    "priya@harbour-finch.example    manager: work, approval, billing",
    "sofia@harbour-finch.example    senior: her own week",
)
PORTAL_SIGN_IN = "ingrid@marlowarchitectsltd.example"
