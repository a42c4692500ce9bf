"""Events are found by their kind without reading the whole journal: an act asks for the few that concern it."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_journal_event_kind", "journal_event", ["kind", "seq"])
