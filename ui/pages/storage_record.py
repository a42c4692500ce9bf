"""One storage deviation: its clock, what is missing, the curve, the vials, and the acts that follow."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day, say_moment
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.temperatures import MKT_NOTICE, say_celsius
from pharmacy_app.services.behind import Entry
from pharmacy_app.services.charts import temperatures
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.exposures import still_lasts
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.printing import unit_ranges
from pharmacy_app.services.storage import (
    DECISION_KINDS,
    DECISIONS,
    HOW_TOLD,
    DecisionForm,
    DeviationRecord,
    ExposedVial,
    ReportForm,
    UpdateForm,
    clock_words,
    close_deviation,
    decide_deviation,
    report_deviation,
    update_deviation,
)
from pharmacy_app.services.storage_report import outcome_words
from pharmacy_app.services.views import DocumentLine
from ui.office import Office
from ui.pages.documents_parts import attach_dialog, attach_row
from ui.pages.figure import lead_rows, named
from ui.pages.query_strip import QueryStrip
from ui.pages.stock_parts import ActDialog, TippedRows, say_mg, state_tone, vials_count
from ui.pages.storage_form import SpanRow, span_rows, span_table
from ui.pages.storage_permission import DocumentChoice, ReleaseDialog
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.charts import PictureView
from ui.widgets.fields import ChoiceField, DateTimeField, Field, NoteField, PasswordField, TextField
from ui.widgets.panels import Banner, Card, KeyValues
from ui.widgets.tables import Column

_ITEM_WORDS = {
    "end": "Ended",
    "quarantine": "Quarantined",
    "report": "Supporter told",
    "decision": "Written decision",
    "release or return": "Released or returned",
    "cause": "Cause",
    "action": "Action",
}
_ITEM_WIDTH = 184


def capital(words: str) -> str:
    """Words with a capital in front."""
    return words[:1].upper() + words[1:]


class _VialRow:
    """A line of the exposed vials."""

    def __init__(self, vial: ExposedVial) -> None:
        self.vial = vial
        line = vial.line
        self.unit_number = line.unit_number
        self.lot = f"{say_mg(line.strength_mg)}, {line.lot}"
        self.state_then = line.state_then
        self.dose = line.dose_id
        self.state = vial.state
        self.decision = f"{line.decision}, {line.document_id}" if line.decision else "–"
        if not line.decision and vial.was_unopened and not vial.outcome:
            self.decision = "not decided"
        self.outcome = outcome_words(vial) or ("used before it was known" if vial.was_used else "–")


class RecordView(QWidget):
    """One deviation with its acts. Signals ``recorded()`` after an act, ``needs_look(QWidget)``."""

    recorded = Signal()
    needs_look = Signal(QWidget)

    def __init__(self, office: Office, record: DeviationRecord) -> None:
        super().__init__()
        self.setObjectName("storage_record")
        self._office = office
        self._zone = ZoneInfo(office.site.time_zone)
        self._record = record
        self._documents: tuple[DocumentLine, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        self.state = Banner("stop", "", name="storage_state")
        column.addWidget(self.state)
        self._queries = QueryStrip(office, name="storage_query")
        column.addWidget(self._queries)
        column.addWidget(self._make_checklist())
        column.addWidget(self._make_risk())
        column.addWidget(self._make_temperatures())
        column.addWidget(self._make_vials())
        column.addWidget(self._make_facts())
        column.addStretch(1)
        self.show_record(record)

    # -- parts

    def _button(self, words: str, name: str, kind: str, slot: object) -> Button:
        button = Button(words, name=name)
        why_not = self._office.why_not(kind)
        button.setProperty("why_not", why_not)
        button.setToolTip(why_not)
        button.clicked.connect(slot)
        return button

    def _make_checklist(self) -> Card:
        card = Card("What is needed before it is closed", name="storage_checklist")
        self._items = QVBoxLayout()
        self._items.setSpacing(0)
        card.body.addLayout(self._items)
        self.told_button = self._button("Supporter &told…", "storage_tell", "deviation_reported", self.tell)
        self.update_button = self._button("&Cause and action…", "storage_update", "deviation_updated", self.update_it)
        self.close_button = self._button("Close and &sign…", "storage_close", "deviation_closed", self.close_it)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        for button in (self.told_button, self.update_button, self.close_button):
            row.addWidget(button)
        card.body.addLayout(row)
        return card

    def _make_risk(self) -> Card:
        self._risk = Card(
            "Doses at risk", "They lost their vials, or are planned within the next 14 days.", name="storage_risk"
        )
        self._risk_rows = QVBoxLayout()
        self._risk_rows.setSpacing(SPACE_XS)
        self._risk.body.addLayout(self._risk_rows)
        return self._risk

    def _make_temperatures(self) -> Card:
        card = Card("Temperatures", name="storage_temperatures")
        self.chart = PictureView(name="storage_chart")
        self._spans = span_rows(self)
        self.spans_table = span_table(self._spans, "storage_spans")
        behind = dict.fromkeys(("low", "high", "mkt"), self._entry)
        lead_rows(self._office, self.spans_table, behind, thing=self._entry)
        self._notice = Text(MKT_NOTICE, "small", name="storage_mkt")
        for widget in (self.chart, self.spans_table, self._notice):
            card.add(widget)
        return card

    def _entry(self, _row: object) -> Entry:
        """The entry that has the temperatures, with the file of the logger."""
        return Entry(self._record.line.event_seq)

    def _make_vials(self) -> Card:
        card = Card(
            "Vials that lay there",
            "By the ledger, whatever became of them since. Choose some for a decision or a release; none means all.",
            name="storage_vials_card",
        )
        self._vials = TippedRows(
            (
                Column("unit_number", "Unit no.", width=92),
                Column("lot", "Lot", width=132),
                Column("state_then", "Then", width=84),
                Column("dose", "Dose", width=88, write=lambda text: text or "–"),
                Column("state", "Now", width=100, tone=lambda row: state_tone(row.state)),
                Column("decision", "Decision", width=128),
                Column("outcome", "What became of it", stretch=True),
            ),
            parent=self,
        )
        self.vials_table = FittingTable(
            self._vials,
            spare=("state_then", "dose"),
            name="storage_vials",
            label="Exposed vials",
            empty_text="No vial lay there at the time.",
            visible_rows=8,
        )
        lead_rows(self._office, self.vials_table, {"dose": named("dose")}, thing=named("unit_number"))
        card.add(self.vials_table)
        self.decide_button = self._button("&Decision…", "storage_decide", "deviation_decided", self.decide)
        self.release_button = self._button(
            "&Release with document…", "storage_release", "quarantine_lifted", self.release
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addStretch(1)
        row.addWidget(self.decide_button)
        row.addWidget(self.release_button)
        card.body.addLayout(row)
        return card

    def _make_facts(self) -> Card:
        card = Card("What is known", name="storage_facts_card")
        self._pairs = KeyValues(columns=1, name="storage_facts")
        card.add(self._pairs)
        return card

    # -- what is shown

    def show_record(self, record: DeviationRecord) -> None:
        """Show the deviation as it stands."""
        self._record = record
        line = record.line
        closed = line.status == "closed"
        self._queries.show_about(line.deviation_id)
        if closed and line.closed_at is not None:
            text = f"Closed on {say_moment(line.closed_at)}, signed by {line.closed_by}."
            self.state.set_message("ok", text, word="Closed")
        elif record.missing:
            self.state.set_message("stop", f"{capital(clock_words(record))}.", word="Open")
        else:
            self.state.set_message("warn", "Nothing is missing any more. A pharmacist closes it.", word="Open")
        clear_layout(self._items)
        for at, item in enumerate(record.checklist):
            if at:
                self._items.addWidget(rule())
            self._items.addWidget(_item(_ITEM_WORDS[item.name], item.words, done=item.done, name=f"item_{at + 1}"))
        clear_layout(self._risk_rows)
        for risk in record.at_risk:
            self._risk_rows.addWidget(Text(risk.words))
        self._risk.setVisible(bool(record.at_risk))
        self.chart.setVisible(bool(record.trace))
        if record.trace:
            self.chart.set_picture(temperatures(record.trace, record.spans, record.limits))
        self._spans.set_rows([SpanRow(at, span, record.limits) for at, span in enumerate(record.spans, start=1)])
        self._notice.setVisible(any(span.mkt_celsius is not None for span in record.spans))
        self._vials.set_rows([_VialRow(vial) for vial in record.vials])
        self._pairs.set_pairs(self._facts(record))
        kept = record.kept_back
        for button, possible in (
            (self.told_button, True),
            (self.update_button, True),
            (self.close_button, not record.missing),
            (self.decide_button, bool(record.vials)),
            (self.release_button, bool(kept)),
        ):
            button.setVisible(not closed)
            button.setEnabled(possible and not button.property("why_not"))
        if record.missing and not self.close_button.property("why_not"):
            self.close_button.setToolTip(f"Missing: {', '.join(record.missing)}.")

    def _facts(self, record: DeviationRecord) -> list[tuple[str, str]]:
        line = record.line
        due = f", calibration due {say_day(line.calibration_due)}" if line.calibration_due else ""
        extremes = ""
        if line.min_celsius is not None and line.max_celsius is not None:
            low, high = (say_celsius(value, record.limits) for value in (line.min_celsius, line.max_celsius))
            extremes = f"{low} to {high}"
        told = "\n".join(
            f"{told.name}, {told.how}, {self._at(told.told_at)}: {told.data_sent} (recorded by {told.recorder})"
            for told in record.told
        )
        documents = "\n".join(f"{document.document_id}: {document.title}" for document in record.documents)
        return [
            ("Place", line.place),
            ("Temperatures from", f"{line.source}, {line.logger_serial}{due}"),
            ("Lowest to highest", extremes),
            ("From, to", f"{self._at(line.started_at)}, {self._at(line.ended_at)}"),
            ("Discovered", f"{self._at(line.discovered_at)} by {line.discovered_by}"),
            ("Recorded", f"{self._at(line.recorded_at)} by {line.recorded_by}"),
            ("Done at once", line.done),
            ("Supporter told", told),
            ("Cause", line.cause),
            ("Action", line.action),
            ("Documents", documents),
            # In two lines, so that it does not make the page wider than a small window.
            ("File's SHA-256", "\n".join(part for part in (line.file_sha256[:32], line.file_sha256[32:]) if part)),
        ]

    def _at(self, moment: datetime) -> str:
        return say_moment(moment.astimezone(self._zone))

    # -- acts

    def _open(self, dialog: ActDialog) -> None:
        dialog.succeeded.connect(self._did)
        dialog.open()

    def _did(self, _event: object) -> None:
        self._office.messages.ok(f"Recorded on {self._record.line.deviation_id}.")
        self.recorded.emit()

    def tell(self) -> None:
        """Record that the supporter was told."""
        desk, number = self._office.desk, self._record.line.deviation_id
        zone = self._zone

        def now() -> datetime:
            return desk.clock().astimezone(zone)

        def work(act: Act, values: dict[str, str]) -> Event:
            return report_deviation(desk, act, ReportForm(number, **values))

        self._open(
            ActDialog(
                self._office,
                f"{number}: the supporter was told",
                "Deviations and the actions taken are reported to the supporter (Protocol §\u00a08.2). Print the report"
                " to send it.",
                "&Record",
                [
                    TextField("name", "&Who was told", required=True, max_length=80),
                    ChoiceField("how", "&How", [(how, capital(how)) for how in HOW_TOLD], required=True),
                    DateTimeField("told_at", "Told &at", required=True, now=now),
                    NoteField("data_sent", "What was &sent", lines=2, required=True),
                ],
                work,
                name="tell_dialog",
                busy="Recording who was told",
                parent=self,
            )
        )

    def update_it(self) -> None:
        """Write cause and action down, and look for vials that later entries have added."""
        desk, line, zone = self._office.desk, self._record.line, self._zone

        def work(act: Act, values: dict[str, str]) -> Event:
            return update_deviation(desk, act, UpdateForm(line.deviation_id, **values))

        def now() -> datetime:
            return desk.clock().astimezone(zone)

        cause, action = NoteField("cause", "&Cause", lines=3), NoteField("action", "&Action", lines=3)
        fields: list[Field] = [cause, action]
        if still_lasts(line):
            hint = "Leave it empty while it lasts: its place is shut so long."
            fields.append(DateTimeField("ended_at", "&Ended at", hint=hint, now=now))
        dialog = ActDialog(
            self._office,
            f"{line.deviation_id}: cause and action",
            "What is written here replaces what stood before; the earlier words stay in the journal. The ledger is"
            " looked through again for vials that lay there.",
            "&Record",
            fields,
            work,
            name="update_dialog",
            busy="Recording cause and action",
            parent=self,
        )
        dialog.form.set_values({"cause": line.cause, "action": line.action})
        self._open(dialog)

    def close_it(self) -> None:
        """Close the deviation with a signature."""
        desk, number = self._office.desk, self._record.line.deviation_id
        user = self._office.session.user_name

        def work(act: Act, values: dict[str, str]) -> Event:
            return close_deviation(desk, act, number, Credentials(user, values["password"]), values["note"])

        self._open(
            ActDialog(
                self._office,
                f"Close {number}",
                f"Signed by {self._office.session.printed_name}: “closed the storage deviation”.",
                "C&lose and sign",
                [NoteField("note", "&Note", lines=2), PasswordField("password", "Your &password", required=True)],
                work,
                name="close_dialog",
                busy="Closing the deviation",
                parent=self,
            )
        )

    def _chosen(self, vials: Sequence[ExposedVial]) -> tuple[str, ...]:
        """The numbers of those chosen in the table, or of all ``vials`` when none is."""
        chosen = {row.unit_number for row in self.vials_table.selected_rows()}
        return tuple(v.line.unit_number for v in vials if not chosen or v.line.unit_number in chosen)

    def decide(self) -> None:
        """Record the supporter's decision; it moves no vial."""
        dialog = DecisionDialog(self._office, self._record, self._chosen(self._record.vials), self)
        self._open(dialog)

    def release(self) -> None:
        """Put kept-back vials into usable stock under the supporter's permission."""
        kept = self._chosen([vial for vial in self._record.vials if vial.is_kept_back])
        if not kept:
            self._office.messages.error("None of the chosen vials is kept back any more.")
            return
        number = self._record.line.deviation_id
        self._open(ReleaseDialog(self._office, kept, f"storage deviation {number}", self, about=number))


class DecisionDialog(ActDialog):
    """What the supporter decided of some vials, by an attached document."""

    def __init__(self, office: Office, record: DeviationRecord, units: tuple[str, ...], parent: QWidget) -> None:
        number = record.line.deviation_id

        def work(act: Act, values: dict[str, str]) -> Event:
            form = DecisionForm(number, units, values["decision"], values["document"], note=values["note"])
            return decide_deviation(office.desk, act, form)

        decision = ChoiceField("decision", "&Decision", [(each, capital(each)) for each in DECISIONS], required=True)
        document = DocumentChoice("document", "Supporter's docu&ment")
        super().__init__(
            office,
            f"{number}: decision on {vials_count(len(units))}",
            f"{unit_ranges(units)}. It moves no vial: those that may be used are released, the others are returned.",
            "&Record",
            [decision, document],
            work,
            name="decision_dialog",
            busy="Recording the decision",
            parent=parent,
        )
        self.document = document
        self._about = number
        self.attach_button, beside = attach_row(
            office, self._attach, name="decision_attach", words="&Attach a document…"
        )
        self.form.add_widget(beside)
        self.form.add(NoteField("note", "&Note", lines=2))
        office.ask(_decisions, self._got, office.say_trouble)
        self._fit()

    def _got(self, lines: tuple[DocumentLine, ...]) -> None:
        self.document.show_documents(lines)
        self._fit()

    def _attach(self) -> None:
        dialog = attach_dialog(self._office, self, about=self._about, kind=DECISION_KINDS[0])
        dialog.succeeded.connect(self._attached)
        dialog.open()

    def _attached(self, event: Event) -> None:
        number = str(event.content["document_id"])
        self.document.set_choices([(number, f"{number}: {event.content['title']}")])
        self.document.set_value(number)
        self.document.editor().setFocus()
        self._office.ask(_decisions, self._got, self._office.say_trouble)


def _decisions(reader: Reader) -> tuple[DocumentLine, ...]:
    return tuple(line for line in reader.documents() if line.kind in DECISION_KINDS)


def _item(word: str, words: str, *, done: bool, name: str) -> QWidget:
    """One thing needed: icon and word say whether it is there, the sentence how it stands."""
    view = QWidget()
    view.setObjectName(name)
    icon, tone, said = ("ok", "ok", "There") if done else ("stop", "stop", "Missing")
    row = QHBoxLayout(view)
    row.setContentsMargins(0, SPACE_S, 0, SPACE_S)
    row.setSpacing(SPACE_S)
    top = Qt.AlignmentFlag.AlignTop
    row.addWidget(IconView(icon, tone), 0, top)
    state = Text(said, "strong", tone=tone, wrap=False, name=f"{name}_state")
    state.setFixedWidth(64)
    row.addWidget(state, 0, top)
    what = Text(word, "strong", wrap=False)
    what.setFixedWidth(_ITEM_WIDTH)
    row.addWidget(what, 0, top)
    row.addWidget(Text(capital(words), name=f"{name}_words"), 1)
    view.setAccessibleName(f"{word}, {said.lower()}: {words}")
    return view
