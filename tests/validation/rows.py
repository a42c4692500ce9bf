"""Rows for the comparison: sound treatments, each then moved to and just past a boundary or two. Seeded."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

BIRTH = date(1974, 3, 9)
START = date(2026, 3, 2)
FIT = {
    "progression": "no",
    "liver_toxicity_suspected": "no",
    "toxicity_grade": "0",
    "toxicity_baseline_grade": "0",
    "bilirubin": "0.8",
    "bilirubin_upper_limit": "1.2",
    "ast": "30",
    "ast_upper_limit": "40",
    "alt": "28",
    "alt_upper_limit": "40",
    "creatinine_clearance": "80",
    "anc": "2.1",
    "platelets": "120",
    "anc_before_treatment": "1.8",
    "platelets_before_treatment": "90",
    "anc_before_last_cycle": "1.7",
    "platelets_before_last_cycle": "80",
}
# Height, weight, and a body surface area without a remainder: 180 × 80 ÷ 3600 = 4 = 2², and so on.
EXACT = {
    ("180", "80"): "2",
    ("160", "90"): "2",
    ("180", "45"): "1.5",
    ("162", "72"): "1.8",
    ("180", "74.1125"): "1.925",
}
FIRST = {1: "0.8", 8: "0.5", 15: "0.5"}
LEVELS = {"0": {1: "0.6", 8: "0.3"}, "-1": {1: "0.4", 8: "0.2"}, "-2": {1: "0.3", 8: "0.1"}}

Row = dict[str, str]
Change = Callable[[Random, Row], None]


def on(row: Row) -> date:
    """The day of the infusion."""
    return date.fromisoformat(row["planned_on"])


def shift(day: date, days: int) -> str:
    """A date some days away, as text."""
    return (day + timedelta(days=days)).isoformat()


def sound(random: Random) -> Row:
    """A treatment that goes on without a word: up to six cycles of 28 days, remission after the first."""
    course = 2 if random.random() < 0.2 else 1
    cycle = random.choice((1, 1, 2, 2, 2, 3, 3, 4, 5, 6))
    day = random.choice((1, 1, 8, 15) if cycle == 1 else (1, 1, 8))
    height, weight = random.choice(list(EXACT)[:4])
    start = START + timedelta(days=random.randrange(0, 1500))
    given = [f"1.1.{each} {shift(start, each - 1)}" for each in (1, 8, 15)]
    marrows = [f"{shift(start, -5)} 60", f"{shift(start, 20)} 2"]
    row: Row = {"height": height, "weight": weight, "course": str(course), "cycle": str(cycle), "day": str(day)}
    row |= {"birth": BIRTH.isoformat(), **FIT}
    responses = [f"1.1 {shift(start, 20)} CR"]
    if course == 2:
        responses.append(f"1.1 {shift(start, 150)} PD")
        start += timedelta(days=170)
        row["retreatment_order"] = f"2 {shift(start, -3)} first-cycle doses"
        marrows.append(f"{shift(start, -10)} 45")
        if cycle > 1:
            given += [f"2.1.{each} {shift(start, each - 1)}" for each in (1, 8, 15)]
            marrows.append(f"{shift(start, 20)} 3")
            responses.append(f"2.1 {shift(start, 20)} CR")
    elif cycle == 1:
        given, marrows, responses = [], marrows[:1], []
    for each in range(2, cycle):
        given += [f"{course}.{each}.{dose} {shift(start, 28 * (each - 1) + dose - 1)} 0" for dose in (1, 8)]
    first = start + timedelta(days=28 * (cycle - 1))
    if day != 1:
        level = " 0" if cycle > 1 else ""
        given += [
            f"{course}.{cycle}.{dose} {shift(first, dose - 1)}{level}"
            for dose in (1, 8)
            if dose < day and f"{course}.{cycle}.{dose} " not in "; ".join(given)
        ]
        row["day1_on"] = first.isoformat()
    if course == 2 and cycle == 1:
        given = [each for each in given if each.startswith("1.") or int(each.split()[0].split(".")[2]) < day]
    if cycle > 1:
        row["level"] = "0"
    if cycle == 2:
        row |= {f"{name}_before_last_cycle": row[f"{name}_before_treatment"] for name in ("anc", "platelets")}
    if (course, cycle, day) != (1, 1, 1):
        row["prior_weight_kg"] = weight
        row["prior_weight_on"] = shift(first, -28 if day == 1 else 0)
    row |= {
        "planned_on": shift(first, day - 1),
        "weight_on": shift(first, -1),
        "given": "; ".join(given),
        "marrows": "; ".join(marrows),
        "responses": "; ".join(responses),
    }
    prescribe(row)
    return row


def plain(number: Decimal) -> str:
    """Digits without zeros at their end."""
    return f"{number.normalize():f}"


def prescribe(row: Row, percent: str = "100") -> None:
    """Order so many percent of the plan, exactly; something near it where the area has a remainder."""
    area = EXACT.get((row["height"], row["weight"]), "1.83")
    doses = FIRST if row["cycle"] == "1" else LEVELS.get(row.get("level", ""), LEVELS["0"])
    row["prescribed_mg"] = plain(Decimal(doses.get(int(row["day"]), "0.5")) * Decimal(area) * Decimal(percent) / 100)


def cell(name: str, *values: str) -> Change:
    """Put one of some values into a cell."""
    return lambda random, row: row.__setitem__(name, random.choice(values))


def append(row: Row, name: str, entry: str) -> None:
    """Add an entry to a list cell."""
    row[name] = "; ".join(each for each in (row.get(name, ""), entry) if each)


def move(random: Random, row: Row) -> None:
    """The infusion on another day: a few days off, or far."""
    days = random.choice((*range(-14, 15), 20, 21, 22, 27, 28, 29, 30, 33, 60))
    planned = on(row) + timedelta(days=days)
    last = max((each.split()[1] for each in row["given"].split(";") if each.strip()), default="2000-01-01")
    if planned.isoformat() <= last:
        return
    if row["day"] == "1" and row["cycle"] != "1" and random.random() < 0.7:
        row["scheduled_on"] = row["planned_on"]
    row["planned_on"] = planned.isoformat()
    if row["day"] == "1" and random.random() < 0.8:
        row["weight_on"] = shift(planned, -random.randrange(8))
    if random.random() < 0.8:
        place = f"{row['course']}.{row['cycle']}.{row['day']}"
        append(row, "delays", f"{place} {random.choice(('toxicity', 'toxicity', 'other'))}")


def schedule(random: Random, row: Row) -> None:
    """A planned day 1 around the actual one."""
    if row["day"] == "1" and row["cycle"] != "1":
        row["scheduled_on"] = shift(on(row), random.choice((-8, -7, -5, -4, -3, 0, 3, 4, 7, 8)))
        if random.random() < 0.6:
            append(row, "delays", f"{row['course']}.{row['cycle']}.1 {random.choice(('toxicity', 'other'))}")


def weighed(random: Random, row: Row) -> None:
    """Weighed some days before."""
    row["weight_on"] = shift(on(row), -random.randrange(12))


def newest(random: Random, row: Row) -> None:
    """A newer weight that the dose is not made from, around 10 % off."""
    if "prior_weight_kg" not in row or row["day"] != "1" or row["weight"] == "74.1125":
        return
    row["prior_weight_kg"] = row["weight"]
    factor = random.choice(("0.9", "0.8999999", "0.9000001", "1.1", "1.1000001", "1.0999999", "1", "1.3"))
    row["newest_weight_kg"] = plain(Decimal(row["weight"]) * Decimal(factor))
    row["newest_weight_on"] = shift(on(row), -random.randrange(9))


def recalculated(random: Random, row: Row) -> None:
    """A large change of weight, with the dose made from the new weight."""
    if "prior_weight_kg" in row:
        row["prior_weight_kg"] = random.choice(("60", "72.7", "100", "81"))


def order(random: Random, row: Row) -> None:
    """The order around 10 % of the plan."""
    prescribe(row, random.choice(("90", "90.0001", "89.9999", "110", "109.9999", "110.0001", "95", "130", "9", "1000")))


def build(random: Random, row: Row) -> None:
    """Any height and weight, in any unit; the order in round numbers."""
    row["height"] = f"{random.randrange(1400, 2000) / 10:.1f}"
    row["weight"] = f"{random.randrange(400, 1300) / 10:.1f}"
    if random.random() < 0.3:
        row["height"] = f"{random.randrange(550, 780) / 10:.1f}"
        row["height_unit"] = "in"
    if random.random() < 0.3:
        row["weight"] = f"{random.randrange(900, 2800) / 10:.1f}"
        row["weight_unit"] = "lb"
    row.pop("newest_weight_kg", None)
    row.pop("newest_weight_on", None)
    row["prescribed_mg"] = f"{random.randrange(10, 250) / 100:.2f}"


def tie(random: Random, row: Row) -> None:
    """0.6 × 1.925 m² is 1.155 mg: a tie at a hundredth."""
    row["height"], row["weight"] = "180", "74.1125"
    row["height_unit"], row["weight_unit"] = "cm", "kg"
    row.pop("newest_weight_kg", None)
    row.pop("newest_weight_on", None)
    row["prescribed_mg"] = random.choice(("1.15", "1.16", "1.155"))


def born(random: Random, row: Row) -> None:
    """Twelve years old to the day, and thereabouts; years alone; 29 February."""
    row["birth"] = random.choice((
        "", "1980", str(on(row).year - 12), str(on(row).year - 13), "2012-02-29", "2016-02-29",
        f"{on(row).year - 12}-{on(row):%m}-{min(on(row).day, 28):02}", f"{on(row).year - 12}-{on(row):%m}-28",
        shift(date(on(row).year - 12, on(row).month, min(on(row).day, 28)), random.choice((-1, 1))),
    ))  # fmt: skip


def level(random: Random, row: Row) -> None:
    """Levels and how they came about."""
    if row["cycle"] == "1":
        row["level"] = random.choice(("0", "-1", "-2"))
        return
    if "level_changes" in row:
        return
    cycle = int(row["cycle"])
    row["level"] = random.choice(("0", "-1", "-2", "-1", "-2", "-3", "1"))
    reasons = ("toxicity", "toxicity", "remission", "platelets not recovered", "other")
    for each in range(2, cycle + 1):
        if random.random() < 0.5:
            change = f"{row['course']}.{each} {random.choice(('0', '-1', '-2'))} {random.choice(reasons)}"
            append(row, "level_changes", change)
    if random.random() < 0.6 and "level_changes" in row:
        row["level"] = row["level_changes"].split(";")[-1].split()[1]
    if row["day"] != "1" and random.random() < 0.7:
        place = f"{row['course']}.{cycle}.1 "
        row["given"] = "; ".join(
            f"{each.rsplit(' ', 1)[0]} {row['level']}" if each.startswith(place) else each
            for each in row["given"].split("; ")
        )
    prescribe(row)


def respond(random: Random, row: Row) -> None:
    """Another response than remission, or none."""
    if row["course"] == "1" and row["cycle"] != "1":
        kept = row["responses"].split("; ")[0].split()
        row["responses"] = random.choice(("", *(f"{kept[0]} {kept[1]} {k}" for k in ("CRp", "CRi", "PR", "NR", "PD"))))
        if row["responses"] and int(row["cycle"]) > 2 and random.random() < 0.4:
            later = shift(date.fromisoformat(kept[1]), 25)
            append(row, "responses", f"1.2 {later} {random.choice(('CR', 'PR', 'NR', 'PD'))}")


def relapse(random: Random, row: Row) -> None:
    """Response and relapse of the first course around three months apart."""
    if row["course"] == "2" and row["responses"].count("1.1") == 2:
        first, _, *more = row["responses"].split("; ")
        begun = date.fromisoformat(first.split()[1])
        days = random.choice((81, 82, 83, 84, 85, 89, 90, 91, 92, 93, 96, 97, 98, 99, 100, 60, 110))
        relapsed = random.choice(("", *(f"1.1 {shift(begun, days)} PD",) * 3))
        words = first.split()[:2]
        kept = random.choice((first, first, first, " ".join((*words, "CRi")), " ".join((*words, "PR")), ""))
        row["responses"] = "; ".join(each for each in (kept, relapsed, *more) if each)


def reorder(random: Random, row: Row) -> None:
    """The written order of a retreatment."""
    if row["course"] == "2":
        order_of = row["retreatment_order"].split()[:2]
        row["retreatment_order"] = random.choice(("", f"{' '.join(order_of)} later-cycle doses"))
        if row["cycle"] == "1":
            row["level"] = random.choice(("0", "0", "-1"))


def toxicity(random: Random, row: Row) -> None:
    """What happened since day 1."""
    day = shift(on(row), -random.randrange(1, 20))
    grade, related = random.randrange(1, 6), random.choice(("related", "unrelated"))
    more = random.choice(("", "", " numeric", " possible VOD", " probable VOD", " other severe liver toxicity"))
    append(row, "toxicities", f"{day} {grade} {related}{more}")


def off(random: Random, row: Row) -> None:
    """Taken off treatment."""
    reason = random.choice((
        "other", "no benefit any more, by the investigator (10.8)", "subject's request (10.3)",
        "grade 4 adverse event, at least possibly related (10.4)", "all planned cycles given (3.3)",
        "adverse event that makes discontinuation necessary (10.5)", "more reductions needed than there are (8.1.6)",
        "next cycle delayed too long by toxicity (8.1.5)",
    ))  # fmt: skip
    row["off_treatment"] = f"{random.choice(('1', row['course']))} {shift(on(row), -2)} {reason}"


def marrow(random: Random, row: Row) -> None:
    """Another newest marrow, around 5 % and around half as much again; or fewer marrows."""
    kept = [each for each in row["marrows"].split("; ") if each]
    if not kept:
        return
    if random.random() < 0.3:
        row["marrows"] = "; ".join(kept[: random.randrange(len(kept))])
        return
    last = random.choice((on(row) - timedelta(days=random.randrange(1, 15)), on(row) - timedelta(days=2)))
    before = random.choice(("20", "4", "0", "6"))
    day_before = max((each.split()[0] for each in kept), default="2020-01-01")
    if day_before >= last.isoformat():
        return
    kept[-1] = f"{kept[-1].split()[0]} {before}"
    newest_blasts = random.choice(("5", "5.0001", "30", "30.0001", "6", "6.1", "0", "0.1", "9", "9.01"))
    row["marrows"] = "; ".join((*kept, f"{last.isoformat()} {newest_blasts}"))


def relapse_marrow(random: Random, row: Row) -> None:
    """The marrow of a relapse: of that day, a day off, a second one with more blasts, or none."""
    relapsed = next((each.split()[1] for each in row["responses"].split("; ") if each.endswith("PD")), "")
    if row["course"] == "2" and row["cycle"] == "1" and relapsed:
        day = date.fromisoformat(relapsed)
        kept = row["marrows"].split("; ")[:2]
        for days, blasts in ((random.choice((-1, 0, 1)), "40"), (6, random.choice(("60", "60.1", "30")))):
            if random.random() < 0.7:
                kept.append(f"{shift(day, days)} {blasts}")
        row["marrows"] = "; ".join(kept)


def lab(random: Random, row: Row) -> None:
    """Laboratory values at their limits, a hair beyond, and missing."""
    random.choice((
        cell("bilirubin", "1.8", "1.8000001", "2.4", "2.41", "", "1.79999"),
        cell("bilirubin_upper_limit", "", "0.5", "0.5333333"),
        cell("due_to_tumor", "yes", "no"),
        cell("gilbert", "yes"),
        cell("ast", "100", "100.0001", "", "99.9999", "400"),
        cell("ast_upper_limit", "", "12", "11.99"),
        cell("alt", "100", "100.0001", "", "400"),
        cell("alt_upper_limit", ""),
        cell("not_hepatobiliary", "yes", "no"),
        cell("creatinine_clearance", "15", "14.9999", "", "15.0001"),
        cell("toxicity_grade", "1", "2", "3", "4", ""),
        cell("toxicity_baseline_grade", "1", "2", "3", ""),
        cell("progression", "yes", "", "yes"),
        cell("only_cns_or_testis", "yes", "no"),
        cell("liver_toxicity_suspected", "yes", ""),
    ))(random, row)  # fmt: skip


def blood(random: Random, row: Row) -> None:
    """Counts at their limits and missing, low before treatment or not."""
    for _ in range(random.choice((1, 2, 4))):
        random.choice((
            cell("anc", "1", "0.9999", "0.5", ""),
            cell("platelets", "50", "49.9999", "20", ""),
            cell("anc_before_treatment", "1", "0.9999", "0.4", ""),
            cell("platelets_before_treatment", "50", "49.9999", "15", ""),
            cell("anc_before_last_cycle", "0.5", "0.51", ""),
            cell("platelets_before_last_cycle", "20", "20.1", ""),
            cell("counts_low_from_disease", "yes", "no"),
        ))(random, row)  # fmt: skip


def held(random: Random, row: Row) -> None:
    """The last dose of the cycle before was not given, with or without a toxicity."""
    cycle, last = int(row["cycle"]), "15" if row["cycle"] == "2" else "8"
    place = f"{row['course']}.{cycle - 1}.{last}"
    if cycle > 1 and row["day"] == "1":
        row["given"] = "; ".join(each for each in row["given"].split("; ") if not each.startswith(place + " "))
        append(row, "omissions", f"{place} {random.choice(('toxicity', 'toxicity', 'other'))}")
        begun = max(each.split()[1] for each in row["given"].split("; "))
        row["planned_on"] = max(shift(on(row), -random.randrange(8, 15)), shift(date.fromisoformat(begun), 1))
        row["weight_on"] = row["planned_on"]


def elsewhere(random: Random, row: Row) -> None:
    """A cycle or a day that does not exist."""
    row["day"] = random.choice(("15", "2", "22", "8"))
    if random.random() < 0.3:
        row["cycle"], row["level"] = "7", "0"


def forget_the_future(row: Row) -> None:
    """Drop what would have been found after the infusion: nobody can state it on that day."""
    for name, word in (("marrows", 0), ("toxicities", 0), ("responses", 1), ("off_treatment", 1)):
        kept = [each for each in row.get(name, "").split("; ") if each and each.split()[word] <= row["planned_on"]]
        row[name] = "; ".join(kept)
    if row["cycle"] == "2":
        for name in ("anc", "platelets"):
            # One measurement, so the columns never contradict each other; one of them may be left out.
            if row[f"{name}_before_last_cycle"] and row[f"{name}_before_treatment"]:
                row[f"{name}_before_last_cycle"] = row[f"{name}_before_treatment"]
    for name in ("weight_on", "newest_weight_on"):
        if row.get(name, "") > row["planned_on"]:
            row[name] = row["planned_on"]


CHANGES: tuple[Change, ...] = (
    move, move, move, schedule, weighed, newest, newest, recalculated, order, order, build, tie, born, level, level,
    respond, relapse, relapse, relapse_marrow, reorder, toxicity, off, marrow, marrow, marrow, lab, lab, lab, blood,
    blood, held,
)  # fmt: skip


def sound_rows(count: int, seed: int) -> Iterator[Row]:
    """So many rows that nothing was changed in."""
    random = Random(seed)
    for _ in range(count):
        yield sound(random)


def rows(count: int, seed: int) -> Iterator[Row]:
    """So many rows, the same for the same seed."""
    random = Random(seed)
    for _ in range(count):
        row = sound(random)
        for change in random.sample(CHANGES, random.choice((0, 1, 1, 1, 2, 2, 3))):
            change(random, row)
        forget_the_future(row)
        if random.random() < 0.02:
            elsewhere(random, row)
        if random.random() < 0.02:
            row["prescribed_mg"] = ""
        yield row
