"""Somebody changes the database with another program: whatever they change, ``verify`` finds it and names it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.exc import IntegrityError

from db.guards import GUARDS, Guard, drop_guards, put_guards
from db.store import SqlStore
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import Event, hash_of
from pharmacy_app.services.printed_head import PrintedHead, check_printed_head
from pharmacy_app.services.views import Verification
from tests.conftest import Template
from tests.databases import CHOSEN, other_hands, url_at


@pytest.fixture(scope="module")
def lived_in(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database with a whole dose in it, a medication error included."""
    path = tmp_path_factory.mktemp("lived-in") / "study.sqlite"
    pharmacy = template.copy_to(path)
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("released")
    pharmacy.give(dose_id, "1.2")
    pharmacy.close(dose_id)
    pharmacy.assert_sound()
    pharmacy.desk.store.close()
    return path


class Intruder:
    """The database under another program's hands: no triggers, no rules."""

    def __init__(self, path: Path, raw: Connection) -> None:
        self.raw = raw
        drop_guards(raw, GUARDS)
        self.store = SqlStore.open(url_at(path), guarded=False)

    def ask(self, sql: str, *values: object) -> CursorResult[Any]:
        """A statement with a ``?`` for each value."""
        for number in range(len(values)):
            sql = sql.replace("?", f":value_{number}", 1)
        return self.raw.execute(text(sql), {f"value_{number}": value for number, value in enumerate(values)})

    def do(self, sql: str, *values: object) -> None:
        changed = self.ask(sql, *values).rowcount
        assert changed != 0, f"nothing was changed by {sql}"

    def body(self, seq: int) -> bytes:
        return bytes(self.ask("SELECT body FROM journal_event WHERE seq = ?", seq).scalar_one())

    def count(self) -> int:
        return int(self.ask("SELECT count(*) FROM journal_event").scalar_one())

    def heads(self) -> dict[int, str]:
        """The hash of each event, as papers printed after it name it."""
        return {row.seq: row.hash for row in self.ask("SELECT seq, hash FROM journal_event")}

    def found(self) -> Verification:
        """What verifying finds beside the triggers, which an intruder has taken away."""
        found = self.store.verify()
        return replace(found, trouble="") if "refuses changes" in found.trouble else found


@pytest.fixture
def copy(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of the lived-in database."""
    path = tmp_path / "study.sqlite"
    CHOSEN[0].copy(lived_in, path)
    return path


@pytest.fixture
def intruder(copy: Path) -> Iterator[Intruder]:
    """An intruder on a copy of the lived-in database."""
    with other_hands(copy) as raw:
        hands = Intruder(copy, raw)
        assert hands.found().sound
        yield hands
        hands.store.close()


def assert_names(found: Verification, seq: int) -> None:
    assert not found.sound
    assert found.first_bad == seq, found
    assert f"vent {seq}" in found.trouble


def test_every_byte_of_an_event_is_guarded(intruder: Intruder) -> None:
    """Each byte position of an early event, in turn one bit, another bit, or the whole byte turned round."""
    seq = 2
    body = intruder.body(seq)
    for at in range(len(body)):
        mask = (0x01, 0x80, 0xFF)[at % 3]
        changed = body[:at] + bytes([body[at] ^ mask]) + body[at + 1 :]
        intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", changed, seq)
        assert_names(intruder.found(), seq)
    intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", body, seq)
    assert intruder.found().sound


def test_a_byte_of_any_event_is_guarded(intruder: Intruder) -> None:
    dice = random.Random(20260302)
    for seq in range(1, intruder.count() + 1):
        body = intruder.body(seq)
        for at in (dice.randrange(len(body)), (0, len(body) - 1)[seq % 2]):
            value = dice.choice([byte for byte in range(256) if byte != body[at]])
            intruder.do(
                "UPDATE journal_event SET body = ? WHERE seq = ?", body[:at] + bytes([value]) + body[at + 1 :], seq
            )
            assert_names(intruder.found(), seq)
        other_length = (body + b" ", body[:-1], b"")[seq % 3]
        intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", other_length, seq)
        assert_names(intruder.found(), seq)
        intruder.do("UPDATE journal_event SET body = ? WHERE seq = ?", body, seq)
    assert intruder.found().sound


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hash", "0" * 64),
        ("hash", ""),
        ("previous_hash", "0" * 64),
        ("act_id", "another act"),
        ("kind", "signed_in"),
        ("actor_id", "A0009"),
        ("done_utc", "2026-03-02T13:00:00.000000Z"),
        ("recorded_utc", "2026-03-02T13:00:00.000000Z"),
    ],
)
@pytest.mark.parametrize("seq", [3, 20])
def test_every_column_beside_the_body_is_guarded(intruder: Intruder, column: str, value: str, seq: int) -> None:
    intruder.do(f"UPDATE journal_event SET {column} = ? WHERE seq = ?", value, seq)
    assert_names(intruder.found(), seq)


def test_one_character_of_a_hash_is_guarded(intruder: Intruder) -> None:
    for seq in (1, 7, intruder.count()):
        stored = intruder.ask("SELECT hash FROM journal_event WHERE seq = ?", seq).scalar_one()
        for at in range(0, 64, 9):
            other = stored[:at] + ("0" if stored[at] != "0" else "1") + stored[at + 1 :]
            intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", other, seq)
            assert_names(intruder.found(), seq)
        intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", stored.upper(), seq)
        assert_names(intruder.found(), seq)
        intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", stored, seq)


@pytest.mark.sqlite_only(reason="a column of PostgreSQL holds nothing but its own type")
def test_a_body_stored_as_text_is_named(intruder: Intruder) -> None:
    """The same characters, but as text where bytes belong."""
    text = intruder.body(5).decode()
    intruder.do("UPDATE journal_event SET body = ? WHERE seq = 5", text)
    assert_names(intruder.found(), 5)


@pytest.mark.sqlite_only(reason="PostgreSQL keeps no text that is none")
@pytest.mark.parametrize("column", ["hash", "act_id", "kind"])
def test_a_column_that_is_no_text_is_named(intruder: Intruder, column: str) -> None:
    intruder.do(f"UPDATE journal_event SET {column} = CAST(X'FFFE' AS TEXT) WHERE seq = 6")
    found = intruder.found()
    assert not found.sound
    assert found.first_bad == 6


def test_the_last_event_cannot_be_taken_away(intruder: Intruder) -> None:
    last = intruder.count()
    intruder.do("DELETE FROM journal_event WHERE seq = ?", last)
    assert_names(intruder.found(), last)


def test_the_last_event_cannot_be_taken_away_with_the_head_turned_back(intruder: Intruder) -> None:
    """Event and head agree again, but the tables still hold what the event did."""
    last = intruder.count()
    before = intruder.ask("SELECT hash FROM journal_event WHERE seq = ?", last - 1).scalar_one()
    intruder.do("DELETE FROM journal_event WHERE seq = ?", last)
    intruder.do("UPDATE journal_head SET seq = ?, hash = ?", last - 1, before)
    assert not intruder.found().sound


def shortened(intruder: Intruder, path: Path, last: int) -> None:
    """Cut the journal's tail off, turn its head back and have the tables made again: what is left agrees."""
    left = intruder.ask("SELECT hash FROM journal_event WHERE seq = ?", last).scalar_one()
    intruder.ask("DELETE FROM journal_event WHERE seq > ?", last)
    intruder.do("UPDATE journal_head SET seq = ?, hash = ?", last, left)
    intruder.do("UPDATE study_mark SET projection_version = 0")
    put_guards(intruder.raw, GUARDS)  # rebuilding takes those of the views away and puts them back
    intruder.store.close()
    intruder.store = SqlStore.open(url_at(path))


@pytest.mark.parametrize("lost", [1, 2, 20])
def test_a_tail_cut_off_with_its_head_and_tables_is_found_by_a_printed_paper(
    intruder: Intruder, copy: Path, lost: int
) -> None:
    """Nothing in the database tells of it any more; the foot of any paper printed since does."""
    heads = intruder.heads()
    last = max(heads) - lost
    shortened(intruder, copy, last)
    assert intruder.store.verify().sound
    with intruder.store.read() as reader:
        for seq, name in heads.items():
            checked = check_printed_head(reader, PrintedHead(seq, name[:12]))
            assert checked.fits == (seq <= last)
            assert checked.fits or f"now it ends at event {last}." in checked.sentence


def test_a_journal_written_anew_from_some_event_on_is_found_by_a_printed_paper(intruder: Intruder, copy: Path) -> None:
    """Bytes changed in the middle, every later hash, the head and the tables made to follow."""
    heads = intruder.heads()
    seq = seq_of(intruder, "shipment_received")
    forge(intruder, seq, lambda body: body.replace(b"2027-03-31", b"2029-03-31"))
    shortened(intruder, copy, max(heads))
    assert intruder.store.verify().sound
    with intruder.store.read() as reader:
        for number, name in heads.items():
            assert check_printed_head(reader, PrintedHead(number, name[:12])).fits == (number < seq)


@pytest.mark.parametrize("seq", [1, 2, 11, 25])
def test_no_event_can_be_taken_away(intruder: Intruder, seq: int) -> None:
    intruder.do("DELETE FROM journal_event WHERE seq = ?", seq)
    assert_names(intruder.found(), seq)


def test_all_events_cannot_be_taken_away(intruder: Intruder) -> None:
    intruder.do("DELETE FROM journal_event")
    found = intruder.found()
    assert (found.sound, found.first_bad) == (False, 1)


def test_two_events_cannot_change_places(intruder: Intruder) -> None:
    intruder.do("UPDATE journal_event SET seq = -1 WHERE seq = 8")
    intruder.do("UPDATE journal_event SET seq = 8 WHERE seq = 9")
    intruder.do("UPDATE journal_event SET seq = 9 WHERE seq = -1")
    assert_names(intruder.found(), 8)


def test_an_event_cannot_be_slipped_in_at_the_end(intruder: Intruder) -> None:
    """A copy of the last event under the next number, with its hash made right and the head left behind."""
    last = intruder.count()
    intruder.do(
        "INSERT INTO journal_event SELECT seq + 1, act_id || 'x', kind, actor_id, done_utc, recorded_utc, body, hash,"
        " hash FROM journal_event WHERE seq = ?",
        last,
    )
    assert_names(intruder.found(), last + 1)


def forge(intruder: Intruder, seq: int, change: Callable[[bytes], bytes]) -> None:
    """Change an event's body and make its hash, every later event and the head follow, as a skilled hand would."""
    previous = ""
    for number in range(seq, intruder.count() + 1):
        body = intruder.body(number)
        if number == seq:
            forged = change(body)
            assert forged != body, "the forgery changes nothing"
            body = forged
        else:
            event = Event.from_body(body)
            body = body.replace(event.previous_hash.encode(), previous.encode())
            intruder.do("UPDATE journal_event SET previous_hash = ? WHERE seq = ?", previous, number)
        previous = hash_of(body)
        intruder.do("UPDATE journal_event SET body = ?, hash = ? WHERE seq = ?", body, previous, number)
    intruder.do("UPDATE journal_head SET hash = ?", previous)


def seq_of(intruder: Intruder, kind: str) -> int:
    return int(intruder.ask("SELECT max(seq) FROM journal_event WHERE kind = ?", kind).scalar_one())


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("shipment_received", b"2027-03-31", b"2029-03-31"),
        ("dose_administered", b'"administered_mg":"1.2"', b'"administered_mg":"1.4"'),
        ("measurement_recorded", b'"value":"70"', b'"value":"80"'),
        ("dose_verified", b"Carla Okafor", b"Paula Reyes!"),
    ],
)
def test_a_forged_chain_does_not_fit_the_tables(intruder: Intruder, kind: str, old: bytes, new: bytes) -> None:
    forge(intruder, seq_of(intruder, kind), lambda body: body.replace(old, new))
    assert not intruder.found().sound


@pytest.mark.parametrize(
    ("kind", "old", "new", "column"),
    [
        ("vials_closed", b'"vials_closed"', b'"vials_cl0sed"', "kind"),  # an act that does not exist
        ("vials_closed", b'"closed":[', b'"clozed":[', ""),  # content without what the act needs
        ("vials_closed", b'"V000001', b'"V900001', ""),  # a vial that does not exist
        ("subject_enrolled", b'"subject_number":"001"', b'"subject_number":null', ""),
    ],
)
def test_a_forged_event_that_cannot_be_replayed_is_named_not_a_crash(
    intruder: Intruder, kind: str, old: bytes, new: bytes, column: str
) -> None:
    seq = seq_of(intruder, kind)
    forge(intruder, seq, lambda body: body.replace(old, new))
    if column:
        intruder.do(f"UPDATE journal_event SET {column} = ? WHERE seq = ?", new.decode().strip('"'), seq)
    assert_names(intruder.found(), seq)


def test_a_changed_row_is_named_by_its_key_in_words(intruder: Intruder) -> None:
    unit = intruder.ask("SELECT min(unit_number) FROM vial").scalar_one()
    intruder.do("UPDATE vial SET lot = 'B2' WHERE unit_number = ?", unit)
    assert intruder.found().trouble == f"The table “vial” is not what the journal gives, at unit number {unit}."


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE stock SET vials = vials + 1 WHERE state = 'available'",
        "UPDATE vial SET state = 'available' WHERE state = 'empty'",
        "UPDATE vial SET expires_on = '2029-01-01' WHERE unit_number LIKE 'V000004%'",
        "UPDATE ledger_line SET quantity = 9 WHERE move = 'release'",
        "UPDATE ledger_line SET comment = 'nothing happened'",
        "DELETE FROM medication_error",
        "UPDATE medication_error SET status = 'closed'",
        "UPDATE dose SET prescribed_mg = '1.2'",
        "UPDATE mg_line SET residue_mg = '0.2'",
        "UPDATE account SET roles = 'pharmacist' WHERE user_name = 'mona'",
        "UPDATE account SET failed_attempts = 4 WHERE user_name = 'paula'",
        "UPDATE account SET locked = 1 WHERE user_name = 'paula'",
        "UPDATE setting SET value = '\"Boyd\"' WHERE name = 'bsa_formula'",
        "UPDATE measurement SET value = '75' WHERE kind = 'weight'",
        "UPDATE site SET time_zone = 'Pacific/Honolulu'",
        "UPDATE counter SET value = value - 1",
        "DELETE FROM counter",
        "UPDATE printed SET copy_number = 7",
        "DELETE FROM printed",
        "DELETE FROM ledger_vial WHERE unit_number LIKE 'V000002%'",
        "INSERT INTO stock SELECT strength_mg, lot, 'My drawer', state, 5 FROM stock LIMIT 1",
        "INSERT INTO subject VALUES ('999', '', '1980', '2026-03-02', 1)",
    ],
)
def test_no_row_of_a_view_can_be_changed(intruder: Intruder, sql: str) -> None:
    intruder.do(sql)
    found = intruder.found()
    assert not found.sound
    table = sql.split()[{"UPDATE": 1, "DELETE": 2, "INSERT": 2}[sql.split(maxsplit=1)[0]]]
    assert f"“{table}”" in found.trouble


@pytest.mark.parametrize("sql", ["DROP TABLE stock", "DELETE FROM journal_head", "DROP TABLE credential"])
def test_what_is_gone_is_said_not_a_crash(intruder: Intruder, sql: str) -> None:
    intruder.ask(sql)
    found = intruder.found()
    assert not found.sound


def test_a_password_cannot_be_put_in_from_outside(intruder: Intruder) -> None:
    """The encoded password of one person copied over another's."""
    intruder.do(
        "UPDATE credential SET encoded = (SELECT encoded FROM credential WHERE account_id = 'A0001')"
        " WHERE account_id = 'A0002'"
    )
    found = intruder.found()
    assert not found.sound
    assert "password of account A0002" in found.trouble


def test_a_password_cannot_be_taken_away(intruder: Intruder) -> None:
    intruder.do("DELETE FROM credential WHERE account_id = 'A0003'")
    found = intruder.found()
    assert not found.sound
    assert "A0003" in found.trouble


def test_a_printed_paper_cannot_be_changed_or_taken_away(intruder: Intruder) -> None:
    paper = intruder.ask("SELECT sha256, content FROM stored_paper ORDER BY sha256").mappings().first()
    assert paper is not None
    name, content = paper["sha256"], paper["content"]
    for at in range(0, len(content), 7):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        intruder.do("UPDATE stored_paper SET content = ? WHERE sha256 = ?", changed, name)
        found = intruder.found()
        assert not found.sound
        assert name[:12] in found.trouble
    intruder.do("DELETE FROM stored_paper WHERE sha256 = ?", name)
    found = intruder.found()
    assert not found.sound
    assert name[:12] in found.trouble


# --- with the triggers in place --------------------------------------------------------------------------------


@pytest.fixture
def guarded(copy: Path) -> Iterator[Connection]:
    """Another program's connection, triggers in place, with the one pragma of the app that concerns them."""
    with other_hands(copy) as raw:
        if raw.dialect.name == "sqlite":
            raw.exec_driver_sql("PRAGMA recursive_triggers=ON")
        yield raw


@contextmanager
def refused(guarded: Connection, words: str) -> Iterator[None]:
    """What is tried inside is refused by the database itself, and the journal is what it was."""
    state = text("SELECT count(*), max(hash), max(seq) FROM journal_event")
    before = guarded.execute(state).one()
    with pytest.raises(IntegrityError, match=words):
        yield
    assert guarded.execute(state).one() == before


_NEXT = (
    "INSERT INTO journal_event SELECT {seq}, act_id || 'x', kind, actor_id, done_utc, recorded_utc, body, hash,"
    " {previous} FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)"
)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "UPDATE journal_event SET body = (SELECT body FROM journal_event WHERE seq = 4) WHERE seq = 3",
            "never changed",
        ),
        ("UPDATE journal_event SET kind = kind", "never changed"),
        ("DELETE FROM journal_event WHERE seq = 3", "never shortened"),
        ("DELETE FROM journal_event", "never shortened"),
        ("DELETE FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)", "never shortened"),
        (_NEXT.format(seq="seq + 2", previous="hash"), "follows the last one"),
        (_NEXT.format(seq="seq + 1", previous="previous_hash"), "follows the last one"),
        (_NEXT.format(seq="0", previous="hash"), "follows the last one"),
        ("UPDATE journal_head SET seq = seq - 1", "head follows"),
        ("UPDATE journal_head SET hash = 'x'", "head follows"),
        ("DELETE FROM journal_head", "keeps its head"),
        ("INSERT INTO journal_head VALUES (2, 0, '')", "has one head"),
        ("UPDATE stored_paper SET content = (SELECT body FROM journal_event WHERE seq = 1)", "never changed"),
        ("UPDATE stored_paper SET sha256 = 'x'", "never changed"),
        ("DELETE FROM stored_paper", "never deleted"),
        ("UPDATE ledger_line SET quantity = 1", "never changed"),
        ("DELETE FROM ledger_line", "never"),
        ("DELETE FROM medication_error", "never deleted"),
        (
            "INSERT INTO journal_event SELECT * FROM journal_event WHERE seq = 3"
            " ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
            "follows the last one",
        ),
        (
            "INSERT INTO stored_paper SELECT * FROM stored_paper WHERE true"
            " ON CONFLICT (sha256) DO UPDATE SET sha256 = 'x'",
            "never changed",
        ),
    ],
)
def test_the_database_itself_refuses(guarded: Connection, sql: str, words: str) -> None:
    with refused(guarded, words):
        guarded.execute(text(sql))


@pytest.mark.sqlite_only(reason="INSERT OR REPLACE is SQLite's")
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT OR REPLACE INTO journal_event SELECT * FROM journal_event WHERE seq = 3", "follows the last one"),
        (
            "INSERT OR REPLACE INTO journal_event SELECT seq + 1, act_id, kind, actor_id, done_utc, recorded_utc,"
            " body, hash, hash FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)",
            "never shortened",  # the same act id would push the last event out
        ),
        ("INSERT OR REPLACE INTO journal_head VALUES (1, 0, '')", "has one head"),
        ("INSERT OR REPLACE INTO ledger_line SELECT * FROM ledger_line LIMIT 1", "never"),
        ("INSERT OR REPLACE INTO medication_error SELECT * FROM medication_error", "never deleted"),
        ("INSERT OR REPLACE INTO stored_paper SELECT sha256, X'00' FROM stored_paper LIMIT 1", "never deleted"),
    ],
)
def test_sqlite_refuses_to_replace(guarded: Connection, sql: str, words: str) -> None:
    with refused(guarded, words):
        guarded.execute(text(sql))


@pytest.mark.postgresql_only(reason="TRUNCATE and sessions that play the replica are PostgreSQL's")
@pytest.mark.parametrize("replica", [False, True], ids=["as anybody", "as a replica"])
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("TRUNCATE journal_event", "never shortened"),
        ("TRUNCATE journal_event, journal_head", "never shortened"),
        ("TRUNCATE journal_head", "keeps its head"),
        ("TRUNCATE stored_paper", "never deleted"),
        ("TRUNCATE ledger_line CASCADE", "never deleted"),
        ("TRUNCATE medication_error", "never deleted"),
        ("UPDATE journal_event SET kind = kind", "never changed"),
        ("DELETE FROM ledger_line", "never deleted"),
    ],
)
def test_postgresql_refuses_to_truncate(guarded: Connection, sql: str, words: str, replica: bool) -> None:
    if replica:
        guarded.execute(text("SET session_replication_role = replica"))
    with refused(guarded, words):
        guarded.execute(text(sql))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_database_without_its_triggers_is_not_opened(guarded: Connection, copy: Path, guard: Guard) -> None:
    drop_guards(guarded, [guard])
    with pytest.raises(Unavailable, match="restore the last backup"):
        SqlStore.open(url_at(copy))


@pytest.mark.sqlite_only(reason="the words of SQLite")
def test_a_trigger_that_says_the_opposite_is_no_trigger(guarded: Connection, copy: Path) -> None:
    guarded.execute(text("DROP TRIGGER journal_event_no_update"))
    guarded.execute(text("CREATE TRIGGER journal_event_no_update BEFORE UPDATE ON journal_event BEGIN SELECT 1; END"))
    with pytest.raises(Unavailable, match="journal_event_no_update"):
        SqlStore.open(url_at(copy))


@pytest.mark.postgresql_only(reason="the words of PostgreSQL")
@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE journal_event DISABLE TRIGGER journal_event_no_update",
        "ALTER TABLE journal_event ENABLE TRIGGER journal_event_no_update",
        "ALTER TABLE journal_event ENABLE REPLICA TRIGGER journal_event_no_update",
        "CREATE OR REPLACE FUNCTION journal_event_no_update() RETURNS trigger LANGUAGE plpgsql"
        " AS $$BEGIN RETURN NEW;END$$",
        "CREATE OR REPLACE TRIGGER journal_event_no_update BEFORE UPDATE OF seq ON journal_event"
        " FOR EACH ROW EXECUTE FUNCTION journal_event_no_update();"
        " ALTER TABLE journal_event ENABLE ALWAYS TRIGGER journal_event_no_update",
        "CREATE OR REPLACE TRIGGER journal_event_no_update BEFORE UPDATE ON journal_event"
        " FOR EACH ROW WHEN (OLD.seq < 0) EXECUTE FUNCTION journal_event_no_update();"
        " ALTER TABLE journal_event ENABLE ALWAYS TRIGGER journal_event_no_update",
        "CREATE OR REPLACE TRIGGER journal_event_no_update AFTER UPDATE ON journal_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION journal_event_no_delete();"
        " ALTER TABLE journal_event ENABLE ALWAYS TRIGGER journal_event_no_update",
        "DROP TRIGGER journal_event_no_truncate ON journal_event",
        "ALTER TABLE journal_event DISABLE TRIGGER USER",
    ],
    ids=["off", "not always", "replica", "says nothing", "one column", "never", "another's", "truncate", "all off"],
)
def test_a_trigger_that_is_switched_off_or_weakened_is_no_trigger(guarded: Connection, copy: Path, sql: str) -> None:
    for statement in sql.split("; "):
        guarded.exec_driver_sql(statement)
    with pytest.raises(Unavailable, match="no longer refuses changes to its journal"):
        SqlStore.open(url_at(copy))
    with SqlStore.open(url_at(copy), guarded=False) as store:
        assert "no longer refuses changes" in store.verify().trouble


@pytest.mark.sqlite_only(reason="pragmas are SQLite's")
def test_the_app_runs_with_the_pragma_that_makes_replace_meet_the_triggers(copy: Path) -> None:
    with SqlStore.open(url_at(copy)) as store, store.write() as writer:
        for name, value in (("recursive_triggers", 1), ("synchronous", 2), ("foreign_keys", 1)):
            assert writer.connection.execute(text(f"PRAGMA {name}")).scalar() == value
        assert writer.connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        with pytest.raises(IntegrityError, match="never"):
            writer.connection.execute(
                text(
                    "INSERT OR REPLACE INTO journal_event SELECT seq + 1, act_id, kind, actor_id, done_utc,"
                    " recorded_utc, body, hash, hash FROM journal_event"
                    " WHERE seq = (SELECT max(seq) FROM journal_event)"
                )
            )


@pytest.mark.postgresql_only(reason="settings of a session")
def test_the_app_runs_with_the_settings_that_keep_its_promises(copy: Path) -> None:
    with SqlStore.open(url_at(copy)) as store:
        with store.write() as writer:
            shown = {
                name: writer.connection.exec_driver_sql(f"SHOW {name}").scalar()
                for name in ("synchronous_commit", "lock_timeout", "transaction_isolation", "transaction_read_only")
            }
        assert shown == {
            "synchronous_commit": "on",
            "lock_timeout": "5s",
            "transaction_isolation": "read committed",
            "transaction_read_only": "off",
        }
        with store.read() as reader:
            assert reader.connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
            assert reader.connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"


def test_a_forgery_that_hashes_right_breaks_the_chain_at_the_next_event(intruder: Intruder) -> None:
    """Bytes and hash of event 5 agree again; event 6 still names the hash that event 5 had."""
    body = intruder.body(5).replace(b'"workstation":"', b'"workstation":"X')
    intruder.do("UPDATE journal_event SET body = ?, hash = ? WHERE seq = 5", body, hash_of(body))
    found = intruder.found()
    assert found.first_bad == 6
    assert "does not follow event 5" in found.trouble


def test_a_database_that_no_longer_refuses_changes_is_not_called_sound(intruder: Intruder) -> None:
    """Every byte is as it was, yet nothing would stop the next hand."""
    found = intruder.store.verify()
    assert not found.sound
    assert found.first_bad is None
    assert "no longer refuses changes" in found.trouble
