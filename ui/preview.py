"""A look at the whole kit: ``python -m ui.preview FOLDER`` draws every widget, light and dark, into PNG files.

For those who change the kit; the program itself never opens it.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from pharmacy_app.domain.errors import Fault
from pharmacy_app.domain.findings import Finding, Named, Override, Severity, Step
from ui.messages import MessageBridge
from ui.shell import PLACES, MainWindow
from ui.theme import SPACE_XL, Theme
from ui.widgets.basics import Button
from ui.widgets.crash import CrashDialog
from ui.widgets.fields import (
    AmountField,
    CheckField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    Form,
    NoteField,
    PasswordField,
    ScanField,
    TextField,
    TimeField,
)
from ui.widgets.findings import FindingList
from ui.widgets.panels import Banner, Card, EmptyState, KeyValues, Page, SignatureBox, StepHeader
from ui.widgets.tables import Column, DataTable, RowTableModel
from ui.widgets.working import NumberButton, WorkingView

STEPS = (
    Step(
        "Body surface area",
        "√(height × weight ÷ 3600), Mosteller",
        (Named("height", "172", "cm"), Named("weight", "70.4", "kg")),
        Decimal("1.8340"),
        "m²",
        "8.1.2",
    ),
    Step(
        "Planned dose",
        "dose per m² × body surface area",
        (Named("level 0, cycle 1, day 1", "0.6", "mg/m²"), Named("body surface area", "1.8340", "m²")),
        Decimal("1.1004"),
        "mg",
        "6.1",
    ),
)

FINDINGS = (
    Finding("R14", Severity.INFO, "The weight was measured 2 days before the infusion.", "8.1.2"),
    Finding(
        "R13",
        Severity.WARN,
        "The weight differs from the weight last used for a dose by more than 10 %; the dose is calculated anew from "
        "the new weight. Please ask the ward to confirm the weight before you go on.",
        "8.1.2",
        (Named("weight now", "70.4", "kg"), Named("weight last used", "78.5", "kg"), Named("difference", "−10.3", "%")),
    ),
    Finding(
        "R19",
        Severity.OVERRIDABLE,
        "The prescribed dose differs from the planned dose by 10 % or more.",
        "8.1.3",
        (Named("prescribed", "1.3", "mg"), Named("planned", "1.1", "mg")),
    ),
    Finding(
        "R20",
        Severity.OVERRIDABLE,
        "The infusion is planned outside its window.",
        "6.2",
        (Named("window", "20–24 Nov 2026"), Named("planned", "26 Nov 2026")),
        Override("R20", "Dr Ada Lind", "principal investigator", date(2026, 11, 21), "Letter 14", "Travel."),
    ),
    Finding("R16", Severity.STOP, "Lot 7781 expired on Sat 31 Oct 2026. Quarantine it and choose another.", "8.2"),
)


@dataclass(frozen=True, slots=True)
class Vial:
    """A row of the sample table."""

    unit: str
    lot: str
    strength_mg: Decimal
    expires: date
    state: str


VIALS = tuple(
    Vial(
        f"V-{at:05d}-{'KMPRTX'[at % 6]}", f"77{80 + at % 3}", Decimal((1, 4)[at % 2]), date(2027, 1 + at % 9, 28), state
    )
    for at, state in enumerate(("available", "available", "reserved", "quarantined", "held", "available", "opened"))
)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE_XL)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return row


def prepare_page() -> Page:
    """A guided page: steps, numbers, findings, working, signatures."""
    page = Page("Prepare", "Subject 1014-003 · cycle 1, day 1 · level 0", name="prepare_page")
    page.action_bar.addWidget(Button("&Print the worksheet", name="print_worksheet", icon="print"))
    steps = StepHeader(["Order", "Weight", "Decision", "Vials", "Check", "Release"])
    steps.set_current(2)
    page.add(steps)
    numbers = Card("Dose", "Press a number to see how it was made.")
    numbers.add(
        _row(
            NumberButton("Body surface area", "1.83", "m²", STEPS[:1], name="bsa"),
            NumberButton("Planned dose", "1.10", "mg", STEPS, name="planned", note="rounded half up to 0.05 mg"),
            NumberButton("Prescribed dose", "1.30", "mg", name="prescribed"),
        )
    )
    page.add(numbers)
    findings = Card("Findings")
    findings.add(FindingList(FINDINGS))
    page.add(findings)
    working = Card("Working")
    view = WorkingView(STEPS)
    view.open_all()
    working.add(view)
    page.add(working)
    signature = SignatureBox(
        "Second check", "I calculated this dose without seeing the first result and came to the same.", "Sign the check"
    )
    page.add(signature)
    return page


def form_page() -> Page:
    """Every field, some right, some faulty."""
    page = Page("Enroll a subject", "Numbers and dates only; no names.", name="form_page")
    page.action_bar.addWidget(Button("&Cancel", name="cancel"))
    page.action_bar.addWidget(Button("&Enroll", name="enroll", kind="primary"))
    form = Form(name="enroll_form")
    form.add(TextField("number", "Subject &number", required=True, hint="As on the enrollment form, e.g. 1014-003."))
    form.add(DateField("born", "Date of &birth", required=True)).set_value("5-mar-1961")
    height = AmountField("height", "&Height", units=("cm", "in"), required=True)
    form.add(height).set_value("172")
    weight = AmountField(
        "weight",
        "&Weight",
        units=("kg", "lb"),
        required=True,
        convert=lambda v, u: f"{v} {u} = 70.4 kg" if u == "lb" else "",
    )
    form.add(weight).set_value("155.2")
    weight.set_unit("lb")
    form.add(DateTimeField("measured", "&Measured at", now=lambda: datetime.now(UTC))).set_value("2026-11-22T09:05")
    form.add(TimeField("start", "&Start of the infusion")).set_value("25:00")
    form.add(ChoiceField("level", "Dose &level", [("0", "Level 0"), ("-1", "Level −1")], required=True))
    form.add(DecimalField("dose", "&Prescribed dose", unit="mg", required=True)).set_value("1,3")
    form.add(PasswordField("password"))
    form.add(ScanField("scan"))
    form.add(NoteField("note", "N&ote"), span=2)
    form.add(CheckField("consent", "The signed &consent is on file", required=True), span=2)
    card = Card("Subject")
    card.add(form)
    page.add(card)
    form.show_faults(
        [
            Fault("number", "Subject 1014-003 is enrolled already. Look it up under Subjects.", "R2"),
            Fault("dose", "Write 1.3 with a point: a comma can be read as thousands.", "", "8.1.3"),
            Fault("level", "Choose the dose level."),
            Fault("consent", "Tick this when the signed consent is on file; without it nobody is enrolled."),
            Fault("", "The study has no signed BSA formula. An administrator sets it under Settings.", "A1", "8.1.2"),
        ]
    )
    return page


def vials_page() -> Page:
    """Tables, banners, pairs and emptiness."""
    page = Page("Vials", "7 vials in 2 places", name="vials_page", max_width=None)
    page.action_bar.addWidget(Button("&Quarantine…", name="quarantine", kind="danger"))
    page.action_bar.addWidget(Button("Print &labels", name="print_labels", icon="print"))
    for kind, text in (
        ("info", "The last count was on Fri 20 Nov 2026 and agreed with the ledger."),
        ("ok", "The receipt of 12 vials was recorded."),
        ("warn", "Two vials expire within 30 days."),
        ("stop", "The ledger could not be read: the disk does not answer. Check the drive and try again."),
    ):
        page.add(Banner(kind, text, name=f"banner_{kind}"))
    model = RowTableModel(
        (
            Column("unit", "Unit number", width=140),
            Column("lot", "Lot"),
            Column("strength_mg", "Strength (mg)", numeric=True),
            Column("expires", "Expires", write=lambda day: day.isoformat(), width=120),
            Column("state", "State", stretch=True, tone=lambda row: "stop" if row.state == "quarantined" else ""),
        ),
        VIALS,
    )
    table = DataTable(model, name="vials_table", label="Vials")
    table.selectRow(2)
    page.add(table, 1)
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    lot = Card("Lot 7781")
    lot.add(
        KeyValues([("Strength", "4 mg"), ("Expires", "Sun 28 Feb 2027"), ("Storage", "2–8 °C, protected from light")])
    )
    row.addWidget(lot, 1)
    empty = Card()
    empty.add(
        EmptyState("No shipment is on its way", "When the depot announces one, record it here.", verb="&Announce")
    )
    row.addWidget(empty, 1)
    page.add(both)
    return page


def main(folder: str) -> None:
    """Draw everything into ``folder``."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    for mode in ("light", "dark"):
        Theme.apply(app, mode)
        messages = MessageBridge()
        window = MainWindow(messages)
        factories = {"prepare": prepare_page, "subjects": form_page, "vials": vials_page}
        for key, title, icon in PLACES:
            window.register(key, title, icon, factories.get(key, prepare_page))
        window.set_identity("InO low dose, phase II", "Site 1014, Example Hospital", "Mira Adler", "pharmacist")
        window.set_demonstration(True)
        window.sign_in.set_hint("mira / demo (pharmacist) · tom / demo (checker) · vera / demo (monitor)")
        window.show()
        _grab(window, out / f"sign_in_{mode}.png")
        window.set_signed_in(True)
        for key in factories:
            page = window.show_page(key)
            _grab(window, out / f"{key}_{mode}.png")
            if isinstance(page, Page):
                height = page.content.sizeHint().height()
                width = page.content.width()
                height = max(page.body.totalHeightForWidth(width), height) + 260
                window.resize(1180, min(height, 2400))
                _grab(window, out / f"{key}_full_{mode}.png")
                window.resize(1180, 780)
        window.resize(800, 600)
        messages.ok("The receipt of 12 vials was recorded.")
        messages.error("The label printer does not answer. Check its cable and paper, then print again.")
        window.show_page("subjects")
        _grab(window, out / f"small_{mode}.png")
        window.lock()
        _grab(window, out / f"lock_{mode}.png")
        dialog = CrashDialog("Traceback (most recent call last):\n  …\nZeroDivisionError: division by zero", None)
        dialog.show()
        _grab(dialog, out / f"crash_{mode}.png")
        dialog.close()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _grab(widget: QWidget, path: Path) -> None:
    for _ in range(4):
        QCoreApplication.processEvents()
    widget.grab().save(str(path))


if __name__ == "__main__":
    main(sys.argv[1])
