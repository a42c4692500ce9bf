"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket in it, gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

OLDEST = 15
USER = "tester"
GUARDED_USER = "paula"
"""A user whose password the server asks for; all others come in without."""


def server_programs() -> Path | None:
    """The folder of the newest server's programs on this PC; None when there is none that is new enough."""
    found = [
        (int(folder.parent.name), folder)
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdigit() and (folder / "initdb").exists()
    ]
    on_path = shutil.which("initdb")
    newest = max(found, default=None)
    if newest and newest[0] >= OLDEST:
        return newest[1]
    return Path(on_path).resolve().parent if on_path else None


_KEEPER = """
trap '' INT TERM
cat
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -INT "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
rm -rf "$1"
"""


class Cluster:
    """One running server."""

    def __init__(self, *options: str) -> None:
        programs = server_programs()
        if programs is None:
            raise RuntimeError("There is no PostgreSQL server on this PC. Install the package “postgresql”.")
        self._programs = programs
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 bytes
        self._user, self._group = _ordinary_user()
        if self._user is not None and self._group is not None:
            os.chown(self.folder, self._user, self._group)
        # Text sorts as a dictionary does, so that a column without the order of bytes is noticed.
        english = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
        self._run("initdb", "-D", self.folder / "data", "-U", USER, "-E", "UTF8", *english, "-A", "trust", "-N")
        access = self.folder / "data" / "pg_hba.conf"
        access.write_text(f"local all {GUARDED_USER} scram-sha-256\nlocal all all trust\n")
        self._server: subprocess.Popen[bytes] | None = None
        self._admin: psycopg.Connection[tuple[object, ...]] | None = None
        # However this program ends, its end of the pipe closes: then server and folder go.
        self._keeper = subprocess.Popen(["sh", "-c", _KEEPER, "sh", str(self.folder)], stdin=subprocess.PIPE)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it lets somebody in."""
        # A process killed does not lose what the system has taken from it, so nothing here needs fsync.
        options = ("fsync=off", "autovacuum=off", "listen_addresses=", "shared_buffers=32MB", *self._options)
        command: list[str | Path] = [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder]
        for option in options:
            command += ["-c", option]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user,
                group=self._group,
                extra_groups=None if self._user is None else [],
            )
        ends = time.monotonic() + 60
        while not self._lets_in():
            if self._server.poll() is not None or time.monotonic() > ends:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def _lets_in(self) -> bool:
        try:
            psycopg.connect(self.conninfo("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """The server ends at once, as in a power cut: nothing is tidied up."""
        assert self._server is not None
        self._let_go()
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=60)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._let_go()
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(timeout=60)
        self._keeper.communicate(timeout=60)

    def _let_go(self) -> None:
        if self._admin is not None:
            self._admin.close()

    def conninfo(self, name: str) -> str:
        """What psycopg connects with."""
        return f"host={self.folder} user={USER} dbname={name}"

    def url(self, name: str, user: str = USER) -> str:
        """The address of one of its databases, as the app takes it."""
        return f"postgresql+psycopg://{user}@/{name}?host={self.folder}"

    def run(self, *statements: str) -> None:
        """Statements of its administrator, each by itself."""
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(self.conninfo("postgres"), autocommit=True)
        for statement in statements:
            self._admin.execute(statement.encode())

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self._user,
            group=self._group,
            extra_groups=None if self._user is None else [],
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


def _ordinary_user() -> tuple[int | None, int | None]:
    """User and group as which root runs the server, because it refuses to run as root; nothing for anybody else."""
    if os.geteuid() != 0:
        return None, None
    import pwd  # only where there is a root

    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise RuntimeError("There is no user but root to run the server as.")
