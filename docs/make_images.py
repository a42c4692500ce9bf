"""Make the pictures of this folder anew: every page of the demonstration, light and dark, and the papers.

Run from the project's root: ``QT_QPA_PLATFORM=offscreen .venv/bin/python docs/make_images.py [FOLDER]``.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QItemSelectionModel, QPoint, QSettings
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton, QScrollArea, QTableView, QWidget

from pharmacy_app.bootstrap import open_desk, url_of
from pharmacy_app.demo import PASSWORD, DemoDay, dose, enroll_subject, make_demonstration, marrow, meet_criteria
from pharmacy_app.domain.move_diagram import move_diagram
from pharmacy_app.domain.vials import move_table
from pharmacy_app.services.doses import OrderForm, order
from pharmacy_app.services.ports import LedgerFilter
from pharmacy_app.services.printing import print_medication_error, print_treatment_calendar
from ui.app import App, Launch
from ui.pages.anchor import AnchorDialog
from ui.pages.monitor import MonitorPage
from ui.pages.monitor_sign import SignVisitDialog
from ui.theme import Theme
from ui.widgets.fields import DateTimeField
from ui.widgets.move_diagram import MoveDiagramView

PAGES = (
    "today",
    "subjects",
    "prepare",
    "receive",
    "vials",
    "storage",
    "ledger",
    "counts",
    "forecast",
    "labels",
    "errors",
    "monitor",
    "settings",
)
TALL = (1180, 1100)
TREATED = "000-002"
"""The subject of the demonstration whose treatment goes furthest."""


def wait(done: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the window did not get there")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(app: App) -> None:
    """Let all work in the background end and everything be painted."""
    for _ in range(3):
        wait(lambda: app.bridge is not None and not app.bridge.busy)
        for _ in range(20):
            QApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            time.sleep(0.005)


def sign_in(app: App, user: str) -> None:
    """Sign one of the demonstration's people in."""
    if app.office is not None:
        app._switch()
    settle(app)
    app.window.sign_in.sign_in_requested.emit(user, PASSWORD)
    wait(lambda: app.office is not None)
    settle(app)


def take(app: App, folder: Path, name: str, size: tuple[int, int] = (1180, 780)) -> None:
    """One picture of the window."""
    app.window.resize(*size)
    settle(app)
    app.window.grab().save(str(folder / f"{name}.png"))


def seen(app: App, kind: type[QWidget], name: str) -> QWidget:
    """The control of that name that can be seen."""
    settle(app)
    found = [widget for widget in app.window.findChildren(kind, name) if widget.isVisible()]
    assert len(found) == 1, f"{len(found)} controls named {name} can be seen"
    return found[0]


def press(app: App, name: str) -> None:
    """Press a button that can be seen."""
    button = seen(app, QPushButton, name)
    assert isinstance(button, QPushButton)
    button.click()
    settle(app)


def to_top(app: App, name: str) -> None:
    """Scroll until something stands at the top of its page."""
    widget = seen(app, QWidget, name)
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            at = widget.mapTo(above.viewport(), QPoint(0, 0)).y()
            above.verticalScrollBar().setValue(above.verticalScrollBar().value() + at - 8)
        above = above.parentWidget()


def course_and_rules(app: App, folder: Path, mode: str, doses: dict[str, str], error_id: str) -> None:
    """What the protocol asks for: the treatment of a subject, criteria, findings, errors, the rules themselves."""
    app._go("subjects", TREATED)
    take(app, folder, f"subject-weights-{mode}", TALL)
    press(app, "tab_treatment")
    take(app, folder, f"subject-calendar-{mode}", TALL)
    app._go("prepare", doses["criteria"])
    take(app, folder, f"prepare-criteria-{mode}", TALL)
    app._go("prepare", doses["findings"])
    press(app, "finding_R18_open")
    app.window.resize(*TALL)
    to_top(app, "decide_findings_card")
    take(app, folder, f"prepare-findings-{mode}", TALL)
    app._go("errors", error_id)
    take(app, folder, f"error-record-{mode}", TALL)
    app.window.show_page("settings")
    press(app, "tab_protocol")
    take(app, folder, f"settings-protocol-{mode}")
    press(app, "tab_rules")
    table = seen(app, QTableView, "rules_table")
    assert isinstance(table, QTableView)
    row = next(row for row in range(table.model().rowCount()) if table.model().index(row, 0).data() == "R14")
    flag = QItemSelectionModel.SelectionFlag
    table.selectionModel().setCurrentIndex(table.model().index(row, 0), flag.ClearAndSelect | flag.Rows)
    table.activated.emit(table.model().index(row, 0))
    take(app, folder, f"settings-rules-{mode}", TALL)


def stock_and_past(app: App, folder: Path, mode: str) -> None:
    """What became of the vials: a deviation in full, an hour of the past, the documents."""
    desk = app._desk
    assert desk is not None
    with desk.store.read() as reader:
        deviations = reader.deviations()
        late = next(line for line in reader.whole_ledger(LedgerFilter()) if line.late_why)
    if deviations:
        app._go("storage", deviations[0].deviation_id)
        take(app, folder, f"storage-deviation-{mode}", TALL)
    app.window.show_page("ledger")
    press(app, "ledger_views_4")
    at = seen(app, DateTimeField, "past_at_field")
    assert isinstance(at, DateTimeField)
    at.set_value(f"{late.done_at:%Y-%m-%dT23:00}")
    press(app, "past_show")
    take(app, folder, f"ledger-past-{mode}", TALL)


def take_dialog(app: App, folder: Path, name: str) -> QDialog:
    """One picture of the dialog that is open."""
    settle(app)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, QDialog), f"no dialog is open for {name}"
    dialog.grab().save(str(folder / f"{name}.png"))
    return dialog


def monitors_desk(app: App, folder: Path, mode: str) -> None:
    """The monitor's desk: the visit and what changed, an entry, queries, containers, the signature, an old paper."""
    desk = app._desk
    assert desk is not None
    page = app.window.show_page("monitor")
    assert isinstance(page, MonitorPage)
    take(app, folder, f"monitor-{mode}")
    with desk.store.read() as reader:
        is_open = any(visit.status == "open" for visit in reader.visits())
        printed = reader.events(kind="record_printed", text="", offset=0, limit=500)[-1]
    if not is_open:
        press(app, "visit_go")
    page.open_on("visit")
    take(app, folder, f"monitor-review-{mode}")
    press(app, "review_open")
    take_dialog(app, folder, f"monitor-entry-{mode}").reject()
    page.open_on("queries")
    take(app, folder, f"monitor-queries-{mode}")
    page.open_on("accountability")
    press(app, "account_all")
    take(app, folder, f"monitor-accountability-{mode}", TALL)
    page.open_on("stock")
    take(app, folder, f"monitor-stock-{mode}", TALL)
    page.open_on("visit")
    press(app, "review_sign")
    signing = take_dialog(app, folder, f"monitor-sign-{mode}")
    assert isinstance(signing, SignVisitDialog)
    signing.reject()
    for words, head in (("fits", printed.content["head_hash"]), ("differs", "0" * 64)):
        press(app, "monitor_paper")
        paper = QApplication.activeModalWidget()
        assert isinstance(paper, AnchorDialog)
        paper.form.set_values({"paper_events": str(printed.content["head_seq"]), "paper_head": head})
        paper.ask()
        take_dialog(app, folder, f"paper-{words}-{mode}").reject()
    press(app, "monitor_records")
    take_dialog(app, folder, f"take-away-{mode}").reject()
    settle(app)


def main(folder: Path) -> None:
    """Make every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    qt = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "demonstration.sqlite"
        day = make_demonstration(database)
        error_id = papers(day, folder)
        doses = stages(day)
        day.desk.store.close()
        launch = Launch(
            lambda: True,
            lambda: open_desk(url_of(database)),
            lambda: open_desk(url_of(database)),
            "Demonstration accounts: pharmacist, checker, technician, monitor, admin.\n"
            "The password of each is: demonstration only",
        )
        app = App(launch, QSettings(str(Path(name) / "window.ini"), QSettings.Format.IniFormat))
        app.start()
        wait(lambda: app._desk is not None)
        for mode in ("light", "dark"):
            Theme.apply(qt, mode)
            vial_states(folder, mode)
            if app.office is not None:
                app._switch()
            take(app, folder, f"sign-in-{mode}")
            sign_in(app, "pharmacist")
            for page in PAGES:
                app.window.show_page(page)
                take(app, folder, f"{page}-{mode}")
            for step, dose_id in doses.items():
                app._go("prepare", dose_id)
                if step not in ("criteria", "findings"):
                    take(app, folder, f"prepare-{step}-{mode}", TALL)
            course_and_rules(app, folder, mode, doses, error_id)
            stock_and_past(app, folder, mode)
            sign_in(app, "monitor")
            monitors_desk(app, folder, mode)
            app.window.lock()
            take(app, folder, f"locked-{mode}")
            app.window.unlock()
        app._close()
    first_run(folder, qt)


def stages(day: DemoDay) -> dict[str, str]:
    """A dose at each step of the way, made after the demonstration for their pictures."""
    day.clock.latest = None  # these doses are made one after the other, past the minute at which the year ends
    made = {}
    for number, (step, until) in enumerate(
        (
            ("decide", "order"),
            ("vials", "decide"),
            ("check", "plan"),
            ("mix", "worksheet"),
            ("labels", "prepare"),
            ("release", "label"),
            ("give", "release"),
            ("criteria", ""),
            ("findings", ""),
        ),
        start=10,
    ):
        subject = f"000-{number:03d}"
        day.clock.forward(1)
        enroll_subject(day, subject, "1969-05-17", "", str(120 + number * 3), str(number * 4))
        marrow(day, subject, "55", -6)
        if until:
            made[step] = dose(day, subject, 1, 1, until=until)
            continue
        if step == "findings":
            meet_criteria(day, subject, 1, 1)
        # Both orders say 2 mg, more than 10 % above what the protocol gives these subjects.
        form = OrderForm(subject, "Dr. Mira Castellan", day.day(), day.day(), "1", "1", "1", "0", "2")
        made[step] = str(order(day.desk, day.act("pharmacist"), form).content["dose_id"])
    return made


def papers(day: DemoDay, folder: Path) -> str:
    """The papers as pictures; returns the number of the medication error that is shown."""
    worksheet = next(name for name in day.papers if name.startswith("worksheet"))
    bag = next(name for name in day.papers if name.startswith("bag-labels"))
    vial = next(name for name in day.papers if name.startswith("vial-labels"))
    for name, paper, dpi in (
        ("paper-worksheet", worksheet, 90),
        ("paper-bag-label", bag, 203),
        ("paper-vial-label", vial, 300),
        ("paper-accountability", "accountability-1-mg", 90),
    ):
        (folder / f"{name}.png").write_bytes(day.desk.papers.page_png(day.papers[paper], 0, dpi))
    with day.desk.store.read() as reader:
        error_id = next(line.error_id for line in reader.errors() if line.source == "dosing rule")
    calendar = print_treatment_calendar(day.desk, day.act("pharmacist"), TREATED)
    report = print_medication_error(day.desk, day.act("pharmacist"), error_id)
    for name, printed in (("paper-treatment-calendar", calendar), ("paper-medication-error", report)):
        (folder / f"{name}.png").write_bytes(day.desk.papers.page_png(printed.pdf, 0, 90))
    return error_id


def vial_states(folder: Path, mode: str) -> None:
    """The drawing of the table of moves, for the manual."""
    drawing = MoveDiagramView(move_diagram(move_table()), name="moves_diagram", label="How vials move, drawn")
    drawing.resize(1100, drawing.sizeHint().height())
    drawing.grab().save(str(folder / f"vial-states-{mode}.png"))
    drawing.deleteLater()


def first_run(folder: Path, qt: QApplication) -> None:
    """The first page of the guide, on a PC that has no study yet."""
    from pharmacy_app.bootstrap import create_desk

    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "study.sqlite"
        app = App(
            Launch(lambda: False, lambda: open_desk(url_of(database)), lambda: create_desk(url_of(database))),
            QSettings(str(Path(name) / "window.ini"), QSettings.Format.IniFormat),
        )
        app.start()
        wait(lambda: app._guide is not None)
        for mode in ("light", "dark"):
            Theme.apply(qt, mode)
            take(app, folder, f"first-run-{mode}")
        assert app.window.findChild(QPushButton) or app.window.findChild(QLineEdit)
        app._close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
