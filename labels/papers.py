"""The printing room behind the services' port: PDF bytes for each paper, each label proved before it is handed out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labels.geometry import A4, LETTER, Dots
from pharmacy_app.domain.errors import Fault, Refused

if TYPE_CHECKING:
    from pharmacy_app.services.papers import (
        AccountabilityHeader,
        AccountabilityLine,
        CloseOutReport,
        CountRecord,
        DestructionRecord,
        ExcursionReport,
        ForecastPaper,
        Label,
        LabelSetup,
        MedicationErrorReport,
        PaperStamp,
        PastPaper,
        ReceiptRecord,
        ReturnRecord,
        TransferRecord,
        TreatmentCalendarPaper,
        Worksheet,
    )
    from pharmacy_app.services.papers_records import (
        AuditTrail,
        DelegationLog,
        DiscrepancyRecord,
        DispensingLog,
        DoseRecord,
        VisitReport,
    )

_SHEETS = {"letter": LETTER, "a4": A4}


@dataclass(frozen=True, slots=True)
class PdfPapers:
    """``Papers`` as PDF, for a label printer of ``dpi`` dots an inch and ``sheet`` 'letter' or 'a4' for reports.

    The drawing libraries are loaded when the first paper is made, not before.
    """

    dpi: int = 203
    sheet: str = "letter"

    def __post_init__(self) -> None:
        if not 150 <= self.dpi <= 1200:
            raise Refused(Fault("dpi", f"A label printer has 150 to 1200 dots an inch, not {self.dpi}."))
        if self.sheet not in _SHEETS:
            raise Refused(Fault("sheet", f"Reports print on letter or a4, not on “{self.sheet}”."))

    def labels(self, labels: "Sequence[Label]", setup: "LabelSetup") -> bytes:
        """Labels as PDF, proved before they are returned."""
        from labels.label_job import label_pages

        return label_pages(labels, setup)

    def zpl(self, labels: "Sequence[Label]", setup: "LabelSetup") -> bytes:
        """The same labels in ZPL II."""
        from labels.label_job import label_zpl

        return label_zpl(labels, setup)

    def templates_sha256(self) -> str:
        """SHA-256 of the shipped templates and stocks."""
        from labels.template import shipped_sha256

        return shipped_sha256()

    def worksheet(self, worksheet: "Worksheet") -> bytes:
        """The preparation worksheet."""
        from labels.codes import dose_codes, head_matrix
        from labels.proof import page_count
        from labels.reports.worksheet import worksheet as draw

        pdf = draw(worksheet, Dots(self.dpi), _SHEETS[self.sheet])
        head = head_matrix(worksheet.stamp.head_seq, worksheet.stamp.head_hash).content
        first = sorted((*dose_codes(worksheet.dose_id), head))
        self._prove(pdf, [first, *[[head]] * (page_count(pdf) - 1)])
        return pdf

    def medication_error_report(self, report: "MedicationErrorReport") -> bytes:
        """The report of one medication error."""
        from labels.reports.medication_error import medication_error_report

        return medication_error_report(report, _SHEETS[self.sheet])

    def treatment_calendar(self, paper: "TreatmentCalendarPaper") -> bytes:
        """The treatment calendar of one subject, landscape."""
        from labels.reports.treatment_calendar import treatment_calendar

        return treatment_calendar(paper, _SHEETS[self.sheet])

    def supply_forecast(self, paper: "ForecastPaper") -> bytes:
        """The supply forecast, landscape."""
        from labels.reports.forecast import supply_forecast

        return supply_forecast(paper, _SHEETS[self.sheet])

    def destruction_record(self, record: "DestructionRecord") -> bytes:
        """The record of one destruction, landscape."""
        from labels.reports.disposition import destruction_record

        return destruction_record(record, _SHEETS[self.sheet])

    def return_record(self, record: "ReturnRecord") -> bytes:
        """The record of one return, landscape."""
        from labels.reports.disposition import return_record

        return return_record(record, _SHEETS[self.sheet])

    def transfer_record(self, record: "TransferRecord") -> bytes:
        """The record of one transfer, landscape."""
        from labels.reports.disposition import transfer_record

        return transfer_record(record, _SHEETS[self.sheet])

    def receipt_record(self, record: "ReceiptRecord") -> bytes:
        """The receipt of one shipment, landscape."""
        from labels.reports.receipt import receipt_record

        return receipt_record(record, _SHEETS[self.sheet])

    def count_record(self, record: "CountRecord") -> bytes:
        """The record of one physical count, landscape."""
        from labels.reports.counts import count_record

        return count_record(record, _SHEETS[self.sheet])

    def close_out_report(self, report: "CloseOutReport") -> bytes:
        """The closing of the study's books, landscape."""
        from labels.reports.counts import close_out_report

        return close_out_report(report, _SHEETS[self.sheet])

    def past_record(self, paper: "PastPaper") -> bytes:
        """Stock and ledger at a past moment, landscape."""
        from labels.reports.past import past_record

        return past_record(paper, _SHEETS[self.sheet])

    def excursion_report(self, report: "ExcursionReport") -> bytes:
        """The report of one storage deviation, landscape."""
        from labels.reports.excursion import excursion_report

        return excursion_report(report, _SHEETS[self.sheet])

    def accountability_record(
        self,
        header: "AccountabilityHeader",
        lines: "Iterable[AccountabilityLine]",
        totals: tuple[tuple[str, int], ...],
        stamp: "PaperStamp",
    ) -> bytes:
        """The accountability record, landscape."""
        from labels.reports.accountability import accountability_record

        return accountability_record(header, lines, totals, stamp, _SHEETS[self.sheet])

    def darf_style_record(
        self,
        header: "AccountabilityHeader",
        lines: "Iterable[AccountabilityLine]",
        totals: tuple[tuple[str, int], ...],
        stamp: "PaperStamp",
    ) -> bytes:
        """The accountability record in nine columns."""
        from labels.reports.darf import darf_style_record

        return darf_style_record(header, lines, totals, stamp, _SHEETS[self.sheet])

    def dispensing_log(self, log: "DispensingLog") -> bytes:
        """The dispensing log of one subject, landscape."""
        from labels.reports.dispensing_log import dispensing_log

        return dispensing_log(log, _SHEETS[self.sheet])

    def dose_record(self, record: "DoseRecord") -> bytes:
        """The whole thread of one dose."""
        from labels.reports.dose_record import dose_record

        return dose_record(record, _SHEETS[self.sheet])

    def audit_trail(self, trail: "AuditTrail") -> bytes:
        """The journal's entries, landscape."""
        from labels.reports.audit_trail import audit_trail

        return audit_trail(trail, _SHEETS[self.sheet])

    def delegation_log(self, log: "DelegationLog") -> bytes:
        """People, delegations and signatures, landscape."""
        from labels.reports.delegation_log import delegation_log

        return delegation_log(log, _SHEETS[self.sheet])

    def discrepancy_record(self, record: "DiscrepancyRecord") -> bytes:
        """The record of one discrepancy."""
        from labels.reports.discrepancy import discrepancy_record

        return discrepancy_record(record, _SHEETS[self.sheet])

    def visit_report(self, report: "VisitReport") -> bytes:
        """The report of a monitor's visit, landscape."""
        from labels.reports.visit import visit_report

        return visit_report(report, _SHEETS[self.sheet])

    def page_png(self, pdf: bytes, page: int, dpi: int) -> bytes:
        """A picture of one page (from 0), for the screen: the same bytes that print."""
        from labels.proof import page_png

        return page_png(pdf, page, dpi)

    def page_count(self, pdf: bytes) -> int:
        """How many pages a paper has."""
        from labels.proof import page_count

        return page_count(pdf)

    def _prove(self, pdf: bytes, expected: list[list[str]]) -> None:
        """Read every code back from the drawn pages: a label that does not scan to its content never leaves."""
        from labels.proof import decode_pdf

        read = decode_pdf(pdf, self.dpi)
        if read != expected:
            page = next((n for n, (a, b) in enumerate(zip(read, expected, strict=False), 1) if a != b), 0)
            raise RuntimeError(f"page {page} of the paper does not scan to its content at {self.dpi} dpi")
