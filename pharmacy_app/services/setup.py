"""Setting up: the site, the study from its protocol file, and the first accounts, in one event."""

from dataclasses import dataclass, field
from importlib import resources
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

from pharmacy_app.domain.dates import at_site
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.protocol import load_protocol
from pharmacy_app.services.accounts import AccountForm, fingerprint, read_account
from pharmacy_app.services.desk import Desk, Draft, append
from pharmacy_app.services.reading import Reading


@dataclass(frozen=True, slots=True)
class SiteForm:
    """The site as typed. ``places`` are the pharmacy's storage places, the first being the usual one."""

    name: str
    number: str
    time_zone: str
    pharmacy_phone: str
    principal_investigator: str
    protocol_number: str
    places: tuple[str, ...]
    demonstration: bool = False


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """One of the two first accounts, with the password its owner typed."""

    form: AccountForm
    password: str = field(repr=False)


def shipped_protocol_text(name: str = "ino-low-dose") -> str:
    """The text of a protocol file that ships with the app."""
    return resources.files("pharmacy_app.protocols").joinpath(f"{name}.toml").read_text("utf-8")


def open_site(
    desk: Desk,
    site: SiteForm,
    protocol_text: str,
    administrator: FirstAccount,
    pharmacist: FirstAccount,
    workstation: str,
) -> Event:
    """Write the first event of a new database. All faults of the form and the protocol file come at once."""
    reading = Reading()
    name = reading.text(site.name, "name", "The site's name", longest=80)
    number = reading.text(site.number, "number", "The site number", longest=20)
    phone = reading.text(site.pharmacy_phone, "pharmacy_phone", "The pharmacy's telephone number", longest=30)
    investigator = reading.text(
        site.principal_investigator, "principal_investigator", "The principal investigator's name", longest=60
    )
    protocol_number = reading.text(site.protocol_number, "protocol_number", "The protocol number", longest=30)
    if site.time_zone not in available_timezones():
        reading.fault("time_zone", f"“{site.time_zone}” is not a time zone. Choose one such as America/Chicago.")
    places = tuple(" ".join(place.split()) for place in site.places if place.strip())
    if not places:
        reading.fault("places", "Name at least one place where vials are kept, for example Refrigerator 1.")
    if len({place.lower() for place in places}) != len(places):
        reading.fault("places", "Two places have the same name.")
    first = read_account(
        reading, administrator.form, administrator.password, "A0001", prefix="administrator.", must_change=False
    )
    second = read_account(
        reading, pharmacist.form, pharmacist.password, "A0002", prefix="pharmacist.", must_change=False
    )
    if Role.ADMINISTRATOR not in first.roles:
        reading.fault("administrator.roles", "The first account must be an administrator.")
    if Role.PHARMACIST not in second.roles:
        reading.fault("pharmacist.roles", "The second account must be a pharmacist.")
    if first.user_name.casefold() == second.user_name.casefold():
        reading.fault("pharmacist.user_name", "Administrator and pharmacist need different user names.")
    if first.printed_name.casefold() == second.printed_name.casefold():
        reading.fault("pharmacist.printed_name", "Administrator and pharmacist are two different people.")
    protocol = reading.take(lambda: load_protocol(protocol_text), None)
    reading.done()
    assert protocol is not None
    accounts = []
    for account, password in ((first, administrator.password), (second, pharmacist.password)):
        encoded = desk.secrets.encode(password)
        accounts.append((account, encoded))
    with desk.store.write() as writer:
        if writer.site() is not None:
            raise Refused(Fault("", "This database has its study already. Close the guide and sign in."))
        for account, encoded in accounts:
            writer.put_credential(account.account_id, encoded)
        return append(
            writer,
            "site_opened",
            Draft(
                {
                    "site": {
                        "name": name,
                        "number": number,
                        "time_zone": site.time_zone,
                        "pharmacy_phone": phone,
                        "principal_investigator": investigator,
                        "protocol_number": protocol_number,
                        "places": places,
                        "demonstration": site.demonstration,
                    },
                    "study_title": protocol.study.title,
                    "protocol_version": protocol.version.label,
                    "protocol_sha256": protocol.sha256,
                    "protocol_text": protocol_text,
                    "accounts": [
                        {"account": account, "credential_sha256": fingerprint(encoded)} for account, encoded in accounts
                    ],
                }
            ),
            act_id=uuid4().hex,
            actor=(first.account_id, first.printed_name),
            workstation=workstation,
            now=at_site(desk.clock(), ZoneInfo(site.time_zone)),
        )
