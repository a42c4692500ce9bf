"""Amendments: a further version of the protocol, read from its file, looked at, and signed by two people.

The version it follows stays: what was decided or done before the day on which the amendment comes into force is
judged by the old numbers, what falls on that day or later by the new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pharmacy_app.domain.amendments import Difference, differences
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Role
from pharmacy_app.domain.protocol import Protocol, load_protocol
from pharmacy_app.services import views
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Desk,
    Draft,
    Moment,
    Signing,
    perform,
    protocol_in,
    site_of,
    today_of,
)
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.printing import WORKSHEET_TEXTS
from pharmacy_app.services.questions import OPEN
from pharmacy_app.services.reading import Reading


@dataclass(frozen=True, slots=True)
class AmendmentForm:
    """The protocol file as amended, whole, and the document it was read from (amendment, date, approval)."""

    toml_text: str
    source: str


@dataclass(frozen=True, slots=True)
class Touched:
    """A subject whom an amendment touches, and each reason in a sentence."""

    subject_number: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """What signing an amendment would change: which version follows which, from when on, in what, and for whom."""

    label: str
    sha256: str
    effective_on: date
    follows: str
    differences: tuple[Difference, ...]
    touched: tuple[Touched, ...]


def preview_amendment(desk: Desk, reader: Reader, toml_text: str) -> Amendment:
    """What the file in ``toml_text`` would change, recorded nowhere; raises ``Refused`` with every fault of it."""
    reading = Reading()
    site = site_of(reader)
    protocol = _read(reading, site, toml_text, today_of(desk, reader))
    reading.done()
    assert protocol is not None
    return _amendment(reader, site, protocol)


def amend_protocol(desk: Desk, act: Act, form: AmendmentForm, first: Credentials, second: Credentials) -> Event:
    """Sign an amendment: two people, one of them a pharmacist. It is in force from its effective date on.

    Refused are a file with faults (all at once), one that is there already, a label that is taken, and an effective
    date that is missing, has passed, or lies before the last version's. A file in which nothing but the version
    differs is taken: the papers must name the version in force.
    """

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        protocol = _read(reading, moment.site, form.toml_text, moment.today)
        source = reading.text(
            form.source, "source", "The document the amendment was read from (name, date, approval)", longest=200
        )
        one, two = moment.signers
        if one.account_id != moment.person.account_id:
            reading.fault("user_name", "The first signature is yours: sign with the account you are signed in with.")
        if one.account_id == two.account_id:
            reading.fault("second_password", "The second signature must be another person's.")
        if Role.PHARMACIST not in (*one.roles, *two.roles):
            reading.fault("second_password", "One of the two signatures must be a pharmacist's.")
        reading.done()
        assert protocol is not None
        amendment = _amendment(writer, moment.site, protocol)
        return Draft(
            {
                "label": amendment.label,
                "sha256": amendment.sha256,
                "effective_on": amendment.effective_on,
                "text": form.toml_text,
                "source": source,
                "follows": amendment.follows,
                "differences": amendment.differences,
                "touched": amendment.touched,
            }
        )

    return perform(
        desk,
        act,
        "protocol_amended",
        form,
        build,
        (
            Signing(first, "entered from the named amendment", "password"),
            Signing(second, "compared with the named amendment", "second_password"),
        ),
    )


def _read(reading: Reading, site: views.Site, toml_text: str, today: date) -> Protocol | None:
    """The protocol in the file, or ``None`` with its faults kept; what follows of its version is checked as well."""
    protocol = reading.take(lambda: load_protocol(toml_text), None)
    if protocol is None:
        return None
    same = next((old for old in site.versions if not differences(protocol_in(old), protocol)), None)
    if same is not None:
        reading.fault("", f"Nothing in this file differs from version “{same.label}”, which is there already.")
    elif protocol.version.label.casefold() in {old.label.casefold() for old in site.versions}:
        reading.fault(
            "version.label",
            f"There is a version “{protocol.version.label}” already, with other content. Give this one its own label.",
        )
    for key in WORKSHEET_TEXTS:
        if key not in {text.key for text in protocol.texts}:
            reading.fault(
                f"texts[{key}]", f"The sentence “{key}” is printed on every worksheet, but is not in the file. Add it."
            )
    last, effective_on = site.versions[-1], protocol.version.effective_on
    if effective_on is None:
        reading.fault(
            "version.effective_on",
            "version.effective_on is missing. Add the day from which the amendment applies, for example"
            " effective_on = 2026-11-22.",
        )
    elif effective_on < last.effective_on:
        reading.fault(
            "version.effective_on",
            f"The amendment would apply from {say_day(effective_on)}, before version “{last.label}”"
            f" ({say_day(last.effective_on)}), which it follows.",
        )
    elif effective_on < today:
        reading.fault(
            "version.effective_on",
            f"{say_day(effective_on)} has passed. What was done since was decided by the old version: an amendment"
            " applies from today at the earliest.",
        )
    return protocol


def _amendment(reader: Reader, site: views.Site, protocol: Protocol) -> Amendment:
    last, effective_on = site.versions[-1], protocol.version.effective_on
    assert effective_on is not None
    before = protocol_in(last)
    return Amendment(
        protocol.version.label,
        protocol.sha256,
        effective_on,
        last.label,
        differences(before, protocol),
        tuple(_touched(reader, before, protocol, effective_on)),
    )


def _touched(reader: Reader, before: Protocol, after: Protocol, effective_on: date) -> Iterator[Touched]:
    doses: dict[str, list[views.DoseLine]] = {}
    for dose in reader.doses():
        if dose.status != "cancelled":
            doses.setdefault(dose.subject_number, []).append(dose)
    for number in sorted(doses):
        last = max(doses[number], key=lambda dose: (dose.course, dose.cycle, dose.day, dose.dose_id))
        why = [_open(dose) for dose in doses[number] if dose.status in OPEN and dose.planned_on >= effective_on]
        if last.status in OPEN or _goes_on(last, before) or _goes_on(last, after):
            when = f"given on {say_day(last.given_on)}" if last.given_on else f"planned for {say_day(last.planned_on)}"
            why.insert(
                0, f"Course {last.course} is under way: its last dose is cycle {last.cycle} day {last.day}, {when}."
            )
        if why:
            yield Touched(number, tuple(why))


def _goes_on(last: views.DoseLine, protocol: Protocol) -> bool:
    """Whether the protocol has a further dose after this one in its course; that a course was ended is not asked."""
    cycles = protocol.regimen.max_cycles if last.course == 1 else protocol.retreatment.max_cycles
    cycle = protocol.regimen.cycle_doses(last.cycle, last.level)
    return last.cycle < cycles or any(day > last.day for day in (cycle.days if cycle else ()))


def _open(dose: views.DoseLine) -> str:
    what = (
        f"Dose {dose.dose_id} (course {dose.course}, cycle {dose.cycle}, day {dose.day}) is {dose.status} for"
        f" {say_day(dose.planned_on)}"
    )
    if dose.status == "ordered":
        return f"{what}: it will be decided by this version."
    if dose.status in ("stopped", "decided"):
        return f"{what}: it must be decided again."
    if dose.status == "released":
        return f"{what}: what is given is compared by this version."
    return f"{what}: it must be cancelled and ordered again."
