"""Every question the services and screens ask, answered in SQL and returned as plain values."""

from db.queries.corrections import CorrectionQueries
from db.queries.counts import CountQueries
from db.queries.doses import DoseQueries
from db.queries.errors import ErrorQueries
from db.queries.journal import JournalQueries
from db.queries.labels import LabelQueries
from db.queries.monitoring import MonitoringQueries
from db.queries.papers import PaperQueries
from db.queries.past import PastQueries
from db.queries.people import PeopleQueries
from db.queries.places import PlaceQueries
from db.queries.shipments import ShipmentQueries
from db.queries.storage import StorageQueries
from db.queries.subjects import SubjectQueries


class SqlReader(
    JournalQueries,
    PeopleQueries,
    PastQueries,
    DoseQueries,
    SubjectQueries,
    ErrorQueries,
    PaperQueries,
    LabelQueries,
    CountQueries,
    StorageQueries,
    PlaceQueries,
    CorrectionQueries,
    ShipmentQueries,
    MonitoringQueries,
):
    """Answers questions on one open connection."""
