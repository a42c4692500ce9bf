"""What follows a receipt: the dialogs in which its logger is read and its acknowledgement recorded."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QWidget

from pharmacy_app.domain.events import Event
from pharmacy_app.services.desk import Act, zone_of
from pharmacy_app.services.receipts import AcknowledgeForm, LoggerForm, acknowledge_receipt, logger_read
from pharmacy_app.services.views import ShipmentLine
from ui.office import Office
from ui.pages.stock_parts import ActDialog
from ui.widgets.fields import ChoiceField, DateTimeField, NoteField, TextField


def site_clock(office: Office) -> Callable[[], datetime]:
    """The site's clock for the fields of a page; it holds on to the office alone, never to a widget."""
    return lambda: office.desk.clock().astimezone(zone_of(office.site))


class LateField(TextField):
    """Why an act is recorded on a later day than it was done; seen once the field ``done_at`` names an earlier day."""

    def __init__(self, done_at: DateTimeField, now: Callable[[], datetime]) -> None:
        super().__init__("late_why", "Why it is recorded &late", max_length=300)
        self._done_at, self._site_now = done_at, now
        done_at.changed.connect(self._follow)
        self.hide()

    def _follow(self) -> None:
        day = self._done_at.day()
        self.setVisible(day is not None and day < self._site_now().date())


def _done_fields(label: str, now: Callable[[], datetime]) -> tuple[DateTimeField, LateField]:
    """When it was done, and why it is recorded on a later day."""
    done_at = DateTimeField("done_at", label, hint="Leave it empty if it is done now.", now=now)
    return done_at, LateField(done_at, now)


def logger_dialog(office: Office, line: ShipmentLine, parent: QWidget) -> ActDialog:
    """Read the logger that was not read at the receipt; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        return logger_read(office.desk, act, LoggerForm(number=line.number, **values))

    serial = TextField("logger_serial", "Serial n&umber", required=True, max_length=40)
    dialog = ActDialog(
        office,
        f"Read the logger of shipment {line.number}",
        "What it shows takes the place of “not read”. With an alarm, or a temperature outside the limits of the"
        " protocol, the vials stay held, and those in use go into quarantine (§\u00a08.2).",
        "&Record the reading",
        [
            ChoiceField(
                "logger_state", "Lo&gger", [("no alarm", "No alarm"), ("alarm", "Shows an alarm")], required=True
            ),
            serial,
            TextField("min_celsius", "Lo&west temperature (°C)", required=True, max_length=8, placeholder="or N/A"),
            TextField("max_celsius", "Hig&hest temperature (°C)", required=True, max_length=8, placeholder="or N/A"),
            *_done_fields("R&ead at", site_clock(office)),
            NoteField("note", "&Note", lines=1),
        ],
        work,
        name="logger_dialog",
        busy="Recording the logger",
        parent=parent,
        columns=2,
    )
    serial.set_value(line.logger_serial)
    return dialog


def acknowledge_dialog(office: Office, line: ShipmentLine, parent: QWidget) -> ActDialog:
    """Record that the receipt was acknowledged to the supporter; 'succeeded' gives the event."""

    def work(act: Act, values: dict[str, str]) -> Event:
        return acknowledge_receipt(office.desk, act, AcknowledgeForm(number=line.number, **values))

    to = TextField("to", "&To whom", required=True, max_length=80)
    dialog = ActDialog(
        office,
        f"Acknowledge the receipt of shipment {line.number}",
        "Say when and how the supporter was told. The paper for it is printed with “Print the receipt”.",
        "&Record it",
        [
            to,
            TextField("how", "&How", required=True, max_length=120, placeholder="for example: portal, fax, e-mail"),
            *_done_fields("Acknowledged &at", site_clock(office)),
        ],
        work,
        name="acknowledge_dialog",
        busy="Recording the acknowledgement",
        parent=parent,
    )
    to.set_value(line.sender)
    return dialog
