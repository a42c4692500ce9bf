"""Pages and the panels they are put together from."""

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import FORM_WIDTH, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, repolish
from ui.widgets.basics import Button, IconView, Text, announce, clear_layout
from ui.widgets.fields import PasswordField, TextField

_WORDS = {"stop": "Stop", "warn": "Warning", "info": "Note", "ok": "Done"}


class _Inner(QWidget):
    """What scrolls in a page: as high as its width needs, and no higher."""

    def minimumSizeHint(self) -> QSize:
        """Leave the height to the width: wrapped texts ask for that of a narrow column, which would stay empty.

        Where no text wraps, no height follows from the width, and the parts would be drawn over one another.
        """
        hint, layout = super().minimumSizeHint(), self.layout()
        return QSize(hint.width(), 0 if layout is not None and layout.hasHeightForWidth() else hint.height())


def scroll_by_key(area: QScrollArea, event: QKeyEvent) -> bool:
    """Scroll by a page for Page Up or Page Down that nothing with the focus took; whether it was such a key."""
    actions = {
        Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
        Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    }
    action = actions.get(Qt.Key(event.key())) if not event.modifiers() else None
    if action is None:
        return False
    area.verticalScrollBar().triggerAction(action)
    return True


class Page(QWidget):
    """Base of every page: title and subtitle, a bar of actions, and content that scrolls.

    ``action_bar`` is the bar's layout (put the one primary button last), ``body`` the content's. Pages may override
    ``refresh`` (called when shown and stale) and ``is_dirty`` (an unsaved draft).
    """

    def __init__(
        self,
        title: str,
        subtitle: str = "",
        *,
        name: str,
        max_width: int | None = FORM_WIDTH,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self._title = Text(title, "title", name=f"{name}_title")
        self._subtitle = Text(subtitle, "muted", name=f"{name}_subtitle")
        self._subtitle.setVisible(bool(subtitle))
        words = QVBoxLayout()
        words.setSpacing(SPACE_XS)
        words.addWidget(self._title)
        words.addWidget(self._subtitle)
        self.action_bar = QHBoxLayout()
        self.action_bar.setSpacing(SPACE_S)
        title_row = QWidget()
        inside = QHBoxLayout(title_row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(SPACE_M)
        inside.addLayout(words, 1)
        inside.addLayout(self.action_bar)
        if max_width is not None:
            # The actions end where the content ends.
            title_row.setMaximumWidth(max_width)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_XL, SPACE_L, SPACE_M, SPACE_M)
        head.addWidget(title_row, 1000)
        head.addStretch(1)

        self.content = QWidget()
        self.content.setObjectName("page_content")
        if max_width is not None:
            self.content.setMaximumWidth(max_width)
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(SPACE_M)
        inner = _Inner()
        inner.setObjectName("scroll_content")
        side = QHBoxLayout(inner)
        side.setContentsMargins(SPACE_XL, 2, SPACE_M, SPACE_XL)
        side.addWidget(self.content, 1000)
        side.addStretch(1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll_area.viewport().setAutoFillBackground(False)
        self.scroll_area.setWidget(inner)
        inner.setAutoFillBackground(False)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.scroll_area, 1)
        self.body.addStretch(1)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget beneath the others; one with ``stretch`` takes the height that is left."""
        self.body.insertWidget(self.body.count() - 1, widget, stretch)
        if stretch:
            self.body.setStretch(self.body.count() - 1, 0)

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Change title and subtitle."""
        self._title.setText(title)
        self.setAccessibleName(title)
        self._subtitle.setText(subtitle)
        self._subtitle.setVisible(bool(subtitle))

    def show_widget(self, widget: QWidget) -> None:
        """Scroll until ``widget`` is seen."""
        self.scroll_area.ensureWidgetVisible(widget, SPACE_M, SPACE_L)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page Up and Page Down scroll the page, wherever in it the focus is."""
        if not scroll_by_key(self.scroll_area, event):
            super().keyPressEvent(event)

    def refresh(self) -> None:
        """Ask anew for what the page shows; called when it is shown and stale."""

    def is_dirty(self) -> bool:
        """Whether the page holds a draft that closing would lose."""
        return False


class Card(QFrame):
    """A white panel with an optional heading. ``body`` is its content's layout, ``head`` the heading's row."""

    def __init__(self, title: str = "", subtitle: str = "", *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", "card")
        if name:
            self.setObjectName(name)
        if title:
            self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_M)
        self._column = column
        self.head = QHBoxLayout()
        self.head.setSpacing(SPACE_S)
        if title:
            words = QVBoxLayout()
            words.setSpacing(SPACE_XS)
            words.addWidget(Text(title, "section"))
            if subtitle:
                words.addWidget(Text(subtitle, "muted"))
            self.head.addLayout(words, 1)
            column.addLayout(self.head)
        self.body = QVBoxLayout()
        self.body.setSpacing(SPACE_M)
        column.addLayout(self.body)
        column.addStretch(0)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget beneath the others; one with ``stretch`` takes the height that is left."""
        self.body.addWidget(widget, stretch)
        if stretch:
            self._column.setStretchFactor(self.body, 1)


class Banner(QFrame):
    """One message with icon and word. ``kind``: stop, warn, info, ok. Closable ones emit ``closed()``."""

    closed = Signal()

    def __init__(
        self,
        kind: str,
        text: str,
        *,
        word: str = "",
        closable: bool = False,
        name: str = "banner",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._icon = IconView(kind, kind)
        self._word = Text("", "strong", wrap=False)
        self._text = Text("", name=f"{name}_text")
        for words in (self._word, self._text):
            # The first line stands level with the icon, however many follow.
            words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            words.setContentsMargins(0, 1, 0, 0)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_M, SPACE_S + 2, SPACE_S, SPACE_S)
        row.setSpacing(SPACE_S)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self._icon, 0, top)
        row.addWidget(self._word, 0, top)
        row.addWidget(self._text, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        if closable:
            close = Button("", name=f"{name}_close", kind="icon", icon="close")
            close.setProperty("small", True)
            close.setFixedSize(24, 24)
            close.setAccessibleName("Close this message")
            close.setToolTip("Close this message")
            close.clicked.connect(self.closed)
            row.addWidget(close, 0, top)
        self.set_message(kind, text, word=word)

    def set_message(self, kind: str, text: str, *, word: str = "") -> None:
        """Say something else, in another kind if need be."""
        self.kind = kind
        self._icon.set_icon(kind, kind)
        self._word.setText(word or _WORDS[kind])
        self._word.set_tone(kind)
        self._text.setText(text)
        self.setAccessibleName(f"{self._word.text()}: {text}")
        self.setProperty("panel", kind)
        repolish(self)

    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()


class KeyValues(QWidget):
    """Pairs of a label and its value on one grid; ``columns`` pairs stand side by side."""

    def __init__(
        self,
        pairs: Sequence[tuple[str, str]] = (),
        *,
        columns: int = 1,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        if name:
            self.setObjectName(name)
        self._columns, self._rows = columns, 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_M)
        self._grid.setVerticalSpacing(SPACE_S)
        for column in range(columns):
            self._grid.setColumnStretch(2 * column + 1, 1)
        self.set_pairs(pairs)

    def set_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Show other pairs; an empty value is shown as a dash."""
        clear_layout(self._grid)
        self._grid.setRowStretch(self._rows, 0)
        self._rows = -(-len(pairs) // self._columns)
        self._grid.setRowStretch(self._rows, 1)
        top = Qt.AlignmentFlag.AlignTop
        for at, (label, value) in enumerate(pairs):
            row, column = divmod(at, self._columns)
            self._grid.addWidget(Text(label, "muted", wrap=False), row, 2 * column, top)
            shown = Text(value or "–")
            shown.setAccessibleName(f"{label}: {value or 'not given'}")
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(shown, row, 2 * column + 1, top)


class EmptyState(QWidget):
    """Says that there is nothing yet, why, and what to do. ``button`` (or ``None``) is the next step."""

    def __init__(
        self,
        title: str,
        text: str = "",
        *,
        icon: str = "empty",
        verb: str = "",
        name: str = "empty_state",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_XL, SPACE_L, SPACE_XL)
        column.setSpacing(SPACE_S)
        column.addWidget(IconView(icon, "muted", 40), 0, centre)
        head = Text(title, "section")
        head.setAlignment(centre)
        column.addWidget(head)
        if text:
            words = Text(text, "muted")
            words.setAlignment(centre)
            column.addWidget(words)
        self.button: Button | None = None
        if verb:
            self.button = Button(verb, name=f"{name}_action")
            column.addSpacing(SPACE_S)
            column.addWidget(self.button, 0, centre)


class Tabs(QWidget):
    """Views of one page, chosen by a row of tabs; ``chosen(int)`` after the person chose another.

    A view is (words, widget). The tabs' object names are ``names``, else ``<name>_1`` and so on. Only the view
    shown takes room: a short one does not scroll because another is long.
    """

    chosen = Signal(int)

    def __init__(
        self,
        views: Sequence[tuple[str, QWidget]],
        *,
        name: str,
        names: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._buttons: list[Button] = []
        self._views = [view for _, view in views]
        self._bar = QHBoxLayout()
        self._bar.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(self._bar)
        for at, (words, view) in enumerate(views):
            button = Button(words, name=names[at] if names else f"{name}_{at + 1}", kind="tab")
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            # Toggled, not clicked: an assistive technology toggles a tab without a click.
            button.toggled.connect(self._toggled)
            self._buttons.append(button)
            self._bar.addWidget(button)
            column.addWidget(view, 1)
        self._bar.addStretch(1)
        self._current = -1
        self.set_current(0)

    def add_corner(self, widget: QWidget) -> None:
        """Put a widget at the end of the row of tabs, where it costs no height."""
        self._bar.setStretch(self._bar.count() - 1, 0)
        self._bar.addSpacing(SPACE_M)
        self._bar.addWidget(widget, 1)

    @property
    def current(self) -> int:
        """Which view is shown, counted from 0."""
        return self._current

    def set_current(self, index: int) -> None:
        """Show a view."""
        self._current = index
        for at, (button, view) in enumerate(zip(self._buttons, self._views, strict=True)):
            button.setChecked(at == index)
            view.setVisible(at == index)

    def _toggled(self, on: bool) -> None:
        at = self._buttons.index(self.sender())  # type: ignore[arg-type]
        if on and at != self._current:
            self.set_current(at)
            self.chosen.emit(at)


class StepState(StrEnum):
    """Where one guided step stands."""

    DONE = "done"
    CURRENT = "current"
    WAITING = "waiting"


class StepHeader(QWidget):
    """Guided steps 1 to n in a row; done and current ones can be chosen. Signal ``chosen(int index)``."""

    chosen = Signal(int)

    def __init__(self, titles: Sequence[str], *, name: str = "steps", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_XS)
        self._buttons: list[Button] = []
        self._icons = [("", "")] * len(titles)
        for at, title in enumerate(titles):
            button = Button(f"{at + 1}  {title}", name=f"{name}_{at + 1}", kind="step")
            # Steps give way to one another before they are cut: the shortest ask for the least.
            button.setMinimumWidth(56)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setToolTip(title)
            button.clicked.connect(self._clicked)
            self._buttons.append(button)
            row.addWidget(button)
        self.current = -1
        self.set_current(0)

    def set_current(self, index: int) -> None:
        """Mark ``index`` as current: those before it are done, those after it wait."""
        self.set_states(
            [
                StepState.CURRENT if at == index else StepState.DONE if at < index else StepState.WAITING
                for at in range(len(self._buttons))
            ]
        )

    def set_states(self, states: Sequence[StepState]) -> None:
        """Set the state of every step."""
        icon = {
            StepState.DONE: ("ok", "ok"),
            StepState.CURRENT: ("current", "link"),
        }
        for at, (button, state) in enumerate(zip(self._buttons, states, strict=True)):
            button.setProperty("state", state.value)
            button.setEnabled(state is not StepState.WAITING)
            self._icons[at] = icon.get(state, ("", ""))
            button.setAccessibleDescription(f"Step {at + 1} of {len(self._buttons)}, {state.value}")
            repolish(button)
            if state is StepState.CURRENT:
                self.current = at
        self._fit()

    def lock(self, index: int, why: str) -> None:
        """Keep a done step shut until the states are set anew: it carries a lock and says ``why``."""
        button = self._buttons[index]
        button.setEnabled(False)
        button.setAccessibleDescription(why)
        button.setToolTip(why)
        self._icons[index] = ("lock", "muted")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give up the icons before any word is cut."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        for button, icon in zip(self._buttons, self._icons, strict=True):
            button.set_icon(*icon)
        gaps = SPACE_XS * (len(self._buttons) - 1)
        if self.width() < sum(button.sizeHint().width() for button in self._buttons) + gaps:
            for button in self._buttons:
                button.set_icon("")

    def _clicked(self) -> None:
        self.chosen.emit(self._buttons.index(self.sender()))  # type: ignore[arg-type]


class SignatureBox(Card):
    """User name, password again, the meaning in words, and a button with the verb.

    Signal ``sign_requested(str user, str password)``. Afterwards the page calls ``set_signed`` or ``set_fault``;
    the password is forgotten either way. Before it comes ``asked()``: a page with fields of its own looks at them
    then, and may ``hold`` the signature. Field names: ``<name>_user``, ``<name>_password``; button ``<name>_sign``.
    """

    asked = Signal()
    sign_requested = Signal(str, str)

    def __init__(
        self,
        title: str,
        meaning: str,
        verb: str,
        *,
        name: str = "signature",
        primary: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, name=name, parent=parent)
        self._meaning = Text(meaning, name=f"{name}_meaning")
        self.user = TextField(f"{name}_user", "User name", required=True, max_length=64)
        self.password = PasswordField(f"{name}_password", required=True)
        self.button = Button(verb, name=f"{name}_sign", kind="primary" if primary else "secondary", icon="sign")
        self._fault = Banner("stop", "", word="Not signed", name=f"{name}_fault")
        self._fault.hide()
        self._signed = Banner("ok", "", word="Signed", name=f"{name}_signed")
        self._signed.hide()
        self._entry = QWidget()
        entry = QVBoxLayout(self._entry)
        entry.setContentsMargins(0, 0, 0, 0)
        entry.setSpacing(SPACE_M)
        fields = QHBoxLayout()
        fields.setSpacing(SPACE_L)
        fields.addWidget(self.user, 1, Qt.AlignmentFlag.AlignTop)
        fields.addWidget(self.password, 1, Qt.AlignmentFlag.AlignTop)
        entry.addLayout(fields)
        entry.addWidget(self._fault)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.button)
        entry.addLayout(last)
        self.add(self._meaning)
        self.add(self._entry)
        self.add(self._signed)
        self._held = False
        self.button.clicked.connect(self._ask)
        self.password.editor().returnPressed.connect(self._ask)

    def hold(self) -> None:
        """Called while ``asked`` is heard: something else is missing, so nothing is signed and the password stays."""
        self._held = True

    def set_user(self, user: str, *, fixed: bool = False) -> None:
        """Put the user name in; ``fixed`` where only this person may sign."""
        self.user.set_value(user)
        self.user.set_read_only(fixed)

    def set_meaning(self, meaning: str) -> None:
        """Change what the signature means."""
        self._meaning.setText(meaning)

    def set_busy(self, busy: bool) -> None:
        """Hold the button while the signature is being recorded."""
        self.button.setEnabled(not busy)

    def set_fault(self, sentence: str) -> None:
        """Say why it was not signed ('' clears) and ask for the password anew."""
        self.set_busy(False)
        self.password.clear()
        self.password.set_fault("")
        self._fault.set_message("stop", sentence, word="Not signed")
        self._fault.setVisible(bool(sentence))
        if sentence:
            self.password.editor().setFocus()
            announce(self, sentence)

    def set_signed(self, text: str) -> None:
        """Show who signed when and with which meaning; the entry goes. '' brings the entry back."""
        self.set_fault("")
        self._signed.set_message("ok", text, word="Signed")
        self._signed.setVisible(bool(text))
        self._entry.setVisible(not text)

    def _ask(self) -> None:
        if not self.button.isEnabled():
            return
        faults = [field.check_now() for field in (self.user, self.password)]
        if any(faults):
            (self.user if faults[0] else self.password).editor().setFocus()
            return
        self._held = False
        self.asked.emit()
        if self._held:
            return
        user, password = self.user.value(), self.password.value()
        self.set_fault("")
        self.set_busy(True)
        self.sign_requested.emit(user, password)


class _Confirm(QDialog):
    """A question whose one button carries the verb; the harmless answer is the default and Escape."""

    def __init__(self, title: str, text: str, verb: str, refuse: str, *, danger: bool, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName("confirm")
        self.setWindowTitle(title)
        self.setMinimumWidth(440)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addWidget(Text(title, "section"))
        words = Text(text, name="confirm_text")
        column.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        self.no = Button(refuse, name="confirm_no")
        self.yes = Button(verb, name="confirm_yes", kind="danger" if danger else "secondary")
        self.no.setDefault(True)
        row.addWidget(self.no)
        row.addWidget(self.yes)
        column.addSpacing(SPACE_S)
        column.addLayout(row)
        self.yes.clicked.connect(self.accept)
        self.no.clicked.connect(self.reject)
        self.no.setFocus()
        self.setFixedSize(QDialog.sizeHint(self).expandedTo(self.minimumSize()))
        width = max(self.sizeHint().width(), 440)
        self.setFixedSize(width, column.totalHeightForWidth(width))


def confirm(
    parent: QWidget | None,
    title: str,
    text: str,
    verb: str,
    *,
    refuse: str = "Go back",
    danger: bool = True,
) -> bool:
    """Ask before an act that loses something; ``verb`` stands on the button. Enter and Escape go back."""
    dialog = _Confirm(title, text, verb, refuse, danger=danger, parent=parent)
    try:
        return dialog.exec() == QDialog.DialogCode.Accepted
    finally:
        dialog.deleteLater()


__all__ = [
    "Banner",
    "Card",
    "EmptyState",
    "KeyValues",
    "Page",
    "SignatureBox",
    "StepHeader",
    "StepState",
    "Tabs",
    "confirm",
    "scroll_by_key",
]
