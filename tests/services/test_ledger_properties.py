"""Whatever is done in whatever order, the vials add up, the balances recount, and the journal replays.

A model keeps each vial's state in a plain dictionary, by rules written here a second time; after every act the
pharmacy is compared with it.
"""

import tempfile
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.desk import Act
from pharmacy_app.services.doses import DecideForm, order, record_decision
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import (
    LotTyped,
    PermissionForm,
    QuarantineForm,
    SupporterDecision,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from tests.conftest import Template
from tests.services.pharmacy import MONDAY, Pharmacy

AVAILABLE = {"available", "reserved"}
QUARANTINE = {"held", "quarantined"}


class Vials(RuleBasedStateMachine):
    """Acts chosen at random, sensible and senseless."""

    template: Template

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.pharmacy: Pharmacy = self.template.copy_to(Path(self.folder.name) / "study.sqlite")
        self.states: dict[str, str] = {}
        self.kind: dict[str, tuple[Decimal, str]] = {}
        self.clear: dict[str, list[str]] = {}
        self.subjects = 0
        self.doses: dict[str, str] = {}
        self.taken: dict[str, tuple[str, ...]] = {}
        self.last: tuple[Any, Act, Any] | None = None

    def teardown(self) -> None:
        self.pharmacy.assert_sound()
        self.pharmacy.desk.store.close()
        self.folder.cleanup()

    @initialize()
    def first_shipment(self) -> None:
        self.shipment_arrives("1", "A1", 4, "no alarm")
        self.shipment_is_released("S-1")

    # --- acts on stock

    @rule(
        strength=st.sampled_from(["1", "4"]),
        lot=st.sampled_from(["A1", "A2"]),
        count=st.integers(1, 4),
        logger=st.sampled_from(["no alarm", "no alarm", "alarm"]),
    )
    def shipment_arrives(self, strength: str, lot: str, count: int, logger: str) -> None:
        number = f"S-{len(self.clear) + 1}"
        typed = (LotTyped(strength, lot, "2027-03-31", str(count)),)
        form = self.pharmacy.shipment(number, typed, logger_state=logger)
        act = self.pharmacy.act("tim")
        event = receive(self.pharmacy.desk, act, form)
        self.last = (receive, act, form)
        units = [vial["unit_number"] for vial in event.content["vials"]]
        assert len(units) == count
        assert not self.states.keys() & set(units), "a unit number was used twice"
        for unit in units:
            self.states[unit], self.kind[unit] = "held", (Decimal(strength), lot)
        self.clear[number] = units if logger == "no alarm" else []

    @rule(number=st.integers(1, 6).map(lambda number: f"S-{number}"))
    def shipment_is_released(self, number: str) -> None:
        expected = [unit for unit in self.clear.get(number, []) if self.states[unit] == "held"]
        act = self.pharmacy.act("paula")
        if not expected:
            with pytest.raises(Refused):
                release_shipment(self.pharmacy.desk, act, number)
            return
        release_shipment(self.pharmacy.desk, act, number)
        self.last = (release_shipment, act, number)
        self.states.update(dict.fromkeys(expected, "available"))

    @rule(data=st.data())
    def vials_are_quarantined(self, data: st.DataObject) -> None:
        units = self.some(data)
        act, form = self.pharmacy.act("tim"), QuarantineForm(units, "power failure")
        if units and {self.states[unit] for unit in units} <= {"held", "available"}:
            quarantine(self.pharmacy.desk, act, form)
            self.last = (quarantine, act, form)
            self.states.update(dict.fromkeys(units, "quarantined"))
        else:
            with pytest.raises(Refused):
                quarantine(self.pharmacy.desk, act, form)

    @rule(data=st.data())
    def supporter_permits(self, data: st.DataObject) -> None:
        units = self.some(data)
        act = self.pharmacy.act("paula")
        form = PermissionForm(units, SupporterDecision("PF-1", "Supporter", self.pharmacy.day()))
        if {self.states[unit] for unit in units} in ({"held"}, {"quarantined"}):
            release_with_document(self.pharmacy.desk, act, form)
            self.last = (release_with_document, act, form)
            self.states.update(dict.fromkeys(units, "available"))
        else:
            with pytest.raises(Refused):
                release_with_document(self.pharmacy.desk, act, form)

    # --- acts on doses

    @precondition(lambda self: len(self.doses) < 4)
    @rule()
    def dose_is_decided(self) -> None:
        self.subjects += 1
        subject = self.pharmacy.enroll(f"{self.subjects:03d}")
        ordered = order(self.pharmacy.desk, self.pharmacy.act("paula"), self.pharmacy.order_form(subject))
        dose_id = ordered.content["dose_id"]
        record_decision(self.pharmacy.desk, self.pharmacy.act("paula"), DecideForm(dose_id))
        self.doses[dose_id] = "decided"

    @precondition(lambda self: self.doses)
    @rule(data=st.data())
    def vials_are_reserved(self, data: st.DataObject) -> None:
        dose_id, units = data.draw(st.sampled_from(sorted(self.doses))), self.some(data)
        # 1.46 mg: 0.9 from each 1 mg vial, 3.8 from each 4 mg vial, drawn in order; enough, and no vial to spare
        rest = Decimal("1.46")
        fits = bool(units) and self.doses[dose_id] == "decided"
        for unit in units:
            fits = fits and rest > 0 and self.states[unit] == "available"
            rest -= Decimal("0.9") if self.kind[unit][0] == 1 else Decimal("3.8")
        if fits and rest <= 0:
            self.pharmacy.reserve(dose_id, units)
            self.states.update(dict.fromkeys(units, "reserved"))
            self.doses[dose_id], self.taken[dose_id] = "planned", units
        else:
            with pytest.raises(Refused):
                self.pharmacy.reserve(dose_id, units)

    @precondition(lambda self: "planned" in self.doses.values())
    @rule(data=st.data())
    def dose_is_mixed(self, data: st.DataObject) -> None:
        dose_id = data.draw(st.sampled_from([name for name, status in self.doses.items() if status == "planned"]))
        self.pharmacy.verify(dose_id)
        print_worksheet(self.pharmacy.desk, self.pharmacy.act("paula"), dose_id)
        self.pharmacy.clock.forward(minutes=1)
        draws = self.pharmacy.thread(dose_id).plan["draws"]
        self.pharmacy.prepare(dose_id, [draw["draw_ml"] for draw in draws])
        self.doses[dose_id] = "prepared"
        self.states.update(dict.fromkeys(self.taken[dose_id], "opened"))

    @precondition(lambda self: self.doses)
    @rule(data=st.data())
    def dose_is_cancelled(self, data: st.DataObject) -> None:
        dose_id = data.draw(st.sampled_from(sorted(self.doses)))
        if self.doses[dose_id].startswith("cancelled"):
            with pytest.raises(Refused):
                self.pharmacy.cancel(dose_id)
            return
        self.pharmacy.cancel(dose_id)
        for unit in self.taken.get(dose_id, ()):
            if self.states[unit] == "reserved":
                self.states[unit] = "available"
        self.doses[dose_id] = "cancelled after mixing" if self.doses[dose_id] == "prepared" else "cancelled"

    @precondition(lambda self: "cancelled after mixing" in self.doses.values())
    @rule(data=st.data(), kept=st.sampled_from(["0", "0.1", "0.2"]))
    def vials_are_closed(self, data: st.DataObject, kept: str) -> None:
        dose_id = data.draw(
            st.sampled_from([name for name, status in self.doses.items() if status == "cancelled after mixing"])
        )
        rows = []
        for line in self.pharmacy.thread(dose_id).mg:
            left = line.labelled_mg - line.withdrawn_mg
            residue = min(left, Decimal(kept))
            rows.append((str(residue), str(left - residue)))
            # what cannot be drawn: 1 − 0.9 = 0.1 mg, 4 − 3.8 = 0.2 mg; more than that is a remainder
            cannot = Decimal("0.1") if line.labelled_mg == 1 else Decimal("0.2")
            self.states[line.unit_number] = "partial" if residue > cannot else "empty"
        self.pharmacy.close(dose_id, rows)
        self.doses[dose_id] = "cancelled and closed"

    # --- the same act again

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_act_is_sent_again(self) -> None:
        assert self.last is not None
        service, act, form = self.last
        before = self.pharmacy.count()
        again = service(self.pharmacy.desk, act, form)
        assert again.act_id == act.act_id
        assert self.pharmacy.count() == before

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_act_is_sent_with_other_content(self) -> None:
        assert self.last is not None
        _, act, _ = self.last
        before = self.pharmacy.count()
        other = Act(act.session, act.act_id)
        with pytest.raises(Refused, match="recorded already, with other content"):
            receive(self.pharmacy.desk, other, self.pharmacy.shipment("S-OTHER"))
        assert self.pharmacy.count() == before

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        # The day stays Monday, on which all doses are planned: 08:00 and at most 14 hours.
        if self.pharmacy.clock() < MONDAY + timedelta(hours=12):
            self.pharmacy.clock.forward(minutes=minutes)

    # --- what always holds

    @invariant()
    def the_vials_are_as_the_model_says(self) -> None:
        assert {vial.unit_number: vial.state for vial in self.pharmacy.vials()} == self.states

    @invariant()
    def what_was_received_is_the_sum_of_the_states(self) -> None:
        with self.pharmacy.desk.store.read() as reader:
            stock, ledger = reader.stock(), reader.ledger(LedgerFilter(), offset=0, limit=-1)
        assert all(line.vials > 0 for line in stock)
        counted: Counter[tuple[Decimal, str, str]] = Counter()
        for line in stock:
            counted[line.strength_mg, line.lot, line.state] += line.vials
        assert counted == Counter((*self.kind[unit], state) for unit, state in self.states.items())
        received: Counter[tuple[Decimal, str]] = Counter()
        for entry in ledger:
            if entry.move == "receive":
                received[entry.strength_mg, entry.lot] += entry.quantity
        assert received == Counter(self.kind.values())

    @invariant()
    def the_running_balance_is_a_recount(self) -> None:
        """Each line's balances, counted anew from the moves of single vials up to that line."""
        for strength in (Decimal(1), Decimal(4)):
            for lot in ("", "A1"):
                with self.pharmacy.desk.store.read() as reader:
                    lines = reader.ledger(LedgerFilter(strength_mg=strength, lot=lot), offset=0, limit=-1)
                now: dict[str, str] = {}
                for line in lines:
                    assert len(line.units) == line.quantity > 0
                    for unit in line.units:
                        assert now.get(unit, "") == line.from_state, f"{unit} at line {line.line_id}"
                        now[unit] = line.to_state
                    states = list(now.values())
                    assert line.balance_available == sum(state in AVAILABLE for state in states)
                    assert line.balance_quarantine == sum(state in QUARANTINE for state in states)
                    assert min(line.balance_available, line.balance_quarantine) >= 0
                mine = {
                    unit: state
                    for unit, state in self.states.items()
                    if self.kind[unit][0] == strength and lot in ("", self.kind[unit][1])
                }
                assert now == mine

    def some(self, data: st.DataObject) -> tuple[str, ...]:
        """Up to three different vials."""
        return tuple(
            data.draw(st.lists(st.sampled_from(sorted(self.states)), min_size=0, max_size=3, unique=True), "vials")
        )


def test_vials_add_up_after_any_sequence_of_acts(template: Template) -> None:
    Vials.template = template
    run_state_machine_as_test(
        Vials,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_model_itself_has_a_day_to_stand_on(template: Template, tmp_path: Path) -> None:
    """The machine's clock starts on a Monday morning, so that every dose of it is for one day."""
    pharmacy = template.copy_to(tmp_path / "study.sqlite")
    assert date.fromisoformat(pharmacy.day()) == date(2026, 3, 2)
    pharmacy.desk.store.close()
