"""Where tests keep their databases: a file each, or a database each on a PostgreSQL server of the tests' own.

A test names a database by a path in its own folder. On SQLite that is the file; on PostgreSQL the path stands for
a database on the server. So the same test runs on both: ``pytest --database sqlite`` (the default) or
``pytest --database postgresql``.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, create_engine

from pharmacy_app.bootstrap import url_of

if TYPE_CHECKING:
    from tests.cluster import Cluster


class Databases(Protocol):
    """One kind of database."""

    def url(self, path: Path, *, new: bool = False) -> str:
        """The address under which the app finds the database of this path, made empty first when ``new``."""

    def copy(self, source: Path, target: Path) -> None:
        """Make a database from a closed one."""

    def forget(self) -> None:
        """Remove what was made since ``mark``."""

    def mark(self) -> None:
        """What was made until now stays."""


class Files:
    """SQLite: pytest removes the folders itself."""

    def url(self, path: Path, *, new: bool = False) -> str:
        """See ``Databases``."""
        return url_of(path)

    def copy(self, source: Path, target: Path) -> None:
        """See ``Databases``."""
        assert not source.with_name(source.name + "-wal").exists(), "the file is not closed for copying"
        shutil.copyfile(source, target)

    def forget(self) -> None:
        """See ``Databases``."""

    def mark(self) -> None:
        """See ``Databases``."""


class Server:
    """PostgreSQL: a server starts with the first database asked for."""

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._made: list[str] = []
        self._kept = 0

    @property
    def cluster(self) -> "Cluster":
        """The server."""
        if self._cluster is None:
            from tests.cluster import Cluster  # only where there is a server to start

            self._cluster = Cluster()
        return self._cluster

    @staticmethod
    def name(path: Path) -> str:
        """The database that a path stands for."""
        return "study_" + sha256(str(path).encode()).hexdigest()[:16]

    def url(self, path: Path, *, new: bool = False) -> str:
        """See ``Databases``."""
        if new:
            self._make(self.name(path), "template0")
        return self.cluster.url(self.name(path))

    def copy(self, source: Path, target: Path) -> None:
        """See ``Databases``."""
        self._make(self.name(target), self.name(source))

    def _make(self, name: str, template: str) -> None:
        self.cluster.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)

    def forget(self) -> None:
        """See ``Databases``."""
        gone = self._made[self._kept :]
        del self._made[self._kept :]
        if gone:
            self.cluster.run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in gone))

    def mark(self) -> None:
        """See ``Databases``."""
        self._kept = len(self._made)

    def stop(self) -> None:
        """End the server, if it was ever needed."""
        if self._cluster is not None:
            self._cluster.stop()


CHOSEN: list[Databases] = [Files()]
"""The kind of this run, set by ``conftest``."""


def url_at(path: Path, *, new: bool = False) -> str:
    """The address of the database that a test names by this path."""
    return CHOSEN[0].url(path, new=new)


@contextmanager
def other_hands(path: Path) -> Iterator[Connection]:
    """Another program on the same database: none of the app's settings, every statement by itself."""
    engine = create_engine(url_at(path), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def server() -> Server:
    """The server of this run, for tests that are ``postgresql_only``."""
    chosen = CHOSEN[0]
    assert isinstance(chosen, Server)
    return chosen
