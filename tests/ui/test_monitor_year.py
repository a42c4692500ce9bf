"""A monitor's day, and the same desk a year later, in the real window and without a mouse.

What the screen must say is told here by hand: § 8.2 of the protocol (no container is destroyed before the supporter's
monitor has accounted for it, nor without the supporter's written permission), 21 CFR 11.10 (c) and (e) (what was
recorded stays, and can be shown to), and the acts of the story themselves.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox

from labels.proof import decode_pdf, page_texts
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.printing import kept_paper
from pharmacy_app.services.queries import SayForm, answer_query
from pharmacy_app.services.views import EventLine
from pharmacy_app.services.visits import OpenVisitForm, PlanForm, SignVisitForm, open_visit, plan_visit, sign_visit
from tests.conftest import Template
from tests.services.pharmacy import PASSWORD, Pharmacy
from tests.ui.day_hands import *  # noqa: F403
from tests.ui.day_hands import Hands, Study
from tests.ui.keyboard import Keys
from ui.widgets.panels import Banner

# One SQLite file is copied and altered.
pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]

THE_DOSE = (
    "Dose ordered",
    "Dose decided",
    "Vials reserved",
    "Dose verified",
    "Paper printed",  # the worksheet
    "Dose prepared",
    "Paper printed",  # the labels of bag and light cover
    "Labels scanned",
    "Dose released",
    "Dose administered",
    "mg ledger closed",
)
"""A dose from its order to its closed vials: what was recorded since the monitor was here last."""

FIRST = {"Dose ordered", "Dose verified", "Dose prepared", "Dose administered"}
"""The first order for the subject, the first check by that checker, the first dose that technician mixed, the first
dose given to the subject: the only ones of these with a reason to look. They stand first.
"""


@dataclass(slots=True)
class Foot:
    """The foot of a print, as a person reads it from the paper."""

    events: int
    head: str


@dataclass(slots=True)
class Year:
    """The study: its people at services, their window, and what the first day left on paper."""

    pharmacy: Pharmacy
    study: Study
    keys: Keys


@pytest.fixture
def year(template: Template, study: Study, open_window: Callable[..., Hands]) -> Iterator[Year]:
    """Stock, a subject, a monitor's visit that was signed; then a dose was given and its vials closed."""
    made = template.copy_to(study.path, study.clock)
    made.stock_up()
    made.enroll()
    visit = str(plan_visit(made.desk, made.act("mona"), _plan(made)).content["visit"])
    open_visit(made.desk, made.act("mona"), OpenVisitForm(visit))
    sign_visit(made.desk, made.act("mona"), SignVisitForm(visit, "Initiation: the stock is right."), made.sign("mona"))
    study.clock.forward(hours=1)
    made.dose("closed")
    keys = Keys.of(open_window())
    keys.settle()
    yield Year(made, study, keys)
    made.desk.store.close()


def _plan(made: Pharmacy) -> PlanForm:
    return PlanForm("mona", made.day(), made.day(), "initiation")


def test_a_monitors_day_and_the_year_after(year: Year, open_window: Callable[..., Hands], tmp_path: Path) -> None:
    keys = year.keys
    keys.sign_in("mona", PASSWORD)
    assert keys.window.current_page() == "monitor"
    _open_a_visit(keys, "VIS-2", "routine visit")
    dose = _read_what_changed(year)
    _ask_twice(year, dose)
    keys.leave()
    _site_answers(keys)
    containers = _destruction_is_refused(year)
    keys.leave()
    keys.sign_in("mona", PASSWORD)
    _account_for(year, containers)
    keys.leave()
    keys.sign_in("paula", PASSWORD)
    _destroy(year, containers)
    keys.leave()
    keys.sign_in("mona", PASSWORD)
    _close_the_answered_query(year)
    signed = _sign_the_visit(year)
    foot = _print_and_read_the_foot(year, signed)
    keys.leave()
    corrected = _a_year_passes(year)
    keys.sign_in("mona", PASSWORD)
    _the_next_visit_shows_just_that(year, corrected)
    _the_old_paper_fits(keys, foot)
    _one_byte_is_altered(year, foot, open_window, tmp_path)
    found = year.study.desks[-1].store.verify()
    assert found.sound, found


# --- the visit


def _open_a_visit(keys: Keys, number: str, purpose: str) -> None:
    """Plan it, with the days that stand there already, and open it: one stands on what changed."""
    keys.press("visit_plan")
    assert keys.stands_on("purpose")
    keys.words_in(purpose)
    keys.key(Qt.Key.Key_Return)
    assert keys.stands_on("visit_go")
    assert keys.button("visit_go").accessibleName() == f"Open visit {number}"
    keys.key(Qt.Key.Key_Space)
    assert keys.text("review_title").startswith(f"Visit {number}, open: what changed since entry ")
    assert keys.stands_on("review_table")


def _listed(keys: Keys) -> list[tuple[int, str]]:
    """The entries on the list, in their order: number and kind."""
    return [(int(seq.replace(",", "")), what) for seq, what in keys.rows("review_table", "seq", "what")]


def _read_what_changed(year: Year) -> list[tuple[int, str]]:
    """Exactly the dose, those with a reason first; four lines are verified, a key each."""
    keys = year.keys
    listed = _listed(keys)
    assert Counter(what for _, what in listed) == Counter(THE_DOSE)
    assert {what for _, what in listed[: len(FIRST)]} == FIRST
    (visit,) = year.study.events("visit_signed")
    assert min(seq for seq, _ in listed) > visit.seq
    for _ in range(4):
        keys.key(Qt.Key.Key_V)
    verified = [event.content["entries"][0]["seq"] for event in year.study.events("entries_verified")]
    assert verified == [seq for seq, _ in listed[:4]]
    assert _listed(keys) == listed[4:]
    # 11 entries, 4 of them read.
    assert keys.text("review_progress").startswith("4 of 11 entries verified. 7 to verify.")
    return listed[4:]


def _ask_twice(year: Year, dose: list[tuple[int, str]]) -> None:
    """One query on a line, one on a value of an entry."""
    keys = year.keys
    keys.stand_on_row("review_table", "what", "Dose released")
    keys.key(Qt.Key.Key_Q)
    keys.words_in("Who took the bag?")
    keys.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    keys.stand_on_row("review_table", "what", "mg ledger closed")
    keys.key(Qt.Key.Key_Return)
    assert keys.root().objectName() == "review_entry"
    value = keys.stand_on_row("review_content", "what", "Closed 2")
    keys.key(Qt.Key.Key_Return)
    assert keys.text("field") == value
    keys.words_in("Into which container?")
    keys.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    keys.key(Qt.Key.Key_Escape)
    kinds = {what: seq for seq, what in dose}
    first, second = (event.content for event in year.study.events("query_opened"))
    assert (first["query"], first["entry_seq"], first["field"]) == ("QRY-1", kinds["Dose released"], "")
    assert (second["query"], second["entry_seq"]) == ("QRY-2", kinds["mg ledger closed"])
    assert second["field"] == "Closed 2"


def _site_answers(keys: Keys) -> None:
    """The pharmacist finds both on Today, the first asked first, and answers that one."""
    keys.sign_in("paula", PASSWORD)
    assert keys.window.current_page() == "today"
    words = keys.words()
    assert words.index("Query QRY-1 waits for an answer") < words.index("Query QRY-2 waits for an answer")
    keys.press(next(name for name in _waiting(keys) if "QRY-1" in keys.button(name).accessibleName()))
    assert "Who took the bag?" in keys.words()
    assert keys.stands_on("text")
    keys.words_in("Nurse J. Abara, unit 4.")
    keys.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "QRY-1 is answered." in keys.said()


def _waiting(keys: Keys) -> list[str]:
    buttons = keys.window.findChildren(QAbstractButton)
    return [each.objectName() for each in buttons if each.isVisible() and each.objectName().startswith("waiting_")]


# --- destruction (§ 8.2)


def _destruction_is_refused(year: Year) -> tuple[str, str]:
    """The permission is attached, two people sign: it is refused, because the monitor has not accounted for them."""
    keys = year.keys
    # 0.9 mg and 0.56 mg were drawn, and what was left of the second was discarded: both are empty.
    containers = [vial.unit_number for vial in year.pharmacy.vials(state="empty")]
    assert len(containers) == 2
    letter = year.study.path.with_name("permission.txt")
    letter.write_text("Used and empty containers may be destroyed at the site.", encoding="utf-8")
    _open_destruction(keys, containers)
    assert "Missing" in keys.words()
    keys.press("move_attach")
    keys.type("file", str(letter))
    keys.type("title", "Destruction at the site")
    keys.type("signed_by", "Dr. A. Ito")
    keys.type("dated_on", "2026-03-02")
    keys.press("permission_dialog_do")
    (attached,) = year.study.events("document_attached")
    assert attached.content["permits"] == ["destruction"]
    assert keys.stands_on("permission")
    _fill_destruction(keys)
    for unit in containers:
        assert f"The supporter's monitor has not accounted for vial {unit} yet." in keys.words()
    assert year.study.events("vials_destroyed") == []
    assert [year.pharmacy.vial(unit).state for unit in containers] == ["empty", "empty"]
    assert len(year.study.events("access_denied")) == 1
    return containers[0], containers[1]


def _open_destruction(keys: Keys, containers: Sequence[str]) -> None:
    keys.go("vials")
    keys.press("vials_move")
    for unit in containers:
        keys.scan("move_scan", unit)
    keys.press("move_destroy")


def _fill_destruction(keys: Keys) -> None:
    keys.type("method", "Incineration")
    keys.type("container", "Cytotoxic waste 12")
    keys.type("password", PASSWORD)
    keys.type("witness_user_name", "tim")
    keys.type("witness_password", PASSWORD)
    keys.key(Qt.Key.Key_Return)


def _account_for(year: Year, containers: tuple[str, str]) -> None:
    """The monitor reconciles both, and each stands there with the site's date and the monitor's."""
    keys = year.keys
    keys.press("monitor_views_3")
    assert keys.rows("account_table", "unit_number") == [(unit,) for unit in containers]
    dates = keys.rows("reconciled_table", "unit_number", "site_at", "monitor_at", "visit")
    assert dates == [(unit, "02-Mar-2026", "–", "–") for unit in containers]
    keys.press("account_all")
    keys.type("account_signature_password", PASSWORD)
    keys.key(Qt.Key.Key_Return)
    assert keys.rows("account_table", "unit_number") == []
    dates = keys.rows("reconciled_table", "unit_number", "site_at", "monitor_at", "visit")
    assert dates == [(unit, "02-Mar-2026", "02-Mar-2026", "VIS-2") for unit in containers]


def _destroy(year: Year, containers: tuple[str, str]) -> None:
    """The same two people, the same permission: now it goes through."""
    keys = year.keys
    _open_destruction(keys, containers)
    keys.reach("permission")
    keys.key(Qt.Key.Key_Down)
    assert "Destruction at the site" in keys.see("permission", QComboBox).currentText()
    _fill_destruction(keys)
    (destroyed,) = year.study.events("vials_destroyed")
    (attached,) = year.study.events("document_attached")
    assert sorted(moved["unit_number"] for moved in destroyed.content["moves"]) == list(containers)
    assert destroyed.content["permission"] == attached.content["document_id"]
    assert [year.pharmacy.vial(unit).state for unit in containers] == ["destroyed", "destroyed"]


# --- the end of the visit


def _close_the_answered_query(year: Year) -> None:
    keys = year.keys
    keys.press("monitor_views_2")
    keys.open_row("queries_table", "QRY-1")
    assert "Nurse J. Abara, unit 4." in keys.words()
    keys.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "QRY-1 is closed." in keys.said()
    assert [row[0] for row in keys.rows("queries_table", "number")] == ["QRY-2"]


def _sign_the_visit(year: Year) -> EventLine:
    """What is left open stands in what is signed."""
    keys = year.keys
    keys.press("monitor_views_1")
    keys.press("review_sign")
    # 11 of the dose, and what the site did today: the permission, the try that was refused, the destruction.
    assert keys.text("visit_signature_meaning").endswith(
        "4 of 14 entries verified, and left 10 entries not verified and 1 query not closed."
    )
    assert keys.stands_on("summary")
    keys.words_in("One dose read, two containers accounted for, two questions asked.")
    keys.type("visit_signature_password", PASSWORD)
    keys.key(Qt.Key.Key_Return)
    signed = year.study.events("visit_signed")[-1]
    assert signed.content["visit"] == "VIS-2"
    assert signed.content["record"]["queries_open"] == ["QRY-2"]
    assert signed.content["record"]["units_accounted"] == 2
    return signed


def _print_and_read_the_foot(year: Year, signed: EventLine) -> Foot:
    """The report of the visit: the foot says in words and in the code where the journal stood."""
    keys = year.keys
    keys.open_row("visits_table", "VIS-2")
    keys.press("review_print")
    assert keys.root().objectName() != "main_window"
    printed = year.study.events("record_printed")[-1]
    keys.press("paper_close")
    pdf = kept_paper(year.study.desks[-1], printed.content["sha256"])
    assert pdf is not None
    pages, codes = page_texts(pdf), decode_pdf(pdf, 300)
    heads = {code for page in codes for code in page}
    (code,) = heads
    events, head = code.split(":")
    assert len(head) == 64
    # Nothing was recorded between the signature and the print.
    assert (int(events), head) == (signed.seq, signed.hash)
    for page in pages:
        assert head in re.sub(r"\s", "", page)
        assert re.search(rf"\b{int(events):,} e", page)
    return Foot(int(events), head)


# --- a year later


def _a_year_passes(year: Year) -> int:
    """A shipment comes, the second query is answered, what was given a year ago is put right: the correction's number.

    The lot is received and released with a label on each vial.
    """
    made = year.pharmacy
    year.study.clock.forward(days=330)
    made.stock_up("S-2", (LotTyped("1", "A2", "2028-03-31", "4"),))
    answer_query(made.desk, made.act("paula"), SayForm("QRY-2", "Into the cytotoxic waste."))
    (given,) = made.events("dose_administered")
    # (1.45 - 1.46) / 1.46 is 0.7 % low: no error, and not close to 10 %.
    right = CorrectForm(given.seq, "the pump's own record says so", (("given", "1.45"),))
    corrected = correct(made.desk, made.act("paula"), right, made.sign("paula"))
    year.study.clock.forward(days=35)
    return corrected.seq


def _the_next_visit_shows_just_that(year: Year, corrected: int) -> None:
    """It begins where the last signature ended: what was recorded since, and what was reopened by it. Nothing more."""
    keys = year.keys
    _open_a_visit(keys, "VIS-3", "a year later")
    rows = keys.rows("review_table", "what", "review")
    shipment = ("Shipment received", "Paper printed", "Labels scanned", "Vials released")
    assert Counter(rows) == Counter(
        [
            *((what, "to verify") for what in (*shipment, "Administration corrected")),
            # Verified in the visit before.
            ("Dose administered", f"reopened by {corrected}"),
        ]
    )
    assert keys.text("review_progress").startswith("0 of 6 entries verified. 1 reopened by later entries. 6 to verify.")
    keys.stand_on_row("review_table", "what", "Dose administered")
    assert "the pump's own record says so" in keys.text("review_line")
    keys.press("monitor_views_2")
    assert keys.rows("queries_table", "number", "status") == [("QRY-2", "answered, waits for the monitor")]


def _the_old_paper_fits(keys: Keys, foot: Foot) -> None:
    """Number and the first characters are typed from the old foot."""
    words = _check_the_paper(keys, foot)
    assert f"Nothing up to entry {foot.events:,} has changed" in words
    assert keys.see("anchor_result", Banner).accessibleName().startswith("Fits: ")
    keys.key(Qt.Key.Key_Escape)


def _check_the_paper(keys: Keys, foot: Foot) -> str:
    keys.press("monitor_paper")
    assert keys.root().objectName() == "anchor_dialog"
    assert keys.stands_on("paper_events")
    keys.words_in(str(foot.events))
    keys.key(Qt.Key.Key_Tab)
    assert keys.stands_on("paper_head")
    keys.words_in(foot.head[:12])
    keys.key(Qt.Key.Key_Return)
    return keys.text("anchor_result_text")


def _one_byte_is_altered(year: Year, foot: Foot, open_window: Callable[..., Hands], tmp_path: Path) -> None:
    """In a copy of the database a single byte of the dose's entry is another one: that entry is named."""
    (given,) = year.study.events("dose_administered")
    assert given.seq < foot.events
    other = Study(tmp_path / "copy.sqlite", year.study.clock)
    with closing(sqlite3.connect(year.study.path)) as whole, closing(sqlite3.connect(other.path)) as raw:
        whole.backup(raw)
        with raw:
            guards = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                raw.execute(f'DROP TRIGGER "{name}"')
            (body,) = raw.execute("SELECT body FROM journal_event WHERE seq = ?", (given.seq,)).fetchone()
            # 1.46 mg were given; one digit of it becomes another.
            altered = body.replace(b"1.46", b"1.36", 1)
            assert sum(before != after for before, after in zip(body, altered, strict=True)) == 1
            raw.execute("UPDATE journal_event SET body = ? WHERE seq = ?", (altered, given.seq))
            # Without them the app would not open it at all.
            for _, guard in guards:
                raw.execute(guard)
    keys = Keys.of(open_window(other.launch()))
    keys.settle()
    keys.sign_in("mona", PASSWORD)
    words = _check_the_paper(keys, foot)
    assert keys.see("anchor_result", Banner).accessibleName().startswith("Altered: ")
    assert f"Entry {given.seq:,} is the first that is not as it was written." in words
    keys.key(Qt.Key.Key_Escape)
    other.close()
