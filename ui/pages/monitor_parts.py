"""What the monitor's views share: words for a review and its reasons, drafts of dialogs, the review beside an entry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from pharmacy_app.domain.review import Said
from pharmacy_app.services import views
from pharmacy_app.services.desk import Desk, today_of
from pharmacy_app.services.ports import QueryFilter, Reader
from pharmacy_app.services.queries import Aged, aged
from pharmacy_app.services.reviews import verified_words
from pharmacy_app.services.visits import EVERY, NOT_CLOSED
from ui.office import Office
from ui.pages.stock_parts import ActDialog, kind_words, say_at, vials_count
from ui.theme import SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, Text, clear_layout
from ui.widgets.tables import DataTable, PagedTableModel, RowTableModel

RUNS_SHOWN = 30
"""So many runs of unverified entries are named; the others are counted."""


# -- words


def reason_words(reasons: Sequence[Said]) -> str:
    """Why an entry deserves a look, the gravest reason first; '' where nothing speaks for it."""
    said = (str(each.reason) if each.words == each.reason else f"{each.reason}: {each.words}" for each in reasons)
    return "; ".join(f"{words[:1].upper()}{words[1:]}" for words in said)


def review_words(mark: views.ReviewMark, site: views.Site) -> str:
    """How the review of an entry stands, in the width of a column."""
    if mark.status == "reopened":
        return f"reopened by {mark.touched_seq}"
    return verified_words(mark, site) or "to verify"


def review_tone(mark: views.ReviewMark) -> str:
    """The severity's colour beside those words."""
    return {"reopened": "warn", "verified": "ok"}.get(mark.status, "")


def reopened_words(entry: views.ReviewEntry, zone: str) -> str:
    """By which entry a review was opened again, and why; '' where it was not."""
    touched = entry.touched
    if touched is None or entry.mark.status != "reopened" or entry.mark.verified_at is None:
        return ""
    why = f": {touched.why}" if touched.why else "."
    return (
        f"Verified by {entry.mark.verified_by} on {say_at(entry.mark.verified_at, zone)}, and reopened by entry"
        f" {touched.seq}, {kind_words(touched.kind).lower()}, of {touched.actor_name},"
        f" {say_at(touched.recorded_at, zone)}{why}"
    )


def progress_words(count: views.ReviewCount) -> str:
    """How far a review has come."""
    if not count.reviewable:
        return "Nothing was recorded that is to be reviewed."
    words = f"{count.verified:,} of {count.reviewable:,} entries verified."
    if count.reopened:
        words += f" {count.reopened:,} reopened by later entries."
    if count.unverified:
        words += f" {count.unverified:,} to verify."
    has = "has" if count.with_reason == 1 else "have"
    has = "has" if count.with_reason == 1 else "have"
    return f"{words} {count.with_reason:,} of all {has} a reason to look."


def runs_words(runs: Sequence[tuple[int, int, int]]) -> str:
    """Unverified entries by their numbers: ``12, 15–18 (3), …``; 'none' where there is none."""
    shown = [
        str(first) if first == last else f"{first}–{last}" + (f" ({count})" if count <= last - first else "")
        for first, last, count in runs[:RUNS_SHOWN]
    ]
    left = sum(count for _, _, count in runs[RUNS_SHOWN:])
    return ", ".join([*shown, *([f"and {left:,} more"] if left else [])]) or "none"


def age_words(query: Aged) -> str:
    """How old a query is, and whether it is overdue."""
    return vials_count(query.age_days, "day") + (" (overdue)" if query.overdue else "")


def waits_words(query: Aged) -> str:
    """How a query stands and for whom it waits."""
    return f"{query.query.status}, waits for {query.waits_for}" if query.waits_for else query.query.status


# -- layout


def standing(widget: QWidget) -> list[QWidget]:
    """What the keyboard stands on in the window of ``widget``, also while a dialog is over it; [] for nothing."""
    here: QWidget | None = widget.window().focusWidget()
    return [here] if here is not None else []


class _Inner(QWidget):
    """What scrolls: as high as its width needs, and no higher."""

    def minimumSizeHint(self) -> QSize:
        """Leave the height to the width: wrapped texts ask for that of a narrow column."""
        return QSize(super().minimumSizeHint().width(), 0)


class Scrolled(QScrollArea):
    """The part of a dialog that scrolls where it does not fit; ``body`` is its layout."""

    def __init__(self, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        inner = _Inner()
        inner.setObjectName("scroll_content")
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(0, 0, SPACE_S, 0)
        self.body.setSpacing(SPACE_M)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setWidget(inner)
        inner.setAutoFillBackground(False)


class NarrowTable(DataTable):
    """A table that leaves columns out where they would make it go sideways: what they say stands elsewhere too."""

    def __init__(
        self,
        model: RowTableModel | PagedTableModel,
        *,
        leaves_out: Sequence[str],
        below: int,
        name: str,
        label: str,
        empty_text: str = "There is nothing here yet.",
        visible_rows: int = 0,
    ) -> None:
        """``leaves_out`` are the keys of columns not shown in less than ``below`` pixels."""
        self._left_out, self._below = frozenset(leaves_out), below
        super().__init__(
            model, name=name, label=label, empty_text=empty_text, visible_rows=visible_rows, sortable=False
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave columns out, or bring them back."""
        narrow = self.width() < self._below
        for at, column in enumerate(self._columns_model.columns):
            if column.key in self._left_out and self.isColumnHidden(at) != narrow:
                self.setColumnHidden(at, narrow)
        super().resizeEvent(event)


# -- drafts


class Drafts(QObject):
    """What was typed in dialogs that were left without the act, as by the lock; put back when they are opened again."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._kept: dict[str, dict[str, str]] = {}

    def any(self) -> bool:
        """Whether something typed is not recorded yet."""
        return bool(self._kept)

    def watch(self, key: str, dialog: ActDialog, *names: str) -> None:
        """Put back what was typed in these fields of ``dialog`` for ``key``, and keep it when the dialog is left.

        The first field is what is typed; the others alone are no draft.
        """
        for name, value in self._kept.get(key, {}).items():
            dialog.form.field(name).set_value(value)
        dialog.form.clear_faults()
        dialog.rejected.connect(partial(self._left, key, dialog, names))
        dialog.succeeded.connect(partial(self._done, key))

    def take(self, key: str) -> Mapping[str, str]:
        """What is kept for ``key``."""
        return self._kept.get(key, {})

    def keep(self, key: str, typed: Mapping[str, str]) -> None:
        """Keep this for ``key``; nothing typed forgets it."""
        if any(typed.values()):
            self._kept[key] = dict(typed)
        else:
            self._kept.pop(key, None)

    def _left(self, key: str, dialog: ActDialog, names: Sequence[str]) -> None:
        typed = bool(dialog.form.field(names[0]).value())
        self.keep(key, {name: dialog.form.field(name).value() for name in names} if typed else {})

    def _done(self, key: str, _answer: object) -> None:
        self._kept.pop(key, None)


# -- the review beside an entry of ledger or journal


@dataclass(frozen=True, slots=True)
class Beside:
    """What the monitor did with an entry: how its review stands in words, and the queries on it."""

    review: str
    queries: tuple[Aged, ...]


def beside(desk: Desk, seq: int, reader: Reader) -> Beside:
    """The review of an entry and every query on it."""
    site = reader.site()
    mark = reader.review_marks((seq,)).get(seq)
    today = today_of(desk, reader)
    found = reader.queries(QueryFilter(entry_seq=seq), offset=0, limit=EVERY)
    words = verified_words(mark, site) if site is not None else ""
    return Beside(words, tuple(aged(query, today) for query in found))


def waiting_marks(reader: Reader) -> dict[int, str]:
    """The queries that are not closed on entries, as words for their marks: ``{12: 'query QRY-1'}``."""
    found: dict[int, str] = {}
    for query in reader.queries(QueryFilter(NOT_CLOSED), offset=0, limit=EVERY):
        if query.entry_seq is not None:
            before = found.get(query.entry_seq)
            found[query.entry_seq] = f"{before}, {query.number}" if before else f"query {query.number}"
    return found


class ReviewStrip(QWidget):
    """What the monitor did with one entry, in a dialog that shows it; hidden while that is nothing.

    A query is a button that opens it.
    """

    def __init__(self, office: Office, seq: int) -> None:
        super().__init__()
        self.setObjectName("review_strip")
        self._office = office
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SPACE_XS)
        self.hide()
        self._seq = seq
        self.refresh()

    def refresh(self) -> None:
        """Ask anew."""
        self._office.ask(partial(beside, self._office.desk, self._seq), self._got, self._office.say_trouble)

    def _got(self, found: Beside) -> None:
        clear_layout(self._rows)
        if found.review:
            self._rows.addWidget(Text(f"Verified by the monitor: {found.review}.", "small", name="review_strip_mark"))
        for query in found.queries:
            self._rows.addLayout(self._row(query))
        self.setVisible(bool(found.review or found.queries))

    def _row(self, query: Aged) -> QHBoxLayout:
        number = query.query.number
        go = Button(number, name=f"review_strip_{number}")
        go.setAccessibleName(f"Open query {number}")
        go.clicked.connect(partial(self._open, number))
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(go)
        field = f"{query.query.field}: " if query.query.field else ""
        row.addWidget(Text(f"{waits_words(query)}, {age_words(query)}. {field}{query.query.text}"), 1)
        return row

    def _open(self, number: str) -> None:
        from ui.pages.monitor_queries import open_query_dialog

        open_query_dialog(self._office, number, self, self.refresh)
