"""Places in the settings: where vials are kept, what each place is, and the forms that add and close one."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.dates import say_day
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.places import KIND_SAYS, KINDS, REFRIGERATOR
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services.behind import Stock
from pharmacy_app.services.desk import Act
from pharmacy_app.services.places import LONGEST_NAME, ClosePlaceForm, PlaceForm, add_place, close_place
from pharmacy_app.services.views import Place
from ui.office import Office
from ui.pages.figure import lead_rows, named
from ui.pages.print_labels import print_labels_dialog
from ui.pages.stock_parts import ActDialog, TippedRows, vials_count
from ui.pages.subjects_parts import FittingTable
from ui.theme import SPACE_M, SPACE_S
from ui.widgets.basics import Button, Text
from ui.widgets.fields import CheckField, ChoiceField, Form, TextField
from ui.widgets.panels import Card
from ui.widgets.tables import Column


class _Row:
    """A place as the table shows it."""

    def __init__(self, place: Place, zone: ZoneInfo) -> None:
        self.place = place
        self.name = place.name
        self.kind = f"{place.kind[:1].upper()}{place.kind[1:]}"
        self.room = place.room or "–"
        self.vials = place.vials
        self.added = say_day(place.added_at.astimezone(zone))
        room = f" ({place.room})" if place.room else ""
        self.facts = f"{place.name}{room}: added by {place.added_by} on {self.added}."
        if place.closed_at is not None:
            self.facts += f" Closed by {place.closed_by}: {place.closed_why}."
        self.use = (
            "In use"
            if place.closed_at is None
            else f"Closed {say_day(place.closed_at.astimezone(zone))}: {place.closed_why}"
        )


_COLUMNS = (
    Column("name", "Place", width=140),
    Column("kind", "Kind", width=136),
    Column("room", "Unit or room", width=130),
    Column("vials", "Vials there", numeric=True),
    Column("use", "Use", stretch=True, width=130, tone=lambda row: "ok" if row.place.in_use else ""),
    Column("added", "Added", width=112),
)


_THERE = tuple(state.name for state in move_table().states.values() if state.on_site)


class PlacesPanel(QWidget):
    """Every place with its kind, what lies there, and the form for a new one. Signal ``needs_look()``."""

    needs_look = Signal()

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.setObjectName("places_panel")
        self._office = office
        self._act = office.act()
        self._zone = ZoneInfo(office.site.time_zone)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self._make_list())
        column.addWidget(self._make_new())
        column.addStretch(1)
        self._offer()

    def _make_list(self) -> Card:
        card = Card(
            "Places",
            "Vials are received into these places and carried between them. A satellite has an accountability record of"
            " its own.",
            name="places_card",
        )
        self._rows = TippedRows(_COLUMNS, parent=self)
        self.table = FittingTable(
            self._rows,
            spare=("added", "room"),
            name="places_table",
            label="Places",
            empty_text="No place yet.",
            sortable=False,
            visible_rows=6,
        )
        self.table.selectionModel().selectionChanged.connect(self._offer)
        behind = {"vials": lambda row: Stock(place=row.name, states=_THERE)}
        lead_rows(self._office, self.table, behind, thing=named("name", "place"))
        card.add(self.table)
        self._said = Text("", "muted", name="places_said")
        self.close_button = Button("Close this &place…", name="places_close")
        self.close_button.clicked.connect(self._close)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        self.label_button = Button("Print its &label…", name="places_label", icon="print")
        self.label_button.clicked.connect(self._label)
        foot.addWidget(self._said, 1)
        foot.addWidget(self.label_button)
        foot.addWidget(self.close_button)
        card.body.addLayout(foot)
        return card

    def _make_new(self) -> Card:
        card = Card("A new place", "A closed place stays in the record; its name is not used again.", name="place_new")
        self.form = Form(name="place_form")
        self.form.add(TextField("name", "&Name", required=True, max_length=LONGEST_NAME))
        self._kind = ChoiceField(
            "kind", "&Kind of place", [(kind, f"{kind[:1].upper()}{kind[1:]}") for kind in KINDS], required=True
        )
        self._kind.set_value(REFRIGERATOR)
        self._kind.changed.connect(self._say_kind)
        self.form.add(self._kind)
        self.form.add(TextField("room", "Unit or &room", required=True, max_length=60))
        self.form.end_row()
        self.form.add(
            CheckField("commercial_apart", "Kept apart from co&mmercial stock: only study vials lie in it"), span=2
        )
        self.form.mark_clean()
        card.add(self.form)
        why_not = self._office.why_not("place_added")
        self.add_button = Button("&Add the place", name="place_add", kind="primary")
        self.add_button.setEnabled(not why_not)
        self.add_button.setToolTip(why_not)
        self.add_button.clicked.connect(self._add)
        row = QHBoxLayout()
        row.addWidget(Text(why_not and f"Adding: {why_not}", "small", name="place_why_not"), 1)
        row.addWidget(self.add_button)
        card.body.addLayout(row)
        self._say_kind()
        return card

    # -- what is shown

    def show_places(self, places: Sequence[Place]) -> None:
        """Show the places as they stand; what is being typed stays."""
        chosen = {row.name for row in self.table.selected_rows()}
        self._rows.set_rows([_Row(place, self._zone) for place in places])
        for at, place in enumerate(places):
            if place.name in chosen:
                self.table.selectRow(at)
        self._offer()

    def is_dirty(self) -> bool:
        """Whether a new place is half typed."""
        return self.form.is_dirty()

    def _say_kind(self) -> None:
        self._kind.set_hint(KIND_SAYS.get(self._kind.value(), ""))

    def _offer(self) -> None:
        chosen = self.table.selected_rows()
        in_use = [row for row in chosen if row.place.in_use]
        why = self._office.why_not("place_closed")
        if not why and len(in_use) != 1:
            why = "Choose one place in use to close it."
        elif not why and in_use[0].vials:
            why = f"{vials_count(in_use[0].vials)} on site in {in_use[0].name}: move them to another place first."
        self.close_button.setEnabled(not why)
        self.close_button.setToolTip(why)
        label = self._office.why_not("paper_printed")
        if not label and len(in_use) != 1:
            label = "Choose one place in use to print its label."
        self.label_button.setEnabled(not label)
        self.label_button.setToolTip(label)
        facts = "".join(f"{row.facts} " for row in chosen[:1] if len(chosen) == 1)
        self._said.setText(f"{facts}{why}")

    # -- acts

    def _add(self) -> None:
        if not self.form.check():
            self.needs_look.emit()
            return
        values = self.form.values()
        desk, act = self._office.desk, self._act
        form = PlaceForm(values["name"], values["kind"], values["room"], values["commercial_apart"])
        self.add_button.setEnabled(False)
        self._office.do(lambda: add_place(desk, act, form), self._added, self._not_added, busy="Adding the place")

    def _added(self, event: Event) -> None:
        self.add_button.setEnabled(True)
        self._act = self._office.act()
        self.form.clear()
        self._kind.set_value(REFRIGERATOR)
        self.form.mark_clean()
        self._office.messages.ok(f"{event.content['place']} is in use now (event {event.seq}).")
        self._office.changed.emit()

    def _not_added(self, trouble: Exception) -> None:
        self.add_button.setEnabled(True)
        faults = trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
        self.form.show_faults(faults)
        self.needs_look.emit()

    def _label(self) -> None:
        (row,) = self.table.selected_rows()
        print_labels_dialog(self._office, "place", (row.name,), f"Label of {row.name}", self)

    def _close(self) -> None:
        (row,) = self.table.selected_rows()
        desk, name = self._office.desk, row.name

        def work(act: Act, values: dict[str, str]) -> Event:
            return close_place(desk, act, ClosePlaceForm(name, values["why"]))

        dialog = ActDialog(
            self._office,
            f"Close {name}",
            "Nothing can be put there any more. The place stays in the record, and its name is not used again.",
            "&Close the place",
            [TextField("why", "&Reason", required=True, max_length=200)],
            work,
            name="place_close_dialog",
            busy="Closing the place",
            parent=self,
        )
        dialog.succeeded.connect(self._closed)
        dialog.open()

    def _closed(self, event: Event) -> None:
        self._office.messages.ok(f"{event.content['place']} is closed (event {event.seq}).")
        self._office.changed.emit()
