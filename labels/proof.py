"""Looks at finished pages as a printer and a scanner would: renders them, reads their codes and words.

PDFium is not safe in several threads at once, so one lock guards every use.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from labels.geometry import PT_PER_IN

MAX_DOTS = 40_000_000
"""The largest picture of a page: letter paper at 600 dots an inch has 34 million."""

_pdfium_lock = RLock()


@contextmanager
def _opened(pdf: bytes) -> Iterator[Any]:
    import pypdfium2

    with _pdfium_lock:
        document = pypdfium2.PdfDocument(pdf)
        try:
            yield document
        finally:
            document.close()


def page_count(pdf: bytes) -> int:
    """Number of pages."""
    with _opened(pdf) as document:
        return len(document)


def page_texts(pdf: bytes) -> list[str]:
    """The words of each page, white space made single blanks."""
    with _opened(pdf) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def decode_pdf(pdf: bytes, dpi: int) -> list[list[str]]:
    """What a scanner reads from each page printed at ``dpi``: a GS1 code as ``(91)…``, sorted."""
    import zxingcpp

    read = []
    with _opened(pdf) as document:
        for page in document:
            bitmap = page.render(scale=dpi / PT_PER_IN, grayscale=True, fill_color=(255, 255, 255, 255))
            # zxing-cpp's ImageView does not keep its buffer alive; a shaped memoryview does.
            across, down, stride, pixels = bitmap.width, bitmap.height, bitmap.stride, bytes(bitmap.buffer)
            packed = b"".join(pixels[row * stride : row * stride + across] for row in range(down))
            view = memoryview(packed).cast("B", (down, across))
            formats = zxingcpp.BarcodeFormats([zxingcpp.Code128, zxingcpp.DataMatrix])
            read.append(sorted(code.text for code in zxingcpp.read_barcodes(view, formats=formats)))
            bitmap.close()
    return read


def page_png(pdf: bytes, page: int, dpi: int) -> bytes:
    """One page (from 0) as a PNG picture on white; a page of any size stays within ``MAX_DOTS``."""
    with _opened(pdf) as document:
        across_pt, down_pt = document[page].get_size()
        scale = dpi / PT_PER_IN
        # A foreign file may give its page the size of a house.
        while across_pt * scale * down_pt * scale > MAX_DOTS:
            scale /= 2
        bitmap = document[page].render(scale=scale, rev_byteorder=True, fill_color=(255, 255, 255, 255))
        across, down, stride = bitmap.width, bitmap.height, bitmap.stride
        pixels = bytes(bitmap.buffer)
        bitmap.close()
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + 3 * across] for row in range(down))
    head = struct.pack(">IIBBBBB", across, down, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
