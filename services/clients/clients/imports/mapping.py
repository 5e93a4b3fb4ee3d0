"""Which column means what: fields by what people call them, in several languages and in spite of typos. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# kind of table → field → what its column is called (besides the field's own name); order is the order of an export's columns.
FIELDS: dict[str, dict[str, str]] = {
    "custom_fields": {
        "key": "schluessel cle clave chiave",
        "label": "bezeichnung libelle etiqueta etichetta",
        "kind": "type art tipo soort",
        "choices": "options auswahl choix opciones scelte keuzes",
        "position": "reihenfolge ordre orden ordine",
        "active": "aktiv actif activo attivo actief",
    },
    "groups": {
        "id": "",
        "name": "group gruppe groupe grupo gruppo groep",
        "kind": "type art tipo soort",
        "note": "notiz remarque nota opmerking",
        "parent": "parent_group obergruppe",
    },
    "clients": {
        "id": "",
        "external_id": "externe_id external_ref externalid identifiant_externe foreign_id legacy_id import_id",
        "number": "client_number client_no client_ref client_code code reference mandantennummer mandanten_nr kundennummer kunden_nr "
        "numero numero_client no_client nummer klantnummer codice_cliente",
        "name": "client client_name company company_name firma firmenname mandant mandantenname kunde kundenname nom raison_sociale "
        "societe nombre razon_social nome ragione_sociale naam bedrijfsnaam full_name display_name",
        "other_names": "trading_name trading_names trading_as aka nom_commercial nombre_comercial handelsnaam weitere_namen",
        "former_names": "previous_names fruehere_namen anciens_noms",
        "kind": "client_type type entity_type art rechtsform typ tipo soort",
        "status": "client_status state zustand statut estado stato",
        "currency": "waehrung devise moneda valuta",
        "language": "sprache langue idioma lingua taal",
        "country": "land pays pais paese country_code",
        "year_end": "financial_year_end accounting_year_end fye jahresende abschlussstichtag geschaeftsjahresende cloture "
        "date_de_cloture cierre chiusura boekjaar_einde",
        "born_on": "date_of_birth birth_date birthday dob geburtsdatum geboren_am date_de_naissance fecha_de_nacimiento "
        "data_di_nascita geboortedatum",
        "line1": "address address1 address_1 address_line_1 street strasse adresse rue direccion calle indirizzo via adres straat",
        "line2": "address2 address_2 address_line_2 adresszusatz complement_adresse",
        "city": "town ort stadt ville ciudad citta plaats woonplaats",
        "region": "county state_province bundesland province provincia provincie",
        "postcode": "postal_code zip zip_code plz postleitzahl code_postal codigo_postal cap",
        "address_country": "country_of_address",
        "tags": "labels schlagworte stichworte etiquettes etiquetas",
        "partner": "responsible_partner partner_in_charge verantwortlicher_partner associe socio",
        "manager": "responsible_manager client_manager account_manager betreuer sachbearbeiter gestionnaire gestor responsable",
        "visible_to": "private_to sichtbar_fuer",
        "vat": "vat_number vat_no vat_id vat_registration_number gst_number ust_id ust_idnr ustid umsatzsteuer_id numero_tva tva "
        "tva_intracommunautaire nif_iva partita_iva btw_nummer btw",
        "income_tax": "utr tax_number tax_id tin ein ssn steuernummer steuer_nr steuer_id numero_fiscal nif codice_fiscale bsn fiscaal_nummer",
        "payroll": "paye paye_reference employer_reference betriebsnummer loonheffingennummer",
        "group": "client_group gruppe mandantengruppe groupe grupo gruppo groep",
        "bills_group": "billed_for_group",
    },
    "contacts": {
        "id": "",
        "external_id": "externe_id external_ref externalid identifiant_externe foreign_id legacy_id",
        "name": "contact contact_name full_name ansprechpartner kontakt nom nombre nome naam person",
        "former_names": "previous_names maiden_name geburtsname nom_de_naissance",
        "email": "e_mail mail email_address mailadresse courriel correo correo_electronico posta_elettronica",
        "phone": "telephone tel phone_number mobile telefon telefonnummer handy telefono telefoon",
        "language": "sprache langue idioma lingua taal",
        "active": "aktiv actif activo attivo actief",
        "portal_access": "portal portalzugang acces_portail",
        "client": "client_number client_name company acts_for mandant mandantennummer kunde kundennummer firma societe cliente klant",
        "roles": "role position funktion rolle fonction role_at_client cargo ruolo functie",
    },
    "relationships": {
        "client": "client_number from von de mandant",
        "kind": "relationship relation type art beziehung tipo",
        "other_client": "other_client_number to related_client related_to",
        "other_name": "related_name other_party andere_partei",
        "since": "from_date start seit depuis desde",
        "until": "to_date end bis jusqu_a hasta",
        "note": "notiz remarque nota opmerking",
    },
    "engagements": {
        "id": "",
        "external_id": "externe_id external_ref externalid identifiant_externe foreign_id legacy_id",
        "client": "client_number client_name company mandant mandantennummer kunde kundennummer societe cliente klant",
        "title": "engagement name matter engagement_title bezeichnung titel titre titulo titolo",
        "service": "service_line kind_of_work leistung dienstleistung prestation servicio servizio dienst",
        "status": "state zustand statut estado stato",
        "starts_on": "start start_date from begin beginn ab debut inicio inizio begindatum",
        "ends_on": "end end_date until to ende bis fin fine einddatum",
        "people": "team staff mitarbeiter equipe equipo",
        "fee": "fee_kind fee_type billing billing_type honorar honorarart honoraires honorarios onorario",
        "amount": "fee_amount price betrag montant importe importo bedrag",
        "currency": "fee_currency waehrung devise moneda valuta",
        "interval": "fee_interval billed_every abrechnung intervall intervalle intervalo intervallo",
        "description": "fee_description beschreibung descripcion descrizione omschrijving",
        "milestones": "fee_milestones stages meilensteine etappes hitos",
        "percent": "fee_percent share prozent pourcentage porcentaje percentuale",
        "close_reason": "reason_closed closed_because",
    },
    "notes": {
        "id": "",
        "client": "client_number client_name company mandant mandantennummer kunde kundennummer societe cliente klant",
        "text": "note notes notiz memo comment remarque nota opmerking",
        "pinned": "angeheftet epingle fijado",
        "mentions": "mentioned erwaehnt",
        "author": "written_by by verfasser auteur autor autore",
        "author_id": "",
        "written_at": "date written datum geschrieben_am created_at fecha data",
    },
}
REQUIRED = {
    "custom_fields": ("label", "kind"),
    "groups": ("name",),
    "clients": ("name",),
    "contacts": ("name",),
    "relationships": ("client", "kind"),
    "engagements": ("client", "title", "service", "starts_on", "fee"),
    "notes": ("client", "text"),
}
# What a table is called tells its kind before its columns do.
_TABLES = {
    "custom_fields": "custom_fields fields eigene_felder felder champs campos",
    "groups": "groups group gruppen groupes grupos gruppi groepen",
    "clients": "clients client mandanten kunden customers clienti clientes klanten",
    "contacts": "contacts contact kontakte ansprechpartner contactos contatti contactpersonen",
    "relationships": "relationships relations beziehungen relaciones relazioni relaties",
    "engagements": "engagements matters agreements auftraege mandate missions encargos incarichi opdrachten",
    "notes": "notes notizen remarques notas note opmerkingen",
}
CUSTOM = "custom."
_ALIKE = 0.84


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file and the field it seems to mean; `sure` only if it is called exactly so."""

    title: str
    field: str | None
    sure: bool


def plain(title: str) -> str:
    """A title as it is compared: "Straße / Nr." is "strasse nr"."""
    folded = title.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    folded = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")


def kind_of(table: str, titles: Sequence[str | None], custom: Mapping[str, str]) -> str:
    """The kind of a table: by its own name, else the one that knows most of its columns."""
    name = plain(table)
    for kind, names in _TABLES.items():
        if name in names.split():
            return kind
    known = {
        kind: sum(column.field is not None for column in suggested(kind, titles, custom))
        for kind in ("clients", "contacts", "engagements", "notes")
    }
    return max(known, key=lambda kind: known[kind])


def suggested(kind: str, titles: Sequence[str | None], custom: Mapping[str, str] = {}) -> list[Column]:
    """What each column seems to mean, each field at most once. `custom` are the firm's own fields: key → label."""
    names = _names(kind, custom)
    columns = [Column(title or "", names.get(plain(title or "")), sure=True) for title in titles]
    taken: set[str] = set()
    for place, column in enumerate(columns):
        if column.field in taken:
            columns[place] = Column(column.title, None, sure=False)
        elif column.field:
            taken.add(column.field)
    for place, column in enumerate(columns):
        if column.field is None:
            field = _alike(plain(column.title), names, taken)
            columns[place] = Column(column.title, field, sure=False)
            taken |= {field} if field else set()
    return columns


def _names(kind: str, custom: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for field, aliases in FIELDS[kind].items():
        for name in (field, *aliases.split()):
            names.setdefault(name, field)
    for key, label in custom.items() if kind == "clients" else ():
        for name in (plain(CUSTOM + key), key, plain(label)):
            names.setdefault(name, CUSTOM + key)
    return names


def _alike(title: str, names: Mapping[str, str], taken: Iterable[str]) -> str | None:
    best, likeness = None, _ALIKE
    for name, field in names.items():
        if field in taken or len(title) < 4 or abs(len(name) - len(title)) > 3:
            continue
        if (ratio := SequenceMatcher(None, title, name).ratio()) >= likeness:
            best, likeness = field, ratio
    return best
