"""Vials on the move, told as text: one line a movement, the whole stock or the refusal in the last column.

Words: ``V3`` is the third vial ever received, ``S-1`` a shipment, ``D2`` the second dose (each dose is 1.46 mg for a
subject of its own: two 1 mg vials of 0.9 extractable mg each). Stock is written ``held 2 available 3``; what is
not named is not there. After every line the count of all vials is what was received.
"""

import re
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.doses import DecideForm, order, record_decision
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import print_worksheet
from pharmacy_app.services.stock import (
    PermissionForm,
    QuarantineForm,
    quarantine,
    receive,
    release_shipment,
    release_with_document,
)
from tests.services.pharmacy import Pharmacy

CASES = """
what is received waits for its release
    receive S-1: 3 of 1 mg A1              | held 3
    release S-1                            | available 3
    release S-1                            | refused: No vial of shipment S-1 waits
    release S-2                            | refused: There is no shipment S-2

a shipment number is used once
    receive S-1: 3 of 1 mg A1              | held 3
    receive S-1: 2 of 1 mg A1              | refused: received already
    receive S-2: 2 of 1 mg A1              | held 5

an alarm, a missing logger and an unread one hold all vials
    receive S-1: 1 of 1 mg A1, alarm       | held 1
    receive S-2: 1 of 1 mg A1, no logger   | held 2
    receive S-3: 1 of 1 mg A1, not read    | held 3
    release S-1                            | refused: shows an alarm
    release S-2                            | refused: without a temperature logger
    release S-3                            | refused: has not been read
    permit V1                              | available 1 held 2
    permit V2 V3                           | available 3

damage holds the damaged lot alone
    receive S-1: 2 of 1 mg A1, damaged     | held 2
    receive S-2: 2 of 1 mg A2              | held 4
    release S-1                            | refused: damaged on arrival
    release S-2                            | held 2 available 2

an expired lot is taken in and never used
    receive S-1: 2 of 1 mg OLD             | held 2
    release S-1                            | refused: expired on 01-Mar-2026
    permit V1 V2                           | available 2
    decide D1                              | available 2
    reserve D1: V1 V2                      | refused: expired: its last usable day was 01-Mar-2026

quarantine takes every unopened vial, a reserved one too, and nothing else
    receive S-1: 6 of 1 mg A1              | held 6
    quarantine V6                          | held 5 quarantined 1
    release S-1                            | available 5 quarantined 1
    quarantine V1 V2                       | available 3 quarantined 3
    quarantine V1                          | refused: is quarantined. Unopened vials
    quarantine V3 V1                       | refused: is quarantined. Unopened vials
    quarantine V99                         | refused: There is no vial
    quarantine nothing                     | refused: No vial is chosen
    decide D1                              | available 3 quarantined 3
    reserve D1: V1 V3                      | refused: is in quarantine
    reserve D1: V3 V4                      | available 1 quarantined 3 reserved 2
    quarantine V3                          | available 1 quarantined 4 reserved 1
    cancel D1                              | available 2 quarantined 4

a quarantine is lifted by a document, a held vial likewise, both at once
    receive S-1: 3 of 1 mg A1, alarm       | held 3
    quarantine V1                          | held 2 quarantined 1
    permit V1 V2                           | held 1 available 2
    permit V1                              | refused: Only held or quarantined
    permit V3                              | available 3
    permit V2 V3                           | refused: V000002O is available, V000003M is available
    permit V99                             | refused: There is no vial
    permit nothing                         | refused: No vial is chosen

one vial is one vial, named twice or not
    receive S-1: 3 of 1 mg A1              | held 3
    release S-1                            | available 3
    quarantine V1 V1                       | available 2 quarantined 1
    permit V1 V1                           | available 3
    decide D1                              | available 3
    reserve D1: V1 V1                      | refused: scanned already

a dose takes what it needs, no more and no less
    receive S-1: 4 of 1 mg A1              | held 4
    decide D1                              | held 4
    reserve D1: V1 V2                      | refused: is held: a pharmacist has not released it yet
    release S-1                            | available 4
    reserve D1: V1                         | refused: 0.56 mg are missing
    reserve D1: V1 V2 V3                   | refused: is not needed
    reserve D1: nothing                    | refused: 1.46 mg are missing
    reserve D1: V1 V99                     | refused: There is no vial
    reserve D1: V1 V2                      | available 2 reserved 2
    reserve D1: V3 V4                      | refused: must be decided

two doses never share a vial
    receive S-1: 4 of 1 mg A1              | held 4
    release S-1                            | available 4
    decide D1                              | available 4
    decide D2                              | available 4
    reserve D1: V1 V2                      | available 2 reserved 2
    reserve D2: V2 V3                      | refused: is reserved for dose
    reserve D2: V3 V4                      | reserved 4

a cancelled dose gives its reserved vials back
    receive S-1: 4 of 1 mg A1              | held 4
    release S-1                            | available 4
    decide D1                              | available 4
    reserve D1: V1 V2                      | available 2 reserved 2
    cancel D1                              | available 4
    cancel D1                              | refused: is cancelled
    decide D2                              | available 4
    reserve D2: V1 V2                      | available 2 reserved 2

a dose runs in its order
    receive S-1: 4 of 1 mg A1              | held 4
    release S-1                            | available 4
    decide D1                              | available 4
    check D1                               | refused: must be planned
    open D1                                | refused: must be verified
    reserve D1: V1 V2                      | available 2 reserved 2
    open D1                                | refused: must be verified
    check D1                               | available 2 reserved 2
    check D1                               | refused: must be planned
    close D1                               | refused: must be administered or cancelled
    worksheet D1                           | available 2 reserved 2
    open D1                                | available 2 opened 2
    open D1                                | refused: must be verified
    quarantine V1                          | refused: is opened
    hand over D1                           | refused: Print the bag label
    give D1                                | refused: must be released
    label D1                               | available 2 opened 2
    hand over D1                           | available 2 opened 2
    hand over D1                           | refused: must be prepared
    close D1                               | refused: must be administered or cancelled
    give D1                                | available 2 opened 2
    give D1                                | refused: must be released
    cancel D1                              | refused: is administered
    close D1                               | available 2 empty 2
    close D1                               | refused: is closed
    cancel D1                              | refused: is closed

what was opened for a cancelled dose is closed, not put back
    receive S-1: 4 of 1 mg A1              | held 4
    release S-1                            | available 4
    decide D1                              | available 4
    reserve D1: V1 V2                      | available 2 reserved 2
    check D1                               | available 2 reserved 2
    worksheet D1                           | available 2 reserved 2
    open D1                                | available 2 opened 2
    cancel D1                              | available 2 opened 2
    permit V1                              | refused: Only held or quarantined
    close D1                               | available 2 empty 2
    close D1                               | refused: no opened vial left

no dose of any cycle is ordered twice
    receive S-1: 4 of 1 mg A1              | held 4
    release S-1                            | available 4
    decide D1                              | available 4
    decide D1                              | refused: is ordered already as dose
    cancel D1                              | available 4
    decide D1                              | available 4

another strength and another lot are other vials
    receive S-1: 2 of 1 mg A1              | held 2
    receive S-2: 1 of 4 mg B1              | held 3
    release S-1                            | held 1 available 2
    release S-2                            | available 3
    decide D1                              | available 3
    reserve D1: V3 V1                      | refused: is not needed
    reserve D1: V3                         | available 2 reserved 1
    cancel D1                              | available 3
"""

EXPIRES = {"A1": "2027-03-31", "A2": "2027-03-31", "B1": "2027-03-31", "OLD": "2026-03-01"}


def parse(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Cases with their lines, each a movement and its outcome."""
    cases: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.splitlines():
        if line.startswith("    "):
            movement, _, outcome = line.partition("|")
            cases[-1][1].append((movement.strip(), outcome.strip()))
        elif line.strip():
            cases.append((line.strip(), []))
    return cases


class Teller:
    """Does what a line of the table says."""

    def __init__(self, pharmacy: Pharmacy) -> None:
        self.pharmacy = pharmacy
        self.doses: dict[str, str] = {}
        self.received = 0
        self.permission = pharmacy.permission()

    def units(self, text: str) -> tuple[str, ...]:
        return tuple(numbered("V", int(number)) for number in re.findall(r"V(\d+)", text))

    def do(self, movement: str) -> None:
        verb, _, rest = movement.replace("hand over", "hand_over").partition(" ")
        getattr(self, verb)(rest)

    def receive(self, text: str) -> None:
        found = re.fullmatch(r"(\S+): (\d+) of (\d) mg (\w+)(?:, (.+))?", text)
        assert found, text
        number, count, strength, lot, trouble = found.groups()
        damaged = trouble == "damaged"
        typed = LotTyped(
            strength, lot, EXPIRES[lot], count, (), "damaged" if damaged else "intact", "crushed" if damaged else ""
        )
        logger = trouble if trouble in ("alarm", "no logger", "not read") else "no alarm"
        form = self.pharmacy.shipment(number, (typed,), logger_state=logger)
        event = receive(self.pharmacy.desk, self.pharmacy.act("tim"), form)
        self.pharmacy.label_vials(vial["unit_number"] for vial in event.content["vials"])
        self.permission = self.pharmacy.permission()
        self.received += int(count)

    def release(self, number: str) -> None:
        release_shipment(self.pharmacy.desk, self.pharmacy.act("paula"), number)

    def permit(self, text: str) -> None:
        form = PermissionForm(self.units(text), self.permission)
        release_with_document(self.pharmacy.desk, self.pharmacy.act("paula"), form)

    def quarantine(self, text: str) -> None:
        quarantine(self.pharmacy.desk, self.pharmacy.act("tim"), QuarantineForm(self.units(text), "fridge at 11 °C"))
        self.permission = self.pharmacy.permission()

    def decide(self, name: str) -> None:
        subject = f"00{name[1:]}"
        with self.pharmacy.desk.store.read() as reader:
            known = reader.subject(subject)
        if known is None:
            self.pharmacy.enroll(subject)
        ordered = order(self.pharmacy.desk, self.pharmacy.act("paula"), self.pharmacy.order_form(subject))
        self.doses[name] = ordered.content["dose_id"]
        record_decision(self.pharmacy.desk, self.pharmacy.act("paula"), DecideForm(self.doses[name]))

    def reserve(self, text: str) -> None:
        name, _, vials = text.partition(":")
        self.pharmacy.reserve(self.doses[name], self.units(vials))

    def cancel(self, name: str) -> None:
        self.pharmacy.cancel(self.doses[name])

    def check(self, name: str) -> None:
        self.pharmacy.verify(self.doses[name])

    def worksheet(self, name: str) -> None:
        print_worksheet(self.pharmacy.desk, self.pharmacy.act("paula"), self.doses[name])

    def open(self, name: str) -> None:
        self.pharmacy.prepare(self.doses[name])

    def label(self, name: str) -> None:
        self.pharmacy.label_bag(self.doses[name])

    def hand_over(self, name: str) -> None:
        self.pharmacy.release(self.doses[name])

    def give(self, name: str) -> None:
        self.pharmacy.give(self.doses[name])

    def close(self, name: str) -> None:
        rows = (("0.1", "0"), ("0.1", "0.34"))[: len(self.pharmacy.thread(self.doses[name]).mg)]
        self.pharmacy.close(self.doses[name], rows)


def stock_text(pharmacy: Pharmacy) -> Counter[str]:
    with pharmacy.desk.store.read() as reader:
        counted: Counter[str] = Counter()
        for line in reader.stock():
            counted[line.state] += line.vials
    return counted


@pytest.mark.parametrize(("title", "lines"), [pytest.param(*case, id=case[0]) for case in parse(CASES)])
def test_movements(pharmacy: Pharmacy, title: str, lines: list[tuple[str, str]]) -> None:
    teller = Teller(pharmacy)
    for movement, outcome in lines:
        before, events = stock_text(pharmacy), pharmacy.count()
        if outcome.startswith("refused: "):
            with pytest.raises(Refused) as refused:
                teller.do(movement)
            words = " ".join(fault.sentence for fault in refused.value.faults)
            assert outcome.removeprefix("refused: ") in words, f"{movement}: {words}"
            assert (stock_text(pharmacy), pharmacy.count()) == (before, events), f"{movement}: something was written"
        else:
            teller.do(movement)
            counts = outcome.split()
            expected = {state: int(count) for state, count in zip(counts[::2], counts[1::2], strict=True)}
            assert stock_text(pharmacy) == expected, movement
        assert stock_text(pharmacy).total() == teller.received == len(pharmacy.vials())
    pharmacy.assert_sound()


def test_the_table_is_read_whole() -> None:
    cases = parse(CASES)
    assert len(cases) == 15
    assert all(outcome for _, lines in cases for _, outcome in lines)
    refused = sum(outcome.startswith("refused") for _, lines in cases for _, outcome in lines)
    assert refused > 45  # nonsense gets about as many lines as success


# --- packing lists --------------------------------------------------------------------------------------------

PACKING_LISTS = """
strength | lot | expiry      | count | kits           | condition        | outcome
1        | A1  | 2027-03-31  | 2     |                | intact           | held 2, until 2027-03-31
1        | A1  | 2027-03     | 2     |                | intact           | held 2, until 2027-03-31
1        | A1  | Mar-2027    | 2     |                | intact           | held 2, until 2027-03-31
1        | A1  | 31-MAR-2027 | 2     |                | intact           | held 2, until 2027-03-31
4        | A1  | 2028-02     | 1     |                | intact           | held 1, until 2028-02-29
4        | A1  | 2027-02     | 1     |                | intact           | held 1, until 2027-02-28
4        | a1  | 2027-02     | 1     | k1             | intact           | held 1, until 2027-02-28
1        | A1  | 2027-03-31  | 500   |                | intact           | held 500, until 2027-03-31
1        | A1  | 2027-03-31  | 501   |                | intact           | count: must be from 1 to 500
1        | A1  | 2027-03-31  | 0     |                | intact           | count: is 0, but must be from 1
1        | A1  | 2027-03-31  | -3    |                | intact           | count: is -3
1        | A1  | 2027-03-31  | 1e9   |                | intact           | count: must be a whole number
1        | A1  | 2027-03-31  | NaN   |                | intact           | count: must be a whole number
1        | A1  | 2027-03-31  | 2,5   |                | intact           | count: must be a whole number
1        | A1  | 2027-03-31  | 2.0   |                | intact           | count: must be a whole number
1        | A1  | 2027-03-31  | ten   |                | intact           | count: must be a whole number
1        | A1  | 2027-03-31  |       |                | intact           | count: must be a whole number
2        | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: 1 mg and 4 mg only
0        | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: must be more than 0
-1       | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: is negative
1e0      | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: with an exponent
NaN      | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: is not a number
1,0      | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: has a comma
one      | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: is not a plain number
         | A1  | 2027-03-31  | 2     |                | intact           | strength_mg: is empty
1        |     | 2027-03-31  | 2     |                | intact           | lot: The lot is missing
1        | A1  |             | 2     |                | intact           | expiry: is not an expiry
1        | A1  | 31/03/2027  | 2     |                | intact           | expiry: is not an expiry
1        | A1  | 03/27       | 2     |                | intact           | expiry: is not an expiry
1        | A1  | 2027-13     | 2     |                | intact           | expiry: is not a day of the calendar
1        | A1  | 2027-00     | 2     |                | intact           | expiry: is not a day of the calendar
1        | A1  | 2027-02-29  | 2     |                | intact           | expiry: is not a day of the calendar
1        | A1  | 2027-04-31  | 2     |                | intact           | expiry: is not a day of the calendar
1        | A1  | 9999-12-31  | 2     |                | intact           | expiry: 9999
1        | A1  | 2027-03-31  | 2     | K1 K2          | intact           | held 2, until 2027-03-31
1        | A1  | 2027-03-31  | 2     | K1             | intact           | kit_numbers: 1 kit numbers are typed for 2
1        | A1  | 2027-03-31  | 2     | K1 K2 K3       | intact           | kit_numbers: 3 kit numbers are typed for 2
1        | A1  | 2027-03-31  | 2     | K1 K1          | intact           | kit_numbers: Kit K1 is there twice
1        | A1  | 2027-03-31  | 2     | K1 k1          | intact           | kit_numbers: Kit K1 is there twice
1        | A1  | 2027-03-31  | 2     | K1 OLDKIT      | intact           | kit_numbers: Kit OLDKIT is there twice
1        | A1  | 2027-03-31  | 2     | K1 oldkit      | intact           | kit_numbers: Kit OLDKIT is there twice
1        | A9  | 2027-03-31  | 2     |                | intact           | expiry: is known with the expiry 30-Apr-2027
4        | A9  | 2027-03-31  | 2     |                | intact           | held 2, until 2027-03-31
1        | A1  | 2027-03-31  | 2     |                | damaged: crushed | held 2, until 2027-03-31
1        | A1  | 2027-03-31  | 2     |                | damaged          | condition_note: Say what is damaged
1        | A1  | 2027-03-31  | 2     |                | wet              | condition: choose intact or damaged
"""


def packing_lists() -> list[dict[str, str]]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in PACKING_LISTS.strip().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=" ".join(cell for cell in row.values() if cell)) for row in packing_lists()]
)
def test_packing_lists(pharmacy: Pharmacy, row: dict[str, str]) -> None:
    """Of each line exactly one thing is right or wrong, and exactly that is said."""
    pharmacy.receive("S-0", (LotTyped("1", "A9", "2027-04-30", "1", ("OLDKIT",)),))
    events, vials = pharmacy.count(), len(pharmacy.vials())
    condition, _, note = row["condition"].partition(": ")
    typed = LotTyped(
        row["strength"], row["lot"], row["expiry"], row["count"], tuple(row["kits"].split()), condition, note
    )
    form = pharmacy.shipment("S-1", (typed,))
    found = re.fullmatch(r"held (\d+), until (.+)", row["outcome"])
    if found:
        receive(pharmacy.desk, pharmacy.act("tim"), form)
        new = pharmacy.vials(shipment_number="S-1")
        assert len(new) == int(found[1])
        assert {(vial.state, vial.expires_on.isoformat(), vial.lot) for vial in new} == {
            ("held", found[2], row["lot"].upper())
        }
        return
    with pytest.raises(Refused) as refused:
        receive(pharmacy.desk, pharmacy.act("tim"), form)
    field, _, words = row["outcome"].partition(": ")
    assert [fault.field for fault in refused.value.faults] == [f"lots.0.{field}"], refused.value
    assert words in refused.value.faults[0].sentence
    assert (pharmacy.count(), len(pharmacy.vials())) == (events, vials)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"number": " "}, "number", "missing"),
        ({"sender": ""}, "sender", "missing"),
        ({"shipped_on": "02/03/2026"}, "shipped_on", "not a date this app can be sure of"),
        ({"shipped_on": "2026-02-30"}, "shipped_on", "not a day of the calendar"),
        ({"received_at": "2026-03-02 08:01"}, "received_at", "is in the future"),
        ({"received_at": "2026-03-03 07:00"}, "received_at", "is in the future"),
        ({"received_at": "2026-02-28 12:00"}, "received_at", "arrived before it was shipped"),
        ({"received_at": "2026-03-02 24:00"}, "received_at", "not a time of the day"),
        ({"received_at": "2026-03-02"}, "received_at", "date and a time are needed"),
        ({"logger_state": "fine"}, "logger_state", "choose no alarm"),
        ({"logger_serial": ""}, "logger_serial", "serial number is missing"),
        ({"place": "My drawer"}, "place", "choose Refrigerator 1 or Refrigerator 2"),
        ({"lots": ()}, "lots", "no lot yet"),
    ],
)
def test_a_shipment_names_its_fault(pharmacy: Pharmacy, changes: dict[str, object], field: str, words: str) -> None:
    from dataclasses import replace

    form = replace(pharmacy.shipment(), **changes)  # type: ignore[arg-type]
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        receive(pharmacy.desk, pharmacy.act("tim"), form)
    assert [fault.field for fault in refused.value.faults] == [field]
    assert words in refused.value.faults[0].sentence
    assert pharmacy.count() == before


def test_all_faults_of_a_packing_list_are_named_at_once(pharmacy: Pharmacy) -> None:
    lots = (
        LotTyped("1", "A1", "soon", "0"),
        LotTyped("3", "", "2027-03-31", "two"),
    )
    with pytest.raises(Refused) as refused:
        receive(pharmacy.desk, pharmacy.act("tim"), pharmacy.shipment("", lots, sender="", place=""))
    assert {fault.field for fault in refused.value.faults} == {
        "number",
        "sender",
        "place",
        "lots.0.expiry",
        "lots.0.count",
        "lots.1.strength_mg",
        "lots.1.lot",
        "lots.1.count",
    }


@pytest.mark.parametrize("typed", ["1", "1.0", "1.00", "01"])
def test_a_strength_is_one_strength_however_it_is_typed(pharmacy: Pharmacy, typed: str) -> None:
    """One milligram typed as 1.0 stands in the same balance, the same filter and the same record as 1."""
    from pharmacy_app.services.ports import LedgerFilter

    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2"),))
    pharmacy.receive("S-2", (LotTyped(typed, "A1", "2027-03-31", "3"),))
    with pharmacy.desk.store.read() as reader:
        (line,) = reader.stock()
        assert (line.strength_mg, line.vials) == (Decimal(1), 5)
        ledger = list(reader.whole_ledger(LedgerFilter(strength_mg=Decimal(1))))
    assert [entry.balance_quarantine for entry in ledger] == [2, 5]
    assert len(pharmacy.vials(strength_mg=Decimal(1))) == 5


def test_a_lot_split_over_two_lines_of_one_packing_list_has_one_expiry(pharmacy: Pharmacy) -> None:
    lots = (LotTyped("1", "A1", "2027-03-31", "2"), LotTyped("1", "a1", "2027-04-30", "2"))
    with pytest.raises(Refused, match="One lot has one expiry") as refused:
        receive(pharmacy.desk, pharmacy.act("tim"), pharmacy.shipment("S-1", lots))
    assert [fault.field for fault in refused.value.faults] == ["lots.1.expiry"]


def test_a_scan_of_our_own_label_is_never_taken_for_a_kit(pharmacy: Pharmacy) -> None:
    """A kit number that reads like one of our unit numbers must not make the label of one vial mean another."""
    first, second = numbered("V", 1), numbered("V", 2)
    lots = (LotTyped("1", "A1", "2027-03-31", "2", (second, "K9")),)
    from pharmacy_app.services.scanning import find_vial

    try:
        receive(pharmacy.desk, pharmacy.act("tim"), pharmacy.shipment("S-1", lots))
    except Refused as refused:
        assert [fault.field for fault in refused.faults] == ["lots.0.kit_numbers"]
        return
    with pharmacy.desk.store.read() as reader:
        assert find_vial(reader, "91" + second, date(2026, 3, 2)).unit_number == second
        assert find_vial(reader, first, date(2026, 3, 2)).unit_number == first
