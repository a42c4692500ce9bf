"""The widget of pictures by keyboard: what is drawn is said, nothing is known by mouse or colour alone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pharmacy_app.demo import DemoDay
from pharmacy_app.services.charts import QueryAge, queries_by_age
from pharmacy_app.services.pictures import (
    Line,
    Marks,
    Picture,
    Point,
    Shape,
    TimeAxis,
    Tone,
    blank,
    day_at,
    value_axis,
)
from pharmacy_app.services.treatment import CyclePlanForm, plan_cycle
from tests.ui.find import find
from tests.ui.office_fixtures import *  # noqa: F403 - fixtures of this folder
from tests.ui.test_stock_pages import shown_page
from ui.office import Office
from ui.pages.forecast import ForecastPage
from ui.theme import DARK, LIGHT, Theme
from ui.widgets.basics import Text
from ui.widgets.charts import PictureView, key_of

D = Decimal
FIRST = date(2026, 3, 2)
Key = Qt.Key


def at(day: int, value: int, words: str) -> Point:
    return Point(day_at(FIRST + timedelta(days=day)), D(value), words)


SUMMARY = "8 vials of 1 mg are usable on 12-Mar-2026. 10 vials came in 1 receipt."
STOCK = Picture(
    "Usable 1 mg vials",
    SUMMARY,
    TimeAxis(day_at(FIRST), day_at(FIRST + timedelta(days=10)), "Day at the site", whole_days=True),
    value_axis("vials", "", [D(10)], whole=True, from_zero=True),
    lines=(
        Line("Usable vials", (at(0, 10, "10 usable."), at(5, 8, "8 usable."), at(10, 8, "Still 8.")), stepped=True),
    ),
    marks=(Marks("Receipt", (at(0, 10, "10 came."), at(8, 8, "Nothing came.")), Shape.UP, Tone.SECOND),),
)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[PictureView]:
    """The picture in a window of its own, drawn."""
    made = PictureView(STOCK, name="stock")
    yield from shown(qtbot, made)


def shown(qtbot: QtBot, made: PictureView) -> Iterator[PictureView]:
    window = QWidget()
    QVBoxLayout(window).addWidget(made)
    qtbot.addWidget(window)
    window.resize(700, 380)
    window.show()
    qtbot.waitUntil(made.is_drawn)
    yield made


def words(view: PictureView) -> str:
    return find(view, Text, f"{view.objectName()}_words").text()


# --- by keyboard


def test_before_a_key_is_pressed_the_summary_stands_beneath(view: PictureView) -> None:
    assert view.accessibleName() == SUMMARY == words(view)
    assert view.accessibleDescription() == "Use the arrow keys to go from point to point."
    assert view.focusPolicy() is Qt.FocusPolicy.StrongFocus


def test_the_arrows_go_from_point_to_point_and_the_words_go_with_them(view: PictureView) -> None:
    said: list[str] = []
    view.chosen.connect(said.append)
    view.setFocus()
    for _ in range(6):
        QTest.keyClick(view, Key.Key_Right)
        assert said[-1] == words(view) == view.accessibleDescription() == view.chosen_words()
    # From left to right over all series; at the end it stays.
    assert said == ["10 usable.", "10 came.", "8 usable.", "Nothing came.", "Still 8.", "Still 8."]
    QTest.keyClick(view, Key.Key_Home)
    assert words(view) == "10 usable."
    QTest.keyClick(view, Key.Key_End)
    assert words(view) == "Still 8."
    QTest.keyClick(view, Key.Key_Left)
    QTest.keyClick(view, Key.Key_Up)
    assert words(view) == "Still 8.", "the nearest of the line above"
    QTest.keyClick(view, Key.Key_Up)
    assert words(view) == "Still 8.", "there is no series above"
    QTest.keyClick(view, Key.Key_Down)
    assert words(view) == "Nothing came."
    QTest.keyClick(view, Key.Key_PageUp)
    assert words(view) == "10 usable."


def test_the_first_key_to_the_left_begins_at_the_end(view: PictureView) -> None:
    QTest.keyClick(view, Key.Key_Left)
    assert words(view) == "Still 8."


def test_tab_passes_through(qtbot: QtBot) -> None:
    window = QWidget()
    column = QVBoxLayout(window)
    views = [
        PictureView(STOCK, name="one"),
        PictureView(blank("", "None."), name="two"),
        PictureView(STOCK, name="three"),
    ]
    for each in views:
        column.addWidget(each)
    qtbot.addWidget(window)
    window.resize(700, 800)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    views[0].setFocus()
    QTest.keyClick(views[0], Key.Key_Tab)
    assert QApplication.focusWidget() is views[2], "where nothing is drawn there is nothing to go to"


def test_what_was_chosen_stays_when_the_picture_is_read_anew(view: PictureView) -> None:
    for _ in range(3):
        QTest.keyClick(view, Key.Key_Right)
    view.set_picture(STOCK)
    assert words(view) == "8 usable."
    view.set_picture(queries_by_age([QueryAge(3, False)], 7))
    assert words(view) == "1 query not closed; none of them older than 7 days."


# --- by mouse


def test_a_click_chooses_what_is_near_and_nothing_where_nothing_is(view: PictureView) -> None:
    stop = next(stop for stop in STOCK.stops() if stop.words == "Nothing came.")
    place = view._plot.mapTo(view, view._plot.place(stop).toPoint())
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place + QPoint(6, -6))
    assert words(view) == "Nothing came."
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place + QPoint(0, 60))
    assert words(view) == "Nothing came."


def wheel(view: QWidget, modifiers: Qt.KeyboardModifier) -> QWheelEvent:
    middle = QPointF(view.rect().center())
    return QWheelEvent(
        middle,
        QPointF(view.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


def test_the_wheel_is_left_to_the_page(view: PictureView) -> None:
    """What lies under the pointer is the widget itself: the drawing takes no wheel and no click from it."""
    under = view.window().childAt(view.mapTo(view.window(), view._room.geometry().center()))
    assert under is view._room
    before = view.grab().toImage()
    for each in (view._room, view):
        event = wheel(each, Qt.KeyboardModifier.NoModifier)
        event.setAccepted(True)
        each.wheelEvent(event)
        assert not event.isAccepted(), "it goes on to the page"
    assert view.grab().toImage() == before


def test_ctrl_and_the_wheel_draws_time_out_and_zero_shows_all_again(view: PictureView) -> None:
    before = view.grab().toImage()
    QApplication.sendEvent(view, wheel(view, Qt.KeyboardModifier.ControlModifier))
    assert view._window.last - view._window.first == D("0.8")
    assert view.grab().toImage() != before
    QTest.keyClick(view, Key.Key_0)
    assert view._window.is_whole
    assert view.grab().toImage() == before


def test_drawn_out_the_chosen_point_is_always_in_sight(view: PictureView) -> None:
    QTest.keyClick(view, Key.Key_Home)
    for _ in range(40):
        QTest.keyClick(view, Key.Key_Plus)
    assert view._window.last - view._window.first == D("0.05")
    QTest.keyClick(view, Key.Key_End)
    assert view._window.first <= 1 <= view._window.last
    for _ in range(40):
        QTest.keyClick(view, Key.Key_Minus)
    assert view._window.is_whole


# --- how it looks


def test_it_is_drawn_in_the_colours_of_the_palette_in_force(qapp: QApplication, view: PictureView) -> None:
    """The edge of the drawing is the card's own colour."""

    def ground() -> str:
        place = view._room.geometry().bottomLeft() + QPoint(6, -6)
        return view.grab().toImage().pixelColor(place).name().upper()

    assert ground() == LIGHT.surface
    Theme.apply(qapp, "dark")
    QApplication.processEvents()
    assert ground() == DARK.surface


def test_an_empty_study_has_a_sentence_and_no_drawing(qtbot: QtBot) -> None:
    made = PictureView(blank("Usable 1 mg vials", "No 1 mg vial was ever received."), name="none")
    qtbot.addWidget(made)
    made.show()
    qtbot.wait(20)
    assert words(made) == made.accessibleName() == "No 1 mg vial was ever received."
    assert not made.is_drawn()
    assert made.focusPolicy() is Qt.FocusPolicy.NoFocus
    assert not made._room.isVisible()
    made.set_picture(STOCK)
    qtbot.waitUntil(made.is_drawn)
    assert made._room.isVisible()


def test_the_key_names_everything_and_no_two_look_alike(view: PictureView) -> None:
    assert [name for _, name in key_of(STOCK)] == ["Usable vials", "Receipt"]
    queries = queries_by_age([QueryAge(3, True), QueryAge(9, False)], 7)
    view.set_picture(queries)
    assert [name for _, name in key_of(queries)] == ["Not answered", "Answered, not closed"]
    assert len({bars.fill for bars in queries.bars}) == 2


@pytest.mark.parametrize("width", [260, 560, 1100])
def test_it_fits_any_width(qtbot: QtBot, width: int) -> None:
    made = PictureView(STOCK, name="stock")
    for each in shown(qtbot, made):
        window = each.window()
        window.resize(width, 380)
        QApplication.processEvents()
        assert each.width() <= width
        assert each._key.geometry().bottom() <= each._room.geometry().top()


# --- loading


def test_the_page_is_painted_before_the_drawing_library_is_loaded(qtbot: QtBot) -> None:
    made = PictureView(STOCK, name="stock")
    qtbot.addWidget(made)
    high = made._room.height()
    made.show()
    made.grab()
    assert not made.is_drawn()
    qtbot.waitUntil(made.is_drawn)
    assert made._room.height() == high, "nothing moves when it comes"


def test_nothing_loads_the_drawing_library_at_start_up() -> None:
    code = "import sys, ui.app, ui.pages.forecast; print(sorted({'pyqtgraph', 'numpy'} & {*sys.modules}))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- on a page


def test_the_forecast_page_shows_both_strengths(
    qtbot: QtBot, office: Office, day: DemoDay, idle: Callable[[Office], None]
) -> None:
    """12 vials of 1 mg and 4 of 4 mg came and were released; cycle 1 day 1 tomorrow takes two of 1 mg (1.46 mg)."""
    plan_cycle(day.desk, day.act("pharmacist"), CyclePlanForm("000-001", "1", "1", "2026-11-23"))
    page: ForecastPage = shown_page(qtbot, ForecastPage(office), office, idle)
    one, four = page.stock_views
    assert one.accessibleName().startswith(
        "12 vials of 1 mg are usable on 22-Nov-2026. 12 vials came in 1 receipt. By the forecast "
    )
    assert four.accessibleName().startswith("4 vials of 4 mg are usable on 22-Nov-2026.")
    QTest.keyClick(one, Key.Key_End)
    QTest.keyClick(one, Key.Key_Home)
    seen = [words(one)]
    for _ in range(2):
        QTest.keyClick(one, Key.Key_Right)
        seen.append(words(one))
    assert seen == [
        "22-Nov-2026: 12 vials usable (12 received; 12 released).",
        "22-Nov-2026: receipt of 12 vials, lot INO1-A117.",
        "23-Nov-2026, by the forecast: 10 vials usable (subject 000-001, cycle 1 day 1 takes 2).",
    ]
