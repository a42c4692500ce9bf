"""Draws every kind of label in ZPL with zebrash, a renderer others wrote, and compares it dot by dot with the PDF.

A command of its own, for it needs Node: in any folder ``npm install zpl-renderer-js@3.4.0``, then
``.venv/bin/python -m tests.labels.render_zebrash THAT_FOLDER``. It ends with 1 when a code is read otherwise.

Bars that the printer draws itself switch subsets by ``>5`` and ``>6``, as Zebra's manual has it. zebrash takes ``>5``
for something else (it stays in subset B and puts the character FNC4), so for it alone the bars are asked for in the
modes of ``^BC`` that need no switch, A and for GS1 codes D; all else is what a printer gets. These modes may choose
other subsets than ours, so that the same content has other bars.
"""

import base64
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops

from labels.engine import layouts
from labels.label_pdf import label_pdf
from labels.layout import Code
from labels.zpl import zpl
from pharmacy_app.domain.label_marks import LETTERS, mark_of
from pharmacy_app.services.papers import LabelSetup
from tests.labels.label_samples import LABELS, PRINTERS
from tests.labels.test_random_labels import read as scanned
from tests.labels.zpl_reader import read

_SCRIPT = """
const { ready } = require("zpl-renderer-js");
const fs = require("fs");
(async () => {
  const { api } = await ready;
  const made = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[1], "utf8")))
    made.push(await api.zplToBase64MultipleAsync(job.zpl, job.across_mm, job.down_mm, job.dots_a_mm));
  fs.writeFileSync(process.argv[2], JSON.stringify(made));
  process.exit(0);
})();
"""
_BARS = re.compile(r"(\^BCN,\d+,N,N,N),N\^FH\\\^FD((?:[^^])*)\^FS")


def automatic(job: str) -> str:
    """The bars of a job in the modes that choose the subset themselves."""

    def changed(hit: re.Match[str]) -> str:
        data = re.sub(">[:;56]", "", hit[2])
        gs1 = data.startswith(">8")
        # In mode D identifiers stand in parentheses; ours have two digits.
        elements = ">8".join(f"({each[:2]}){each[2:]}" for each in data.split(">8") if each)
        return f"{hit[1]},{'D' if gs1 else 'A'}^FH\\^FD{elements if gs1 else data}^FS"

    return _BARS.sub(changed, job)


def main(node_folder: Path) -> int:
    """Compare; returns how many labels are read otherwise."""
    jobs, wanted = [], []
    for kind, sample in LABELS.items():
        label = sample
        if kind in LETTERS:
            label = replace(sample, mark=mark_of(kind, sample.number, sample.copy_number))
        for dpi in PRINTERS:
            made = layouts([label], LabelSetup(dpi=dpi))
            (drawn,) = read(zpl(made, label_pdf))
            dots_a_mm = {203: 8, 300: 12}[dpi]
            codes = sorted(box.symbol.content for box in made[0].boxes if isinstance(box, Code))
            for native in (False, True):
                job = automatic(zpl(made, label_pdf, native_codes=native).decode("ascii"))
                size = {"across_mm": drawn.across / dots_a_mm, "down_mm": drawn.down / dots_a_mm}
                jobs.append({"zpl": job, **size, "dots_a_mm": dots_a_mm})
                wanted.append((f"{kind}, {dpi} dpi, {'native codes' if native else 'graphic'}", drawn.rows(), codes))
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "jobs.json", Path(folder) / "made.json"
        asked.write_text(json.dumps(jobs), encoding="utf-8")
        node = ["node", "-e", _SCRIPT, str(asked), str(answered)]
        subprocess.run(node, check=True, cwd=node_folder)
        pictures = json.loads(answered.read_text(encoding="utf-8"))
        wrong = other = 0
        for (name, rows, codes), (picture,) in zip(wanted, pictures, strict=True):
            png = Path(folder) / "label.png"
            png.write_bytes(base64.b64decode(picture))
            drawn_there = Image.open(png).convert("L").point([0] * 128 + [255] * 128)
            ours = Image.frombytes(
                "L", (len(rows[0]), len(rows)), bytes(0 if dot == "1" else 255 for row in rows for dot in row)
            )
            same = drawn_there.size == ours.size and ImageChops.difference(drawn_there, ours).getbbox() is None
            if scanned(drawn_there) != codes:
                wrong += 1
                sys.stdout.write(f"{name}: read as {scanned(drawn_there)}, not {codes}\n")
            elif not same:
                other += 1
                sys.stdout.write(f"{name}: the codes say the same in another picture\n")
    sys.stdout.write(f"{len(wanted)} labels drawn, {other} in another picture, {wrong} read otherwise\n")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]).resolve()) else 0)
