"""Every question the services and screens ask, answered in SQL and returned as plain values."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select

from db import schema
from pharmacy_app.domain.errors import Unavailable
from pharmacy_app.domain.events import Event, hash_of
from pharmacy_app.domain.people import Account, Role
from pharmacy_app.domain.vials import Vial, usable_on
from pharmacy_app.services import views
from pharmacy_app.services.ports import LedgerFilter, VialFilter

OPEN_STATUSES = ("ordered", "stopped", "decided", "planned", "verified", "prepared", "released")


class SqlReader:
    """Answers questions on one open connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def _rows(self, query: Select[Any]) -> Sequence[RowMapping]:
        return self.connection.execute(query).mappings().all()

    def _row(self, query: Select[Any]) -> RowMapping | None:
        return self.connection.execute(query).mappings().one_or_none()

    def _count(self, query: Select[Any]) -> int:
        return int(self.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())

    # --- the journal

    def head(self) -> views.Head:
        """How long the journal is, its last hash, and when its last event was recorded ('' when there is none)."""
        row = self.connection.execute(select(schema.head)).mappings().one()
        recorded = self.connection.execute(
            select(schema.event.c.recorded_utc).where(schema.event.c.seq == row["seq"])
        ).scalar()
        return views.Head(row["seq"], row["hash"], recorded or "")

    def journal(self) -> Sequence[tuple[str, bytes]]:
        """Every event's hash and stored bytes, oldest first."""
        query = select(schema.event.c.hash, schema.event.c.body).order_by(schema.event.c.seq)
        return [(row["hash"], row["body"]) for row in self._rows(query)]

    def event(self, seq: int) -> views.EventLine | None:
        """One event by its number."""
        row = self._row(select(schema.event.c.body, schema.event.c.hash).where(schema.event.c.seq == seq))
        return _event_line(row) if row else None

    def event_of_act(self, act_id: str) -> Event | None:
        """The event that an act has left, if it was recorded already."""
        body = self.connection.execute(select(schema.event.c.body).where(schema.event.c.act_id == act_id)).scalar()
        return Event.from_body(body) if body else None

    def _events(self, kind: str, text: str) -> Select[Any]:
        query = select(schema.event.c.seq, schema.event.c.body, schema.event.c.hash)
        if kind:
            query = query.where(schema.event.c.kind == kind)
        if text:
            query = query.where(func.instr(schema.event.c.body, text.encode()) > 0)
        return query

    def events(self, *, kind: str, text: str, offset: int, limit: int) -> Sequence[views.EventLine]:
        """The audit trail, newest first."""
        query = self._events(kind, text).order_by(schema.event.c.seq.desc()).offset(offset).limit(limit)
        return [_event_line(row) for row in self._rows(query)]

    def count_events(self, *, kind: str, text: str) -> int:
        """How many events the same question gives."""
        return self._count(self._events(kind, text))

    def counter(self, name: str) -> int:
        """How many of a numbered kind were ever made."""
        value = self.connection.execute(select(schema.counter.c.value).where(schema.counter.c.name == name)).scalar()
        return int(value or 0)

    # --- site, people, settings

    def site(self) -> views.Site | None:
        """The site and study, or ``None`` in a database that was never set up."""
        row = self._row(select(schema.site))
        if row is None:
            return None
        values = {name: row[name] for name in row if name not in ("id", "places", "demonstration")}
        table = schema.protocol_version
        versions = self._rows(select(table).order_by(table.c.effective_on, table.c.event_seq))
        return views.Site(
            **values,
            places=tuple(json.loads(row["places"])),
            demonstration=bool(row["demonstration"]),
            versions=tuple(_protocol_version(version) for version in versions),
        )

    def _accounts(self, query: Select[Any]) -> list[Account]:
        return [
            Account(
                row["account_id"],
                row["user_name"],
                row["printed_name"],
                tuple(Role(role) for role in row["roles"].split(",")),
                date.fromisoformat(row["delegated_from"]),
                _day(row["delegated_to"]),
                bool(row["active"]),
                bool(row["locked"]),
                bool(row["must_change_password"]),
            )
            for row in self._rows(query)
        ]

    def account(self, account_id: str) -> Account | None:
        """An account by its id."""
        found = self._accounts(select(schema.account).where(schema.account.c.account_id == account_id))
        return found[0] if found else None

    def account_by_user_name(self, user_name: str) -> Account | None:
        """An account by the name it signs in with, capitals or not."""
        found = self._accounts(
            select(schema.account).where(schema.account.c.sign_in_name == user_name.strip().casefold())
        )
        return found[0] if found else None

    def accounts(self) -> Sequence[Account]:
        """Every account, in the order they were made."""
        return self._accounts(select(schema.account).order_by(schema.account.c.account_id))

    def failed_attempts(self, account_id: str) -> int:
        """Failed sign-ins in a row."""
        return int(
            self.connection.execute(
                select(schema.account.c.failed_attempts).where(schema.account.c.account_id == account_id)
            ).scalar_one()
        )

    def credential(self, account_id: str) -> str:
        """The encoded password of an account, '' when there is none."""
        return (
            self.connection.execute(
                select(schema.credential.c.encoded).where(schema.credential.c.account_id == account_id)
            ).scalar()
            or ""
        )

    def settings(self) -> Sequence[views.SettingLine]:
        """Every signed setting in force."""
        return [
            views.SettingLine(
                row["name"],
                json.loads(row["value"]),
                row["source"],
                row["event_seq"],
                row["signed_by"],
                datetime.fromisoformat(row["signed_at"]),
            )
            for row in self._rows(select(schema.setting).order_by(schema.setting.c.name))
        ]

    # --- vials

    def vial(self, unit_number: str) -> Vial | None:
        """A vial by our own number."""
        row = self._row(select(schema.vial).where(schema.vial.c.unit_number == unit_number))
        return _vial(row) if row else None

    def vial_by_kit(self, kit_number: str) -> Vial | None:
        """A vial by the supporter's kit number."""
        row = self._row(select(schema.vial).where(schema.vial.c.kit_number == kit_number))
        return _vial(row) if row else None

    def vials_moved_utc(self, unit_numbers: Sequence[str]) -> str:
        """The latest moment at which any of these vials moved, as UTC text."""
        return (
            self.connection.execute(
                select(func.max(schema.vial.c.moved_utc)).where(schema.vial.c.unit_number.in_(unit_numbers))
            ).scalar()
            or ""
        )

    def _vials(self, wanted: VialFilter) -> Select[Any]:
        table = schema.vial.c
        query = select(schema.vial)
        if wanted.strength_mg is not None:
            query = query.where(table.strength_mg == format(wanted.strength_mg, "f"))
        for column, value in (
            (table.lot, wanted.lot),
            (table.state, wanted.state),
            (table.place, wanted.place),
            (table.shipment_number, wanted.shipment_number),
        ):
            if value:
                query = query.where(column == value)
        if wanted.accounted is not None:
            query = query.where(table.accounted_by != "" if wanted.accounted else table.accounted_by == "")
        if wanted.text:
            query = query.where(
                or_(
                    *(
                        column.icontains(wanted.text, autoescape=True)
                        for column in (table.unit_number, table.kit_number, table.lot, table.dose_id)
                    )
                )
            )
        return query

    def vials(self, wanted: VialFilter, *, sort: str, descending: bool, offset: int, limit: int) -> Sequence[Vial]:
        """A page of vials, sorted by a column of the table."""
        column = schema.vial.c[sort]
        query = self._vials(wanted).order_by(column.desc() if descending else column.asc(), schema.vial.c.unit_number)
        return [_vial(row) for row in self._rows(query.offset(offset).limit(limit))]

    def count_vials(self, wanted: VialFilter) -> int:
        """How many vials the same question gives."""
        return self._count(self._vials(wanted))

    def usable_vials(self, day: date) -> Sequence[Vial]:
        """Vials that may go into a dose on ``day``, first expiry first."""
        table = schema.vial.c
        query = (
            select(schema.vial)
            .where(table.state == "available")
            .order_by(table.strength_mg, table.expires_on, table.lot, table.unit_number)
        )
        vials = (_vial(row) for row in self._rows(query))
        return [vial for vial in vials if usable_on(vial.state, vial.expires_on, day)]

    def vial_life(self, unit_number: str) -> views.VialLife | None:
        """A vial with every ledger line it stands on."""
        vial = self.vial(unit_number)
        if vial is None:
            return None
        on = schema.ledger_vial.c
        lines = self._balanced(LedgerFilter(strength_mg=vial.strength_mg)).subquery()
        query = (
            select(lines)
            .join(
                schema.ledger_vial,
                and_(on.event_seq == lines.c.event_seq, on.line == lines.c.line, on.unit_number == unit_number),
            )
            .order_by(lines.c.event_seq)
        )
        mg = self._mg(schema.mg_line.c.unit_number == unit_number)
        return views.VialLife(vial, tuple(_ledger_line(row) for row in self._rows(query)), mg[0] if mg else None)

    def _mg(self, where: Any) -> tuple[views.MgLine, ...]:
        return tuple(
            views.MgLine(
                row["unit_number"],
                row["dose_id"],
                Decimal(row["labelled_mg"]),
                Decimal(row["withdrawn_mg"]),
                _decimal(row["residue_mg"]),
                _decimal(row["discarded_mg"]),
            )
            for row in self._rows(select(schema.mg_line).where(where).order_by(schema.mg_line.c.unit_number))
        )

    def stock(self) -> Sequence[views.StockLine]:
        """Vials by strength, lot, place and state; what is at zero is left out."""
        table = schema.stock.c
        query = (
            select(schema.stock)
            .where(table.vials > 0)
            .order_by(table.strength_mg, table.expires_on, table.lot, table.place, table.state)
        )
        return [
            views.StockLine(
                Decimal(row["strength_mg"]),
                row["lot"],
                date.fromisoformat(row["expires_on"]),
                row["place"],
                row["state"],
                row["vials"],
            )
            for row in self._rows(query)
        ]

    def lots(self) -> Sequence[tuple[Decimal, str, date]]:
        """Every strength, lot and expiry ever received."""
        table = schema.stock.c
        query = select(table.strength_mg, table.lot, table.expires_on).distinct().order_by(table.strength_mg, table.lot)
        return [
            (Decimal(row["strength_mg"]), row["lot"], date.fromisoformat(row["expires_on"]))
            for row in self._rows(query)
        ]

    def _shipments(self, where: Any = None) -> list[views.ShipmentLine]:
        waiting = (
            select(func.count())
            .where(schema.vial.c.shipment_number == schema.shipment.c.number, schema.vial.c.state == "held")
            .scalar_subquery()
        )
        query = select(schema.shipment, waiting.label("awaiting_release"))
        if where is not None:
            query = query.where(where)
        return [
            views.ShipmentLine(
                row["number"],
                row["sender"],
                date.fromisoformat(row["shipped_on"]),
                datetime.fromisoformat(row["received_at"]),
                row["logger_serial"],
                row["logger_state"],
                row["condition"],
                row["received_by"],
                row["vials"],
                row["hold_reason"],
                row["awaiting_release"],
            )
            for row in self._rows(query.order_by(schema.shipment.c.received_utc.desc(), schema.shipment.c.number))
        ]

    def shipment(self, number: str) -> views.ShipmentLine | None:
        """A shipment by its number."""
        found = self._shipments(schema.shipment.c.number == number)
        return found[0] if found else None

    def shipments(self) -> Sequence[views.ShipmentLine]:
        """Every shipment, newest first."""
        return self._shipments()

    # --- the ledger

    def _balanced(self, wanted: LedgerFilter) -> Select[Any]:
        """Ledger lines with the running balances of their strength (or of the one lot that is asked for)."""
        table = schema.ledger_line.c
        order = (table.done_utc, table.event_seq, table.line)
        running = {
            name: func.sum(column).over(partition_by=table.strength_mg, order_by=order).label(name)
            for name, column in (
                ("balance_available", table.available_change),
                ("balance_quarantine", table.quarantine_change),
            )
        }
        query = select(schema.ledger_line, *running.values())
        if wanted.strength_mg is not None:
            query = query.where(table.strength_mg == format(wanted.strength_mg, "f"))
        if wanted.lot:
            query = query.where(table.lot == wanted.lot)
        return query

    def _ledger(self, wanted: LedgerFilter) -> Select[Any]:
        # Text and kind filter after the balances are summed: leaving a line out must not change a balance.
        lines = self._balanced(wanted).subquery()
        query = select(lines)
        if wanted.record_only:
            query = query.where(lines.c.transaction != "")
        if wanted.text:
            query = query.where(
                or_(
                    *(
                        lines.c[name].icontains(wanted.text, autoescape=True)
                        for name in (
                            "units",
                            "lot",
                            "dose_id",
                            "counterparty",
                            "reference",
                            "comment",
                            "move",
                            "recorder",
                        )
                    )
                )
            )
        return query.order_by(lines.c.done_utc, lines.c.event_seq, lines.c.line)

    def ledger(self, wanted: LedgerFilter, *, offset: int, limit: int) -> Sequence[views.LedgerLine]:
        """A page of ledger lines in the order in which things were done."""
        return [_ledger_line(row) for row in self._rows(self._ledger(wanted).offset(offset).limit(limit))]

    def count_ledger(self, wanted: LedgerFilter) -> int:
        """How many ledger lines the same question gives."""
        return self._count(self._ledger(wanted))

    # --- subjects and doses

    def _subjects(self, where: Any = None) -> list[views.SubjectLine]:
        given = schema.dose.c
        mine = and_(given.subject_number == schema.subject.c.subject_number, given.given_on.is_not(None))
        query = select(
            schema.subject,
            select(func.count()).where(mine).scalar_subquery().label("doses_given"),
            select(func.max(given.given_on)).where(mine).scalar_subquery().label("last_given_on"),
        )
        if where is not None:
            query = query.where(where)
        return [
            views.SubjectLine(
                row["subject_number"],
                row["initials"],
                row["birth"],
                date.fromisoformat(row["enrolled_on"]),
                row["doses_given"],
                _day(row["last_given_on"]),
            )
            for row in self._rows(query.order_by(schema.subject.c.subject_number))
        ]

    def subject(self, subject_number: str) -> views.SubjectLine | None:
        """A subject by number."""
        found = self._subjects(schema.subject.c.subject_number == subject_number)
        return found[0] if found else None

    def subjects(self) -> Sequence[views.SubjectLine]:
        """Every enrolled subject."""
        return self._subjects()

    def treatment(self, subject_number: str) -> Sequence[views.TreatmentLine]:
        """Every statement on a subject's treatment in the order recorded, withdrawn ones too."""
        table = schema.treatment.c
        query = select(schema.treatment).where(table.subject_number == subject_number).order_by(table.event_seq)
        return [
            views.TreatmentLine(
                row["event_seq"],
                row["kind"],
                row["subject_number"],
                json.loads(row["entry"]),
                row["recorder"],
                datetime.fromisoformat(row["recorded_at"]),
                row["why"],
                row["withdrawn_seq"],
                row["withdrawn_by"],
                row["withdrawn_why"],
            )
            for row in self._rows(query)
        ]

    def measurements(self, subject_number: str) -> Sequence[views.MeasurementLine]:
        """A subject's heights and weights, newest first."""
        table = schema.measurement.c
        query = (
            select(schema.measurement)
            .where(table.subject_number == subject_number)
            .order_by(table.measured_on.desc(), table.event_seq.desc())
        )
        return [
            views.MeasurementLine(
                row["event_seq"],
                row["subject_number"],
                row["kind"],
                row["typed_value"],
                row["typed_unit"],
                Decimal(row["value"]),
                date.fromisoformat(row["measured_on"]),
                datetime.fromisoformat(row["recorded_at"]),
                row["recorder"],
                row["why"],
            )
            for row in self._rows(query)
        ]

    def last_measured(self, subject_number: str, kind: str) -> Decimal | None:
        """A subject's newest height (cm) or weight (kg)."""
        table = schema.measurement.c
        newest = (
            select(table.value)
            .where(table.subject_number == subject_number, table.kind == kind)
            .order_by(table.measured_on.desc(), table.event_seq.desc())
            .limit(1)
        )
        return _decimal(self.connection.execute(newest).scalar())

    def doses(self, *, subject_number: str = "", statuses: Sequence[str] = ()) -> Sequence[views.DoseLine]:
        """Doses in the order in which they were ordered."""
        query = select(schema.dose).order_by(schema.dose.c.order_seq)
        if subject_number:
            query = query.where(schema.dose.c.subject_number == subject_number)
        if statuses:
            query = query.where(schema.dose.c.status.in_(statuses))
        return [_dose_line(row) for row in self._rows(query)]

    def dose(self, dose_id: str) -> views.DoseThread | None:
        """The whole thread of one dose."""
        row = self._row(select(schema.dose).where(schema.dose.c.dose_id == dose_id))
        if row is None:
            return None
        vials = self._rows(
            select(schema.vial).where(schema.vial.c.dose_id == dose_id).order_by(schema.vial.c.unit_number)
        )
        return views.DoseThread(
            _dose_line(row),
            row["order_seq"],
            row["decision_seq"],
            _load(row["decision"]),
            _decimal(row["height_cm"]),
            _decimal(row["weight_kg"]),
            _day(row["weight_on"]),
            row["bsa_formula"] or "",
            row["plan_seq"],
            _load(row["plan"]),
            row["planned_by"] or "",
            row["planner_id"] or "",
            _moment(row["planned_at"]),
            row["verify_seq"],
            row["verified_by"] or "",
            _moment(row["verified_at"]),
            row["prepare_seq"],
            _load(row["preparation"]),
            _decimal(row["prepared_mg"]),
            row["prepared_by"] or "",
            row["release_seq"],
            row["released_by"] or "",
            _moment(row["released_at"]),
            row["released_to"] or "",
            row["administer_seq"],
            _load(row["administration"]),
            row["close_seq"],
            row["cancelled_why"] or "",
            tuple(_vial(vial) for vial in vials),
            self._mg(schema.mg_line.c.dose_id == dose_id),
        )

    def _errors(self, where: Any = None) -> list[views.ErrorLine]:
        query = select(schema.medication_error).order_by(schema.medication_error.c.event_seq.desc())
        if where is not None:
            query = query.where(where)
        return [_error_line(row) for row in self._rows(query)]

    def errors(self) -> Sequence[views.ErrorLine]:
        """Medication-error records, newest first."""
        return self._errors()

    def error(self, error_id: str) -> views.ErrorLine | None:
        """A medication-error record by its number."""
        found = self._errors(schema.medication_error.c.error_id == error_id)
        return found[0] if found else None

    def error_assessments(self, error_id: str) -> Sequence[views.AssessmentLine]:
        """Every assessment of a medication-error record, newest first."""
        table = schema.medication_error_assessment
        query = select(table).where(table.c.error_id == error_id).order_by(table.c.event_seq.desc())
        return [
            views.AssessmentLine(
                row["event_seq"],
                row["error_id"],
                datetime.fromisoformat(row["assessed_at"]),
                row["signed_by"],
                json.loads(row["assessment"]),
            )
            for row in self._rows(query)
        ]

    def error_told(self, error_id: str) -> Sequence[views.ToldLine]:
        """Who was told of a medication error, in the order of the telling."""
        table = schema.medication_error_told
        query = (
            select(table)
            .where(table.c.error_id == error_id)
            .order_by(table.c.told_utc, table.c.event_seq, table.c.line)
        )
        return [
            views.ToldLine(
                row["event_seq"],
                row["error_id"],
                row["recipient"],
                row["name"],
                datetime.fromisoformat(row["told_at"]),
                datetime.fromisoformat(row["recorded_at"]),
                row["recorder"],
            )
            for row in self._rows(query)
        ]

    # --- papers

    def printed(self, *, about: str = "", paper: str = "", limit: int = 200) -> Sequence[views.PrintedLine]:
        """Printed papers, newest first."""
        table = schema.printed.c
        query = select(schema.printed).order_by(table.event_seq.desc(), table.about)
        if about:
            query = query.where(table.about == about)
        if paper:
            query = query.where(table.paper == paper)
        return [
            views.PrintedLine(
                row["event_seq"],
                row["paper"],
                row["about"],
                row["copy_number"],
                row["pages"],
                row["sha256"],
                datetime.fromisoformat(row["printed_at"]),
                row["printed_by"],
                row["why"],
            )
            for row in self._rows(query.limit(limit))
        ]

    def paper(self, sha256: str) -> bytes | None:
        """A stored paper's or document's bytes; raises ``Unavailable`` when they are not what was kept."""
        content = self.connection.execute(
            select(schema.stored_paper.c.content).where(schema.stored_paper.c.sha256 == sha256)
        ).scalar()
        if content is not None and hash_of(content) != sha256:
            raise Unavailable(
                f"The stored file {sha256[:12]}… was altered from outside. Do not go by it: restore the last backup"
                " and tell support."
            )
        return content

    # --- documents

    def _documents(self, where: Any = None) -> list[views.DocumentLine]:
        query = select(schema.document).order_by(schema.document.c.event_seq.desc())
        if where is not None:
            query = query.where(where)
        return [
            views.DocumentLine(
                row["document_id"],
                row["title"],
                row["kind"],
                row["about"],
                row["signed_by"],
                date.fromisoformat(row["dated_on"]),
                row["file_name"],
                row["media_type"],
                row["size_bytes"],
                row["sha256"],
                datetime.fromisoformat(row["attached_at"]),
                row["attached_by"],
                row["event_seq"],
            )
            for row in self._rows(query)
        ]

    def document(self, document_id: str) -> views.DocumentLine | None:
        """A document by its number; its bytes are ``paper(sha256)``."""
        found = self._documents(schema.document.c.document_id == document_id)
        return found[0] if found else None

    def documents(self, *, about: str | None = None) -> Sequence[views.DocumentLine]:
        """Documents, newest first: all of them, or those about one subject, one dose or ('') the study."""
        return self._documents(None if about is None else schema.document.c.about == about)


def _protocol_version(row: RowMapping) -> views.ProtocolVersion:
    return views.ProtocolVersion(
        row["event_seq"],
        row["label"],
        row["sha256"],
        row["text"],
        _day(row["effective_on"] or None) or date.min,
        row["source"],
        row["signed_by"],
        datetime.fromisoformat(row["recorded_at"]),
    )


def _event_line(row: RowMapping) -> views.EventLine:
    event = Event.from_body(row["body"])
    return views.EventLine(
        event.seq,
        event.kind,
        event.actor_name,
        event.workstation,
        event.done_at,
        event.recorded_at,
        event.why,
        event.content,
        tuple(f"{signature.printed_name}: {signature.meaning}" for signature in event.signatures),
        event.marks,
        row["hash"],
    )


def _vial(row: RowMapping) -> Vial:
    return Vial(
        row["unit_number"],
        row["kit_number"] or "",
        Decimal(row["strength_mg"]),
        row["lot"],
        date.fromisoformat(row["expires_on"]),
        row["place"],
        row["state"],
        row["hold_reason"],
        row["dose_id"],
        row["shipment_number"],
        row["accounted_by"],
    )


def _ledger_line(row: RowMapping) -> views.LedgerLine:
    same = (
        "event_seq",
        "move",
        "transaction",
        "lot",
        "place",
        "from_state",
        "to_state",
        "quantity",
        "balance_available",
        "balance_quarantine",
        "dose_id",
        "counterparty",
        "initials",
        "cycle_day",
        "dose_mg",
        "reference",
        "comment",
        "recorder",
        "verifier",
    )
    return views.LedgerLine(
        line_id=f"{row['event_seq']}.{row['line']}",
        done_at=datetime.fromisoformat(row["done_at"]),
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        strength_mg=Decimal(row["strength_mg"]),
        expires_on=date.fromisoformat(row["expires_on"]),
        units=tuple(json.loads(row["units"])),
        **{name: row[name] for name in same},
    )


def _error_line(row: RowMapping) -> views.ErrorLine:
    same = (
        "error_id",
        "source",
        "dose_id",
        "subject_number",
        "opened_by",
        "found_by",
        "stage",
        "error_type",
        "reached_subject",
        "what_happened",
        "action",
        "stopped_for",
        "difference",
        "sentence",
        "status",
        "verdict",
        "category",
    )
    occurred_at = _moment(row["occurred_at"])
    return views.ErrorLine(
        opened_at=datetime.fromisoformat(row["opened_at"]),
        found_at=datetime.fromisoformat(row["found_at"]),
        occurred_at=occurred_at,
        occurred_on=occurred_at.date() if occurred_at else None,
        prescribed_mg=_decimal(row["prescribed_mg"]),
        administered_mg=_decimal(row["administered_mg"]),
        **{name: row[name] for name in same},
    )


def _dose_line(row: RowMapping) -> views.DoseLine:
    return views.DoseLine(
        row["dose_id"],
        row["subject_number"],
        row["course"],
        row["cycle"],
        row["day"],
        row["level"],
        date.fromisoformat(row["planned_on"]),
        row["prescriber"],
        date.fromisoformat(row["ordered_on"]),
        Decimal(row["prescribed_mg"]),
        row["status"],
        _decimal(row["administered_mg"]),
        _day(row["given_on"]),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _load(text: str | None) -> Any:
    return None if text is None else json.loads(text)
