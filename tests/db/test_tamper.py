"""Somebody changes the file with another program: whatever they change, ``verify`` finds it and names it."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.store import SqlStore
from pharmacy_app.bootstrap import url_of
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import Event, hash_of
from pharmacy_app.services.views import Verification
from tests.conftest import Template

TRIGGERS = (
    "journal_event_no_update",
    "journal_event_no_delete",
    "journal_event_next_only",
    "journal_event_moves_head",
    "journal_head_no_delete",
    "journal_head_follows",
    "journal_head_one",
    "ledger_line_no_update",
    "medication_error_no_delete",
    "assessment_no_update",
    "assessment_no_delete",
    "told_no_update",
    "told_no_delete",
)


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

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = sqlite3.connect(path, isolation_level=None)
        for name in TRIGGERS:
            self.raw.execute(f"DROP TRIGGER {name}")
        self.store = SqlStore.open(url_of(path), guarded=False)

    def do(self, sql: str, *values: object) -> None:
        changed = self.raw.execute(sql, values).rowcount
        assert changed != 0, f"nothing was changed by {sql}"

    def body(self, seq: int) -> bytes:
        return bytes(self.raw.execute("SELECT body FROM journal_event WHERE seq = ?", (seq,)).fetchone()[0])

    def count(self) -> int:
        return int(self.raw.execute("SELECT count(*) FROM journal_event").fetchone()[0])

    def found(self) -> Verification:
        """What verifying finds beside the triggers, which an intruder has taken away."""
        found = self.store.verify()
        return replace(found, trouble="") if "refuses changes" in found.trouble else found


@pytest.fixture
def intruder(lived_in: Path, tmp_path: Path) -> Iterator[Intruder]:
    """An intruder on a copy of the lived-in database."""
    path = tmp_path / "study.sqlite"
    shutil.copyfile(lived_in, path)
    hands = Intruder(path)
    assert hands.found().sound
    yield hands
    hands.raw.close()
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
        (stored,) = intruder.raw.execute("SELECT hash FROM journal_event WHERE seq = ?", (seq,)).fetchone()
        for at in range(0, 64, 9):
            other = stored[:at] + ("0" if stored[at] != "0" else "1") + stored[at + 1 :]
            intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", other, seq)
            assert_names(intruder.found(), seq)
        intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", stored.upper(), seq)
        assert_names(intruder.found(), seq)
        intruder.do("UPDATE journal_event SET hash = ? WHERE seq = ?", stored, seq)


def test_a_body_stored_as_text_is_named(intruder: Intruder) -> None:
    """The same characters, but as text where bytes belong."""
    text = intruder.body(5).decode()
    intruder.do("UPDATE journal_event SET body = ? WHERE seq = 5", text)
    assert_names(intruder.found(), 5)


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
    (before,) = intruder.raw.execute("SELECT hash FROM journal_event WHERE seq = ?", (last - 1,)).fetchone()
    intruder.do("DELETE FROM journal_event WHERE seq = ?", last)
    intruder.do("UPDATE journal_head SET seq = ?, hash = ?", last - 1, before)
    assert not intruder.found().sound


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
    return int(intruder.raw.execute("SELECT max(seq) FROM journal_event WHERE kind = ?", (kind,)).fetchone()[0])


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
        "INSERT INTO stock SELECT strength_mg, lot, 'My drawer', state, expires_on, 5 FROM stock LIMIT 1",
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
    intruder.raw.execute(sql)
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
    (name, content) = intruder.raw.execute("SELECT sha256, content FROM stored_paper LIMIT 1").fetchone()
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
def guarded(lived_in: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A raw connection with the app's own pragmas, triggers in place."""
    path = tmp_path / "study.sqlite"
    shutil.copyfile(lived_in, path)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA recursive_triggers=ON")
    yield raw
    raw.close()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE journal_event SET body = X'7B7D' WHERE seq = 3", "never changed"),
        ("UPDATE journal_event SET kind = kind", "never changed"),
        ("DELETE FROM journal_event WHERE seq = 3", "never shortened"),
        ("DELETE FROM journal_event", "never shortened"),
        ("DELETE FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)", "never shortened"),
        ("INSERT OR REPLACE INTO journal_event SELECT * FROM journal_event WHERE seq = 3", "follows the last one"),
        (
            "INSERT OR REPLACE INTO journal_event SELECT seq + 1, act_id, kind, actor_id, done_utc, recorded_utc,"
            " body, hash, hash FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)",
            "never shortened",  # the same act id would push the last event out
        ),
        (
            "INSERT INTO journal_event SELECT seq + 2, act_id || 'x', kind, actor_id, done_utc, recorded_utc,"
            " body, hash, hash FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)",
            "follows the last one",
        ),
        (
            "INSERT INTO journal_event SELECT seq + 1, act_id || 'x', kind, actor_id, done_utc, recorded_utc,"
            " body, hash, previous_hash FROM journal_event WHERE seq = (SELECT max(seq) FROM journal_event)",
            "follows the last one",
        ),
        ("UPDATE journal_head SET seq = seq - 1", "head follows"),
        ("UPDATE journal_head SET hash = 'x'", "head follows"),
        ("DELETE FROM journal_head", "keeps its head"),
        ("INSERT INTO journal_head VALUES (2, 0, '')", "has one head"),
        ("INSERT OR REPLACE INTO journal_head VALUES (1, 0, '')", "has one head"),
        ("UPDATE ledger_line SET quantity = 1", "never changed"),
        ("DELETE FROM ledger_line", "never"),
        ("INSERT OR REPLACE INTO ledger_line SELECT * FROM ledger_line LIMIT 1", "never"),
        ("DELETE FROM medication_error", "never deleted"),
        ("INSERT OR REPLACE INTO medication_error SELECT * FROM medication_error", "never deleted"),
    ],
)
def test_sqlite_itself_refuses(guarded: sqlite3.Connection, sql: str, words: str) -> None:
    before = guarded.execute("SELECT count(*), max(hash) FROM journal_event").fetchone()
    with pytest.raises(sqlite3.IntegrityError, match=words):
        guarded.execute(sql)
    assert guarded.execute("SELECT count(*), max(hash) FROM journal_event").fetchone() == before


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_database_without_its_triggers_is_not_opened(guarded: sqlite3.Connection, name: str, tmp_path: Path) -> None:
    guarded.execute(f"DROP TRIGGER {name}")
    with pytest.raises(Unavailable, match="restore the last backup"):
        SqlStore.open(url_of(tmp_path / "study.sqlite"))


def test_a_trigger_that_says_the_opposite_is_no_trigger(guarded: sqlite3.Connection, tmp_path: Path) -> None:
    guarded.execute("DROP TRIGGER journal_event_no_update")
    guarded.execute("CREATE TRIGGER journal_event_no_update BEFORE UPDATE ON journal_event BEGIN SELECT 1; END")
    with pytest.raises(Unavailable, match="journal_event_no_update"):
        SqlStore.open(url_of(tmp_path / "study.sqlite"))


def test_the_app_runs_with_the_pragma_that_makes_replace_meet_the_triggers(lived_in: Path, tmp_path: Path) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    path = tmp_path / "study.sqlite"
    shutil.copyfile(lived_in, path)
    store = SqlStore.open(url_of(path))
    with store.write() as writer:
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
    store.close()


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
