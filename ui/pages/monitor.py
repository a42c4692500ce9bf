"""The monitor's home: everything to read, nothing to change. Received against states, stock, doses, errors, journal."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from pharmacy_app.domain.comparisons import administered_against_prescribed
from pharmacy_app.domain.units import show_mg, show_percent
from pharmacy_app.domain.vials import STRENGTHS_MG
from pharmacy_app.services import views
from pharmacy_app.services.desk import protocol_of, site_of
from pharmacy_app.services.ports import LedgerFilter, Reader, VialFilter
from pharmacy_app.services.printing import Printed, RecordForm, print_accountability_record
from ui.office import Office
from ui.pages.stock_parts import STATES, say_day, say_moment, state_says, state_tone
from ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS
from ui.widgets.basics import Button, IconView, Text, clear_layout, rule
from ui.widgets.panels import Banner, Card, KeyValues, Page
from ui.widgets.tables import Column, DataTable, RowTableModel
