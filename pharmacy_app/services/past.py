"""The record at any past moment: as known then, as known now, and what was entered later."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from pharmacy_app.domain.dates import at_site, say_moment
from pharmacy_app.domain.events import utc_text
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Moment, site_of, zone_of
from pharmacy_app.services.papers import PastPaper
from pharmacy_app.services.ports import PastFilter, Reader
from pharmacy_app.services.printing import Printed, Tell, print_record, record_lines, stamp_of, told
from pharmacy_app.services.reading import Reading


@dataclass(frozen=True, slots=True)
class Past:
    """What the record says of a moment.

    ``entered_later`` are the lines that count from before the moment but were recorded after it: late entries, and
    corrections of what came before. Where there are none, known then and known now are the same.
    """

    moment: datetime
    head: views.Head
    stock: tuple[views.PastStockLine, ...]
    entered_later: tuple[views.LedgerLine, ...]
    lots: tuple[tuple[Decimal, str], ...]

    @property
    def differs(self) -> bool:
        """Whether we say otherwise today than was known then."""
        return any(line.known_then != line.known_now for line in self.stock)


@dataclass(frozen=True, slots=True)
class PastForm:
    """The moment asked for, as typed at the site, and how the ledger is to be read ('then' or 'now')."""

    at: str
    known: str = "then"
    strength_mg: str = ""
    lot: str = ""


def read_past(desk: Desk, reader: Reader, form: PastForm) -> tuple[datetime, PastFilter]:
    """The moment of the form, to its last second, and the ledger's filter; refused when it lies ahead."""
    site = site_of(reader)
    now = at_site(desk.clock(), zone_of(site))
    reading = Reading()
    moment = reading.moment(form.at, "at", zone_of(site), now)
    if reading.was_read("at") and moment > now:
        reading.fault("at", f"{say_moment(moment)} is in the future. Choose a moment that has passed.")
    known = reading.choice(form.known, "known", "What was known", ("then", "now"))
    strengths = ("", *(show(each) for each in STRENGTHS_MG))
    strength = reading.choice(form.strength_mg, "strength_mg", "The strength", strengths)
    reading.done()
    # 10:15 is the whole minute: what was done at 10:15:40 is there.
    until = min(moment.replace(second=59, microsecond=999_999), now)
    return until, PastFilter(utc_text(until), known == "now", Decimal(strength) if strength else None, form.lot)


def past(desk: Desk, reader: Reader, form: PastForm) -> Past:
    """Stock at a past moment, as known then and as known now, and why the two differ."""
    moment, wanted = read_past(desk, reader, form)
    stock = tuple(reader.past_stock(wanted.utc))
    return Past(
        moment,
        reader.head_at(wanted.utc),
        stock,
        tuple(reader.entered_later(wanted.utc)),
        tuple(dict.fromkeys((line.strength_mg, line.lot) for line in stock)),
    )


def print_past(desk: Desk, act: Act, form: PastForm, tell: Tell | None = None) -> Printed:
    """Print stock and ledger of one past moment; ``form.known`` says which ledger.

    ``tell`` hears how far it is and may raise to stop it.
    """
    with desk.store.read() as reader:
        moment, _ = read_past(desk, reader, form)

    def make(reader: Reader, now: Moment, copy_number: int) -> bytes:
        _, wanted = read_past(desk, reader, form)
        found = past(desk, reader, form)
        count = reader.count_past_ledger(wanted)
        # Moves that are no transaction of the accountability record stand here under their own name.
        named = (
            replace(line, transaction=line.transaction or line.move.capitalize())
            for line in reader.whole_past_ledger(wanted)
        )
        lines = record_lines(reader, named, None if wanted.known_now else moment)
        return desk.papers.past_record(
            PastPaper(
                stamp=stamp_of(desk, reader, now.person.printed_name, now.now),
                copy_number=copy_number,
                moment=found.moment.astimezone(zone_of(now.site)),
                known=form.known,
                head_seq=found.head.seq,
                head_hash=found.head.hash,
                stock=found.stock,
                entered_later=found.entered_later,
                count=count,
                lines=told(lines, count, tell),
            )
        )

    return print_record(desk, act, "record at a past moment", past_name(moment, form), make)


def past_name(moment: datetime, form: PastForm) -> str:
    """What the paper is about, as its print is counted by."""
    strength = f", {form.strength_mg} mg" if form.strength_mg else ""
    lot = f", lot {form.lot}" if form.lot else ""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC, known {form.known}{strength}{lot}"
