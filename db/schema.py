"""Tables: the journal and what it pins (written once), and the projections that every screen reads.

Only the first group is the record. The second is rebuilt from it whenever its shape changes, so its tables may
change freely: raise ``PROJECTION_VERSION`` when one does.

Exact numbers, dates and moments are stored as text: decimals in plain notation, dates as ISO days of the site,
moments as UTC of fixed width (they sort) beside the event's own text with its offset.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text

APPLICATION_ID = 0x494E4F31
"""Marks an SQLite file as ours."""

PROJECTION_VERSION = 3
"""The shape of the projection tables; another number in the file means they are rebuilt from the journal."""

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

views = MetaData()


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


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
    _text("places"),
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
    Column("event_seq", Integer, nullable=False),
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
        CheckConstraint(
            "state IN ('held','available','reserved','quarantined','opened','empty','partial','broken','missing',"
            "'returned','transferred','destroyed')",
            name="known_state",
        ),
        nullable=False,
    ),
    _text("hold_reason"),
    _text("dose_id"),
    _text("shipment_number"),
    _text("moved_utc"),
    _text("accounted_by"),
    Index("ix_vial_state", "state", "strength_mg", "expires_on"),
    Index("ix_vial_lot", "lot"),
    Index("ix_vial_dose", "dose_id"),
)
stock = Table(
    "stock",
    views,
    Column("strength_mg", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    _text("expires_on"),
    Column("vials", Integer, CheckConstraint("vials >= 0", name="no_negative_stock"), nullable=False),
)
ledger_line = Table(
    "ledger_line",
    views,
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("done_utc"),
    _text("done_at"),
    _text("recorded_at"),
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
    Index("ix_ledger_time", "done_utc", "event_seq", "line"),
    Index("ix_ledger_strength", "strength_mg", "lot", "done_utc"),
)
ledger_vial = Table(
    "ledger_vial",
    views,
    Column("unit_number", Text, primary_key=True),
    Column("event_seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, nullable=False),
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
    Column("event_seq", Integer, nullable=False),
    Index("ix_document_about", "about"),
)

APPEND_ONLY = {
    "journal_event_no_update": """CREATE TRIGGER journal_event_no_update BEFORE UPDATE ON journal_event
        BEGIN SELECT RAISE(ABORT, 'the journal is never changed'); END""",
    "journal_event_no_delete": """CREATE TRIGGER journal_event_no_delete BEFORE DELETE ON journal_event
        BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END""",
    "journal_event_next_only": """CREATE TRIGGER journal_event_next_only BEFORE INSERT ON journal_event
        WHEN NEW.seq <> (SELECT seq + 1 FROM journal_head) OR NEW.previous_hash <> (SELECT hash FROM journal_head)
        BEGIN SELECT RAISE(ABORT, 'an event follows the last one and names its hash'); END""",
    "journal_event_moves_head": """CREATE TRIGGER journal_event_moves_head AFTER INSERT ON journal_event
        BEGIN UPDATE journal_head SET seq = NEW.seq, hash = NEW.hash; END""",
    "journal_head_no_delete": """CREATE TRIGGER journal_head_no_delete BEFORE DELETE ON journal_head
        BEGIN SELECT RAISE(ABORT, 'the journal keeps its head'); END""",
    "journal_head_follows": """CREATE TRIGGER journal_head_follows BEFORE UPDATE ON journal_head
        WHEN NEW.hash IS NOT (SELECT hash FROM journal_event WHERE seq = NEW.seq) OR NEW.seq <> OLD.seq + 1
        BEGIN SELECT RAISE(ABORT, 'the head follows the journal'); END""",
    "journal_head_one": """CREATE TRIGGER journal_head_one BEFORE INSERT ON journal_head
        WHEN EXISTS (SELECT 1 FROM journal_head)
        BEGIN SELECT RAISE(ABORT, 'the journal has one head'); END""",
    "ledger_line_no_update": """CREATE TRIGGER ledger_line_no_update BEFORE UPDATE ON ledger_line
        BEGIN SELECT RAISE(ABORT, 'a ledger line is never changed'); END""",
    "ledger_line_no_delete": """CREATE TRIGGER ledger_line_no_delete BEFORE DELETE ON ledger_line
        BEGIN SELECT RAISE(ABORT, 'a ledger line is never deleted'); END""",
    "medication_error_no_delete": """CREATE TRIGGER medication_error_no_delete BEFORE DELETE ON medication_error
        BEGIN SELECT RAISE(ABORT, 'a medication-error record is never deleted'); END""",
    "assessment_no_update": """CREATE TRIGGER assessment_no_update BEFORE UPDATE ON medication_error_assessment
        BEGIN SELECT RAISE(ABORT, 'an assessment is never changed'); END""",
    "assessment_no_delete": """CREATE TRIGGER assessment_no_delete BEFORE DELETE ON medication_error_assessment
        BEGIN SELECT RAISE(ABORT, 'an assessment is never deleted'); END""",
    "told_no_update": """CREATE TRIGGER told_no_update BEFORE UPDATE ON medication_error_told
        BEGIN SELECT RAISE(ABORT, 'who was told when is never changed'); END""",
    "told_no_delete": """CREATE TRIGGER told_no_delete BEFORE DELETE ON medication_error_told
        BEGIN SELECT RAISE(ABORT, 'who was told when is never deleted'); END""",
}
"""SQLite's own refusals. ``PRAGMA recursive_triggers=ON`` makes INSERT OR REPLACE meet them too."""
