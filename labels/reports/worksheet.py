"""The preparation worksheet: what is to be made, why, from which vials, and what is written at the hood."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from labels import text
from labels.codes import bar_module, code128, draw, gs1_data_matrix, matrix_module
from labels.geometry import LETTER, Dots, Stock
from labels.reports.frame import BODY_PT, GREY, SMALL_PT, Column, Frame
from labels.text import amount, day, mg, mg_per_ml, ml, reprint_words, signed_percent, working
from pharmacy_app.domain.findings import Finding, Named, Step
from pharmacy_app.domain.tolerance import Part
from pharmacy_app.services.papers import Worksheet


def worksheet(sheet: Worksheet, dots: Dots, stock: Stock = LETTER) -> bytes:
    """Draw the worksheet of one dose."""
    frame = Frame(stock, sheet.stamp, "Preparation worksheet", _marker(sheet), dots=dots)
    frame.begin_page()
    _dose(frame, sheet, dots)
    _order(frame, sheet)
    _working(frame, sheet)
    _findings(frame, sheet)
    _vials(frame, sheet)
    _preparation(frame, sheet)
    _budget(frame, sheet)
    _by_hand(frame, sheet)
    frame.signatures(sheet.signatures, "Not signed yet: this worksheet is no release of a dose.")
    return frame.finish()


def _marker(sheet: Worksheet) -> str:
    """What tells every page of this worksheet from every other one's."""
    parts = (reprint_words(sheet.copy_number), f"Dose {sheet.dose_id}", f"Subject {sheet.subject_number}")
    return " · ".join(part for part in parts if part)


def _dose(frame: Frame, sheet: Worksheet, dots: Dots) -> None:
    """The line everything else explains, with the codes of the dose at its right."""
    y, right = frame.y, frame.margin + frame.room
    bars, matrix = code128("dose_id", sheet.dose_id), gs1_data_matrix("dose_id", sheet.dose_id)
    # An office printer draws these and there is room: wider bars than on a label.
    bar, cell = bar_module(dots, 0.0133), matrix_module(dots, 0.0185)
    matrix_left = right - dots.pt(matrix.size()[0] * cell)
    bars_left = matrix_left - dots.pt(bars.size()[0] * bar)
    page = frame.stock.height_pt
    draw(frame.canvas, matrix, dots, left=dots.up(matrix_left), top=dots.up(y + 8), module=cell, page_pt=page)
    draw(
        frame.canvas,
        bars,
        dots,
        left=dots.up(bars_left),
        top=dots.up(y + 8),
        module=bar,
        bar_height=dots.up(22),
        page_pt=page,
    )
    start = bars_left + dots.pt(bars.quiet * bar)
    frame.fit(f"Dose {sheet.dose_id}", start, y + 41, right - start, font=text.MONO_SEMI, size=9, field="dose_id")
    room = start - frame.margin - 12
    frame.write("Subject", frame.margin, y + 11, size=SMALL_PT, grey=GREY)
    number = sheet.subject_number
    x = frame.fit(number, frame.margin, y + 26, room - 60, font=text.BOLD, size=15, field="subject_number") + 10
    initials = f"Initials {text.shown(sheet.subject_initials)}"
    frame.fit(initials, x, y + 26, frame.margin + room - x, font=text.SEMI, size=BODY_PT, field="subject_initials")
    words = f"{sheet.product}  {amount(sheet.prescribed_mg)} mg"
    frame.fit(words, frame.margin, y + 44, room, font=text.BOLD, size=15, field="product")
    frame.y = y + 50
    frame.rule(frame.y)


def _order(frame: Frame, sheet: Worksheet) -> None:
    weight = sheet.weight
    frame.pairs(
        [
            ("Course · cycle · day", f"{sheet.course} · {sheet.cycle} · {sheet.day}"),
            ("Dose level", sheet.level),
            ("Planned for", day(sheet.planned_on)),
            ("Prescriber", sheet.prescriber),
            ("Ordered on", day(sheet.ordered_on)),
            ("Born", sheet.born),
            ("Height (measured)", f"{amount(sheet.height_cm)} cm ({day(sheet.height_measured_on)})"),
            ("Weight (weighed)", f"{amount(weight.weight_kg)} kg ({day(weight.weighed_on)})"),
            ("BSA (formula)", f"{working(sheet.bsa_m2)} m² ({sheet.bsa_formula})"),
            ("Protocol dose", f"{amount(sheet.dose_mg_per_m2)} mg/m²"),
            ("Planned dose", f"{amount(sheet.planned_mg)} mg"),
            ("Prescribed dose", f"{amount(sheet.prescribed_mg)} mg"),
        ],
        columns=4,
    )
    frame.y += 2
    frame.rule(frame.y)
    used = "Weight last used: none, first dose."
    if weight.last_used_kg is not None and weight.last_used_on is not None:
        used = f"Weight last used: {amount(weight.last_used_kg)} kg ({day(weight.last_used_on)})"
        if weight.change_percent is not None:
            used += f", change {signed_percent(weight.change_percent)} %."
    frame.paragraph(f"{used} {weight.sentence}")
    decided = sorted({finding.rule for finding in sheet.findings if finding.override is not None})
    if decided:
        frame.paragraph(
            f"This dose goes on by written decision on {', '.join(decided)}: see the findings.", font=text.BOLD
        )
    frame.y += 3


def _named(values: tuple[Named, ...]) -> str:
    return "; ".join(f"{value.name} {_short(value.value)} {value.unit}".rstrip() for value in values)


def _short(value: str) -> str:
    """A number of many digits as the working shows it, with an ellipsis; any other text as it is."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    _, _, decimals = value.partition(".")
    return working(number) if number.is_finite() and len(decimals) > 6 else value


def _working(frame: Frame, sheet: Worksheet) -> None:
    if not sheet.steps:
        return
    frame.section("Working")
    steps_table(frame, sheet.steps)


def steps_table(frame: Frame, steps: Sequence[Step]) -> None:
    """The working of a dose, step by step."""
    room = frame.room
    columns = [
        Column("Step", room * 0.2, font=text.SEMI),
        Column("Formula", room * 0.24),
        Column("Inputs", room * 0.3),
        Column("Result", room * 0.16, "right", text.SEMI),
        Column("Section", room * 0.1, "right"),
    ]
    frame.table(
        columns,
        [
            (
                step.name,
                step.formula,
                _named(step.inputs),
                f"{working(step.result)} {step.unit}".rstrip(),
                f"§ {step.section}" if step.section else "",
            )
            for step in steps
        ],
    )


def _finding_words(finding: Finding) -> str:
    words = finding.sentence
    if finding.compared:
        words += f" [{_named(finding.compared)}]"
    override = finding.override
    if override is not None:
        words += (
            f" DECIDED IN WRITING by {override.decided_by} ({override.role}) on {day(override.decided_on)}, document "
            f"{text.shown(override.document)}: {override.why}"
        )
    return words


def _findings(frame: Frame, sheet: Worksheet) -> None:
    frame.section("Findings and written decisions")
    findings_table(frame, sheet.findings)


def findings_table(frame: Frame, findings: Sequence[Finding]) -> None:
    """What the rules said of a dose, with the written decisions it goes on by."""
    if not findings:
        frame.paragraph("No finding: no rule stops, warns or informs on this dose.")
        return
    room = frame.room
    columns = [
        Column("Severity", room * 0.14, font=text.SEMI),
        Column("Rule", room * 0.07),
        Column("What it says", room * 0.69),
        Column("Section", room * 0.1, "right"),
    ]
    frame.table(
        columns,
        [
            (
                finding.severity.value.capitalize(),
                finding.rule,
                _finding_words(finding),
                f"§ {finding.section}" if finding.section else "",
            )
            for finding in findings
        ],
    )


def _vials(frame: Frame, sheet: Worksheet) -> None:
    frame.section("Vials")
    room = frame.room
    columns = [
        Column("Unit number", room * 0.2, font=text.MONO_SEMI),
        Column("Strength", room * 0.11),
        Column("Lot", room * 0.19, font=text.MONO),
        Column("Expires", room * 0.14),
        Column("Draw mg", room * 0.12, "right", text.SEMI),
        Column("Draw mL", room * 0.12, "right", text.SEMI),
        Column("Left mg", room * 0.12, "right"),
    ]
    rows = [
        (
            vial.unit_number,
            f"{amount(vial.strength_mg)} mg",
            vial.lot,
            day(vial.expires_on),
            mg(vial.draw_mg),
            ml(vial.draw_ml),
            mg(vial.left_mg),
        )
        for vial in sheet.vials
    ]
    frame.table(columns, rows)


def _preparation(frame: Frame, sheet: Worksheet) -> None:
    frame.section("Preparation")
    room = frame.room
    columns = [
        Column("Strength", room * 0.1),
        Column("Reconstitute with", room * 0.36, font=text.SEMI),
        Column("Concentration", room * 0.14),
        Column("Extractable", room * 0.12),
        Column("Source (signed setting)", room * 0.28),
    ]
    frame.table(
        columns,
        [
            (
                f"{amount(made.strength_mg)} mg",
                f"{amount(made.volume_ml)} mL {made.fluid}",
                f"{amount(made.concentration_mg_per_ml)} mg/mL",
                f"{amount(made.extractable_mg)} mg",
                made.source,
            )
            for made in sheet.reconstitution
        ],
    )
    final, low, high = sheet.final_mg_per_ml, sheet.min_mg_per_ml, sheet.max_mg_per_ml
    verdict = "within" if low <= final <= high else "OUTSIDE"
    frame.y += 3
    frame.paragraph(
        f"Withdraw {ml(sheet.withdraw_ml)} mL and dilute in {sheet.diluent} to a total of "
        f"{amount(sheet.bag_volume_ml)} mL: {amount(sheet.prescribed_mg)} mg in {amount(sheet.bag_volume_ml)} mL "
        f"({mg_per_ml(final)} mg/mL).",
        font=text.SEMI,
        size=BODY_PT + 0.5,
    )
    frame.paragraph(
        f"Final concentration is {verdict} the limits {amount(low)} to {amount(high)} mg/mL. "
        f"Source: {sheet.bag_source}."
    )
    for words in sheet.instructions:
        frame.paragraph(f"– {words}")
    frame.paragraph(sheet.light, font=text.BOLD)
    frame.paragraph(sheet.hazard, font=text.BOLD)
    frame.need(24 + 26.0 * len(sheet.stability))
    frame.y += 4
    columns = [
        Column("Stability limit", room * 0.44),
        Column("Allowed", room * 0.14, font=text.SEMI),
        Column("Source", room * 0.42),
    ]
    frame.table(columns, [(limit.name, limit.limit, limit.source) for limit in sheet.stability])
    frame.paragraph(f"Beyond-use time: {sheet.beyond_use_rule}")


def _budget(frame: Frame, sheet: Worksheet) -> None:
    budget, room = sheet.budget, frame.room
    limit = amount(budget.limit_percent)
    frame.section(f"Tolerance budget: what of the {limit} % is spent before mixing")
    columns = [
        Column("Part", room * 0.19, font=text.SEMI),
        Column("From and to", room * 0.33),
        Column("% of prescribed", room * 0.12, "right", text.SEMI),
        Column("How", room * 0.28),
        Column("Section", room * 0.08, "right"),
    ]
    frame.table(
        columns,
        [
            (
                part.kind.value[:1].upper() + part.kind.value[1:],
                f"{_one_end(part.before_name, part.before, part)}; {_one_end(part.after_name, part.after, part)}",
                _percent(part),
                part.formula,
                f"§ {part.section}",
            )
            for part in (*budget.parts, budget.formula)
        ],
    )
    frame.paragraph(
        f"At worst {working(budget.spent_percent, 3)} % of {limit} % is spent, {_left(budget.left_percent)} is left: "
        f"{budget.working}." + "".join(f" Not known and not counted: {name}." for name in budget.unknown),
        font=text.SEMI,
    )


def _one_end(name: str, value: Decimal | None, part: Part) -> str:
    return f"{name} {'not known' if value is None else f'{working(value)} {part.unit}'}"


def _percent(part: Part) -> str:
    if part.percent is None:
        return "not known"
    return f"±{working(part.percent, 3)}" if part.either_way else signed_percent(part.percent)


def _left(percent: Decimal) -> str:
    return f"{signed_percent(percent).removeprefix('+')} %"


def _by_hand(frame: Frame, sheet: Worksheet) -> None:
    columns, gap, high = 4, 10.0, 40.0
    rows = -(-len(sheet.by_hand) // columns)
    frame.section("Written by hand at the hood", with_next=rows * high)
    across = (frame.room - gap * (columns - 1)) / columns
    frame.y += 3
    for number, name in enumerate(sheet.by_hand):
        row, column = divmod(number, columns)
        x, top = frame.margin + column * (across + gap), frame.y + row * high
        frame.fit(name, x, top + 8, across, font=text.PLAIN, size=SMALL_PT, field="by_hand", grey=GREY)
        frame.canvas.setStrokeGray(0.35)
        frame.canvas.setLineWidth(0.6)
        frame.canvas.rect(x, frame.stock.height_pt - top - 34, across, 23)
        frame.canvas.setStrokeGray(0)
    frame.y += rows * high
