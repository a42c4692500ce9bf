"""Documents kept with the record: what is taken, what is refused and why, and that nobody changes one unseen."""

import csv
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import text

from db.guards import GUARDS, drop_guards
from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered, read_number
from pharmacy_app.services import views
from pharmacy_app.services.about import about_words
from pharmacy_app.services.desk import Act, Denied
from pharmacy_app.services.documents import DocumentForm, attach_document
from pharmacy_app.services.doses import order
from pharmacy_app.services.export import export_files
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.ports import DocumentFilter
from tests.databases import other_hands
from tests.services.pharmacy import Pharmacy

PDF = b"%PDF-1.7\n%made up\n%%EOF\n"
LETTER = DocumentForm(
    title="The prescriber's decision on the day 8 dose",
    kind="written decision",
    about="",
    signed_by="Dr. Ines Vogel",
    dated_on="2026-03-02",
    file_name="decision.pdf",
)


def pdf_of(size: int) -> bytes:
    """A PDF of exactly so many bytes."""
    return PDF.removesuffix(b"%%EOF\n").ljust(size - 6, b"0") + b"%%EOF\n"


def attach(pharmacy: Pharmacy, form: DocumentForm = LETTER, content: bytes = PDF, who: str = "paula") -> Event:
    return attach_document(pharmacy.desk, pharmacy.act(who), form, content)


def documents(pharmacy: Pharmacy, about: str | None = None) -> list[views.DocumentLine]:
    with pharmacy.desk.store.read() as reader:
        return list(reader.documents(about=about))


def kept(pharmacy: Pharmacy, name: str) -> bytes | None:
    with pharmacy.desk.store.read() as reader:
        return reader.paper(name)


def stored_files(pharmacy: Pharmacy) -> int:
    """How many files the database holds."""
    with other_hands(pharmacy.path) as raw:
        return int(raw.execute(text("SELECT count(*) FROM stored_paper")).scalar_one())


def faults_of(refused: pytest.ExceptionInfo[Refused]) -> dict[str, str]:
    return {fault.field: fault.sentence for fault in refused.value.faults}


def ordered(pharmacy: Pharmacy) -> str:
    pharmacy.enroll()
    return str(order(pharmacy.desk, pharmacy.act("paula"), pharmacy.order_form()).content["dose_id"])


def test_a_decision_is_kept_whole_under_its_own_number(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    number = attach(pharmacy, replace(LETTER, about="001")).content["document_id"]
    assert number.startswith("F000001")
    assert read_number(number, "F", "") == number
    (line,) = documents(pharmacy, "001")
    assert (line.document_id, line.title, line.kind) == (number, LETTER.title, "written decision")
    assert (line.signed_by, line.dated_on.isoformat()) == ("Dr. Ines Vogel", "2026-03-02")
    assert line.file_name == "decision.pdf"
    assert (line.media_type, line.size_bytes, line.attached_by) == ("application/pdf", len(PDF), "Paula Reyes")
    assert line.sha256 == sha256(PDF).hexdigest()
    assert kept(pharmacy, line.sha256) == PDF
    with pharmacy.desk.store.read() as reader:
        assert reader.document(number) == line
        assert reader.document("F000009X") is None
    pharmacy.assert_sound()


def test_a_document_is_about_a_subject_a_dose_or_the_study(pharmacy: Pharmacy) -> None:
    dose_id = ordered(pharmacy)
    for about in ("001", dose_id, ""):
        attach(pharmacy, replace(LETTER, about=about))
    # Read from a label by eye: O for 0.
    misread = dose_id[0] + dose_id[1:7].replace("0", "O") + dose_id[7:]
    attach(pharmacy, replace(LETTER, about=f" {misread.lower()} "), PDF + b"second page")
    assert [line.about for line in documents(pharmacy)] == [dose_id, "", dose_id, "001"]
    assert [line.document_id[:7] for line in documents(pharmacy, dose_id)] == ["F000004", "F000002"]
    assert [line.document_id[:7] for line in documents(pharmacy, "")] == ["F000003"]
    pharmacy.assert_sound()


@pytest.mark.parametrize("content", [b"", b" \r\n"])
def test_an_empty_file_is_refused(pharmacy: Pharmacy, content: bytes) -> None:
    with pytest.raises(Refused, match="empty") as refused:
        attach(pharmacy, LETTER, content)
    assert list(faults_of(refused)) == ["content"]
    assert documents(pharmacy) == []


@pytest.mark.parametrize("size", [24_999_999, 25_000_000])
def test_twenty_five_megabytes_are_taken(pharmacy: Pharmacy, size: int) -> None:
    assert attach(pharmacy, LETTER, pdf_of(size)).content["size_bytes"] == size


def test_one_byte_more_than_twenty_five_megabytes_is_not_taken(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="larger than 25 MB") as refused:
        attach(pharmacy, LETTER, pdf_of(25_000_001))
    assert list(faults_of(refused)) == ["content"]


def test_a_web_page_that_calls_itself_a_pdf_is_refused_and_leaves_nothing(pharmacy: Pharmacy) -> None:
    before = pharmacy.count()
    with pytest.raises(Refused, match="is no PDF, whatever its name says"):
        attach(pharmacy, LETTER, b"<html><script>steal()</script></html>")
    assert pharmacy.count() == before
    assert stored_files(pharmacy) == 0


def test_a_loggers_file_keeps_the_lines_above_its_table(pharmacy: Pharmacy) -> None:
    """Other tables are whole or refused; a logger writes its serial number above and a summary below."""
    raw = "Logger TL-77\nTime;°C\n2026-03-01 08:00;4,5\nMinimum;4,5;\n".encode("cp1252")
    named = replace(LETTER, kind="certificate", file_name="TL-77.csv")
    with pytest.raises(Refused, match="row 2 has 2 columns where the first has 1"):
        attach(pharmacy, named, raw)
    event = attach(pharmacy, replace(named, kind="logger file"), raw)
    assert event.content["media_type"] == "text/plain"


def test_the_same_file_twice_about_the_same_names_the_first(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    first = attach(pharmacy, replace(LETTER, about="001")).content["document_id"]
    with pytest.raises(Refused, match=f"already, as document {first}"):
        attach(pharmacy, replace(LETTER, about="001", title="the same, under another title"))
    attach(pharmacy, replace(LETTER, about=""))
    assert stored_files(pharmacy) == 1


def test_a_document_of_tomorrow_is_refused(pharmacy: Pharmacy) -> None:
    """2 March 2026 at the site: 3 March is in the future."""
    with pytest.raises(Refused, match="in the future") as refused:
        attach(pharmacy, replace(LETTER, dated_on="2026-03-03"))
    assert list(faults_of(refused)) == ["dated_on"]


@pytest.mark.parametrize(
    "about",
    [
        "009",
        "D0000018",
        "the study",
        "V0000991",
        "X0000012",
        "RET-3",
        "RCV-999",
        "RCV-1",
        "RCV-",
        "shipment S-9",
        "lot Z",
    ],
)
def test_a_document_about_nobody_is_refused(pharmacy: Pharmacy, about: str) -> None:
    with pytest.raises(Refused) as refused:
        attach(pharmacy, replace(LETTER, about=about))
    assert list(faults_of(refused)) == ["about"]


@pytest.mark.parametrize(
    ("typed", "kept_as"),
    [
        ("S-1", "shipment S-1"),
        ("Shipment S-1", "shipment S-1"),
        ("a1", "lot A1"),
        ("lot A1", "lot A1"),
        (" v000001q ", "V000001Q"),
        ("K-2", numbered("V", 2)),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_document_is_about_anything_that_the_record_names(pharmacy: Pharmacy, typed: str, kept_as: str) -> None:
    pharmacy.receive("S-1", (LotTyped("1", "A1", "2027-03-31", "2", ("K-1", "K-2")),))
    assert attach(pharmacy, replace(LETTER, about=typed)).content["about"] == kept_as
    assert [line.about for line in documents(pharmacy, kept_as)] == [kept_as]


def test_a_document_is_about_a_receipt_by_the_number_of_its_paper(pharmacy: Pharmacy) -> None:
    pharmacy.receive("S-1")
    seq = pharmacy.events("shipment_received")[0].seq
    assert attach(pharmacy, replace(LETTER, about=f"rcv-{seq}")).content["about"] == f"RCV-{seq}"
    # The number of another event, and of a form that is not of this kind.
    for about in (f"RCV-{seq + 1}", f"RET-{seq}"):
        with pytest.raises(Refused, match="neither a subject"):
            attach(pharmacy, replace(LETTER, about=about))


def test_a_name_that_two_things_have_is_asked_for_with_its_word(pharmacy: Pharmacy) -> None:
    """Nothing stops a supporter from numbering a shipment like a subject."""
    pharmacy.enroll("001")
    pharmacy.receive("001", (LotTyped("1", "001", "2027-03-31", "2"),))
    with pytest.raises(Refused, match="“001” is a subject and a shipment and a lot") as refused:
        attach(pharmacy, replace(LETTER, about="001"))
    assert list(faults_of(refused)) == ["about"]
    for typed, kept_as in (("lot 001", "lot 001"), ("shipment 001", "shipment 001"), ("subject 001", "001")):
        assert attach(pharmacy, replace(LETTER, about=typed)).content["about"] == kept_as


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("", "the study"),
        ("001", "subject 001"),
        ("shipment S-1", "shipment S-1"),
        ("lot A1", "lot A1"),
        ("RET-42", "return RET-42"),
        ("V000001Q", "vial V000001Q"),
        (numbered("X", 1), f"deviation {numbered('X', 1)}"),
    ],
)
def test_what_a_document_is_about_is_said_in_words(about: str, words: str) -> None:
    assert about_words(about) == words


def test_documents_are_listed_in_the_order_of_their_date(pharmacy: Pharmacy) -> None:
    """Attached out of order; two of one day keep the order in which they were attached."""
    for title, dated_on, kind in (
        ("B", "2026-02-20", "letter"),
        ("A", "2026-02-18", "packing list"),
        ("C", "2026-02-20", "letter"),
    ):
        attach(pharmacy, replace(LETTER, title=title, dated_on=dated_on, kind=kind), PDF + title.encode() + PDF)

    def listed(wanted: DocumentFilter, *, descending: bool = False, offset: int = 0, limit: int = 10) -> str:
        with pharmacy.desk.store.read() as reader:
            found = reader.documents_listed(wanted, sort="dated_on", descending=descending, offset=offset, limit=limit)
        return "".join(line.title for line in found)

    assert listed(DocumentFilter()) == "ABC"
    assert listed(DocumentFilter(), descending=True) == "CBA"
    assert listed(DocumentFilter(), offset=1, limit=1) == "B"
    assert listed(DocumentFilter(kind="letter")) == "BC"
    assert listed(DocumentFilter(text="f000002")) == "A"
    assert listed(DocumentFilter(text="%")) == ""
    with pharmacy.desk.store.read() as reader:
        assert reader.count_documents(DocumentFilter(kind="letter")) == 2


def test_a_dose_that_was_never_ordered_is_named(pharmacy: Pharmacy) -> None:
    dose_id = ordered(pharmacy)
    other = numbered("D", 2)
    assert other != dose_id
    with pytest.raises(Refused, match=f"There is no dose {other}"):
        attach(pharmacy, replace(LETTER, about=other))


@pytest.mark.parametrize("kind", ["written decision", "supporter's permission", "approval"])
def test_a_decision_without_a_name_is_worth_nothing(pharmacy: Pharmacy, kind: str) -> None:
    with pytest.raises(Refused, match="by its signature") as refused:
        attach(pharmacy, replace(LETTER, kind=kind, signed_by=" ", permits=("use",)))
    assert list(faults_of(refused)) == ["signed_by"]
    assert attach(pharmacy, replace(LETTER, kind="letter", signed_by="")).content["signed_by"] == ""


def test_all_faults_come_at_once(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused) as refused:
        attach(pharmacy, DocumentForm("", "note", "009", "", "soon", ""), b"")
    assert set(faults_of(refused)) == {"title", "kind", "about", "dated_on", "file_name", "content"}
    assert documents(pharmacy) == []


def test_only_the_files_own_name_is_kept(pharmacy: Pharmacy) -> None:
    typed = r"C:\Users\paula\My documents\decision.pdf"
    assert attach(pharmacy, replace(LETTER, file_name=typed)).content["file_name"] == "decision.pdf"


@pytest.mark.parametrize("who", ["paula", "tim", "carla", "robin"])
def test_the_pharmacy_attaches(pharmacy: Pharmacy, who: str) -> None:
    attach(pharmacy, who=who)


def test_the_monitor_attaches_nothing(pharmacy: Pharmacy) -> None:
    with pytest.raises(Denied, match="monitor"):
        attach(pharmacy, who="mona")


def test_a_double_click_attaches_once(pharmacy: Pharmacy) -> None:
    act = Act(pharmacy.act("paula").session)
    first = attach_document(pharmacy.desk, act, LETTER, PDF)
    assert attach_document(pharmacy.desk, act, LETTER, PDF) == first
    assert len(documents(pharmacy)) == 1
    with pytest.raises(Refused, match="with other content"):
        attach_document(pharmacy.desk, act, LETTER, PDF + b"another page")


def test_a_changed_document_is_found(pharmacy: Pharmacy) -> None:
    number = attach(pharmacy).content["document_id"]
    with other_hands(pharmacy.path) as raw:
        drop_guards(raw, GUARDS)
        changed = {"content": PDF.replace(b"made up", b"changed")}
        raw.execute(text("UPDATE stored_paper SET content = :content"), changed)
    found = pharmacy.desk.store.verify()
    assert found.trouble == f"The stored document {number} was altered."
    with pytest.raises(Unavailable, match="was altered from outside"):
        kept(pharmacy, sha256(PDF).hexdigest())


def test_a_missing_document_is_found(pharmacy: Pharmacy) -> None:
    number = attach(pharmacy).content["document_id"]
    with other_hands(pharmacy.path) as raw:
        drop_guards(raw, GUARDS)
        raw.execute(text("DELETE FROM stored_paper"))
    found = pharmacy.desk.store.verify()
    assert found.trouble == f"The stored document {number} is missing."


def test_an_export_lists_the_documents(pharmacy: Pharmacy) -> None:
    number = attach(pharmacy, replace(LETTER, title="=HYPERLINK(1)")).content["document_id"]
    with pharmacy.desk.store.read() as reader:
        files = export_files(reader)
    (row,) = csv.DictReader(files["documents.csv"].decode().splitlines())
    assert (row["document_id"], row["sha256"]) == (number, sha256(PDF).hexdigest())
    # A title that a spreadsheet would run is made harmless.
    assert row["title"] == "'=HYPERLINK(1)"
    assert "documents.csv" in files["manifest.csv"].decode()
