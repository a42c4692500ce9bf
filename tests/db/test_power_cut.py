"""The power goes at any moment: everything that was said to be recorded is there, and the journal is sound.

A short part of ``python3 installer/dev.py torture cuts``; ``POWER_CUTS=500`` in the environment makes it longer.
"""

import os
import random
from pathlib import Path

from pharmacy_app.services.stock import release_shipment
from tests.conftest import Template
from tests.databases import CHOSEN, Server, url_at
from tests.torture.cuts import Cuts, cut_once, look

AFTER = (0, 0, 1, 3, 5, 8, 12, 21)
"""So many acts are done before a cut: none, the delivery, the subject, the order, up to the bag that was given."""
ROOT = Path(__file__).resolve().parents[2]


def test_what_was_acknowledged_survives_a_power_cut(template: Template, tmp_path: Path) -> None:
    # Each cut costs a workstation's connection and a proof, which take longer on a server.
    number_of_cuts = int(os.environ.get("POWER_CUTS") or (20 if isinstance(CHOSEN[0], Server) else 50))
    cuts, dice = Cuts(), random.Random(number_of_cuts)
    for number in range(number_of_cuts):
        path = tmp_path / f"study-{number // 10}.sqlite"
        if number % 10 == 0:
            template.copy_to(path).desk.store.close()
        cut_once(cuts, url_at(path), dice, after=dice.choice(AFTER))
    assert cuts.wrong == []
    assert cuts.cuts == number_of_cuts
    assert cuts.acknowledged > 2 * number_of_cuts, "the workstations hardly worked"


def test_an_act_that_was_acknowledged_and_is_gone_would_be_told(template: Template, tmp_path: Path) -> None:
    """The trial itself: told of an act that nobody recorded, and of two that nobody acknowledged, it says so."""
    pharmacy = template.copy_to(tmp_path / "study.sqlite")
    before = pharmacy.count()
    pharmacy.receive()
    release_shipment(pharmacy.desk, pharmacy.act("paula"), "S-1")
    pharmacy.desk.store.close()
    url = url_at(tmp_path / "study.sqlite")
    cuts = Cuts()
    look(cuts, url, before, [("no such act", "vials_reserved")])
    assert cuts.wrong == ["cut 0: acknowledged and gone: vials_reserved no such act"]
    cuts = Cuts()
    look(cuts, url, before, [])
    assert cuts.wrong == ["cut 0: 2 events more than were acknowledged"]
