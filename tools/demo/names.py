"""Who is in the demo firm and whom it works for. None of these people and companies exists."""

from dataclasses import dataclass
from random import Random

FIRM = "Harbour & Finch"
DOMAIN = "harbour-finch.example"


@dataclass(frozen=True)
class Colleague:
    """A staff member of the demo firm."""

    name: str
    roles: tuple[str, ...]
    grade: str
    weekly_minutes: int = 2250

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{DOMAIN}"


OWNER = Colleague("Amelia Harbour", ("owner", "partner"), "partner")
STAFF = (
    Colleague("Theo Finch", ("partner",), "partner"),
    Colleague("Priya Nair", ("manager",), "manager"),
    Colleague("Marcus Webb", ("manager",), "manager"),
    Colleague("Sofia Lindqvist", ("staff",), "senior"),
    Colleague("Daniel Okafor", ("staff",), "senior"),
    Colleague("Hannah Brandt", ("staff",), "senior"),
    Colleague("Yuki Tanaka", ("staff",), "senior", 1800),
    Colleague("Liam Byrne", ("staff",), "junior"),
    Colleague("Chloe Martin", ("staff",), "junior"),
    Colleague("Ravi Desai", ("staff",), "junior"),
    Colleague("Grace Bell", ("billing",), "junior", 1350),
)

_PLACES = ("Marlow", "Thornbury", "Ashford", "Wexley", "Kelmarsh", "Oakhurst", "Brindley", "Calder", "Dunmore", "Elmstead", "Fairholt", "Greystone",
           "Hartwell", "Ingleby", "Langford", "Millbrook", "Norwood", "Penrose", "Quarry Lane", "Redmarley", "Stanhope", "Tilbrook", "Underhill", "Whitfield")  # fmt: skip
_TRADES = ("Pottery", "Joinery", "Bakery", "Dental Care", "Garden Design", "Brewing", "Textiles", "Software", "Cycles", "Veterinary", "Roofing", "Catering",
           "Interiors", "Logistics", "Optics", "Printworks", "Physiotherapy", "Consulting", "Farm Shop", "Architects")  # fmt: skip
_FIRST = ("Mina", "Oscar", "Elena", "Hugo", "Isla", "Noah", "Freya", "Arthur", "Leila", "Felix", "Rosa", "Ivan", "Nora", "Silas", "Tessa", "Emil", "Clara",
          "Jonas", "Ada", "Milo", "Ingrid", "Pablo", "Wren", "Stella")  # fmt: skip
_LAST = ("Ashdown", "Barlow", "Castellano", "Drummond", "Eriksen", "Falconer", "Grantham", "Hollis", "Iversen", "Jardine", "Kerrigan", "Lockhart", "Merriman",
         "Novak", "Osborne", "Pemberton", "Quigley", "Rutherford", "Sinclair", "Trevelyan", "Ullman", "Vance", "Whitlock", "Yardley")  # fmt: skip
STREETS = (
    "High Street",
    "Mill Lane",
    "Station Road",
    "Church Walk",
    "Market Place",
    "Kiln Lane",
    "Harbour View",
    "Orchard Way",
)


@dataclass(frozen=True)
class DemoClient:
    """A client of the demo firm and the person who speaks for it."""

    number: str
    name: str
    kind: str
    place: str
    contact: str
    practice: str  # accounting, law

    @property
    def contact_email(self) -> str:
        domain = "".join(c for c in self.name.lower() if c.isalnum())[:30]
        return f"{self.contact.split()[0].lower()}@{domain}.example"


def clients(count: int, random: Random) -> list[DemoClient]:
    """So many clients with names of their own: mostly companies, some people, one in eight a law client."""
    companies = [(f"{p} {t} Ltd", p) for p in _PLACES for t in _TRADES]
    random.shuffle(companies)
    people = [(f"{f} {s}", random.choice(_PLACES)) for f in _FIRST for s in _LAST]
    random.shuffle(people)
    found = []
    for n in range(count):
        person = n % 6 == 5
        name, place = (people if person else companies)[n % len(people if person else companies)]
        if n >= len(companies):
            name = f"{name} {n // len(companies) + 1}"
        contact = name if person else f"{random.choice(_FIRST)} {random.choice(_LAST)}"
        practice = "law" if n % 8 == 7 else "accounting"
        found.append(
            DemoClient(
                f"{name[:3].upper()}{n + 1:03}", name, "person" if person else "organisation", place, contact, practice
            )
        )
    return found
