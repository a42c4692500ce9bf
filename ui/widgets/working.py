"""The working of a number: every step opens to its formula, its inputs and its section."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from pharmacy_app.domain.findings import Step
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout, rule
from ui.widgets.findings import say
from ui.widgets.panels import KeyValues


class _StepRow(QWidget):
    """One step: a button with its name, its result large, and beneath, when opened, how it was made."""

    def __init__(self, step: Step, name: str, *, opened: bool) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._button = Button(step.name, name=name, kind="row", icon="chevron-right", icon_tone="muted")
        self._button.setCheckable(True)
        self._button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        result = Text(f"{step.result} {step.unit}".strip(), "title", wrap=False, name=f"{name}_result")
        result.setAccessibleName(f"{step.name}: {step.result} {step.unit}".strip())
        head = QHBoxLayout()
        head.setSpacing(SPACE_M)
        head.addWidget(self._button, 1)
        head.addWidget(result)
        pairs = [("Formula", step.formula), ("Inputs", "\n".join(map(say, step.inputs)))]
        if step.section:
            pairs.append(("Section", f"Protocol § {step.section}"))
        self._details = KeyValues(pairs, name=f"{name}_details")
        self._details.setContentsMargins(SPACE_XL + 2, 0, 0, SPACE_S)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_XS, SPACE_S, SPACE_XS)
        column.setSpacing(SPACE_XS)
        column.addLayout(head)
        column.addWidget(self._details)
        self._button.toggled.connect(self._show)
        self._button.setChecked(opened)
        self._show(opened)

    def _show(self, opened: bool) -> None:
        self._details.setVisible(opened)
        self._button.set_icon("chevron-down" if opened else "chevron-right", "muted")
        self._button.setAccessibleDescription("Opened" if opened else "Press Space to see the working.")

    def set_opened(self, opened: bool) -> None:
        """Open or close the step."""
        self._button.setChecked(opened)


class WorkingView(QWidget):
    """All steps of a decision as rows that open."""

    def __init__(
        self,
        steps: Sequence[Step] = (),
        *,
        opened: bool = False,
        name: str = "working",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._rows: list[_StepRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.set_steps(steps, opened=opened)

    def set_steps(self, steps: Sequence[Step], *, opened: bool = False) -> None:
        """Show other steps."""
        clear_layout(self._column)
        self._rows = []
        for at, step in enumerate(steps):
            if at:
                self._column.addWidget(rule())
            row = _StepRow(step, f"{self.objectName()}_{at + 1}", opened=opened)
            self._rows.append(row)
            self._column.addWidget(row)

    def open_all(self, opened: bool = True) -> None:
        """Open or close all steps."""
        for row in self._rows:
            row.set_opened(opened)


class _WorkingDialog(QDialog):
    def __init__(self, title: str, steps: Sequence[Step], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("working_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        view = WorkingView(steps, opened=True, name="working_dialog_steps")
        inner = QWidget()
        inner.setObjectName("scroll_content")
        top = QVBoxLayout(inner)
        top.setContentsMargins(0, 0, SPACE_S, 0)
        top.addWidget(view)
        top.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inner)
        inner.setAutoFillBackground(False)
        close = Button("&Close", name="working_dialog_close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "title"))
        column.addWidget(area, 1)
        column.addLayout(last)
        self.resize(620, min(640, 150 + 150 * max(1, len(steps))))


class NumberButton(QWidget):
    """A number with its caption; pressing it (mouse, Space or Enter) opens its working.

    Without steps it is shown as plain text of the same size. ``button`` carries the object name ``name``.
    """

    def __init__(
        self,
        caption: str,
        value: str = "–",
        unit: str = "",
        steps: Sequence[Step] = (),
        *,
        name: str,
        note: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}_number")
        self._caption = Text(caption, "small", wrap=False)
        self.button = Button("", name=name, kind="number")
        self.button.clicked.connect(self.open_working)
        self._note = Text(note, "small", wrap=False)
        self._steps: tuple[Step, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addWidget(self._caption)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._note)
        column.addStretch(1)
        self.set_number(value, unit, steps, note=note)

    def set_number(self, value: str, unit: str = "", steps: Sequence[Step] = (), *, note: str = "") -> None:
        """Show another number with its working."""
        self._steps = tuple(steps)
        shown = f"{value} {unit}".strip()
        self.button.setText(shown)
        self.button.setAccessibleName(f"{self._caption.text()}: {shown}")
        self.button.setEnabled(bool(steps))
        self.button.setToolTip("Show the working" if steps else "")
        self.button.setAccessibleDescription("Opens the working of this number." if steps else "")
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def open_working(self) -> None:
        """Show the working in a window of its own; Escape closes it."""
        if self._steps:
            title = f"Working – {self._caption.text()}"
            _WorkingDialog(title, self._steps, self.window()).open()
