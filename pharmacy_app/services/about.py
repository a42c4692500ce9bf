"""What a document can be about: everything in the record that has a number or a name. The one place that reads it.

A thing named by a number of ours stands under that number alone; a shipment and a lot are named by other people, so
their word stands before the name (``shipment SHP-1``, ``lot A1``) and two things are never taken for one another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import looks_like_ours, numbered, read_number
from pharmacy_app.services.ports import Reader


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of thing: its word, and a function that gives the name it goes by in the record, or '' when unknown."""

    word: str
    find: Callable[[Reader, str], str]


NUMBERED = {
    "V": ("vial", "vial"),
    "D": ("dose", "dose"),
    "E": ("medication error", "medication_error"),
    "F": ("document", "document"),
    "X": ("deviation", "deviation"),
    "N": ("count", "count"),
    "Q": ("discrepancy", "discrepancy"),
}
"""The letters of our numbers: the thing's word, and the counter that says how many there are."""

FORMS = {
    "RCV": ("receipt", "shipment_received"),
    "RET": ("return", "vials_returned"),
    "TRF": ("transfer", "vials_transferred"),
    "DST": ("destruction", "vials_destroyed"),
    "CLO": ("close-out", "study_closed_out"),
}
"""The letters of form numbers: the thing's word, and the kind of event the number leads to."""


def _subject(reader: Reader, typed: str) -> str:
    return typed if reader.subject(typed) is not None else ""


def _kit(reader: Reader, typed: str) -> str:
    vial = reader.vial_by_kit(typed.upper())
    return vial.unit_number if vial is not None else ""


def _shipment(reader: Reader, typed: str) -> str:
    shipment = reader.shipment(typed)
    return f"shipment {shipment.number}" if shipment is not None else ""


def _lot(reader: Reader, typed: str) -> str:
    """A lot by its name, or by its name and strength: ``lot A1``, ``lot A1, 4 mg``."""
    lot = typed.upper()
    if any(known == lot for _, known, _ in reader.lots()):
        return f"lot {lot}"
    names = (lot_name(known, strength) for strength, known, _ in reader.lots())
    return next((name for name in names if name.upper() == f"LOT {lot}"), "")


def lot_name(lot: str, strength_mg: Decimal) -> str:
    """What a document is about that speaks of one strength of a lot."""
    return f"lot {lot}, {show(strength_mg)} mg"


def _strength_asked(reader: Reader, about: str) -> None:
    """Refuse a lot's name that both strengths carry: neither is taken for the other."""
    strengths = sorted(strength for strength, known, _ in reader.lots() if about == f"lot {known}")
    if len(strengths) > 1:
        lot = about.removeprefix("lot ")
        choice = " or ".join(f"“{lot_name(lot, strength)}”" for strength in strengths)
        raise Refused(
            Fault("about", f"Lot {lot} is here in two strengths. Type which is meant: {choice}; attach it for each.")
        )


def _form(reader: Reader, typed: str) -> str:
    letters, _, digits = typed.upper().partition("-")
    if letters not in FORMS or not (digits.isascii() and digits.isdigit() and len(digits) < 18):
        return ""
    event = reader.event(int(digits))
    return f"{letters}-{int(digits)}" if event is not None and event.kind == FORMS[letters][1] else ""


MATTERS: Sequence[Matter] = (
    Matter("subject", _subject),
    Matter("vial", _kit),
    Matter("shipment", _shipment),
    Matter("lot", _lot),
    Matter("form", _form),
)
"""What is found by its name; numbers of ours are read by their letter before."""


def things_named(reader: Reader, text: str) -> dict[str, str]:
    """What goes by a name that is no number of ours, as the record names it, by its word; the word may stand before."""
    named, _, rest = text.partition(" ")
    return {
        matter.word: name
        for matter in MATTERS
        if (name := (rest and named.lower() == matter.word and matter.find(reader, rest)) or matter.find(reader, text))
    }


def read_about(reader: Reader, typed: str) -> str:
    """What a document is about, as the record names it; '' for the study as a whole. Raises ``Refused``."""
    about = " ".join(typed.split())
    if not about:
        return ""
    for letter, (word, counter) in NUMBERED.items():
        if looks_like_ours(about, letter):
            return _read_numbered(reader, about, letter, word, counter)
    found = things_named(reader, about)
    if not found:
        raise Refused(
            Fault(
                "about",
                f"“{about}” is neither a subject, dose, vial, shipment, lot, form nor another number of this study."
                " Look at it again, or leave it empty for the study as a whole.",
            )
        )
    if len(found) > 1:
        words = list(found)
        choice = ", ".join(f"“{word} {about}”" for word in words)
        raise Refused(Fault("about", f"“{about}” is a {' and a '.join(words)}. Type which is meant: {choice}."))
    name = next(iter(found.values()))
    _strength_asked(reader, name)
    return name


def _read_numbered(reader: Reader, typed: str, letter: str, word: str, counter: str) -> str:
    number = read_number(typed, letter, "about")
    # Numbers of a kind are given one after the other: what is beyond the counter does not exist.
    if not 0 < int(number[1:7]) <= reader.counter(counter) or number != numbered(letter, int(number[1:7])):
        raise Refused(Fault("about", f"There is no {word} {number}. Look at the number again."))
    return number


def about_words(about: str) -> str:
    """What a document is about, in words: ``dose D000012K``, ``shipment SHP-1``, ``the study``."""
    if not about:
        return "the study"
    for letter, (word, _) in NUMBERED.items():
        if looks_like_ours(about, letter):
            return f"{word} {about}"
    if about.startswith(("shipment ", "lot ")):
        return about
    word = FORMS.get(about.partition("-")[0], ("", ""))[0]
    return f"{word} {about}" if word else f"subject {about}"
