"""What the views of one subject share: a table that leaves columns out where it has no room for them."""

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent

from ui.widgets.tables import DataTable, RowTableModel

NARROW_PX = 720
"""Tables narrower than this leave out the columns that are also said elsewhere."""


class FittingTable(DataTable):
    """A table whose ``spare`` columns are left out while it is narrow: what they say stands beneath it in words."""

    def __init__(
        self,
        model: RowTableModel,
        *,
        name: str,
        label: str,
        spare: Sequence[str],
        empty_text: str,
        visible_rows: int,
        sortable: bool = True,
    ) -> None:
        self._spare = tuple(at for at, column in enumerate(model.columns) if column.key in spare)
        super().__init__(
            model, name=name, label=label, empty_text=empty_text, visible_rows=visible_rows, sortable=sortable
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave columns out, or bring them back, before the width is shared."""
        for at in self._spare:
            self.setColumnHidden(at, event.size().width() < NARROW_PX)
        super().resizeEvent(event)
