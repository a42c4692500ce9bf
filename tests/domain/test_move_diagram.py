"""The drawn table of moves: made from the table alone, right for every state and move that it has or will have."""

from dataclasses import replace
from itertools import pairwise

from pharmacy_app.domain.move_diagram import OUTSIDE, SAME, MoveDiagram, move_diagram
from pharmacy_app.domain.vials import CORRECTION, Move, MoveTable, State, move_table

TABLE = move_table()


def names(diagram: MoveDiagram) -> list[str]:
    """The states from the left."""
    return [each.state.name for each in sorted(diagram.states, key=lambda each: each.column)]


def drawn(diagram: MoveDiagram) -> set[tuple[str, str, str]]:
    """Every single step the drawing shows: move, state before, state after."""
    state = {each.column: each.state.name for each in diagram.states}
    steps = set()
    for arrow in diagram.arrows:
        for before in arrow.from_columns or (-1,):
            after = before if arrow.to_column is None else arrow.to_column
            steps.add((arrow.name, state.get(before, OUTSIDE), state.get(after, OUTSIDE)))
    return steps


def test_every_move_of_the_table_is_drawn_and_no_other() -> None:
    diagram = move_diagram(TABLE)
    expected = {
        (move.name, before, move.to(before))
        for move in TABLE.moves.values()
        for before in move.from_states or (OUTSIDE,)
    }
    shown = drawn(diagram)
    assert {step for step in shown if step[0] != CORRECTION} == expected
    # What was never there goes to its own state; two words for a container can be mended (REGULATION A-11).
    assert {step[1:] for step in shown if step[0] == CORRECTION} == {
        ("held", "never received"),
        ("empty", "partial"),
        ("partial", "empty"),
    }


def test_states_stand_by_stage_of_life() -> None:
    diagram = move_diagram(TABLE)
    order = names(diagram)
    assert sorted(order) == sorted(TABLE.states)
    assert order[0] == "held"
    for before, after in (
        ("held", "available"),
        ("available", "reserved"),
        ("reserved", "opened"),
        ("opened", "empty"),
        ("empty", "broken"),
        ("broken", "returned"),
        ("empty", "destroyed"),
    ):
        assert order.index(before) < order.index(after), (before, after)
    stages = diagram.stages()
    assert [name for name, _, _ in stages] == ["Unopened, on site", "Opened or broken, on site", "Not on site any more"]
    assert [first for _, first, _ in stages] == [0, *(last + 1 for _, _, last in stages[:-1])]


def test_rows_are_one_a_move_and_corrections_come_last() -> None:
    arrows = move_diagram(TABLE).arrows
    assert [arrow.row for arrow in arrows] == list(range(len(arrows)))
    kinds = [(arrow.correction, arrow.to_column is None) for arrow in arrows]
    assert kinds == sorted(kinds)
    starts = [min(arrow.columns) if arrow.from_columns == () else arrow.from_columns[0] for arrow in arrows]
    plain = [start for start, kind in zip(starts, kinds, strict=True) if kind == (False, False)]
    assert all(one <= other for one, other in pairwise(plain))


def test_a_state_and_a_move_that_are_added_find_their_places() -> None:
    lent = State("lent", "At another pharmacy for a day", "")
    lend = Move("lend", ("available",), "lent", "", "8.2")
    turn = Move("turn", ("lent",), "", "", "8.2", undo=True)
    table = replace(TABLE, states={**TABLE.states, "lent": lent}, moves={**TABLE.moves, "lend": lend, "turn": turn})
    diagram = move_diagram(table)
    assert names(diagram).index("lent") > names(diagram).index("empty")
    assert {("lend", "available", "lent"), ("turn", "lent", "lent")} <= drawn(diagram)
    (arrow,) = [arrow for arrow in diagram.arrows if arrow.name == "turn"]
    assert diagram.words(arrow) == f"Turn: lent → {SAME}; a correction can take it back."


def test_a_balance_that_the_drawing_does_not_know_stands_in_the_middle() -> None:
    table = MoveTable({"odd": State("odd", "Somewhere", "on loan")}, {}, {})
    (odd,) = move_diagram(table).states
    assert odd.stage == 1


def test_an_arrow_in_words() -> None:
    diagram = move_diagram(TABLE)
    words = {arrow.name: diagram.words(arrow) for arrow in diagram.arrows if arrow.name != CORRECTION}
    assert words["receive"] == "Receive: outside → held; a correction can take it back."
    assert words["find"] == "Find: missing → quarantined; a correction can take it back."
    assert words["open"] == "Open: reserved → opened."
