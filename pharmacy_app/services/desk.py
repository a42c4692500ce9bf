"""How every act is done: authority checked, rules checked, one event appended, all in one transaction.

An act service reads its form, then hands ``perform`` a function that checks against the store and returns a
``Draft``. ``perform`` does the rest the same way for all: it proves the signers' passwords, takes the write
lock, returns the earlier event when this act was recorded already, checks authority, appends.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from pharmacy_app.domain.codec import canonical, digest
from pharmacy_app.domain.dates import at_site, say_day, say_moment
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event, Signature, utc_text
from pharmacy_app.domain.people import Account, Role, authority_fault
from pharmacy_app.services import views
from pharmacy_app.services.ports import LabelOutlets, Reader, Secrets, Store, Writer

if TYPE_CHECKING:
    from pharmacy_app.domain.protocol import Protocol
    from pharmacy_app.services.papers import Papers

MAX_FAILED_SIGN_INS = 5
"""Failed passwords in a row that lock an account (REGULATION E-22)."""

AHEAD = timedelta(minutes=2)
"""How far ahead of the clock a 'done at' may lie: typed minutes round up."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every act needs from the outside, handed in by ``bootstrap``."""

    store: Store
    secrets: Secrets
    papers: "Papers"
    clock: Callable[[], datetime]
    app_version: str
    outlets: LabelOutlets


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in at a workstation."""

    account_id: str
    printed_name: str
    roles: tuple[Role, ...]
    workstation: str
    user_name: str = ""
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one person: keep the same ``act_id`` for a retry and it is recorded once."""

    session: Session
    act_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name and password, as typed to sign. Never stored, never hashed into the journal."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signing:
    """One signature asked for: whose, and what it means."""

    credentials: Credentials
    meaning: str
    field: str = "password"


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts of now, inside an act: the person, the site, the moment and the site's day."""

    person: Account
    site: views.Site
    now: datetime
    today: date
    signers: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What an act wants appended; ``done_at`` ``None`` means now.

    An act that was done on an earlier day of the site is a late entry and says why in ``late_why``; ``None`` where the
    act is the report of a fact whose own time is asked for, and being told of it later is no lateness.
    """

    content: dict[str, Any]
    done_at: datetime | None = None
    why: str = ""
    late_why: str | None = ""


Proven = tuple[Signing, Account, str]
"""A signature asked for, the account whose password was typed, and that password as it is kept."""


class Denied(Refused):
    """An act its person has no authority for, or that the record is closed to; the try is recorded."""


class NotAdmitted(Refused):
    """A try that was turned away at the door, which is recorded; a wrong password also counts (``counts``)."""

    def __init__(self, fault: Fault, user_name: str, account: Account | None, *, counts: bool) -> None:
        super().__init__(fault)
        self.user_name = user_name
        self.account = account
        self.counts = counts


def zone_of(site: views.Site) -> ZoneInfo:
    """The site's time zone."""
    return ZoneInfo(site.time_zone)


def today_of(desk: Desk, reader: Reader) -> date:
    """The calendar day at the site now."""
    return desk.clock().astimezone(zone_of(site_of(reader))).date()


@lru_cache(maxsize=16)
def _protocol(text: str) -> "Protocol":
    # Imported here: the window is ready to sign in before anything needs the protocol's models.
    from pharmacy_app.domain.protocol import load_protocol

    return load_protocol(text)


def version_on(site: views.Site, on: date) -> views.ProtocolVersion:
    """The version of the protocol in force on a day of the site; an amendment is, from its effective date on."""
    in_force = (version for version in site.versions if version.effective_on <= on)
    return max(in_force, key=lambda version: (version.effective_on, version.event_seq))


def protocol_of(site: views.Site, on: date) -> "Protocol":
    """The protocol in force at the site on the day ``on``: the one by which what is done on that day is judged."""
    return protocol_in(version_on(site, on))


def protocol_in(version: views.ProtocolVersion) -> "Protocol":
    """The protocol of one version, whether or not it is in force."""
    return _protocol(version.text)


def site_of(reader: Reader) -> views.Site:
    """The site of this database; raises ``Refused`` when it was never set up."""
    site = reader.site()
    if site is None:
        raise Refused(Fault("", "This database has no study yet. Go through the set-up first."))
    return site


def perform(
    desk: Desk,
    act: Act,
    kind: str,
    form: object,
    build: Callable[[Writer, Moment], Draft],
    signings: tuple[Signing, ...] = (),
) -> Event:
    """Do one act and return its event; the same act again returns the same event and appends nothing.

    Raises ``Refused`` (all faults at once) when a rule refuses, ``Unavailable`` when the store cannot be
    reached. A try without authority, under a signed period, with a name that may not sign here and with a wrong
    password are themselves recorded.
    """
    request = digest({"kind": kind, "form": form, "actor": act.session.account_id})
    try:
        if signings:
            # Passwords are not asked for again by an act that is on record; without any, the write lock comes first.
            with desk.store.read() as reader:
                earlier = _recorded(reader, act, request)
            if earlier is not None:
                return earlier
        proven = tuple((signing, *_prove(desk, signing)) for signing in signings)
        return _perform(desk, act, kind, request, build, proven)
    except Denied as denied:
        record_denial(desk, act.session, kind, denied)
        raise
    except NotAdmitted as turned_away:
        record_turned_away(desk, turned_away, act.session.workstation)
        raise
    except Refused as refused:
        # A name that does not belong under this act is a try at the signature itself, no slip in a form (E-19).
        wrong_names = [fault for fault in refused.faults if fault.field.endswith("user_name")]
        if signings and wrong_names:
            record_denial(desk, act.session, kind, Refused(*wrong_names))
        raise


def _perform(
    desk: Desk,
    act: Act,
    kind: str,
    request: str,
    build: Callable[[Writer, Moment], Draft],
    proven: tuple[Proven, ...],
) -> Event:
    with desk.store.write() as writer:
        earlier = _recorded(writer, act, request)
        if earlier is not None:
            return earlier
        site = site_of(writer)
        now = at_site(desk.clock(), zone_of(site))
        today = now.date()
        person = writer.account(act.session.account_id)
        if person is None:
            raise Denied(Fault("", "You are not signed in with an account of this study. Sign in again."))
        fault = authority_fault(person, kind, today)
        if fault:
            raise Denied(fault)
        if person.must_change_password and kind not in ("password_changed", "signed_out"):
            raise Denied(Fault("", "Your password was set by somebody else. Change it before you do anything else."))
        signers = _signers(writer, kind, today, proven)
        draft = _in_time(writer, build(writer, Moment(person, site, now, today, signers)), now, zone_of(site))
        content_sha256 = digest(draft.content) if proven else ""
        signatures = tuple(
            Signature(signer.account_id, signer.printed_name, signing.meaning, now, content_sha256)
            for (signing, _, _), signer in zip(proven, signers, strict=True)
        )
        return append(
            writer,
            kind,
            draft,
            act_id=act.act_id,
            actor=(person.account_id, person.printed_name),
            workstation=act.session.workstation,
            now=now,
            signatures=signatures,
            request_sha256=request,
        )


LATE = "late entry"
"""The mark of an act that was done on an earlier day of the site than it was recorded."""


def _in_time(reader: Reader, draft: Draft, now: datetime, zone: ZoneInfo) -> Draft:
    """The draft with its reason for being late on record; refused without one, and inside a signed period."""
    # By the site's clock as it went on that day: in another season it is an hour off today's.
    done_at = (draft.done_at or now).astimezone(zone)
    locked_until = reader.locked_until()
    if draft.late_why is not None and utc_text(done_at) < locked_until:
        # The lock ends at a midnight of the site: the last moment before it lies in the last day that is signed.
        last = (datetime.fromisoformat(locked_until) - timedelta(microseconds=1)).astimezone(zone)
        raise Denied(
            Fault(
                "done_at",
                f"The monitor has signed the record through {say_day(last)}: nothing is dated there any more. Leave the"
                " time empty, so that it counts from now, and say in its reason or note when it was done.",
                "",
                "8.2",
            )
        )
    if draft.late_why is None or done_at.date() >= now.date():
        # A reason for being late says nothing of what was done today.
        return replace(draft, late_why=draft.late_why and "")
    if not draft.late_why:
        raise Refused(
            Fault(
                "late_why",
                f"This was done on {say_day(done_at)} and is recorded today: a late entry. Say why it is late.",
                "",
                "8.2",
            )
        )
    return replace(draft, content={**draft.content, "late_why": draft.late_why})


def _signers(writer: Writer, kind: str, today: date, proven: tuple[Proven, ...]) -> tuple[Account, ...]:
    """The people whose passwords were proven, each admitted to sign this kind of act today."""
    signers = []
    for signing, account, encoded in proven:
        signer = writer.account(account.account_id)
        if signer is None or writer.credential(account.account_id) != encoded:
            raise Refused(Fault(signing.field, "This password was changed a moment ago. Sign again."))
        fault = authority_fault(signer, kind, today)
        if fault:
            raise Denied(Fault(signing.field, fault.sentence, fault.rule, fault.section))
        if signer.must_change_password and kind != "password_changed":
            raise Denied(
                Fault(
                    signing.field,
                    f"{signer.printed_name}'s password was set by somebody else, so it signs nothing."
                    " Sign in with it and change it first.",
                )
            )
        signers.append(signer)
    return tuple(signers)


def _recorded(reader: Reader, act: Act, request: str) -> Event | None:
    """The event this act has left already; refused when it was asked with other content."""
    earlier = reader.event_of_act(act.act_id)
    if earlier is not None and earlier.request_sha256 != request:
        raise Refused(Fault("", "This act was recorded already, with other content. Open the page again to see it."))
    return earlier


def append(
    writer: Writer,
    kind: str,
    draft: Draft,
    *,
    act_id: str,
    actor: tuple[str, str],
    workstation: str,
    now: datetime,
    signatures: tuple[Signature, ...] = (),
    request_sha256: str = "",
) -> Event:
    """Build the next event after the journal's head and append it."""
    done_at = draft.done_at or now
    if done_at > now + AHEAD:
        raise Refused(
            Fault("done_at", f"{say_moment(done_at)} is in the future. Type when it was done, or set the PC's clock.")
        )
    head = writer.head()
    marks: tuple[str, ...] = ("clock behind the last entry",) if utc_text(now) < head.recorded_utc else ()
    if draft.late_why:
        marks += (LATE,)
    event = Event(
        seq=head.seq + 1,
        act_id=act_id,
        kind=kind,
        actor_id=actor[0],
        actor_name=actor[1],
        workstation=workstation,
        done_at=done_at,
        recorded_at=now,
        why=draft.why,
        # What is appended is what was hashed and signed: exact plain JSON.
        content=cast(dict[str, Any], json.loads(canonical(draft.content))),
        signatures=signatures,
        request_sha256=request_sha256,
        marks=marks,
        previous_hash=head.hash,
    )
    writer.append(event)
    return event


def _prove(desk: Desk, signing: Signing) -> tuple[Account, str]:
    """The account whose password was typed, and its encoded password; raises ``NotAdmitted``."""
    return prove(desk, signing.credentials, signing.field)


def prove(desk: Desk, credentials: Credentials, at_field: str) -> tuple[Account, str]:
    """Check a password; raises ``NotAdmitted`` when it does not fit or the account is locked or disabled."""
    with desk.store.read() as reader:
        account = reader.account_by_user_name(credentials.user_name)
        encoded = reader.credential(account.account_id) if account else ""
        attempts = reader.failed_attempts(account.account_id) if account else 0

    def turned_away(sentence: str, *, counts: bool = False) -> NotAdmitted:
        return NotAdmitted(Fault(at_field, sentence), credentials.user_name, account, counts=counts)

    if account is not None and account.locked:
        raise turned_away(
            f"The account {account.user_name} is locked after {MAX_FAILED_SIGN_INS} wrong passwords."
            " An administrator can unlock it."
        )
    if account is not None and not account.active:
        raise turned_away(f"The account {account.user_name} is disabled. Ask an administrator.")
    if account is None or not desk.secrets.matches(encoded, credentials.password):
        left = MAX_FAILED_SIGN_INS - attempts - 1
        sentence = "User name and password do not fit. Check the name, Caps Lock and the keyboard's language."
        if account is not None and left <= 1:
            more = "One more wrong password locks" if left == 1 else "This was the last try: it locks"
            sentence += f" {more} the account."
        raise turned_away(sentence, counts=True)
    return account, encoded


def record_turned_away(desk: Desk, turned_away: NotAdmitted, workstation: str) -> None:
    """Keep the try in the journal; wrong passwords are counted and lock at the limit (REGULATION E-09, E-22).

    The name is kept only when it is an account's: people type their password into the wrong field.
    """
    with desk.store.write() as writer:
        site = site_of(writer)
        account = turned_away.account
        attempt = writer.failed_attempts(account.account_id) + int(turned_away.counts) if account else 0
        append(
            writer,
            "sign_in_failed",
            Draft(
                {
                    "user_name": account.user_name if account else "unknown",
                    "account_id": account.account_id if account else "",
                    "attempt": attempt,
                    "locked": attempt >= MAX_FAILED_SIGN_INS,
                }
            ),
            act_id=uuid4().hex,
            actor=("", "nobody signed in"),
            workstation=workstation,
            now=at_site(desk.clock(), zone_of(site)),
        )


def record_denial(desk: Desk, session: Session, kind: str, denied: Refused) -> None:
    """Keep a refused try in the journal, with the first sentence that says why (REGULATION E-11)."""
    with desk.store.write() as writer:
        site = site_of(writer)
        append(
            writer,
            "access_denied",
            Draft({"act": kind, "sentence": denied.faults[0].sentence}),
            act_id=uuid4().hex,
            actor=(session.account_id, session.printed_name),
            workstation=session.workstation,
            now=at_site(desk.clock(), zone_of(site)),
        )


def utc_now() -> datetime:
    """The clock of this PC."""
    return datetime.now(UTC)
