"""Whatever is recorded and taken back in whatever order: the vials add up, and the journal replays.

A model keeps each vial's history of states in a plain list; a correction takes the last one off.
"""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.corrections import CorrectForm, correct, correctable
from pharmacy_app.services.disposition import LossForm, break_vials, find_vials, miss_vials
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.stock import QuarantineForm, quarantine
from tests.conftest import Template
from tests.services.pharmacy import Pharmacy

LEADS_TO = {"quarantine": "quarantined", "break": "broken", "miss": "missing", "find": "quarantined"}
STARTS_FROM = {
    "quarantine": {"held", "available"},
    "break": {"held", "available", "quarantined"},
    "miss": {"held", "available", "quarantined", "broken"},
    "find": {"missing", "lost"},
}
OF_CONTAINERS = {("miss", "broken"): "lost", ("find", "lost"): "broken"}
"""Only a broken vial leaves a container here."""
Step = tuple[str, tuple[int, ...], int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["quarantine", "break", "miss", "find", "correct", "correct"]),
        st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True).map(tuple),
        st.integers(0, 30),
    ),
    max_size=14,
)


def _record(pharmacy: Pharmacy, name: str, units: tuple[str, ...], ago: int) -> int:
    """Record a move so many minutes ago; returns the entry's number."""
    tim, done_at = pharmacy.act("tim"), pharmacy.time(-ago) if ago else ""
    if name == "quarantine":
        return quarantine(pharmacy.desk, tim, QuarantineForm(units, "warm", done_at)).seq
    act = {"break": break_vials, "miss": miss_vials, "find": find_vials}[name]
    form = LossForm(units, "it happened", done_at)
    return act(pharmacy.desk, tim, form, pharmacy.sign("tim"), pharmacy.sign("carla")).seq


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_random_acts_and_corrections_leave_every_vial_somewhere(template: Template, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pharmacy = template.copy_to(Path(folder) / "study.sqlite")
        units = pharmacy.receive(lots=(LotTyped("1", "A1", "2027-03-31", "5"),))
        history = {unit: ["held"] for unit in units}
        entries: dict[int, tuple[str, ...]] = {}
        # The entries that stand, one taken back none of them.
        stand: dict[str, list[int]] = {unit: [0] for unit in units}
        for name, chosen, ago in steps:
            pharmacy.clock.forward(minutes=7)
            moved = tuple(units[index] for index in chosen)
            if name != "correct":
                may = {history[unit][-1] for unit in moved} <= STARTS_FROM[name]
                try:
                    seq = _record(pharmacy, name, moved, ago)
                except Refused as refused:
                    in_time = all("was moved after that" not in fault.sentence for fault in refused.faults)
                    assert not may or not in_time, refused
                    continue
                assert may
                entries[seq] = moved
                for unit in moved:
                    history[unit].append(OF_CONTAINERS.get((name, history[unit][-1]), LEADS_TO[name]))
                    stand[unit].append(seq)
            elif entries:
                seq = sorted(entries)[ago % len(entries)]
                of_entry = entries[seq]
                may = all(stand[unit][-1] == seq for unit in of_entry)
                with pharmacy.desk.store.read() as reader:
                    assert (not correctable(reader, seq).why_not) is may
                form = CorrectForm(seq, "a slip")
                try:
                    correct(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"), pharmacy.sign("carla"))
                except Refused:
                    assert not may
                    continue
                assert may
                for unit in of_entry:
                    history[unit].pop()
                    stand[unit].pop()
        assert {vial.unit_number: vial.state for vial in pharmacy.vials()} == {
            unit: states[-1] for unit, states in history.items()
        }
        with pharmacy.desk.store.read() as reader:
            stock = Counter({line.state: 0 for line in reader.stock()})
            for line in reader.stock():
                stock[line.state] += line.vials
            now: dict[str, str] = {}
            for entry in reader.whole_ledger(LedgerFilter()):
                assert min(entry.balance_available, entry.balance_quarantine) >= 0
                for unit in entry.units:
                    assert now.get(unit, "") == entry.from_state
                    now[unit] = entry.to_state
            assert reader.received(LedgerFilter()) == sum(stock.values()) == 5
        assert now == {unit: states[-1] for unit, states in history.items()}
        pharmacy.assert_sound()
        pharmacy.desk.store.close()
