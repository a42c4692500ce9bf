"""Documents kept with the record: what is taken, what is refused and why, and that nobody changes one unseen."""

import csv
import sqlite3
from dataclasses import replace
from hashlib import sha256

import pytest

from pharmacy_app.domain.errors import Refused, Unavailable
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.vials import numbered, read_number
from pharmacy_app.services import views
from pharmacy_app.services.desk import Act, Denied
from pharmacy_app.services.documents import MAX_DOCUMENT_BYTES, DocumentForm, attach_document
from pharmacy_app.services.doses import order
from pharmacy_app.services.export import export_files
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


def attach(pharmacy: Pharmacy, form: DocumentForm = LETTER, content: bytes = PDF, who: str = "paula") -> Event:
    return attach_document(pharmacy.desk, pharmacy.act(who), form, content)


def documents(pharmacy: Pharmacy, about: str | None = None) -> list[views.DocumentLine]:
    with pharmacy.desk.store.read() as reader:
        return list(reader.documents(about=about))


def kept(pharmacy: Pharmacy, name: str) -> bytes | None:
    with pharmacy.desk.store.read() as reader:
        return reader.paper(name)


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


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/jpeg"),
        ("Go on with 1.4 mg.\r\n\tDr. Vogel, § 8.1.5\n".encode(), "text/plain"),
        ("\ufeffGo on.".encode(), "text/plain"),
    ],
)
@pytest.mark.parametrize("name", ["scan.pdf", "scan"])
def test_a_file_is_known_by_its_bytes_not_by_its_name(
    pharmacy: Pharmacy, content: bytes, media_type: str, name: str
) -> None:
    event = attach(pharmacy, replace(LETTER, file_name=name), content)
    assert event.content["media_type"] == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00\x03\x00\x00\x00",  # a program
        b"PK\x03\x04\x14\x00",  # an archive, or a word processor's file
        b"\x89PNG\n",
        b"\xff\xd8",
        b"Caf\xe9",  # text, but not UTF-8
        b"text and then \x00",
    ],
)
def test_other_files_are_refused_whatever_their_name(pharmacy: Pharmacy, content: bytes) -> None:
    with pytest.raises(Refused, match="Save it as a PDF") as refused:
        attach(pharmacy, LETTER, content)
    assert list(faults_of(refused)) == ["content"]
    assert documents(pharmacy) == []


@pytest.mark.parametrize("content", [b"", b" \r\n"])
def test_an_empty_file_is_refused(pharmacy: Pharmacy, content: bytes) -> None:
    with pytest.raises(Refused, match="empty"):
        attach(pharmacy, LETTER, content)


def test_twenty_megabytes_are_taken_and_one_byte_more_is_not(pharmacy: Pharmacy) -> None:
    largest = PDF.ljust(MAX_DOCUMENT_BYTES, b"0")
    assert MAX_DOCUMENT_BYTES == 20_000_000
    with pytest.raises(Refused, match="larger than 20 MB"):
        attach(pharmacy, LETTER, largest + b"0")
    assert attach(pharmacy, LETTER, largest).content["size_bytes"] == 20_000_000


def test_the_same_file_twice_about_the_same_names_the_first(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    first = attach(pharmacy, replace(LETTER, about="001")).content["document_id"]
    with pytest.raises(Refused, match=f"already, as document {first}"):
        attach(pharmacy, replace(LETTER, about="001", title="the same, under another title"))
    attach(pharmacy, replace(LETTER, about=""))
    with sqlite3.connect(pharmacy.path) as raw:
        assert raw.execute("SELECT count(*) FROM stored_paper").fetchone() == (1,)
    raw.close()


def test_a_document_of_tomorrow_is_refused(pharmacy: Pharmacy) -> None:
    """2 March 2026 at the site: 3 March is in the future."""
    with pytest.raises(Refused, match="in the future") as refused:
        attach(pharmacy, replace(LETTER, dated_on="2026-03-03"))
    assert list(faults_of(refused)) == ["dated_on"]


@pytest.mark.parametrize("about", ["009", "D0000018", "the study"])
def test_a_document_about_nobody_is_refused(pharmacy: Pharmacy, about: str) -> None:
    with pytest.raises(Refused) as refused:
        attach(pharmacy, replace(LETTER, about=about))
    assert list(faults_of(refused)) == ["about"]


def test_a_dose_that_was_never_ordered_is_named(pharmacy: Pharmacy) -> None:
    dose_id = ordered(pharmacy)
    other = numbered("D", 2)
    assert other != dose_id
    with pytest.raises(Refused, match=f"There is no dose {other}"):
        attach(pharmacy, replace(LETTER, about=other))


@pytest.mark.parametrize("kind", ["written decision", "supporter's permission"])
def test_a_decision_without_a_name_is_worth_nothing(pharmacy: Pharmacy, kind: str) -> None:
    with pytest.raises(Refused, match="by its signature") as refused:
        attach(pharmacy, replace(LETTER, kind=kind, signed_by=" "))
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
    with sqlite3.connect(pharmacy.path) as raw:
        raw.execute("UPDATE stored_paper SET content = ?", (PDF.replace(b"made up", b"changed"),))
    raw.close()
    found = pharmacy.desk.store.verify()
    assert found.trouble == f"The stored document {number} was altered."
    with pytest.raises(Unavailable, match="was altered from outside"):
        kept(pharmacy, sha256(PDF).hexdigest())


def test_a_missing_document_is_found(pharmacy: Pharmacy) -> None:
    number = attach(pharmacy).content["document_id"]
    with sqlite3.connect(pharmacy.path) as raw:
        raw.execute("DELETE FROM stored_paper")
    raw.close()
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
