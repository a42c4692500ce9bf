"""Reads ZPL II as a printer's manual describes it, knowing nothing of how the program writes it.

From the ZPL II Programming Guide: a caret or tilde begins a command wherever it stands; ``^FH`` makes its sign (``_``
if none is named) the escape of two hexadecimal digits; ``^GFA`` holds rows of hexadecimal digits in which G to Y count
1 to 19 and g to z 20 to 400, a comma fills the row with white, ``!`` with black, and a colon repeats the row before.
"""

import re
from dataclasses import dataclass, field

COUNTS = {letter: number for number, letter in enumerate("GHIJKLMNOPQRSTUVWXY", 1)} | {
    letter: 20 * number for number, letter in enumerate("ghijklmnopqrstuvwxyz", 1)
}


@dataclass
class Field:
    """A native code: where it stands, the command that draws it, and its data after ``^FH``."""

    left: int
    top: int
    command: str
    parameters: list[str]
    data: str
    module_and_bars: list[str]


@dataclass
class Read:
    """One label as the printer would have it before it draws native codes; a dot of ``dots`` is ``1`` or ``0``."""

    across: int = 0
    down: int = 0
    copies: int = 0
    dots: list[list[str]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    graphic_bytes: list[int] = field(default_factory=list)

    def rows(self) -> list[str]:
        return ["".join(row) for row in self.dots]


def read(job: bytes) -> list[Read]:
    """All labels of a job; anything outside a label, and any command not named here, is an error."""
    head, *pieces = re.split(r"(?=[\^~])", job.decode("ascii"))
    assert not head.strip(), head
    labels: list[Read] = []
    printer: _Printer | None = None
    for piece in pieces:
        name, rest = piece[:3], piece[3:]
        assert name[0] == "^", f"an immediate command: {piece}"
        if name == "^XA":
            assert printer is None, "a label within a label"
            printer = _Printer()
            labels.append(printer.label)
        assert printer is not None, f"{piece} outside a label"
        if name == "^XZ":
            assert rest == "\n"
            printer = None
        else:
            printer.take(name, rest)
    assert printer is None, "a label without an end"
    return labels


class _Printer:
    """Takes the commands of one label."""

    def __init__(self) -> None:
        self.label = Read()
        self.left = self.top = 0
        self.code: tuple[str, list[str]] | None = None
        self.module: list[str] = []
        self.escape = ""

    def take(self, name: str, rest: str) -> None:
        if name in {"^PW", "^LL", "^FO", "^GF", "^FD", "^PQ"}:
            getattr(self, name[1:].lower())(rest)
        elif name == "^BY":
            self.module = rest.split(",")
        elif name in {"^BX", "^BC"}:
            self.code = name, rest.split(",")
        elif name == "^FH":
            self.escape = rest or "_"
        elif name == "^FS":
            self.escape = ""
        else:
            assert name in {"^XA", "^CI", "^LH", "^PO", "^PM", "^LR", "^FW"}, name + rest

    def pw(self, rest: str) -> None:
        self.label.across = int(rest)

    def ll(self, rest: str) -> None:
        self.label.down = int(rest)
        self.label.dots = [["0"] * self.label.across for _ in range(self.label.down)]

    def fo(self, rest: str) -> None:
        self.left, self.top = (int(part) for part in rest.split(","))

    def gf(self, rest: str) -> None:
        kind, sent, total, a_row, data = rest.split(",", 4)
        assert kind == "A"
        assert sent == total
        self.label.graphic_bytes.append(int(total))
        lay(self.label, self.left, self.top, unpacked(data, int(a_row), int(total)))

    def fd(self, rest: str) -> None:
        assert self.code is not None
        data = rest
        if self.escape:
            data = re.sub(re.escape(self.escape) + "([0-9A-Fa-f]{2})", lambda hit: chr(int(hit.group(1), 16)), rest)
        self.label.fields.append(Field(self.left, self.top, *self.code, data, self.module))
        self.code = None

    def pq(self, rest: str) -> None:
        self.label.copies = int(rest.split(",", maxsplit=1)[0])


def unpacked(data: str, bytes_a_row: int, total: int) -> list[str]:
    """Rows of ``1`` and ``0``."""
    rows: list[str] = []
    row, count = "", 0
    for sign in data:
        if sign in COUNTS:
            count += COUNTS[sign]
            continue
        if sign == ":":
            assert not row and rows
            rows.append(rows[-1])
        elif sign in ",!":
            # They fill whole bytes: of an odd number of zeros one is written.
            assert len(row) % 2 == 0
            row = row.ljust(2 * bytes_a_row, "0" if sign == "," else "F")
        else:
            assert sign in "0123456789ABCDEF", sign
            row += sign * max(1, count)
        count = 0
        assert len(row) <= 2 * bytes_a_row
        if len(row) == 2 * bytes_a_row:
            rows.append("".join(f"{int(digit, 16):04b}" for digit in row))
            row = ""
    assert not row
    assert len(rows) * bytes_a_row == total
    return rows


def lay(label: Read, left: int, top: int, rows: list[str]) -> None:
    """Ink on the label; what is beyond its edge is not printed."""
    for number, row in enumerate(rows, top):
        for dot in re.finditer("1", row):
            if left + dot.start() < label.across:
                label.dots[number][left + dot.start()] = "1"


def matrix_data(field: Field) -> str:
    """What ``^BX`` encodes: its escape before a 1 is FNC1 (here GS), twice is itself."""
    escape = field.parameters[6]
    special = {escape + "1": "\x1d", 2 * escape: escape}
    return re.sub(re.escape(escape) + "(.)", lambda hit: special[hit.group()], field.data)


def bar_data(field: Field) -> str:
    """What ``^BC`` in mode N encodes, FNC1 as GS; invocations as the manual's table has them."""
    assert field.parameters[5] == "N"
    subset = {">:": "B", ">;": "C"}[field.data[:2]]
    rest, said = field.data[2:], ""
    while rest:
        if rest[:2] in (">5", ">6"):
            subset, rest = {">5": "C", ">6": "B"}[rest[:2]], rest[2:]
        elif rest[:2] in (">8", ">0"):
            said, rest = said + {">8": "\x1d", ">0": ">"}[rest[:2]], rest[2:]
        elif subset == "C":
            assert rest[:2].isdigit() and len(rest[:2]) == 2, rest
            said, rest = said + rest[:2], rest[2:]
        else:
            assert rest[0] != ">", rest
            said, rest = said + rest[0], rest[1:]
    return said
