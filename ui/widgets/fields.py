"""Fields and forms: a label, an editor, what it was read as, and the fault beside it.

Every field is made with a ``name`` (the key of its value and the object name of its editor) and a ``label``
(its visible words and accessible name). Common to all: signal ``changed()``; ``text()`` as typed; ``value()``
for the service; ``set_value(text)``; ``set_fault(sentence)``, '' to clear; ``fault()``; ``set_hint(text)``;
``set_read_only(bool)``. ``check`` is called with ``value()`` and returns a sentence, or '' when all is well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from PySide6.QtCore import QDate, QElapsedTimer, QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QTextCharFormat
from PySide6.QtWidgets import (
    QCalendarWidget,
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from pharmacy_app.domain.errors import Fault
from ui.scan_watch import END_MS, FAST_MS, SEPARATOR, SHORTEST, is_separator
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, Theme, repolish
from ui.widgets.basics import Button, IconView, Text, announce, plain
from ui.widgets.dates import DATE_FAULT, DATE_TIME_FAULT, TIME_FAULT, parse_date, parse_time, say_date

Check = Callable[[str], str]

_PAUSE_MS = 700
_ROOM_FOR_NOW = 344


class Field(QWidget):
    """Base of all fields; see the module's opening for what they share."""

    changed = Signal()

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.required = required
        self.setObjectName(f"{name}_field")
        self._words = plain(label)
        self._check = check
        self._hint_text = hint
        self._unsettled = False
        self._marked: QWidget | None = None
        self._label = Text(label, "label", wrap=False, name=f"{name}_label")
        self._need = Text("required" if required else "", "small", wrap=False)
        self._reading = Text("", "small", name=f"{name}_reading")
        self._fault = Text("", "fault", name=f"{name}_fault")
        self._fault_icon = IconView("stop", "stop", 16)
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._settle)

        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(self._label)
        head.addWidget(self._need)
        head.addStretch(1)
        self._editor_row = QHBoxLayout()
        self._editor_row.setSpacing(SPACE_S)
        self._fault_row = QWidget()
        beside = QHBoxLayout(self._fault_row)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(SPACE_XS)
        beside.addWidget(self._fault_icon, 0, Qt.AlignmentFlag.AlignTop)
        beside.addWidget(self._fault, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addLayout(head)
        column.addLayout(self._editor_row)
        column.addWidget(self._reading)
        column.addWidget(self._fault_row)
        self._head = head
        self._fault_row.hide()
        self._show_reading()

    # -- what every field answers

    def text(self) -> str:
        """The input as it was typed."""
        raise NotImplementedError

    def value(self) -> str:
        """The input as the service takes it; the typed text where it cannot be read."""
        return self.text().strip()

    def set_value(self, value: str) -> None:
        """Put ``value`` in, as if it had been typed and found right."""
        raise NotImplementedError

    def values(self) -> dict[str, str]:
        """What this field adds to its form's values."""
        return {self.name: self.value()}

    def editor(self) -> QWidget:
        """The widget that takes the focus."""
        raise NotImplementedError

    def label_text(self) -> str:
        """The visible label without its mnemonic mark."""
        return self._words

    def fault(self) -> str:
        """The sentence now shown beside the field, or ''."""
        return self._fault.text()

    def set_fault(self, sentence: str) -> None:
        """Show what is wrong beside the field; '' clears it. What was typed stays."""
        if sentence:
            # What was just typed is judged with this: the pause after typing must not take it away again.
            self._pause.stop()
            self._unsettled = False
        if sentence == self._fault.text():
            return
        self._fault.setText(sentence)
        self._fault_row.setVisible(bool(sentence))
        if self._marked is not None:
            self._marked.setProperty("faulty", bool(sentence))
            repolish(self._marked)
        self._describe()

    def check_now(self) -> str:
        """Check the value at once, show the outcome, and return it ('' when right)."""
        self._pause.stop()
        self._unsettled = False
        fault = self._find_fault()
        if not fault and self.required and not self.value():
            fault = f"{self._words} is required."
        self.set_fault(fault)
        return fault

    def own_fault(self) -> str:
        """What the field itself finds wrong with what stands in it now; nothing is shown."""
        return self._find_fault()

    def set_required(self, required: bool) -> None:
        """Say beside the label whether the field is needed; where it depends on what stands in another."""
        self.required = required
        self._need.setText("required" if required else "")
        self._describe()

    def set_hint(self, hint: str) -> None:
        """Show a quiet line beneath the editor; a reading of the value takes its place."""
        self._hint_text = hint
        self._show_reading()

    def set_read_only(self, read_only: bool) -> None:
        """Show the value without letting it be changed."""
        self.editor().setEnabled(not read_only)

    # -- for the kinds of field

    def _install(self, editor: QWidget, *, stretch: int = 1) -> None:
        editor.setObjectName(self.name)
        editor.setAccessibleName(self._words)
        self._label.setBuddy(editor)
        self._editor_row.insertWidget(0, editor, stretch)
        self._marked = editor
        self._describe()

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Stand on the editor. A focus proxy would do this too, but it would keep its place in the order of Tab."""
        self.editor().setFocus(reason)

    def _read(self) -> str:
        """How the value was understood, e.g. a date in full; '' when there is nothing to say."""
        return ""

    def _find_fault(self) -> str:
        value = self.value()
        return self._check(value) if self._check and value else ""

    def _edited(self) -> None:
        """Typing: a standing fault is judged anew at once, a new one waits for a pause."""
        self._unsettled = True
        self._show_reading()
        if self.fault():
            self.set_fault(self._find_fault())
        else:
            self._pause.start()
        self.changed.emit()

    def _settle(self) -> None:
        self._pause.stop()
        if not self._unsettled:
            # Nothing was typed since the field was judged: what a service said of it still stands.
            return
        self._unsettled = False
        self.set_fault(self._find_fault())

    def _show_reading(self) -> None:
        line = self._read() or self._hint_text
        self._reading.setText(line)
        self._reading.setVisible(bool(line))

    def _describe(self) -> None:
        if self._marked is not None:
            parts = (self._need.text(), self._hint_text, self.fault())
            self._marked.setAccessibleDescription(" ".join(part for part in parts if part))


class _WordsLine(QLineEdit):
    """A line of words: tabbed into, it stands at its end; the next key must not replace the whole of it unseen."""

    _BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Stand at the end of what was typed before."""
        super().focusInEvent(event)
        if event.reason() in self._BY_KEYS:
            self.end(False)


class TextField(Field):
    """One line of text. ``placeholder`` is an example only; the label names the field."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        placeholder: str = "",
        max_length: int = 200,
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, check=check, parent=parent)
        self._line = self._make_line()
        self._line.setMaxLength(max_length)
        self._line.setPlaceholderText(placeholder)
        self._install(self._line)
        self._line.textChanged.connect(self._edited)
        self._line.editingFinished.connect(self._settle)

    def text(self) -> str:
        """The input as it was typed."""
        return self._line.text()

    def set_value(self, value: str) -> None:
        """Put ``value`` in."""
        self._line.setText(value)
        self._settle()

    def editor(self) -> QLineEdit:
        """The line itself."""
        return self._line

    def _make_line(self) -> QLineEdit:
        return _WordsLine()

    def set_read_only(self, read_only: bool) -> None:
        """Show the text without letting it be changed; it can still be reached and copied."""
        self._line.setReadOnly(read_only)


class DecimalField(TextField):
    """A number as typed; reading and limits are ``check``'s business. ``unit`` stands behind the editor."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        unit: str = "",
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, max_length=40, check=check, parent=parent)
        self._line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._line.setMinimumWidth(96)
        if unit:
            self._editor_row.addWidget(Text(unit, "muted", wrap=False, name=f"{name}_unit"))

    def _make_line(self) -> QLineEdit:
        # A number is typed anew as a whole: tabbed into, it is chosen.
        return QLineEdit()


class _Combo(QComboBox):
    """A choice that scrolling a page cannot change by accident; its list carries names too."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(words)
        self.view().setObjectName(f"{name}_list")
        self.view().setAccessibleName(words)

    def wheelEvent(self, event: QEvent) -> None:
        """Leave the wheel to the page."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take plain letters alone for a search: one with Alt or Ctrl was meant for another part of the page."""
        held = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier
        if event.modifiers() & held and event.key() not in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
            return
        super().keyPressEvent(event)


class AmountField(DecimalField):
    """A number with a choice of unit. ``convert(value, unit)`` gives the line beneath ('' for none)."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        units: Sequence[str],
        convert: Callable[[str, str], str] | None = None,
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, check=check, parent=parent)
        self._convert = convert
        self._unit = _Combo(f"{name}_unit", f"{self._words} unit")
        self._unit.addItems(list(units))
        self._unit.setMinimumWidth(80)
        self._editor_row.addWidget(self._unit)
        self._unit.currentIndexChanged.connect(self._unit_changed)

    def unit(self) -> str:
        """The chosen unit."""
        return self._unit.currentText()

    def set_unit(self, unit: str) -> None:
        """Choose a unit; one that is not offered is a programming error (``ValueError``)."""
        at = self._unit.findText(unit)
        if at < 0:
            raise ValueError(unit)
        self._unit.setCurrentIndex(at)

    def values(self) -> dict[str, str]:
        """The number under the field's name and the unit under ``<name>_unit``."""
        return {self.name: self.value(), f"{self.name}_unit": self.unit()}

    def set_read_only(self, read_only: bool) -> None:
        """Show number and unit without letting them be changed."""
        super().set_read_only(read_only)
        self._unit.setEnabled(not read_only)

    def _unit_changed(self) -> None:
        self._show_reading()
        self._settle()
        self.changed.emit()

    def _read(self) -> str:
        convert = getattr(self, "_convert", None)
        return convert(self.value(), self.unit()) if convert and self.value() else ""


class _Calendar(QDialog):
    """A month to choose a day from; Escape leaves the field as it was."""

    chosen = Signal(QDate)

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.calendar = QCalendarWidget()
        self.calendar.setObjectName("calendar")
        self.calendar.setAccessibleName(title)
        self.calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        quiet = QTextCharFormat()
        quiet.setForeground(QColor(Theme.tokens.muted))
        self.calendar.setHeaderTextFormat(quiet)
        for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            # Qt paints weekends red; red means Stop here.
            self.calendar.setWeekdayTextFormat(day, quiet)
        self.calendar.setMinimumSize(336, 280)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        column.addWidget(self.calendar)
        self.calendar.activated.connect(self._take)
        self.calendar.clicked.connect(self._take)

    def _take(self, day: QDate) -> None:
        self.chosen.emit(day)
        self.accept()


class DateField(TextField):
    """A typed date, read back in full beneath; the button or F4 opens a calendar. ``value()`` is ISO."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            name, label, required=required, hint=hint, placeholder="2026-11-22", max_length=24, check=check,
            parent=parent,
        )  # fmt: skip
        self._open = Button("", name=f"{name}_calendar", kind="icon", icon="calendar")
        self._open.setAccessibleName(f"{self._words} calendar")
        self._open.setToolTip("Choose from a calendar (F4)")
        # F4 does the same: one stop less on the way through a form.
        self._open.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._open.clicked.connect(self.open_calendar)
        self._editor_row.addWidget(self._open)
        self._picker: _Calendar | None = None
        shortcut = QShortcut(QKeySequence(Qt.Key.Key_F4), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.open_calendar)

    def _make_line(self) -> QLineEdit:
        # A date is typed anew as a whole: tabbed into, it is chosen.
        return QLineEdit()

    def day(self) -> date | None:
        """The date typed, or ``None`` when there is none or it cannot be read."""
        return parse_date(self.text())

    def value(self) -> str:
        """The date as ISO, or the typed text where it cannot be read."""
        day = self.day()
        return day.isoformat() if day else self.text().strip()

    def set_date(self, day: date) -> None:
        """Put a date in."""
        self.set_value(day.isoformat())

    def open_calendar(self) -> None:
        """Show the calendar at the date typed."""
        if self._line.isReadOnly():
            return
        if self._picker is None:
            self._picker = _Calendar(f"{self._words} calendar", self)
            self._picker.chosen.connect(self._take)
        if (day := self.day()) is not None:
            self._picker.calendar.setSelectedDate(QDate(day.year, day.month, day.day))
        self._picker.move(self._line.mapToGlobal(QPoint(0, self._line.height() + SPACE_XS)))
        self._picker.open()
        self._picker.calendar.setFocus()

    def _take(self, day: QDate) -> None:
        self.set_date(date(day.year(), day.month(), day.day()))
        self._line.setFocus()

    def _read(self) -> str:
        day = self.day() if hasattr(self, "_line") else None
        return say_date(day) if day else ""

    def _find_fault(self) -> str:
        if self.text().strip() and self.day() is None:
            return DATE_FAULT
        return super()._find_fault()


class TimeField(TextField):
    """A typed time of day on the 24-hour clock. ``value()`` is ``HH:MM``."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            name, label, required=required, hint=hint, placeholder="09:05", max_length=8, check=check,
            parent=parent,
        )  # fmt: skip

    def _make_line(self) -> QLineEdit:
        # A time is typed anew as a whole: tabbed into, it is chosen.
        return QLineEdit()

    def value(self) -> str:
        """The time as ``HH:MM``, or the typed text where it cannot be read."""
        moment = parse_time(self.text())
        return moment.isoformat("minutes") if moment else self.text().strip()

    def _find_fault(self) -> str:
        if self.text().strip() and parse_time(self.text()) is None:
            return TIME_FAULT
        return super()._find_fault()


class DateTimeField(DateField):
    """A date and a time, site-local, in one field. ``value()`` is ``2026-11-22T09:05`` without an offset.

    ``now`` gives the site's clock for the button 'Now'; without it there is no button.
    """

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        now: Callable[[], datetime] | None = None,
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, check=check, parent=parent)
        self._now = now
        self._time = QLineEdit()
        self._time.setObjectName(f"{name}_time")
        self._time.setAccessibleName(f"{self._words} time")
        self._time.setPlaceholderText("09:05")
        self._time.setMaxLength(8)
        self._time.setFixedWidth(80)
        self._time.textChanged.connect(self._edited)
        self._time.editingFinished.connect(self._settle)
        self._line.editingFinished.connect(self._part)
        self._editor_row.addWidget(self._time)
        self._now_button: Button | None = None
        if now is not None:
            self._now_button = Button("Now", name=f"{name}_now", kind="quiet", icon="clock")
            self._now_button.setAccessibleName(f"{self._words} now")
            self._now_button.setToolTip("Now")
            self._now_button.clicked.connect(self._take_now)
            self._editor_row.addWidget(self._now_button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room the day needs it more than the word on the button."""
        super().resizeEvent(event)
        words = "" if event.size().width() < _ROOM_FOR_NOW else "Now"
        if self._now_button is not None and self._now_button.text() != words:
            self._now_button.set_text(words)
            self._now_button.setAccessibleName(f"{self._words} now")

    def text(self) -> str:
        """Date and time as typed, with a blank between."""
        return " ".join(self._parts()).strip() if hasattr(self, "_time") else ""

    def day(self) -> date | None:
        """The date typed, or ``None``."""
        return parse_date(self._parts()[0])

    def _parts(self) -> tuple[str, str]:
        """Date and time as typed, though both may stand in the first line; a time beside it is not overruled."""
        typed, moment = self._line.text(), self._time.text() if hasattr(self, "_time") else ""
        both = re.fullmatch(r"\s*(\S.*?)(?:\s+|(?<=\d)[Tt])(\d{1,2}:\d{2}|\d{4})\s*", typed, re.ASCII)
        if both is None or parse_date(typed) is not None or parse_date(both[1]) is None:
            return typed, moment
        if moment.strip() and parse_time(moment) != parse_time(both[2]):
            return typed, moment
        return both[1], both[2]

    def value(self) -> str:
        """Date and time as ISO to the minute, or the typed text where either cannot be read."""
        day, moment = self.day(), parse_time(self._parts()[1])
        return f"{day.isoformat()}T{moment.isoformat('minutes')}" if day and moment else self.text()

    def set_value(self, value: str) -> None:
        """Put in ``2026-11-22T09:05`` (or with a blank for the T), or '' to clear."""
        day, _, moment = value.replace("T", " ").partition(" ")
        self._line.setText(day)
        self._time.setText(moment[:5])
        self._settle()

    def set_date(self, day: date) -> None:
        """Put a date in and keep the time."""
        self._line.setText(day.isoformat())

    def set_read_only(self, read_only: bool) -> None:
        """Show date and time without letting them be changed."""
        super().set_read_only(read_only)
        self._time.setReadOnly(read_only)

    def _take_now(self) -> None:
        if self._now is not None:
            self.set_value(self._now().strftime("%Y-%m-%dT%H:%M"))

    def _read(self) -> str:
        if not hasattr(self, "_time"):
            return ""
        day, moment = self.day(), parse_time(self._parts()[1])
        return f"{say_date(day)}, {moment.isoformat('minutes')}" if day and moment else super()._read()

    def _find_fault(self) -> str:
        if not self.text():
            return ""
        if self.day() is None:
            return DATE_TIME_FAULT
        # The time is judged once it was begun, or when the field is checked as a whole.
        moment = self._parts()[1]
        if moment and parse_time(moment) is None:
            return TIME_FAULT
        return self._check(self.value()) if self._check and moment else ""

    def check_now(self) -> str:
        """Check both parts at once; a date without its time is a fault too."""
        fault = super().check_now()
        if not fault and self.text() and not self._parts()[1].strip():
            fault = f"{self._words} needs a time as well, for example 09:05."
            self.set_fault(fault)
        return fault

    def _settle(self) -> None:
        if not hasattr(self, "_time"):
            return
        super()._settle()

    def _part(self) -> None:
        """Once the first line is left, a time typed behind its date stands in the place of the time."""
        day, moment = self._parts()
        if (day, moment) != (self._line.text(), self._time.text()):
            self._time.setText(moment)
            self._line.setText(day)
            self._settle()


class ChoiceField(Field):
    """One of several. ``choices`` are pairs (value, words); nothing is chosen until the person chooses."""

    def __init__(
        self,
        name: str,
        label: str,
        choices: Sequence[tuple[str, str]] = (),
        *,
        required: bool = False,
        hint: str = "",
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, check=check, parent=parent)
        self._combo = _Combo(name, self._words)
        self._combo.setPlaceholderText("Choose…")
        self._install(self._combo)
        self.set_choices(choices)
        self._combo.currentIndexChanged.connect(self._picked)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Offer other choices; the present value stays chosen where it is still offered."""
        kept = self.value()
        was_blocked = self._combo.blockSignals(True)
        self._combo.clear()
        for value, words in choices:
            self._combo.addItem(words, value)
        self._combo.setCurrentIndex(self._combo.findData(kept) if kept else -1)
        self._combo.blockSignals(was_blocked)
        if self.value() != kept:
            self.changed.emit()

    def text(self) -> str:
        """The words of the choice, '' when nothing is chosen."""
        return self._combo.currentText() if self._combo.currentIndex() >= 0 else ""

    def value(self) -> str:
        """The chosen value, '' when nothing is chosen."""
        data = self._combo.currentData() if self._combo.currentIndex() >= 0 else ""
        return str(data)

    def set_value(self, value: str) -> None:
        """Choose ``value``; '' or one that is not offered chooses nothing."""
        self._combo.setCurrentIndex(self._combo.findData(value) if value else -1)

    def editor(self) -> QComboBox:
        """The combo box itself."""
        return self._combo

    def _picked(self) -> None:
        self._edited()
        self._settle()


class PasswordField(TextField):
    """A password; it never leaves by ``text`` of a form's draft: ``Form.values`` carries it once, at the act."""

    def __init__(
        self,
        name: str,
        label: str = "Password",
        *,
        required: bool = False,
        hint: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, max_length=1024, parent=parent)
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        self._line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData)

    def _make_line(self) -> QLineEdit:
        # What cannot be seen cannot be mended in the middle: tabbed into, it is chosen.
        return QLineEdit()

    def value(self) -> str:
        """The password exactly as typed, blanks included."""
        return self.text()

    def clear(self) -> None:
        """Forget what was typed."""
        self._line.clear()


class _ScanLine(QLineEdit):
    """A line that also takes the group separator GS1 symbols carry, which Qt would swallow."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Insert the separator, however the scanner's keyboard sends it."""
        if is_separator(event):
            self.insert(SEPARATOR)
            event.accept()
            return
        super().keyPressEvent(event)


class ScanField(Field):
    """Takes scans: Enter ends one, and so does a pause after very fast typing. Clears itself each time.

    Signal ``scanned(str)`` gives the code, ``by_hand`` tells whether a person typed the one just given; what was
    scanned so far is listed by the page. A field that ``collects`` also gets what is scanned while something else on
    its page has the focus.
    """

    scanned = Signal(str)

    def __init__(
        self,
        name: str,
        label: str = "Scan or type a unit number",
        *,
        hint: str = "A scanner ends by itself; after typing, press Enter.",
        collects: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, hint=hint, parent=parent)
        self.collects = collects
        self.by_hand = False
        self._line = _ScanLine()
        self._line.setMaxLength(512)
        self._install(self._line)
        self._editor_row.insertWidget(0, IconView("scan", "muted", 24))
        self._since = QElapsedTimer()
        self._one_by_one = self._fast = False
        self._length = 0
        self._end = QTimer(self, interval=END_MS, singleShot=True)
        self._end.timeout.connect(self._end_fast)
        self._line.textEdited.connect(self._typed)
        self._line.returnPressed.connect(self._finish)

    def text(self) -> str:
        """What stands in the line now."""
        return self._line.text()

    def set_value(self, value: str) -> None:
        """Put text in without ending the scan."""
        self._line.setText(value)

    def editor(self) -> QLineEdit:
        """The line itself."""
        return self._line

    def values(self) -> dict[str, str]:
        """Nothing: scans are listed by the page."""
        return {}

    def _typed(self, text: str) -> None:
        if len(text) == 1:
            self._one_by_one = True
            self._since.start()
        elif len(text) != self._length + 1:
            self._one_by_one = False  # put right, or pasted
        # The pace as a whole: one pause of a busy window does not make a hand.
        self._fast = self._one_by_one and self._since.elapsed() <= FAST_MS * max(self._length, 1)
        self._length = len(text)
        self._end.start()
        if self.fault():
            self.set_fault("")
        self.changed.emit()

    def _end_fast(self) -> None:
        if self._fast and self._length >= SHORTEST:
            self._finish()

    def _finish(self) -> None:
        self._end.stop()
        code = self._line.text().strip(" \r\n\t")
        by_hand = not self._fast
        self._line.clear()
        self._length, self._fast = 0, False
        if code:
            self.take(code, by_hand=by_hand)

    def take(self, code: str, *, by_hand: bool = False) -> None:
        """Take a code as if it had been scanned here."""
        self.by_hand = by_hand
        self.set_fault("")
        self.scanned.emit(code)


class CheckField(Field):
    """A statement the person ticks. ``value()`` is 'yes' or ''."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, parent=parent)
        self._box = QCheckBox(label)
        self._label.hide()
        self._install(self._box, stretch=0)
        self._label.setBuddy(None)  # type: ignore[arg-type]
        self._head.removeWidget(self._need)
        self._editor_row.addWidget(self._need)
        self._editor_row.addStretch(1)
        self._box.toggled.connect(self._picked)

    def text(self) -> str:
        """'yes' or ''."""
        return "yes" if self._box.isChecked() else ""

    def set_value(self, value: str) -> None:
        """Tick for 'yes', untick for anything else."""
        self._box.setChecked(value == "yes")

    def editor(self) -> QCheckBox:
        """The box itself."""
        return self._box

    def _picked(self) -> None:
        self._edited()
        self._settle()


class NoteField(Field):
    """Several lines of text; Tab moves on. In a note of one line Enter makes a blank, as does a break pasted in."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        lines: int = 3,
        check: Check | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, label, required=required, hint=hint, check=check, parent=parent)
        self._one_line = lines == 1
        self._note = QPlainTextEdit()
        self._note.setTabChangesFocus(True)
        self._note.setFixedHeight(lines * 20 + SPACE_L)
        self._install(self._note)
        self._note.textChanged.connect(self._edited)
        self._note.installEventFilter(self)

    def text(self) -> str:
        """The input as it was typed; of one line, without breaks."""
        typed = self._note.toPlainText()
        return typed.replace("\n", " ") if self._one_line else typed

    def set_value(self, value: str) -> None:
        """Put ``value`` in."""
        self._note.setPlainText(value)
        self._settle()

    def editor(self) -> QPlainTextEdit:
        """The text editor itself."""
        return self._note

    def set_read_only(self, read_only: bool) -> None:
        """Show the text without letting it be changed."""
        self._note.setReadOnly(read_only)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Judge the note when it is left; keep one line one line."""
        if event.type() is QEvent.Type.FocusOut:
            self._settle()
        enter = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and self._one_line and event.type() is QEvent.Type.KeyPress and not self._note.isReadOnly():
            self._note.insertPlainText(" ")
            return True
        return super().eventFilter(watched, event)


def tab_stops(widget: QWidget) -> list[QWidget]:
    """What Tab stops at in ``widget``, in the order in which its parts were put there.

    The window's own chain is not asked for: what ``nextInFocusChain`` gives to Python is taken there for a child of the
    widget that was asked, and parts are destroyed twice.
    """
    own = [widget] if (widget.focusPolicy() & Qt.FocusPolicy.TabFocus) == Qt.FocusPolicy.TabFocus else []
    inside = (child for child in widget.children() if isinstance(child, QWidget) and not child.isWindow())
    return own + [stop for child in inside for stop in tab_stops(child)]


def chain_tabs(stops: Sequence[QWidget]) -> None:
    """Have Tab go from each of these to the next, wherever they stand and whenever they were made."""
    for here, there in pairwise(stops):
        QWidget.setTabOrder(here, there)


class Form(QWidget):
    """Fields on one grid. Faults are all shown at once, beside the fields they belong to.

    Signal ``changed()``. ``show_faults`` puts faults of unknown fields on top and the focus on the first
    faulty field; ``check`` does the same with the fields' own checks.
    """

    changed = Signal()

    def __init__(self, *, columns: int = 2, name: str = "form", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._columns = columns
        self._fields: dict[str, Field] = {}
        self._last_stop: QWidget | None = None
        self._row, self._column = 1, 0
        self._clean: dict[str, str] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_L)
        self._grid.setVerticalSpacing(SPACE_M)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)
        self._summary = QFrame()
        self._summary.setProperty("panel", "stop")
        self._summary.setObjectName(f"{name}_faults")
        summary = QHBoxLayout(self._summary)
        summary.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        summary.setSpacing(SPACE_S)
        self._summary_text = Text("", "body", name=f"{name}_fault_summary")
        summary.addWidget(IconView("stop", "stop"), 0, Qt.AlignmentFlag.AlignTop)
        summary.addWidget(self._summary_text, 1)
        self._grid.addWidget(self._summary, 0, 0, 1, columns)
        self._summary.hide()

    def add(self, field: Field, *, span: int = 1) -> Field:
        """Add a field at the next place, ``span`` columns wide; returns it."""
        if field.name in self._fields:
            raise ValueError(f"There are two fields named {field.name}.")
        self._place(field, span)
        self._fields[field.name] = field
        self._clean.update(field.values())
        field.changed.connect(self.changed)
        return field

    def add_widget(self, widget: QWidget, *, span: int = 0) -> None:
        """Add any widget at the next place; ``span`` 0 means the whole width."""
        self._place(widget, span or self._columns)

    def end_row(self) -> None:
        """Begin a new row with the next field."""
        if self._column:
            self._row, self._column = self._row + 1, 0

    def _place(self, widget: QWidget, span: int) -> None:
        span = min(span, self._columns)
        if self._column + span > self._columns:
            self.end_row()
        self._grid.addWidget(widget, self._row, self._column, 1, span, Qt.AlignmentFlag.AlignTop)
        self._join_tabs(widget)
        self._column += span
        if self._column >= self._columns:
            self.end_row()

    def _join_tabs(self, widget: QWidget) -> None:
        """Tab goes on from what stood last to what is placed now, whenever it was made."""
        before = [self._last_stop] if self._last_stop is not None and isValid(self._last_stop) else []
        if stops := tab_stops(widget):
            chain_tabs((*before, *stops))
            self._last_stop = stops[-1]

    def field(self, name: str) -> Field:
        """The field of that name (``KeyError`` when there is none)."""
        return self._fields[name]

    def fields(self) -> tuple[Field, ...]:
        """All fields in their order."""
        return tuple(self._fields.values())

    def values(self) -> dict[str, str]:
        """All values by field name, as the service takes them."""
        return {key: value for field in self._fields.values() for key, value in field.values().items()}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put values in by field name (and ``<name>_unit``); the form counts as clean afterwards."""
        for name, field in self._fields.items():
            if isinstance(field, AmountField) and values.get(f"{name}_unit"):
                field.set_unit(values[f"{name}_unit"])
            if name in values:
                field.set_value(values[name])
        self.mark_clean()

    def clear(self) -> None:
        """Empty every field and forget all faults; the form counts as clean."""
        for field in self._fields.values():
            field.set_value("")
        self.clear_faults()
        self.mark_clean()

    def is_dirty(self) -> bool:
        """Whether anything differs from what was last put in or saved."""
        return self.values() != self._clean

    def mark_clean(self) -> None:
        """Take what stands in the fields as saved."""
        self._clean = self.values()

    def clear_faults(self) -> None:
        """Take away every fault shown."""
        self._summary.hide()
        self._summary_text.setText("")
        for field in self._fields.values():
            field.set_fault("")

    def check(self) -> bool:
        """Check every field at once; show all faults, focus the first, and say whether all is well."""
        faulty = [field for field in self._fields.values() if field.check_now()]
        self._summary.hide()
        if faulty:
            faulty[0].editor().setFocus()
            announce(self, f"{len(faulty)} fields need a look. {faulty[0].fault()}")
        return not faulty

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show all ``faults`` at once: beside the field each names, the others in one banner on top."""
        self.clear_faults()
        by_field: dict[str, list[str]] = {}
        others: list[str] = []
        for fault in faults:
            field = self._fields.get(fault.field) or self._fields.get(fault.field.removesuffix("_unit"))
            if field is None or field.isHidden():
                others.append(str(fault))
            else:
                by_field.setdefault(field.name, []).append(str(fault))
        for name, sentences in by_field.items():
            self._fields[name].set_fault("\n".join(sentences))
        # What the fields find themselves is shown too: one look, one round of mending.
        for field in self._fields.values():
            if not field.fault() and (own := field.own_fault()):
                field.set_fault(own)
        if others:
            self._summary_text.setText("\n".join(others))
            self._summary.show()
        for name, field in self._fields.items():
            if name in by_field:
                field.editor().setFocus()
                break
        if faults:
            announce(self, " ".join(str(fault) for fault in faults))
