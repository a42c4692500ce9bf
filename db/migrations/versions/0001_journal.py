"""The journal, its head, credentials and stored papers.

A migration says the tables as they were on its day and is never edited; the projections have none, because
they are rebuilt from the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the four tables that are the record."""
    op.create_table(
        "journal_event",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("act_id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("done_utc", sa.Text, nullable=False),
        sa.Column("recorded_utc", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
    )
    op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_table(
        "credential",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("encoded", sa.Text, nullable=False),
    )
    op.create_table(
        "stored_paper",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
