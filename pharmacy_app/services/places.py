"""Places where vials are kept: refrigerators, quarantine shelves and satellites, added and closed (§ 8.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.places import KINDS, REFRIGERATOR, SATELLITE, may_lie
from pharmacy_app.domain.vials import Vial, numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform, zone_of
from pharmacy_app.services.ports import Reader, Writer
from pharmacy_app.services.reading import Reading

LONGEST_NAME = 40
"""The longest name of a place that labels, tables and forms have room for."""


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """A new place as typed; ``commercial_apart`` is 'yes' where no commercial stock is kept in it."""

    name: str
    kind: str
    room: str
    commercial_apart: str


def add_place(desk: Desk, act: Act, form: PlaceForm) -> Event:
    """Take a place into use; one that is shared with commercial product is refused (REGULATION A-22)."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        name = reading.text(form.name, "name", "The place's name", longest=LONGEST_NAME)
        kind = reading.choice(form.kind, "kind", "The kind of place", KINDS)
        room = reading.text(form.room, "room", "The unit or room", longest=60)
        same = next((place for place in writer.places() if place.name.casefold() == name.casefold()), None)
        if same is not None:
            reading.fault(
                "name",
                f"There is a place {same.name} already. Choose another name."
                if same.in_use
                else f"{same.name} was closed. Choose another name, so that nobody mixes the two up in the record.",
            )
        if form.commercial_apart != "yes":
            reading.fault(
                "commercial_apart",
                "Study vials are kept apart from commercial stock. Give them a place of their own, then confirm it"
                " here.",
                "R52",
                "8.2",
            )
        reading.done()
        return Draft({"place": name, "kind": kind, "room": room, "commercial_apart": form.commercial_apart})

    return perform(desk, act, "place_added", form, build)


@dataclass(frozen=True, slots=True)
class ClosePlaceForm:
    """A place that is no longer used, and why."""

    name: str
    why: str


def close_place(desk: Desk, act: Act, form: ClosePlaceForm) -> Event:
    """Close a place for good; refused while vials or containers lie there, and for the last refrigerator."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        why = reading.text(form.why, "why", "The reason", longest=200)
        places = writer.places()
        place = next((place for place in places if place.name == form.name), None)
        if place is None:
            reading.fault("name", f"There is no place {form.name}.")
        elif place.closed_at is not None:
            closed_on = say_day(place.closed_at.astimezone(zone_of(moment.site)))
            reading.fault("name", f"{place.name} was closed on {closed_on} by {place.closed_by}.")
        elif place.vials:
            many = "1 vial or container lies" if place.vials == 1 else f"{place.vials} vials or containers lie"
            reading.fault("name", f"{many} in {place.name}. Move them to another place first.", "R55", "8.2")
        elif place.kind == REFRIGERATOR and not any(
            other.in_use and other.kind == REFRIGERATOR for other in places if other.name != place.name
        ):
            reading.fault("name", f"{place.name} is the last refrigerator in use. Add another one first.")
        reading.done()
        return Draft({"place": form.name}, why=why)

    return perform(desk, act, "place_closed", form, build)


def place_of(reader: Reader, name: str) -> views.Place | None:
    """A place by its name, in use or closed."""
    return next((place for place in reader.places() if place.name == name), None)


def numbered_places(places: Sequence[views.Place]) -> dict[str, views.Place]:
    """Every place by the number on its label: ``P``, and its order of being added; a closed place keeps its own."""
    return {numbered("P", count): place for count, place in enumerate(places, start=1)}


def not_there_yet(reader: Reader, name: str, done_at: datetime | None, field: str, moment: Moment) -> list[Fault]:
    """Refuse what is dated before its place was added; the places that the study opened with were there before.

    ``done_at`` is ``None`` for now; a typed time has whole minutes.
    """
    places = reader.places()
    place = next((each for each in places if each.name == name), None)
    first_seq = min((each.added_seq for each in places), default=0)
    if done_at is None or place is None or place.added_seq == first_seq:
        return []
    added_at = place.added_at.astimezone(zone_of(moment.site))
    if done_at >= added_at.replace(second=0, microsecond=0):
        return []
    return [
        Fault(
            field,
            f"{name} was added to the study on {say_moment(added_at)}: nothing of it lay there before. Choose the"
            " place where it lay then, or type the time at which it came to this one.",
            "R55",
            "8.2",
        )
    ]


def satellites(places: Sequence[views.Place]) -> frozenset[str]:
    """The names of those places that have a record of their own."""
    return frozenset(place.name for place in places if place.kind == SATELLITE)


def shelf_faults(reader: Reader, vials: Sequence[Vial], to_state: str) -> list[Fault]:
    """Why vials that would be of this state cannot stay where they lie: usable ones never lie on a quarantine shelf."""
    kinds = {place.name: place.kind for place in reader.places()}
    return [
        Fault(
            "unit_numbers",
            f"Vial {vial.unit_number} lies on {vial.place}, a quarantine shelf. Move it to a refrigerator first, then"
            f" make it {to_state}.",
            "R54",
            "8.2",
        )
        for vial in vials
        if vial.place in kinds and not may_lie(to_state, kinds[vial.place])
    ]
