"""Findings of the rules as a person reads them: severity by icon, word and colour; numbers; section; override."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.domain.findings import Finding, Named, Severity
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout
from ui.widgets.dates import say_date

# Word, icon and colour of each severity; the word alone tells them apart.
LOOK = {
    Severity.STOP: ("Stop", "stop", "stop"),
    Severity.OVERRIDABLE: ("Stop unless overridden", "overridable", "stop"),
    Severity.WARN: ("Warning", "warn", "warn"),
    Severity.INFO: ("Information", "info", "info"),
}

_ORDER = list(LOOK)


def say(value: Named) -> str:
    """One named number as words, e.g. ``weight 70 kg``."""
    return " ".join(part for part in (value.name, value.value, value.unit) if part)


class FindingCard(QFrame):
    """One finding. Signal ``override_asked(Finding)`` from its button 'Record override…' (overridable stops)."""

    override_asked = Signal(object)

    def __init__(
        self, finding: Finding, *, can_override: bool = True, name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.finding = finding
        name = name or f"finding_{finding.rule}"
        word, icon, tone = LOOK[finding.severity]
        if finding.override is not None:
            word, icon, tone = "Stop, overridden in writing", "sign", "warn"
        self.setObjectName(name)
        self.setProperty("panel", tone)
        self.setAccessibleName(f"{word}: {finding.sentence}")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        row.setSpacing(SPACE_M)
        row.addWidget(IconView(icon, tone, 24), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(Text(word, "strong", tone=tone, wrap=False))
        head.addStretch(1)
        source = " · ".join(
            part for part in (f"Protocol § {finding.section}" if finding.section else "", finding.rule) if part
        )
        head.addWidget(Text(source, "small", wrap=False, name=f"{name}_source"))
        column.addLayout(head)
        column.addWidget(Text(finding.sentence, name=f"{name}_sentence"))
        if finding.compared:
            numbers = Text(" · ".join(map(say, finding.compared)), "muted", name=f"{name}_numbers")
            numbers.setAccessibleName(f"Compared: {numbers.text()}")
            column.addWidget(numbers)
        if (override := finding.override) is not None:
            column.addSpacing(SPACE_XS)
            column.addWidget(
                Text(
                    f"Overridden by {override.decided_by} ({override.role}) on {say_date(override.decided_on)}, "
                    f"document {override.document}. Reason: {override.why}",
                    name=f"{name}_override",
                )
            )
        self.button: Button | None = None
        if can_override and finding.severity is Severity.OVERRIDABLE and finding.override is None:
            self.button = Button("Record override…", name=f"{name}_record_override", icon="sign")
            self.button.setAccessibleDescription(finding.sentence)
            self.button.clicked.connect(self._ask)
            column.addSpacing(SPACE_XS)
            column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)

    def _ask(self) -> None:
        self.override_asked.emit(self.finding)


class FindingList(QWidget):
    """All findings, the gravest first. Signal ``override_asked(Finding)``. None at all is said in words."""

    override_asked = Signal(object)

    def __init__(
        self,
        findings: Sequence[Finding] = (),
        *,
        name: str = "findings",
        empty_text: str = "No rule has anything to say against this.",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._empty_text = empty_text
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_S)
        self.set_findings(findings)

    def set_findings(self, findings: Sequence[Finding], *, can_override: bool = True) -> None:
        """Show other findings."""
        clear_layout(self._column)
        for finding in sorted(findings, key=_grave):
            card = FindingCard(finding, can_override=can_override)
            card.override_asked.connect(self.override_asked)
            self._column.addWidget(card)
        if not findings and self._empty_text:
            row = QHBoxLayout()
            row.setSpacing(SPACE_S)
            row.addWidget(IconView("ok", "ok"))
            row.addWidget(Text(self._empty_text), 1)
            self._column.addLayout(row)


def _grave(finding: Finding) -> tuple[bool, int]:
    return not finding.blocks, _ORDER.index(finding.severity)
