"""The drawn timeline: where marks stand, that nothing lies on anything else, and how the keys go."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.theme import Theme
from ui.widgets.timeline import Band, Flag, Mark, Row, Shape, Timeline, TimelineKey, paint_shape

ROWS = (
    Row(
        "Cycle 1",
        "05-Jan-2026",
        marks=(Mark(0, Shape.GIVEN, "05-Jan", "Day 1."), Mark(7, Shape.DUE, "12-Jan", "Day 8.")),
        bands=(Band(4, 10),),
        flags=(Flag(7, "Marrow 3 %", "A marrow."), Flag(8, "CR", "A response."), Flag(9, "Toxicity", "An event.")),
        today=8,
    ),
    Row("Cycle 2", "no day yet", marks=(Mark(0, Shape.PLANNED, "D1", "Day 1 of cycle 2."),)),
)


@pytest.fixture
def timeline(qtbot: QtBot) -> Iterator[Timeline]:
    """A timeline of five weeks in a window of its own."""
    made = Timeline(name="timeline", label="Treatment calendar, drawn")
    # A page holds it: the drawing has the height it asks for.
    window = QWidget()
    column = QVBoxLayout(window)
    column.addWidget(made)
    qtbot.addWidget(window)
    window.resize(900, 400)
    window.show()
    made.set_rows(ROWS, first=-7, last=34)
    yield made


def test_the_keys_reach_everything_by_day_then_by_row(timeline: Timeline) -> None:
    said: list[str] = []
    timeline.chosen.connect(said.append)
    canvas = timeline.canvas
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (
        Qt.Key.Key_Home,
        Qt.Key.Key_Right,
        Qt.Key.Key_Right,
        Qt.Key.Key_Right,
        Qt.Key.Key_Right,
        Qt.Key.Key_Right,
    ):
        QTest.keyClick(canvas, key)
    assert said[0] == "Day 1."
    assert set(said[1:3]) == {"A marrow.", "Day 8."}
    assert said[3:] == ["A response.", "An event.", "Day 1 of cycle 2."]
    # At the end the key stays where it is.
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert said[-1] == "Day 1 of cycle 2."
    QTest.keyClick(canvas, Qt.Key.Key_Up)
    assert said[-1] == "Day 1."
    QTest.keyClick(canvas, Qt.Key.Key_End)
    assert canvas.accessibleDescription() == "Day 1 of cycle 2."


def test_a_click_chooses_what_it_hits_and_a_click_beside_nothing(timeline: Timeline) -> None:
    said: list[str] = []
    timeline.chosen.connect(said.append)
    place = next(stop.place for stop in timeline.canvas.places() if stop.words == "Day 8.")
    QTest.mouseClick(timeline.canvas, Qt.MouseButton.LeftButton, pos=place.center().toPoint())
    QTest.mouseClick(timeline.canvas, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert said == ["Day 8."]


def test_no_flag_lies_on_another_and_none_is_cut_off(timeline: Timeline) -> None:
    flags = (*ROWS[0].flags, Flag(34, "Off treatment", "At the very end."))
    timeline.set_rows([Row("Cycle 1", "", flags=flags)], first=0, last=34)
    places = [stop.place for stop in timeline.canvas.places()]
    assert len(places) == 4
    for number, place in enumerate(places):
        assert place.left() >= 0
        assert place.right() <= timeline.canvas.width()
        assert not any(place.intersects(other) for other in places[number + 1 :])


def test_what_does_not_fit_scrolls_sideways_and_the_chosen_one_is_brought_into_view(timeline: Timeline) -> None:
    bar = timeline.horizontalScrollBar()
    assert bar.maximum() == 0
    timeline.window().resize(420, 400)
    QTest.qWait(20)
    assert bar.maximum() > 0
    timeline.set_rows([Row("Cycle 1", "", marks=(Mark(34, Shape.LATE, "08-Feb", "Late."),))], first=-7, last=34)
    QTest.keyClick(timeline.canvas, Qt.Key.Key_End)
    place = timeline.canvas.places()[0].place
    assert bar.value() <= place.left()
    assert place.right() <= bar.value() + timeline.viewport().width()


def test_news_leaves_the_chosen_one_chosen_while_it_says_the_same(timeline: Timeline) -> None:
    QTest.keyClick(timeline.canvas, Qt.Key.Key_End)
    timeline.set_rows(ROWS, first=-7, last=34)
    assert timeline.canvas.chosen_words() == "Day 1 of cycle 2."
    timeline.set_rows(ROWS[:1], first=-7, last=34)
    assert timeline.canvas.chosen_words() == ""


def test_without_rows_it_says_that_nothing_is_drawn(timeline: Timeline) -> None:
    timeline.set_rows([], first=0, last=34)
    QTest.keyClick(timeline.canvas, Qt.Key.Key_Right)
    assert timeline.canvas.places() == ()
    assert timeline.canvas.accessibleDescription() == "Nothing is drawn yet."


def _picture(shape: Shape) -> bytes:
    """One mark without its colours: which dots are drawn dark."""
    image = QImage(28, 28, QImage.Format.Format_RGB32)
    image.fill(QColor(Theme.tokens.surface))
    painter = QPainter(image)
    paint_shape(painter, shape, QPointF(14, 14))
    painter.end()
    surface = QColor(Theme.tokens.surface).lightness()
    return bytes(abs(QColor(image.pixel(x, y)).lightness() - surface) > 60 for y in range(28) for x in range(28))


def test_each_kind_of_mark_has_a_shape_of_its_own_without_its_colour() -> None:
    pictures = {shape: _picture(shape) for shape in Shape}
    for shape, drawn in pictures.items():
        assert sum(drawn) > 20, f"{shape} is hardly seen"
        for other, beside in pictures.items():
            if other is not shape:
                differing = sum(a != b for a, b in zip(drawn, beside, strict=True))
                assert differing > 15, f"{shape} looks like {other}"


def test_the_key_names_every_shape_and_breaks_where_it_is_narrow(qtbot: QtBot) -> None:
    key = TimelineKey(name="key")
    qtbot.addWidget(key)
    for words in ("Given", "Ahead", "Due now", "Late", "Must be omitted", "Omitted", "Not given", "Window", "Today"):
        assert words.lower() in key.accessibleName().lower()
    assert key.heightForWidth(2000) == 24
    assert key.heightForWidth(320) > 24
