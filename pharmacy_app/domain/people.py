"""Who may do what: roles, accounts, and the one table of authority that every act is checked against."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pharmacy_app.domain.errors import Fault


class Role(StrEnum):
    """What a person is delegated to do (delegation log, ICH E6(R3) 2.3)."""

    PHARMACIST = "pharmacist"
    TECHNICIAN = "technician"
    CHECKER = "checker"
    MONITOR = "monitor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """A named person's account. Accounts are disabled, never deleted, and their ids are never used again."""

    account_id: str
    user_name: str
    printed_name: str
    roles: tuple[Role, ...]
    delegated_from: date
    delegated_to: date | None
    active: bool
    locked: bool
    must_change_password: bool

    def delegated_on(self, day: date) -> bool:
        """Whether the delegation covers ``day``, both end days included."""
        return self.delegated_from <= day and (self.delegated_to is None or day <= self.delegated_to)


_PHARMACIST = frozenset({Role.PHARMACIST})
_STAFF = frozenset({Role.PHARMACIST, Role.TECHNICIAN})
_CHECKERS = frozenset({Role.PHARMACIST, Role.CHECKER})
_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
_MONITORS = frozenset({Role.MONITOR})
EVERYONE = frozenset(Role)

AUTHORITY: dict[str, frozenset[Role]] = {
    "account_added": _ADMINISTRATORS,
    "account_changed": _ADMINISTRATORS,
    "account_unlocked": _ADMINISTRATORS,
    "password_reset": _ADMINISTRATORS,
    "password_changed": EVERYONE,
    "signed_in": EVERYONE,
    "signed_out": EVERYONE,
    "settings_signed": frozenset({Role.PHARMACIST, Role.CHECKER, Role.ADMINISTRATOR}),
    "protocol_amended": frozenset({Role.PHARMACIST, Role.CHECKER, Role.ADMINISTRATOR}),
    "shipment_received": _STAFF,
    "logger_read": _STAFF,
    "receipt_acknowledged": _STAFF,
    "vials_released": _PHARMACIST,
    "vials_quarantined": _STAFF,
    "quarantine_lifted": _PHARMACIST,
    "place_added": frozenset({Role.PHARMACIST, Role.ADMINISTRATOR}),
    "place_closed": frozenset({Role.PHARMACIST, Role.ADMINISTRATOR}),
    "vials_transported": _STAFF | _CHECKERS,
    "vials_taken_back": _STAFF,
    "expiry_extended": _PHARMACIST,
    "vials_relabelled": _STAFF,
    "vials_broken": _STAFF | _CHECKERS,
    "vials_missing": _STAFF | _CHECKERS,
    "vials_found": _STAFF | _CHECKERS,
    "vials_accounted": _MONITORS,
    "vials_returned": _PHARMACIST,
    "vials_transferred": _PHARMACIST,
    "vials_destroyed": _STAFF | _CHECKERS,
    "count_recorded": _STAFF | _CHECKERS,
    "discrepancy_opened": _STAFF | _CHECKERS,
    "discrepancy_explained": _STAFF | _CHECKERS,
    "study_closed_out": frozenset({Role.PHARMACIST, Role.MONITOR}),
    "deviation_recorded": _STAFF | _CHECKERS,
    "deviation_reported": _STAFF | _CHECKERS,
    "deviation_updated": _STAFF,
    "deviation_decided": _PHARMACIST,
    "deviation_closed": _PHARMACIST,
    "subject_enrolled": _PHARMACIST,
    "measurement_recorded": _STAFF,
    "cycle_planned": _PHARMACIST,
    "delay_recorded": _PHARMACIST,
    "dose_omitted": _PHARMACIST,
    "level_changed": _PHARMACIST,
    "response_recorded": _PHARMACIST,
    "marrow_recorded": _STAFF,
    "toxicity_recorded": _PHARMACIST,
    "treatment_ended": _PHARMACIST,
    "retreatment_ordered": _PHARMACIST,
    "transplant_stated": _PHARMACIST,
    "criteria_recorded": _STAFF,
    "statement_withdrawn": _PHARMACIST,
    "dose_ordered": _PHARMACIST,
    "dose_decided": _PHARMACIST,
    "vials_reserved": _PHARMACIST,
    "dose_verified": _CHECKERS,
    "dose_prepared": _STAFF,
    "dose_released": _PHARMACIST,
    "dose_administered": _PHARMACIST,
    "vials_closed": _STAFF,
    "move_undone": _STAFF | _CHECKERS,
    "receipt_corrected": _STAFF | _CHECKERS,
    "closing_corrected": _STAFF | _CHECKERS,
    "accountability_undone": _MONITORS,
    "extension_undone": _STAFF | _CHECKERS,
    "measurement_corrected": _STAFF,
    "administration_corrected": _PHARMACIST,
    "preparation_corrected": _STAFF | _CHECKERS,
    "subject_corrected": _PHARMACIST,
    "period_signed": _MONITORS,
    "visit_planned": _MONITORS | _PHARMACIST,
    "visit_opened": _MONITORS,
    "entries_verified": _MONITORS,
    "visit_signed": _MONITORS,
    "query_opened": _MONITORS,
    "query_answered": _STAFF | _CHECKERS,
    "query_returned": _MONITORS,
    "query_closed": _MONITORS,
    "medication_error_recorded": EVERYONE,
    "medication_error_assessed": _PHARMACIST,
    "medication_error_told": frozenset({Role.PHARMACIST, Role.TECHNICIAN, Role.CHECKER}),
    "dose_cancelled": _PHARMACIST,
    "paper_printed": _STAFF,
    "print_answered": _STAFF,
    "label_voided": _STAFF,
    "labels_scanned": _STAFF | _CHECKERS,
    "printer_set": frozenset({Role.PHARMACIST, Role.ADMINISTRATOR}),
    "record_printed": EVERYONE,
    "subject_exported": EVERYONE,
    "data_exported": EVERYONE,
    "document_attached": frozenset({Role.PHARMACIST, Role.TECHNICIAN, Role.CHECKER, Role.ADMINISTRATOR}),
}
"""Each kind of act and the roles that may do it. The monitor reads all of it, moves no vial and changes nothing but
what a monitor signs or asks: visits, which entries are verified, queries, whether used containers are accounted for,
periods of the record, and the close-out."""


def authority_fault(account: Account, act: str, on: date) -> Fault | None:
    """Why ``account`` may not do ``act`` on the site's day ``on``, or ``None`` when it may."""
    if not account.active:
        return Fault("", f"The account of {account.printed_name} is disabled.")
    if account.locked:
        return Fault("", f"The account of {account.printed_name} is locked. Ask an administrator to unlock it.")
    if not account.delegated_on(on):
        return Fault(
            "",
            f"{account.printed_name} is not delegated on {on.isoformat()}. The delegation log must cover the day"
            " before anything can be done or signed.",
            section="8.1.2",
        )
    allowed = AUTHORITY[act]
    if not allowed.intersection(account.roles):
        names = " or ".join(sorted(allowed))
        held = " and ".join(account.roles)
        what = act.replace("_", " ")
        article = "an" if names.startswith("a") else "a"
        return Fault("", f"“{what}” takes {article} {names}. {account.printed_name} is signed in as {held}.")
    return None
