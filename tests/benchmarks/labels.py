"""Labels per second as PDF, against a bare reportlab canvas that draws the same words and codes; memory of a batch.

``python installer/dev.py bench labels`` runs it. Three figures, each with the bare canvas in the same run: laid out and
drawn; the same with the proof, in which each page is rendered and its codes are read; and how much memory a batch of
1,000 takes beyond one of 100.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from labels import text
from labels.engine import layouts
from labels.label_job import label_pages
from labels.label_pdf import label_pdf
from labels.layout import Code, Frame, Layout, Rule, Words
from pharmacy_app.services.papers import Label, LabelSetup
from tests.benchmarks.measure import pairs
from tests.labels.label_samples import BAG, VIAL, with_values

BATCH = 100
ROUNDS = 7
_MEMORY = """
import resource, sys
from tests.benchmarks.labels import batch
from labels.label_job import label_pages
from pharmacy_app.services.papers import LabelSetup
label_pages(batch(int(sys.argv[1])), LabelSetup())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def batch(count: int) -> list[Label]:
    """Vials of one shipment: every number another, the rest alike."""
    return [replace(VIAL, number=f"V{number:06d}K") for number in range(count)]


def doses(count: int) -> list[Label]:
    """Bags of as many doses: number, subject and dose differ."""
    bags = (replace(BAG, number=f"D{number:06d}K") for number in range(count))
    return [with_values(bag, subject_number=f"1001-{number:04d}") for number, bag in enumerate(bags)]


def bare(made: Sequence[Layout]) -> bytes:
    """The same words and codes on a plain canvas, one call each, as one writes it first."""
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    stock = made[0].stock
    canvas: Any = Canvas(file, pagesize=(stock.width_pt, stock.height_pt), invariant=1, pageCompression=1)
    for layout in made:
        high, dot = layout.stock.height_pt, 72 / layout.dpi
        for box in layout.boxes:
            if isinstance(box, Words):
                canvas.setFont(box.font, box.size_pt)
                canvas.drawString(box.x_pt, high - box.y_pt, box.words)
            elif isinstance(box, Rule):
                canvas.line(box.x_pt, high - box.y_pt, box.x_pt + box.across_pt, high - box.y_pt)
            elif isinstance(box, Frame):
                canvas.rect(box.x_pt, high - box.top_pt - box.down_pt, box.across_pt, box.down_pt)
            elif isinstance(box, Code):
                _bare_code(canvas, box, high, dot)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _bare_code(canvas: Any, code: Code, high: float, dot: float) -> None:
    """Bars and modules as one path of rectangles, a run of dark modules each."""
    path = canvas.beginPath()
    symbol, side = code.symbol, code.module * dot
    down = side if symbol.two_dimensional else code.bar_height * dot
    for number, row in enumerate(symbol.rows):
        top = high - code.top * dot - number * side
        for dark in re.finditer("1+", row):
            left = code.left * dot + (symbol.quiet + dark.start()) * side
            path.rect(left, top - down, (dark.end() - dark.start()) * side, down)
    canvas.drawPath(path, stroke=0, fill=1)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(name: str, some: Sequence[Label], say: Callable[..., None]) -> None:
    """One batch: drawn, and drawn and proved."""
    setup = LabelSetup()
    made = layouts(some, setup)

    def floor() -> float:
        return seconds(lambda: bare(made))

    drawn = pairs(lambda: seconds(lambda: label_pdf(layouts(some, setup))), floor, ROUNDS)
    say(f"{BATCH} {name} labels, PDF", drawn[0], "a bare canvas with the same ink", *drawn[1:], "at most 1.5 ×")
    proved = pairs(lambda: seconds(lambda: label_pages(some, setup)), floor, ROUNDS)
    say(f"{BATCH} {name} labels, proved", proved[0], "a bare canvas with the same ink", *proved[1:], "")
    sys.stdout.write(f"    {BATCH / drawn[0]:,.0f} labels/s drawn, {BATCH / proved[0]:,.0f} labels/s proved\n")


def main(say: Callable[..., None]) -> None:
    """All figures."""
    text.load_fonts()
    measure("vial", batch(BATCH), say)
    measure("bag", doses(BATCH), say)
    few, many = memory(100), memory(1000)
    sys.stdout.write(f"    batch of 100: {few:.0f} MiB at most; of 1,000: {many:.0f} MiB\n")


def memory(count: int) -> float:
    """Highest memory (MiB) of a process that prints ``count`` vial labels."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _MEMORY, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return int(done.stdout) / 1024
