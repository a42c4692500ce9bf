"""A pharmacy that works without pause and says each act it was told is recorded; it is killed from outside.

Run as ``python -m tests.db.power_cut_child FILE``; waits for a line on standard input before it begins.
"""

import sys
from pathlib import Path

from pharmacy_app.domain.people import Role
from pharmacy_app.services.desk import Act, Session
from pharmacy_app.services.stock import LotTyped, QuarantineForm, quarantine, receive, release_shipment
from tests.services.pharmacy import Clock, Pharmacy, desk_at


def main() -> None:
    """Receive, release and quarantine until killed."""
    path = Path(sys.argv[1])
    sys.stdin.readline()
    clock = Clock()
    pharmacy = Pharmacy(desk_at(path, clock), clock, path)
    tim = Session("A0005", "Tim Lindqvist", (Role.TECHNICIAN,), "PC-2")
    paula = Session("A0002", "Paula Reyes", (Role.PHARMACIST,), "PC-2")
    start = pharmacy.count()

    def say(act: Act) -> None:
        sys.stdout.write(act.act_id + "\n")
        sys.stdout.flush()

    for number in range(10_000):
        shipment = f"S-{start}-{number}"
        act = Act(tim)
        lots = (LotTyped("1", "A1", "2027-03-31", str(1 + number % 7 * 10)),)
        event = receive(pharmacy.desk, act, pharmacy.shipment(shipment, lots))
        say(act)
        act = Act(paula)
        release_shipment(pharmacy.desk, act, shipment)
        say(act)
        act = Act(tim)
        unit = event.content["vials"][0]["unit_number"]
        quarantine(pharmacy.desk, act, QuarantineForm((unit,), "the power may go"))
        say(act)


if __name__ == "__main__":
    main()
