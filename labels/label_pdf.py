"""The vial label and the bag label, drawn: each field in its place, every fault named at once."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from labels import text
from labels.codes import Symbol, code128, data_matrix, gs1_data_matrix, own_number_faults
from labels.geometry import BAG, VIAL, Dots, Stock
from labels.sheet import Sheet
from pharmacy_app.domain.errors import Fault, refuse_any
from pharmacy_app.services.papers import CAUTION, DEMONSTRATION, BagLabel, VialLabel

LIGHT_WORDS = "PROTECT FROM LIGHT"
_BAG_PLACES = ("LABEL 1 of 2 – on the bag", "LABEL 2 of 2 – outside the light cover")


def reprint_words(copy_number: int) -> str:
    """``REPRINT 1`` for the second copy, '' for the first (REGULATION E-13)."""
    if copy_number < 1:
        raise ValueError("copies are counted from 1")
    return f"REPRINT {copy_number - 1}" if copy_number > 1 else ""


def new_canvas(stock: Stock, title: str) -> tuple[Any, BytesIO]:
    """A canvas that writes the same bytes for the same content."""
    text.load_fonts()
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file, pagesize=(stock.width_pt, stock.height_pt), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("")
    canvas.setSubject("")
    canvas.setCreator("pharmacy-app")
    return canvas, file


def vial_labels(labels: Sequence[VialLabel], dots: Dots) -> bytes:
    """One page a vial."""
    refuse_any([] if labels else [Fault("labels", "No vial was chosen. Choose at least one vial to print labels for.")])
    refuse_any([fault for label in labels for fault in _vial_faults(label)])
    canvas, file = new_canvas(VIAL, "Vial labels")
    faults: list[Fault] = []
    for label in labels:
        sheet = Sheet(canvas, VIAL, dots)
        _vial(sheet, label)
        faults += sheet.faults
        canvas.showPage()
    refuse_any(faults)
    canvas.save()
    return file.getvalue()


def bag_labels(label: BagLabel, dots: Dots) -> bytes:
    """Two pages: on the bag, and outside the light cover that hides the first."""
    refuse_any(_bag_faults(label))
    canvas, file = new_canvas(BAG, f"Bag labels {label.dose_id}")
    for place in _BAG_PLACES:
        sheet = Sheet(canvas, BAG, dots)
        _bag(sheet, label, place)
        refuse_any(sheet.faults)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _drug_name_faults(product: str) -> list[Fault]:
    if product and product == product.lower():
        return []
    return [Fault("product", f"The generic name “{product}” is written in lower case and in full on a label.")]


def _light_faults(light: str) -> list[Fault]:
    if LIGHT_WORDS in light:
        return []
    words = f"The light statement must carry the words {LIGHT_WORDS}; it says “{light}”."
    return [Fault("light", words, rule="R53", section="8.2")]


def _notation(**words: str) -> list[Fault]:
    return [fault for field, value in words.items() for fault in text.notation_faults(field, value)]


def _blank(label: VialLabel | BagLabel, *fields: str) -> list[Fault]:
    return [
        Fault(field, f"The {field} is blank. A label is printed complete or not at all; fill it in.")
        for field in fields
        if not str(getattr(label, field)).strip()
    ]


def _vial_faults(label: VialLabel) -> list[Fault]:
    return [
        *_blank(label, "product", "lot", "protocol_name", "site_number", "storage", "light"),
        *own_number_faults("unit_number", label.unit_number),
        *_drug_name_faults(label.product),
        *_light_faults(label.light),
        *_notation(product=label.product, storage=label.storage, light=label.light),
        *_positive("strength_mg", label.strength_mg, text.amount),
    ]


def _positive(field: str, value: Decimal, written: Callable[[Decimal], str]) -> list[Fault]:
    name = field.replace("_", " ")
    if not value.is_finite() or value <= 0 or written(value) == "0":
        return [Fault(field, f"The {name} on a label is more than 0; it says {value}.")]
    return []


def _bag_faults(label: BagLabel) -> list[Fault]:
    faults = [
        *_blank(label, "subject_number", "diluent", "route", "rate_or_duration", "prepared_by", "verified_by"),
        *_blank(label, "protocol_name", "site_name", "pharmacy_phone", "storage", "light", "hazard"),
        *own_number_faults("dose_id", label.dose_id),
        *_drug_name_faults(label.product),
        *_light_faults(label.light),
        *_notation(product=label.product, diluent=label.diluent, route=label.route, storage=label.storage),
        *_notation(rate_or_duration=label.rate_or_duration, light=label.light, hazard=label.hazard),
        *_positive("dose_mg", label.dose_mg, text.mg),
        *_positive("total_volume_ml", label.total_volume_ml, text.ml),
        *_positive("final_mg_per_ml", label.final_mg_per_ml, text.mg_per_ml),
    ]
    if not label.prepared_at <= label.start_by <= label.beyond_use_at:
        faults.append(
            Fault("beyond_use_at", "Preparation, latest start and beyond-use time are out of order. Check the times.")
        )
    if label.prepared_by.strip() == label.verified_by.strip():
        faults.append(Fault("verified_by", "The checker is the same person as the preparer. Ask a second person."))
    return faults


def matrix_module(dots: Dots, smallest_in: float) -> int:
    """Whole dots of a DataMatrix module, at least ``smallest_in`` inch wide."""
    return max(2, dots.up(smallest_in * 72))


def bar_module(dots: Dots, smallest_in: float = 0.0067) -> int:
    """Whole dots of a Code 128 module: the first at 0.17 mm or more, and 2 at least (REGULATION B-06, B-09)."""
    return max(2, dots.up(smallest_in * 72))


def _vial(sheet: Sheet, label: VialLabel) -> None:
    left, right = 7.0, 155.0
    room = right - left
    line = sheet.line
    site = f"Site {label.site_number}"
    edge = line("site_number", site, x=right, y=10.5, room=50, font=text.SEMI, size=6.5, align="right") - 4
    words = f"Investigational – protocol {label.protocol_name}"
    line("protocol_name", words, x=left, y=10.5, room=edge - left, font=text.SEMI, size=6.5)

    strength = f"{text.amount(label.strength_mg)} mg"
    edge = line("strength_mg", strength, x=right, y=23, room=40, font=text.BOLD, size=13, align="right") - 4
    line("product", label.product, x=left, y=23, room=edge - left, font=text.BOLD, size=11, smallest=8)

    expiry = f"Exp {text.day(label.expires_on)}"
    edge = line("expires_on", expiry, x=right, y=33, room=70, font=text.SEMI, size=8, align="right") - 6
    end = line("lot", "Lot", x=left, y=33, room=20, font=text.SEMI, size=8)
    line("lot", label.lot, x=end + 3, y=33, room=edge - end - 3, font=text.MONO_SEMI, size=8)

    end = line("light", label.light, x=left, y=41.5, room=room * 0.6, font=text.BOLD, size=6.5)
    line("storage", label.storage, x=right, y=41.5, room=right - end - 4, size=6.5, align="right")
    sheet.block("caution", CAUTION, x=left, y=49, room=room, font=text.PLAIN, size=6, lines=2)

    matrix, bars = data_matrix("unit_number", label.unit_number), code128("unit_number", label.unit_number)
    module = matrix_module(sheet.dots, 0.0185)
    if sheet.code_size(matrix, module) > 26:
        module = matrix_module(sheet.dots, 0.0105)
    matrix_left = right - sheet.code_size(matrix, module) + sheet.dots.pt(module)
    sheet.code(matrix, x=matrix_left, top=57, module=module)
    number_x, number_y, reprint_x = left, 66.0, left
    if _bars_fit(bars, sheet.dots):
        module = bar_module(sheet.dots)
        number_x, number_y = sheet.dots.pt(bars.quiet * module), 79.5
        sheet.code(bars, x=0, top=59, module=module, height_pt=13)
        reprint_x = number_x + 62
    edge = matrix_left - 2
    room_left = edge - number_x if number_y < 70 else 60.0
    line("unit_number", label.unit_number, x=number_x, y=number_y, room=room_left, font=text.MONO_SEMI, size=8)
    reprint = reprint_words(label.copy_number)
    line("copy_number", reprint, x=edge, y=79.5, room=edge - reprint_x, font=text.BOLD, size=8, align="right")
    if label.demonstration:
        line("demonstration", DEMONSTRATION, x=81, y=87.5, room=room, font=text.BOLD, size=6.5, align="centre")


def _bars_fit(bars: Symbol, dots: Dots) -> bool:
    """Whether the vial label has room for the bar code beside the matrix."""
    return dots.pt(bars.size()[0] * bar_module(dots)) <= 129


def vial_codes(label: VialLabel, dots: Dots) -> list[str]:
    """What a scanner must read from the label of one vial."""
    return [label.unit_number] * (2 if _bars_fit(code128("unit_number", label.unit_number), dots) else 1)


def dose_codes(dose_id: str) -> list[str]:
    """What a scanner must read from a paper of one dose."""
    return sorted((dose_id, f"(91){dose_id}"))


def _bag(sheet: Sheet, label: BagLabel, place: str) -> None:
    left, right = 10.0, 278.0
    room = right - left
    line = sheet.line
    _bag_head(sheet, label, place, left, right)

    matrix = gs1_data_matrix("dose_id", label.dose_id)
    module = matrix_module(sheet.dots, 0.0185)
    matrix_left = right - sheet.code_size(matrix, module) + sheet.dots.pt(module)
    sheet.code(matrix, x=matrix_left, top=21, module=module)
    edge = matrix_left - 4
    end = line("subject_number", "Subject", x=left, y=36, room=30, size=7.5)
    initials = f"Initials {text.shown(label.subject_initials)}"
    initials_room = text.width(initials, text.SEMI, 8) + 12
    number_room = edge - end - 4 - initials_room
    end = line(
        "subject_number", label.subject_number, x=end + 4, y=36, room=number_room, font=text.BOLD, size=16, smallest=12
    )
    line("subject_initials", initials, x=end + 5, y=36, room=edge - end - 5, font=text.SEMI, size=8)
    line("product", label.product, x=left, y=53, room=edge - left, font=text.BOLD, size=16, smallest=12)
    words = (
        f"{text.mg(label.dose_mg)} mg in {text.ml(label.total_volume_ml)} mL "
        f"({text.mg_per_ml(label.final_mg_per_ml)} mg/mL)"
    )
    line("dose_mg", words, x=left, y=70.5, room=room, font=text.BOLD, size=17, smallest=12)
    words = f"Course {label.course} · Cycle {label.cycle} · Day {label.day}"
    edge = line("course", words, x=right, y=82, room=110, font=text.BOLD, size=9, align="right")
    line("diluent", f"Diluent {label.diluent}", x=left, y=82, room=edge - left - 8, size=8.5)
    end = line("route", label.route, x=left, y=93, room=room * 0.6, font=text.BOLD, size=9)
    line("rate_or_duration", label.rate_or_duration, x=right, y=93, room=right - end - 8, size=8.5, align="right")

    sheet.rule(97.5, left, room)
    line("beyond_use_at", "BEYOND USE – infusion ended by", x=left, y=106, room=130, font=text.SEMI, size=7)
    words = text.label_moment(label.beyond_use_at)
    line("beyond_use_at", words, x=left, y=118, room=138, font=text.BOLD, size=12, smallest=9)
    for y, field, name, at in (
        (107, "prepared_at", "Prepared", label.prepared_at),
        (117.5, "start_by", "Start by", label.start_by),
    ):
        line(field, name, x=158, y=y, room=34, size=7.5)
        line(field, text.label_moment(at), x=right, y=y, room=90, font=text.SEMI, size=8, align="right")
    sheet.rule(122.5, left, room)

    line("light", label.light, x=left, y=130.5, room=room, font=text.BOLD, size=8)
    sheet.block("storage", label.storage, x=left, y=138.5, room=room, font=text.PLAIN, size=7.5, lines=2)
    sheet.frame(left, 150, room, 12)
    line("hazard", label.hazard, x=144, y=158.7, room=room - 8, font=text.BOLD, size=8, align="centre")

    names = room * 0.66
    line("prepared_by", f"Prepared by {label.prepared_by}", x=left, y=170.5, room=names, size=7.5)
    line("verified_by", f"Verified by {label.verified_by}", x=left, y=179, room=names, size=7.5)
    words = f"Pharmacy {label.pharmacy_phone}"
    edge = line("pharmacy_phone", words, x=right, y=187.5, room=room * 0.4, size=7.5, align="right")
    line("site_name", label.site_name, x=left, y=187.5, room=edge - left - 6, size=7.5)
    if label.demonstration:
        _bag_demonstration(sheet, right)

    bars = code128("dose_id", label.dose_id)
    module = bar_module(sheet.dots)
    quiet = sheet.dots.pt(bars.quiet * module)
    end, _ = sheet.code(bars, x=left - quiet, top=191.5, module=module, height_pt=16.5)
    line("dose_id", "Dose", x=end, y=199, room=20, size=7.5)
    line("dose_id", label.dose_id, x=end + 20, y=199, room=right - end - 20, font=text.MONO_SEMI, size=9)
    sheet.block("caution", CAUTION, x=end, y=205.5, room=right - end, font=text.PLAIN, size=6, lines=2)


def _bag_demonstration(sheet: Sheet, right: float) -> None:
    sheet.frame(right - 86, 164, 86, 16.5)
    first, second = DEMONSTRATION.split(" – ")
    sheet.line("demonstration", f"{first} –", x=right - 43, y=171, room=84, font=text.BOLD, size=6.5, align="centre")
    sheet.line("demonstration", second, x=right - 43, y=178, room=84, font=text.BOLD, size=6.5, align="centre")


def _bag_head(sheet: Sheet, label: BagLabel, place: str, left: float, right: float) -> None:
    reprint = reprint_words(label.copy_number)
    words = f"{reprint} · {place}" if reprint else place
    edge = sheet.line("copy_number", words, x=right, y=15, room=160, font=text.SEMI, size=7, align="right")
    words = f"Investigational – protocol {label.protocol_name}"
    sheet.line("protocol_name", words, x=left, y=15, room=edge - left - 8, font=text.SEMI, size=8)
    sheet.rule(19, left, right - left)
