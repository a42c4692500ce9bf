"""The look: one spacing grid, one type scale, two palettes, and the style sheet generated from them.

Every colour a widget uses is a token of :class:`Tokens`; no other module names a colour. The tests compute the
contrast of each pair that meets on screen (WCAG 2.2: 4.5 for text, 3 for the parts of a control).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import ClassVar

from PySide6.QtCore import QDir, QObject, Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

SPACE_XS = 4
SPACE_S = 8
SPACE_M = 16
SPACE_L = 24
SPACE_XL = 32

TYPE_SMALL = 12
TYPE_BODY = 14
TYPE_SECTION = 16
TYPE_TITLE = 20
TYPE_DISPLAY = 28

RADIUS = 6
FORM_WIDTH = 880

_FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Cantarell", "Noto Sans", "DejaVu Sans"]


class Mode(StrEnum):
    """Which palette is asked for; SYSTEM follows the desktop's own choice."""

    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The named colours of one palette. ``x`` stands on ``x_ground`` where both exist."""

    ground: str
    surface: str
    sunken: str
    line: str
    control_line: str
    hover: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    primary_focus: str
    link: str
    focus: str
    selection: str
    nav_ground: str
    nav_hover: str
    nav_current: str
    nav_text: str
    nav_bright: str
    nav_accent: str
    stop: str
    stop_ground: str
    warn: str
    warn_ground: str
    info: str
    info_ground: str
    ok: str
    ok_ground: str
    demo: str
    demo_ground: str

    def colour(self, tone: str) -> str:
        """The colour of a token by name; an unknown name is a programming error (``AttributeError``)."""
        value = getattr(self, tone)
        if not isinstance(value, str) or not value.startswith("#"):
            raise AttributeError(tone)
        return value


LIGHT = Tokens(
    ground="#F4F6F8",
    surface="#FFFFFF",
    sunken="#EAEEF2",
    line="#D9DFE6",
    control_line="#7F8B99",
    hover="#EEF1F5",
    text="#1A232E",
    muted="#536070",
    accent="#F2A31B",
    accent_hover="#FFB53B",
    on_accent="#1E1403",
    primary_focus="#1E1403",
    link="#8A4B00",
    focus="#B86A00",
    selection="#FDEBC8",
    nav_ground="#1D2630",
    nav_hover="#2A3541",
    nav_current="#33404E",
    nav_text="#C3CDD8",
    nav_bright="#FFFFFF",
    nav_accent="#F2AE3D",
    stop="#AD2119",
    stop_ground="#FCEEEC",
    warn="#7E4B00",
    warn_ground="#FFF5DF",
    info="#1D5A9E",
    info_ground="#ECF3FB",
    ok="#1B653A",
    ok_ground="#E9F5ED",
    demo="#FFFFFF",
    demo_ground="#7A2E2A",
)

DARK = Tokens(
    ground="#12171C",
    surface="#1B2229",
    sunken="#0D1115",
    line="#303A44",
    control_line="#7D8995",
    hover="#252E37",
    text="#E7EBF0",
    muted="#A7B2BE",
    accent="#F2AE3D",
    accent_hover="#FFC360",
    on_accent="#1E1403",
    primary_focus="#FFFFFF",
    link="#F5C26B",
    focus="#F2AE3D",
    selection="#4A3A18",
    nav_ground="#0D1115",
    nav_hover="#1B2229",
    nav_current="#28323C",
    nav_text="#B4BFCA",
    nav_bright="#FFFFFF",
    nav_accent="#F2AE3D",
    stop="#FFA29A",
    stop_ground="#3A1F1E",
    warn="#F5C26B",
    warn_ground="#35290F",
    info="#9CC9FB",
    info_ground="#17293D",
    ok="#8CD9A6",
    ok_ground="#16301F",
    demo="#FFFFFF",
    demo_ground="#7A2E2A",
)


def contrast(first: str, second: str) -> float:
    """The WCAG contrast ratio of two ``#rrggbb`` colours, from 1 to 21."""

    def luminance(colour: str) -> float:
        channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class _SystemWatch(QObject):
    """Follows the desktop's change between light and dark while the mode is SYSTEM."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        app.styleHints().colorSchemeChanged.connect(self.follow)

    def follow(self) -> None:
        """Take over the desktop's palette."""
        app = QApplication.instance()
        if Theme.mode is Mode.SYSTEM and isinstance(app, QApplication):
            Theme.apply(app, Mode.SYSTEM)


class Theme:
    """The look in force. ``apply`` sets it for the whole application; widgets ask ``tokens`` when they paint."""

    mode: ClassVar[Mode] = Mode.LIGHT
    tokens: ClassVar[Tokens] = LIGHT
    _watch: ClassVar[_SystemWatch | None] = None
    _fonts_loaded: ClassVar[bool] = False

    @classmethod
    def is_dark(cls) -> bool:
        """Whether the dark palette is in force."""
        return cls.tokens is DARK

    @classmethod
    def apply(cls, app: QApplication, mode: Mode | str) -> None:
        """Set style, palette, font and style sheet; safe to call again at any time."""
        cls.mode = Mode(mode)
        if cls.mode is Mode.SYSTEM:
            if cls._watch is None or cls._watch.parent() is not app:
                cls._watch = _SystemWatch(app)
            dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = cls.mode is Mode.DARK
        tokens = DARK if dark else LIGHT
        first = app.property("pharmacyTheme") is None
        if not first and tokens is cls.tokens:
            return
        cls.tokens = tokens
        if first:
            app.setProperty("pharmacyTheme", True)
            app.setStyle(QStyleFactory.create("Fusion"))
            # The style sheet cannot colour an image: these three read on both palettes as they are.
            QDir.setSearchPaths("icons", [str(Path(__file__).parent / "icons")])
            cls._load_fonts()
            app.setFont(base_font())
        app.setPalette(_palette(tokens))
        app.setStyleSheet(style_sheet(tokens))

    @classmethod
    def _load_fonts(cls) -> None:
        """Take in the fonts that ship beside this file, if any; without them the desktop's sans serves."""
        if cls._fonts_loaded:
            return
        cls._fonts_loaded = True
        folder = Path(__file__).parent / "fonts"
        if not folder.is_dir():
            return
        from PySide6.QtGui import QFontDatabase

        for path in sorted(folder.glob("*.[ot]tf")):
            QFontDatabase.addApplicationFont(str(path))


def base_font(size_px: int = TYPE_BODY, *, bold: bool = False) -> QFont:
    """The one font family at a step of the type scale (pixels), with figures of equal width."""
    font = QFont()
    font.setFamilies(_FAMILIES)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPixelSize(size_px)
    font.setFeature(QFont.Tag("tnum"), 1)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def repolish(widget: QWidget) -> None:
    """Have the style sheet looked up again after a dynamic property of ``widget`` changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, t.ground),
        (role.WindowText, t.text),
        (role.Base, t.surface),
        (role.AlternateBase, t.hover),
        (role.Text, t.text),
        (role.PlaceholderText, t.muted),
        (role.Button, t.surface),
        (role.ButtonText, t.text),
        (role.BrightText, t.stop),
        (role.Highlight, t.selection),
        (role.HighlightedText, t.text),
        (role.Accent, t.accent),
        (role.Link, t.link),
        (role.LinkVisited, t.link),
        (role.ToolTipBase, t.nav_ground),
        (role.ToolTipText, t.nav_bright),
        (role.Light, t.surface),
        (role.Midlight, t.hover),
        (role.Mid, t.line),
        (role.Dark, t.control_line),
        (role.Shadow, t.line),
    ):
        palette.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(t.muted))
    return palette


_SHEET = Template("""
QMainWindow, QDialog, QWidget#screen_root { background: $ground; }
QToolTip { background: $nav_ground; color: $nav_bright; border: 1px solid $nav_current; padding: 4px 8px; }

QLabel { background: transparent; color: $text; }
QLabel[role="display"] { font-size: ${type_display}px; font-weight: 600; }
QLabel[role="title"] { font-size: ${type_title}px; font-weight: 600; }
QLabel[role="section"] { font-size: ${type_section}px; font-weight: 600; }
QLabel[role="strong"], QLabel[role="label"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: ${type_small}px; }
QLabel[role="fault"] { color: $stop; font-size: ${type_small}px; font-weight: 600; }
QLabel[tone="stop"] { color: $stop; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="info"] { color: $info; }
QLabel[tone="ok"] { color: $ok; }

QFrame[panel="card"] { background: $surface; border: 1px solid $line; border-radius: 8px; }
QFrame[panel="sunken"] { background: $sunken; border: none; border-radius: ${radius}px; }
QFrame[panel="rule"] { background: $line; border: none; }
QFrame[panel="stop"], QFrame[panel="warn"], QFrame[panel="info"], QFrame[panel="ok"] {
  border: none; border-left: 4px solid; border-radius: 0; border-top-right-radius: ${radius}px;
  border-bottom-right-radius: ${radius}px; }
QFrame[panel="stop"] { background: $stop_ground; border-color: $stop; }
QFrame[panel="warn"] { background: $warn_ground; border-color: $warn; }
QFrame[panel="info"] { background: $info_ground; border-color: $info; }
QFrame[panel="ok"] { background: $ok_ground; border-color: $ok; }

QPushButton { background: $surface; color: $text; border: 1px solid $control_line; border-radius: ${radius}px;
  padding: 0 16px; min-height: 34px; font-weight: 500; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $sunken; }
QPushButton:focus { border: 2px solid $focus; padding: 0 15px; min-height: 32px; }
QPushButton:disabled { color: $muted; background: $sunken; border-color: $line; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent;
  font-weight: 600; padding: 0 24px; }
QPushButton[kind="primary"]:hover { background: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 3px solid $primary_focus; padding: 0 22px; min-height: 30px; }
QPushButton[kind="primary"]:disabled { background: $sunken; color: $muted; border-color: $line; }
QPushButton[kind="danger"] { color: $stop; border-color: $stop; }
QPushButton[kind="danger"]:hover { background: $stop_ground; }
QPushButton[kind="danger"]:focus { border: 2px solid $focus; }
QPushButton[kind="danger"]:disabled { color: $muted; border-color: $line; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; padding: 0 8px; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:focus { border: 2px solid $focus; padding: 0 7px; }
QPushButton[kind="quiet"]:disabled { background: transparent; }

QPushButton[kind="icon"] { background: transparent; border: 1px solid transparent; padding: 0; min-width: 34px; }
QPushButton[kind="icon"][small="true"] { min-width: 20px; min-height: 20px; }
QPushButton[kind="icon"]:hover { background: $hover; }
QPushButton[kind="icon"]:focus { border: 2px solid $focus; padding: 0; min-width: 32px; }
QPushButton[kind="icon"]:disabled { background: transparent; }

QPushButton[kind="number"] { background: transparent; border: 1px solid transparent; border-radius: ${radius}px;
  border-bottom: 1px dashed $control_line; font-size: ${type_display}px; font-weight: 600; padding: 0;
  min-height: 40px; text-align: left; }
QPushButton[kind="number"]:hover { background: $hover; }
QPushButton[kind="number"]:focus { border: 2px solid $focus; min-height: 38px; }
QPushButton[kind="number"]:disabled { border-bottom-color: transparent; color: $text; }

QPushButton[kind="figure"] { background: transparent; border: 1px solid transparent; border-radius: ${radius}px;
  border-bottom: 1px dashed $control_line; padding: 0 4px; min-height: 26px; text-align: left; }
QPushButton[kind="figure"]:hover { background: $hover; }
QPushButton[kind="figure"]:focus { border: 2px solid $focus; padding: 0 3px; min-height: 24px; }

QPushButton[kind="row"] { background: transparent; border: 1px solid transparent; text-align: left;
  padding: 0 8px; }
QPushButton[kind="row"]:hover { background: $hover; }
QPushButton[kind="row"]:focus { border: 2px solid $focus; padding: 0 7px; }

QPushButton[kind="tab"] { background: transparent; border: none; border-bottom: 3px solid $line;
  border-radius: 0; padding: 0 12px; min-height: 34px; color: $muted; font-weight: 600; }
QPushButton[kind="tab"]:checked { color: $text; border-bottom-color: $accent; }
QPushButton[kind="tab"]:hover { background: $hover; }
QPushButton[kind="tab"]:focus { border: 2px solid $focus; padding: 0 10px; min-height: 33px; }

QPushButton[kind="step"] { background: transparent; border: none; border-bottom: 3px solid $line;
  border-radius: 0; padding: 4px 4px; min-height: 44px; color: $muted; }
QPushButton[kind="step"][state="done"] { color: $text; border-bottom-color: $ok; }
QPushButton[kind="step"][state="current"] { color: $text; font-weight: 700; border-bottom-color: $accent; }
QPushButton[kind="step"]:hover:enabled { background: $hover; }
QPushButton[kind="step"]:focus { border: 2px solid $focus; padding: 2px 2px 3px 2px; }
QPushButton[kind="step"]:disabled { background: transparent; }

QLineEdit, QPlainTextEdit, QComboBox { background: $surface; color: $text; border: 1px solid $control_line;
  border-radius: ${radius}px; padding: 0 10px; selection-background-color: $selection; selection-color: $text; }
QLineEdit, QComboBox { min-height: 34px; }
QPlainTextEdit { padding: 6px 6px; }
QLineEdit:focus, QComboBox:focus { border: 2px solid $focus; padding: 0 9px; min-height: 32px; }
QPlainTextEdit:focus { border: 2px solid $focus; padding: 5px 5px; }
QLineEdit[faulty="true"], QPlainTextEdit[faulty="true"], QComboBox[faulty="true"] { border: 2px solid $stop; }
QLineEdit[faulty="true"], QComboBox[faulty="true"] { padding: 0 9px; min-height: 32px; }
QPlainTextEdit[faulty="true"] { padding: 5px 5px; }
QLineEdit[faulty="true"]:focus, QComboBox[faulty="true"]:focus, QPlainTextEdit[faulty="true"]:focus {
  border-color: $focus; background: $stop_ground; }
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled, QLineEdit:read-only {
  background: $sunken; color: $muted; border-color: $line; }
QComboBox::drop-down { border: none; width: 28px; }
QComboBox::down-arrow { image: url("icons:sheet-chevron-down.svg"); width: 16px; height: 16px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $control_line; outline: none;
  padding: 4px; selection-background-color: $selection; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 32px; padding: 0 8px; }

QCheckBox { spacing: 8px; color: $text; background: transparent; padding: 4px; border: 2px solid transparent;
  border-radius: ${radius}px; }
QCheckBox:focus { border-color: $focus; }
QCheckBox:disabled { color: $muted; }
QCheckBox::indicator { width: 18px; height: 18px; border: 1px solid $control_line; border-radius: 4px;
  background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("icons:sheet-check.svg"); }
QCheckBox::indicator:disabled { background: $sunken; border-color: $line; }

QTableView { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
  gridline-color: transparent; alternate-background-color: $surface; outline: none;
  selection-background-color: $selection; selection-color: $text; }
QTableView:focus { border: 2px solid $focus; }
QTableView[kind="data"]::item { padding: 0 8px; border: none; border-bottom: 1px solid $line; }
QTableView[kind="data"]::item:selected { background: $selection; color: $text; }
QTableView[kind="data"]::item:focus { padding: 0 7px; border: 1px solid $focus; }
QHeaderView { background: $surface; border: none; border-top-left-radius: 8px; border-top-right-radius: 8px; }
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $control_line;
  padding: 8px 11px; font-size: ${type_small}px; font-weight: 600; }
QHeaderView::section:hover { color: $text; background: $hover; }
QHeaderView::down-arrow { image: url("icons:sheet-chevron-down.svg"); width: 12px; height: 12px; }
QHeaderView::up-arrow { image: url("icons:sheet-chevron-up.svg"); width: 12px; height: 12px; }
QTableCornerButton::section { background: $surface; border: none; }

QScrollArea { border: none; background: transparent; }
QScrollArea > QWidget > QWidget#scroll_content { background: transparent; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle { background: $control_line; border-radius: 4px; min-height: 32px; min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $sunken; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QCalendarWidget QWidget { alternate-background-color: $hover; }
QCalendarWidget QAbstractItemView { background: $surface; color: $text; outline: none;
  selection-background-color: $accent; selection-color: $on_accent; }
QCalendarWidget QAbstractItemView:disabled { color: $control_line; }
QCalendarWidget QToolButton { color: $text; background: transparent; border: none; padding: 6px 8px;
  border-radius: 4px; font-weight: 600; }
QCalendarWidget QToolButton:hover { background: $hover; }
QCalendarWidget QToolButton#qt_calendar_prevmonth { qproperty-icon: url("icons:sheet-chevron-left.svg"); }
QCalendarWidget QToolButton#qt_calendar_nextmonth { qproperty-icon: url("icons:sheet-chevron-right.svg"); }
QCalendarWidget QToolButton::menu-indicator { image: none; }
QCalendarWidget QWidget#qt_calendar_navigationbar { background: $surface; }
QMenu { background: $surface; color: $text; border: 1px solid $control_line; padding: 4px; }
QMenu::item { padding: 8px 16px; border-radius: 4px; }
QMenu::item:selected { background: $selection; }

QFrame#header { background: $surface; border: none; border-bottom: 1px solid $line; }
QFrame#demo_strip { background: $demo_ground; border: none; }
QFrame#demo_strip QLabel { color: $demo; font-size: ${type_small}px; font-weight: 700; }
QFrame#navigation { background: $nav_ground; border: none; }
QFrame#navigation QLabel { color: $nav_bright; }
QFrame#navigation QPushButton { background: transparent; color: $nav_text; border: 2px solid transparent;
  border-left: 4px solid transparent; border-radius: 0; text-align: left; padding: 0 8px; min-height: 38px;
  font-weight: 500; }
QFrame#navigation QPushButton[narrow="true"] { text-align: center; padding: 0 4px 0 0; }
QFrame#navigation QPushButton:hover { background: $nav_hover; color: $nav_bright; }
QFrame#navigation QPushButton:checked { background: $nav_current; color: $nav_bright; font-weight: 700;
  border-left-color: $nav_accent; }
QFrame#navigation QPushButton:focus { border: 2px solid $nav_accent; border-left: 4px solid $nav_accent; }
""")


def style_sheet(t: Tokens) -> str:
    """The one style sheet, generated from the tokens of a palette."""
    return _SHEET.substitute(
        {name: getattr(t, name) for name in Tokens.__slots__},
        type_small=TYPE_SMALL,
        type_title=TYPE_TITLE,
        type_section=TYPE_SECTION,
        type_display=TYPE_DISPLAY,
        radius=RADIUS,
    )
