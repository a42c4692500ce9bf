"""What is behind a number: the entries whose moves or amounts sum to it, its documents, and its corrections.

Vials are summed anew from the ledger's lines, and a prepared dose from what was withdrawn of each vial, never from the
number itself: where the two differ, the reader sees it. An amount that one entry says is shown with that entry.
"""

from collections.abc import Callable
from typing import Any

from pharmacy_app.services.behind_doses import AMOUNTS, DIFFERENCES, Amount, Given, Measurement, Mg
from pharmacy_app.services.behind_doses import amount as _amount
from pharmacy_app.services.behind_doses import given as _given
from pharmacy_app.services.behind_doses import measured as _measured
from pharmacy_app.services.behind_doses import mg as _mg
from pharmacy_app.services.behind_parts import MOST_PARTS, Behind, Part
from pharmacy_app.services.behind_parts import with_entries as _with_entries
from pharmacy_app.services.behind_record import (
    PERIOD_COUNTS,
    Beside,
    Entry,
    Exposed,
    PeriodCount,
    Thing,
    beside,
    name_words,
)
from pharmacy_app.services.behind_record import entry as _entry
from pharmacy_app.services.behind_record import exposed as _exposed
from pharmacy_app.services.behind_record import period_count as _period_count
from pharmacy_app.services.behind_record import thing as _thing
from pharmacy_app.services.behind_vials import (
    EVERY_STATE,
    ON_SITE,
    Counted,
    Found,
    Line,
    Only,
    Received,
    Stock,
    states_of,
)
from pharmacy_app.services.behind_vials import counted as _counted
from pharmacy_app.services.behind_vials import found as _found
from pharmacy_app.services.behind_vials import line_vials as _line_vials
from pharmacy_app.services.behind_vials import received as _received
from pharmacy_app.services.behind_vials import stock as _stock
from pharmacy_app.services.desk import Desk
from pharmacy_app.services.ports import Reader

__all__ = [
    "AMOUNTS",
    "DIFFERENCES",
    "EVERY_STATE",
    "MOST_PARTS",
    "ON_SITE",
    "PERIOD_COUNTS",
    "Amount",
    "Behind",
    "Beside",
    "Counted",
    "Entry",
    "Exposed",
    "Found",
    "Given",
    "Line",
    "Measurement",
    "Mg",
    "Only",
    "Part",
    "PeriodCount",
    "Received",
    "Stock",
    "Thing",
    "What",
    "behind",
    "beside",
    "name_words",
    "states_of",
]

OfVials = Stock | Line | Received | Found | Counted
OfDoses = Amount | Mg | Given | Measurement
What = OfVials | OfDoses | Thing | Entry | Exposed | PeriodCount
"""What may be asked for."""


def behind(desk: Desk, reader: Reader, what: What) -> Behind:
    """What is behind a number; raises ``Refused`` for a thing that is not on record."""
    found = _stock(desk, reader, what) if isinstance(what, Stock) else _ANSWERS[type(what)](reader, what)
    return _with_entries(reader, found)


_ANSWERS: dict[type, Callable[[Reader, Any], Behind]] = {
    Line: _line_vials,
    Received: _received,
    Found: _found,
    Counted: _counted,
    Amount: _amount,
    Mg: _mg,
    Given: _given,
    Measurement: _measured,
    Thing: _thing,
    Entry: _entry,
    Exposed: _exposed,
    PeriodCount: _period_count,
}
