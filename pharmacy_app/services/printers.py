"""The printers of the site, as settings on record: where a label goes, on which stock, and in which words.

A printer is never needed to see a label: without one the usual setup holds. What a printer is set to is proved by
making its ruler label before it is recorded, so that a stock, size, region or language nobody has is refused here.
"""

from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.units import parse_decimal
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform
from pharmacy_app.services.papers import Label, LabelSetup
from pharmacy_app.services.ports import RAW_PORT, Reader, Writer
from pharmacy_app.services.reading import Reading

LABEL_KINDS = (
    "vial",
    "opened vial",
    "bag",
    "syringe",
    "quarantine",
    "hold for monitor",
    "return box",
    "destruction container",
    "place",
    "ruler",
)
"""Every kind of label that is asked for; the light cover's goes with the bag's."""
OUTLETS = ("system", "tcp", "file")
LANGUAGES = ("pdf", "zpl")
LARGEST_OFFSET_MM = Decimal(20)


@dataclass(frozen=True, slots=True)
class PrinterForm:
    """A printer's settings as typed. ``stocks`` are pairs of a kind of label and a stock ('' is the usual one).

    ``languages`` are the labels' languages in their order, separated by blanks or commas. ``native_codes`` 'yes' lets a
    ZPL printer draw the codes. ``contact_…`` is the main contact that labels of the European Union name. ``in_use``
    'no' keeps the printer on record and prints nothing more on it.
    """

    name: str
    outlet: str
    target: str
    language: str = "pdf"
    dpi: str = "203"
    stocks: tuple[tuple[str, str], ...] = ()
    width_mm: str = ""
    height_mm: str = ""
    offset_x_mm: str = "0"
    offset_y_mm: str = "0"
    region: str = "us"
    languages: str = "en"
    block: str = ""
    native_codes: str = "no"
    contact_name: str = ""
    contact_address: str = ""
    contact_phone: str = ""
    default_for: tuple[str, ...] = ()
    in_use: str = "yes"
    why: str = ""


def set_printer(desk: Desk, act: Act, form: PrinterForm) -> Event:
    """Set a printer, new or known by its name; the newest setting counts, and takes its kinds from other printers."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        entry = _read(reading, form)
        why = reading.note(form.why, "why", "The reason", longest=300)
        reading.done()
        known = printer_named(writer, entry.name)
        if known is not None and known.entry.name != entry.name:
            reading.fault("name", f"There is a printer {known.entry.name} already. Choose it, or another name.")
            reading.done()
        number = known.number if known is not None else numbered("R", writer.counter("printer") + 1)
        if entry.in_use:
            _prove(desk, entry, number)
        content = {"printer": entry, "number": number, "new": known is None}
        return Draft({**content, "replaces": known.entry if known is not None else None}, why=why)

    return perform(desk, act, "printer_set", form, build)


def _read(reading: Reading, form: PrinterForm) -> views.PrinterEntry:
    outlet = reading.choice(form.outlet, "outlet", "Where the labels go", OUTLETS)
    language = reading.choice(form.language, "language", "What the printer reads", LANGUAGES)
    for kind, _stock in form.stocks:
        if kind not in LABEL_KINDS:
            reading.fault("stocks", f"There is no label of the kind “{kind}”.")
    for kind in form.default_for:
        if kind not in LABEL_KINDS:
            reading.fault("default_for", f"There is no label of the kind “{kind}”.")
    if outlet == "tcp" and language == "pdf":
        reading.fault(
            "language", "A network port takes ZPL. Choose ZPL, or print PDF through the system's printer or to a file."
        )
    region = reading.text(form.region, "region", "The region", longest=20)
    contact = tuple(
        reading.note(getattr(form, f"contact_{part}"), f"contact_{part}", f"The contact's {part}", longest=120)
        for part in ("name", "address", "phone")
    )
    return views.PrinterEntry(
        name=reading.text(form.name, "name", "The printer's name", longest=40),
        outlet=outlet,
        target=_target(reading, outlet, form.target),
        language=language,
        dpi=reading.count(form.dpi, "dpi", "The printer's dots an inch", low=150, high=1200),
        stocks=tuple((kind, stock.strip()) for kind, stock in form.stocks if stock.strip()),
        width_mm=_size(reading, form.width_mm, "width_mm", "The label's width"),
        height_mm=_size(reading, form.height_mm, "height_mm", "The label's height"),
        offset_x_mm=_offset(reading, form.offset_x_mm, "offset_x_mm"),
        offset_y_mm=_offset(reading, form.offset_y_mm, "offset_y_mm"),
        region=region,
        languages=tuple(form.languages.replace(",", " ").lower().split()),
        block=form.block.strip(),
        native_codes=_yes(reading, form.native_codes, "native_codes", "Codes drawn by the printer"),
        contact_name=contact[0],
        contact_address=contact[1],
        contact_phone=contact[2],
        default_for=tuple(dict.fromkeys(form.default_for)),
        in_use=_yes(reading, form.in_use, "in_use", "Whether the printer is used"),
    )


def _yes(reading: Reading, typed: str, field: str, name: str) -> bool:
    return reading.choice(typed, field, name, ("yes", "no")) == "yes"


def _target(reading: Reading, outlet: str, typed: str) -> str:
    if outlet == "tcp":
        text = reading.text(typed, "target", "The printer's address", longest=260)
        host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", str(RAW_PORT))
        if not host or " " in host or not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            reading.fault(
                "target",
                f"“{text}” is no printer's address. Type its name or number in the network, as 10.20.30.40 or"
                f" 10.20.30.40:{RAW_PORT}.",
            )
        return f"{host}:{port}"
    words = "The queue's name" if outlet == "system" else "The folder for the files"
    return reading.text(typed, "target", words, longest=260)


def _size(reading: Reading, typed: str, field: str, name: str) -> Decimal | None:
    return reading.decimal(typed, field, name, "mm") if typed.strip() else None


def _offset(reading: Reading, typed: str, field: str) -> Decimal:
    """An offset in mm, to the left or up with a minus, as read off the ruler label."""
    text = typed.strip() or "0"
    below = text.startswith(("-", "−"))
    amount = text[1:] if below else text
    offset = reading.take(
        lambda: parse_decimal(amount, field=field, name="The offset", unit="mm", zero_allowed=True), Decimal(0)
    )
    if offset > LARGEST_OFFSET_MM:
        reading.fault(
            field,
            f"An offset of {text} mm is more than {LARGEST_OFFSET_MM} mm: the stock is laid in otherwise than this"
            " printer thinks. Set that first.",
        )
    return -offset if below else offset


def _prove(desk: Desk, entry: views.PrinterEntry, number: str) -> None:
    """Make the ruler label as the printer would; a fault of a kind's stock is told beside that kind."""
    stocks = {("", ""), *entry.stocks} if not entry.stocks or entry.width_mm else set(entry.stocks)
    for kind, stock in sorted(stocks):
        label = Label("ruler", number, {"printer_name": entry.name})
        setup = setup_with(entry, "ruler", stock=stock)
        try:
            (desk.papers.zpl if entry.language == "zpl" else desk.papers.labels)([label], setup)
        except Refused as refused:
            raise Refused(
                *(
                    Fault(f"stocks.{kind}" if fault.field == "stock" and kind else fault.field, fault.sentence)
                    for fault in refused.faults
                )
            ) from refused


def setup_with(entry: views.PrinterEntry, kind: str, *, stock: str = "", start_at: int = 1) -> LabelSetup:
    """How labels of a kind come out of a printer; an own size goes before a stock."""
    own = entry.width_mm is not None or entry.height_mm is not None
    return LabelSetup(
        dpi=entry.dpi,
        stock="" if own else stock or dict(entry.stocks).get(kind, ""),
        width_mm=entry.width_mm,
        height_mm=entry.height_mm,
        start_at=start_at,
        offset_x_mm=entry.offset_x_mm,
        offset_y_mm=entry.offset_y_mm,
        region=entry.region,
        languages=entry.languages,
        block=entry.block,
        native_codes=entry.native_codes,
    )


def printer_named(reader: Reader, name: str) -> views.Printer | None:
    """A printer by its name, in whatever capitals."""
    wanted = " ".join(name.split()).casefold()
    return next((each for each in reader.printers() if each.entry.name.casefold() == wanted), None)


def printer_for(reader: Reader, kind: str, name: str = "") -> views.Printer | None:
    """The named printer, or the default one of a kind of label; ``None`` where there is none: the usual setup holds.

    Raises ``Refused`` for a name nobody set, or a printer that is out of use.
    """
    if name:
        found = printer_named(reader, name)
        if found is None:
            raise Refused(Fault("printer", f"There is no printer {name}. Choose one of the list."))
        if not found.entry.in_use:
            raise Refused(Fault("printer", f"{found.entry.name} is out of use. Choose another printer."))
        return found
    return next((each for each in reader.printers() if kind in each.default_for), None)
