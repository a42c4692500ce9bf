"""The drawing of how vials move: beside its list, in both palettes, every state and arrow in its place."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pharmacy_app.domain.move_diagram import move_diagram
from pharmacy_app.domain.vials import move_table
from tests.ui.find import find
from ui.pages.vial_moves_table import MovesView, move_rows
from ui.theme import Mode, Theme
from ui.widgets.fields import ChoiceField
from ui.widgets.move_diagram import MoveDiagramView

DIAGRAM = move_diagram(move_table())


@pytest.fixture
def drawing(qtbot: QtBot) -> MoveDiagramView:
    """The drawing at the width of a window's page."""
    view = MoveDiagramView(DIAGRAM, name="moves_diagram", label="How vials move, drawn")
    qtbot.addWidget(view)
    view.resize(930, view.sizeHint().height())
    return view


@pytest.fixture(params=[Mode.LIGHT, Mode.DARK])
def palette(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Mode]:
    """Both palettes, the one before afterwards again."""
    before = Theme.mode
    Theme.apply(qapp, request.param)
    yield request.param
    Theme.apply(qapp, before)


def seen(view: MoveDiagramView) -> QImage:
    return view.grab().toImage()


def is_ink(image: QImage, x: float, y: float, tone: str) -> bool:
    """Whether a token's colour is painted within two pixels of a place."""
    ink = QColor(Theme.tokens.colour(tone)).rgb()
    ratio = image.devicePixelRatio()
    return any(
        image.pixel(round((x + across) * ratio), round((y + down) * ratio)) == ink
        for across in range(-2, 3)
        for down in range(-2, 3)
    )


def test_every_arrow_is_drawn_between_its_states_in_both_palettes(drawing: MoveDiagramView, palette: Mode) -> None:
    image = seen(drawing)
    for arrow in DIAGRAM.arrows:
        y = drawing.row_y(arrow.row)
        if arrow.to_column is not None:
            toward = -1 if min(arrow.columns) < arrow.to_column else 1
            assert is_ink(image, drawing.column_x(arrow.to_column) + 5 * toward, y, "info"), arrow.name
            for column in arrow.from_columns:
                assert is_ink(image, drawing.column_x(column), y, "info"), (arrow.name, column)
        else:
            # A ring, not a dot: the vial keeps its state.
            for column in arrow.from_columns:
                assert is_ink(image, drawing.column_x(column), y, "surface"), (arrow.name, column)
        for column in set(range(len(DIAGRAM.states))) - set(arrow.columns):
            if not min(arrow.columns) < column < max(arrow.columns):
                assert not is_ink(image, drawing.column_x(column), y, "info"), (arrow.name, column)


def test_states_stand_apart_and_inside(drawing: MoveDiagramView) -> None:
    places = [drawing.column_x(each.column) for each in DIAGRAM.states]
    assert places == sorted(places)
    assert all(other - one >= 40 for one, other in pairwise(places))
    assert 0 < drawing.column_x(-1) < places[0]
    assert places[-1] < drawing.width()
    assert drawing.row_y(len(DIAGRAM.arrows) - 1) < drawing.height() - 30


def test_it_is_never_narrower_than_its_names(drawing: MoveDiagramView) -> None:
    assert drawing.minimumWidth() == drawing.sizeHint().width() >= 40 * len(DIAGRAM.states)


def test_one_state_is_brought_out_with_its_moves(drawing: MoveDiagramView) -> None:
    plain = seen(drawing)
    drawing.show_state("missing")
    assert drawing.state() == "missing"
    marked = seen(drawing)
    rows = {arrow.name: drawing.row_y(arrow.row) for arrow in DIAGRAM.arrows}
    column = {each.state.name: each.column for each in DIAGRAM.states}
    x = drawing.column_x(column["held"])
    assert is_ink(marked, x, rows["miss"], "info")
    assert is_ink(plain, x, rows["release"], "info")
    assert not is_ink(marked, x, rows["release"], "info")


def test_what_it_shows_is_said_and_stands_as_a_list_beside_it(qtbot: QtBot) -> None:
    view = MovesView()
    qtbot.addWidget(view)
    words = view.diagram.accessibleDescription()
    for row in move_rows():
        assert f"{row.name}: " in words
    assert [row.move.name for row in view._rows.rows()] == list(move_table().moves)
    find(view, ChoiceField, "moves_state_field").set_value("missing")
    assert view.diagram.state() == "missing"
    assert all("missing" in (row.move.to_state, *row.move.from_states) for row in view._rows.rows())


def test_a_move_that_keeps_the_state_is_read_whole(qtbot: QtBot) -> None:
    view = MovesView()
    qtbot.addWidget(view)
    view.table.selectRow(list(move_table().moves).index("transport"))
    said = view._said.text()
    assert "→ the same state. Its place or its label changes, not its state." in said
    assert "A correction can take it back" in said
