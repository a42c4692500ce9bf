"""The drawn table of moves: states side by side by stage of life, each move an arrow of its own beneath them.

The layout is made from the table alone, so it stays right when a state or a move is added: no arrow crosses a label,
and no two arrows lie on one another.
"""

from dataclasses import dataclass

from pharmacy_app.domain.vials import CORRECTION, NEVER_RECEIVED, MoveTable, State

STAGES = ("Unopened, on site", "Opened or broken, on site", "Not on site any more")
"""The stages of a vial's life, from the left; a state's balance says in which one it stands."""

OUTSIDE = "outside"
"""Where a vial is before it is received."""

SAME = "the same state"
"""Where a move leads that changes a vial's place or label only."""

BACK = "the state it was in before"
"""Where a move leads that is another's way back."""

_STAGE_OF = {"quarantine": 0, "available": 0, "opened": 1, "": 2}


@dataclass(frozen=True, slots=True)
class StateColumn:
    """One state: its column from the left (from 0) and its stage, a place in ``STAGES``."""

    state: State
    column: int
    stage: int


@dataclass(frozen=True, slots=True)
class MoveArrow:
    """One move: its row from above (from 0), the columns it starts from and the one it ends in.

    ``to_column`` is ``None`` where the vial keeps its state or goes back to one before; ``from_columns`` is empty for
    what comes from outside. ``back``: it leads back to where the vial was. ``undo``: a correction may take it back.
    ``correction``: it is such a correction that has an end of its own.
    """

    name: str
    row: int
    from_columns: tuple[int, ...]
    to_column: int | None
    undo: bool = False
    correction: bool = False
    back: bool = False

    @property
    def columns(self) -> tuple[int, ...]:
        """Every column the arrow touches, from the left; −1 stands for outside."""
        ends = () if self.to_column is None else (self.to_column,)
        return tuple(sorted({*(self.from_columns or (-1,)), *ends}))


@dataclass(frozen=True, slots=True)
class MoveDiagram:
    """The whole drawing: columns of states and rows of moves."""

    states: tuple[StateColumn, ...]
    arrows: tuple[MoveArrow, ...]

    def words(self, arrow: MoveArrow) -> str:
        """An arrow in words: its name, where from, where to, and whether it can be taken back."""
        names = {each.column: each.state.name for each in self.states}
        before = ", ".join(names[column] for column in arrow.from_columns) or OUTSIDE
        after = BACK if arrow.back else SAME if arrow.to_column is None else names[arrow.to_column]
        undo = "; a correction can take it back" if arrow.undo else ""
        return f"{arrow.name[:1].upper()}{arrow.name[1:]}: {before} → {after}{undo}."

    def stages(self) -> tuple[tuple[str, int, int], ...]:
        """Each stage that has states, with its first and last column."""
        found = []
        for number, name in enumerate(STAGES):
            columns = [each.column for each in self.states if each.stage == number]
            if columns:
                found.append((name, min(columns), max(columns)))
        return tuple(found)


def move_diagram(table: MoveTable) -> MoveDiagram:
    """Lay out a table of moves.

    In a stage a state stands the further right the more moves lead to it; of two alike the one written first. Rows are
    in the order of a vial's life, by the first column a move starts from; moves that keep the state come after them,
    corrections last.
    """
    steps, order = _steps(table), list(table.states)
    by_life = sorted(
        table.states.values(), key=lambda state: (_stage(state), steps[state.name], order.index(state.name))
    )
    column = {state.name: at for at, state in enumerate(by_life)}
    moves = sorted(
        table.moves.values(),
        key=lambda move: (not move.to_state, min((column[name] for name in move.from_states), default=-1)),
    )
    arrows = [
        MoveArrow(
            move.name,
            row,
            tuple(sorted(column[name] for name in move.from_states)),
            column[move.to_state] if move.to_state else None,
            undo=move.undo,
            back=bool(move.back),
        )
        for row, move in enumerate(moves)
    ]
    # What was never there came from outside: taken back, it has a state of its own to go to.
    ends = [(move.to_state, NEVER_RECEIVED) for move in moves if move.undo and not move.from_states]
    for before, after in sorted((column[before], column[after]) for before, after in (*ends, *table.corrections)):
        arrows.append(MoveArrow(CORRECTION, len(arrows), (before,), after, correction=True))
    return MoveDiagram(tuple(StateColumn(state, column[state.name], _stage(state)) for state in by_life), tuple(arrows))


def _stage(state: State) -> int:
    """A balance that is not known here counts as on site and opened: it stands in the middle."""
    return _STAGE_OF.get(state.on_site, 1)


def _steps(table: MoveTable) -> dict[str, int]:
    """The fewest moves inside a state's own stage that lead to it from where the stage is entered.

    A state that no move inside its stage leads to, although others of the stage are left for further ones, stands
    with the last of them: broken vials stand beside empty ones.
    """
    inside = {
        name: {
            move.to_state
            for move in table.from_state(name)
            if move.to_state not in ("", name) and _stage(table.states[move.to_state]) == _stage(state)
        }
        for name, state in table.states.items()
    }
    entered = {name for name in table.states if not any(name in onward for onward in inside.values())}
    first = {move.to_state for move in table.moves.values() if not move.from_states}
    found = dict.fromkeys(entered | first, 0)
    waiting = list(found)
    for name in waiting:
        for onward in sorted(inside[name]):
            if onward not in found:
                found[onward] = found[name] + 1
                waiting.append(onward)
    deepest: dict[int, int] = {}
    for name, state in table.states.items():
        deepest[_stage(state)] = max(deepest.get(_stage(state), 0), found.get(name, 0))
    return {
        name: found.get(name, 0) if inside[name] else deepest[_stage(state)] for name, state in table.states.items()
    }
