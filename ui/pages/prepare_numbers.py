"""Numbers as the steps of *Prepare* show them: side by side, read to eight places, with their working."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from pharmacy_app.domain.findings import Finding, Named, Step
from pharmacy_app.domain.units import show, show_percent
from ui.theme import SPACE_M
from ui.widgets.working import NumberButton

READ_PLACES = 8
"""Decimal places shown in a working; the record keeps every digit."""


def _as_shown(percent: Decimal) -> Decimal:
    """The percentage with as many places as it is shown with; it is written with a typographic minus."""
    shown = show_percent(percent).removesuffix(" %")
    return Decimal(shown.replace(",", "").replace("+", "").replace("\N{MINUS SIGN}", "-"))


def percent_step(name: str, new: Named, base: Named, percent: Decimal, section: str) -> Step:
    """The working of a difference in percent, as it was judged."""
    return Step(
        name,
        f"({new.name} − {base.name}) ÷ {base.name} × 100",
        (new, base),
        _as_shown(percent),
        "%",
        section,
    )


def readable(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps with results as they are read (8 places); what is compared and recorded keeps every digit."""
    return tuple(
        replace(
            step,
            result=Decimal(show(step.result, READ_PLACES).replace(",", "")),
            inputs=tuple(map(_readable_value, step.inputs)),
        )
        for step in steps
    )


def readable_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings with the numbers they compared as they are read."""
    return tuple(replace(finding, compared=tuple(map(_readable_value, finding.compared))) for finding in findings)


def _readable_value(named: Named) -> Named:
    """A number of many places cut to those a person reads; texts and short numbers stay as they are."""
    _, point, places = named.value.partition(".")
    if not point or len(places) <= READ_PLACES or not places.isdigit():
        return named
    return replace(named, value=show(Decimal(named.value.replace(",", "")), READ_PLACES))


class NumberGrid(QWidget):
    """Numbers side by side on columns of equal width, three in a row."""

    def __init__(self, numbers: Sequence[NumberButton], *, columns: int = 3) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_M)
        grid.setVerticalSpacing(SPACE_M)
        for at, number in enumerate(numbers):
            grid.addWidget(number, at // columns, at % columns, Qt.AlignmentFlag.AlignTop)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
