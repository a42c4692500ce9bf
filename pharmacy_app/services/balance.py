"""The identity that always holds: vials received = sum over their present states, of each strength and lot."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from pharmacy_app.domain.vials import NEVER_RECEIVED
from pharmacy_app.services.ports import Reader


@dataclass(frozen=True, slots=True)
class LotBalance:
    """Vials received against the sum of the present states, of one strength and lot. Both are counted apart.

    ``states`` names every state in which a vial of the lot is, with their number.
    """

    strength_mg: Decimal
    lot: str
    received: int
    states: tuple[tuple[str, int], ...]

    @property
    def sum_of_states(self) -> int:
        """All vials, wherever they are now. One recorded by mistake is not received either (``NEVER_RECEIVED``)."""
        return sum(count for state, count in self.states if state != NEVER_RECEIVED)

    @property
    def agrees(self) -> bool:
        """Whether the books balance (REGULATION A-18)."""
        return self.received == self.sum_of_states

    def of(self, *states: str) -> int:
        """How many vials are in any of these states."""
        return sum(count for state, count in self.states if state in states)


def lot_balances(reader: Reader) -> tuple[LotBalance, ...]:
    """Per strength and lot: the vials ever received, counted as they came, against the ledger's own sums."""
    states: dict[tuple[Decimal, str], Counter[str]] = {}
    for line in reader.stock():
        states.setdefault((line.strength_mg, line.lot), Counter())[line.state] += line.vials
    return tuple(
        LotBalance(
            strength,
            lot,
            received,
            tuple(sorted(states.get((strength, lot), Counter()).items())),
        )
        for strength, lot, received in reader.lots_received()
    )
