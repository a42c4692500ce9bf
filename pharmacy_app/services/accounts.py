"""People: signing in and out, accounts, roles, delegation, passwords."""

from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

from pharmacy_app.domain.dates import at_site
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.people import Account, Role, authority_fault
from pharmacy_app.services.desk import (
    Act,
    Credentials,
    Denied,
    Desk,
    Draft,
    Moment,
    NotAdmitted,
    Session,
    Signing,
    append,
    perform,
    prove,
    record_denial,
    record_turned_away,
    site_of,
    zone_of,
)
from pharmacy_app.services.ports import Writer
from pharmacy_app.services.reading import Reading

MIN_PASSWORD = 12
"""Shortest password that is taken, in characters."""


@dataclass(frozen=True, slots=True)
class AccountForm:
    """A person's account as typed: names, roles (their words), delegation days, and a first password."""

    user_name: str
    printed_name: str
    roles: tuple[str, ...]
    delegated_from: str
    delegated_to: str = ""


def read_account(
    reading: Reading, form: AccountForm, password: str, account_id: str, *, prefix: str = "", must_change: bool
) -> Account:
    """Check one account form; faults stand at ``prefix`` + field name."""
    user_name = reading.text(form.user_name, f"{prefix}user_name", "The user name", longest=40)
    printed_name = reading.text(form.printed_name, f"{prefix}printed_name", "The full name", longest=60)
    roles = tuple(Role(role) for role in form.roles if role in set(Role))
    if not roles or len(roles) != len(form.roles):
        reading.fault(f"{prefix}roles", "Choose at least one role.")
    if Role.MONITOR in roles and len(roles) > 1:
        reading.fault(f"{prefix}roles", "A monitor reads and changes nothing, so the role stands alone.")
    delegated_from = reading.day(form.delegated_from, f"{prefix}delegated_from")
    delegated_to = reading.day(form.delegated_to, f"{prefix}delegated_to") if form.delegated_to.strip() else None
    if delegated_to and delegated_to < delegated_from:
        reading.fault(f"{prefix}delegated_to", "The delegation ends before it begins. Check both days.")
    read_password(reading, password, f"{prefix}password", user_name)
    return Account(account_id, user_name, printed_name, roles, delegated_from, delegated_to, True, False, must_change)


def read_password(reading: Reading, password: str, at_field: str, user_name: str) -> None:
    """Check that a new password is long enough and not the user name."""
    if len(password) < MIN_PASSWORD:
        reading.fault(at_field, f"The password needs at least {MIN_PASSWORD} characters. A short sentence does well.")
    elif len(user_name) > 3 and user_name.casefold() in password.casefold():
        reading.fault(at_field, "The password must not hold the user name.")


def fingerprint(encoded: str) -> str:
    """What the journal keeps of a password: the SHA-256 of its encoded form."""
    return sha256(encoded.encode()).hexdigest()


def sign_in(desk: Desk, credentials: Credentials, workstation: str) -> Session:
    """Sign a person in and record it; raises ``Refused`` (recorded too) when that may not be."""
    try:
        account, _ = prove(desk, credentials, "password")
    except NotAdmitted as turned_away:
        record_turned_away(desk, turned_away, workstation)
        raise
    session = Session(
        account.account_id,
        account.printed_name,
        account.roles,
        workstation,
        account.user_name,
        account.must_change_password,
    )
    with desk.store.write() as writer:
        now = at_site(desk.clock(), zone_of(site_of(writer)))
        fault = authority_fault(account, "signed_in", now.date())
        if fault is None:
            append(
                writer,
                "signed_in",
                Draft({"account_id": account.account_id}),
                act_id=uuid4().hex,
                actor=(account.account_id, account.printed_name),
                workstation=workstation,
                now=now,
            )
    if fault:
        denied = Denied(fault)
        record_denial(desk, session, "signed_in", denied)
        raise denied
    return session


def sign_out(desk: Desk, act: Act) -> Event:
    """Record that the person left the workstation."""
    return perform(desk, act, "signed_out", None, lambda _writer, _moment: Draft({}))


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account form with its one-time password, which never enters the journal."""

    form: AccountForm
    password: str = field(repr=False)


def add_account(desk: Desk, act: Act, new: NewAccount) -> Event:
    """Make an account with a one-time password that its owner must change at the first sign-in."""
    encoded = desk.secrets.encode(new.password)

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        account_id = f"A{writer.counter('account') + 1:04d}"
        account = read_account(reading, new.form, new.password, account_id, must_change=True)
        if writer.account_by_user_name(account.user_name):
            reading.fault("user_name", f"There is an account named {account.user_name} already. Choose another name.")
        if any(other.printed_name.casefold() == account.printed_name.casefold() for other in writer.accounts()):
            reading.fault("printed_name", f"{account.printed_name} has an account already. A person has one account.")
        reading.done()
        writer.put_credential(account_id, encoded)
        return Draft({"account": account, "credential_sha256": fingerprint(encoded)})

    return perform(desk, act, "account_added", new.form, build)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """New roles, delegation or standing of an account, and why."""

    account_id: str
    roles: tuple[str, ...]
    delegated_from: str
    delegated_to: str
    active: bool
    why: str


def change_account(desk: Desk, act: Act, form: AccountChange) -> Event:
    """Change roles or delegation, disable or enable; nothing is deleted and the reason is kept."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        why = reading.text(form.why, "why", "The reason", longest=500)
        roles = tuple(Role(role) for role in form.roles if role in set(Role))
        if not roles or len(roles) != len(form.roles):
            reading.fault("roles", "Choose at least one role.")
        if Role.MONITOR in roles and len(roles) > 1:
            reading.fault("roles", "A monitor reads and changes nothing, so the role stands alone.")
        start = reading.day(form.delegated_from, "delegated_from")
        end = reading.day(form.delegated_to, "delegated_to") if form.delegated_to.strip() else None
        if end and end < start:
            reading.fault("delegated_to", "The delegation ends before it begins. Check both days.")
        if writer.account(form.account_id) is None:
            reading.fault("account_id", "There is no such account.")
        if form.account_id == moment.person.account_id and (not form.active or set(roles) != set(moment.person.roles)):
            reading.fault("roles", "You cannot change your own roles or standing. Ask another administrator.")
        reading.done()
        return Draft(
            {
                "account_id": form.account_id,
                "roles": roles,
                "delegated_from": start,
                "delegated_to": end,
                "active": form.active,
            },
            why=why,
        )

    return perform(desk, act, "account_changed", form, build)


def unlock_account(desk: Desk, act: Act, account_id: str) -> Event:
    """Unlock an account that too many wrong passwords locked."""

    def build(writer: Writer, _moment: Moment) -> Draft:
        if writer.account(account_id) is None:
            raise Refused(Fault("account_id", "There is no such account."))
        return Draft({"account_id": account_id})

    return perform(desk, act, "account_unlocked", account_id, build)


def reset_password(desk: Desk, act: Act, account_id: str, password: str) -> Event:
    """Set a one-time password: its owner must change it before anything else (REGULATION E-20)."""
    encoded = desk.secrets.encode(password)

    def build(writer: Writer, _moment: Moment) -> Draft:
        reading = Reading()
        account = writer.account(account_id)
        if account is None:
            raise Refused(Fault("account_id", "There is no such account."))
        read_password(reading, password, "password", account.user_name)
        reading.done()
        writer.put_credential(account_id, encoded)
        return Draft({"account_id": account_id, "credential_sha256": fingerprint(encoded)})

    return perform(desk, act, "password_reset", account_id, build)


def change_password(desk: Desk, act: Act, old: Credentials, password: str) -> Event:
    """Change one's own password; the old one is asked for again, and a wrong one counts as a failed sign-in."""
    encoded = desk.secrets.encode(password)

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        account = moment.signers[0]
        if account.account_id != moment.person.account_id:
            reading.fault("old_password", "You can change only your own password.")
        read_password(reading, password, "password", account.user_name)
        if password == old.password:
            reading.fault("password", "The new password is the old one. Choose another.")
        reading.done()
        writer.put_credential(account.account_id, encoded)
        return Draft({"account_id": account.account_id, "credential_sha256": fingerprint(encoded)})

    signing = Signing(old, "changed the password", "old_password")
    return perform(desk, act, "password_changed", act.session.account_id, build, (signing,))
