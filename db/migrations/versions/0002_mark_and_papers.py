"""The study's mark in a table of its own, and stored papers that are never changed or deleted.

A file of revision 0001 carries the shape of its views in SQLite's ``user_version``; from here on it stands in
``study_mark`` on either backend. No PostgreSQL database is older than this revision: its text columns are given
the order of bytes here.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_GUARDS = (
    ("no_update", "UPDATE", "a stored paper is never changed"),
    ("no_delete", "DELETE", "a stored paper is never deleted"),
    ("no_truncate", "TRUNCATE", "a stored paper is never deleted"),
)
_TEXTS = {
    "journal_event": ("act_id", "kind", "actor_id", "done_utc", "recorded_utc", "hash", "previous_hash"),
    "journal_head": ("hash",),
    "credential": ("account_id", "encoded"),
    "stored_paper": ("sha256",),
}


def upgrade() -> None:
    """Make the mark and the triggers."""
    op.create_table(
        "study_mark",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("application_id", sa.Integer, nullable=False),
        sa.Column("projection_version", sa.Integer, nullable=False),
    )
    # 0: the views are of no known shape yet.
    op.execute(f"INSERT INTO study_mark VALUES (1, {0x494E4F31}, 0)")
    if op.get_context().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    for name, on, words in _GUARDS:
        if on != "TRUNCATE":
            op.execute(
                f"CREATE TRIGGER stored_paper_{name} BEFORE {on} ON stored_paper\n"
                f"        BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )


def _on_postgresql() -> None:
    for table, columns in _TEXTS.items():
        changes = ", ".join(f'ALTER COLUMN {column} TYPE text COLLATE "C"' for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
    for name, on, words in _GUARDS:
        each = "STATEMENT" if on == "TRUNCATE" else "ROW"
        op.execute(
            f"CREATE OR REPLACE FUNCTION stored_paper_{name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END$$"
        )
        op.execute(
            f"CREATE TRIGGER stored_paper_{name} BEFORE {on} ON stored_paper"
            f" FOR EACH {each} EXECUTE FUNCTION stored_paper_{name}()"
        )
        op.execute(f"ALTER TABLE stored_paper ENABLE ALWAYS TRIGGER stored_paper_{name}")
