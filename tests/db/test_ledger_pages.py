"""Any page of the ledger, in any order, shows the lines and balances that adding up all lines by hand gives."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import RowMapping, select

from db import schema
from db.store import SqlStore
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.views import LedgerLine
from tests.benchmarks.books import PLACES, SITE_TIME, Books
from tests.databases import url_at

MG = Decimal
SEARCHED = ("units", "lot", "dose_id", "counterparty", "reference", "comment", "move", "recorder")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with the balances that adding up gives."""

    line_id: str
    available: int
    quarantine: int


def seen(lines: Sequence[LedgerLine]) -> list[Line]:
    return [Line(line.line_id, line.balance_available, line.balance_quarantine) for line in lines]


@dataclass(frozen=True, slots=True)
class Study:
    """Books in a database, and every stored line of their ledger in the order it was done."""

    store: SqlStore
    made: Books
    rows: Sequence[RowMapping]


def by_hand(study: Study, wanted: LedgerFilter) -> list[Line]:
    """Every line in the order it was done, its balances added up one by one; then those not asked for left out."""
    balances: dict[str, tuple[int, int]] = {}
    found = []
    for row in study.rows:
        if wanted.strength_mg is not None and MG(row["strength_mg"]) != wanted.strength_mg:
            continue
        if wanted.lot not in ("", row["lot"]) or wanted.place not in ("", row["place"]):
            continue
        available, quarantine = balances.get(row["strength_mg"], (0, 0))
        balance = (available + row["available_change"], quarantine + row["quarantine_change"])
        balances[row["strength_mg"]] = balance
        if wanted.record_only and not row["transaction"]:
            continue
        if wanted.text and not any(wanted.text.casefold() in row[name].casefold() for name in SEARCHED):
            continue
        found.append(Line(f"{row['event_seq']}.{row['line']}", *balance))
    return found


@pytest.fixture(scope="module", params=[1, 9, 60], ids=["a line a day", "nine lines a day", "sixty lines a day"])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """Some hundred events over days, months or years; every third act is a late entry of up to eight days before."""
    path = tmp_path_factory.mktemp("books") / "study.sqlite"
    store = SqlStore.create(url_at(path, new=True))
    begins = datetime(2025, 12, 20, 23, 50, tzinfo=SITE_TIME)
    made = Books(0, "0" * 64, begins, seed=request.param, lines_per_day=request.param, lots=2, shipment=6, late=33)
    with store.write() as writer:
        for event in islice(made.events(), 400):
            writer.append(event)
    with store.read() as reader:
        rows = reader.rows(select(schema.ledger_line))
    yield Study(store, made, sorted(rows, key=lambda row: (row["done_utc"], row["event_seq"], row["line"])))
    store.close()


FILTERS = st.builds(
    LedgerFilter,
    strength_mg=st.sampled_from([None, MG(1), MG(4), MG("1.00"), MG(7)]),
    lot=st.sampled_from(["", "", "INO1-A117", "INO4-B417", "no such lot"]),
    text=st.sampled_from(["", "", "", "quaran", "SHP-", "000-001", "%", "V00000", "nowhere"]),
    record_only=st.booleans(),
    place=st.sampled_from(["", "", *PLACES, "nowhere"]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=FILTERS,
    pages=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 120)), min_size=1, max_size=6),
)
def test_pages_in_any_order_agree_with_the_sum_by_hand(
    study: Study, wanted: LedgerFilter, pages: list[tuple[int, int]]
) -> None:
    expected = by_hand(study, wanted)
    with study.store.read() as reader:
        assert reader.count_ledger(wanted) == len(expected)
        for offset, limit in pages:
            assert seen(reader.ledger(wanted, offset=offset, limit=limit)) == expected[offset : offset + limit]
        assert seen(list(reader.whole_ledger(wanted))) == expected


def test_the_last_page_and_what_lies_behind_it(study: Study) -> None:
    everything = by_hand(study, LedgerFilter())
    total = len(everything)
    assert total > 300
    with study.store.read() as reader:
        assert seen(reader.ledger(LedgerFilter(), offset=total - 1, limit=100)) == everything[-1:]
        assert reader.ledger(LedgerFilter(), offset=total, limit=100) == []
        assert reader.ledger(LedgerFilter(), offset=total + 1000, limit=100) == []


def test_a_vials_life_has_the_balances_of_the_ledger(study: Study) -> None:
    expected = {line.line_id: line for line in by_hand(study, LedgerFilter())}
    with study.store.read() as reader:
        for unit in study.made.units[::5]:
            life = reader.vial_life(unit.number)
            assert life is not None
            assert life.vial.state == unit.state
            assert [line.move for line in life.lines][:2] == ["receive", "release"]
            assert seen(life.lines) == [expected[line.line_id] for line in life.lines]
            on = reader.rows(
                select(schema.ledger_line.c.event_seq, schema.ledger_line.c.line).where(
                    schema.ledger_line.c.units.contains(json.dumps(unit.number))
                )
            )
            assert {line.line_id for line in life.lines} == {f"{row['event_seq']}.{row['line']}" for row in on}


def test_what_was_received_is_counted_by_the_lines(study: Study) -> None:
    with study.store.read() as reader:
        for strength in ("1", "4"):
            mine = [unit for unit in study.made.units if unit.strength_mg == strength]
            assert reader.received(LedgerFilter(strength_mg=MG(strength), record_only=True)) == len(mine)
            lot = mine[0].lot
            of_lot = sum(unit.lot == lot for unit in mine)
            assert reader.received(LedgerFilter(strength_mg=MG(strength), lot=lot)) == of_lot
        assert reader.received(LedgerFilter(lot="no such lot")) == 0


def test_an_empty_ledger_has_no_page(tmp_path: Path) -> None:
    with SqlStore.create(url_at(tmp_path / "study.sqlite", new=True)) as store, store.read() as reader:
        assert reader.count_ledger(LedgerFilter()) == 0
        assert reader.count_ledger(LedgerFilter(text="a", record_only=True)) == 0
        assert reader.ledger(LedgerFilter(), offset=0, limit=100) == []
        assert list(reader.whole_ledger(LedgerFilter())) == []
        assert reader.vial_life("V000001Q") is None


def test_the_books_prove_sound_and_are_rebuilt_alike(study: Study) -> None:
    """The sums of days and months are views like all others: replaying gives them again."""
    found = study.store.verify()
    assert found.sound, found.trouble
    assert found.replayed == found.events == 400


@pytest.mark.parametrize("states", [("available",), ("available", "reserved"), ("held", "quarantined"), ("empty",)])
@pytest.mark.parametrize("newest", [0, 1, 7, 100_000])
@pytest.mark.parametrize("wanted", [LedgerFilter(), LedgerFilter(strength_mg=MG(1)), LedgerFilter(place=PLACES[1])])
def test_what_changes_a_number_of_vials_is_told_by_its_newest_entries(
    study: Study, wanted: LedgerFilter, newest: int, states: tuple[str, ...]
) -> None:
    changes = []
    for row in study.rows:
        if wanted.strength_mg is not None and MG(row["strength_mg"]) != wanted.strength_mg:
            continue
        if wanted.place in ("", row["place"]):
            change = row["quantity"] * ((row["to_state"] in states) - (row["from_state"] in states))
            changes += [(row["event_seq"], change)] if change else []
    entries = list(dict.fromkeys(seq for seq, _ in changes))
    shown = set(entries[-newest:] if newest else ())
    with study.store.read() as reader:
        found = reader.stock_changes(wanted, states, newest=newest)
    assert [(line.event_seq, line.change) for line in found.lines] == [each for each in changes if each[0] in shown]
    assert found.before == sum(change for seq, change in changes if seq not in shown)
    assert found.entries_before == len(entries) - len(shown)


@pytest.mark.parametrize("newest", [0, 3, 100_000])
def test_what_was_received_is_told_by_its_newest_entries(study: Study, newest: int) -> None:
    came = [(row["event_seq"], row["quantity"]) for row in study.rows if row["move"] == "receive"]
    shown = set(list(dict.fromkeys(seq for seq, _ in came))[-newest:] if newest else ())
    with study.store.read() as reader:
        found = reader.receipt_changes(LedgerFilter(), newest=newest)
        received = reader.received(LedgerFilter())
    assert [(line.event_seq, line.change) for line in found.lines] == [each for each in came if each[0] in shown]
    assert found.before + sum(line.change for line in found.lines) == received == sum(count for _, count in came)


def test_a_number_after_any_line_is_the_sum_of_the_changes_up_to_it(study: Study) -> None:
    # A reserved vial lies on the shelf still.
    wanted, states = LedgerFilter(strength_mg=MG(4)), ("available", "reserved")
    with study.store.read() as reader:
        lines = list(reader.whole_ledger(wanted))
        for line in lines[:: len(lines) // 20]:
            assert reader.ledger_line(wanted, line.line_id) == line
            found = reader.stock_changes(wanted, states, newest=3, through_line=line.line_id)
            assert found.before + sum(each.change for each in found.lines) == line.balance_available
        for unknown in ("", "1", "x.1", "1.x", "999999.1", "12345678901234567.1"):
            assert reader.ledger_line(wanted, unknown) is None


def test_the_lines_of_an_entry_are_those_of_the_ledger(study: Study) -> None:
    with study.store.read() as reader:
        lines = list(reader.whole_ledger(LedgerFilter()))
        for seq in {line.event_seq for line in lines[::40]}:
            assert list(reader.entry_lines(seq)) == [line for line in lines if line.event_seq == seq]
