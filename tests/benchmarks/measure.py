"""How figures are taken: in pairs with their floors, in turn, as medians."""

import statistics
from collections.abc import Callable

ROUNDS = 15


def pairs(ours: Callable[[], float], floor: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Medians of ours and of the floor, taken in turn, and the median of the ratios pair by pair."""
    ours(), floor()
    taken = [(ours(), floor()) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in taken),
        statistics.median(b for _, b in taken),
        statistics.median(a / b for a, b in taken),
    )
