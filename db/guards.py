"""What the database itself refuses, said once and written as triggers in the words of SQLite and of PostgreSQL.

A table whose rows are never changed or deleted is one line of ``GUARDS``: ``_kept(table, words)``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger: what it watches, and the words it refuses with or the statement it carries out.

    ``when`` is a condition both databases read alike; ``{differs}`` in it is their word for 'unequal, NULL too'.
    """

    name: str
    table: str
    on: str
    words: str = ""
    when: str = ""
    follow: str = ""


def _kept(table: str, changed: str, deleted: str, *, name: str = "") -> tuple[Guard, Guard]:
    """Rows that are never changed and never deleted."""
    name = name or table
    return (
        Guard(f"{name}_no_update", table, "UPDATE", changed),
        Guard(f"{name}_no_delete", table, "DELETE", deleted),
    )


RECORD_GUARDS = (
    *_kept("journal_event", "the journal is never changed", "the journal is never shortened"),
    Guard(
        "journal_event_next_only",
        "journal_event",
        "INSERT",
        "an event follows the last one and names its hash",
        when="NEW.seq <> (SELECT seq + 1 FROM journal_head) OR NEW.previous_hash <> (SELECT hash FROM journal_head)",
    ),
    Guard(
        "journal_event_moves_head",
        "journal_event",
        "INSERT",
        follow="UPDATE journal_head SET seq = NEW.seq, hash = NEW.hash",
    ),
    Guard("journal_head_no_delete", "journal_head", "DELETE", "the journal keeps its head"),
    Guard(
        "journal_head_follows",
        "journal_head",
        "UPDATE",
        "the head follows the journal",
        when="NEW.hash {differs} (SELECT hash FROM journal_event WHERE seq = NEW.seq) OR NEW.seq <> OLD.seq + 1",
    ),
    Guard(
        "journal_head_one",
        "journal_head",
        "INSERT",
        "the journal has one head",
        when="EXISTS (SELECT 1 FROM journal_head)",
    ),
    *_kept("stored_paper", "a stored paper is never changed", "a stored paper is never deleted"),
)
"""Guards of the record itself. They are made once, with the tables; a migration that adds one says it again."""

VIEW_GUARDS = (
    *_kept("ledger_line", "a ledger line is never changed", "a ledger line is never deleted"),
    Guard("medication_error_no_delete", "medication_error", "DELETE", "a medication-error record is never deleted"),
    *_kept(
        "medication_error_assessment",
        "an assessment is never changed",
        "an assessment is never deleted",
        name="assessment",
    ),
    *_kept(
        "medication_error_told",
        "who was told when is never changed",
        "who was told when is never deleted",
        name="told",
    ),
    Guard("deviation_no_delete", "deviation", "DELETE", "a storage deviation is never deleted"),
    Guard("deviation_vial_no_delete", "deviation_vial", "DELETE", "an exposed vial is never taken off its deviation"),
    *_kept("deviation_told", "what the supporter was told is never changed", "and it is never deleted"),
    *_kept("correction", "a correction is never changed: it is corrected itself", "a correction is never deleted"),
    *_kept("period", "a signed period is never changed", "a signed period is never deleted"),
    *_kept("stock_count", "a count is never changed", "a count is never deleted"),
    Guard("discrepancy_no_delete", "discrepancy", "DELETE", "a discrepancy is never deleted"),
    *_kept("close_out", "a close-out is never changed", "a close-out is never deleted"),
    Guard("label_no_delete", "label", "DELETE", "a printed label stays listed, void or not"),
    Guard("review_no_delete", "review", "DELETE", "an entry stays reviewable"),
    *_kept("verification", "a verification is never changed", "a verification is never deleted"),
    Guard("visit_no_delete", "visit", "DELETE", "a visit is never deleted"),
    Guard("query_no_delete", "query", "DELETE", "a query is never deleted"),
    *_kept("query_line", "what was said of a query is never changed", "and it is never deleted"),
    *_kept("accounted", "an accountability is never changed: it is taken back", "and it is never deleted"),
    Guard("printer_no_delete", "printer", "DELETE", "a printer is set out of use, never deleted"),
)
"""Guards of the views. They come and go with their tables, when the views are rebuilt from the journal."""

GUARDS = (*RECORD_GUARDS, *VIEW_GUARDS)


def put_guards(connection: Connection, guards: Iterable[Guard]) -> None:
    """Make these triggers, on tables that do not have them."""
    for statement in _dialect(connection).statements(guards):
        connection.exec_driver_sql(statement)


def drop_guards(connection: Connection, guards: Iterable[Guard]) -> None:
    """Take these triggers away where they are; their tables must be there."""
    for statement in _dialect(connection).dropped(guards):
        connection.exec_driver_sql(statement)


def missing_guards(connection: Connection) -> list[str]:
    """Names of the triggers that are not in the database word for word, or are there but switched off."""
    return _dialect(connection).missing(connection)


class _Sqlite:
    """``PRAGMA recursive_triggers=ON`` makes INSERT OR REPLACE meet the triggers too."""

    @staticmethod
    def _sql(guard: Guard) -> str:
        time = "AFTER" if guard.follow else "BEFORE"
        condition = f"\n        WHEN {guard.when.format(differs='IS NOT')}" if guard.when else ""
        does = guard.follow or f"SELECT RAISE(ABORT, '{guard.words}')"
        return f"CREATE TRIGGER {guard.name} {time} {guard.on} ON {guard.table}{condition}\n        BEGIN {does}; END"

    def statements(self, guards: Iterable[Guard]) -> list[str]:
        return [self._sql(guard) for guard in guards]

    def dropped(self, guards: Iterable[Guard]) -> list[str]:
        return [f"DROP TRIGGER IF EXISTS {guard.name}" for guard in guards]

    def missing(self, connection: Connection) -> list[str]:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        there = {row.name: row.sql for row in rows}
        return [guard.name for guard in GUARDS if there.get(guard.name) != self._sql(guard)]


_PER_ROW, _BEFORE = 1, 2
_KINDS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
"""Bits of ``pg_trigger.tgtype``."""

_POSTGRESQL_TRIGGERS = """
    SELECT t.tgname, c.relname, t.tgtype, t.tgenabled = 'A' AS enabled, p.prosrc, l.lanname
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_proc p ON p.oid = t.tgfoid
      JOIN pg_language l ON l.oid = p.prolang
     WHERE NOT t.tgisinternal AND t.tgqual IS NULL AND t.tgattr::text = '' AND t.tgconstraint = 0
       AND p.proconfig IS NULL AND pg_table_is_visible(c.oid)"""


class _Postgresql:
    """Triggers that fire ALWAYS: a session that plays the replica does not step around them."""

    @staticmethod
    def _all(guards: Iterable[Guard]) -> list[Guard]:
        """TRUNCATE deletes without a DELETE: whoever refuses the one refuses the other."""
        guards = list(guards)
        truncate = [
            Guard(guard.name.replace("_no_delete", "_no_truncate"), guard.table, "TRUNCATE", guard.words)
            for guard in guards
            if guard.on == "DELETE"
        ]
        return guards + truncate

    @staticmethod
    def _body(guard: Guard) -> str:
        if guard.follow:
            return f"BEGIN {guard.follow}; RETURN NULL; END"
        refuse = f"RAISE EXCEPTION '{guard.words}' USING ERRCODE = 'restrict_violation';"
        if not guard.when:
            return f"BEGIN {refuse} END"
        return f"BEGIN IF {guard.when.format(differs='IS DISTINCT FROM')} THEN {refuse} END IF; RETURN NEW; END"

    def _sql(self, guard: Guard) -> list[str]:
        time = "AFTER" if guard.follow else "BEFORE"
        each = "STATEMENT" if guard.on == "TRUNCATE" else "ROW"
        return [
            f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $${self._body(guard)}$$",
            f"CREATE TRIGGER {guard.name} {time} {guard.on} ON {guard.table}"
            f" FOR EACH {each} EXECUTE FUNCTION {guard.name}()",
            f"ALTER TABLE {guard.table} ENABLE ALWAYS TRIGGER {guard.name}",
        ]

    def statements(self, guards: Iterable[Guard]) -> list[str]:
        return [sql for guard in self._all(guards) for sql in self._sql(guard)]

    def dropped(self, guards: Iterable[Guard]) -> list[str]:
        return [f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}" for guard in self._all(guards)]

    def missing(self, connection: Connection) -> list[str]:
        there = {tuple(row) for row in connection.exec_driver_sql(_POSTGRESQL_TRIGGERS)}
        lacking = []
        for guard in self._all(GUARDS):
            bits = _KINDS[guard.on] + (0 if guard.follow else _BEFORE) + (0 if guard.on == "TRUNCATE" else _PER_ROW)
            if (guard.name, guard.table, bits, True, self._body(guard), "plpgsql") not in there:
                lacking.append(guard.name)
        return lacking


def _dialect(connection: Connection) -> _Sqlite | _Postgresql:
    return _Postgresql() if connection.dialect.name == "postgresql" else _Sqlite()
