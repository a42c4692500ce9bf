"""A second calculator, written from the protocol and the list of its rules, with nothing of the application in it.

It takes one row of the batch calculator's columns, as text, and says which dose the protocol plans and what must be
raised. It works with whole numbers and fractions; the square root of Mosteller's formula is taken in integers. The
protocol's numbers stand here a second time, on purpose: a wrong number in the protocol file shows as a difference.

Judged are the rules of ``JUDGED``. ``STOP`` has no way past it, ``STOP*`` goes on by a written decision, ``WARN`` by a
reason.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import isqrt

STOP, DECIDED, WARN = "STOP", "STOP*", "WARN"

JUDGED = frozenset(
    f"{kind}{number}"
    for kind, numbers in (
        ("R", (*range(1, 8), 13, 14, 18, 20, *range(22, 26), *range(28, 42), 43, 47, 48)),
        ("A", (5, 6, 9, 10, 11, 13, 15, 16, 22, 25, 34)),
    )
    for number in numbers
)

NO_SUCH_DOSE = frozenset(("R2", "R3", "R4", "R5", "A5"))
"""A dose that does not exist is refused by these; what else is said of it does not matter."""

FIRST_CYCLE = {1: Fraction(8, 10), 8: Fraction(5, 10), 15: Fraction(5, 10)}
LEVELS = {
    0: {1: Fraction(6, 10), 8: Fraction(3, 10)},
    -1: {1: Fraction(4, 10), 8: Fraction(2, 10)},
    -2: {1: Fraction(3, 10), 8: Fraction(1, 10)},
}
REMISSION = ("CR", "CRp", "CRi")
ENDS_FOR_TOXICITY = (
    "grade 4 adverse event, at least possibly related (10.4)",
    "adverse event that makes discontinuation necessary (10.5)",
    "next cycle delayed too long by toxicity (8.1.5)",
    "more reductions needed than there are (8.1.6)",
)
DIGITS = 20

Findings = set[tuple[str, str]]
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a row must give: mg/m², mg as a string of 20 decimals, mg in hundredths, percent off, what is raised.

    ``planned_mg`` is cut off behind its last digit, not rounded. ``percent`` is that of the prescribed dose against
    the unrounded plan.
    """

    mg_per_m2: Fraction | None
    planned_mg: str
    rounded_mg: str
    percent: Decimal | None
    findings: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, read."""

    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        """A cell, '' where it is left out."""
        return self.cells.get(name, "").strip()

    def number(self, name: str) -> Fraction | None:
        """A number, exactly as typed."""
        return Fraction(self.text(name)) if self.text(name) else None

    def day(self, name: str) -> date | None:
        """A date."""
        return date.fromisoformat(self.text(name)) if self.text(name) else None

    def entries(self, name: str) -> list[list[str]]:
        """A list cell: entries parted by semicolons, their words by blanks."""
        return [entry.split() for entry in self.text(name).split(";") if entry.strip()]

    @property
    def course(self) -> int:
        """1, or 2 for retreatment."""
        return int(self.text("course") or 1)

    @property
    def cycle(self) -> int:
        """The cycle ordered."""
        return int(self.text("cycle"))

    @property
    def day_of_cycle(self) -> int:
        """The day of the cycle ordered."""
        return int(self.text("day"))

    @property
    def level(self) -> int:
        """The dose level ordered."""
        return int(self.text("level") or 0)

    @property
    def on(self) -> date:
        """The day of the infusion."""
        return date.fromisoformat(self.text("planned_on"))

    @property
    def place(self) -> Place:
        """Course, cycle, day."""
        return self.course, self.cycle, self.day_of_cycle

    def given(self) -> dict[Place, tuple[date, int]]:
        """Doses given: day and level."""
        return {
            place_of(words[0]): (date.fromisoformat(words[1]), int(words[2]) if len(words) > 2 else 0)
            for words in self.entries("given")
        }

    def cause(self, place: Place) -> str:
        """Why a dose is late: toxicity, other, or '' where nobody said."""
        return {place_of(words[0]): words[1] for words in self.entries("delays")}.get(place, "")

    def first_day(self, course: int, cycle: int) -> date | None:
        """The actual day 1 of a cycle."""
        if (course, cycle) == (self.course, self.cycle) and self.day("day1_on"):
            return self.day("day1_on")
        given = self.given().get((course, cycle, 1))
        return given[0] if given else None


def place_of(text: str) -> Place:
    """1.2.8 is course 1, cycle 2, day 8."""
    course, cycle, day = text.split(".")
    return int(course), int(cycle), int(day)


def judge(cells: Mapping[str, str]) -> Expected:
    """Say what one row must give."""
    row = Row(cells)
    mg_per_m2 = dose_of(row)
    found: Findings = set()
    for part in (regimen, subject, courses, weighing, levels, level_reasons, day_one, later_days, criteria):
        found |= part(row)
    planned = rounded = ""
    percent = None
    prescribed = row.number("prescribed_mg")
    if mg_per_m2 is None:
        return Expected(None, planned, rounded, percent, frozenset(found))
    squared = mg_per_m2**2 * metric(row, "height") * metric(row, "weight") / 3600
    planned = decimals(squared)
    hundredths = (isqrt(int(squared * 200**2)) + 1) // 2
    rounded = f"{hundredths // 100}.{hundredths % 100:02}"
    if prescribed is None:
        found.add(("R18", STOP))
    else:
        percent = (Decimal(row.text("prescribed_mg")) / Decimal(planned) - 1) * 100
        if not Fraction(9, 10) ** 2 * squared < prescribed**2 < Fraction(11, 10) ** 2 * squared:
            found.add(("R18", DECIDED))
    return Expected(mg_per_m2, planned, rounded, percent, frozenset(found))


def metric(row: Row, name: str) -> Fraction:
    """Height in cm, weight in kg."""
    factor = {"in": Fraction("2.54"), "lb": Fraction("0.45359237")}.get(row.text(f"{name}_unit"), Fraction(1))
    value = row.number(name)
    assert value is not None
    return value * factor


def decimals(squared: Fraction) -> str:
    """The square root to 20 decimals, cut off behind them."""
    digits = str(isqrt(int(squared * 10 ** (2 * DIGITS)))).rjust(DIGITS + 1, "0")
    return f"{digits[:-DIGITS]}.{digits[-DIGITS:]}"


def first_cycle_doses(row: Row) -> bool:
    """Whether the ordered cycle has the doses of cycle 1 (A22: the order names them in retreatment)."""
    if row.cycle != 1:
        return False
    return row.course == 1 or "later-cycle doses" not in row.text("retreatment_order")


def dose_of(row: Row) -> Fraction | None:
    """The protocol's mg/m² for the ordered place and level (§ 3.3, 8.1.3, 8.1.6)."""
    if row.cycle > 6:
        return None
    if first_cycle_doses(row):
        return FIRST_CYCLE.get(row.day_of_cycle) if row.level == 0 else None
    return LEVELS.get(row.level, {}).get(row.day_of_cycle)


def regimen(row: Row) -> Findings:
    """R2-R5 and A5: which doses exist at all."""
    found: Findings = set()
    if row.cycle > 6:
        found.add(("R5", STOP))
    if first_cycle_doses(row):
        if row.day_of_cycle not in FIRST_CYCLE:
            found.add(("R2", STOP))
        if row.level != 0:
            found.add(("A5", STOP))
    else:
        if row.day_of_cycle not in LEVELS[0]:
            found.add(("R3", STOP))
        if row.level not in LEVELS:
            found.add(("R4", STOP))
    return found


def subject(row: Row) -> Findings:
    """R1, R32, R33: age, liver, off treatment."""
    found: Findings = set()
    birth = row.text("birth")
    latest = date(int(birth), 12, 31) if len(birth) == 4 else row.day("birth")
    if latest is None or row.on < years_after(latest, 12):
        found.add(("R1", DECIDED))
    toxicities = row.entries("toxicities")
    if row.text("liver_toxicity_suspected") != "no":
        found.add(("R32", STOP))
    if any(words[-1] == "VOD" or words[-2:] == ["liver", "toxicity"] for words in toxicities):
        found.add(("R32", STOP))
    # A grave liver finding is R32 already, which nobody may decide past.
    if any(int(words[1]) >= 4 and words[2] == "related" and words[3:] in ([], ["numeric"]) for words in toxicities):
        found.add(("R33", DECIDED))
    if (row.number("toxicity_grade") or 0) >= 4:
        found.add(("R33", DECIDED))  # the criteria ask for related toxicity alone
    for words in row.entries("off_treatment"):
        if int(words[0]) == row.course or " ".join(words[2:]) in ENDS_FOR_TOXICITY:
            found.add(("R33", DECIDED))
    return found


def years_after(start: date, years: int) -> date:
    """A birthday; that of 29 February is 1 March in a common year."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


def months_after(start: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def responses_of(row: Row, course: int) -> list[tuple[date, str]]:
    """Responses of a course in the order of their dates."""
    return sorted(
        (date.fromisoformat(words[1]), words[2])
        for words in row.entries("responses")
        if int(words[0].split(".")[0]) == course
    )


def courses(row: Row) -> Findings:
    """R6, A16, A22 for retreatment; R7, A15 for the response within a course."""
    found: Findings = set()
    if row.course > 1:
        before = responses_of(row, row.course - 1)
        first = next((day for day, kind in before if kind in REMISSION), None)
        relapse = next((day for day, kind in before if kind == "PD" and first and day > first), None)
        if first is None or relapse is None:
            found.add(("R6", DECIDED))
        else:
            edge = months_after(first, 3)
            if relapse < edge:
                found.add(("R6", DECIDED))
            if abs((relapse - edge).days) <= 7:
                found.add(("A16", WARN))
        if not any(int(words[0]) == row.course for words in row.entries("retreatment_order")):
            found.add(("A22", DECIDED))
    kinds = [kind for _, kind in responses_of(row, row.course)]
    newest = kinds[-1] if kinds else "NR"
    # What a cycle depends on is asked where it starts; progression found within it stops its later days too.
    first = row.first_day(row.course, row.cycle)
    if row.day_of_cycle != 1:
        within = [kind for on, kind in responses_of(row, row.course) if first and on > first]
        newest = "PD" if within[-1:] == ["PD"] else "CR"
    # Before the first dose of a course the disease is what treatment is for; there the criterion alone asks (R34).
    begun = (row.cycle, row.day_of_cycle) != (1, 1)
    stated = begun and row.text("progression") == "yes" and row.text("only_cns_or_testis") != "yes"
    if stated or newest == "PD" or (newest == "NR" and row.cycle > 2):
        found.add(("R7", STOP if row.cycle > 4 else DECIDED))
    if newest == "PR" and row.cycle > 2:
        found.add(("A15", DECIDED if row.cycle > 4 else WARN))
    return found


def weighing(row: Row) -> Findings:
    """R13, R14: weighed for day 1, and calculated anew after a large change."""
    if row.day_of_cycle != 1:
        return set()
    found: Findings = set()
    weighed = row.day("newest_weight_on") or row.day("weight_on") or row.on
    if not 0 <= (row.on - weighed).days <= 7:
        found.add(("R13", STOP))
    newest, prior = row.number("newest_weight_kg"), row.number("prior_weight_kg")
    if (
        newest is not None
        and newest != metric(row, "weight")
        and prior is not None
        and 10 * abs(newest - prior) > prior
    ):
        found.add(("R14", STOP))
    return found


@dataclass(slots=True)
class Way:
    """How the level of a cycle came about: ``floor`` is the highest level that toxicity left (R47)."""

    level: int = 0
    before: int = 0
    floor: int = 0
    steps: int = 0
    steps_for_remission: int = 0

    def change(self, level: int, reason: str) -> None:
        """Go to another level."""
        down = max(self.level - level, 0)
        self.steps += down
        if reason == "remission":
            self.steps_for_remission += down
        if down and (reason in ("toxicity", "platelets not recovered") or self.floor < 0):
            self.floor = min(self.floor, level)
        self.level = level


def way_to(row: Row) -> Way:
    """The recorded changes up to the ordered cycle; a retreatment starts at 0 or at what toxicity allows."""
    changes = sorted(
        (place_of(f"{words[0]}.1"), int(words[1]), " ".join(words[2:])) for words in row.entries("level_changes")
    )
    way, course = Way(), 1
    for place, level, reason in changes:
        if place[:2] > (row.course, row.cycle):
            break
        if place[0] != course:
            course, way.level = place[0], way.floor
        way.before = way.level if place[:2] == (row.course, row.cycle) else level
        way.change(level, reason)
    if course != row.course:
        way.level = way.before = way.floor
    elif not any(place[:2] == (row.course, row.cycle) for place, _, _ in changes):
        way.before = way.level
    return way


def levels(row: Row) -> Findings:
    """R43, R47, R48: which level may be given."""
    way = way_to(row)
    found: Findings = set()
    if way.steps > 2:
        found.add(("R48", STOP if way.steps - way.steps_for_remission > 2 else DECIDED))
    if first_cycle_doses(row):
        return found | ({("R47", STOP)} if way.floor < 0 else set())
    first = row.given().get((row.course, row.cycle, 1)) if row.day_of_cycle != 1 else None
    if way.floor < 0 and row.level > way.floor:
        # R47 says it all, unless the cycle began at another level still.
        found.add(("R47", STOP))
        if first and first[1] != row.level:
            found.add(("R43", STOP))
    elif row.level != (first[1] if first else way.level):
        found.add(("R43", STOP))
    return found


def level_reasons(row: Row) -> Findings:
    """A10, A11, A13: what is asked on the day 1 a level begins with; within the cycle it cannot change."""
    if first_cycle_doses(row) or row.day_of_cycle != 1:
        return set()
    way = way_to(row)
    found: Findings = set()
    if row.cycle == 2 and row.level < 0:
        found.add(("A10", WARN))
    if way.before < way.level <= way.floor:
        found.add(("A11", WARN))
    if way.before - way.level >= 2:
        found.add(("A13", WARN))
    return found


def day_one(row: Row) -> Findings:
    """R20, R22-R25, R31, A6, A9, A25, A34 for the start of a later cycle."""
    found = spacing(row)
    if row.day_of_cycle != 1 or row.cycle == 1:
        return found
    last = row.first_day(row.course, row.cycle - 1)
    scheduled = row.day("scheduled_on")
    late = (row.on - scheduled).days if scheduled else None
    cause = row.cause(row.place)
    if last is None:
        found.add(("R25", WARN))
        return found
    gap = (row.on - last).days
    if row.cycle == 2 and in_second_window(row, last):
        late = min(late, 3) if late is not None else None  # the wider window rules (A7)
    elif late is not None and abs(late) > 3:
        found.add(("R20", WARN if late > 0 else DECIDED))
    if row.cycle == 2:
        found |= second_cycle(row, last)
    elif gap < 18:
        found.add(("R25", WARN if gap >= 14 and interrupted(row) else DECIDED))
    elif gap < 21:
        found.add(("A6", WARN))
    elif gap > 31:
        found.add(("R25", WARN))
    if late is None:
        # Without a plan it could have been due up to day 29 of the cycle before (A9).
        late = 0 if row.cycle == 2 and in_second_window(row, last) else gap - 28
        if 49 < gap <= 56:
            found.add(("A9", WARN))
    if late > 3 and not cause:
        found.add(("A34", STOP))
    if gap > 56 if scheduled is None else late > 28:
        found.add(("A34", WARN) if cause == "other" else ("R31", DECIDED))
    return found


def in_second_window(row: Row, last: date) -> bool:
    """Whether cycle 2 starts in its window after the marrow (R22, R23)."""
    return (15 <= (row.on - last).days + 1 <= 29) if persistent(row, last) else (21 <= (row.on - last).days + 1 <= 35)


def persistent(row: Row, last: date) -> bool:
    """More than 5 % blasts in the newest marrow since day 1 of cycle 1."""
    marrows = [blasts for on, blasts in marrows_of(row) if on >= last]
    return bool(marrows) and marrows[-1] > 5


def interrupted(row: Row) -> bool:
    """Whether a later dose of the cycle before was held for toxicity (A8)."""
    return any(
        place_of(words[0])[:2] == (row.course, row.cycle - 1) and words[1] == "toxicity"
        for name in ("delays", "omissions")
        for words in row.entries(name)
    )


def second_cycle(row: Row, last: date) -> Findings:
    """R22, R23, R24, A6: cycle 2 by the marrow since day 1 of cycle 1, counted in days of cycle 1."""
    found: Findings = set()
    day = (row.on - last).days + 1
    if not any(on >= last for on, _ in marrows_of(row)):
        found.add(("R24", WARN))
    if persistent(row, last):
        if day > 29:
            found.add(("R23", WARN))
    elif not 21 <= day <= 35:
        found.add(("R22", WARN))
    if day <= 17:
        found.add(("A6", DECIDED))
    elif day <= 21:
        found.add(("A6", WARN))
    return found


def marrows_of(row: Row) -> list[tuple[date, Fraction]]:
    """Marrows in the order of their dates."""
    return sorted((date.fromisoformat(words[0]), Fraction(words[1])) for words in row.entries("marrows"))


def spacing(row: Row) -> Findings:
    """A25: days since the last dose."""
    last = max((on for on, _ in row.given().values()), default=None)
    return {("A25", WARN)} if last and (row.on - last).days < 6 else set()


def later_days(row: Row) -> Findings:
    """R20, R28-R30, A34 for days 8 and 15, from the actual day 1."""
    first = row.first_day(row.course, row.cycle)
    if row.day_of_cycle == 1 or first is None or dose_of(row) is None:
        return set()
    found: Findings = set()
    late = (row.on - first).days + 1 - row.day_of_cycle
    cause = row.cause(row.place)
    if late < -3:
        found.add(("R20", DECIDED))
    if late <= 3:
        return found
    found.add(("R20", WARN))
    if not cause:
        found.add(("A34", STOP))
    if cause != "other" and late <= 7:
        found.add(("R28", WARN))
    if late > 7:
        found.add(("R29", STOP))
    elif row.day_of_cycle + late > (14 if row.day_of_cycle == 8 else 18):
        found.add(("R30", DECIDED))  # later still the dose is omitted, and nothing is left to decide
    return found


def criteria(row: Row) -> Findings:
    """R34-R41: the criteria of the treatment day. What is not known is not met."""
    found: Findings = set()
    if row.day_of_cycle == 1:
        if row.text("progression") != "no":
            found.add(("R34", DECIDED))
        if not blasts_stable(row):
            found.add(("R35", DECIDED))
        if row.cycle != 1:
            found |= counts(row)
    grade, baseline = row.number("toxicity_grade"), row.number("toxicity_baseline_grade")
    if grade is None or (grade > 1 and (baseline is None or grade > baseline)):
        found.add(("R36", DECIDED))
    bilirubin, limit = row.number("bilirubin"), row.number("bilirubin_upper_limit")
    most = Fraction(2) if row.text("due_to_tumor") == "yes" else Fraction(3, 2)
    if bilirubin is None or limit is None or bilirubin > most * limit:
        found.add(("R37", DECIDED))
    if not transaminases(row):
        found.add(("R38", DECIDED))
    clearance = row.number("creatinine_clearance")
    if clearance is None or clearance < 15:
        found.add(("R39", DECIDED))
    return found


def blasts_stable(row: Row) -> bool:
    """Not more than half as many blasts again as in the marrow before (A17); a single one is the base of cycle 1."""
    blasts = blasts_of_course(row)
    if len(blasts) < 2:
        return row.cycle == 1 and len(blasts) == 1
    return not blasts_rose(row)


def blasts_rose(row: Row) -> bool:
    """More than half as many blasts again as in the marrow before."""
    blasts = blasts_of_course(row)
    return len(blasts) > 1 and blasts[-1] > Fraction(3, 2) * blasts[-2]


def blasts_of_course(row: Row) -> list[Fraction]:
    """The blasts that a course is measured by.

    A retreatment is measured from itself: from the last marrow up to the relapse, if it came after the response, or
    else from the first one after it. With no relapse recorded it is R6 that asks, and the newest marrow is the base.
    """
    marrows = marrows_of(row)
    if row.course > 1:
        before = responses_of(row, row.course - 1)
        relapse = max((on for on, kind in before if kind == "PD"), default=None)
        if relapse is None:
            return [blasts for _, blasts in (marrows[-1:] if row.cycle == 1 else marrows)]
        response = max((on for on, kind in before if kind != "PD" and on < relapse), default=date.min)
        own = [each for each in marrows if each[0] > response]
        marrows = [each for each in own if each[0] <= relapse][-1:] + [each for each in own if each[0] > relapse]
    return [blasts for _, blasts in marrows]


def transaminases(row: Row) -> bool:
    """Every value that was measured passes; AST alone, not of liver or bile ducts, is excused (A18)."""
    passed: dict[str, bool] = {}
    for name in ("ast", "alt"):
        value, limit = row.number(name), row.number(f"{name}_upper_limit")
        if value is not None:
            passed[name] = limit is not None and value <= Fraction(5, 2) * limit
    known = not row.text("ast") or bool(row.text("ast_upper_limit"))
    if row.text("not_hepatobiliary") == "yes" and known and passed.get("alt"):
        return True
    return bool(passed) and all(passed.values())


def counts(row: Row) -> Findings:
    """R40, R41: each count by its own value before treatment, and the pair when either was low."""
    found: Findings = set()
    anc, platelets = row.number("anc"), row.number("platelets")
    anc_before, platelets_before = row.number("anc_before_treatment"), row.number("platelets_before_treatment")
    anc_last, platelets_last = row.number("anc_before_last_cycle"), row.number("platelets_before_last_cycle")
    if row.cycle == 2:
        # The cycle before began with the treatment: one measurement, whichever column it stands in.
        anc_before = anc_last = anc_last if anc_before is None else anc_before
        platelets_before = platelets_last = platelets_last if platelets_before is None else platelets_before
    anc_enough = anc is not None and anc >= 1
    platelets_enough = platelets is not None and platelets >= 50
    if anc_before is None or platelets_before is None:
        found.add(("R40", DECIDED))
    if (anc_before is not None and anc_before >= 1 and not anc_enough) or (
        platelets_before is not None and platelets_before >= 50 and not platelets_enough
    ):
        found.add(("R40", DECIDED))
    low = (anc_before is not None and anc_before < 1) or (platelets_before is not None and platelets_before < 50)
    if low:
        back = (
            anc is not None
            and platelets is not None
            and anc_last is not None
            and platelets_last is not None
            and anc >= anc_last
            and platelets >= platelets_last
        )
        # The answer states the marrow too; it does not hold against marrows that show otherwise.
        from_disease = row.text("counts_low_from_disease") == "yes" and not blasts_rose(row)
        if not (back or (anc_enough and platelets_enough) or from_disease):
            found.add(("R41", DECIDED))
    return found
