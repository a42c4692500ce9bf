"""Counts by keyboard and scanner: a count of each kind, its result, the discrepancy it opens, and the close-out.

The seeded study holds shipment SHP-1, all of it in the first refrigerator: V000001 to V000012 of 1 mg (lot INO1-A117)
and V000013 to V000016 of 4 mg (lot INO4-B203), received on 22-Nov-2026. Expected differences are counted by hand.
"""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, receive_shipment
from pharmacy_app.domain.places import QUARANTINE_SHELF
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.disposition import (
    PERMISSION_KIND,
    CarrierTyped,
    LossForm,
    ReturnForm,
    break_vials,
    miss_vials,
    return_vials,
)
from pharmacy_app.services.documents import PURPOSES, DocumentForm, attach_document
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import PlaceForm, add_place
from pharmacy_app.services.views import EventLine
from tests.ui.find import find, focused
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import NOW, Said
from tests.ui.test_stock_pages import press, shown, shown_page
from ui.office import Office
from ui.pages.counts import CLOSE_OUT, CountsPage
from ui.pages.counts_draft import CountDraft
from ui.pages.monitor import MonitorPage
from ui.pages.stock_parts import ActDialog
from ui.pages.today import TodayPage
from ui.paper import PaperDialog
from ui.widgets.basics import Button, Text
from ui.widgets.fields import Form
from ui.widgets.panels import Banner
from ui.widgets.tables import DataTable

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]

UNITS = tuple(numbered("V", at) for at in range(1, 17))
N1, N2, Q1 = numbered("N", 1), numbered("N", 2), numbered("Q", 1)


@pytest.fixture
def page(qtbot: QtBot, office: Office, idle: Idle) -> CountsPage:
    """The pharmacist's page of counts."""
    found: CountsPage = shown_page(qtbot, CountsPage(office), office, idle)
    return found


def events(day: DemoDay, kind: str) -> list[EventLine]:
    """The events of a kind, newest first."""
    with day.desk.store.read() as reader:
        return list(reader.events(kind=kind, text="", offset=0, limit=100))


def place_of(office: Office) -> str:
    """The refrigerator where everything lies."""
    return office.site.places[0]


def start(page: CountsPage, office: Office, idle: Idle, **setup: str) -> CountDraft:
    """Begin a count by its button and choose what is counted."""
    press(page.begin_button)
    for name, value in {"place": place_of(office), **setup}.items():
        page.draft.setup.field(name).set_value(value)
    press(page.draft.start)
    idle(office)
    return page.draft


def scan(draft: CountDraft, office: Office, idle: Idle, *codes: str) -> None:
    """Scan into the field, as a scanner's keyboard does."""
    for code in codes:
        QTest.keyClicks(draft.scans.scan.editor(), code)
        QTest.keyClick(draft.scans.scan.editor(), Qt.Key.Key_Return)
        idle(office)


def fill(form: Form, **typed: str) -> None:
    """Type into the fields of a form; a choice and a box are set."""
    for name, text in typed.items():
        field = form.field(name)
        editor = field.editor()
        if isinstance(editor, QLineEdit | QPlainTextEdit):
            editor.setFocus()
            QTest.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClicks(editor, text)
        else:
            field.set_value(text)


def sign(draft: CountDraft, office: Office, idle: Idle, second: str = "checker", **typed: str) -> None:
    """Type both signatures and hand in by Enter in the last field."""
    fill(draft.form, **{"password": PASSWORD, "witness_user_name": second, "witness_password": PASSWORD, **typed})
    QTest.keyClick(draft.form.field("witness_password").editor(), Qt.Key.Key_Return)
    idle(office)


def faults(form: Form) -> dict[str, str]:
    """The sentences that stand beside the fields."""
    return {field.name: field.fault() for field in form.fields() if field.fault()}


def cells(table: DataTable) -> list[list[str]]:
    """The texts of a table's rows, hidden columns left out."""
    model = table.model()
    shown_columns = [at for at in range(model.columnCount()) if not table.isColumnHidden(at)]
    return [[str(model.index(row, at).data()) for at in shown_columns] for row in range(model.rowCount())]


def words_on(widget: QWidget) -> str:
    """Every word that is to be seen."""
    parts = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    for table in widget.findChildren(DataTable):
        if table.isVisibleTo(widget):
            parts += [cell for row in cells(table) for cell in row]
    return "\n".join(parts)


# -- a count by scan


def test_a_count_by_scan_that_agrees(page: CountsPage, office: Office, idle: Idle, day: DemoDay, said: Said) -> None:
    draft = start(page, office, idle)
    assert find(draft, Text, "count_what").text() == (f"{place_of(office)}: unopened vials, all strengths, by scan")
    assert draft.scans.scan.editor().hasFocus()
    scan(draft, office, idle, *UNITS)
    assert find(draft, Text, "count_said").text() == "Scanned: 16 vials."
    sign(draft, office, idle)
    (event,) = events(day, "count_recorded")
    assert (event.content["count_number"], event.content["discrepancy"]) == (N1, "")
    assert said.texts()[-1] == f"Count {N1} is recorded. Shelf and record agree."
    # The result is shown, and the draft is empty for the next one.
    assert page.record.isVisible()
    assert find(page.record, Banner, "count_outcome").text() == "Shelf and record agree: 16 items counted."
    assert cells(page.record.table) == [
        ["1 mg", "INO1-A117", "12", "12", "0", "agrees"],
        ["4 mg", "INO4-B203", "4", "4", "0", "agrees"],
    ]
    assert not draft.is_counting
    assert not page.is_dirty()


def test_nothing_that_is_expected_is_seen_before_the_handing_in(page: CountsPage, office: Office, idle: Idle) -> None:
    """The words of the page and all it holds are the same whether 12 vials are expected or 11."""
    before = words_on(page)
    assert "12 vials" not in before
    assert "16 vials" not in before
    draft = start(page, office, idle, what="both", method="number")
    assert [field.value() for field in draft.numbers.form.fields()] == ["", "", "", ""]
    text = words_on(page)
    for expected in ("12", "16", "expected 4", "4 vials"):
        assert expected not in text.replace("INO4", "").replace("2026-12", ""), expected


def test_the_same_vial_twice_is_said_and_counts_once(page: CountsPage, office: Office, idle: Idle) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, UNITS[0], f"91{UNITS[0]}")
    assert draft.scans.scan.fault().startswith(f"Vial {UNITS[0]} was scanned already.")
    assert find(draft, Text, "count_said").text() == "Scanned: 1 vial."
    # In a hurry, before the first scan is answered, too.
    draft.scans.scan.scanned.emit(UNITS[1])
    draft.scans.scan.scanned.emit(UNITS[1])
    idle(office)
    assert "was scanned already" in draft.scans.scan.fault()
    assert find(draft, Text, "count_said").text() == "Scanned: 2 vials."


def test_an_unknown_code_stays_on_the_list_with_the_reason(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, "0104012345678901", *UNITS)
    last = cells(draft.scans.table)[-1]
    assert last[1] == "0104012345678901"
    assert last[5].startswith("Unknown code, kept as text.")
    assert find(draft, Text, "count_said").text() == "Scanned: 16 vials and 1 unknown code."
    sign(draft, office, idle)
    assert events(day, "count_recorded")[0].content["unknown"] == ["0104012345678901"]
    assert find(page.record, Banner, "count_outcome").kind == "warn"
    assert "0104012345678901" in words_on(page.record)


def test_a_scan_is_taken_off_the_list_by_the_delete_key(page: CountsPage, office: Office, idle: Idle) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS[:3])
    draft.scans.table.setFocus()
    draft.scans.table.selectRow(0)
    QTest.keyClick(draft.scans.table, Qt.Key.Key_Delete)
    assert [row[1] for row in cells(draft.scans.table)] == [UNITS[1], UNITS[0]]
    assert draft.scans.scan.editor().hasFocus()
    scan(draft, office, idle, UNITS[2])
    assert find(draft, Text, "count_said").text() == "Scanned: 3 vials."


def test_a_missing_vial_opens_a_discrepancy_and_the_page_leads_to_it(
    page: CountsPage, office: Office, idle: Idle, said: Said
) -> None:
    draft = start(page, office, idle, strength_mg="1")
    scan(draft, office, idle, *UNITS[:11])
    sign(draft, office, idle)
    assert said.texts()[-1] == f"Count {N1} is recorded. It differs: discrepancy {Q1} is open."
    assert cells(page.record.table) == [["1 mg", "INO1-A117", "12", "11", "−1", f"missing {UNITS[11]}"]]
    press(page.record.explain_button)
    idle(office)
    view = page.discrepancies
    assert find(view, Text, "discrepancy_title").text() == f"Discrepancy {Q1}"
    assert cells(view.vials) == [[UNITS[11], "1 mg", "INO1-A117", "available", place_of(office)]]
    assert view.form.field("outcome").editor().hasFocus()
    gone: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: gone.append((key, what)))
    view.vials.selectRow(0)
    QTest.keyClick(view.vials, Qt.Key.Key_Return)
    assert gone == [("vials", UNITS[11])]


def test_a_place_that_is_empty_is_said_on_purpose(page: CountsPage, office: Office, idle: Idle, day: DemoDay) -> None:
    draft = start(page, office, idle, place=office.site.places[1])
    assert draft.nothing.isVisible()
    sign(draft, office, idle)
    assert "tick that" in faults(draft.form)["nothing_there"]
    sign(draft, office, idle, nothing_there="yes")
    assert events(day, "count_recorded")[0].content["lines"] == []
    # With something scanned there is nothing to say.
    draft = start(page_back(page), office, idle)
    scan(draft, office, idle, UNITS[0])
    assert not draft.nothing.isVisible()


def page_back(page: CountsPage) -> CountsPage:
    """Back to the list of counts."""
    press(find(page.record, Button, "count_view_back"))
    return page


# -- a count by number


def test_a_count_by_number_takes_every_lot_and_zero_is_a_number(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle, method="number")
    assert [field.label_text() for field in draft.numbers.form.fields()] == [
        "1 mg, lot INO1-A117",
        "4 mg, lot INO4-B203",
    ]
    assert draft.numbers.form.field("lots.0.vials").editor().hasFocus()
    fill(draft.numbers.form, **{"lots.0.vials": "12", "lots.1.vials": "0"})
    sign(draft, office, idle)
    (event,) = events(day, "count_recorded")
    assert [(line["lot"], line["expected"], line["counted"]) for line in event.content["lines"]] == [
        ("INO1-A117", 12, 12),
        ("INO4-B203", 4, 0),
    ]


@pytest.mark.parametrize("typed", ["1O", "10O", "-1", "2.5", ""])
def test_what_is_no_number_stands_beside_its_field_and_gets_the_focus(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay, typed: str
) -> None:
    draft = start(page, office, idle, method="number")
    fill(draft.numbers.form, **{"lots.0.vials": "12", "lots.1.vials": typed})
    sign(draft, office, idle)
    assert list(faults(draft.numbers.form)) == ["lots.1.vials"]
    assert draft.numbers.form.field("lots.1.vials").editor().hasFocus()
    assert draft.numbers.form.field("lots.0.vials").value() == "12"
    assert events(day, "count_recorded") == []


def test_tab_goes_from_the_numbers_to_the_note_and_the_signatures(
    qtbot: QtBot, page: CountsPage, office: Office, idle: Idle
) -> None:
    draft = start(page, office, idle, method="number")
    qtbot.waitUntil(page.isActiveWindow)
    for lots in (2, 3):
        first = draft.numbers.form.fields()[0].editor()
        first.setFocus()
        seen = []
        while focused() is not draft.verb:
            seen.append(focused().objectName())
            assert len(seen) < 20, seen
            QTest.keyClick(focused(), Qt.Key.Key_Tab)
        of_lots = [name for name in seen if name.startswith("lots.")]
        hand_in = ["note", "user_name", "password", "witness_user_name", "witness_password"]
        assert seen == [*of_lots, "count_other_lot", *hand_in]
        assert len({name.split(".")[1] for name in of_lots}) == lots
        draft.numbers.add_other()
        QApplication.processEvents()


def test_another_lot_can_be_added_and_what_was_typed_stays(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle, method="number", strength_mg="4")
    fill(draft.numbers.form, **{"lots.0.vials": "4"})
    press(draft.numbers.other_button)
    assert draft.numbers.form.field("lots.0.vials").value() == "4"
    assert draft.numbers.form.field("lots.1.lot").editor().hasFocus()
    fill(draft.numbers.form, **{"lots.1.lot": "strange-1", "lots.1.vials": "2"})
    sign(draft, office, idle)
    lines = events(day, "count_recorded")[0].content["lines"]
    assert [(line["lot"], line["expected"], line["counted"], line["expires_on"]) for line in lines] == [
        ("INO4-B203", 4, 4, "2027-06-30"),
        ("STRANGE-1", 0, 2, None),
    ]


def test_an_added_lot_that_stays_empty_is_no_line(page: CountsPage, office: Office, idle: Idle, day: DemoDay) -> None:
    draft = start(page, office, idle, method="number", strength_mg="4")
    press(draft.numbers.other_button)
    fill(draft.numbers.form, **{"lots.0.vials": "4"})
    sign(draft, office, idle)
    assert len(events(day, "count_recorded")[0].content["lines"]) == 1


# -- what comes between


def test_a_draft_survives_the_change_of_pages_and_the_lock(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS[:5])
    fill(draft.form, note="upper shelf first")
    assert page.is_dirty()
    page.views.set_current(2)
    page.refresh()
    page.hide()
    office.changed.emit()
    idle(office)
    page.show()
    page.views.set_current(0)
    assert find(draft, Text, "count_said").text() == "Scanned: 5 vials."
    scan(draft, office, idle, *UNITS[5:])
    sign(draft, office, idle)
    content = events(day, "count_recorded")[0].content
    assert (content["note"], content["discrepancy"]) == ("upper shelf first", "")


def test_a_vial_that_moved_meanwhile_is_named_and_the_count_is_handed_in_once_more(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle, method="number", strength_mg="1")
    break_vials(day.desk, day.act("technician"), LossForm((UNITS[2],), "fell"), *two(day))
    fill(draft.numbers.form, **{"lots.0.vials": "12"})
    sign(draft, office, idle)
    trouble = find(draft, Banner, "count_trouble")
    assert trouble.isVisible()
    assert f"{UNITS[2]} (1 mg, lot INO1-A117): “break”" in trouble.text()
    assert draft.numbers.form.field("lots.0.vials").value() == "12"
    assert draft.form.field("password").value() == ""
    fill(draft.numbers.form, **{"lots.0.vials": "11"})
    sign(draft, office, idle)
    assert events(day, "count_recorded")[0].content["discrepancy"] == ""


def test_a_lot_that_came_meanwhile_is_asked_for_and_what_was_typed_stays(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle, method="number", place=office.site.places[1])
    receive_shipment(day, "SHP-2", (LotTyped("1", "INO1-A000", "2027-08", "2"),))
    fill(draft.numbers.form, **{"lots.0.vials": "7", "lots.1.vials": "8"})
    sign(draft, office, idle)
    assert find(draft, Banner, "count_trouble").text().startswith("Lot INO1-A000 of 1 mg has no number.")
    # The new lot stands first now; the numbers stayed with their lots.
    assert [(field.label_text(), field.value()) for field in draft.numbers.form.fields()] == [
        ("1 mg, lot INO1-A000", ""),
        ("1 mg, lot INO1-A117", "7"),
        ("4 mg, lot INO4-B203", "8"),
    ]
    fill(draft.numbers.form, **{"lots.0.vials": "0", "lots.1.vials": "0", "lots.2.vials": "0"})
    sign(draft, office, idle)
    assert events(day, "count_recorded")[0].content["discrepancy"] == ""


def two(day: DemoDay) -> tuple[Credentials, Credentials]:
    """The technician and the checker, who sign."""
    return tuple(Credentials(day.sessions[who].user_name, PASSWORD) for who in ("technician", "checker"))  # type: ignore[return-value]


def test_a_wrong_second_signature_stands_beside_its_field(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS)
    sign(draft, office, idle, second="pharmacist")
    assert "The second person is another one" in faults(draft.form)["witness_user_name"]
    sign(draft, office, idle, witness_password="a guess")
    assert "do not fit" in faults(draft.form)["witness_password"]
    assert events(day, "count_recorded") == []
    sign(draft, office, idle)
    assert len(events(day, "count_recorded")) == 1


def test_a_count_is_given_up_only_after_a_question(
    page: CountsPage, office: Office, idle: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, UNITS[0])
    asked: list[str] = []

    def answer(parent: object, title: str, text: str, verb: str, **_more: object) -> bool:
        asked.append(title)
        return len(asked) > 1

    monkeypatch.setattr("ui.pages.counts_draft.confirm", answer)
    press(find(draft, Button, "count_drop"))
    assert draft.is_counting
    press(find(draft, Button, "count_drop"))
    assert asked == ["Give this count up?"] * 2
    assert not draft.is_counting
    assert page.begin_button.isVisible()


# -- the list


def test_an_empty_list_says_what_to_do(page: CountsPage) -> None:
    assert "No count yet" in words_on(page)
    assert find(page, DataTable, "counts_due").isVisible()
    assert page.begin_button.hasFocus()


def test_the_list_says_when_each_place_was_counted_and_when_it_is_next(
    page: CountsPage, office: Office, idle: Idle
) -> None:
    assert cells(page.due_table) == [[place_of(office), "never", "22-Dec-2026"]]
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS[:15])
    sign(draft, office, idle)
    page_back(page)
    assert cells(page.due_table) == [[place_of(office), f"22-Nov-2026 ({N1})", "22-Dec-2026"]]
    (row,) = cells(page.table)
    assert (row[0], row[-1]) == (N1, f"differs (−1): {Q1}")
    assert find(page, Banner, "counts_open").text() == "1 discrepancy stands unexplained: see Discrepancies."
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    idle(office)
    assert page.record.isVisible()
    assert page.record.number == N1


def test_a_place_that_was_added_is_offered_at_once(page: CountsPage, office: Office, idle: Idle, day: DemoDay) -> None:
    add_place(day.desk, day.act("pharmacist"), PlaceForm("Quarantine shelf", QUARANTINE_SHELF, "pharmacy", "yes"))
    office.changed.emit()
    idle(office)
    draft = start(page, office, idle, place="Quarantine shelf")
    sign(draft, office, idle, nothing_there="yes")
    assert events(day, "count_recorded")[0].content["place"] == "Quarantine shelf"


def test_enter_on_a_place_begins_its_count(page: CountsPage, office: Office, idle: Idle) -> None:
    page.due_table.selectRow(0)
    QTest.keyClick(page.due_table, Qt.Key.Key_Return)
    assert page.draft.isVisible()
    assert page.draft.setup.field("place").value() == place_of(office)
    assert page.draft.start.hasFocus()
    press(page.draft.start)
    idle(office)
    assert page.draft.is_counting


def test_a_count_is_printed(page: CountsPage, office: Office, idle: Idle, day: DemoDay) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS)
    sign(draft, office, idle)
    press(page.record.print_button)
    idle(office)
    shown(PaperDialog).close()
    assert events(day, "record_printed")[0].content["papers"][0]["about"] == N1
    idle(office)


# -- discrepancies


def test_a_discrepancy_is_explained_by_keyboard_and_closed(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay, said: Said
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS[:15])
    sign(draft, office, idle)
    page.open_on(Q1)
    idle(office)
    view = page.discrepancies
    fill(view.form, outcome="vial recorded missing", explanation="Searched together.")
    explain_signed(page, office, idle, second="pharmacist")
    assert set(faults(view.form)) == {"outcome", "witness_user_name"}
    miss_vials(day.desk, day.act("technician"), LossForm((UNITS[15],), "searched twice"), *two(day))
    explain_signed(page, office, idle, second="checker")
    (event,) = events(day, "discrepancy_explained")
    assert (event.content["outcome"], event.content["explanation"]) == ("vial recorded missing", "Searched together.")
    assert said.texts()[-1].startswith(f"Discrepancy {Q1} is explained and closed")
    assert not view.verb.isVisible()
    assert "Searched together." in words_on(view)
    assert find(view, Text, "discrepancies_said").text() == "0 open, 1 closed."
    assert not view.is_dirty()


def explain_signed(page: CountsPage, office: Office, idle: Idle, second: str) -> None:
    """Sign the explanation."""
    form = page.discrepancies.form
    fill(form, password=PASSWORD, witness_user_name=second, witness_password=PASSWORD)
    press(page.discrepancies.verb)
    idle(office)


def test_a_difference_is_reported_without_a_count(page: CountsPage, office: Office, idle: Idle, day: DemoDay) -> None:
    page.views.set_current(1)
    press(page.discrepancies.report_button)
    dialog = shown(ActDialog)
    fill(dialog.form, unit_numbers=f"{UNITS[0]} nonsense", what="not in its box", password=PASSWORD)
    press(dialog.verb)
    idle(office)
    assert "is not a number of ours" in dialog.form.field("unit_numbers").fault()
    fill(dialog.form, unit_numbers=f"{UNITS[0]}, {UNITS[1]}", password=PASSWORD)
    press(dialog.verb)
    idle(office)
    (event,) = events(day, "discrepancy_opened")
    assert event.content["sentence"] == f"{UNITS[0]}, {UNITS[1]}: not in its box"
    assert find(page.discrepancies, Text, "discrepancy_title").text() == f"Discrepancy {Q1}"


def test_no_discrepancy_says_so(page: CountsPage) -> None:
    page.views.set_current(1)
    assert "No discrepancy" in words_on(page.discrepancies)


# -- the close-out


def send_all_back(day: DemoDay) -> None:
    """Return every vial to the supporter."""
    form = DocumentForm(
        "Permission 12", PERMISSION_KIND, "", "A. Brandt", "2026-11-20", "permission.txt", permits=PURPOSES
    )
    number = str(attach_document(day.desk, day.act("pharmacist"), form, b"Permitted.").content["document_id"])
    carrier = CarrierTyped("Courier A", "T-1", "1", "S-9", "TL-7")
    back = ReturnForm(UNITS, number, "Depot", "study end", "yes", carrier)
    own = Credentials(day.sessions["pharmacist"].user_name, PASSWORD)
    return_vials(day.desk, day.act("pharmacist"), back, own)


def test_the_close_out_lists_what_is_open_and_leads_there(page: CountsPage, office: Office, idle: Idle) -> None:
    page.open_on(CLOSE_OUT)
    idle(office)
    view = page.close_out
    assert find(view, Banner, "close_out_standing").text() == "2 items keep the books open."
    assert find(view, Text, "open_item_1_words").text().startswith("1 mg lot INO1-A117: 12 vials unopened on site")
    assert not view.verb.isVisible()
    gone: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: gone.append((key, what)))
    press(find(view, Button, "open_item_1_go"))
    assert gone == [("vials", "")]


def test_the_books_close_with_the_monitors_signature_and_print(
    page: CountsPage, office: Office, idle: Idle, day: DemoDay, said: Said
) -> None:
    send_all_back(day)
    page.open_on(CLOSE_OUT)
    page.refresh()
    idle(office)
    view = page.close_out
    assert find(view, Banner, "close_out_standing").text() == "Nothing is open: the books can be closed."
    fill(view.form, password=PASSWORD, monitor_user_name="checker", monitor_password=PASSWORD)
    press(view.verb)
    idle(office)
    assert "takes a monitor or pharmacist" in " ".join(faults(view.form).values()) + words_on(view)
    fill(view.form, password=PASSWORD, monitor_user_name="monitor", monitor_password=PASSWORD)
    QTest.keyClick(view.form.field("monitor_password").editor(), Qt.Key.Key_Return)
    idle(office)
    (event,) = events(day, "study_closed_out")
    assert said.texts()[-1] == f"The books are closed: CLO-{event.seq}. Print it for the investigator."
    assert find(view, Banner, "close_out_standing").kind == "ok"
    assert not view.verb.isVisible()
    press(view.print_button)
    idle(office)
    shown(PaperDialog).close()
    assert events(day, "record_printed")[0].content["papers"][0]["about"] == f"CLO-{event.seq}"
    idle(office)


# -- others see it too


def test_today_and_the_monitor_show_a_discrepancy_that_stands(
    qtbot: QtBot, page: CountsPage, office: Office, office_as: OfficeAs, idle: Idle
) -> None:
    draft = start(page, office, idle)
    scan(draft, office, idle, *UNITS[:15])
    sign(draft, office, idle)
    today: TodayPage = shown_page(qtbot, TodayPage(office), office, idle)
    text = words_on(today)
    assert f"Discrepancy {Q1} between shelf and record stands" in text
    assert f"{place_of(office)}: counted 22-Nov-2026, next 22-Dec-2026." in text
    opened: list[tuple[str, str]] = []
    office.go.connect(lambda key, what: opened.append((key, what)))
    button = next(each for each in today.findChildren(QAbstractButton) if each.text() == f"Open {Q1}")
    press(button)
    assert opened == [("counts", Q1)]
    monitor_office = office_as("monitor")
    monitor: MonitorPage = shown_page(qtbot, MonitorPage(monitor_office), monitor_office, idle)
    monitor.open_on("stock")
    idle(monitor_office)
    assert cells(monitor.stock.standing_table)[0][:2] == [Q1, N1]
    assert monitor.stock.standing_table.isVisible()


def test_today_asks_for_the_count_a_week_ahead_and_after_the_day(
    qtbot: QtBot, office: Office, idle: Idle, day: DemoDay
) -> None:
    def shown_today(month: int, on: int) -> str:
        day.clock.now = NOW.replace(month=month, day=on)
        today: TodayPage = shown_page(qtbot, TodayPage(office), office, idle)
        return words_on(today)

    place = place_of(office)
    # Received on 22 November, so due on 22 December.
    assert "counted by" not in shown_today(12, 14)
    assert f"{place} is to be counted by 22-Dec-2026" in shown_today(12, 15)
    assert f"{place} is to be counted by 22-Dec-2026" in shown_today(12, 22)
    assert f"{place} should have been counted by 22-Dec-2026" in shown_today(12, 23)


def test_the_monitor_reads_and_begins_nothing(qtbot: QtBot, office_as: OfficeAs, idle: Idle) -> None:
    office = office_as("monitor")
    page: CountsPage = shown_page(qtbot, CountsPage(office), office, idle)
    assert not page.begin_button.isEnabled()
    assert "you are signed in as monitor" in words_on(page)
    page.open_on("new")
    assert not page.draft.isVisible()
    page.views.set_current(2)
    assert not page.close_out.verb.isVisible()


def test_everything_that_takes_the_focus_has_a_name_and_letters_are_used_once(
    page: CountsPage, office: Office, idle: Idle
) -> None:
    start(page, office, idle, what="both", method="number")
    for at in range(3):
        page.views.set_current(at)
        QApplication.processEvents()
        letters = []
        for widget in page.findChildren(QWidget):
            if not widget.isVisible():
                continue
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
                named = widget.accessibleName() and widget.objectName()
                assert named or isinstance(widget.parent(), QComboBox), widget
            text = widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""
            mark = text.replace("&&", "").find("&")
            if mark >= 0:
                letters.append(text[mark + 1].lower())
        assert letters
        assert len(letters) == len(set(letters)), sorted(letters)
        assert "l" not in letters, "Alt+L locks the window"
