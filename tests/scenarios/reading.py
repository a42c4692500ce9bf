"""Reading finished papers as a person does: the words of each page."""

import pypdfium2


def words_of(pdf: bytes) -> list[str]:
    """The words of each page, white space made single blanks."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append(" ".join(text.get_text_range().split()))
            text.close()
            page.close()
        return pages
    finally:
        document.close()
