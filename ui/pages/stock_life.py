"""One vial's life on screen: what it is, every ledger line it stands on, its mg ledger, and what may be done."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.units import show
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services.behind import Entry, Mg
from pharmacy_app.services.disposition_forms import FORM_PREFIXES, form_number, print_form
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import Printed
from pharmacy_app.services.views import EventLine, LedgerLine, MgLine, VialLife
from ui.office import Office
from ui.pages.correction import Corrector, words_of
from ui.pages.figure import Figure, lead_rows, named
from ui.pages.print_labels import print_labels_dialog
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import (
    LEDGER_BRIEF,
    ShownLine,
    TippedRows,
    is_on_site,
    quarantine_dialog,
    say_at,
    say_mg,
    state_says,
    state_tone,
    way_words,
    with_corrections,
)
from ui.pages.storage_permission import release_dialog
from ui.pages.vial_moves_form import MOVE_KINDS
from ui.theme import SPACE_L, SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, Card, KeyValues, scroll_by_key
from ui.widgets.tables import DataTable


@dataclass(frozen=True, slots=True)
class Life:
    """A vial's life: its ledger lines, the events behind them by number, and the monitor's accountability."""

    life: VialLife
    lines: tuple[ShownLine, ...]
    events: dict[int, EventLine]
    accounted: EventLine | None


def life_of(reader: Reader, unit_number: str) -> Life:
    """A vial's life; raises ``Refused`` when there is no such vial."""
    life = reader.vial_life(unit_number)
    if life is None:
        raise Refused(Fault("unit_number", f"There is no vial {unit_number} in this pharmacy."))
    events = (reader.event(seq) for seq in {line.event_seq for line in life.lines})
    accounted = (
        reader.events(kind="vials_accounted", text=unit_number, offset=0, limit=1) if life.vial.accounted_by else ()
    )
    lines = tuple(with_corrections(reader, life.lines))
    return Life(
        life, lines, {event.seq: event for event in events if event is not None}, accounted[0] if accounted else None
    )


LINES_SHOWN = 5
"""So many ledger lines are seen at once; the others scroll."""

_FORM_WORDS = (
    ("permission", "Permission"),
    ("party", "To"),
    ("reason", "Reason"),
    ("method", "Method"),
    ("container", "Container or manifest"),
    ("certificate", "Certificate"),
    ("to_place", "To"),
    ("carried_by", "Carried by"),
    ("kept", "On the way"),
    ("received_by", "Received by"),
    ("brought_by", "Brought by"),
    ("note", "Note"),
)
_CARRIER_WORDS = (
    ("courier", "Courier"),
    ("tracking_number", "Tracking number"),
    ("packages", "Packages"),
    ("seal", "Seal"),
    ("logger_serial", "Temperature logger"),
)


def form_of(line: LedgerLine) -> str:
    """The number of the printed form of a return, transfer or destruction; '' for a line that has none."""
    return form_number(line.move, line.event_seq) if line.move in FORM_PREFIXES else ""


def form_pairs(line: LedgerLine, event: EventLine | None) -> list[tuple[str, str]]:
    """A ledger line with the form it was recorded by: what was typed, and who signed what."""
    content = event.content if event is not None else {}
    pairs = [("Move", f"{line.move}: {way_words(line)}"), ("Event", str(line.event_seq))]
    pairs += [("On the record", line.transaction), ("Form", form_of(line))]
    typed = [(words, str(content.get(key, ""))) for key, words in _FORM_WORDS]
    carrier = content.get("carrier", {})
    typed += [(words, str(carrier.get(key, ""))) for key, words in _CARRIER_WORDS]
    if not any(value for _, value in typed):
        typed = [("With", line.counterparty), ("Reference", line.reference)]
    if not content.get("method") and not content.get("party"):
        typed.append(("Comment", line.comment))
    pairs += typed
    if line.late_why:
        pairs.append(("Late entry", f"Recorded {say_moment(line.recorded_at)}: {line.late_why}"))
    pairs.append(("Checked by", line.verifier))
    if event is not None:
        pairs.append(("Signed", "\n".join(event.signatures)))
    return [(words, value) for words, value in pairs if value]


def mg_pairs(mg: MgLine) -> list[tuple[str, str]]:
    """The mg ledger of an opened vial as a sum that can be followed: labelled = withdrawn + residue + discarded."""

    def amount(value: Decimal | None) -> str:
        return "not closed yet" if value is None else f"{show(value)} mg"

    if mg.residue_mg is None or mg.discarded_mg is None:
        left = mg.labelled_mg - mg.withdrawn_mg
        closing = f"Open: {show(left)} mg still to be closed as residue and discarded."
    else:
        whole = mg.withdrawn_mg + mg.residue_mg + mg.discarded_mg
        sign = "=" if whole == mg.labelled_mg else "≠"
        closing = (
            f"{show(mg.withdrawn_mg)} + {show(mg.residue_mg)} + {show(mg.discarded_mg)} mg {sign} "
            f"{show(mg.labelled_mg)} mg labelled"
        )
    return [
        ("Labelled", f"{show(mg.labelled_mg)} mg"),
        ("Withdrawn", amount(mg.withdrawn_mg)),
        ("Residue", amount(mg.residue_mg)),
        ("Discarded", amount(mg.discarded_mg)),
        ("Closes", closing),
    ]


_FORM_LABELS = {
    "return": ("return box", "Print box &labels…"),
    "destroy": ("destruction container", "Print its &label…"),
}
"""Moves whose boxes or containers have labels: the kind, and the words of the button."""


def _state_label(state: str) -> str:
    """The kind of label that a vial gets beside its own in this state; '' for none."""
    if state in ("opened", "partial"):
        return "opened vial"
    if state == "quarantined":
        return "quarantine"
    return "hold for monitor" if state in move_table().moves["destroy"].from_states else ""


class VialLifeDialog(QDialog):
    """A vial opened from a table or a scan; acts are offered as its state and the person's role allow.

    Signal ``move_wanted(object unit_numbers)`` after it has closed, to move the vial.
    """

    move_wanted = Signal(object)

    def __init__(self, office: Office, found: Life, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("vial_life")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 700)
        self._office = office
        self._found = found
        self._life = found.life
        self._title = Text("", "title", name="vial_life_title")
        self._state = Banner("info", "", name="vial_life_state")
        self._trouble = Banner("stop", "", name="vial_life_trouble")
        self._trouble.hide()
        self._queries = QueryStrip(office, name="vial_life_query")
        self._facts = KeyValues(columns=2, name="vial_life_facts")
        self._lines = TippedRows(LEDGER_BRIEF)
        self._table = DataTable(self._lines, name="vial_life_lines", label="Ledger lines of this vial", sortable=False)
        self._table.row_chosen.connect(self._show_form)
        lead_rows(office, self._table, {"dose_id": named("dose_id")}, thing=lambda row: Entry(row.event_seq))
        self._form = KeyValues(columns=2, name="vial_life_form")
        self._mg = KeyValues(columns=1, name="vial_life_mg")
        self._mg_card = Card("mg ledger", "Every opened vial closes to withdrawn + residue + discarded.")
        self._mg_card.add(self._mg)
        figures = QHBoxLayout()
        figures.setSpacing(SPACE_S)
        figures.addWidget(Text("Behind:", "small", wrap=False))
        unit = found.life.vial.unit_number
        self._mg_figures = {
            which: Figure(office, f"{which.capitalize()} mg", "–", Mg(unit, which), name=f"mg_{which}", kind="figure")
            for which in ("labelled", "withdrawn", "residue", "discarded")
        }
        for figure in self._mg_figures.values():
            figures.addWidget(figure)
        figures.addStretch(1)
        self._mg_card.body.addLayout(figures)
        self._lines_card = Card(
            "Ledger lines",
            "Every move of this vial, in the order it was done. The line chosen stands beneath with its form.",
        )
        self._lines_card.add(self._table)
        self._lines_card.add(self._form)
        self._lines_card.body.addLayout(self._make_line_buttons())
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(self._title)
        column.addWidget(self._trouble)
        column.addWidget(self._make_content(), 1)
        column.addLayout(self._make_foot())
        self._close.setFocus()
        self._show(found)

    def _make_line_buttons(self) -> QHBoxLayout:
        self.form_button = Button("Print the &form", name="vial_life_print_form", icon="print")
        self.form_button.hide()
        self.form_button.clicked.connect(self._print_form)
        self._form_act = self._office.act()
        self._form_number = ""
        self._form_move = ""
        self._chosen = 0
        self.corrector = Corrector(self._office, self)
        self.corrector.corrected.connect(self._moved)
        self.correct_button = Button("Correct this &entry…", name="vial_life_correct")
        self.correct_button.setEnabled(self._office.may("move_undone"))
        self.correct_button.setToolTip(self._office.why_not("move_undone"))
        self.correct_button.clicked.connect(self._correct)
        row = QHBoxLayout()
        self.form_label_button = Button("Print its &labels…", name="vial_life_form_labels", icon="print")
        self.form_label_button.hide()
        self.form_label_button.clicked.connect(self._form_labels)
        row.addWidget(self.form_button)
        row.addWidget(self.form_label_button)
        row.addStretch(1)
        row.addWidget(self.correct_button)
        return row

    def _make_content(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("scroll_content")
        content = QVBoxLayout(inner)
        content.setContentsMargins(0, 0, SPACE_S, 0)
        content.setSpacing(SPACE_M)
        facts = Card()
        facts.add(self._facts)
        for part in (self._state, self._queries, facts, self._lines_card, self._mg_card):
            content.addWidget(part)
        content.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.viewport().setAutoFillBackground(False)
        area.setWidget(inner)
        inner.setAutoFillBackground(False)
        self._area = area
        return area

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page Up and Page Down scroll the vial's life, also from the buttons beneath it."""
        if not scroll_by_key(self._area, event):
            super().keyPressEvent(event)

    def _make_foot(self) -> QHBoxLayout:
        self.quarantine_button = Button("&Quarantine…", name="vial_life_quarantine", kind="danger")
        self.document_button = Button("&Release with document…", name="vial_life_release")
        self.move_button = Button("&Move…", name="vial_life_move")
        self.label_button = Button("&Print its label…", name="vial_life_label", icon="print")
        self.state_label_button = Button("Label of its &state…", name="vial_life_state_label", icon="print")
        self.state_label_button.clicked.connect(self._state_label)
        self.dose_button = Button("&Go to its dose", name="vial_life_dose")
        close = Button("&Close", name="vial_life_close")
        self.quarantine_button.clicked.connect(self._quarantine)
        self.document_button.clicked.connect(self._release)
        self.move_button.clicked.connect(self._move)
        self.label_button.clicked.connect(self._label)
        self.dose_button.clicked.connect(self._go_to_dose)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(self.dose_button)
        foot.addStretch(1)
        for button in (
            self.quarantine_button,
            self.move_button,
            self.document_button,
            self.state_label_button,
            self.label_button,
            close,
        ):
            foot.addWidget(button)
        self._close = close
        return foot

    def _show(self, found: Life) -> None:
        self._found, self._life = found, found.life
        life = found.life
        vial = life.vial
        title = f"Vial {vial.unit_number}"
        self.setWindowTitle(title)
        self._title.setText(f"{title} · {say_mg(vial.strength_mg)} · lot {vial.lot}")
        self._queries.show_about(vial.unit_number)
        why = f" {vial.hold_reason[0].upper()}{vial.hold_reason[1:]}." if vial.hold_reason else ""
        waits = vial.state in move_table().moves["destroy"].from_states
        says = (
            "The monitor has accounted for the container. It may be destroyed with the supporter's permission."
            if waits and vial.accounted_by
            else f"{state_says(vial.state)}.{why}"
        )
        self._state.set_message(state_tone(vial.state) or "info", says, word=vial.state.capitalize())
        accounted = self._accounted(waits)
        self._facts.set_pairs(
            [
                ("Strength", say_mg(vial.strength_mg)),
                ("Last usable day", say_day(vial.expires_on)),
                ("Lot", vial.lot),
                ("Kit number", vial.kit_number),
                ("Place" if is_on_site(vial.state) else "Last place", vial.place),
                ("Shipment", vial.shipment_number),
                ("State", vial.state),
                ("Dose", vial.dose_id),
                *([("Accounted for", accounted)] if accounted else []),
            ]
        )
        self._lines.set_rows(found.lines)
        self._fit_table(len(life.lines))
        self._table.selectRow(len(life.lines) - 1)
        self._mg_card.setVisible(life.mg is not None)
        if life.mg is not None:
            self._mg.set_pairs(mg_pairs(life.mg))
            for which, figure in self._mg_figures.items():
                amount = getattr(life.mg, f"{which}_mg")
                figure.what = Mg(life.mg.unit_number, which)
                figure.set_shown(f"{which} open" if amount is None else f"{show(amount)} mg {which}")
        self._offer(
            self.quarantine_button, "vials_quarantined", vial.state in move_table().moves["quarantine"].from_states
        )
        self._offer(self.document_button, "quarantine_lifted", vial.state in ("held", "quarantined"))
        may_move = [kind for kind in MOVE_KINDS if vial.state in move_table().moves[kind.move].from_states]
        may_act = next((kind.act for kind in may_move if self._office.may(kind.act)), "vials_broken")
        self._offer(self.move_button, may_act, bool(may_move))
        self._offer(self.label_button, "paper_printed", True)
        kind = _state_label(vial.state)
        self._offer(self.state_label_button, "paper_printed", bool(kind))
        self.state_label_button.set_text(f"Label “{kind}”…".replace("Label", "&Label"))
        self.dose_button.setVisible(bool(vial.dose_id))
        self._state.setProperty("tone", state_tone(vial.state))

    def _accounted(self, waits: bool) -> str:
        """Who accounted for the container and when, or that it waits for it."""
        event = self._found.accounted
        if event is not None:
            return f"{event.actor_name}, {say_at(event.done_at, self._office.site.time_zone)} (event {event.seq})"
        return "not yet: waits for the supporter's monitor" if waits else ""

    def _fit_table(self, lines: int) -> None:
        """As high as its lines, up to a few: the form of the line chosen stands right beneath."""
        row = self._table.verticalHeader().defaultSectionSize()
        self._table.setFixedHeight(self._table.horizontalHeader().height() + min(lines, LINES_SHOWN) * row + 4)

    def _show_form(self, shown: ShownLine) -> None:
        line = shown.line
        pairs = form_pairs(line, self._found.events.get(line.event_seq))
        if shown.correction is not None:
            pairs.append(("Correction", words_of(shown.correction, self._office.site.time_zone)))
        self._form.set_pairs(pairs)
        self._chosen = line.event_seq
        number = form_of(line)
        if number != self._form_number:
            self._form_number, self._form_act = number, self._office.act()
        self.form_button.set_text(f"Print &form {number}")
        self.form_button.setVisible(bool(number))
        self.form_label_button.setVisible(line.move in _FORM_LABELS)
        self.form_label_button.setEnabled(self._office.may("paper_printed"))
        self.form_label_button.setToolTip(self._office.why_not("paper_printed"))
        self.form_label_button.set_text(_FORM_LABELS.get(line.move, ("", ""))[1])
        self._form_move = line.move

    def _correct(self) -> None:
        self.corrector.open(self._chosen)

    def _print_form(self) -> None:
        desk, act, number = self._office.desk, self._form_act, self._form_number
        self.form_button.setEnabled(False)
        self._office.do(
            lambda: print_form(desk, act, number), self._form_printed, self._failed, busy="Printing the form"
        )

    def _form_printed(self, printed: Printed) -> None:
        self._form_act = self._office.act()
        self.form_button.setEnabled(True)
        self._office.changed.emit()
        number = self._form_number
        self._office.show_paper(f"Form {number}", f"{number}.pdf", printed, self)

    def _form_labels(self) -> None:
        """The labels of the boxes of a return, or of the container of a destruction."""
        kind, _ = _FORM_LABELS[self._form_move]
        print_labels_dialog(self._office, kind, (self._form_number,), f"Labels of {self._form_number}", self)

    def _state_label(self) -> None:
        """The label of the state in which the vial is: opened, in quarantine, kept for the monitor."""
        vial = self._life.vial
        kind = _state_label(vial.state)
        print_labels_dialog(self._office, kind, (vial.unit_number,), f"Label “{kind}” of {vial.unit_number}", self)

    def _move(self) -> None:
        self.accept()
        self.move_wanted.emit((self._life.vial.unit_number,))

    def _offer(self, button: Button, kind: str, possible: bool) -> None:
        button.setVisible(possible)
        button.setEnabled(self._office.may(kind))
        button.setToolTip(self._office.why_not(kind))

    def _quarantine(self) -> None:
        dialog = quarantine_dialog(self._office, (self._life.vial.unit_number,), self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def _release(self) -> None:
        vial = self._life.vial
        dialog = release_dialog(self._office, (vial.unit_number,), vial.hold_reason, self)
        dialog.succeeded.connect(self._moved)
        dialog.open()

    def _moved(self, _event: object) -> None:
        number = self._life.vial.unit_number
        self._office.messages.ok(f"Vial {number}: the move was recorded.")
        self._office.changed.emit()
        self._office.ask(partial(life_of, unit_number=number), self._show, self._failed)

    def _label(self) -> None:
        number = self._life.vial.unit_number
        print_labels_dialog(self._office, "vial", (number,), f"Vial label {number}", self)

    def _go_to_dose(self) -> None:
        self._office.go.emit("prepare", self._life.vial.dose_id)
        self.accept()

    def _failed(self, trouble: Exception) -> None:
        self.form_button.setEnabled(True)
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()
