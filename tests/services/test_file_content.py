"""What a file is: its ending and its bytes must agree, to the end, and nothing of it is ever run."""

import struct
import zlib

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.file_content import (
    EML,
    PDF,
    email_of,
    ending_of,
    read_media_type,
    safe_file_name,
    shown_text,
    table_of,
    text_of,
)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk as the format has it: length, kind, data, check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(across: int = 1, down: int = 1) -> bytes:
    """A grey PNG; its data are those of one dot, whatever its head says."""
    head = struct.pack(">IIBBBBB", across, down, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg(across: int = 16, down: int = 8) -> bytes:
    """The skeleton of a JPEG: a frame with its size, a scan with an escaped 0xFF and a restart mark, the end."""
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, down, across, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + app + frame + scan + b"\xff\xd9"


MAIL = (
    b"From: Alex Brandt <a.brandt@supporter.example>\r\n"
    b"To: pharmacy@riverside.example\r\n"
    b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
    b"Subject: =?utf-8?q?You_may_use_them?=\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="XX"\r\n'
    b"\r\n"
    b"--XX\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe vials may be used.\r\n"
    b"--XX\r\n"
    b"Content-Type: text/html\r\n\r\n<script>steal()</script>\r\n"
    b"--XX\r\n"
    b'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="run.exe"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMA\r\n"
    b"--XX--\r\n"
)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("scan.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf"),
        ("SCAN.PDF", b"%PDF-1.7\n%%EOF" + b"\n" * 1000, "application/pdf"),
        ("photo.png", png(), "image/png"),
        ("photo.jpg", jpeg(), "image/jpeg"),
        ("photo.JPEG", jpeg() + b"what a camera adds", "image/jpeg"),
        ("log.csv", b"time,celsius\r\n2026-03-02 08:00,4.5\r\n", "text/csv"),
        ("log.csv", "\ufefftime;°C\n2026-03-02;4,5\n\n".encode(), "text/csv"),
        ("log.csv", "time;°C\n2026-03-02;4,5\n".encode("cp1252"), "text/csv"),
        ("log.csv", "time\t°C\n2026-03-02\t4.5\n".encode("utf-16"), "text/csv"),
        ("log.csv", b'kit,note\nK1,"two, and\na line"\n', "text/csv"),
        ("yes.eml", MAIL, "message/rfc822"),
        ("note.txt", "Go on with 1.4 mg.\r\n\tDr. Vogel, § 8.1.5\n".encode(), "text/plain"),
        ("note.txt", b"<html>this is shown as the text it is</html>", "text/plain"),
    ],
)
def test_a_sound_file_is_what_its_name_says(name: str, content: bytes, media_type: str) -> None:
    assert read_media_type(content, name) == media_type


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("letter.pdf", b"<html>", "is no PDF"),
        ("letter.pdf", b"%PDF-1.7\n", "breaks off before its end"),
        ("letter.pdf", b"%PDF-1.7\n%%EOF" + b"\n" * 1025, "breaks off before its end"),
        ("letter.pdf", png(), "the file is a PNG picture"),
        ("photo.png", png()[:-1], "breaks off or is damaged"),
        ("photo.png", png()[:-12], "breaks off or is damaged"),
        ("photo.png", png().replace(b"\x00\x00\x00\x01\x00", b"\x00\x00\x00\x02\x00", 1), "breaks off or is damaged"),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "breaks off or is damaged"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "breaks off or is damaged"),
        ("photo.png", png(0, 1), "has no dots"),
        ("photo.jpg", jpeg()[:-2], "breaks off or is damaged"),
        ("photo.jpg", jpeg()[:30], "breaks off or is damaged"),
        ("photo.jpg", b"\xff\xd8\xff\xd9", "breaks off or is damaged"),
        ("photo.jpg", b"\xff\xd8\xff", "breaks off or is damaged"),
        ("photo.jpg", b"GIF89a", "is no JPEG"),
        ("list.csv", b"MZ\x90\x00\x03\x00\x00\x00", "is no plain text"),
        ("list.csv", b"MZ\x90 a program without a zero byte \x02", "is no plain text"),
        ("list.csv", b"a,b\n1,2,3\n", "row 2 has 3 columns where the first has 2"),
        ("list.csv", b"a,b\n1,2\n3\n", "row 3 has 1 columns where the first has 2"),
        ("yes.eml", b"You may.", "no From and Date"),
        ("yes.eml", MAIL.replace(b"From:", b"Fron:"), "no From and Date"),
        ("yes.eml", MAIL.replace(b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n", b""), "no From and Date"),
        ("yes.eml", MAIL.replace(b"Mon, 02 Mar 2026 10:00:00 +0000", b"soon"), "cannot be read as an e-mail"),
        ("yes.eml", MAIL[:-8], "breaks off or is damaged"),
        ("yes.eml", b"%PDF-1.7\n%%EOF", "the file is a PDF"),
        ("note.txt", b"text and then \x00", "is no plain text"),
        ("note.txt", b"%PDF-1.7\n%%EOF", "the file is a PDF"),
        ("run.exe", b"MZ\x90", "ends in .exe is not kept here"),
        ("page.html", b"<html>", "ends in .html is not kept here"),
        ("letter.docx", b"PK\x03\x04", "ends in .docx is not kept here"),
        ("letter.pdf.exe", b"%PDF-1.7\n%%EOF", "ends in .exe is not kept here"),
        ("letter", b"%PDF-1.7\n%%EOF", "without an ending is not kept here"),
        (".pdf", b"%PDF-1.7\n%%EOF", "without an ending is not kept here"),
        ("letter.pdf", b"", "is empty"),
        ("letter.pdf", b" \r\n\t", "is empty"),
    ],
)
def test_anything_else_is_refused_beside_the_file(name: str, content: bytes, says: str) -> None:
    with pytest.raises(Refused) as refused:
        read_media_type(content, name)
    (fault,) = refused.value.faults
    assert fault.field == "content"
    assert says in fault.sentence


@pytest.mark.parametrize(("across", "down", "taken"), [(5_000, 10_000, True), (5_000, 10_001, False)])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_of_more_than_fifty_million_dots_is_refused(ending: str, across: int, down: int, taken: bool) -> None:
    """A few bytes can say that they unpack to gigabytes."""
    content = png(across, down) if ending == "png" else jpeg(across, down)
    if taken:
        assert read_media_type(content, f"photo.{ending}").startswith("image/")
        return
    with pytest.raises(Refused, match="more than 50 million"):
        read_media_type(content, f"photo.{ending}")


def test_a_deeply_nested_mail_is_refused_not_followed_to_the_end() -> None:
    heads = b"From: a@b.example\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
    nested = heads + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (depth, depth) for depth in range(3_000)
    )
    with pytest.raises(Refused):
        read_media_type(nested, "bomb.eml")


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.PDF", ".pdf"), (" a.b.csv ", ".csv"), ("a.", ""), ("a", ""), (".csv", ""), ("", "")],
)
def test_the_ending_of_a_name(name: str, ending: str) -> None:
    assert ending_of(name) == ending


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("permission letter.pdf", "F0000012_permission_letter.pdf"),
        ("../../etc/passwd.pdf", "F0000012_etc_passwd.pdf"),
        ("C:\\run.pdf", "F0000012_C_run.pdf"),
        ("con.pdf", "F0000012_file_con.pdf"),
        ("LPT1.x.pdf", "F0000012_file_LPT1.x.pdf"),
        (" .. .pdf", "F0000012_file.pdf"),
        ("$(rm -rf ~)`x`;&|.pdf", "F0000012_(rm_-rf_~)_x.pdf"),
        # The sign that turns the direction of writing makes exe look like pdf.
        ("receipt\u202efdp.exe", "F0000012_receipt_fdp.exe.pdf"),
        ("Prüfbericht Nº 7.pdf", "F0000012_Prüfbericht_Nº_7.pdf"),
        ("x" * 200 + ".pdf", f"F0000012_{'x' * 80}.pdf"),
    ],
)
def test_a_name_is_made_harmless_before_a_copy_is_saved(name: str, saved_as: str) -> None:
    assert safe_file_name("F0000012", name, PDF) == saved_as


def test_a_mail_is_shown_as_words_and_its_attachments_stay_shut() -> None:
    shown = email_of(MAIL)
    assert shown.heads == (
        ("From", "Alex Brandt <a.brandt@supporter.example>"),
        ("To", "pharmacy@riverside.example"),
        ("Date", "Mon, 02 Mar 2026 10:00:00 +0000"),
        ("Subject", "You may use them"),
    )
    assert shown.text.text.strip() == "The vials may be used."
    assert [(name, kind) for name, kind, _ in shown.attachments] == [
        ("without a name", "text/html"),
        ("run.exe", "application/octet-stream"),
    ]
    assert shown.attachments[1][2] == 6  # TVqQAAMA are six bytes


def test_a_mail_of_html_alone_says_so_and_shows_none_of_it() -> None:
    mail = (
        b"From: a@b.example\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nContent-Type: text/html\r\n\r\n<b>yes</b>\r\n"
    )
    assert read_media_type(mail, "yes.eml") == EML
    assert "has no plain text" in email_of(mail).text.text
    assert "<b>" not in email_of(mail).text.text


def test_cells_that_look_like_formulas_are_text() -> None:
    shown = table_of(b'kit;note\r\nK1;=HYPERLINK("http://x";"y")\r\n'.replace(b'"http://x";"y"', b"1"))
    assert shown.header == ("kit", "note")
    assert shown.rows == (("K1", "=HYPERLINK(1)"),)


def test_a_decimal_comma_does_not_cut_a_table_of_semicolons() -> None:
    shown = table_of(b"t;c\n1;4,5\n2;5,1\n")
    assert (shown.header, shown.rows, shown.total) == (("t", "c"), (("1", "4,5"), ("2", "5,1")), 2)


def test_of_a_long_table_and_a_long_text_the_beginning_is_shown_and_that_is_said() -> None:
    table = table_of(b"a,b\n" + b"1,2\n" * 5_001)
    assert (len(table.rows), table.total) == (5_000, 5_001)
    assert not shown_text(b"x" * 200_000).cut
    assert shown_text(b"x" * 200_001).cut


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_words_are_read_in_the_usual_ways_of_writing_them(encoding: str) -> None:
    assert text_of("4,5 °C".encode(encoding)) == "4,5 °C"
