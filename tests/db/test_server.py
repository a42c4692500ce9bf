"""A database server in the way: gone, refusing, busy, full, read-only. And a server that falls over at work."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.postgresql import sentence_of
from db.store import SqlStore
from pharmacy_app.bootstrap import database_exists
from pharmacy_app.domain.errors import Unavailable
from tests.cluster import GUARDED_USER, Cluster
from tests.conftest import Template
from tests.databases import other_hands, server
from tests.db.test_opening import assert_plain, refused_to_open
from tests.db.test_power_cut import ROOT
from tests.db.workstation import Study
from tests.services.pharmacy import MONDAY, Pharmacy

pytestmark = pytest.mark.postgresql_only(reason="a server can be gone, busy or full in ways of its own")


@pytest.fixture
def admin(pharmacy: Pharmacy) -> Iterator[str]:
    """The name of the pharmacy's database, for the server's administrator."""
    yield server().name(pharmacy.path)


def unavailable(pharmacy: Pharmacy, shipment: str = "S-9") -> str:
    """What the pharmacist reads when a delivery cannot be recorded; nothing of it is."""
    with pytest.raises(Unavailable) as told:
        pharmacy.receive(shipment)
    assert_plain(str(told.value))
    return str(told.value)


# --- coming in ---------------------------------------------------------------------------------------------------


def test_an_old_style_address_opens_the_same_study(pharmacy: Pharmacy, database: str) -> None:
    with SqlStore.open(database.replace("postgresql+psycopg://", "postgresql://")) as store:
        assert store.verify().sound


def test_no_such_database(database: str) -> None:
    assert "no database of that name" in refused_to_open(database.replace("/study_", "/studdy_"))
    with pytest.raises(Unavailable, match="no database of that name"):
        database_exists(database.replace("/study_", "/studdy_"))


def test_a_server_that_does_not_run(tmp_path: Path) -> None:
    assert "does not run" in refused_to_open(f"postgresql://tester@/study?host={tmp_path}")
    assert "does not run" in refused_to_open("postgresql://tester:secret@127.0.0.1:1/study")


def test_a_server_whose_name_nobody_knows() -> None:
    assert "name is not known" in refused_to_open("postgresql://tester:secret@no-such-server.invalid/study")


def test_a_wrong_password_or_none(pharmacy: Pharmacy, admin: str) -> None:
    server().cluster.run(f"DROP ROLE IF EXISTS {GUARDED_USER}", f"CREATE ROLE {GUARDED_USER} LOGIN PASSWORD 'right'")
    address = server().cluster.url(admin, GUARDED_USER)
    assert "password" in refused_to_open(address)
    sentence = refused_to_open(address.replace("paula@", "paula:wr0ng-secret@"))
    assert "does not accept the user or its password" in sentence
    assert "wr0ng-secret" not in sentence
    assert "password" in refused_to_open(server().cluster.url(admin, "nobody_known"))


def test_the_password_stands_in_no_words_of_the_trouble_and_its_causes(admin: str) -> None:
    address = server().cluster.url(admin, GUARDED_USER).replace("paula@", "paula:wr0ng-secret@")
    with pytest.raises(Unavailable) as told:
        SqlStore.open(address)
    cause: BaseException | None = told.value
    while cause is not None:
        assert "wr0ng-secret" not in f"{cause} {cause!r}"
        cause = cause.__cause__ or cause.__context__


def test_a_user_without_rights_on_the_tables(admin: str) -> None:
    server().cluster.run("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    assert "database user may not do this" in refused_to_open(server().cluster.url(admin, "guest"))


def test_too_many_connections(pharmacy: Pharmacy, admin: str) -> None:
    pharmacy.desk.store._engine.dispose()  # type: ignore[attr-defined]
    server().cluster.run("DROP ROLE IF EXISTS crowd", "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
    assert "no more connections" in refused_to_open(server().cluster.url(admin, "crowd"))
    server().cluster.run(f"ALTER DATABASE {admin} CONNECTION LIMIT 0")
    assert "no more connections" in refused_to_open(server().cluster.url(admin, "crowd"))


@pytest.mark.parametrize(
    ("setting", "words"),
    [("synchronous_commit = off", "before they are on its disk")],
)
def test_a_server_that_does_not_keep_what_it_confirms_is_refused(admin: str, setting: str, words: str) -> None:
    server().cluster.run(f"ALTER DATABASE {admin} SET {setting}")
    assert words in refused_to_open(server().cluster.url(admin))


def test_a_new_study_is_refused_there_too_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    url = server().url(path, new=True)
    server().cluster.run(f"ALTER DATABASE {server().name(path)} SET synchronous_commit = off")
    with pytest.raises(Unavailable, match="synchronous_commit"):
        SqlStore.create(url)
    assert not database_exists(url)


def test_a_database_that_does_not_keep_all_letters_is_refused(tmp_path: Path) -> None:
    name = "in_ascii"
    server().cluster.run(
        f"DROP DATABASE IF EXISTS {name}",
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
    )
    with pytest.raises(Unavailable, match="UTF8"):
        SqlStore.create(server().cluster.url(name))
    server().cluster.run(f"DROP DATABASE {name}")


# --- at work -----------------------------------------------------------------------------------------------------


def test_somebody_else_holds_the_head_of_the_chain(pharmacy: Pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    import db.postgresql

    impatient = db.postgresql.SESSION.replace("'5s'", "'100ms'")
    monkeypatch.setattr("db.engine.SESSION", impatient)
    pharmacy.desk.store._engine.dispose()  # type: ignore[attr-defined]
    before = pharmacy.count()
    with psycopg.connect(server().cluster.conninfo(server().name(pharmacy.path))) as other:
        other.execute("SELECT seq FROM journal_head FOR UPDATE")
        assert "Another workstation is recording" in unavailable(pharmacy)
        assert pharmacy.count() == before  # reading goes on
        other.rollback()
    pharmacy.receive("S-9")
    assert pharmacy.count() == before + 1
    pharmacy.assert_sound()


def test_a_connection_cut_while_nobody_worked_is_made_anew(pharmacy: Pharmacy, admin: str) -> None:
    """The server was started again over night; in the morning the app goes on as if nothing was."""
    before = pharmacy.count()
    _cut(admin)
    pharmacy.receive("S-9")
    assert pharmacy.count() == before + 1
    pharmacy.assert_sound()


def _cut(name: str) -> None:
    server().cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


def test_a_connection_cut_in_the_middle_of_an_act_leaves_nothing_of_it(pharmacy: Pharmacy, admin: str) -> None:
    before = pharmacy.count()
    with pytest.raises(Unavailable) as told, pharmacy.desk.store.write() as writer:
        writer.put_paper(b"half an act")
        _cut(admin)
        writer.put_paper(b"the other half")
    assert "does not answer any more" in str(told.value)
    assert_plain(str(told.value))
    assert pharmacy.count() == before
    with other_hands(pharmacy.path) as connection:
        assert connection.execute(text("SELECT count(*) FROM stored_paper WHERE length(content) < 20")).scalar() == 0
    pharmacy.receive("S-9")
    pharmacy.assert_sound()


def test_a_reading_half_read_when_the_connection_is_cut(pharmacy: Pharmacy, admin: str) -> None:
    with pytest.raises(Unavailable, match="does not answer any more"), pharmacy.desk.store.read() as reader:
        reader.head()
        _cut(admin)
        reader.head()
    assert pharmacy.count() > 0


def test_a_reading_sees_one_moment_though_others_record(pharmacy: Pharmacy) -> None:
    with pharmacy.desk.store.read() as reader:
        before = reader.head().seq
        pharmacy.receive("S-9")
        assert reader.head().seq == before
        assert reader.counter("vial") == 0
    assert pharmacy.count() == before + 1


def test_a_server_that_may_only_be_read(pharmacy: Pharmacy, admin: str) -> None:
    server().cluster.run(f"ALTER DATABASE {admin} SET default_transaction_read_only = on")
    pharmacy.desk.store._engine.dispose()  # type: ignore[attr-defined]
    before = pharmacy.count()
    assert "may only be read" in unavailable(pharmacy)
    assert pharmacy.count() == before


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("53100", "disk of the database server is full"),
        ("53200", "out of memory"),
        ("53300", "no more connections"),
        ("40001", "recorded at the same moment"),
        ("40P01", "recorded at the same moment"),
        ("57P01", "does not answer any more"),
        ("57P03", "starting or shutting down"),
        ("57014", "broke the question off"),
        ("58030", "did not answer"),
        ("XX001", "database is damaged"),
        ("28P01", "does not accept the user"),
        ("3D000", "no database of that name"),
        ("25006", "may only be read"),
    ],
)
def test_the_servers_own_codes_are_told_in_words(pharmacy: Pharmacy, code: str, words: str) -> None:
    """The server is made to answer an act with the code it would have for such trouble."""
    with other_hands(pharmacy.path) as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION in_trouble() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE EXCEPTION 'no words for a pharmacist' USING ERRCODE = '{code}';END$$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER in_trouble AFTER INSERT ON ledger_line EXECUTE FUNCTION in_trouble()"
        )
    before = pharmacy.count()
    sentence = unavailable(pharmacy)
    assert words in sentence
    assert "no words" not in sentence
    assert (pharmacy.count(), pharmacy.vials()) == (before, [])
    pharmacy.assert_sound()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("connection failed: Verbindungsaufbau: FATAL:  Passwort-Authentifizierung für »paula« fehlgeschlagen", "let"),
        ("connection failed: FATAL:  sorry, too many clients already", "no more connections"),
        ("connection failed: FATAL:  the database system is starting up", "starting or shutting down"),
        ("connection failed: FATAL:  no pg_hba.conf entry for host", "does not let this PC or user in"),
        ("connection failed: server does not support SSL, but SSL was required", "protected connection"),
        ("connection timeout expired", "does not answer"),
        ("server closed the connection unexpectedly", "does not answer any more"),
    ],
)
def test_a_refusal_without_a_code_is_known_by_its_words(words: str, said: str) -> None:
    sentence = sentence_of(psycopg.OperationalError(words))
    assert sentence is not None
    assert_plain(sentence)
    assert said in sentence


def test_our_own_mistakes_keep_their_name() -> None:
    for mistake in (psycopg.errors.UniqueViolation("x"), psycopg.errors.UndefinedTable("x"), ValueError("x"), None):
        assert sentence_of(mistake) is None


# --- the server falls over ---------------------------------------------------------------------------------------


def test_what_was_acknowledged_survives_a_server_that_falls_over(template: Template) -> None:
    """The server ends at once while two workstations work; started again, every act it confirmed is there."""
    cluster = Cluster()
    try:
        cluster.run("CREATE DATABASE study")
        url = cluster.url("study")
        SqlStore.create(url).close()
        _fill(template, url)
        promised: list[str] = []
        for fall in range(3):
            workers = [_child(url) for _ in range(2)]
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
            heard = [worker.stdout.readline() for worker in workers if worker.stdout]  # both are at work
            time.sleep(0.2 + fall / 10)
            cluster.kill()
            for worker, first in zip(workers, heard, strict=True):
                rest, trouble = worker.communicate(timeout=60)
                promised += [line for line in (first + rest).split("\n")[:-1] if line]
                assert worker.returncode != 0
                assert "Unavailable" in trouble.splitlines()[-1], trouble[-600:]
            cluster.start()
            with SqlStore.open(url) as store:
                with store.read() as reader:
                    missing = [act_id for act_id in promised if reader.event_of_act(act_id) is None]
                assert missing == []
                assert store.verify().sound
        assert len(promised) == len(set(promised)) > 12
    finally:
        cluster.stop()


def _child(url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.db.power_cut_child", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _fill(template: Template, url: str) -> None:
    """The template's journal in the other server's database, event by event."""
    source = Study(server().url(template.path), {}, MONDAY).open()
    target = Study(url, {}, MONDAY).open()
    with source.desk.store.read() as reader:
        bodies = [body for _, body in reader.journal()]
        accounts = [(each.account_id, reader.credential(each.account_id)) for each in reader.accounts()]
    from pharmacy_app.domain.events import Event

    with target.desk.store.write() as writer:
        for body in bodies:
            writer.append(Event.from_body(body))
        for account_id, encoded in accounts:
            writer.put_credential(account_id, encoded)
    target.assert_sound()
    for pharmacy in (source, target):
        pharmacy.desk.store.close()
