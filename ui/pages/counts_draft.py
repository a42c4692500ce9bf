"""Counting a place: what and where, the scans or the numbers, and the two signatures that hand it in.

The page is told nothing of what the record expects until the count is handed in.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.counts import CONTAINERS, VIALS
from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services.counts import (
    SCOPES,
    CountBegun,
    CountForm,
    LotCounted,
    LotToCount,
    Scanned,
    begin_count,
    look_up,
    record_count,
)
from pharmacy_app.services.desk import today_of
from pharmacy_app.services.ports import Reader
from ui.office import Office
from ui.pages.counts_parts import (
    METHOD_WORDS,
    add_signatures,
    credentials_of,
    faults_of,
    forget_passwords,
    kinds_words,
)
from ui.pages.stock_parts import ANY, TippedRows, say_mg, vials_count
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text, announce
from ui.widgets.fields import (
    CheckField,
    ChoiceField,
    Form,
    NoteField,
    ScanField,
    TextField,
    chain_tabs,
    tab_stops,
)
from ui.widgets.panels import Banner, Card, confirm
from ui.widgets.tables import Column, DataTable

_KIND_LABELS = {VIALS: "vials", CONTAINERS: "containers"}
_STRENGTHS = [(format(strength, "f"), say_mg(strength)) for strength in STRENGTHS_MG]


def _whole(text: str) -> str:
    """What is wrong with a typed number, '' when it can be one."""
    return "" if text.strip().isdecimal() else "Type a whole number: digits alone, 0 when there is none."


class _Row:
    """One scan as the table shows it."""

    def __init__(self, at: int, scanned: Scanned) -> None:
        self.at = at
        self.scanned = scanned
        self.code = scanned.unit_number or scanned.code
        self.strength = "–" if scanned.strength_mg is None else say_mg(scanned.strength_mg)
        self.lot = scanned.lot or "–"
        self.expires_on = "–" if scanned.expires_on is None else say_day(scanned.expires_on)
        self.kept = f"Unknown code, kept as text. {scanned.unknown}" if scanned.unknown else "Vial"


class ScanPart(Card):
    """The scans of a count. ``changed()`` after each."""

    changed = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__(
            "Scan every one",
            "Each vial once, by our label or the kit number. What is not known is kept as it was scanned.",
            name="count_scans",
        )
        self._office = office
        self._strength = ""
        self.scanned: list[Scanned] = []
        self.scan = ScanField("count_scan", "Sca&n the next one", collects=True)
        self.scan.scanned.connect(self._ask)
        self.add(self.scan)
        self._rows = TippedRows(
            (
                Column("at", "No.", numeric=True, width=56),
                Column("code", "Unit no. or code", width=140),
                Column("strength", "Strength", numeric=True),
                Column("lot", "Lot", width=110),
                Column("expires_on", "Last day", width=110),
                Column("kept", "Kept as", stretch=True, tone=lambda row: "warn" if row.scanned.unknown else ""),
            ),
            parent=self,
        )
        self.table = DataTable(
            self._rows,
            name="count_table",
            label="Scanned so far",
            empty_text="Nothing is scanned yet. Scan the first vial.",
            sortable=False,
            visible_rows=6,
        )
        self.table.selectionModel().selectionChanged.connect(self._offer)
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.take_off)
        self.add(self.table)
        self._said = Text("", "muted", name="count_said")
        self.off_button = Button("&Take off the list", name="count_take_off")
        self.off_button.clicked.connect(self.take_off)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._said, 1)
        row.addWidget(self.off_button)
        self.body.addLayout(row)
        self._show()

    def begin(self, strength_mg: str) -> None:
        """Begin with an empty list, for one strength or ('') all."""
        self._strength = strength_mg
        self.scanned = []
        self.scan.set_fault("")
        self._show()

    def take_off(self) -> None:
        """Take the chosen scans off the list."""
        gone = {row.at for row in self.table.selected_rows()}
        if gone:
            self.scanned = [each for at, each in enumerate(self.scanned, start=1) if at not in gone]
            self.scan.set_fault("")
            self._show()
            self.scan.editor().setFocus()

    def show_fault(self, sentence: str) -> None:
        """Say what is wrong with a scan, and wait for the next one."""
        self.scan.set_fault(sentence)
        self.scan.editor().setFocus()

    def _units(self) -> tuple[str, ...]:
        return tuple(each.unit_number for each in self.scanned if each.unit_number)

    def _ask(self, code: str) -> None:
        desk, strength, before = self._office.desk, self._strength, self._units()
        by_hand, separator = self.scan.by_hand, self._office.sends_separator

        def question(reader: Reader) -> Scanned:
            today = today_of(desk, reader)
            return look_up(reader, code, today, strength, before, by_hand=by_hand, sends_separator=separator)

        self._office.ask(question, self._got, self._did_not)

    def _got(self, scanned: Scanned) -> None:
        if scanned.unit_number and scanned.unit_number in self._units():
            # Scanned again before the first scan was answered.
            self.show_fault(f"Vial {scanned.unit_number} was scanned already. It counts once.")
            return
        self.scanned.append(scanned)
        self._show()
        announce(self, f"{scanned.unit_number or 'Unknown code'} counted.")

    def _did_not(self, trouble: Exception) -> None:
        self.show_fault(str(trouble.faults[0]) if isinstance(trouble, Refused) else str(trouble))

    def _offer(self) -> None:
        self.off_button.setEnabled(bool(self.table.selectionModel().selectedRows()))

    def _show(self) -> None:
        # The newest on top: what was scanned last is what the eye looks for.
        self._rows.set_rows([_Row(at, each) for at, each in reversed(list(enumerate(self.scanned, start=1)))])
        unknown = sum(1 for each in self.scanned if each.unknown)
        words = vials_count(len(self.scanned) - unknown)
        codes = f" and {vials_count(unknown, 'unknown code')}" if unknown else ""
        self._said.setText(f"Scanned: {words}{codes}.")
        self._offer()
        self.changed.emit()


class NumberPart(Card):
    """The numbers of a count, a line a lot; what was typed stays when lots are added.

    Signal ``rebuilt()`` when there are other fields to go through.
    """

    changed = Signal()
    rebuilt = Signal()

    def __init__(self) -> None:
        super().__init__(
            "Count each lot",
            "Every lot that is anywhere on site is asked for here. Type 0 where there is none.",
            name="count_numbers",
        )
        self._kinds: tuple[str, ...] = (VIALS,)
        self._strength = ""
        self._lots: tuple[LotToCount, ...] = ()
        self._others = 0
        self._none = Text("No lot is on site. Add one if something lies there all the same.", "muted")
        self.add(self._none)
        self.form = Form(name="count_lots")
        self.add(self.form)
        self.other_button = Button("Anot&her lot…", name="count_other_lot", icon="plus")
        self.other_button.clicked.connect(self.add_other)
        row = QHBoxLayout()
        row.addWidget(self.other_button)
        row.addStretch(1)
        self.body.addLayout(row)

    def begin(self, lots: Sequence[LotToCount], strength_mg: str, kinds: tuple[str, ...]) -> None:
        """Ask for these lots afresh."""
        self._lots, self._strength, self._kinds, self._others = tuple(lots), strength_mg, kinds, 0
        self._rebuild({})

    def renew(self, lots: Sequence[LotToCount]) -> None:
        """Ask for the lots that are on site now; what was typed stays."""
        if tuple(lots) != self._lots:
            kept = self._kept()
            self._lots = tuple(lots)
            self._rebuild(kept)

    def add_other(self) -> None:
        """One more line, for a lot that is not listed."""
        kept = self._kept()
        self._others += 1
        self._rebuild(kept)
        self.form.field(f"lots.{len(self._lots) + self._others - 1}.lot").editor().setFocus()

    def typed(self) -> tuple[LotCounted, ...]:
        """What stands in the lines; one that was added and left empty is none."""
        values = self.form.values()
        found = []
        for at in range(len(self._lots) + self._others):
            numbers = {kind: values.get(f"lots.{at}.{kind}", "") for kind in self._kinds}
            if at < len(self._lots):
                lot = self._lots[at]
                found.append(LotCounted(format(lot.strength_mg, "f"), lot.lot, **numbers))
            elif values[f"lots.{at}.lot"] or any(numbers.values()):
                strength = self._strength or values[f"lots.{at}.strength_mg"]
                found.append(LotCounted(strength, values[f"lots.{at}.lot"], **numbers))
        return tuple(found)

    def is_dirty(self) -> bool:
        """Whether a number was typed."""
        return any(self.form.values().values())

    def _kept(self) -> dict[tuple[str, ...], str]:
        """What was typed, by what it belongs to instead of its line."""
        values, kept = self.form.values(), {}
        for at in range(len(self._lots) + self._others):
            key: tuple[str, ...] = (f"+{at - len(self._lots)}",)
            if at < len(self._lots):
                key = format(self._lots[at].strength_mg, "f"), self._lots[at].lot
            for part in ("strength_mg", "lot", *self._kinds):
                if f"lots.{at}.{part}" in values:
                    kept[*key, part] = values[f"lots.{at}.{part}"]
        return kept

    def _rebuild(self, kept: dict[tuple[str, ...], str]) -> None:
        old = self.form
        form = Form(columns=len(self._kinds), name="count_lots")
        for at, lot in enumerate(self._lots):
            strength = format(lot.strength_mg, "f")
            for kind in self._kinds:
                of_what = f": {_KIND_LABELS[kind]}" if len(self._kinds) > 1 else ""
                field = TextField(
                    f"lots.{at}.{kind}",
                    f"{say_mg(lot.strength_mg)}, lot {lot.lot}{of_what}",
                    required=True,
                    max_length=9,
                    hint=f"Last day {say_day(lot.expires_on)}.",
                    check=_whole,
                )
                field.set_value(kept.get((strength, lot.lot, kind), ""))
                form.add(field)
            form.end_row()
        for other in range(self._others):
            at = len(self._lots) + other
            form.add_widget(Text("A lot that is not listed above", "label"))
            if not self._strength:
                choice = ChoiceField(f"lots.{at}.strength_mg", "Strength", _STRENGTHS)
                choice.set_value(kept.get((f"+{other}", "strength_mg"), ""))
                form.add(choice)
            lot_field = TextField(f"lots.{at}.lot", "Lot", max_length=20)
            lot_field.set_value(kept.get((f"+{other}", "lot"), ""))
            form.add(lot_field)
            form.end_row()
            for kind in self._kinds:
                field = TextField(f"lots.{at}.{kind}", f"Number of {_KIND_LABELS[kind]}", max_length=9, check=_whole)
                field.set_value(kept.get((f"+{other}", kind), ""))
                form.add(field)
            form.end_row()
        self.body.replaceWidget(old, form)
        old.hide()
        old.deleteLater()
        self.form = form
        form.changed.connect(self.changed)
        self._none.setVisible(not self._lots)
        self.rebuilt.emit()


class CountDraft(QWidget):
    """A count from its beginning to its handing in.

    Signals ``handed_in(object event)``, ``left()`` when it is given up, ``look_at(object widget)`` for what is to be
    seen.
    """

    handed_in = Signal(object)
    left = Signal()
    look_at = Signal(object)

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("count_draft")
        self._office = office
        self._act = office.act()
        self._begun: CountBegun | None = None
        self._busy = False
        self._trouble = Banner("stop", "", name="count_trouble")
        self._trouble.hide()
        self._setup = self._make_setup()
        self._doing = self._make_doing()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        for widget in (self._trouble, self._setup, self._doing):
            column.addWidget(widget)
        column.addStretch(1)
        self._show_setup()

    # -- parts

    def _make_setup(self) -> QWidget:
        card = Card("What is counted", "Expected numbers are shown once the count is handed in.", name="count_setup")
        self.setup = Form(name="count_setup_form")
        self._place = ChoiceField("place", "&Place", required=True)
        self.setup.add(self._place)
        self.show_places(self._office.site.places)
        self.setup.add(ChoiceField("strength_mg", "&Strength", [(ANY, "All strengths"), *_STRENGTHS], required=True))
        choices = [(key, kinds_words(kinds).capitalize()) for key, kinds in SCOPES.items()]
        self.setup.add(ChoiceField("what", "&Of what", choices, required=True))
        self.setup.add(
            ChoiceField(
                "method",
                "&How",
                [("scan", "By scan, vial by vial"), ("number", "By number, for each strength and lot")],
                required=True,
            )
        )
        card.add(self.setup)
        self.give_up = Button("Go &back", name="count_leave")
        self.give_up.clicked.connect(self.leave)
        self.start = Button("Start &counting", name="count_start", kind="primary")
        self.start.clicked.connect(self._start)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.give_up)
        row.addWidget(self.start)
        card.body.addLayout(row)
        self._defaults()
        return card

    def _make_doing(self) -> QWidget:
        doing = QWidget()
        column = QVBoxLayout(doing)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        self._what = Text("", "section", name="count_what")
        head.addWidget(self._what, 1)
        self.drop_button = Button("Gi&ve this count up…", name="count_drop")
        self.drop_button.clicked.connect(self.leave)
        head.addWidget(self.drop_button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        self.scans = ScanPart(self._office)
        self.scans.changed.connect(self._offer_nothing)
        self.numbers = NumberPart()
        self.numbers.rebuilt.connect(self._join_tabs)
        column.addWidget(self.scans)
        column.addWidget(self.numbers)
        card = Card("Hand in", "Counted by one person and verified by another, who counts again.", name="count_hand_in")
        self.form = Form(name="count_sign")
        self.nothing = CheckField("nothing_there", "I looked, and nothing of this &kind is at this place")
        self.form.add(self.nothing, span=2)
        self.form.add(NoteField("note", "Not&e", lines=2), span=2)
        add_signatures(
            self.form,
            self._office,
            "I counted.",
            "A second person counts again and signs with their own password.",
            self.hand_in,
        )
        card.add(self.form)
        self.verb = Button("S&ign and hand in", name="count_hand_in_do", kind="primary", icon="sign")
        self.verb.clicked.connect(self.hand_in)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.verb)
        card.body.addLayout(row)
        self.form.mark_clean()
        column.addWidget(card)
        self._join_tabs()
        return doing

    def _join_tabs(self) -> None:
        """Tab goes as one reads: the count's head, its scans or numbers, and how it is handed in."""
        parts = (self.drop_button, self.scans, self.numbers.form, self.numbers.other_button, self.form, self.verb)
        chain_tabs([stop for part in parts for stop in tab_stops(part)])

    def show_places(self, places: Sequence[str]) -> None:
        """Offer these places; the one chosen stays chosen."""
        self._place.set_choices([(place, place) for place in places])
        if len(places) == 1 and not self._place.value():
            self._place.set_value(places[0])

    def _defaults(self) -> None:
        self.setup.set_values({"place": "", "strength_mg": ANY, "what": VIALS, "method": "scan"})

    # -- where it stands

    @property
    def is_counting(self) -> bool:
        """Whether a count was begun and not handed in."""
        return self._begun is not None

    def is_dirty(self) -> bool:
        """Whether something was counted that is not handed in."""
        return self.is_counting and (bool(self.scans.scanned) or self.numbers.is_dirty() or self.form.is_dirty())

    def open_for(self, place: str = "") -> None:
        """Begin a count of a place ('' leaves the choice); one that is under way goes on."""
        if not self.is_counting and place:
            self._place.set_value(place)
        self.take_focus()

    def take_focus(self) -> None:
        """Put the focus where the next thing is done."""
        if not self.is_counting:
            (self.start if self._place.value() else self._place.editor()).setFocus()
        elif self._method == "scan":
            self.scans.scan.editor().setFocus()
        else:
            fields = self.numbers.form.fields()
            empty = [field for field in fields if not field.value()]
            (empty or [*fields, self.nothing])[0].editor().setFocus()

    def leave(self) -> None:
        """Give the count up; where something was counted it is asked first."""
        if self._busy:
            return
        if self.is_dirty() and not confirm(
            self, "Give this count up?", "What was counted is lost. Nothing was recorded.", "Give it up"
        ):
            return
        self.reset()
        self.left.emit()

    def reset(self) -> None:
        """Back to an empty draft."""
        self._begun = None
        self._act = self._office.act()
        self._trouble.hide()
        self.scans.begin("")
        self.numbers.begin((), "", (VIALS,))
        for field in self.form.fields():
            if field.name != "user_name":
                field.set_value("")
        self.form.clear_faults()
        self.form.mark_clean()
        self._defaults()
        self._show_setup()

    def _show_setup(self) -> None:
        self._setup.setVisible(not self.is_counting)
        self._doing.setVisible(self.is_counting)

    @property
    def _method(self) -> str:
        return self.setup.field("method").value()

    @property
    def _strength(self) -> str:
        value = self.setup.field("strength_mg").value()
        return "" if value == ANY else value

    # -- beginning

    def _start(self) -> None:
        if self.setup.check():
            self._ask_begin(self._did_begin)

    def _ask_begin(self, then: Callable[[CountBegun], None]) -> None:
        strength, what = self._strength, self.setup.field("what").value()

        def question(reader: Reader) -> CountBegun:
            return begin_count(reader, strength, what)

        self._office.ask(question, then, self._failed)

    def _did_begin(self, begun: CountBegun) -> None:
        self._begun = begun
        values = self.setup.values()
        kinds = SCOPES[values["what"]]
        scan = values["method"] == "scan"
        self.scans.begin(self._strength)
        self.numbers.begin(begun.lots, self._strength, kinds)
        self.scans.setVisible(scan)
        self.numbers.setVisible(not scan)
        strengths = f"{self._strength} mg" if self._strength else "all strengths"
        self._what.setText(f"{values['place']}: {kinds_words(kinds)}, {strengths}, {METHOD_WORDS[values['method']]}")
        self._trouble.hide()
        self._show_setup()
        self._offer_nothing()
        QTimer.singleShot(0, self, self.take_focus)

    def _renewed(self, begun: CountBegun) -> None:
        """What moved was said: from here on stock must stand still again."""
        self._begun = begun
        self.numbers.renew(begun.lots)

    def _offer_nothing(self) -> None:
        """The word that nothing is there is asked for only while nothing is."""
        nothing = not self.scans.scanned if self._method == "scan" else self._begun is not None and not self._begun.lots
        if not nothing:
            self.nothing.set_value("")
        self.nothing.setVisible(nothing)

    # -- handing in

    def hand_in(self) -> None:
        """Hand the count in with what stands in the form."""
        begun = self._begun
        if self._busy or begun is None:
            return
        scan = self._method == "scan"
        well = [self.form.check(), scan or self.numbers.form.check()]
        if not all(well):
            part = self.numbers.form if not well[1] else self.form
            faulty = next(field for field in part.fields() if field.fault())
            faulty.editor().setFocus()
            self.look_at.emit(faulty)
            return
        values, setup = self.form.values(), self.setup.values()
        form = CountForm(
            place=setup["place"],
            begun_seq=begun.begun_seq,
            strength_mg=self._strength,
            what=setup["what"],
            method=setup["method"],
            codes=tuple(each.unit_number or each.code for each in self.scans.scanned) if scan else (),
            lots=() if scan else self.numbers.typed(),
            nothing_there=values["nothing_there"],
            note=values["note"],
        )
        own, second = credentials_of(values)
        self._set_busy(True)
        desk, act = self._office.desk, self._act
        self._office.do(
            lambda: record_count(desk, act, form, own, second), self._did, self._did_not, busy="Handing in the count"
        )

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.verb.setEnabled(not busy)
        self.drop_button.setEnabled(not busy)

    def _did(self, event: Event) -> None:
        self._set_busy(False)
        self.reset()
        self.handed_in.emit(event)

    def _did_not(self, trouble: Exception) -> None:
        self._set_busy(False)
        forget_passwords(self.form)
        faults = faults_of(trouble)
        if any(fault.field in ("begun_seq", "lots") for fault in faults):
            self._ask_begin(self._renewed)
        self._show_faults(faults)

    def _show_faults(self, faults: Sequence[Fault]) -> None:
        of_form = {field.name for field in self.form.fields() if not field.isHidden()}
        numbers = [fault for fault in faults if fault.field.startswith("lots.")]
        scans = [fault for fault in faults if fault.field in ("code", "codes")]
        own = [fault for fault in faults if fault.field in of_form]
        others = [fault for fault in faults if fault not in (*numbers, *scans, *own)]
        self._trouble.set_message("stop", "\n".join(str(fault) for fault in others), word="Not handed in")
        self._trouble.setVisible(bool(others))
        self.form.show_faults(own)
        self.numbers.form.show_faults(numbers)
        if scans:
            self.scans.show_fault("\n".join(str(fault) for fault in scans))
        first = (
            self._trouble
            if others
            else self.scans.scan
            if scans
            else next((f for f in (*self.numbers.form.fields(), *self.form.fields()) if f.fault()), self.form)
        )
        self.look_at.emit(first)

    def _failed(self, trouble: Exception) -> None:
        self._trouble.set_message("stop", str(trouble))
        self._trouble.show()
        self.look_at.emit(self._trouble)
