"""Tables: the journal and what it pins (written once), and the projections that every screen reads.

Only the first group is the record. The second is rebuilt from it whenever its shape changes, so its tables may
change freely: raise ``PROJECTION_VERSION`` when one does.

Exact numbers, dates and moments are stored as text: decimals in plain notation, dates as ISO days of the site,
moments as UTC of fixed width (they sort) beside the event's own text with its offset.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
)
from sqlalchemy import Text as AnyText
from sqlalchemy import event as sql_event

from pharmacy_app.domain.vials import move_table

Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")
"""Text that compares byte by byte on either backend: numbers and moments sort the same everywhere."""

APPLICATION_ID = 0x494E4F31
"""Marks a database as ours."""

PROJECTION_VERSION = 9
"""The shape of the projection tables; another number in the database means they are rebuilt from the journal."""

journal = MetaData()

event = Table(
    "journal_event",
    journal,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("act_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("done_utc", Text, nullable=False),
    Column("recorded_utc", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Index("ix_journal_event_kind", "kind", "seq"),
)
head = Table(
    "journal_head",
    journal,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
credential = Table(
    "credential",
    journal,
    Column("account_id", Text, primary_key=True),
    Column("encoded", Text, nullable=False),
)
stored_paper = Table(
    "stored_paper",
    journal,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
mark = Table(
    "study_mark",
    journal,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("application_id", Integer, nullable=False),
    Column("projection_version", Integer, nullable=False),
)

views = MetaData()

_KNOWN_STATES = ",".join(f"'{state}'" for state in move_table().states)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


period = Table(
    "period",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("through_on"),
    _text("through_utc"),
    _text("signed_by"),
    _text("signed_at"),
    _text("note"),
    _text("entry"),
)
site = Table(
    "site",
    views,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    _text("name"),
    _text("number"),
    _text("time_zone"),
    _text("pharmacy_phone"),
    _text("principal_investigator"),
    _text("protocol_number"),
    _text("study_title"),
    _text("protocol_version"),
    _text("protocol_sha256"),
    _text("protocol_text"),
    Column("demonstration", Integer, nullable=False),
)
protocol_version = Table(
    "protocol_version",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("label"),
    _text("sha256"),
    _text("text"),
    _text("effective_on"),
    _text("source"),
    _text("signed_by"),
    _text("recorded_at"),
)
counter = Table(
    "counter",
    views,
    Column("name", Text, primary_key=True),
    Column("value", Integer, CheckConstraint("value >= 0"), nullable=False),
)
account = Table(
    "account",
    views,
    Column("account_id", Text, primary_key=True),
    _text("user_name"),
    Column("sign_in_name", Text, nullable=False, unique=True),
    Column("printed_name", Text, nullable=False, unique=True),
    _text("roles"),
    _text("delegated_from"),
    _text("delegated_to", null=True),
    Column("active", Integer, nullable=False),
    Column("failed_attempts", Integer, nullable=False),
    Column("locked", Integer, nullable=False),
    Column("must_change_password", Integer, nullable=False),
    _text("credential_sha256"),
)
setting = Table(
    "setting",
    views,
    Column("name", Text, primary_key=True),
    _text("value"),
    _text("source"),
    Column("event_seq", Integer, nullable=False),
    _text("signed_by"),
    _text("signed_at"),
)
shipment = Table(
    "shipment",
    views,
    Column("number", Text, primary_key=True),
    _text("sender"),
    _text("shipped_on"),
    _text("received_at"),
    _text("received_utc"),
    _text("logger_serial"),
    _text("logger_state"),
    _text("condition"),
    _text("received_by"),
    Column("vials", Integer, nullable=False),
    _text("hold_reason"),
    _text("packing_list"),
    _text("min_celsius", null=True),
    _text("max_celsius", null=True),
    _text("logger_read_by"),
    _text("logger_read_at", null=True),
    _text("acknowledged_to"),
    _text("acknowledged_how"),
    _text("acknowledged_by"),
    _text("acknowledged_at", null=True),
    _text("note"),
    Column("event_seq", Integer, nullable=False),
)
shipment_lot = Table(
    "shipment_lot",
    views,
    Column("shipment_number", Text, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("strength_mg"),
    _text("lot"),
    _text("expires_on"),
    Column("listed", Integer, nullable=True),
    Column("counted", Integer, nullable=False),
    Column("damaged", Integer, nullable=True),
    Column("extra", Integer, nullable=False),
    _text("difference_note"),
    _text("condition_note"),
    _text("kits"),
)
vial = Table(
    "vial",
    views,
    Column("unit_number", Text, primary_key=True),
    Column("kit_number", Text, nullable=True, unique=True),
    _text("strength_mg"),
    _text("lot"),
    _text("expires_on"),
    _text("place"),
    Column(
        "state",
        Text,
        CheckConstraint(f"state IN ({_KNOWN_STATES})", name="known_state"),
        nullable=False,
    ),
    _text("hold_reason"),
    _text("dose_id"),
    _text("shipment_number"),
    _text("moved_utc"),
    _text("accounted_by"),
    # Which scan-back of its own label counts, and the event since which that label must have been printed.
    Column("label_seq", Integer, nullable=True),
    Column("label_from_seq", Integer, nullable=False),
    Index("ix_vial_state", "state", "strength_mg", "expires_on"),
    Index("ix_vial_lot", "lot"),
    Index("ix_vial_dose", "dose_id"),
    Index("ix_vial_shipment", "shipment_number"),
)
lot = Table(
    "lot",
    views,
    Column("strength_mg", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    _text("expires_on"),
    Column("received", Integer, CheckConstraint("received >= 0"), nullable=False),
)
stock = Table(
    "stock",
    views,
    Column("strength_mg", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("vials", Integer, CheckConstraint("vials >= 0", name="no_negative_stock"), nullable=False),
)
legal_move = Table(
    "legal_move",
    views,
    Column("move", Text, primary_key=True),
    Column("from_state", Text, primary_key=True),
    Column("to_state", Text, primary_key=True),
)


def _fill_legal_moves(_table: Table, connection: Connection, **_more: object) -> None:
    rows = [
        {"move": name, "from_state": before, "to_state": after} for name, before, after in sorted(move_table().legal())
    ]
    connection.execute(insert(legal_move), rows)


# The database itself refuses a line that the table of moves does not know.
sql_event.listen(legal_move, "after_create", _fill_legal_moves)

ledger_line = Table(
    "ledger_line",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("done_utc"),
    _text("done_at"),
    _text("recorded_at"),
    _text("recorded_utc"),
    _text("effective_utc"),
    Column("corrects_seq", Integer, nullable=True),
    _text("late_why"),
    _text("move"),
    _text("transaction"),
    _text("strength_mg"),
    _text("lot"),
    _text("expires_on"),
    _text("place"),
    _text("from_state"),
    _text("to_state"),
    Column("quantity", Integer, CheckConstraint("quantity > 0"), nullable=False),
    Column("available_change", Integer, nullable=False),
    Column("quarantine_change", Integer, nullable=False),
    _text("units"),
    _text("dose_id"),
    _text("counterparty"),
    _text("initials"),
    _text("cycle_day"),
    _text("dose_mg"),
    _text("reference"),
    _text("comment"),
    _text("recorder"),
    _text("verifier"),
    ForeignKeyConstraint(
        ["move", "from_state", "to_state"], ["legal_move.move", "legal_move.from_state", "legal_move.to_state"]
    ),
    Index("ix_ledger_time", "done_utc", "event_seq", "line"),
    Index("ix_ledger_lot", "lot", "done_utc", "event_seq", "line"),
    Index("ix_ledger_place", "place", "done_utc", "event_seq", "line"),
)
# Sums of the ledger's lines by UTC day and by month: of each strength, and of its lots, its places and its lots there
# ('' = all of them). A running balance begins from these, so that no page has to add up the ledger from its start.
ledger_sum = Table(
    "ledger_sum",
    views,
    Column("level", Text, CheckConstraint("level IN ('day', 'month')", name="known_level"), primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("strength_mg", Text, primary_key=True),
    Column("lines", Integer, nullable=False),
    Column("record_lines", Integer, nullable=False),
    Column("available_change", Integer, nullable=False),
    Column("quarantine_change", Integer, nullable=False),
)
ledger_vial = Table(
    "ledger_vial",
    views,
    Column("unit_number", Text, primary_key=True),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
)
mg_line = Table(
    "mg_line",
    views,
    Column("unit_number", Text, primary_key=True),
    _text("dose_id"),
    _text("labelled_mg"),
    _text("withdrawn_mg"),
    _text("residue_mg", null=True),
    _text("discarded_mg", null=True),
    Column("closed_seq", Integer, nullable=True),
    Index("ix_mg_dose", "dose_id"),
)
subject = Table(
    "subject",
    views,
    Column("subject_number", Text, primary_key=True),
    _text("initials"),
    _text("birth"),
    _text("enrolled_on"),
    Column("event_seq", Integer, nullable=False),
)
measurement = Table(
    "measurement",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    _text("subject_number"),
    _text("typed_value"),
    _text("typed_unit"),
    _text("value"),
    _text("measured_on"),
    _text("recorded_at"),
    _text("recorder"),
    _text("why"),
    Column("corrected_seq", Integer, nullable=True),
    Index("ix_measurement_subject", "subject_number", "kind", "measured_on", "event_seq"),
)
dose = Table(
    "dose",
    views,
    Column("dose_id", Text, primary_key=True),
    _text("subject_number"),
    _text("status"),
    Column("course", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    _text("planned_on"),
    _text("prescriber"),
    _text("ordered_on"),
    _text("prescribed_mg"),
    Column("order_seq", Integer, nullable=False),
    Column("decision_seq", Integer, nullable=True),
    _text("decision", null=True),
    _text("height_cm", null=True),
    _text("weight_kg", null=True),
    _text("weight_on", null=True),
    _text("bsa_formula", null=True),
    Column("plan_seq", Integer, nullable=True),
    _text("plan", null=True),
    _text("planned_by", null=True),
    _text("planner_id", null=True),
    _text("planned_at", null=True),
    Column("verify_seq", Integer, nullable=True),
    _text("verified_by", null=True),
    _text("verified_at", null=True),
    Column("prepare_seq", Integer, nullable=True),
    _text("preparation", null=True),
    _text("prepared_mg", null=True),
    _text("prepared_by", null=True),
    Column("release_seq", Integer, nullable=True),
    _text("released_by", null=True),
    _text("released_at", null=True),
    _text("released_to", null=True),
    Column("administer_seq", Integer, nullable=True),
    _text("administration", null=True),
    _text("administered_mg", null=True),
    _text("given_on", null=True),
    Column("close_seq", Integer, nullable=True),
    _text("cancelled_why", null=True),
    Index("ix_dose_subject", "subject_number", "order_seq"),
    Index("ix_dose_status", "status", "order_seq"),
)
treatment = Table(
    "treatment",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("subject_number"),
    _text("entry"),
    _text("recorder"),
    _text("recorded_at"),
    _text("why"),
    Column("withdrawn_seq", Integer, nullable=True),
    _text("withdrawn_by"),
    _text("withdrawn_why"),
    Index("ix_treatment_subject", "subject_number", "event_seq"),
)
medication_error = Table(
    "medication_error",
    views,
    Column("error_id", Text, primary_key=True),
    _text("source"),
    _text("dose_id"),
    _text("subject_number"),
    _text("opened_at"),
    _text("opened_by"),
    _text("found_at"),
    _text("found_by"),
    _text("occurred_at", null=True),
    _text("stage"),
    _text("error_type"),
    _text("reached_subject"),
    _text("what_happened"),
    _text("action"),
    _text("stopped_for"),
    _text("prescribed_mg", null=True),
    _text("administered_mg", null=True),
    _text("difference"),
    _text("sentence"),
    _text("status"),
    _text("verdict"),
    _text("category"),
    Column("event_seq", Integer, nullable=False),
)
medication_error_assessment = Table(
    "medication_error_assessment",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("error_id"),
    _text("assessed_at"),
    _text("signed_by"),
    _text("assessment"),
    Index("ix_assessment_error", "error_id", "event_seq"),
)
medication_error_told = Table(
    "medication_error_told",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("error_id"),
    _text("recipient"),
    _text("name"),
    _text("told_at"),
    _text("told_utc"),
    _text("recorded_at"),
    _text("recorder"),
    Index("ix_told_error", "error_id", "told_utc"),
)
printed = Table(
    "printed",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("about", Text, primary_key=True),
    _text("paper"),
    Column("copy_number", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    _text("sha256"),
    _text("printed_at"),
    _text("printed_by"),
    _text("why"),
    Index("ix_printed_about", "about", "paper"),
)
document = Table(
    "document",
    views,
    Column("document_id", Text, primary_key=True),
    _text("title"),
    _text("kind"),
    _text("about"),
    _text("signed_by"),
    _text("dated_on"),
    _text("file_name"),
    _text("media_type"),
    Column("size_bytes", Integer, CheckConstraint("size_bytes > 0"), nullable=False),
    _text("sha256"),
    _text("attached_at"),
    _text("attached_by"),
    # What the supporter permits by it, with "; " between; null where it does not say.
    _text("permits", null=True),
    Column("event_seq", Integer, nullable=False),
    Index("ix_document_about", "about"),
)

# Physical counts, what did not agree, and the closing of the study's books.
stock_count = Table(
    "stock_count",
    views,
    Column("number", Text, primary_key=True),
    _text("counted_at"),
    _text("counted_utc"),
    _text("place"),
    _text("strength_mg"),
    Column("of_vials", Integer, nullable=False),
    _text("discrepancy"),
    _text("counted_by"),
    _text("verified_by"),
    _text("entry"),
    Column("event_seq", Integer, nullable=False),
    Index("ix_stock_count_place", "place", "counted_utc"),
)
discrepancy = Table(
    "discrepancy",
    views,
    Column("number", Text, primary_key=True),
    _text("count_number"),
    _text("place"),
    _text("sentence"),
    _text("opened_at"),
    _text("opened_by"),
    _text("concerns"),
    _text("status"),
    _text("outcome"),
    _text("explanation"),
    _text("closed_at", null=True),
    _text("closed_by"),
    Column("event_seq", Integer, nullable=False),
    Column("closed_seq", Integer, nullable=True),
    Index("ix_discrepancy_status", "status", "event_seq"),
)
close_out = Table(
    "close_out",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("closed_at"),
    _text("signed_by"),
    _text("entry"),
)

# Storage deviations, the vials that lay there, and what the supporter was told.
deviation = Table(
    "deviation",
    views,
    Column("deviation_id", Text, primary_key=True),
    _text("place"),
    _text("source"),
    _text("logger_serial"),
    _text("calibration_due", null=True),
    _text("started_at"),
    _text("ended_at"),
    _text("min_celsius", null=True),
    _text("max_celsius", null=True),
    _text("spans"),
    _text("trace"),
    _text("document_id"),
    _text("file_sha256"),
    _text("discovered_at"),
    _text("discovered_by"),
    _text("done"),
    _text("cause"),
    _text("action"),
    _text("recorded_at"),
    _text("recorded_by"),
    _text("status"),
    _text("closed_at", null=True),
    _text("closed_by"),
    Column("event_seq", Integer, nullable=False),
    Column("closed_seq", Integer, nullable=True),
    Index("ix_deviation_status", "status", "event_seq"),
)
deviation_vial = Table(
    "deviation_vial",
    views,
    Column("deviation_id", Text, primary_key=True),
    Column("unit_number", Text, primary_key=True),
    _text("kit_number"),
    _text("strength_mg"),
    _text("lot"),
    _text("expires_on"),
    _text("state_then"),
    _text("state_found"),
    _text("dose_id"),
    Column("quarantined", Integer, nullable=False),
    _text("decision"),
    _text("document_id"),
    _text("decided_at", null=True),
    _text("decided_by"),
    # When a later entry said that it lay there; null for one that the deviation itself named.
    _text("late_at", null=True),
    Column("event_seq", Integer, nullable=False),
    Index("ix_deviation_vial_unit", "unit_number"),
)
deviation_told = Table(
    "deviation_told",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("deviation_id"),
    _text("name"),
    _text("how"),
    _text("told_at"),
    _text("data_sent"),
    _text("recorded_at"),
    _text("recorder"),
    Index("ix_deviation_told", "deviation_id", "event_seq"),
)

# Places, expiries that were extended, labels renewed by hand.
place = Table(
    "place",
    views,
    Column("name", Text, primary_key=True),
    _text("kind"),
    _text("room"),
    Column("added_seq", Integer, nullable=False),
    Column("added_line", Integer, nullable=False),
    _text("added_by"),
    _text("added_at"),
    Column("closed_seq", Integer, nullable=True),
    _text("closed_by"),
    _text("closed_at", null=True),
    _text("closed_why"),
)
expiry_extension = Table(
    "expiry_extension",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("strength_mg"),
    _text("lot"),
    _text("old_on"),
    _text("new_on"),
    _text("document_id"),
    _text("signed_by"),
    _text("signed_at"),
    Column("vials", Integer, nullable=False),
    Column("undone_seq", Integer, nullable=True),
    Index("ix_extension_lot", "strength_mg", "lot", "event_seq"),
)
relabelled = Table(
    "relabelled",
    views,
    Column("unit_number", Text, primary_key=True),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
)

# What was corrected by what, and what people are to know of it. One correction an event: the key says so.
correction = Table(
    "correction",
    views,
    Column("corrects_seq", Integer, primary_key=True, autoincrement=False),
    Column("event_seq", Integer, nullable=False, unique=True),
    _text("kind"),
    _text("changes"),
    _text("why"),
    _text("signed_by"),
    _text("corrected_at"),
    _text("corrected_utc"),
    Column("moved_vials", Integer, nullable=False),
)
correction_note = Table(
    "correction_note",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("about"),
    _text("sentence"),
    _text("noted_at"),
    _text("recorder"),
    Index("ix_correction_note", "about", "event_seq"),
)

# Labels one by one, as they were printed and what became of each; the printers they came out of.
label = Table(
    "label",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("number"),
    _text("about"),
    Column("copy_number", Integer, nullable=False),
    Column("reprint", Integer, nullable=False),
    _text("mark"),
    Column(
        "status",
        Text,
        CheckConstraint("status IN ('printed', 'out', 'void', 'never out')", name="known_status"),
        nullable=False,
    ),
    _text("printer"),
    _text("printed_at"),
    _text("printed_by"),
    _text("why"),
    _text("void_why"),
    _text("voided_by"),
    _text("voided_at", null=True),
    _text("scanned_by"),
    _text("scanned_at", null=True),
    Index("ix_label_number", "number", "kind", "event_seq"),
    Index("ix_label_status", "status", "event_seq"),
)
printer = Table(
    "printer",
    views,
    Column("name", Text, primary_key=True),
    _text("number"),
    _text("entry"),
    Column("in_use", Integer, nullable=False),
    Column("event_seq", Integer, nullable=False),
    _text("set_by"),
    _text("set_at"),
)

# The monitor's review. Every reviewable entry has a row: why it deserves a look, which verification counts (0: none),
# and the newest entry that corrected, undid or set it anew (0: none). It is verified while the first is the newer one.
review = Table(
    "review",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("actor_id"),
    _text("done_utc"),
    Column("risk", Integer, nullable=False),
    _text("reasons"),
    _text("makes"),
    Column("verified_seq", Integer, nullable=False),
    Column("touched_seq", Integer, nullable=False),
    Index("ix_review_risk", "risk", "event_seq"),
    Index("ix_review_done", "done_utc", "event_seq"),
    Index("ix_review_makes", "makes"),
    Index("ix_review_touched", "touched_seq"),
)
# What an entry is about, but for its moves, which the ledger knows.
review_about = Table(
    "review_about",
    views,
    Column("about", Text, primary_key=True),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Index("ix_review_about_entry", "event_seq"),
)
# The first entry of a kind that stands out when it is the first.
review_first = Table(
    "review_first",
    views,
    Column("first_of", Text, primary_key=True),
    Column("event_seq", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Index("ix_review_first_entry", "event_seq"),
)
verification = Table(
    "verification",
    views,
    Column("entry_seq", Integer, primary_key=True, autoincrement=False),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("visit"),
    _text("initials"),
    _text("verified_by"),
    _text("verified_at"),
    Index("ix_verification_event", "event_seq"),
)
visit = Table(
    "visit",
    views,
    Column("number", Text, primary_key=True),
    _text("monitor_id"),
    _text("monitor"),
    _text("from_on"),
    _text("to_on"),
    _text("purpose"),
    _text("planned_by"),
    _text("planned_at"),
    Column("event_seq", Integer, nullable=False),
    Column(
        "status",
        Text,
        CheckConstraint("status IN ('planned', 'open', 'signed')", name="known_visit_status"),
        nullable=False,
    ),
    _text("opened_at", null=True),
    Column("opened_seq", Integer, nullable=True),
    _text("opened_why"),
    Column("since_seq", Integer, nullable=False),
    _text("signed_at", null=True),
    Column("signed_seq", Integer, nullable=True),
    _text("signed_by"),
    _text("summary"),
    _text("record", null=True),
    Index("ix_visit_monitor", "monitor_id", "status"),
)
query = Table(
    "query",
    views,
    Column("number", Text, primary_key=True),
    _text("about"),
    _text("field"),
    Column("entry_seq", Integer, nullable=True),
    _text("text"),
    _text("visit"),
    _text("opened_by"),
    _text("opened_by_id"),
    _text("opened_at"),
    _text("opened_on"),
    Column(
        "status",
        Text,
        CheckConstraint("status IN ('open', 'answered', 'returned', 'closed')", name="known_query_status"),
        nullable=False,
    ),
    _text("answered_by_id"),
    _text("closed_by"),
    _text("closed_at", null=True),
    _text("last_at"),
    _text("last_on"),
    Column("event_seq", Integer, nullable=False),
    Index("ix_query_status", "status", "event_seq"),
    Index("ix_query_about", "about"),
    Index("ix_query_entry", "entry_seq"),
)
query_line = Table(
    "query_line",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("number"),
    _text("says"),
    _text("text"),
    _text("person"),
    _text("said_at"),
    Index("ix_query_line", "number", "event_seq"),
)
# Which containers the monitor has accounted for, by which entry and in which visit.
accounted = Table(
    "accounted",
    views,
    Column("unit_number", Text, primary_key=True),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    _text("monitor"),
    _text("accounted_at"),
    _text("visit"),
)

# Tables whose rows are never changed or deleted are named in db/guards.py: the database itself refuses it.
