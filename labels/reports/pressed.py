"""Pages pressed as soon as they are drawn: a record of many thousand pages takes little more room than its bytes."""

from typing import Any

from reportlab import rl_config
from reportlab.pdfbase.pdfdoc import PDFArray, PDFBase85Encode, PDFDictionary, PDFName, PDFStream, PDFZCompress


class _Pressed(PDFStream):  # type: ignore[misc] # reportlab has no types
    """A page's drawing, pressed; it lets go of it when it is written, which is once."""

    def format(self, document: Any) -> Any:
        written = super().format(document)
        self.content = b""
        return written


def press_last_page(canvas: Any) -> None:
    """Press the page that was just closed; the finished bytes are the same as without."""
    page = canvas._doc.Pages.pages[-1]
    filters = [PDFBase85Encode, PDFZCompress] if rl_config.useA85 else [PDFZCompress]
    drawn = page.stream
    for each in reversed(filters):
        drawn = each.encode(drawn)
    named = PDFArray([PDFName(each.pdfname) for each in filters])
    page.Contents = _Pressed(PDFDictionary({"Filter": named}), drawn, filters)
    page.stream = None
