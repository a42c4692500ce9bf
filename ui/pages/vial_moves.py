"""Moving vials out of use or off the site: which vials, which move, and that move's form."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.vials import Move, Vial, move_table
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.disposition import ASKED_WITH_THE_ACT, ProofLine, checklist, permissions
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.scanning import find_vial
from pharmacy_app.services.views import DocumentLine, Place
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.stock_parts import TippedRows, place_words, say_mg, state_tone, state_words, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.pages.vial_moves_form import MOVE_KINDS, MoveForm, MoveKind
from ui.theme import FORM_WIDTH, SPACE_M, SPACE_S
from ui.widgets.basics import Button, IconView, Text, announce, rule
from ui.widgets.fields import ScanField
from ui.widgets.panels import Banner, Card, confirm
from ui.widgets.tables import Column

MAX_CHOSEN = 500
"""More vials than this are not moved or printed in one act."""

FAULTS_SHOWN = 4
"""So many refusals of single vials are read; the others are counted."""


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """The vials of the list as they stand, where the proofs of each move stand for them, permissions and places."""

    vials: tuple[Vial, ...]
    proofs: dict[str, tuple[ProofLine, ...]]
    permissions: tuple[DocumentLine, ...]
    places: tuple[Place, ...] = ()


def facts_of(reader: Reader, unit_numbers: Sequence[str]) -> MoveFacts:
    """What the panel shows for these vials."""
    found = [reader.vial(number) for number in unit_numbers]
    return MoveFacts(
        tuple(vial for vial in found if vial is not None),
        {kind.move: checklist(reader, kind.move, unit_numbers) for kind in MOVE_KINDS},
        permissions(reader),
        tuple(reader.places()),
    )


def added(
    desk: Desk,
    reader: Reader,
    unit_numbers: tuple[str, ...],
    what: str,
    move: str = "",
    *,
    by_hand: bool,
    sends_separator: bool,
) -> str:
    """The number of a scanned vial that joins the list; raises ``Refused`` when it is unknown or there already.

    ``move`` is the one whose form is open, '' while none is chosen. A vial that cannot make it is refused; so is one
    that leaves the list without any move.
    """
    today = today_of(desk, reader)
    vial = find_vial(reader, what, today, by_hand=by_hand, sends_separator=sends_separator)
    number = vial.unit_number
    if number in unit_numbers:
        raise Refused(_there_already(number))
    if len(unit_numbers) >= MAX_CHOSEN:
        raise Refused(Fault("unit_numbers", f"{MAX_CHOSEN} vials are on the list. Sign these first, then go on."))
    others = [other for each in unit_numbers if (other := reader.vial(each)) is not None]
    if why_not := why_not_joining(move, others, vial):
        raise Refused(Fault("unit_numbers", why_not))
    return number


def why_not_joining(move: str, others: Sequence[Vial], vial: Vial) -> str:
    """Why a vial cannot join those on the list, '' when it can."""
    moves = move_table().moves
    if move:
        why_not = why_not_legal(moves[move], (vial,))
        return f"{why_not} It was not put on the list." if why_not else ""
    if _moves_of((*others, vial)) or (others and not _moves_of(others)):
        return ""
    if not _moves_of((vial,)):
        return f"Vial {vial.unit_number} is {vial.state}: nothing more becomes of it here. It was not put on the list."
    return (
        f"Vial {vial.unit_number} is {vial.state}: no move is for it and for those on the list alike. It was not put on"
        " the list; sign these first, then scan it again."
    )


def _moves_of(vials: Sequence[Vial]) -> list[str]:
    """The moves that all of these vials can make."""
    return [kind.move for kind in MOVE_KINDS if not why_not_legal(move_table().moves[kind.move], vials)]


def _there_already(unit_number: str) -> Fault:
    return Fault("unit_numbers", f"Vial {unit_number} is on the list already. Put it aside and scan the next one.")


def why_not_legal(rule_: Move, vials: Sequence[Vial]) -> str:
    """Why the table does not let these vials make a move, '' when it does: who is in the way, and what to do."""
    in_the_way: dict[str, list[str]] = {}
    for vial in vials:
        if vial.state not in rule_.from_states:
            in_the_way.setdefault(vial.state, []).append(vial.unit_number)
    if not in_the_way:
        return ""
    parts = [
        f"{unit_ranges(tuple(units))} {'is' if len(units) == 1 else 'are'} {state}"
        for state, units in in_the_way.items()
    ]
    return f"{'; '.join(parts)}. {rule_.otherwise}".strip()


@dataclass(frozen=True, slots=True)
class _Row:
    vial: Vial
    unit_number: str
    strength: str
    lot: str
    expires_on: str
    state: str
    place: str


def _row(vial: Vial) -> _Row:
    accounted = f", accounted for by {vial.accounted_by}" if vial.accounted_by else ""
    return _Row(
        vial,
        vial.unit_number,
        say_mg(vial.strength_mg),
        vial.lot,
        say_day(vial.expires_on),
        state_words(vial) + accounted,
        place_words(vial),
    )


class _Offer(QWidget):
    """One move: the button that opens its form and what it needs, or why it cannot be made. ``chosen(str)``."""

    chosen = Signal(str)

    def __init__(self, kind: MoveKind) -> None:
        super().__init__()
        self._move = kind.move
        key = kind.move.replace(" ", "_")
        self.button = Button(kind.title, name=f"move_{key}")
        self.button.clicked.connect(self._choose)
        self._icon = IconView("waiting", "muted")
        self._words = Text("", name=f"move_{key}_words")
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
        row.setSpacing(SPACE_M)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self.button, 0, top)
        row.addWidget(self._icon, 0, top)
        row.addWidget(self._words, 1)

    def wait_for_vials(self) -> None:
        """Say for which vials the move is, while none is on the list."""
        self.button.setEnabled(False)
        self.button.setToolTip("Put a vial on the list first.")
        self._icon.set_icon("waiting", "muted")
        self._words.setText(move_table().moves[self._move].otherwise)

    def show_standing(self, why_not: str, proofs: Sequence[ProofLine]) -> None:
        """Offer the move, or say why it is not possible; what the record lacks for a possible one is said too."""
        rule_ = move_table().moves[self._move]
        lacking = [line for line in proofs if not line.there and line.missing != ASKED_WITH_THE_ACT]
        self.button.setEnabled(not why_not)
        if why_not:
            self._icon.set_icon("stop", "muted")
            self._words.setText(f"Not possible: {why_not}")
        else:
            needs = ", ".join(line.says for line in proofs)
            missing = "; ".join(f"{line.says}: {line.missing}" for line in lacking)
            still = f"\nStill missing: {missing}." if missing else ""
            self._icon.set_icon("warn" if lacking else "ok", "warn" if lacking else "ok")
            becomes = f"Becomes {rule_.to_state}." if rule_.to_state else "Stays what it is, in another place."
            if rule_.back:
                becomes = "Becomes again what it was."
            takes = f" It takes {needs} (§\u00a0{rule_.section})." if needs else f" (§\u00a0{rule_.section})"
            self._words.setText(f"{becomes}{takes}{still}")
        self.button.setAccessibleDescription(self._words.text())
        self.button.setToolTip(why_not)

    def _choose(self) -> None:
        self.chosen.emit(self._move)


class MovePanel(QWidget):
    """The vials to move, the moves the table offers them, and the form of the one chosen.

    Signals ``closed()`` when the person is done or goes back, ``look_at(object widget)`` for what must be seen.
    """

    closed = Signal()
    look_at = Signal(object)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("move_panel")
        self.setMaximumWidth(FORM_WIDTH)
        self._office = office
        self._units: tuple[str, ...] = ()
        self._facts = MoveFacts((), {kind.move: () for kind in MOVE_KINDS}, ())
        self._forms: dict[str, MoveForm] = {}
        self._current = ""
        self._offered: dict[str, _Offer] = {}
        self._trouble = Banner("stop", "", name="move_trouble")
        self._trouble.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._trouble)
        column.addWidget(self._make_vials())
        self._choice = self._make_choice()
        column.addWidget(self._choice)
        self._column = column
        column.addStretch(1)

    # -- parts

    def _make_vials(self) -> QWidget:
        card = Card("Vials", "Scan each one, so that what is signed is what lies on the table.", name="move_vials_card")
        back = Button("&Back to the vials", name="move_back")
        back.clicked.connect(self.go_back)
        card.head.addWidget(back, 0, Qt.AlignmentFlag.AlignTop)
        self.scan = ScanField("move_scan", "Add a &vial", collects=True)
        self.scan.scanned.connect(self.add_scanned)
        card.add(self.scan)
        self._rows = TippedRows(
            (
                Column("unit_number", "Unit no."),
                Column("strength", "Strength", numeric=True),
                Column("lot", "Lot"),
                Column("expires_on", "Last day"),
                Column("state", "State", stretch=True, tone=lambda row: state_tone(row.vial.state)),
                Column("place", "Place"),
            ),
            parent=self,
        )
        self.table = FittingTable(
            self._rows,
            spare=("place",),
            name="move_table",
            label="Vials to move",
            empty_text="No vial is on the list yet. Scan the first one.",
            sortable=False,
            visible_rows=4,
        )
        self.table.selectionModel().selectionChanged.connect(self._offer_take_off)
        lead_rows(self._office, self.table, thing=named("unit_number"))
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.take_off)
        card.add(self.table)
        self._count = Text("", "muted", name="move_count")
        self.off_button = Button("&Take off the list", name="move_take_off")
        self.off_button.clicked.connect(self.take_off)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self._count, 1)
        foot.addWidget(self.off_button)
        card.body.addLayout(foot)
        self._vials_card = card
        return card

    def _make_choice(self) -> QWidget:
        card = Card("What becomes of them", "Only what every vial on the list can do is offered.", name="move_choice")
        rows = QVBoxLayout()
        rows.setSpacing(0)
        for at, kind in enumerate(MOVE_KINDS):
            if at:
                rows.addWidget(rule())
            offer = _Offer(kind)
            offer.chosen.connect(self.choose)
            self._offered[kind.move] = offer
            rows.addWidget(offer)
        # The buttons are as wide as the longest of them: the words beside them stand in line.
        widest = max(offer.button.sizeHint().width() for offer in self._offered.values())
        for offer in self._offered.values():
            offer.button.setMinimumWidth(widest)
        card.body.addLayout(rows)
        return card

    # -- opening and closing

    def begin(self, unit_numbers: Sequence[str]) -> None:
        """Put these vials on the list, beside those that are there."""
        joined = dict.fromkeys((*self._units, *unit_numbers))
        self._units = tuple(joined)[:MAX_CHOSEN]
        self.scan.set_fault("")
        self.refresh()
        self.scan.editor().setFocus()

    def is_dirty(self) -> bool:
        """Whether a move is half described."""
        return any(form.is_dirty() for form in self._forms.values())

    def go_back(self) -> None:
        """Leave without a move; where something was typed it is asked first. A move being recorded is waited for."""
        if any(form.is_busy for form in self._forms.values()):
            return
        if self.is_dirty() and not confirm(
            self, "Leave this move?", "What was typed for it is lost. Nothing was recorded.", "Leave it"
        ):
            return
        self._drop()
        self.closed.emit()

    def _drop(self) -> None:
        self._units, self._current = (), ""
        for form in self._forms.values():
            self._column.removeWidget(form)
            form.hide()
            form.deleteLater()
        self._forms.clear()
        self.scan.set_fault("")
        self._trouble.hide()
        self._choice.show()

    # -- the list

    def refresh(self) -> None:
        """Ask anew how the vials and the proofs stand."""
        self._office.ask(partial(facts_of, unit_numbers=self._units), self._got, self._failed)

    def add_scanned(self, what: str) -> None:
        """Add the vial of a scanned or typed number."""
        question = partial(
            added,
            self._office.desk,
            unit_numbers=self._units,
            what=what,
            move=self._current,
            by_hand=self.scan.by_hand,
            sends_separator=self._office.sends_separator,
        )
        self._office.ask(question, self._add, self._not_added)

    def take_off(self) -> None:
        """Take the chosen vials off the list."""
        gone = {row.unit_number for row in self.table.selected_rows()}
        if gone:
            self._units = tuple(number for number in self._units if number not in gone)
            self.scan.set_fault("")
            self.refresh()
            self.scan.editor().setFocus()

    def _add(self, unit_number: str) -> None:
        if unit_number in self._units:
            # Scanned again before the first scan was answered.
            self._not_added(Refused(_there_already(unit_number)))
            return
        self._units = (*self._units, unit_number)
        announce(self, f"Vial {unit_number} added.")
        self.refresh()

    def _not_added(self, trouble: Exception) -> None:
        if isinstance(trouble, Refused):
            self.scan.set_fault(str(trouble.faults[0]))
            self.scan.editor().setFocus()
        else:
            self._failed(trouble)

    def _got(self, facts: MoveFacts) -> None:
        if tuple(vial.unit_number for vial in facts.vials) != self._units:
            # An answer to an older list: that to the newer one is on its way.
            return
        self._facts = facts
        self._trouble.hide()
        self._rows.set_rows([_row(vial) for vial in facts.vials])
        states = Counter(vial.state for vial in facts.vials)
        counted = ", ".join(f"{count} {state}" for state, count in states.items())
        self._count.setText(f"{vials_count(len(facts.vials))} on the list{f': {counted}' if counted else ''}.")
        self._offer_take_off()
        for kind in MOVE_KINDS:
            if facts.vials:
                self._offered[kind.move].show_standing(self._why_not(kind), facts.proofs[kind.move])
            else:
                self._offered[kind.move].wait_for_vials()
        for form in self._forms.values():
            self._fill(form)

    def _why_not(self, kind: MoveKind) -> str:
        return why_not_legal(move_table().moves[kind.move], self._facts.vials) or self._office.why_not(kind.act)

    def _fill(self, form: MoveForm) -> None:
        form.show_facts(self._units, self._facts.proofs[form.kind.move], self._facts.permissions)
        form.show_places(self._facts.places, self._facts.vials)

    def _offer_take_off(self) -> None:
        self.off_button.setEnabled(bool(self.table.selectionModel().selectedRows()))

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()
        self.look_at.emit(self._trouble)

    # -- the move

    def choose(self, move: str) -> None:
        """Open a move's form; what was typed into it before is still there."""
        form = self._forms.get(move)
        if form is None:
            form = MoveForm(self._office, next(kind for kind in MOVE_KINDS if kind.move == move))
            form.done.connect(self._done)
            form.refused.connect(self._refused)
            form.again.connect(self.choose_again)
            form.attached.connect(self.refresh)
            form.look_at.connect(self.look_at)
            self._forms[move] = form
            self._column.insertWidget(self._column.count() - 1, form)
        self._fill(form)
        self._current = move
        self._choice.hide()
        form.show()
        first = next(field for field in form.form.fields() if field.name not in ("user_name", "witness_user_name"))
        first.editor().setFocus()
        # Seen once the form has its place.
        QTimer.singleShot(0, self, self._see_form)

    def choose_again(self) -> None:
        """Back to the moves; the form keeps what was typed."""
        moved = self._current
        if moved:
            self._forms[moved].hide()
        self._current = ""
        self._choice.show()
        if moved:
            self._offered[moved].button.setFocus()

    def _see_form(self) -> None:
        if self._current:
            self.look_at.emit(self._forms[self._current])

    def _refused(self, faults: Sequence[Fault]) -> None:
        sentences = [str(fault) for fault in faults[:FAULTS_SHOWN]]
        if len(faults) > FAULTS_SHOWN:
            sentences.append(f"And {len(faults) - FAULTS_SHOWN} more.")
        self.scan.set_fault("\n".join(sentences))
        if faults:
            self.scan.editor().setFocus()
            self.look_at.emit(self._vials_card)
            # They may have been moved elsewhere meanwhile.
            self.refresh()

    def _done(self, _event: object) -> None:
        self._drop()
        self.closed.emit()
        self._office.changed.emit()
