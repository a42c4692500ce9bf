"""Taking records away: printed records with their filters, tables and datasets as files, and all of one subject."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.services.printing import Printed
from ui.office import Office
from ui.pages.records_catalogue import RECORDS, Offers, Record, offers_of
from ui.pages.records_data import DataView, SubjectView
from ui.pages.records_view import TakeView
from ui.theme import SPACE_L, SPACE_M
from ui.widgets.basics import Button, Text
from ui.widgets.fields import ChoiceField, Form
from ui.widgets.long_work import Tell
from ui.widgets.panels import Tabs

OPEN_TEXT = "Take awa&y…"
OPEN_TIP = "Print any record, or take data away as a file; the journal keeps who took what."


class PrintView(TakeView):
    """Choose a record and what it is about, draw it, look at its pages, save or print it."""

    def __init__(self, office: Office) -> None:
        super().__init__(office, "record", "&Print…", "Nothing was printed, and nothing recorded.", icon="print")
        self._offers: Offers | None = None
        self._forms: dict[str, Form] = {}
        self.record = ChoiceField("record", "Recor&d", [(each.key, each.words) for each in RECORDS])
        self.says = Text("", "muted", name="record_says")
        self._place = QVBoxLayout()
        self.body.addWidget(self.record)
        self.body.addWidget(self.says)
        self.body.addLayout(self._place)
        self.body.addWidget(self.banner)
        self.body.addStretch(1)
        self.record.set_value(RECORDS[0].key)
        self.record.changed.connect(self._chosen)

    def show_offers(self, offers: Offers) -> None:
        """Offer what is on record."""
        self._offers = offers
        self.banner.hide()
        self._chosen()

    @property
    def chosen(self) -> Record:
        """The record that is chosen."""
        return next(each for each in RECORDS if each.key == self.record.value())

    @property
    def form(self) -> Form:
        """The fields of the record that is chosen."""
        return self._forms[self.record.value()]

    def choose(self, key: str) -> None:
        """Choose a record by its key."""
        self.record.set_value(key)

    def _chosen(self) -> None:
        offers, record = self._offers, self.chosen
        if offers is None:
            return
        if record.key not in self._forms:
            form = Form(columns=2, name=f"record_{record.key}")
            for field in record.fields(offers):
                form.add(field)
            self._forms[record.key] = form
            self._place.addWidget(form)
        for key, form in self._forms.items():
            form.setVisible(key == record.key)
        self.says.setText(record.says)
        none = record.none(offers)
        if none:
            self.banner.set_message("info", f"{none} There is nothing to print.")
        self.banner.setVisible(bool(none))
        self._forms[record.key].setEnabled(not none)
        self.verb.setEnabled(not none and not self.work.at_work)

    def ask(self) -> None:
        """Draw and record the print."""
        if self._offers is None or self.work.at_work or not self.verb.isEnabled() or not self.form.check():
            return
        record, values = self.chosen, self.form.values()
        self._same({"record": record.key, **values})
        desk, act = self._office.desk, self._act
        self._hold(True)

        def work(tell: Tell) -> Printed:
            return record.work(desk, act, values, tell)

        self.work.start(work, f"{record.words} is being drawn")

    def _hold(self, busy: bool) -> None:
        super()._hold(busy)
        self.record.setEnabled(not busy)

    def _done(self, printed: object) -> None:
        assert isinstance(printed, Printed)
        paper = printed.event.content["papers"][0]
        about = "-".join(f"{paper['paper']} {paper['about']}".replace("/", "-").split())
        pages = paper["pages"]
        self._taken(
            f"{self.chosen.words}: {pages:,} page{'' if pages == 1 else 's'}. The journal keeps this print as entry"
            f" {printed.event.seq:,}.",
            word="Printed",
        )
        self._office.show_paper(self.chosen.words, f"{about}.pdf", printed, self)


class RecordsDialog(QDialog):
    """Three ways to take records away: print one, take data as a file, take all of one subject."""

    def __init__(self, office: Office, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("records_dialog")
        self.setWindowTitle("Take records away")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.printing = PrintView(office)
        self.data = DataView(office)
        self.subject = SubjectView(office)
        self.views = Tabs(
            [("Print a record", self.printing), ("Data as a file", self.data), ("All of one subject", self.subject)],
            name="records_views",
        )
        self.views.chosen.connect(self._chosen)
        close = Button("&Close", name="records_close")
        close.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(
            Text("The journal keeps who took what away, and when.", "muted", name="records_note"),
            1,
        )
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addWidget(Text("Take records away", "title", name="records_title"))
        column.addWidget(self.views, 1)
        column.addLayout(foot)
        self.setMinimumWidth(720)
        self.resize(780, 640)
        self.printing.record.editor().setFocus()
        office.ask(offers_of, self._got, self._failed)

    def reject(self) -> None:
        """Close; work under way is stopped, and leaves nothing unless it had ended."""
        for view in (self.printing, self.data, self.subject):
            view.work.stop()
        super().reject()

    def _chosen(self, index: int) -> None:
        (self.printing.record, self.data.what, self.subject.subject)[index].editor().setFocus()

    def _got(self, offers: Offers) -> None:
        for view in (self.printing, self.data, self.subject):
            view.show_offers(offers)

    def _failed(self, trouble: Any) -> None:
        for view in (self.printing, self.data, self.subject):
            view.banner.set_message("stop", f"What is on record could not be read: {trouble}")
            view.banner.show()


def open_records(office: Office, parent: QWidget) -> RecordsDialog:
    """Open the dialog."""
    dialog = RecordsDialog(office, parent)
    dialog.open()
    return dialog
