"""The rules in the settings: the whole catalogue, searched by any word, each opened with the protocol's numbers."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pharmacy_app.domain.rules.explain import Explained
from ui.theme import SPACE_M
from ui.widgets.basics import Text
from ui.widgets.fields import TextField
from ui.widgets.panels import Card, KeyValues
from ui.widgets.tables import Column, DataTable, RowTableModel

STRENGTH_WORDS = {
    "STOP": "Stop",
    "STOP*": "Stop unless decided",
    "WARN": "Warning",
    "INFO": "Note",
    "allowed": "Allowed",
    "prompt": "Reminder",
}
STRENGTH_MEANS = {
    "STOP": "only a corrected input goes on",
    "STOP*": "only a corrected input or a written decision goes on",
    "WARN": "goes on with a reason on record",
    "INFO": "is shown, nothing is asked",
    "allowed": "may be done, need not be",
    "prompt": "somebody is reminded",
}
ROWS_SHOWN = (3, 6)
"""The fewest and the most rows of the list that are seen at once: the rule opened stands right beneath it."""


def strength_words(strength: str) -> str:
    """A rule's strengths in the words that findings use."""
    return ", ".join(STRENGTH_WORDS[each] for each in strength.split(", ")) if strength else ""


def found(rules: Sequence[Explained], asked: str) -> list[Explained]:
    """The rules in which every word asked for occurs, in catalogue order; one that is asked for by its id alone."""
    words = asked.replace("§", " ").casefold().split()
    named = [rule for rule in rules if words == [rule.id.casefold()]]
    return named or [rule for rule in rules if all(word in _heap(rule) for word in words)]


def _heap(rule: Explained) -> str:
    sentences = (f"{text.section} {text.text}" for text in rule.sentences)
    parts = (rule.id, rule.section, rule.title, strength_words(rule.strength), rule.judged, rule.rule)
    return " ".join((*parts, rule.boundary, rule.reading, rule.next, *sentences)).casefold()


class RulesPanel(QWidget):
    """The catalogue as a list that is searched; the rule chosen is shown whole beneath it.

    Signal ``opened(object card)`` when a rule was opened by Enter or a double click: its card has to be seen.
    """

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._rules: tuple[Explained, ...] = ()
        self._shown = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        card = Card(
            "Rules",
            "Every rule and reading of the protocol, in the order in which they speak, with the numbers of the version"
            " in force.",
            name="rules_card",
        )
        self.search = TextField(
            "rules_search", "Search the rules", placeholder="R13, 8.1.5, platelets, weight 7 days", max_length=80
        )
        self.search.changed.connect(self._search)
        card.add(self.search)
        self._count = Text("", "small", name="rules_count")
        card.add(self._count)
        self._model = RowTableModel(
            [
                Column("id", "Rule"),
                Column("section", "§", write=_first),
                Column("title", "Title", stretch=True, write=_capital),
                Column("strength", "Strength", write=lambda strength: _first(strength_words(strength))),
            ],
            parent=self,
        )
        self.table = DataTable(
            self._model,
            name="rules_table",
            label="Rules",
            empty_text="No rule has these words. Use fewer or other words, or a section such as 8.1.5.",
            sortable=False,
        )
        self.table.row_chosen.connect(self._show)
        self.table.row_activated.connect(self._open)
        card.add(self.table)
        column.addWidget(card)
        self._card = Card(name="rule_card")
        self._head = Text("", "section", name="rule_head")
        self._pairs = KeyValues(name="rule_pairs")
        self._card.add(self._head)
        self._card.add(self._pairs)
        column.addWidget(self._card)
        column.addStretch(1)

    def show_rules(self, rules: tuple[Explained, ...]) -> None:
        """Show the catalogue by the protocol in force; what is searched for and opened stays."""
        if rules != self._rules:
            self._rules = rules
            self._search()

    def _search(self) -> None:
        rows = found(self._rules, self.search.text())
        shown = self._shown
        self._model.set_rows(rows)
        fewest, most = ROWS_SHOWN
        header = self.table.horizontalHeader().height()
        row = self.table.verticalHeader().defaultSectionSize()
        self.table.setFixedHeight(header + row * min(max(len(rows), fewest), most) + 2 * self.table.frameWidth() + 2)
        many = "1 rule" if len(rows) == 1 else f"{len(rows)} rules"
        self._count.setText(many if len(rows) == len(self._rules) else f"{many} of {len(self._rules)}")
        self._card.setVisible(bool(rows))
        if rows:
            at = next((at for at, rule in enumerate(rows) if rule.id == shown), 0)
            self.table.selectRow(at)
            self._show(rows[at])

    def _open(self, rule: Explained) -> None:
        self._show(rule)
        self.opened.emit(self._card)

    def _show(self, rule: Explained) -> None:
        self._shown = rule.id
        title = _capital(rule.title)
        self._head.setText(f"{rule.id}  {title}")
        self._card.setAccessibleName(f"Rule {rule.id}: {title}")
        means = "; ".join(
            f"{STRENGTH_WORDS[each]}: {STRENGTH_MEANS[each]}" for each in rule.strength.split(", ") if each
        )
        pairs = [
            ("Protocol", f"§ {rule.section}"),
            ("Strength", means),
            ("Speaks at", _capital(rule.judged)),
            ("Rule", rule.rule),
            ("Where the line is", rule.boundary),
            ("How we read it", rule.reading),
            ("Carried by", f"Rule {rule.applied_in}" if rule.applied_in else ""),
            ("Decides past it", _people(rule.deciders)),
            ("What to do next", rule.next),
            *((f"Protocol § {text.section}", f"“{text.text}”") for text in rule.sentences),
            ("Protocol’s sentence", rule.no_sentence),
        ]
        self._pairs.set_pairs([(label, words) for label, words in pairs if words])


def _first(listed: str) -> str:
    """The first of several, which the rule opened shows whole."""
    first, _, more = listed.partition(", ")
    return f"{first} …" if more else first


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _people(deciders: Sequence[str]) -> str:
    return f"The {' or the '.join(deciders)}, in writing" if deciders else ""
