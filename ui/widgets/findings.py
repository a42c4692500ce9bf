"""Findings of the rules as a person reads them: one calm line each, which opens to the whole of it.

The line says the rule, its severity by icon and word, and its sentence. Opened, by mouse or keyboard, it shows the
numbers compared, the protocol's own sentence, where the line runs, how it is read here, and what to do next.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.domain.findings import Finding, Named, Override, Severity
from ui.theme import SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, base_font
from ui.widgets.basics import Button, IconView, Text, clear_layout
from ui.widgets.dates import say_date
from ui.widgets.panels import KeyValues

if TYPE_CHECKING:
    from pharmacy_app.domain.rules.explain import Explained

Explain = Callable[[str], "Explained | None"]
"""What the catalogue says of a rule, by its id; ``None`` for one it does not know."""

# Word, icon and colour of each severity; the word alone tells them apart.
LOOK = {
    Severity.STOP: ("Stop", "stop", "stop"),
    Severity.OVERRIDABLE: ("Stop unless decided", "overridable", "stop"),
    Severity.WARN: ("Warning", "warn", "warn"),
    Severity.INFO: ("Note", "info", "info"),
}
DECIDED_LOOK = ("Decided in writing", "sign", "warn")

_ORDER = list(LOOK)


@cache
def _places() -> dict[str, int]:
    """Where each rule stands in the catalogue."""
    # Imported here: the first window is up before the rules are needed.
    from pharmacy_app.domain.rules import RULES

    return {rule_id: at for at, rule_id in enumerate(RULES)}


_RULE_WIDTH = 36
_LABEL_WIDTH = 168


def say(value: Named) -> str:
    """One named number as words, e.g. ``weight 70 kg``."""
    return " ".join(part for part in (value.name, value.value, value.unit) if part)


def say_override(override: Override, *, why: bool = True) -> str:
    """Who decided to go on, in which role, when, by which document, and, unless left out, why."""
    reason = f" Reason: {override.why}" if why else ""
    return (
        f"Decided in writing by {override.decided_by} ({override.role}) on {say_date(override.decided_on)}, "
        f"document {override.document}.{reason}"
    )


def look_of(finding: Finding) -> tuple[str, str, str]:
    """Word, icon and colour of a finding; one that was decided in writing looks like it."""
    return LOOK[finding.severity] if finding.override is None else DECIDED_LOOK


def words_width(findings: Sequence[Finding]) -> int:
    """The room in pixels that the longest word of these findings takes, so that their sentences stand in line."""
    metrics = QFontMetrics(base_font(bold=True))
    return max((metrics.horizontalAdvance(look_of(finding)[0]) for finding in findings), default=0) + SPACE_S


class FindingCard(QFrame):
    """One finding as a line that opens. Signal ``override_asked(Finding)`` from its button (overridable stops)."""

    override_asked = Signal(object)

    def __init__(
        self,
        finding: Finding,
        *,
        can_override: bool = True,
        explain: Explain | None = None,
        word_width: int = 0,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.finding = finding
        self._explain = explain
        self._name = name or f"finding_{finding.rule}"
        word, icon, tone = look_of(finding)
        self.setObjectName(self._name)
        self.setProperty("panel", tone)
        self.setAccessibleName(f"{word}: {finding.sentence}")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

        self.opener = Button("", name=f"{self._name}_open", kind="icon", icon="chevron-right", icon_tone="muted")
        self.opener.setProperty("small", True)
        self.opener.setFixedSize(24, 24)
        self.opener.setCheckable(True)
        self.opener.setAccessibleName(f"{finding.rule}, {word}: {finding.sentence}")
        self.opener.toggled.connect(self._show)
        rule = Text(finding.rule, "strong", wrap=False, name=f"{self._name}_rule")
        rule.setFixedWidth(_RULE_WIDTH)
        said = Text(word, "strong", tone=tone, wrap=False)
        said.setFixedWidth(word_width or words_width([finding]))
        top = Qt.AlignmentFlag.AlignTop
        line = QHBoxLayout()
        line.setSpacing(SPACE_S)
        for widget in (self.opener, rule, IconView(icon, tone, 20), said):
            line.addWidget(widget, 0, top)
        self._words = QVBoxLayout()
        self._words.setSpacing(SPACE_XS)
        sentence = Text(finding.sentence, name=f"{self._name}_sentence")
        self._words.addWidget(sentence)
        for text in (rule, said, sentence):
            # The first line stands level with icon and button, however many follow.
            text.setAlignment(top | Qt.AlignmentFlag.AlignLeft)
            text.setContentsMargins(0, 2, 0, 0)
        if finding.override is not None:
            self._words.addWidget(Text(say_override(finding.override), name=f"{self._name}_override"))
        self.button: Button | None = None
        if can_override and finding.severity is Severity.OVERRIDABLE and finding.override is None:
            self.button = Button("Record a written decision…", name=f"{self._name}_record_override", icon="sign")
            self.button.setAccessibleDescription(finding.sentence)
            self.button.clicked.connect(self._ask)
            self._words.addSpacing(SPACE_XS)
            self._words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        line.addLayout(self._words, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(SPACE_S, SPACE_S, SPACE_M, SPACE_S)
        self._column.setSpacing(SPACE_S)
        self._column.addLayout(line)
        self._details: QWidget | None = None
        self._show(False)

    @property
    def opened(self) -> bool:
        """Whether the whole of it is shown."""
        return self.opener.isChecked()

    def set_opened(self, opened: bool) -> None:
        """Open or close it."""
        self.opener.setChecked(opened)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The whole line opens and closes, not its small button alone."""
        at = event.position().toPoint()
        above_details = self._details is None or self._details.isHidden() or at.y() < self._details.y()
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(at) and above_details:
            self.opener.toggle()
        super().mouseReleaseEvent(event)

    def _show(self, opened: bool) -> None:
        if opened and self._details is None:
            self._details = self._make_details()
            self._column.addWidget(self._details)
        if self._details is not None:
            self._details.setVisible(opened)
        self.opener.set_icon("chevron-down" if opened else "chevron-right", "muted")
        self.opener.setAccessibleDescription(
            "Opened" if opened else "Press Space to see numbers, protocol and next step."
        )
        self.opener.setToolTip("Close" if opened else "Show numbers, protocol and what to do next")

    def _make_details(self) -> QWidget:
        """The numbers, then the protocol and the catalogue on the rule; made when it is first opened."""
        details = QWidget()
        column = QVBoxLayout(details)
        column.setContentsMargins(SPACE_XL, 0, 0, SPACE_XS)
        column.setSpacing(SPACE_S)
        if self.finding.compared:
            numbers = [
                (value.name[:1].upper() + value.name[1:], f"{value.value} {value.unit}".strip())
                for value in self.finding.compared
            ]
            column.addWidget(_pairs(numbers, f"{self._name}_numbers"))
        column.addWidget(_pairs(self._told(), f"{self._name}_explained"))
        return details

    def _told(self) -> list[tuple[str, str]]:
        section = f"Protocol § {self.finding.section}" if self.finding.section else "Protocol"
        told = self._explain(self.finding.rule) if self._explain is not None else None
        if told is None:
            return [(section, "")]
        pairs = [
            ("Rule", told.rule),
            *((f"Protocol § {text.section}", f"“{text.text}”") for text in told.sentences),
            (section, told.no_sentence),
            ("Where the line is", told.boundary),
            ("How we read it", told.reading),
            ("What to do next", told.next),
        ]
        return [(label, words) for label, words in pairs if words]

    def _ask(self) -> None:
        self.override_asked.emit(self.finding)


def _pairs(pairs: Sequence[tuple[str, str]], name: str) -> KeyValues:
    """Pairs whose labels take the same room wherever they stand."""
    view = KeyValues(pairs, name=name)
    if isinstance(grid := view.layout(), QGridLayout):
        grid.setColumnMinimumWidth(0, _LABEL_WIDTH)
    return view


class FindingList(QWidget):
    """All findings, the gravest first and then in catalogue order; notes are folded under their number.

    Signal ``override_asked(Finding)``. None at all is said in words. ``prefix`` begins the names of the lines, so that
    two lists can stand on one page. What was opened stays open while the same rule goes on saying something.
    """

    override_asked = Signal(object)

    def __init__(
        self,
        findings: Sequence[Finding] = (),
        *,
        name: str = "findings",
        prefix: str = "finding",
        empty_text: str = "No rule has anything to say against this.",
        explain: Explain | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._prefix = prefix
        self._empty_text = empty_text
        self._shown: tuple[tuple[Finding, ...], bool, Explain | None] | None = None
        self._cards: list[FindingCard] = []
        self._notes: Button | None = None
        self._folded = QWidget()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_S)
        self.set_findings(findings, explain=explain)

    def set_findings(
        self, findings: Sequence[Finding], *, can_override: bool = True, explain: Explain | None = None
    ) -> None:
        """Show other findings; the same ones again change nothing."""
        if self._shown == (tuple(findings), can_override, explain):
            return
        self._shown = (tuple(findings), can_override, explain)
        opened = {card.finding.rule for card in self._cards if card.opened}
        unfolded = self._notes is not None and self._notes.isChecked()
        clear_layout(self._column)
        self._cards, self._notes = [], None
        count: dict[str, int] = {}
        width = words_width(findings)
        for finding in sorted(findings, key=_grave):
            count[finding.rule] = count.get(finding.rule, 0) + 1
            more = "" if count[finding.rule] == 1 else f"_{count[finding.rule]}"
            card = FindingCard(
                finding,
                can_override=can_override,
                explain=explain,
                word_width=width,
                name=f"{self._prefix}_{finding.rule}{more}",
            )
            card.override_asked.connect(self.override_asked)
            card.set_opened(finding.rule in opened)
            self._cards.append(card)
        said = [card for card in self._cards if card.finding.severity is not Severity.INFO]
        notes = [card for card in self._cards if card.finding.severity is Severity.INFO]
        for card in said:
            self._column.addWidget(card)
        if not said and self._empty_text:
            row = QHBoxLayout()
            row.setSpacing(SPACE_S)
            row.addWidget(IconView("ok", "ok"))
            row.addWidget(Text(self._empty_text), 1)
            self._column.addLayout(row)
        if notes:
            self._fold(notes, unfolded=unfolded)

    def _fold(self, notes: Sequence[FindingCard], *, unfolded: bool) -> None:
        words = f"{len(notes)} note{'' if len(notes) == 1 else 's'}"
        self._notes = Button(words, name=f"{self.objectName()}_notes", kind="row", icon="chevron-right")
        self._notes.setCheckable(True)
        self._notes.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._folded = QWidget()
        column = QVBoxLayout(self._folded)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        for card in notes:
            column.addWidget(card)
        self._column.addWidget(self._notes)
        self._column.addWidget(self._folded)
        self._notes.toggled.connect(self._unfold)
        self._notes.setChecked(unfolded)
        self._unfold(unfolded)

    def _unfold(self, shown: bool) -> None:
        self._folded.setVisible(shown)
        if self._notes is not None:
            self._notes.set_icon("chevron-down" if shown else "chevron-right", "muted")
            self._notes.setAccessibleDescription("Opened" if shown else "Press Space to read them.")


def _grave(finding: Finding) -> tuple[int, bool, int]:
    return _ORDER.index(finding.severity), not finding.blocks, _places().get(finding.rule, len(_places()))
