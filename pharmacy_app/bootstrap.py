"""The one file that wires all rooms: it opens or makes a study's database and hands the services their tools."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from db.engine import is_there, open_engine, place_of
from db.store import SqlStore
from labels.papers import PdfPapers
from labels.ways_out import RoomOutlets
from pharmacy_app import __version__
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.services.desk import Desk, utc_now

if TYPE_CHECKING:
    from argon2 import PasswordHasher

APP_FOLDER = "investigational-pharmacy"


class Argon2Secrets:
    """Passwords encoded with argon2id at the library's recommended cost."""

    def __init__(self, hasher: "PasswordHasher | None" = None) -> None:
        self._given = hasher

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher

        return self._given or PasswordHasher()

    def encode(self, password: str) -> str:
        """The encoded password, salt and cost included."""
        return self._hasher.hash(password)

    def matches(self, encoded: str, password: str) -> bool:
        """Whether the password is the one that was encoded; an empty or broken encoding matches nothing."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False


def data_folder() -> Path:
    """The user's folder for the study's records, made when it is not there."""
    folder = user_data_path(APP_FOLDER, appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The folder {folder} cannot be made ({error.strerror}). Ask for permission on it."
        ) from error
    return folder


def url_of(path: Path) -> str:
    """The address of a database file."""
    return f"sqlite:///{path}"


def default_url() -> str:
    """Where a site's database is kept unless told otherwise."""
    return url_of(data_folder() / "study.sqlite")


def shown_place(url: str) -> str:
    """Where a database is, as a person may see it: a file's path, or server and name without the password."""
    return place_of(url)


def database_exists(url: str) -> bool:
    """Whether a database is there to be opened, an empty one counting as not there.

    Raises ``Unavailable`` for an address at which no database can ever be (a folder, a missing folder, no address)
    and for a server that does not let us ask.
    """
    engine = open_engine(url)
    try:
        return is_there(engine)
    finally:
        engine.dispose()


def open_desk(url: str, *, clock: Callable[[], datetime] = utc_now) -> Desk:
    """Open a study's database."""
    return _desk(SqlStore.open(url), clock)


def open_store_for_check(url: str) -> SqlStore:
    """Open a database to verify it, even when its own refusals are gone: the check then says what is wrong."""
    return SqlStore.open(url, guarded=False)


def create_desk(url: str, *, clock: Callable[[], datetime] = utc_now, secrets: Argon2Secrets | None = None) -> Desk:
    """Make a new database; an existing one is refused."""
    return _desk(SqlStore.create(url), clock, secrets)


def _desk(store: SqlStore, clock: Callable[[], datetime], secrets: Argon2Secrets | None = None) -> Desk:
    return Desk(store, secrets or Argon2Secrets(), PdfPapers(), clock, __version__, RoomOutlets())
