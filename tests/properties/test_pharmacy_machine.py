"""Whatever people do in whatever order, the pharmacy is as the model says: 10,000 steps and more in every run."""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Template
from tests.databases import CHOSEN, Server
from tests.properties.pharmacy_machine import PharmacyMachine, Tally

STEPS_A_RUN = 130
"""So many steps one pharmacy lives."""

SHARDS = 4
PHASES = (Phase.generate, Phase.shrink)
SEED = int(os.environ.get("MACHINE_SEED", "20260302"))


def steps_wanted() -> int:
    """How many steps all shards make: 10,000 and more on a file, a tenth of that on a server."""
    usual = "1040" if isinstance(CHOSEN[0], Server) else "10400"
    return int(os.environ.get("MACHINE_STEPS", usual))


def run_machine(template: Template, steps: int, number: int) -> Tally:
    """So many steps of machines that begin with this number; the same number gives the same acts."""

    class Machine(PharmacyMachine):
        tally = Tally()

    Machine.template = template
    run_state_machine_as_test(
        seed(number)(Machine),
        settings=settings(
            max_examples=1 + steps // (STEPS_A_RUN - 10),  # a run now and then is a little shorter
            stateful_step_count=STEPS_A_RUN,
            deadline=None,
            database=None,
            print_blob=False,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Machine.tally


@pytest.mark.timeout(900)  # what fails is made short before it is told, which takes minutes
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_pharmacy_is_as_the_model_says(
    template: Template, shard: int, record_property: Callable[[str, object], None]
) -> None:
    steps = steps_wanted() // SHARDS
    tally = run_machine(template, steps, SEED + shard)
    record_property("says", tally.words())
    assert tally.steps >= steps
