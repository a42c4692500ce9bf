"""A printing service of the tests' own: CUPS in a temporary folder, reached by a socket in it, gone afterwards.

Its queues print into files, so that what a printer would get can be read. Nothing of the system's own service is
touched: another folder, another socket, and it is ended by its own process.
"""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 30.0
PROGRAMS = Path("/usr/lib/cups")
_PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/sbin"


def missing() -> str:
    """What this PC lacks for a printing service of its own, '' for nothing."""
    for command in ("cupsd", "lp", "lpadmin", "lpstat"):
        if shutil.which(command, path=_PATH) is None:
            return f"no “{command}” (Debian: cups-daemon and cups-client)"
    if not (PROGRAMS / "filter" / "pdftopdf").exists():
        return "no filter “pdftopdf” (Debian: cups-filters-core-drivers)"
    return ""


_DRIVER = """*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*LanguageEncoding: ISOLatin1
*PCFileName: "LABELS.PPD"
*Manufacturer: "Tests"
*Product: "(Label printer)"
*ModelName: "Label printer"
*ShortNickName: "Label printer"
*NickName: "Label printer, PDF"
*PSVersion: "(3010.000) 0"
*LanguageLevel: "3"
*ColorDevice: False
*DefaultColorSpace: Gray
*FileSystem: False
*cupsFilter2: "application/vnd.cups-pdf application/pdf 0 -"
*HWMargins: 0 0 0 0
{own_sizes}*OpenUI *PageSize: PickOne
*OrderDependency: 100 AnySetup *PageSize
*DefaultPageSize: Letter
*PageSize Letter/US Letter: "<</PageSize[612 792]>>setpagedevice"
*CloseUI: *PageSize
*OpenUI *PageRegion: PickOne
*OrderDependency: 100 AnySetup *PageRegion
*DefaultPageRegion: Letter
*PageRegion Letter/US Letter: "<</PageSize[612 792]>>setpagedevice"
*CloseUI: *PageRegion
*DefaultImageableArea: Letter
*ImageableArea Letter: "0 0 612 792"
*DefaultPaperDimension: Letter
*PaperDimension Letter: "612 792"
"""
_OWN_SIZES = """*VariablePaperSize: True
*MaxMediaWidth: 612
*MaxMediaHeight: 2000
*NonUIOrderDependency: 100 AnySetup *CustomPageSize
*CustomPageSize True: "pop pop pop <</PageSize [5 -2 roll]>>setpagedevice"
*ParamCustomPageSize Width: 1 points 36 612
*ParamCustomPageSize Height: 2 points 36 2000
*ParamCustomPageSize WidthOffset: 3 points 0 0
*ParamCustomPageSize HeightOffset: 4 points 0 0
*ParamCustomPageSize Orientation: 5 int 0 3
"""

_SERVICE = """Listen {socket}
Browsing No
WebInterface No
DefaultAuthType None
LogLevel warn
PreserveJobFiles No
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  <Limit All>
    Order allow,deny
  </Limit>
</Policy>
"""
_INTO_FILE = """#!/bin/sh
[ $# = 0 ] && exit 0
exec cat ${6:+"$6"} > "${DEVICE_URI#intofile:}"
"""
"""The way to the printer: what comes out of the filters, or what was handed in raw, is what the file holds then."""

_FILES = """SystemGroup {group}
User {user}
Group {users}
ServerRoot {folder}/conf
ServerBin {folder}/programs
CacheDir {folder}/cache
StateDir {folder}/state
RequestRoot {folder}/spool
TempDir {folder}/spool/tmp
ErrorLog {folder}/log/error
AccessLog {folder}/log/access
PageLog {folder}/log/page
ServerKeychain {folder}/conf
"""


class CupsServer:
    """One running printing service with the queues that were added to it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cups-"))  # short: a socket's path has at most 107 bytes
        self.socket = self.folder / "socket"
        self._written: dict[str, Path] = {}
        for name in ("conf", "cache", "state", "spool", "spool/tmp", "log", "programs", "programs/backend"):
            (self.folder / name).mkdir()
        for name in ("filter", "daemon"):
            (self.folder / "programs" / name).symlink_to(PROGRAMS / name)
        way = self.folder / "programs" / "backend" / "intofile"
        way.write_text(_INTO_FILE)
        way.chmod(0o755)
        files = self.folder / "conf" / "cups-files.conf"
        service = self.folder / "conf" / "cupsd.conf"
        user, group = _ordinary_user()
        files.write_text(_FILES.format(folder=self.folder, user=user, users=group, group=_own_group()))
        service.write_text(_SERVICE.format(socket=self.socket))
        self.folder.chmod(0o755)
        command = ["cupsd", "-f", "-c", str(service), "-s", str(files)]
        self._server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": _PATH},
        )
        try:
            self._until(lambda: self._run("lpstat", "-r").startswith("scheduler is running"), "the service to answer")
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """What a program must be told to find this service instead of the system's."""
        return {"CUPS_SERVER": str(self.socket)}

    def add_queue(self, name: str, *, driver: bool = True, own_sizes: bool = True) -> None:
        """A queue that prints PDF with a driver, or without one (raw) passes on what it gets, untouched.

        Without ``own_sizes`` its only paper is letter.
        """
        written = self.folder / f"{name}.out"
        written.touch()
        written.chmod(0o666)
        self._written[name] = written
        how = ["-m", "raw"]
        if driver:
            ppd = self.folder / f"{name}.ppd"
            ppd.write_text(_DRIVER.format(own_sizes=_OWN_SIZES if own_sizes else ""))
            how = ["-P", str(ppd)]
        self._run("lpadmin", "-p", name, "-E", "-v", f"intofile:{written}", *how)

    def printed(self, queue: str) -> bytes:
        """What the printer of a queue got last, once its jobs have ended."""
        self._until(lambda: not self._run("lpstat", "-W", "not-completed", "-o", queue), f"the queue {queue} to end")
        return self._written[queue].read_bytes()

    def said(self) -> str:
        """The service's own log."""
        log = self.folder / "log" / "error"
        return log.read_text(errors="replace") if log.exists() else ""

    def close(self) -> None:
        """End the service and remove its folder."""
        self._server.terminate()
        try:
            self._server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: str, *arguments: str) -> str:
        env = {**os.environ, **self.environment, "PATH": _PATH, "LC_ALL": "C.UTF-8"}
        done = subprocess.run([command, *arguments], capture_output=True, check=False, env=env, timeout=PATIENCE_S)
        if done.returncode and command != "lpstat":
            raise RuntimeError(f"{command} failed: {done.stderr.decode(errors='replace')}\n{self.said()}")
        return done.stdout.decode(errors="replace").strip()

    def _until(self, there: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not there():
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Waited in vain for {what}.\n{self.said()}")
            time.sleep(0.05)


def _ordinary_user() -> tuple[str, str]:
    """Whom the filters run as: root's service may not run them as root."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_name, _group_name(nobody.pw_gid)
    return pwd.getpwuid(os.geteuid()).pw_name, _own_group()


def _own_group() -> str:
    return _group_name(os.getegid())


def _group_name(number: int) -> str:
    return grp.getgrgid(number).gr_name
