"""A label laid out: boxes in their places, before any printer's language. PDF and ZPL are written from these alone."""

from dataclasses import dataclass

from labels.codes import Symbol
from labels.geometry import Stock


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text: its base line begins at ``x_pt`` from the left and ``y_pt`` below the upper edge (pt)."""

    field: str
    words: str
    font: str
    size_pt: float
    x_pt: float
    y_pt: float
    across_pt: float


@dataclass(frozen=True, slots=True)
class Code:
    """A code on whole dots: ``left`` and ``top`` are the outer corner of its quiet zone, ``bar_height`` in dots."""

    field: str
    symbol: Symbol
    left: int
    top: int
    module: int
    bar_height: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across (pt)."""

    x_pt: float
    y_pt: float
    across_pt: float
    thick_pt: float = 0.5


@dataclass(frozen=True, slots=True)
class Frame:
    """An empty box (pt), its upper left corner at ``x_pt``, ``top_pt``."""

    x_pt: float
    top_pt: float
    across_pt: float
    down_pt: float
    thick_pt: float = 0.8


@dataclass(frozen=True, slots=True)
class Block:
    """A black rectangle of whole dots."""

    left: int
    top: int
    across: int
    down: int


Box = Words | Code | Rule | Frame | Block


@dataclass(frozen=True, slots=True)
class Layout:
    """One label: its stock, the printer's dots an inch, and its boxes in the order of drawing.

    The first ``fixed`` boxes are the same on every label of a batch: words of the template, rules and frames.
    """

    stock: Stock
    dpi: int
    boxes: tuple[Box, ...]
    fixed: int = 0
