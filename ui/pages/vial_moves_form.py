"""The forms of the moves that take vials out of use or off the site: proofs, fields and signatures, move by move."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.places import REFRIGERATOR
from pharmacy_app.domain.vials import Vial, move_table
from pharmacy_app.services import disposition, documents, views
from pharmacy_app.services.desk import Act, Credentials, Desk
from pharmacy_app.services.disposition import (
    ASKED_WITH_THE_ACT,
    PERMISSION_KIND,
    PURPOSE_OF,
    RETURN_REASONS,
    CarrierTyped,
    DestroyForm,
    LossForm,
    ProofLine,
    ReturnForm,
    TakeBackForm,
    TransferForm,
)
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.transport import CARRIERS, CONTAINERS, OWN_STAFF, TransportForm, needs_receiver, transport
from ui.office import Office
from ui.pages.documents_parts import FileField, attach
from ui.pages.done_field import DoneTime
from ui.pages.stock_parts import ActDialog, vials_count
from ui.theme import SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, plain, rule
from ui.widgets.fields import CheckField, ChoiceField, DateField, Form, NoteField, PasswordField, TextField
from ui.widgets.panels import Card

VIAL_FIELDS = ("unit_number", "unit_numbers")
"""The fields of faults that belong to the list of vials, not to the form."""


@dataclass(frozen=True, slots=True)
class MoveKind:
    """How one move of the table is offered: its act, its words and whose signatures it takes.

    ``meaning`` is what the own signature says, '' where the act takes none; ``second`` names the other person who
    signs, '' for none.
    """

    move: str
    act: str
    title: str
    text: str
    verb: str
    done: str
    meaning: str = ""
    second: str = ""


MOVE_KINDS = (
    MoveKind(
        "transport",
        "vials_transported",
        "Move to another &place",
        "Two lines are written: out of the old place, into the new one. To and from a satellite another person signs"
        " the receipt there.",
        "&Record the move",
        "moved to another place",
    ),
    MoveKind(
        "break",
        "vials_broken",
        "Bro&ken",
        "Keep what is left of the vial with its label: the container waits for the monitor's accountability.",
        "S&ign as broken",
        "recorded as broken",
        "I broke it or found it broken.",
        "Second person",
    ),
    MoveKind(
        "miss",
        "vials_missing",
        "&Missing",
        "Search together with a second person first. A missing vial is explained and reported.",
        "S&ign as missing",
        "recorded as missing",
        "I searched and did not find it.",
        "Second person",
    ),
    MoveKind(
        "find",
        "vials_found",
        "&Found again",
        "Nobody knows how it was stored meanwhile: it goes into quarantine until the supporter permits its use in"
        " writing.",
        "S&ign as found",
        "found again and quarantined",
        "I found it.",
        "Second person",
    ),
    MoveKind(
        "lose",
        "vials_missing",
        "Container &lost",
        "Search together with a second person first. A lost container of a used vial is explained and reported.",
        "S&ign as lost",
        "recorded as lost",
        "I searched and did not find it.",
        "Second person",
    ),
    MoveKind(
        "recover",
        "vials_found",
        "C&ontainer found again",
        "It is again what it was: empty, partial, broken or returned by a subject.",
        "S&ign as found",
        "found again",
        "I found it.",
        "Second person",
    ),
    MoveKind(
        "take back",
        "vials_taken_back",
        "&Came back from a subject",
        "Opened, empty and partly used containers that a ward brought back: never used again. An unopened vial never"
        " leaves the pharmacy for a subject.",
        "&Record as returned by the subject",
        "recorded as returned by the subject",
    ),
    MoveKind(
        "return",
        "vials_returned",
        "&Return to the supporter",
        "Unopened vials go back in their original containers, after the supporter was asked. Expired ones are returned"
        " too, never destroyed here.",
        "S&ign the return",
        "returned to the supporter",
        "I packed and sent them.",
    ),
    MoveKind(
        "transfer",
        "vials_transferred",
        "Tran&sfer to another site",
        "Unopened vials go to the other site in their original containers, after the supporter was asked.",
        "S&ign the transfer",
        "transferred to another site",
        "I packed and sent them.",
    ),
    MoveKind(
        "destroy",
        "vials_destroyed",
        "&Destroy on site",
        "Used and broken containers only, under the supporter's permission and after the monitor's accountability. A"
        " witness signs too.",
        "S&ign the destruction",
        "destroyed on site",
        "I destroyed them.",
        "Witness",
    ),
)
"""The moves offered, in the order of the table."""


def do_move(desk: Desk, act: Act, name: str, unit_numbers: tuple[str, ...], typed: dict[str, str]) -> Event:
    """Record a move of the vials with what was typed into its form; raises ``Refused`` with every fault."""
    late = {key: typed[key] for key in ("done_at", "late_why")}
    if name == "transport":
        receiver = Credentials(typed["witness_user_name"], typed["witness_password"])
        way = TransportForm(
            unit_numbers,
            typed["to_place"],
            typed["carried_by"],
            typed["carrier"],
            typed["container"],
            typed["note"],
            **late,
        )
        return transport(desk, act, way, receiver if receiver.user_name.strip() else None)
    if name == "take back":
        came = TakeBackForm(unit_numbers, typed["dose_id"], typed["reason"], typed["brought_by"], typed["note"], **late)
        return disposition.take_back(desk, act, came)
    own = Credentials(typed["user_name"], typed["password"])
    if name in ("return", "transfer"):
        carrier = CarrierTyped(
            typed["carrier.courier"],
            typed["carrier.tracking_number"],
            typed["carrier.packages"],
            typed["carrier.seal"],
            typed["carrier.logger_serial"],
        )
        confirmed, note = typed["in_original_containers"], typed["note"]
        permission, reason = typed["permission"], typed["reason"]
        if name == "return":
            back = ReturnForm(unit_numbers, permission, typed["depot"], reason, confirmed, carrier, note, **late)
            return disposition.return_vials(desk, act, back, own)
        on = TransferForm(unit_numbers, permission, typed["to_site"], reason, confirmed, carrier, note, **late)
        return disposition.transfer_vials(desk, act, on, own)
    second = Credentials(typed["witness_user_name"], typed["witness_password"])
    if name == "destroy":
        form = DestroyForm(
            unit_numbers,
            typed["permission"],
            typed["method"],
            typed["container"],
            typed["certificate"],
            typed["note"],
            **late,
        )
        return disposition.destroy_vials(desk, act, form, own, second)
    acts = {
        "break": disposition.break_vials,
        **dict.fromkeys(("miss", "lose"), disposition.miss_vials),
        **dict.fromkeys(("find", "recover"), disposition.find_vials),
    }
    loss = LossForm(unit_numbers, typed["why"], **late, place=typed.get("place", ""))
    return acts[name](desk, act, loss, own, second)


class Checklist(QWidget):
    """The proofs of a move, each with an icon and the word for where it stands."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._name = name
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SPACE_XS)

    def show_lines(self, lines: Sequence[ProofLine]) -> None:
        """Show where each proof stands."""
        clear_layout(self._rows)
        for line in lines:
            icon, tone, word, more = _standing(line)
            row = QWidget()
            across = QHBoxLayout(row)
            across.setContentsMargins(0, 0, 0, 0)
            across.setSpacing(SPACE_S)
            top = Qt.AlignmentFlag.AlignTop
            across.addWidget(IconView(icon, tone), 0, top)
            state = Text(word, "label", tone=tone if tone in ("ok", "stop") else "", wrap=False)
            state.setMinimumWidth(104)
            key = line.name.replace(" ", "_")
            says = f"{line.says[:1].upper()}{line.says[1:]}{f': {more}' if more else ''} (§\u00a0{line.section})"
            words = Text(says, name=f"{self._name}_{key}")
            words.setAccessibleName(f"{word}: {says}")
            for text in (state, words):
                text.setAlignment(top | Qt.AlignmentFlag.AlignLeft)
            across.addWidget(state, 0, top)
            across.addWidget(words, 1)
            self._rows.addWidget(row)


def _standing(line: ProofLine) -> tuple[str, str, str, str]:
    """Icon, its tone, the word and what is missing of a proof."""
    if line.there:
        return "ok", "ok", "There", ""
    if line.missing == ASKED_WITH_THE_ACT:
        return "sign", "muted", "Asked below", ""
    return "stop", "stop", "Missing", line.missing


def permission_dialog(office: Office, parent: QWidget, purpose: str) -> ActDialog:
    """Attach the supporter's written permission for one purpose to the study; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        form = documents.DocumentForm(
            values["title"], PERMISSION_KIND, "", values["signed_by"], values["dated_on"], "", (purpose,)
        )
        return attach(office, act, form, values["file"])

    return ActDialog(
        office,
        "Attach the supporter's permission",
        f"{documents.FILES_TAKEN}, kept as it is and attached to the study as a whole. It will count as a permission"
        f" of {purpose} and of nothing else.",
        "&Attach",
        [
            FileField("file", "&File"),
            TextField("title", "&Title", required=True, max_length=120),
            TextField("signed_by", "&Signed by", required=True, max_length=60, hint="The name as on the document."),
            DateField("dated_on", "&Dated", required=True),
        ],
        work,
        name="permission_dialog",
        busy="Attaching the document",
        parent=parent,
    )


class MoveForm(Card):
    """One move's form. Signals ``done(object event)``, ``refused(object faults)`` for faults of the vials,
    ``again()`` to choose another move, ``attached()`` after a permission was attached, ``look_at(object widget)``.
    """

    done = Signal(object)
    refused = Signal(object)
    again = Signal()
    attached = Signal()
    look_at = Signal(object)

    def __init__(self, office: Office, kind: MoveKind) -> None:
        key = kind.move.replace(" ", "_")
        super().__init__(plain(kind.title), kind.text, name=f"move_form_{key}")
        self.kind = kind
        self._office = office
        self._act = office.act()
        self._busy = False
        self._units: tuple[str, ...] = ()
        self._places: tuple[views.Place, ...] = ()
        self._vials: tuple[Vial, ...] = ()
        self.other = Button("&Another move…", name="move_other")
        self.other.clicked.connect(self.again)
        self.head.addWidget(self.other, 0, Qt.AlignmentFlag.AlignTop)
        self.checklist = Checklist(f"proofs_{key}")
        self.add(self.checklist)
        if move_table().moves[kind.move].needs:
            self.add(rule())
        else:
            self.checklist.hide()
        self.form = Form(name=f"move_fields_{key}")
        self.permission: ChoiceField | None = None
        _FIELDS[kind.move](self)
        self.when = DoneTime(office, self.form)
        self._add_signatures()
        self.add(self.form)
        self.verb = Button(kind.verb, name="move_sign", kind="primary", icon="sign" if kind.meaning else "")
        self.verb.clicked.connect(self.sign)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.verb)
        self.body.addLayout(row)
        self.form.mark_clean()

    # -- fields

    def add_transport(self) -> None:
        """Where vials are carried, by whom and how; at a satellite, who receives them there."""
        self._to_place = ChoiceField("to_place", "To which &place", required=True)
        self._to_place.changed.connect(self._offer_receiver)
        self.form.add(self._to_place)
        self.form.add(TextField("carried_by", "&Carried by", required=True, max_length=60, hint="The person's name."))
        carriers = [(each, f"{each[:1].upper()}{each[1:]}") for each in CARRIERS]
        self._carrier = ChoiceField("carrier", "By &whom", carriers, required=True)
        self._carrier.set_value(OWN_STAFF)
        self.form.add(self._carrier)
        containers = [(each, f"{each[:1].upper()}{each[1:]}") for each in CONTAINERS]
        self.form.add(ChoiceField("container", "&Kept on the way", containers, required=True))
        self.form.add(NoteField("note", "&Note", lines=2), span=2)
        self._receiver_words = Text("", "strong", name="move_receiver")
        self.form.add_widget(self._receiver_words)
        self._receiver = (
            TextField("witness_user_name", "Who receives them, &user name", max_length=64),
            PasswordField("witness_password", "Who receives them, pa&ssword"),
        )
        for field in self._receiver:
            self.form.add(field)
        self._receiver[1].editor().returnPressed.connect(self.sign)
        self._offer_receiver()

    def add_take_back(self) -> None:
        """Of which dose containers came back, why, and who brought them."""
        self.form.add(TextField("dose_id", "&Dose", required=True, max_length=12))
        self.form.add(TextField("brought_by", "Brou&ght by", required=True, max_length=60, hint="The person's name."))
        self.form.add(TextField("reason", "Rea&son", required=True, max_length=300), span=2)
        self.form.add(NoteField("note", "&Note", lines=2), span=2)

    def add_find(self) -> None:
        """What happened, and where the vials lie now, if that is another place."""
        self._found_at = ChoiceField(
            "place", "Found at which &place", hint="Only if they lie elsewhere than where they were last."
        )
        self.form.add(self._found_at)
        self.form.end_row()
        self.add_loss()

    def add_loss(self) -> None:
        """What happened, in words."""
        self.form.add(NoteField("why", "What &happened", required=True, lines=2), span=2)

    def add_return(self) -> None:
        """Where a return goes, why, under which permission, and how it travels."""
        self.form.add(TextField("depot", "Where the vials &go", required=True, max_length=120))
        reasons = [(reason, f"{reason[:1].upper()}{reason[1:]}") for reason in RETURN_REASONS]
        self.form.add(ChoiceField("reason", "&Reason", reasons, required=True))
        self._add_leaving()

    def add_transfer(self) -> None:
        """Which site receives a transfer, why, under which permission, and how it travels."""
        self.form.add(TextField("to_site", "The site that &gets the vials", required=True, max_length=120))
        self.form.add(TextField("reason", "&Reason", required=True, max_length=200))
        self._add_leaving()

    def add_destroy(self) -> None:
        """Under which permission containers are destroyed, how, and with which papers."""
        self._add_permission()
        self.form.add(TextField("method", "&Method", required=True, max_length=120))
        self.form.add(TextField("container", "Waste &container or manifest", required=True, max_length=120))
        self.form.add(TextField("certificate", "C&ertificate", max_length=120))
        self.form.end_row()
        self.form.add(NoteField("note", "&Note", lines=2), span=2)

    def _add_leaving(self) -> None:
        self._add_permission()
        self.form.add(CheckField("in_original_containers", "Each vial is unopened in its &original container"), span=2)
        self.form.add(TextField("carrier.courier", "&Courier", required=True, max_length=60))
        self.form.add(TextField("carrier.tracking_number", "Trac&king number", required=True, max_length=60))
        self.form.add(TextField("carrier.packages", "Number of packag&es", required=True, max_length=9))
        self.form.add(TextField("carrier.seal", "Sea&l number", required=True, max_length=60))
        self.form.add(TextField("carrier.logger_serial", "Te&mperature logger, serial number", required=True))
        self.form.end_row()
        self.form.add(NoteField("note", "&Note", lines=2), span=2)

    def _add_permission(self) -> None:
        self.permission = ChoiceField("permission", "Supporter's &permission", required=True)
        self.form.add(self.permission, span=2)
        # A long title must not make the page wider than the window.
        self.permission.editor().setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.permission.editor().setMinimumContentsLength(24)
        attach = Button("Attach a &document…", name="move_attach", icon="plus")
        attach.clicked.connect(self._attach)
        attach.setEnabled(self._office.may("document_attached"))
        attach.setToolTip(self._office.why_not("document_attached"))
        beside = QWidget()
        row = QHBoxLayout(beside)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(attach)
        row.addStretch(1)
        self.form.add_widget(beside)

    def _add_signatures(self) -> None:
        self.form.end_row()
        self.form.add_widget(rule())
        if not self.kind.meaning:
            self._signed_for = Text("", name="move_signed_for")
            self.form.add_widget(self._signed_for)
            return
        self.form.add_widget(Text(f"Your signature: “{self.kind.meaning}”", "strong"))
        self._signed_for = Text("", name="move_signed_for")
        self.form.add_widget(self._signed_for)
        user = TextField("user_name", "Your user name", required=True, max_length=64)
        user.set_value(self._office.session.user_name)
        user.set_read_only(True)
        self.form.add(user)
        password = PasswordField("password", "Your pass&word", required=True)
        self.form.add(password)
        last = password
        if self.kind.second:
            who = self.kind.second
            self.form.add_widget(Text(f"{who}: another person who was there signs with their own password.", "strong"))
            self.form.add(TextField("witness_user_name", f"{who}, &user name", required=True, max_length=64))
            last = PasswordField("witness_password", f"{who}, pa&ssword", required=True)
            self.form.add(last)
        last.editor().returnPressed.connect(self.sign)

    # -- what is shown

    def show_facts(
        self, units: tuple[str, ...], lines: Sequence[ProofLine], permissions: Sequence[views.DocumentLine]
    ) -> None:
        """Show where the proofs stand for the vials now on the list; what was typed stays."""
        self._units = units
        what = "Signed for" if self.kind.meaning else "Recorded for"
        self._signed_for.setText(
            f"{what}: {vials_count(len(units))}, {unit_ranges(units)}." if units else "No vial is on the list."
        )
        self.checklist.show_lines(lines)
        if self.permission is not None:
            self.permission.set_choices([(line.document_id, _document_words(line)) for line in permissions])
            self.permission.set_hint("" if permissions else "None is attached yet: attach it first.")

    def show_places(self, places: Sequence[views.Place], vials: Sequence[Vial]) -> None:
        """Offer the places in use for a transport and for found vials, and the dose of the vials that came back."""
        self._places, self._vials = tuple(places), tuple(vials)
        in_use = [(place.name, _place_words(place)) for place in places if place.in_use]
        if self.kind.move == "transport":
            self._to_place.set_choices(in_use)
            self._offer_receiver()
        if self.kind.move in ("find", "recover"):
            self._found_at.set_choices(in_use)
        doses = {vial.dose_id for vial in vials}
        if self.kind.move == "take back" and len(doses) == 1 and not self.form.field("dose_id").value():
            self.form.field("dose_id").set_value(next(iter(doses)))
            self.form.mark_clean()

    def _offer_receiver(self) -> None:
        """Ask for the second person's signature where one end of the way is a satellite."""
        needed = needs_receiver(self._places, self._vials, self._to_place.value())
        self._receiver_words.setText(
            "A satellite has a record of its own: whoever receives the vials there signs with their own password."
        )
        self._receiver_words.setVisible(needed)
        for field in self._receiver:
            field.required = needed
            field.setVisible(needed)
            if not needed:
                field.set_value("")

    def is_dirty(self) -> bool:
        """Whether anything was typed."""
        return self.form.is_dirty()

    @property
    def is_busy(self) -> bool:
        """Whether the move is being recorded."""
        return self._busy

    def _attach(self) -> None:
        dialog = permission_dialog(self._office, self, PURPOSE_OF[self.kind.move])
        dialog.succeeded.connect(self._did_attach)
        dialog.open()

    def _did_attach(self, event: Event) -> None:
        assert self.permission is not None
        number, title = str(event.content["document_id"]), event.content["title"]
        self._office.messages.ok(f"“{title}” is attached as document {number}.")
        self.permission.set_choices([(number, f"{number}: {title}")])
        self.permission.set_value(number)
        self.permission.editor().setFocus()
        self.attached.emit()

    # -- the act

    def sign(self) -> None:
        """Record the move with what stands in the form."""
        if self._busy:
            return
        if not self.form.check():
            self.look_at.emit(self._first_faulty())
            return
        self._set_busy(True)
        desk, act, name, units = self._office.desk, self._act, self.kind.move, self._units
        values = self.form.values()
        self._office.do(
            lambda: do_move(desk, act, name, units, values), self._did, self._did_not, busy="Recording the move"
        )

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.verb.setEnabled(not busy)
        self.other.setEnabled(not busy)

    def _did(self, event: Event) -> None:
        self._set_busy(False)
        self._forget_passwords()
        moved = {moved["unit_number"] for moved in event.content["moves"]}
        said = f"{vials_count(len(moved))} {self.kind.done} (event {event.seq})."
        if kept_back := event.content.get("kept_back", ()):
            units = unit_ranges(tuple(vial["unit_number"] for vial in kept_back))
            self._office.messages.warn(
                f"{said} By this {units} lay through a storage deviation and stay in quarantine."
            )
        else:
            self._office.messages.ok(said)
        self.done.emit(event)

    def _did_not(self, trouble: Exception) -> None:
        self._set_busy(False)
        self._forget_passwords()
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        of_vials = [fault for fault in faults if fault.field in VIAL_FIELDS]
        own = [fault for fault in faults if fault.field not in VIAL_FIELDS]
        self.form.show_faults(own)
        # The list of vials stands first on the page: where it is at fault, the focus goes there.
        self.refused.emit(of_vials)
        if own and not of_vials:
            self.look_at.emit(self._first_faulty())

    def _forget_passwords(self) -> None:
        for field in self.form.fields():
            if isinstance(field, PasswordField):
                field.clear()
                field.set_fault("")

    def _first_faulty(self) -> QWidget:
        return next((field for field in self.form.fields() if field.fault()), self.form)


_FIELDS: dict[str, Callable[[MoveForm], None]] = {
    "transport": MoveForm.add_transport,
    "take back": MoveForm.add_take_back,
    "break": MoveForm.add_loss,
    "miss": MoveForm.add_loss,
    "find": MoveForm.add_find,
    "lose": MoveForm.add_loss,
    "recover": MoveForm.add_find,
    "return": MoveForm.add_return,
    "transfer": MoveForm.add_transfer,
    "destroy": MoveForm.add_destroy,
}


def _place_words(place: views.Place) -> str:
    """A place with its kind where that matters, and its room."""
    kind = "" if place.kind == REFRIGERATOR else place.kind
    more = ", ".join(part for part in (kind, place.room) if part)
    return f"{place.name} ({more})" if more else place.name


def _document_words(line: views.DocumentLine) -> str:
    return f"{line.document_id}: {line.title}, signed by {line.signed_by} on {say_day(line.dated_on)}"
