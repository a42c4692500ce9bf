"""Templates of labels as data: what stands where, which values it needs and who asks for them.

A template is a file of ``templates/``. Its rows stand one below the other; a cell is a style and a pattern in which
``{name}`` is a value and ``[name]`` a text in the languages of the print, which may hold values too. Everything is
checked when it is loaded, and all that is wrong is said at once.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labels import text
from labels.phrases import Phrase, read_phrases
from labels.stocks import choices
from pharmacy_app.domain.errors import Fault, Refused

REGIONS = ("us", "eu", "eu small")
LANGUAGES = ("en", "de")
KINDS = (
    *("identity", "words", "phrase", "generic name", "strength", "mg", "ml", "mg per ml", "hours", "celsius"),
    *("count", "day", "month", "moment", "gtin"),
)
"""What a value may be. ``identity`` is a name or number nobody may change; ``words`` are linted; a ``phrase`` is linted
and given once a language (``storage`` in English, ``storage.de`` in German)."""
CODE_KINDS = ("code 128", "data matrix", "gs1 data matrix", "gs1-128")
GIVEN = ("number", "reprint", "dpi")
"""Values that every label has of itself."""
_WEIGHTS = {"plain": text.PLAIN, "semi": text.SEMI, "bold": text.BOLD, "mono": text.MONO_SEMI}
_TOKEN = re.compile(r"\[(?P<text>\w+)\]|\{(?P<value>\w+)\}|(?P<plain>[^\[\]{}]+)")
VALUE = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the template: its kind, who asks for it, and what prints when it may be missing ('' is nothing)."""

    name: str
    kind: str
    source: str
    required: bool
    blank: str
    only: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How words look: font, wanted and smallest size (pt), most lines; ``key`` words are larger than all others."""

    font: str
    size: float
    smallest: float
    lines: int = 1
    key: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a pattern: plain words, the name of a text, or the name of a value."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of a row."""

    style: Style
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Cells side by side from the left, the right or in the middle; or a code, a thin line, the state's block."""

    left: tuple[Cell, ...] = ()
    right: tuple[Cell, ...] = ()
    centre: tuple[Cell, ...] = ()
    code: str = ""
    side: str = "left"
    rule: bool = False
    framed: bool = False
    block: bool = False
    only: tuple[str, ...] = REGIONS

    def cells(self) -> Iterator[Cell]:
        """Every cell of the row."""
        yield from (*self.left, *self.right, *self.centre)


@dataclass(frozen=True, slots=True)
class CodeWish:
    """A code of the template: its kind, wanted module (mm, 0 is the smallest allowed), bar height (pt).

    ``elements`` are application identifiers with the value each carries. They are encoded when the label has a GTIN;
    without one only our number is (as 91 in a GS1 code): 10, 17, 21 and 7240 may not stand without 01.
    """

    name: str
    kind: str
    module_mm: float
    height_pt: float
    optional: bool
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of label in some regions."""

    kind: str
    name: str
    regions: tuple[str, ...]
    stock: str
    fields: Mapping[str, Field]
    texts: Mapping[str, Mapping[str, str]]
    codes: Mapping[str, CodeWish]
    rows: tuple[Row, ...]
    in_order: tuple[str, ...]
    different: tuple[str, ...]
    ruler: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A state's further sentence for some kinds of label, in each language."""

    kinds: tuple[str, ...]
    source: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """All templates by region and kind, the states' blocks, and German phrases by field."""

    templates: Mapping[tuple[str, str], Template]
    blocks: Mapping[str, Block]
    phrases: Mapping[str, tuple[Phrase, ...]]

    def find(self, kind: str, region: str) -> Template:
        """The template of a kind in a region; an unknown kind is a fault of the program."""
        if kind not in self.kinds():
            raise ValueError(f"there is no template for a label of the kind {kind!r}")
        if region not in REGIONS:
            raise Refused(Fault("region", f"There are no templates for the region “{region}”: {', '.join(REGIONS)}."))
        found = self.templates.get((region, kind))
        if found is None:
            others = ", ".join(known for known, named in self.templates if named == kind)
            raise Refused(
                Fault("region", f"There is no {kind} label for the region “{region}”. Choose the region {others}.")
            )
        return found

    def kinds(self) -> tuple[str, ...]:
        """Every kind of label."""
        return tuple(dict.fromkeys(kind for _, kind in self.templates))

    def knows(self, kind: str, value: str) -> bool:
        """Whether a template of this kind has such a value, in whatever region."""
        name, _, language = value.partition(".")
        alike = [each for (_, named), each in self.templates.items() if named == kind]
        found = [each.fields[name] for each in alike if name in each.fields]
        return any(not language or (field.kind == "phrase" and language in LANGUAGES) for field in found)


def values_in(cell: Cell, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The values that a cell writes, those inside its texts included."""
    names: list[str] = []
    for token in cell.tokens:
        names += [token.words] if token.kind == "value" else []
        names += VALUE.findall(texts.get(token.words, "")) if token.kind == "text" else []
    return tuple(names)


@lru_cache(maxsize=1)
def shelf() -> Shelf:
    """The shipped templates."""
    return load({path.stem: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.toml"))})


@lru_cache(maxsize=1)
def shipped_sha256() -> str:
    """SHA-256 of the shipped templates and stocks, by their names and contents."""
    files = [*sorted(_FOLDER.glob("*.toml")), _FOLDER.with_name("stock.toml")]
    return sha256(b"".join(f"{file.name}\n".encode() + file.read_bytes() for file in files)).hexdigest()


def load(files: Mapping[str, str]) -> Shelf:
    """Templates from the text of their files by name; raises ``ValueError`` with every fault found in them.

    ``texts`` holds the sentences that several labels share, ``blocks`` those of single states, ``phrases`` German for
    what is recorded in English; each other file is a template.
    """
    faults: list[str] = []
    raw = {name: tomllib.loads(content) for name, content in files.items()}
    shared, blocks = raw.pop("texts", {}), raw.pop("blocks", {})
    phrases = read_phrases(raw.pop("phrases", {}), faults)
    by_kind: dict[str, Mapping[str, Any]] = {each.get("kind", name): each for name, each in raw.items()}
    found: dict[tuple[str, str], Template] = {}
    for name, entry in raw.items():
        like = by_kind.get(entry.get("like", ""), {})
        texts = [shared, like.get("texts", {}), entry.get("texts", {})]
        template = _Reader(name, {**like, **entry}, texts, faults).read()
        for region in template.regions:
            if (region, template.kind) in found:
                faults.append(f"{name}: there are two templates of the kind {template.kind!r} for {region!r}")
            found[region, template.kind] = template
    states = {name: _block(name, entry, faults) for name, entry in blocks.items()}
    if faults:
        raise ValueError("the templates of the labels are faulty: " + "; ".join(faults))
    return Shelf(MappingProxyType(found), MappingProxyType(states), MappingProxyType(phrases))


def _block(name: str, entry: Mapping[str, Any], faults: list[str]) -> Block:
    texts = entry.get("texts", {})
    faults += [f"{name}: {fault.sentence}" for words in texts.values() for fault in text.notation_faults(name, words)]
    faults += [f"{name}: no text in {language!r}" for language in LANGUAGES[:1] if not texts.get(language)]
    faults += [] if entry.get("source") else [f"{name}: no source"]
    return Block(tuple(entry.get("kinds", ())), entry.get("source", ""), MappingProxyType(texts))


class _Reader:
    """Reads one template and notes all that is wrong with it."""

    def __init__(self, name: str, entry: Mapping[str, Any], texts: list[Mapping[str, Any]], faults: list[str]) -> None:
        self.name, self.entry, self.faults = name, entry, faults
        self.texts = {
            language: MappingProxyType({key: words for some in texts for key, words in some.get(language, {}).items()})
            for language in LANGUAGES
        }
        self.styles: dict[str, Style] = {}
        self.fields: dict[str, Field] = {}
        self.codes: dict[str, CodeWish] = {}
        self.regions: tuple[str, ...] = ()

    def fault(self, words: str) -> None:
        self.faults.append(f"{self.name}: {words}")

    def read(self) -> Template:
        entry = self.entry
        self.regions = self._regions(entry.get("regions", REGIONS))
        self.styles = {name: self._style(name, each) for name, each in entry.get("styles", {}).items()}
        self.fields = {name: self._field(name, each) for name, each in entry.get("fields", {}).items()}
        self.codes = {name: self._code(name, each) for name, each in entry.get("codes", {}).items()}
        rows = tuple(self._row(each) for each in entry.get("rows", ()))
        in_order, different = tuple(entry.get("in_order", ())), tuple(entry.get("different", ()))
        for name in (*in_order, *different):
            if name not in self.fields:
                self.fault(f"there is no field {name!r} to compare")
        stock = entry.get("stock", "")
        if stock not in choices():
            self.fault(f"there is no stock {stock!r}")
        self._complete(rows)
        return Template(
            kind=entry.get("kind", ""),
            name=entry.get("name", entry.get("kind", "")),
            regions=self.regions,
            stock=stock,
            fields=MappingProxyType(self.fields),
            texts=MappingProxyType(self.texts),
            codes=MappingProxyType(self.codes),
            rows=rows,
            in_order=in_order,
            different=different,
            ruler=bool(entry.get("ruler", False)),
        )

    def _complete(self, rows: tuple[Row, ...]) -> None:
        """Every value stands somewhere, every label has its number and says that it is a reprint."""
        english = self.texts["en"]
        used = {name for row in rows for cell in row.cells() for name in values_in(cell, english)}
        for name in sorted(used):
            if name not in self.fields and name not in GIVEN:
                self.fault(f"there is no field {name!r}")
        for cell in (cell for row in rows for cell in row.cells()):
            for language, texts in self.texts.items():
                there = all(token.words in texts for token in cell.tokens if token.kind == "text")
                if there and set(values_in(cell, texts)) != set(values_in(cell, english)):
                    self.fault(f"a text has other values in {language!r} than in English")
        used |= {value for code in self.codes.values() for _, value in code.elements}
        for field in self.fields.values():
            if field.name not in used:
                self.fault(f"the value {field.name!r} stands nowhere")
        for name in ("number", "reprint"):
            if name not in used:
                self.fault(f"there is no place for the {name}")
        placed = [row.code for row in rows if row.code]
        for name in self.codes:
            if placed.count(name) != 1:
                self.fault(f"the code {name!r} stands {placed.count(name)} times")
        if not self.entry.get("kind"):
            self.fault("there is no kind")

    def _regions(self, names: Any) -> tuple[str, ...]:
        for name in names:
            if name not in REGIONS:
                self.fault(f"there is no region {name!r}")
        return tuple(names)

    def _style(self, name: str, entry: Mapping[str, Any]) -> Style:
        weight, size = entry.get("weight", "plain"), float(entry.get("size", 7))
        smallest = float(entry.get("smallest", text.SMALLEST_PT))
        if weight not in _WEIGHTS:
            self.fault(f"the style {name!r} has the weight {weight!r}")
        if not text.SMALLEST_PT <= smallest <= size:
            self.fault(f"the style {name!r} has the sizes {smallest} to {size} pt")
        key = bool(entry.get("key", False))
        if key and weight != "bold":
            self.fault(f"the style {name!r} is of key words, so it is bold (REGULATION L-08)")
        return Style(_WEIGHTS.get(weight, text.PLAIN), size, smallest, int(entry.get("lines", 1)), key)

    def _field(self, name: str, entry: Mapping[str, Any]) -> Field:
        kind = entry.get("kind", "")
        if kind not in KINDS:
            self.fault(f"the field {name!r} is of the kind {kind!r}")
        if not entry.get("source"):
            self.fault(f"the field {name!r} has no source")
        if name in GIVEN:
            self.fault(f"the name {name!r} is taken")
        only = self._regions(entry.get("only", self.regions))
        return Field(name, kind, entry.get("source", ""), entry.get("required", True), entry.get("blank", ""), only)

    def _code(self, name: str, entry: Mapping[str, Any]) -> CodeWish:
        kind = entry.get("kind", "")
        if kind not in CODE_KINDS:
            self.fault(f"the code {name!r} is of the kind {kind!r}")
        elements = tuple((identifier, value) for identifier, value in entry.get("elements", ()))
        for _, value in elements:
            if value not in self.fields and value not in GIVEN:
                self.fault(f"the code {name!r} says {value!r}, which is no field")
        height = float(entry.get("height_pt", 0))
        return CodeWish(
            name, kind, float(entry.get("module_mm", 0)), height, bool(entry.get("optional", False)), elements
        )

    def _row(self, entry: Mapping[str, Any]) -> Row:
        known = {"left", "right", "centre", "code", "side", "rule", "framed", "block", "only"}
        for key in entry.keys() - known:
            self.fault(f"a row has {key!r}")
        code = entry.get("code", "")
        if code and code not in self.codes:
            self.fault(f"there is no code {code!r}")
        left, right, centre = (self._cells(entry.get(side, ())) for side in ("left", "right", "centre"))
        return Row(
            left=left,
            right=right,
            centre=centre,
            code=code,
            side=entry.get("side", "left"),
            rule=entry.get("rule", False),
            framed=entry.get("framed", False),
            block=entry.get("block", False),
            only=self._regions(entry.get("only", self.regions)),
        )

    def _cells(self, entries: Any) -> tuple[Cell, ...]:
        return tuple(self._cell(*each) for each in entries)

    def _cell(self, style: str, pattern: str) -> Cell:
        if style not in self.styles:
            self.fault(f"there is no style {style!r}")
        tokens: list[Token] = []
        end = 0
        for found in _TOKEN.finditer(pattern):
            if found.start() != end:
                break
            kind = found.lastgroup or "plain"
            tokens.append(Token(kind, found[kind]))
            end = found.end()
        if end != len(pattern) or not pattern:
            self.fault(f"the pattern {pattern!r} cannot be read")
        for token in tokens:
            self._token(token)
        if any(token.words == "number" for token in tokens) and len(tokens) != 1:
            self.fault("the number stands in a cell of its own")
        return Cell(self.styles.get(style, Style(text.PLAIN, 7, 6)), tuple(tokens))

    def _token(self, token: Token) -> None:
        if token.kind == "plain":
            self.faults += [f"{self.name}: {each.sentence}" for each in text.notation_faults("template", token.words)]
        if token.kind == "text":
            if not self.texts["en"].get(token.words):
                self.fault(f"there is no text {token.words!r} in English")
            for texts in self.texts.values():
                words = texts.get(token.words, "")
                self.faults += [f"{self.name}: {each.sentence}" for each in text.notation_faults(token.words, words)]
