"""The monitor's desk, worked by keyboard as a monitor works it: a visit from its plan to its signature, and queries."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import PASSWORD, DemoDay, dose
from pharmacy_app.domain.vials import numbered
from pharmacy_app.services.periods import PeriodForm, sign_period
from pharmacy_app.services.queries import QueryForm, SayForm, answer_query, open_query
from pharmacy_app.services.reviews import Chosen
from pharmacy_app.services.views import EventLine
from pharmacy_app.services.visits import OpenVisitForm, PlanForm, SignVisitForm, open_visit, plan_visit, sign_visit
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.office_fixtures import Said
from tests.ui.test_corrections import put_away, take_back, units_of
from tests.ui.test_stock_pages import press, shown, shown_page
from ui.office import Office
from ui.pages.ledger import LedgerPage, LineDialog
from ui.pages.monitor import MonitorPage
from ui.pages.monitor_entry import EntryDialog
from ui.pages.monitor_queries import QueryDialog
from ui.pages.monitor_review import ReviewRow
from ui.pages.monitor_sign import SignVisitDialog
from ui.pages.stock_journal import EventDialog
from ui.pages.stock_parts import ActDialog
from ui.pages.today import TodayPage, WaitingRow
from ui.widgets.basics import Button, Text
from ui.widgets.panels import Banner, KeyValues
from ui.widgets.tables import DataTable

Idle = Callable[[Office], None]
OfficeAs = Callable[[str], Office]

DAY = "2026-11-22"
VIEWS = ("visit", "queries", "accountability", "periods", "stock")


@pytest.fixture
def monitor(office_as: OfficeAs) -> Office:
    """The monitor's office."""
    return office_as("monitor")


@pytest.fixture
def desk_page(qtbot: QtBot, monitor: Office, idle: Idle) -> MonitorPage:
    """The monitor's page, on the screen."""
    page: MonitorPage = shown_page(qtbot, MonitorPage(monitor), monitor, idle)
    page.activateWindow()
    return page


def events(day: DemoDay, kind: str) -> list[EventLine]:
    """The events of a kind, oldest first."""
    with day.desk.store.read() as reader:
        return list(reversed(reader.events(kind=kind, text="", offset=0, limit=500)))


def visiting(day: DemoDay) -> str:
    """A visit of today, planned and opened; returns its number."""
    number = str(plan_visit(day.desk, day.act("monitor"), PlanForm("monitor", DAY, DAY, "routine")).content["visit"])
    open_visit(day.desk, day.act("monitor"), OpenVisitForm(number))
    return number


def sign_off(day: DemoDay, number: str) -> None:
    """Sign a visit."""
    sign_visit(day.desk, day.act("monitor"), SignVisitForm(number, "all read"), day.sign("monitor"))


def ask(day: DemoDay, text: str = "Which logger was it?", **about: str) -> str:
    """The monitor asks; returns the query's number."""
    return str(open_query(day.desk, day.act("monitor"), QueryForm(text, **about)).content["query"])


def reading(page: MonitorPage, office: Office, idle: Idle) -> MonitorPage:
    """The page, read anew."""
    page.refresh()
    idle(office)
    return page


def current(page: MonitorPage) -> ReviewRow:
    """The line of the review one stands on."""
    row = page.visit.review.table.current_row()
    assert isinstance(row, ReviewRow)
    return row


def rows_of(page: MonitorPage) -> list[ReviewRow]:
    """The lines of the review, in their order."""
    model = page.visit.review.model
    return [row for at in range(model.rowCount()) if isinstance(row := model.row_object(at), ReviewRow)]


def listed(page: MonitorPage) -> list[int]:
    """The numbers of the entries listed, in their order."""
    return [row.seq for row in rows_of(page)]


def key(page: MonitorPage, which: Qt.Key, how: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key in the list of entries."""
    QTest.keyClick(page.visit.review.table, which, how)


def do_it(dialog: ActDialog) -> None:
    """Ctrl+Enter in the dialog's first field."""
    field = dialog.form.fields()[0].editor()
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def act_dialog(name: str) -> ActDialog:
    """The dialog of that name that is open."""
    found = [each for each in QApplication.topLevelWidgets() if isinstance(each, ActDialog) and each.isVisible()]
    (dialog,) = [each for each in found if each.objectName() == name]
    return dialog


def words_on(root: QWidget) -> str:
    """Every text to be seen."""
    return "\n".join(label.text() for label in root.findChildren(QLabel) if label.isVisible())


def test_a_monitors_day_by_keyboard(
    qtbot: QtBot, desk_page: MonitorPage, monitor: Office, office: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    page = desk_page
    assert find(page, Text, "visit_next_words").text().startswith("No visit is planned for you.")
    # Plan it: monitor and days stand there already.
    press(find(page, Button, "visit_plan"))
    plan = act_dialog("visit_plan_dialog")
    assert plan.form.values() == {"monitor": "monitor", "from_on": DAY, "to_on": DAY, "purpose": ""}
    QTest.keyClicks(plan.form.field("purpose").editor(), "routine visit")
    QTest.keyClick(plan.form.field("purpose").editor(), Qt.Key.Key_Return)
    idle(monitor)
    go = find(page, Button, "visit_go")
    assert go.accessibleName() == "Open visit VIS-1"
    assert page.focusWidget() is go
    press(go)
    idle(monitor)
    # It opens on what changed, the gravest first, standing in the list.
    review = page.visit.review
    assert review.isVisible()
    assert find(page, Text, "review_title").text() == "Visit VIS-1, open: what changed since the beginning"
    assert page.focusWidget() is review.table
    before = listed(page)
    assert len(before) > 10
    with_reason = [bool(row.why) for row in rows_of(page)]
    assert with_reason == sorted(with_reason, reverse=True)
    # Three lines, one key each: the next line comes to where one stands.
    for at in range(3):
        assert current(page).seq == before[at]
        key(page, Qt.Key.Key_V)
        idle(monitor)
        assert page.focusWidget() is review.table
    assert [event.content["entries"][0]["seq"] for event in events(day, "entries_verified")] == before[:3]
    assert listed(page) == before[3:]
    progress = find(page, Text, "review_progress").text()
    assert progress.startswith(f"3 of {len(before)} entries verified. {len(before) - 3} to verify.")
    assert find(page, QLabel, "review_said").toolTip() == f"Entry {before[2]} is verified: KS 22-Nov-2026."
    # A query from the list, and one on a value of the entry.
    asked = current(page).seq
    key(page, Qt.Key.Key_Q)
    dialog = act_dialog("query_ask")
    QTest.keyClicks(dialog.form.field("text").editor(), "Who read the logger?")
    do_it(dialog)
    idle(monitor)
    assert current(page).seq == asked
    assert current(page).review == "to verify, query QRY-1"
    key(page, Qt.Key.Key_Return)
    idle(monitor)
    entry = shown(EntryDialog)
    line = entry.content.model().row_object(0)  # type: ignore[attr-defined]  # a table that holds its rows
    QTest.keyClick(entry.content, Qt.Key.Key_Return)
    dialog = act_dialog("query_ask")
    assert dialog.form.field("field").value() == line.what
    QTest.keyClicks(dialog.form.field("text").editor(), "Is this the printed one?")
    do_it(dialog)
    idle(monitor)
    assert "Is this the printed one?" in words_on(entry)
    QTest.keyClick(entry, Qt.Key.Key_Escape)
    opened = events(day, "query_opened")
    assert [(each.content["entry_seq"], each.content["field"]) for each in opened] == [(asked, ""), (asked, line.what)]
    # The site finds them on Today, the oldest first, and answers one.
    today: TodayPage = shown_page(qtbot, TodayPage(office), office, idle)
    waiting = [row for row in today.findChildren(WaitingRow) if "Query" in row.item.title]
    assert [row.item.title for row in waiting] == [f"Query QRY-{n} waits for an answer" for n in (1, 2)]
    went: list[tuple[str, str]] = []
    office.go.connect(lambda place, what: went.append((place, what)))
    press(waiting[0].button)
    assert went == [("monitor", "QRY-1")]
    today.close()
    site: MonitorPage = shown_page(qtbot, MonitorPage(office), office, idle)
    site.open_on("QRY-1")
    idle(office)
    query = shown(QueryDialog)
    assert "Who read the logger?" in words_on(query)
    do_it(query)
    idle(office)
    assert query.note.fault() == "Answer is required."
    QTest.keyClicks(query.note.editor(), "Dana Whitfield did, at the dock.")
    do_it(query)
    idle(office)
    site.close()
    # The monitor closes it.
    page.open_on("QRY-1")
    idle(monitor)
    query = shown(QueryDialog)
    assert "Dana Whitfield did, at the dock." in words_on(query)
    do_it(query)
    idle(monitor)
    assert said.texts()[-1] == "QRY-1 is closed."
    # The signature says what is left open.
    page.open_on("visit")
    idle(monitor)
    press(find(page, Button, "review_sign"))
    idle(monitor)
    signing = shown(SignVisitDialog)
    left = " ".join(text.text() for text in find(signing, KeyValues, "visit_sign_left").findChildren(Text))
    assert "Queries not closed QRY-2" in left
    unverified = len(before) - 3
    assert (
        find(signing, Text, "visit_signature_meaning")
        .text()
        .endswith(
            f"3 of {len(before)} entries verified, and left {unverified} entries not verified and 1 query not closed."
        )
    )
    QTest.keyClicks(signing.signature.password.editor(), PASSWORD)
    QTest.keyClick(signing.signature.password.editor(), Qt.Key.Key_Return)
    assert signing.summary.fault() == "Summary of the visit is required."
    # Said before the password is taken: it stays typed, and the keyboard is where something is missing.
    assert signing.signature.password.value() == PASSWORD
    assert QApplication.focusWidget() is signing.summary.editor()
    QTest.keyClicks(signing.summary.editor(), "Three entries read, two questions asked.")
    press(signing.signature.button)
    idle(monitor)
    (event,) = events(day, "visit_signed")
    assert event.content["summary"] == "Three entries read, two questions asked."
    assert event.content["record"]["queries_open"] == ["QRY-2"]
    assert event.content["record"]["entries"]["verified"] == 3
    assert not review.isVisible()
    assert page.focusWidget() is find(page, Button, "visit_plan")
    (row,) = page.visit.visits._rows.rows()
    assert (row.number, row.status, row.held) == ("VIS-1", "signed", f"3 of {len(before)}")
    # A signed visit is read as it was signed.
    page.open_on("VIS-1")
    idle(monitor)
    assert find(page, Text, "review_progress").text().endswith("Three entries read, two questions asked.")
    assert not find(page, Button, "review_verify").isVisible()
    assert find(page, Button, "review_print").isVisible()


def test_many_lines_are_verified_by_one_act_and_the_list_keeps_its_place(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    visiting(day)
    page = reading(desk_page, monitor, idle)
    before = listed(page)
    key(page, Qt.Key.Key_Down)
    for _ in range(2):
        key(page, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert find(page, Button, "review_verify").accessibleName() == "Verify 3 entries"
    key(page, Qt.Key.Key_V)
    idle(monitor)
    (event,) = events(day, "entries_verified")
    assert sorted(each["seq"] for each in event.content["entries"]) == sorted(before[1:4])
    assert current(page).seq == before[4]
    # Among all of them the verified ones stay, and the next line is the one below.
    page.visit.review.shown.set_value("changed")
    idle(monitor)
    page.visit.review.table.setCurrentIndex(page.visit.review.model.index(5, 0))
    here = listed(page)[5]
    key(page, Qt.Key.Key_V)
    idle(monitor)
    assert len(listed(page)) == len(before)
    assert current(page).seq == listed(page)[6] != here


def test_a_correction_reopens_what_was_verified_and_says_why(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 2))
    visiting(day)
    page = reading(desk_page, monitor, idle)
    review = page.visit.review
    review.table.setCurrentIndex(review.model.index(listed(page).index(seq), 0))
    key(page, Qt.Key.Key_V)
    idle(monitor)
    by = take_back(day, seq)
    review.shown.set_value("reopened")
    idle(monitor)
    reading(page, monitor, idle)
    assert listed(page) == [seq]
    row = current(page)
    assert row.review == f"reopened by {by}"
    assert row.struck
    why = f"and reopened by entry {by}, move taken back, of Dana Whitfield"
    assert why in find(page, Text, "review_line").text()
    assert "1 reopened by later entries." in find(page, Text, "review_progress").text()
    key(page, Qt.Key.Key_Return)
    idle(monitor)
    entry = shown(EntryDialog)
    standing = find(entry, Banner, "review_standing")
    assert standing.kind == "warn"
    assert why in standing.text()
    assert "it was the shelf above" in words_on(entry)
    # Verified again from the entry itself, by its letter.
    QTest.keyClick(entry, Qt.Key.Key_V)
    idle(monitor)
    assert listed(page) == []
    assert events(day, "entries_verified")[-1].content["entries"][0]["touched_seq"] == by


def test_what_changed_since_it_was_read_is_refused_and_read_anew(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 1))
    visiting(day)
    page = reading(desk_page, monitor, idle)
    review = page.visit.review
    review.table.setCurrentIndex(review.model.index(listed(page).index(seq), 0))
    by = take_back(day, seq)
    key(page, Qt.Key.Key_V)
    idle(monitor)
    assert events(day, "entries_verified") == []
    trouble = find(page, Banner, "review_trouble")
    assert trouble.isVisible()
    assert trouble.text() == (
        f"Entry {seq} was changed by entry {by} of Dana Whitfield since you read it."
        " Read it again before you verify it."
    )
    assert current(page).seq == seq
    key(page, Qt.Key.Key_V)
    idle(monitor)
    assert len(events(day, "entries_verified")) == 1
    assert not trouble.isVisible()


def test_a_visit_with_nothing_new_says_so_and_its_next_step_is_the_signature(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    sign_off(day, visiting(day))
    number = visiting(day)
    page = reading(desk_page, monitor, idle)
    assert listed(page) == []
    assert find(page, Text, "review_progress").text() == "Nothing was recorded that is to be reviewed."
    assert find(page, Button, "review_sign").property("kind") == "primary"
    assert not find(page, Button, "review_verify").isEnabled()
    key(page, Qt.Key.Key_V)
    key(page, Qt.Key.Key_Q)
    idle(monitor)
    assert events(day, "entries_verified") == []
    press(find(page, Button, "review_sign"))
    idle(monitor)
    signing = shown(SignVisitDialog)
    assert signing.findChild(Banner, "visit_sign_open") is None
    assert find(signing, Text, "visit_signature_meaning").text().endswith("and left nothing open.")
    QTest.keyClicks(signing.summary.editor(), "Nothing new.")
    QTest.keyClicks(signing.signature.password.editor(), "not the password")
    press(signing.signature.button)
    idle(monitor)
    assert signing.isVisible()
    assert find(signing, Banner, "visit_signature_fault").isVisible()
    QTest.keyClicks(signing.signature.password.editor(), PASSWORD)
    press(signing.signature.button)
    idle(monitor)
    assert [event.content["visit"] for event in events(day, "visit_signed")] == ["VIS-1", number]


def test_a_pharmacist_reads_the_visit_and_acts_on_nothing_in_it(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    visiting(day)
    ask(day)
    page: MonitorPage = shown_page(qtbot, MonitorPage(office), office, idle)
    assert "Only a monitor opens, reviews and signs." in find(page, Text, "visit_next_words").text()
    assert not find(page, Button, "visit_go").isVisible()
    table = page.visit.visits.table
    table.setCurrentIndex(table.model().index(0, 0))
    QTest.keyClick(table, Qt.Key.Key_Return)
    idle(office)
    assert listed(page)
    with day.desk.store.read() as reader:
        before = reader.head().seq
    for name in ("review_verify", "review_query", "review_sign"):
        assert not find(page, Button, name).isVisible()
    key(page, Qt.Key.Key_V)
    key(page, Qt.Key.Key_Q)
    key(page, Qt.Key.Key_Return)
    idle(office)
    entry = shown(EntryDialog)
    for which in (Qt.Key.Key_V, Qt.Key.Key_Q):
        QTest.keyClick(entry, which)
    QTest.keyClick(entry.content, Qt.Key.Key_Return)
    assert entry.isVisible()
    entry.close()
    page.open_on("QRY-1")
    idle(office)
    query = shown(QueryDialog)
    assert query.verb.accessibleName() == "Answer the query"
    assert query.findChild(Button, "query_return") is None
    query.close()
    assert not find(page, Button, "queries_ask").isVisible()
    idle(office)
    with day.desk.store.read() as reader:
        assert reader.head().seq == before


def test_a_pharmacist_plans_a_visit_for_the_monitor(qtbot: QtBot, office: Office, day: DemoDay, idle: Idle) -> None:
    page: MonitorPage = shown_page(qtbot, MonitorPage(office), office, idle)
    press(find(page, Button, "visit_plan"))
    plan = act_dialog("visit_plan_dialog")
    plan.form.set_values({"monitor": "monitor", "from_on": "2026-11-24", "to_on": "2026-11-23", "purpose": "routine"})
    do_it(plan)
    idle(office)
    assert plan.form.field("to_on").fault() == ("The visit ends on 23-Nov-2026, before it begins on 24-Nov-2026.")
    plan.form.field("to_on").set_value("2026-11-25")
    do_it(plan)
    idle(office)
    (event,) = events(day, "visit_planned")
    assert event.content["monitor"] == "Kim Sorensen"


def test_a_visit_of_another_day_is_opened_with_the_reason(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    plan_visit(day.desk, day.act("monitor"), PlanForm("monitor", "2026-11-24", "2026-11-25", "routine"))
    page = reading(desk_page, monitor, idle)
    assert find(page, Text, "visit_next_words").text().endswith("Opening it today takes a reason.")
    press(find(page, Button, "visit_go"))
    idle(monitor)
    dialog = act_dialog("visit_open_dialog")
    QTest.keyClicks(dialog.form.field("reason").editor(), "the flight was earlier")
    QTest.keyClick(dialog.form.field("reason").editor(), Qt.Key.Key_Return)
    idle(monitor)
    (event,) = events(day, "visit_opened")
    assert event.why == "the flight was earlier"
    assert page.visit.review.isVisible()


def test_entries_are_chosen_by_what_they_are_about_by_day_line_kind_and_reason(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 1))
    visiting(day)
    page = reading(desk_page, monitor, idle)
    review = page.visit.review
    every = listed(page)

    def type_about(text: str) -> list[int]:
        review.about.set_value(text)
        QTest.keyClick(review.about.editor(), Qt.Key.Key_Return)
        idle(monitor)
        return listed(page)

    of_vial = type_about(numbered("V", 1))
    assert seq in of_vial
    assert len(of_vial) < len(every)
    assert seq not in type_about("000-001")
    assert seq in type_about("lot INO1-A117")
    assert seq not in type_about("shipment SHP-1")
    # What is nothing of the record is said beside the field, and the list stays as it was.
    kept = listed(page)
    assert type_about("V000999X") == kept
    assert review.about.fault()
    assert type_about("") == every
    assert review.about.fault() == ""
    review.kind.set_value("vials_quarantined")
    idle(monitor)
    assert listed(page) == [seq]
    review.kind.set_value("any")
    press(find(page, Button, "review_more_filters"))
    assert review.kind.isVisible()
    review.lines.set_value(f"{seq}.1")
    QTest.keyClick(review.lines.editor(), Qt.Key.Key_Return)
    idle(monitor)
    assert listed(page) == [seq]
    review.lines.set_value("")
    review.from_on.set_value("2026-11-23")
    QTest.keyClick(review.from_on.editor(), Qt.Key.Key_Return)
    idle(monitor)
    assert listed(page) == []
    # Folded away, the further filters are off.
    press(find(page, Button, "review_more_filters"))
    idle(monitor)
    assert listed(page) == every
    review.reason.set_value("first of its kind")
    idle(monitor)
    assert listed(page)
    assert all("First of its kind" in row.why for row in rows_of(page))
    assert review._question().typed == Chosen()


def test_the_sample_is_named_and_shown(desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle) -> None:
    visiting(day)
    page = reading(desk_page, monitor, idle)
    review = page.visit.review
    sample = review.sample
    assert sample is not None
    review.shown.set_value("drawn")
    idle(monitor)
    assert sorted(listed(page)) == list(sample.drawn)
    assert review.shown.text() == f"Sample: {len(sample.drawn)} of {sample.alike} without a reason"
    assert find(page, Text, "review_sample").isVisible()
    review.shown.set_value("reason")
    idle(monitor)
    assert sorted(listed(page)) == sorted(sample.with_reason)


def test_a_query_is_returned_and_overdue_in_words(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle, said: Said
) -> None:
    number = ask(day, about="000-001")
    # Seven days old is in time, eight are overdue.
    for days, words in ((7, "7 days"), (1, "8 days (overdue)")):
        day.clock.forward(days * 24 * 60)
        desk_page.open_on("queries")
        desk_page.refresh()
        idle(monitor)
        row = desk_page.queries.model.row_object(0)
        assert row is not None
        assert (row.number, row.status, row.age) == (number, "open, waits for the site", words)
    assert find(desk_page, Banner, "queries_standing").kind == "warn"
    answer_query(day.desk, day.act("pharmacist"), SayForm(number, "The blue one."))
    QTest.keyClick(desk_page.queries.table, Qt.Key.Key_Down)
    QTest.keyClick(desk_page.queries.table, Qt.Key.Key_Return)
    idle(monitor)
    query = shown(QueryDialog)
    press(find(query, Button, "query_return"))
    idle(monitor)
    assert query.note.fault() == "Word to the site is required."
    QTest.keyClicks(query.note.editor(), "Which serial number?")
    press(find(query, Button, "query_return"))
    idle(monitor)
    assert said.texts()[-1] == f"{number} went back to the site."
    assert events(day, "query_returned")[0].content["text"] == "Which serial number?"


def test_what_was_typed_of_a_query_is_there_again(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    visiting(day)
    page = reading(desk_page, monitor, idle)
    key(page, Qt.Key.Key_Q)
    dialog = act_dialog("query_ask")
    dialog.reject()
    assert not page.is_dirty()
    key(page, Qt.Key.Key_Q)
    dialog = act_dialog("query_ask")
    QTest.keyClicks(dialog.form.field("text").editor(), "Who was it")
    # The lock closes dialogs by their harmless answer.
    dialog.reject()
    assert page.is_dirty()
    key(page, Qt.Key.Key_Q)
    dialog = act_dialog("query_ask")
    assert dialog.form.field("text").value() == "Who was it"
    do_it(dialog)
    idle(monitor)
    assert not page.is_dirty()


def test_a_query_stands_on_the_line_of_the_ledger_and_the_entry_of_the_journal(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Idle
) -> None:
    seq = put_away(day, *units_of(day, 1))
    number = ask(day, "Why this one?", entry=f"{seq}.1")
    page: LedgerPage = shown_page(qtbot, LedgerPage(office), office, idle)
    row = page.model.row_object(0)
    assert row is not None
    assert (row.event_seq, row.mark, row.verified) == (seq, f"query {number}", "")
    page.table.row_activated.emit(row)
    idle(office)
    dialog = shown(LineDialog)
    assert "Why this one?" in words_on(dialog)
    press(find(dialog, Button, f"review_strip_{number}"))
    idle(office)
    shown(QueryDialog).reject()
    dialog.close()
    page.views.set_current(2)
    idle(office)
    entry = next(row for at in range(3) if (row := page.journal.model.row_object(at)) and row.event.seq == seq)
    assert entry.mark == f"query {number}"
    page.journal.table.row_activated.emit(entry)
    idle(office)
    event = shown(EventDialog)
    assert "Why this one?" in words_on(event)
    event.close()


def test_every_alt_letter_leads_to_one_place(desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle) -> None:
    def letters() -> Counter[str]:
        labels = [label for label in desk_page.findChildren(QLabel) if label.buddy() is not None]
        controls: list[QLabel | QAbstractButton] = [*labels, *desk_page.findChildren(QAbstractButton)]
        texts = (widget.text().replace("&&", "") for widget in controls if widget.isVisible())
        return Counter(match[1].lower() for text in texts if (match := re.search(r"&([A-Za-z])", text)))

    # Used containers wait for the monitor: there is something to choose and to sign.
    dose(day, "000-001", 1, 1)
    found = [letters()]
    visiting(day)
    reading(desk_page, monitor, idle)
    press(find(desk_page, Button, "review_more_filters"))
    found.append(letters())
    ask(day)
    for view in VIEWS[1:]:
        desk_page.open_on(view)
        idle(monitor)
        found.append(letters())
    for letter in found:
        assert letter
        assert max(letter.values()) == 1, letter
        # The window's own: Lock.
        assert "l" not in letter


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_goes_sideways_in_a_window_of_800_pixels(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle, view: str
) -> None:
    # As much in each column as a real day brings.
    dose(day, "000-001", 1, 1, given="1.314")
    day.clock.forward(24 * 60)
    sign_period(day.desk, day.act("monitor"), PeriodForm(DAY, "first visit"), day.sign("monitor"))
    number = str(
        plan_visit(
            day.desk, day.act("monitor"), PlanForm("monitor", "2026-11-23", "2026-11-24", "routine visit")
        ).content["visit"]
    )
    open_visit(day.desk, day.act("monitor"), OpenVisitForm(number))
    ask(day, "Which of the two loggers was it that came with the shipment?", about="000-001", entry="12", field="Lot")
    desk_page.resize(800 - 56, 500)
    desk_page.open_on(view)
    reading(desk_page, monitor, idle)
    if view == "visit":
        press(find(desk_page, Button, "review_more_filters"))
        idle(monitor)
    for table in desk_page.findChildren(DataTable):
        assert not table.isVisible() or table.horizontalScrollBar().maximum() == 0, table.objectName()
    QApplication.processEvents()
    assert desk_page.scroll_area.horizontalScrollBar().maximum() == 0


def test_the_same_act_of_a_second_key_press_is_one_event(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    visiting(day)
    page = reading(desk_page, monitor, idle)
    key(page, Qt.Key.Key_V)
    key(page, Qt.Key.Key_V)
    idle(monitor)
    assert len(events(day, "entries_verified")) == 1


def test_another_visit_is_read_with_nothing_of_the_one_before(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    first = visiting(day)
    sign_off(day, first)
    put_away(day, *units_of(day, 1))
    visiting(day)
    page = reading(desk_page, monitor, idle)
    review = page.visit.review
    here = listed(page)
    press(find(page, Button, "review_more_filters"))
    review.reason.set_value("correction")
    review.lines.set_value("1")
    review.about.set_value("lot NONE")
    QTest.keyClick(review.about.editor(), Qt.Key.Key_Return)
    idle(monitor)
    assert review.about.fault()
    # What cannot be read there, and what was chosen, would show the other visit's entries under this one's name.
    page.open_on(first)
    idle(monitor)
    assert find(page, Text, "review_title").text().startswith(f"Visit {first}, signed")
    assert (review.about.value(), review.about.fault(), review.reason.value()) == ("", "", "any")
    assert (review.lines.value(), review.more.isVisible()) == ("", False)
    assert listed(page)
    assert not set(here) & set(listed(page))


def test_four_lines_chosen_leave_a_window_of_800_pixels_as_wide_as_it_is(
    desk_page: MonitorPage, monitor: Office, day: DemoDay, idle: Idle
) -> None:
    visiting(day)
    desk_page.resize(800 - 56, 500)
    page = reading(desk_page, monitor, idle)
    for _ in range(3):
        key(page, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    verify = find(page, Button, "review_verify")
    assert (verify.text().replace("&", ""), verify.accessibleName()) == ("Verify 4", "Verify 4 entries")
    QApplication.processEvents()
    assert page.scroll_area.horizontalScrollBar().maximum() == 0
