"""Labels through the system's printers, really: a printing service of the test's own, and what its printer gets.

Left out where CUPS is not installed; ``python3 installer/dev.py printers`` installs what it takes and runs these alone.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops

from labels.outlets import queues, to_queue
from labels.papers import PdfPapers
from labels.proof import decode_pdf, page_png
from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.papers import LabelSetup
from pharmacy_app.services.ports import NotSent
from tests.cups_server import CupsServer, missing
from tests.labels.label_samples import LABELS

ROOT = Path(__file__).resolve().parents[2]
MM_PER_PT = 25.4 / 72
DRIVER, RAW, LETTER = "labels", "rawlabels", "office"

pytestmark = pytest.mark.skipif(
    bool(missing()), reason=f"This PC has {missing()}. “python3 installer/dev.py printers” installs it."
)


@pytest.fixture(scope="module")
def service() -> Iterator[CupsServer]:
    """A printing service with a label printer, one without a driver, and an office printer of letter paper."""
    made = CupsServer()
    try:
        made.add_queue(DRIVER)
        made.add_queue(RAW, driver=False)
        made.add_queue(LETTER, own_sizes=False)
        yield made
    finally:
        made.close()


def window_prints(service: CupsServer, queue: str, kind: str, dpi: int, count: int) -> str:
    """Print as the window does; what it said."""
    command = [sys.executable, "-m", "tests.ui.print_to_queue", queue, kind, str(dpi), str(count)]
    env = {**os.environ, **service.environment, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return done.stdout.strip()


# 2.25 × 1.25 in and 4 × 3 in.
@pytest.mark.parametrize(
    ("kind", "dpi", "width_mm", "height_mm"),
    [("vial", 203, 57.15, 31.75), ("vial", 300, 57.15, 31.75), ("bag", 203, 101.6, 76.2), ("bag", 300, 101.6, 76.2)],
)
def test_a_label_comes_out_of_the_queue_at_its_size_unscaled_and_scans(
    service: CupsServer, kind: str, dpi: int, width_mm: float, height_mm: float
) -> None:
    assert window_prints(service, DRIVER, kind, dpi, 2) == "sent 2 of 2; told 1/2 2/2"
    got = service.printed(DRIVER)
    document = pypdfium2.PdfDocument(got)
    sizes = [tuple(side * MM_PER_PT for side in page.get_size()) for page in document]
    # The service counts in points: a third of a millimetre.
    assert sizes == [pytest.approx((width_mm, height_mm), abs=0.36)] * 2
    (picture,) = document[0].get_objects(max_depth=5, filter=[3])
    left, low, right, high = picture.get_bounds()
    page_width, page_height = document[0].get_size()
    found = picture.get_bitmap().to_pil().convert("L")
    # A dot is a dot still: nothing was fitted to a page, and the label begins in the upper left corner.
    assert (right - left, high - low) == pytest.approx((found.width * 72 / dpi, found.height * 72 / dpi), abs=0.05)
    assert (left, high) == pytest.approx((0, page_height), abs=1.0)
    assert right - left == pytest.approx(page_width, abs=1.0)
    document.close()
    pdf = PdfPapers().labels([LABELS[kind]], LabelSetup(dpi=dpi))
    wanted = Image.open(BytesIO(page_png(pdf, 0, dpi))).convert("L")
    assert found.size == wanted.size
    assert ImageChops.difference(found, wanted).getbbox() is None
    codes = decode_pdf(got, dpi)
    assert codes == decode_pdf(pdf, dpi) * 2
    assert all(codes)


def test_a_printer_without_paper_of_this_size_is_refused_and_gets_nothing(service: CupsServer) -> None:
    said = window_prints(service, LETTER, "vial", 203, 1)
    assert said.startswith("refused: printer: The printer “office” has no paper of 57.15 × 31.75 mm;"), said
    assert service.printed(LETTER) == b""


def test_zpl_passes_a_queue_untouched(service: CupsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    job = PdfPapers().zpl([LABELS["bag"]] * 3, LabelSetup())
    assert set(queues()) == {DRIVER, RAW, LETTER}
    sent = to_queue(job, RAW)
    assert (sent.labels, sent.of_labels, sent.answered) == (3, 3, True)
    assert sent.job.startswith(f"{RAW}-")
    assert service.printed(RAW) == job
    with pytest.raises(NotSent, match="The queue “nosuch” did not take the labels"):
        to_queue(job, "nosuch")
    with pytest.raises(Refused, match="no print queue's name"):
        to_queue(job, "no such queue")
