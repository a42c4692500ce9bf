"""Make the pictures of every kind of label anew, as a printer of 203 and of 300 dots an inch prints them.

The folder's other pictures go.

Run from the project's root: ``.venv/bin/python docs/make_label_images.py [FOLDER]``.
"""

import sys
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from labels.label_job import label_pages  # noqa: E402
from labels.proof import page_png  # noqa: E402
from labels.stocks import choices  # noqa: E402
from labels.template import shelf  # noqa: E402
from pharmacy_app.domain.errors import Refused  # noqa: E402
from pharmacy_app.domain.label_marks import LETTERS, mark_of  # noqa: E402
from pharmacy_app.services.papers import Label, LabelSetup  # noqa: E402
from tests.labels.label_samples import LABELS, PRINTERS, STOCKS, sample  # noqa: E402

ALSO = (
    ("vial", "us", ("en", "de"), ""),
    *((kind, "eu", ("de",), "") for kind in LABELS if kind != "ruler"),
    ("vial", "eu", ("en", "de"), ""),
    ("vial", "eu small", ("en", "de"), ""),
    ("bag", "us", ("de",), ""),
    ("bag", "eu", ("en",), ""),
    ("bag", "eu", ("en", "de"), "Avery 5164"),
)
"""Kind, region, languages and stock ('' is the usual one of the kind)."""


def main() -> None:
    """One picture a kind and printer, on each other roll, and then the other regions and languages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for kind, label in LABELS.items():
        for dpi in PRINTERS:
            picture(folder, f"{kind}-{dpi}".replace(" ", "-"), label, LabelSetup(dpi=dpi))
        usual = shelf().find(kind, "us").stock
        for stock in STOCKS:
            # What is refused has no picture: it does not fit there. Small labels on large stock show nothing new.
            if stock not in (usual, "4 x 3 in") and kind != "ruler":
                with suppress(Refused):
                    picture(folder, f"{kind}-on-{stock}".replace(" ", "-"), label, LabelSetup(stock=stock))
    for kind, region, languages, stock in ALSO:
        setup = LabelSetup(dpi=300, region=region, languages=languages)
        label = sample(kind, region, languages)
        if stock:
            # A label of a sheet, alone.
            size = choices()[stock].stock
            setup = replace(setup, width_mm=Decimal(str(size.width_mm)), height_mm=Decimal(str(size.height_mm)))
        picture(folder, f"{kind}-{region}-{'-'.join(languages)}".replace(" ", "-"), label, setup)


def picture(folder: Path, name: str, label: Label, setup: LabelSetup) -> None:
    """The picture of one label as it prints: with the mark of its kind and copy, which a ruler label has not."""
    if label.kind in LETTERS:
        label = replace(label, mark=mark_of(label.kind, label.number, label.copy_number))
    pdf = label_pages([label], setup)
    dpi = setup.dpi
    (folder / f"{name}.png").write_bytes(page_png(pdf, 0, dpi))


if __name__ == "__main__":
    main()
