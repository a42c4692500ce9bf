"""Datasets of CDISC's study data tabulation model: DA, EC, EX and VS, with what several lots of one dose need (SUPPEC).

Only what belongs to a subject is in them (REGULATION X-06); stock, receipts, counts and the rest are tables of their
own (``services/tables.py``). A corrected value is the value. Times are those of the site with their offset from UTC.
How each is made up: ``docs/decisions/0021``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from pharmacy_app.domain.events import utc_text
from pharmacy_app.domain.treatment import Omission, Treatment
from pharmacy_app.domain.units import KEPT
from pharmacy_app.domain.vials import CORRECTION, Vial
from pharmacy_app.services import views
from pharmacy_app.services.desk import protocol_of, site_of
from pharmacy_app.services.doses import decision_of
from pharmacy_app.services.ports import Reader
from pharmacy_app.services.tables import Column, Found, Kind, Row, Table, Value, Wanted
from pharmacy_app.services.treatment import treatment_of

DERIVED_TO = Decimal("0.000001")
"""To what a body surface area and a dose by area are rounded: beyond any measurement, and readable."""

COLLECTED, DERIVED, ASSIGNED, PROTOCOL = "Collected", "Derived", "Assigned", "Protocol"

SEVERAL = "MULTIPLE"
"""What stands for the lot of a dose that was made from several; SUPPEC names each."""

Fields = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Given:
    """One order of a subject that was not cancelled, with its whole thread."""

    line: views.DoseLine
    thread: views.DoseThread

    @property
    def started_at(self) -> datetime:
        """When its infusion began."""
        return datetime.fromisoformat(self.thread.administration["started_at"])

    @property
    def ended_at(self) -> datetime:
        """When its infusion ended."""
        return datetime.fromisoformat(self.thread.administration["ended_at"])

    @property
    def opened(self) -> tuple[Vial, ...]:
        """The vials that were opened for it, as they stand now."""
        units = {line.unit_number for line in self.thread.mg}
        return tuple(vial for vial in self.thread.vials if vial.unit_number in units)

    @property
    def lots(self) -> tuple[str, ...]:
        """The lots of its vials, each once."""
        return tuple(dict.fromkeys(vial.lot for vial in self.opened))


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject with everything the datasets say of it. ``first_on`` is the day of its first dose, if any."""

    reader: Reader
    site: views.Site
    number: str
    orders: tuple[Given, ...]
    treatment: Treatment
    first_on: date | None

    @property
    def usubjid(self) -> str:
        """Study, site and subject: one name in the whole study."""
        return f"{self.site.protocol_number}-{self.site.number}-{self.number}"

    def drug(self, on: date) -> str:
        """The drug's name by the protocol in force on a day."""
        return protocol_of(self.site, on).study.drug.upper()

    def study_day(self, on: date | None) -> int | None:
        """The day counted from the first dose, which is day 1; the day before it is −1."""
        if on is None or self.first_on is None:
            return None
        days = (on - self.first_on).days
        return days + 1 if days >= 0 else days


def _subject(reader: Reader, number: str) -> Subject:
    orders = []
    for line in reader.doses(subject_number=number):
        thread = reader.dose(line.dose_id)
        if thread is not None:
            orders.append(Given(line, thread))
    days = [order.line.given_on for order in orders if order.line.given_on is not None]
    treatment = treatment_of(reader, number)
    return Subject(reader, site_of(reader), number, tuple(orders), treatment, min(days, default=None))


def _visit(course: int, cycle: int, day: int) -> Fields:
    """The visit of a dosing day; ``VISITNUM`` sorts as the days were planned: 10108 is course 1, cycle 1, day 8."""
    return {
        "VISITNUM": course * 10_000 + cycle * 100 + day,
        "VISIT": f"COURSE {course} CYCLE {cycle} DAY {day}",
        "EPOCH": "TREATMENT",
    }


def _visit_of(line: views.DoseLine) -> Fields:
    return _visit(line.course, line.cycle, line.day)


def _to_the_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


# --- DA -------------------------------------------------------------------------------------------------------------


def _accountability(subject: Subject) -> Iterator[Fields]:
    """A record for each vial that was opened for a dose of the subject, and for each container that came back."""
    for order in subject.orders:
        for vial in order.opened:
            dispensed_at, returned_at = _left_and_back(subject.reader, vial.unit_number)
            for code, test, at in (
                ("DISPAMT", "Dispensed Amount", dispensed_at),
                ("RETAMT", "Returned Amount", returned_at),
            ):
                if at is not None:
                    yield {
                        "DAREFID": vial.kit_number or vial.unit_number,
                        "DASPID": vial.unit_number,
                        "DALNKGRP": order.line.dose_id,
                        "DATESTCD": code,
                        "DATEST": test,
                        "DACAT": "STUDY PRODUCT",
                        "DASCAT": f"{vial.strength_mg:f} MG VIAL",
                        "DAORRES": "1",
                        "DAORRESU": "VIAL",
                        "DASTRESC": "1",
                        "DASTRESN": 1,
                        "DASTRESU": "VIAL",
                        "DADTC": _to_the_second(at),
                        "DADY": subject.study_day(at.date()),
                        **_visit_of(order.line),
                    }


def _left_and_back(reader: Reader, unit_number: str) -> tuple[datetime | None, datetime | None]:
    """When a vial was opened for its dose, and when its container came back from the subject (``None``: it did not)."""
    life = reader.vial_life(unit_number)
    opened_at = returned_at = None
    for line in life.lines if life is not None else ():
        if line.move == "open":
            opened_at = line.done_at
        elif line.move == "take back":
            returned_at = line.done_at
        elif line.move == CORRECTION and line.from_state == "returned by subject" and line.to_state:
            returned_at = None
    return opened_at, returned_at


# --- EC and EX ------------------------------------------------------------------------------------------------------

FORM, ROUTE = "INJECTION, POWDER, LYOPHILIZED, FOR SOLUTION", "INTRAVENOUS"


def _collected(subject: Subject) -> Iterator[Fields]:
    """What was scheduled and what became of it. A cancelled order is left out: it was replaced, or never given."""
    orders = [order for order in subject.orders if order.line.status != "cancelled"]
    for order in orders:
        line = order.line
        yield {
            **_drug_of(subject, order, line.planned_on),
            "ECMOOD": "SCHEDULED",
            "ECDOSE": line.prescribed_mg,
            "ECDOSU": "mg",
            "ECSTDTC": line.planned_on,
            "ECSTDY": subject.study_day(line.planned_on),
        }
        if line.administered_mg is not None:
            yield _performed(subject, order) if line.administered_mg else _not_given(subject, order)
    for omission in subject.treatment.newest_omissions():
        yield from _omitted(subject, orders, omission)


def _drug_of(subject: Subject, order: Given, on: date) -> Fields:
    return {
        "ECREFID": order.line.dose_id,
        "ECLNKGRP": order.line.dose_id,
        "ECTRT": subject.drug(on),
        "ECDOSFRM": FORM,
        "ECROUTE": ROUTE,
        **_visit_of(order.line),
    }


def _performed(subject: Subject, order: Given) -> Fields:
    """The infusion as it was given."""
    strengths = {vial.strength_mg for vial in order.opened}
    mixed = order.thread.preparation
    return {
        **_drug_of(subject, order, order.started_at.date()),
        "ECMOOD": "PERFORMED",
        "ECPRESP": "Y",
        "ECOCCUR": "Y",
        "ECDOSE": order.line.administered_mg,
        "ECDOSU": "mg",
        "ECLOT": _lot(order),
        "ECPSTRG": strengths.pop() if len(strengths) == 1 else None,
        "ECPSTRGU": "mg",
        "ECTRTV": mixed["diluent"].upper(),
        "ECVAMT": Decimal(mixed["bag_volume_ml"]),
        "ECVAMTU": "mL",
        "ECADJ": _adjusted(subject, order),
        "ECSTDTC": _to_the_second(order.started_at),
        "ECENDTC": _to_the_second(order.ended_at),
        "ECSTDY": subject.study_day(order.started_at.date()),
        "ECENDY": subject.study_day(order.ended_at.date()),
    }


def _lot(order: Given) -> str | None:
    lots = order.lots
    return SEVERAL if len(lots) > 1 else next(iter(lots), None)


def _not_given(subject: Subject, order: Given) -> Fields:
    """A dose of which nothing reached the subject: it did not occur, and has no amount."""
    given = order.thread.administration
    stopped, note = given.get("stopped_for") or "", given.get("note") or ""
    return {
        **_drug_of(subject, order, order.line.planned_on),
        "ECMOOD": "PERFORMED",
        "ECPRESP": "Y",
        "ECOCCUR": "N",
        "ECREASOC": ": ".join(filter(None, (stopped, note))) or "nothing was given",
    }


def _omitted(subject: Subject, orders: Sequence[Given], omission: Omission) -> Iterator[Fields]:
    """A dose that was left out. Where nobody ordered it, what the protocol schedules stands for the order."""
    place = (omission.course, omission.cycle, omission.day)
    of_it = [order for order in orders if (order.line.course, order.line.cycle, order.line.day) == place]
    if any(order.line.administered_mg is not None for order in of_it):
        return
    did_not: Fields = {
        "ECMOOD": "PERFORMED",
        "ECPRESP": "Y",
        "ECOCCUR": "N",
        "ECREASOC": f"{omission.cause}: {omission.why}",
    }
    if of_it:
        yield {**_drug_of(subject, of_it[-1], omission.decided_on), **did_not}
        return
    protocol = protocol_of(subject.site, omission.decided_on)
    levels = subject.treatment.has_levels(omission.course, omission.cycle)
    level = subject.treatment.level_in_force(omission.course, omission.cycle) if levels else 0
    doses = subject.treatment.cycle_doses(protocol, omission.course, omission.cycle, level)
    dose = None if doses is None else doses.on_day(omission.day)
    scheduled: Fields = {
        "ECLNKGRP": f"OMITTED-{omission.course}-{omission.cycle}-{omission.day}",
        "ECTRT": subject.drug(omission.decided_on),
        "ECDOSFRM": FORM,
        "ECROUTE": ROUTE,
        **_visit(*place),
    }
    yield {**scheduled, "ECMOOD": "SCHEDULED", "ECDOSE": dose, "ECDOSU": None if dose is None else "mg/m2"}
    yield {**scheduled, **did_not}


def _adjusted(subject: Subject, order: Given) -> str | None:
    """Why a dose is not the full one: its reduced level, an infusion that was stopped."""
    line, reasons = order.line, []
    if line.level < 0:
        changes = subject.treatment.changes_in_force(line.course, line.cycle)
        why = next((str(each.reason) for each in reversed(changes) if each.level == line.level), "as ordered")
        reasons.append(f"dose level {line.level}: {why}")
    stopped = order.thread.administration.get("stopped_for")
    if stopped:
        reasons.append(f"infusion stopped: {stopped}")
    return "; ".join(reasons) or None


def _lots_of(subject: Subject) -> Iterator[Fields]:
    """Each lot of a dose that was made from several; ``IDVARVAL`` is the number of its record in EC."""
    for record in _numbered("EC", _EC, _collected(subject)):
        order = next((each for each in subject.orders if each.line.dose_id == record["ECLNKGRP"]), None)
        if order is not None and record.get("ECLOT") == SEVERAL:
            for number, lot in enumerate(order.lots, start=1):
                yield {
                    "RDOMAIN": "EC",
                    "IDVAR": "ECSEQ",
                    "IDVARVAL": str(record["ECSEQ"]),
                    "QNAM": f"ECLOT{number}",
                    "QLABEL": f"Lot Number {number}",
                    "QVAL": lot,
                    "QORIG": COLLECTED,
                }


def _exposure(subject: Subject) -> Iterator[Fields]:
    """Each infusion in the protocol's unit: what was given, divided by the body surface area it was calculated from."""
    for order in subject.orders:
        line = order.line
        if not line.administered_mg:
            continue
        area = decision_of(order.thread).bsa_m2
        assert area is not None, line.dose_id
        yield {
            "EXLNKGRP": line.dose_id,
            "EXREFID": line.dose_id,
            "EXTRT": subject.drug(order.started_at.date()),
            "EXDOSE": _derived(KEPT.divide(line.administered_mg, area)),
            "EXDOSU": "mg/m2",
            "EXDOSFRM": FORM,
            "EXDOSFRQ": "ONCE",
            "EXROUTE": ROUTE,
            "EXLOT": _lot(order),
            "EXADJ": _adjusted(subject, order),
            "EXSTDTC": _to_the_second(order.started_at),
            "EXENDTC": _to_the_second(order.ended_at),
            "EXSTDY": subject.study_day(order.started_at.date()),
            "EXENDY": subject.study_day(order.ended_at.date()),
            **_visit_of(line),
        }


def _derived(value: Decimal) -> Decimal:
    return value.quantize(DERIVED_TO, ROUND_HALF_UP)


# --- VS -------------------------------------------------------------------------------------------------------------

_UNITS = {"lb": "LB"}
"""Units whose name in the standard is not the one that is typed."""

_TESTS = {"height": ("HEIGHT", "Height", "cm"), "weight": ("WEIGHT", "Weight", "kg")}


def _vital_signs(subject: Subject) -> Iterator[Fields]:
    """Heights and weights as measured, those that a correction replaced left out, and the area of each dose given."""
    for line in subject.reader.measurements(subject.number):
        code, test, unit = _TESTS[line.kind]
        yield {
            "VSSPID": str(line.event_seq),
            "VSTESTCD": code,
            "VSTEST": test,
            "VSORRES": line.typed_value,
            "VSORRESU": _UNITS.get(line.typed_unit, line.typed_unit),
            "VSSTRESC": format(line.value, "f"),
            "VSSTRESN": line.value,
            "VSSTRESU": unit,
            "VSDTC": line.measured_on,
            "VSDY": subject.study_day(line.measured_on),
        }
    for order in subject.orders:
        if not order.line.administered_mg:
            continue
        decision = decision_of(order.thread)
        assert decision.bsa_m2 is not None, order.line.dose_id
        area = _derived(decision.bsa_m2)
        yield {
            "VSSPID": order.line.dose_id,
            "VSLNKID": order.line.dose_id,
            "VSTESTCD": "BSA",
            "VSTEST": "Body Surface Area",
            "VSORRES": format(area, "f"),
            "VSORRESU": "m2",
            "VSSTRESC": format(area, "f"),
            "VSSTRESN": area,
            "VSSTRESU": "m2",
            "VSMETHOD": str(decision.bsa_formula).upper(),
            "VSDRVFL": "Y",
            "VSDTC": order.started_at.date(),
            "VSDY": subject.study_day(order.started_at.date()),
            **_visit_of(order.line),
        }


# --- the datasets ---------------------------------------------------------------------------------------------------


def _column(
    name: str, label: str, origin: str, kind: Kind = Kind.TEXT, *, key: int = 0, codelist: str = "", unit: str = ""
) -> Column:
    return Column(name, label, kind, origin, unit, key, codelist)


def _head(domain: str) -> tuple[Column, ...]:
    return (
        _column("STUDYID", "Study Identifier", PROTOCOL, key=1),
        _column("DOMAIN", "Domain Abbreviation", ASSIGNED, codelist="DOMAIN"),
        _column("USUBJID", "Unique Subject Identifier", DERIVED, key=2),
        _column(f"{domain}SEQ", "Sequence Number", DERIVED, Kind.WHOLE),
    )


_VISIT = (
    _column("VISITNUM", "Visit Number", ASSIGNED, Kind.WHOLE),
    _column("VISIT", "Visit Name", ASSIGNED),
    _column("EPOCH", "Epoch", ASSIGNED, codelist="EPOCH"),
)

_DA = (
    *_head("DA"),
    _column("DAREFID", "Reference ID", COLLECTED),
    _column("DASPID", "Sponsor-Defined Identifier", ASSIGNED, key=5),
    _column("DALNKGRP", "Link Group ID", ASSIGNED),
    _column("DATESTCD", "Short Name of Accountability Assessment", ASSIGNED, key=3, codelist="DATESTCD"),
    _column("DATEST", "Name of Accountability Assessment", ASSIGNED, codelist="DATEST"),
    _column("DACAT", "Category", ASSIGNED),
    _column("DASCAT", "Subcategory", ASSIGNED),
    _column("DAORRES", "Assessment Result in Original Units", COLLECTED),
    _column("DAORRESU", "Original Units", COLLECTED, codelist="UNIT"),
    _column("DASTRESC", "Assessment Result in Std Format", DERIVED),
    _column("DASTRESN", "Numeric Result/Finding in Std Units", DERIVED, Kind.WHOLE),
    _column("DASTRESU", "Assessment Standard Units", ASSIGNED, codelist="UNIT"),
    *_VISIT,
    _column("DADTC", "Date/Time of Accountability Assessment", COLLECTED, Kind.MOMENT, key=4),
    _column("DADY", "Study Day of Accountability Assessment", DERIVED, Kind.WHOLE),
)

_EC = (
    *_head("EC"),
    _column("ECREFID", "Reference ID", ASSIGNED),
    _column("ECLNKGRP", "Link Group ID", ASSIGNED, key=4),
    _column("ECTRT", "Name of Treatment", PROTOCOL),
    _column("ECMOOD", "Mood", ASSIGNED, key=5, codelist="BRDGMOOD"),
    _column("ECPRESP", "Pre-Specified", ASSIGNED, codelist="NY"),
    _column("ECOCCUR", "Occurrence", COLLECTED, codelist="NY"),
    _column("ECREASOC", "Reason for Occur Value", COLLECTED),
    _column("ECDOSE", "Dose", COLLECTED, Kind.NUMBER),
    _column("ECDOSU", "Dose Units", COLLECTED, codelist="UNIT"),
    _column("ECDOSFRM", "Dose Form", PROTOCOL, codelist="FRM"),
    _column("ECROUTE", "Route of Administration", PROTOCOL, codelist="ROUTE"),
    _column("ECLOT", "Lot Number", COLLECTED),
    _column("ECPSTRG", "Pharmaceutical Strength", COLLECTED, Kind.NUMBER),
    _column("ECPSTRGU", "Pharmaceutical Strength Units", COLLECTED, codelist="UNIT"),
    _column("ECTRTV", "Treatment Vehicle", COLLECTED),
    _column("ECVAMT", "Treatment Vehicle Amount", COLLECTED, Kind.NUMBER),
    _column("ECVAMTU", "Treatment Vehicle Amount Units", COLLECTED, codelist="UNIT"),
    _column("ECADJ", "Reason for Dose Adjustment", COLLECTED),
    _column("VISITNUM", "Visit Number", ASSIGNED, Kind.WHOLE, key=3),
    *_VISIT[1:],
    _column("ECSTDTC", "Start Date/Time of Treatment", COLLECTED, Kind.MOMENT),
    _column("ECENDTC", "End Date/Time of Treatment", COLLECTED, Kind.MOMENT),
    _column("ECSTDY", "Study Day of Start of Treatment", DERIVED, Kind.WHOLE),
    _column("ECENDY", "Study Day of End of Treatment", DERIVED, Kind.WHOLE),
)

_SUPPEC = (
    _column("STUDYID", "Study Identifier", PROTOCOL, key=1),
    _column("RDOMAIN", "Related Domain Abbreviation", ASSIGNED, key=2, codelist="DOMAIN"),
    _column("USUBJID", "Unique Subject Identifier", DERIVED, key=3),
    _column("IDVAR", "Identifying Variable", ASSIGNED, key=4),
    _column("IDVARVAL", "Identifying Variable Value", ASSIGNED, key=5),
    _column("QNAM", "Qualifier Variable Name", ASSIGNED, key=6),
    _column("QLABEL", "Qualifier Variable Label", ASSIGNED),
    _column("QVAL", "Data Value", COLLECTED),
    _column("QORIG", "Origin", ASSIGNED),
)

_EX = (
    *_head("EX"),
    _column("EXREFID", "Reference ID", ASSIGNED, key=4),
    _column("EXLNKGRP", "Link Group ID", ASSIGNED),
    _column("EXTRT", "Name of Treatment", PROTOCOL),
    _column("EXDOSE", "Dose", DERIVED, Kind.NUMBER),
    _column("EXDOSU", "Dose Units", ASSIGNED, codelist="UNIT"),
    _column("EXDOSFRM", "Dose Form", PROTOCOL, codelist="FRM"),
    _column("EXDOSFRQ", "Dosing Frequency per Interval", PROTOCOL, codelist="FREQ"),
    _column("EXROUTE", "Route of Administration", PROTOCOL, codelist="ROUTE"),
    _column("EXLOT", "Lot Number", COLLECTED),
    _column("EXADJ", "Reason for Dose Adjustment", COLLECTED),
    *_VISIT,
    _column("EXSTDTC", "Start Date/Time of Treatment", COLLECTED, Kind.MOMENT, key=3),
    _column("EXENDTC", "End Date/Time of Treatment", COLLECTED, Kind.MOMENT),
    _column("EXSTDY", "Study Day of Start of Treatment", DERIVED, Kind.WHOLE),
    _column("EXENDY", "Study Day of End of Treatment", DERIVED, Kind.WHOLE),
)

_VS = (
    *_head("VS"),
    _column("VSSPID", "Sponsor-Defined Identifier", ASSIGNED, key=5),
    _column("VSLNKID", "Link ID", ASSIGNED),
    _column("VSTESTCD", "Vital Signs Test Short Name", ASSIGNED, key=3, codelist="VSTESTCD"),
    _column("VSTEST", "Vital Signs Test Name", ASSIGNED, codelist="VSTEST"),
    _column("VSORRES", "Result or Finding in Original Units", COLLECTED),
    _column("VSORRESU", "Original Units", COLLECTED, codelist="VSRESU"),
    _column("VSSTRESC", "Character Result/Finding in Std Format", DERIVED),
    _column("VSSTRESN", "Numeric Result/Finding in Standard Units", DERIVED, Kind.NUMBER),
    _column("VSSTRESU", "Standard Units", ASSIGNED, codelist="VSRESU"),
    _column("VSMETHOD", "Method of Test or Examination", ASSIGNED, codelist="METHOD"),
    _column("VSDRVFL", "Derived Flag", DERIVED, codelist="NY"),
    *_VISIT,
    _column("VSDTC", "Date/Time of Measurements", COLLECTED, Kind.DAY, key=4),
    _column("VSDY", "Study Day of Vital Signs", DERIVED, Kind.WHOLE),
)


def _in_order(columns: Sequence[Column], records: Iterable[Fields]) -> list[Fields]:
    """A subject's records by their keys, in the order of the keys; moments as they happened."""
    keys = [each.name for each in sorted(columns, key=lambda each: each.key) if each.key]
    return sorted(records, key=lambda record: [_sortable(record.get(name)) for name in keys])


def _sortable(value: Value) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, int):
        return f"{value:09d}"
    return "" if value is None else str(value)


def _numbered(domain: str, columns: Sequence[Column], records: Iterable[Fields]) -> list[Fields]:
    """A subject's records in their order, each with its number in the dataset."""
    return [
        {**record, "DOMAIN": domain, f"{domain}SEQ": number}
        for number, record in enumerate(_in_order(columns, records), start=1)
    ]


def _dataset(
    domain: str, label: str, columns: tuple[Column, ...], records_of: Callable[[Subject], Iterable[Fields]], day: str
) -> Table:
    """A dataset, its subjects in order; no more than one of them is held in memory."""

    def find(reader: Reader, wanted: Wanted) -> Found:
        site = site_of(reader)
        numbers = sorted(line.subject_number for line in reader.subjects())
        chosen = [number for number in numbers if wanted.subject_number in ("", number)]

        def rows() -> Iterator[tuple[int, Row | None]]:
            for gone_through, number in enumerate(chosen, start=1):
                subject = _subject(reader, number)
                known: Fields = {"STUDYID": site.protocol_number, "USUBJID": subject.usubjid}
                for record in _numbered(domain, columns, records_of(subject)):
                    yield gone_through, tuple({**known, **record}.get(each.name) for each in columns)
                yield gone_through, None

        return Found(len(chosen), rows())

    return Table(domain, label, columns, find, day, "USUBJID", is_dataset=True)


DATASETS: dict[str, Table] = {
    table.name: table
    for table in (
        _dataset("DA", "Drug Accountability", _DA, _accountability, "DADTC"),
        _dataset("EC", "Exposure as Collected", _EC, _collected, "ECSTDTC"),
        _dataset("EX", "Exposure", _EX, _exposure, "EXSTDTC"),
        _dataset("VS", "Vital Signs", _VS, _vital_signs, "VSDTC"),
        _dataset("SUPPEC", "Supplemental Qualifiers for EC", _SUPPEC, _lots_of, ""),
    )
}
"""The datasets that can be taken away, by their name."""
