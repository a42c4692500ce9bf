"""Expiry ahead: a printed expiry counts through its own day (RULES A40); 90, 30 and 7 days before it, it is said."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from pharmacy_app.domain.expiry import expiring_lots, expiry_warning, is_unopened, stock_state
from pharmacy_app.domain.vials import move_table

TODAY = date(2026, 11, 22)
ONE, FOUR = Decimal(1), Decimal(4)


@dataclass(frozen=True)
class Line:
    """A line of stock as the store counts it."""

    strength_mg: Decimal
    lot: str
    expires_on: date
    state: str
    vials: int


@pytest.mark.parametrize(
    ("expires_on", "warning"),
    [
        (date(2026, 11, 21), 0),
        (date(2026, 11, 22), 7),  # its last usable day is today
        (date(2026, 11, 29), 7),
        (date(2026, 11, 30), 30),
        (date(2026, 12, 22), 30),
        (date(2026, 12, 23), 90),
        (date(2027, 2, 20), 90),
        (date(2027, 2, 21), None),
    ],
)
def test_a_lot_is_warned_of_at_90_30_and_7_days_both_ends_inside(expires_on: date, warning: int | None) -> None:
    assert expiry_warning(expires_on, TODAY) == warning


def test_all_places_of_a_lot_are_one_line_and_what_is_usable_is_counted_apart() -> None:
    soon = date(2026, 12, 15)
    (lot,) = expiring_lots(
        [
            Line(ONE, "A1", soon, "available", 3),
            Line(ONE, "A1", soon, "available", 2),
            Line(ONE, "A1", soon, "reserved", 1),
            Line(ONE, "A1", soon, "quarantined", 4),
            Line(ONE, "A1", soon, "empty", 9),
            Line(ONE, "A2", date(2027, 6, 30), "available", 5),
        ],
        TODAY,
    )
    assert (lot.lot, lot.vials, lot.usable, lot.warning, lot.kind) == ("A1", 10, 5, 30, "warn")
    assert lot.title(TODAY) == "Lot A1 (1 mg) expires on 15-Dec-2026, in 23 days"
    assert lot.words().startswith("10 unopened vials on hand, 5 of them usable. Use first what expires first")


def test_what_expired_is_returned_or_transferred_and_never_destroyed_unopened() -> None:
    past = date(2026, 11, 21)
    (lot,) = expiring_lots([Line(FOUR, "B1", past, "available", 1), Line(FOUR, "B1", past, "destroyed", 1)], TODAY)
    assert (lot.vials, lot.usable, lot.kind) == (1, 0, "stop")
    assert lot.title(TODAY) == "Lot B1 (4 mg) expired: its last usable day was 21-Nov-2026"
    assert lot.words() == (
        "1 unopened vial on hand, not usable. Ask the supporter whether to return or to transfer it; unopened vials"
        " are never destroyed on site (Protocol §\N{NO-BREAK SPACE}8.2)."
    )
    assert lot.line(TODAY).endswith(": 1 vial, return or transfer.")


def test_the_nearest_expiry_comes_first_and_today_and_tomorrow_have_their_words() -> None:
    days = {"today": date(2026, 11, 22), "tomorrow": date(2026, 11, 23), "in 2 days": date(2026, 11, 24)}
    lots = expiring_lots([Line(ONE, name, on, "held", 1) for name, on in reversed(days.items())], TODAY)
    assert [lot.lot for lot in lots] == list(days)
    assert all(lot.title(TODAY).endswith(lot.lot) for lot in lots)


def test_no_stock_no_warning() -> None:
    assert expiring_lots([], TODAY) == ()


def test_expired_stock_is_summed_apart_from_usable_stock() -> None:
    assert stock_state("available", date(2026, 11, 22), TODAY) == "available"
    assert stock_state("available", date(2026, 11, 21), TODAY) == "expired"
    # What cannot be used anyway keeps its own word.
    assert stock_state("quarantined", date(2026, 11, 21), TODAY) == "quarantined"


def test_unopened_on_site_is_what_the_table_of_moves_counts_as_available_or_quarantine() -> None:
    assert {name for name in move_table().states if is_unopened(name)} == {
        "held",
        "available",
        "reserved",
        "quarantined",
    }
