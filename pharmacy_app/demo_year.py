"""The demonstration's half year as a table: on which day before today, at what time, what happens.

Days count back from today. Read from top to bottom it is the study's history; ``live`` plays it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pharmacy_app.demo_acts import (
    PRESCRIBER,
    ZONE,
    DemoDay,
    assess,
    dose,
    enroll_subject,
    marrow,
    near_miss,
    receive_shipment,
    vials_of,
    weigh,
)
from pharmacy_app.demo_monitor import (
    add_premedication,
    answer,
    ask,
    begin_visit,
    end_visit,
    give_back,
    newest_entry,
    plan_visit_for,
    settle,
    verify_entry,
    verify_what_changed,
)
from pharmacy_app.demo_stock import (
    SUPPORTER,
    account,
    account_for_containers,
    acknowledge,
    attach,
    break_vial,
    carry,
    count,
    count_and_recount,
    decide_excursion,
    destroy,
    end_excursion,
    extend,
    find_excursion,
    find_warm_refrigerator,
    quarantine_the_wrong_one,
    read_logger_later,
    sign_quarter,
    transfer,
    weigh_wrong,
)
from pharmacy_app.services.packing_list import LotTyped
from pharmacy_app.services.places import PlaceForm, add_place
from pharmacy_app.services.stock import release_shipment
from pharmacy_app.services.treatment import (
    CyclePlanForm,
    DelayForm,
    LevelForm,
    RemovalForm,
    ResponseForm,
    ToxicityForm,
    TransplantForm,
    change_level,
    end_treatment,
    plan_cycle,
    record_delay,
    record_response,
    record_toxicity,
    state_transplant,
)

DAYS = 182
"""How many days before today the study is opened."""

SATELLITE = "Satellite Infusion Center"
ONE = "000-001"
TWO = "000-002"
THREE = "000-003"
FOUR = "000-004"
FIVE = "000-005"
SIX = "000-006"


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens: so many days before today, at a time of the site's clock."""

    days_before: int
    at: str
    act: Callable[[DemoDay], object]


# --- the words of the table -------------------------------------------------------------------------------------


def treat(
    number: str, cycle: int, dose_day: int, kg: str, *, level: int = 0, until: str = "close"
) -> Callable[[DemoDay], str]:
    """Weigh a subject and give a dose, or take it as far as a named step; gives the dose's number."""

    def act(day: DemoDay) -> str:
        weigh(day, number, kg)
        day.clock.forward(6)
        return dose(day, number, cycle, dose_day, level=level, until=until)

    return act


def plan(number: str, cycle: int, in_days: int) -> Callable[[DemoDay], object]:
    """Plan day 1 of a cycle."""
    return lambda day: plan_cycle(
        day.desk, day.act("pharmacist"), CyclePlanForm(number, "1", str(cycle), day.day(in_days))
    )


def respond(number: str, cycle: int, response: str) -> Callable[[DemoDay], object]:
    """Record the response documented after a cycle."""
    return lambda day: record_response(
        day.desk, day.act("pharmacist"), ResponseForm(number, "1", str(cycle), day.day(), response)
    )


def end(number: str, reason: str, why: str) -> Callable[[DemoDay], object]:
    """Record that a subject is off treatment."""
    return lambda day: end_treatment(
        day.desk, day.act("pharmacist"), RemovalForm(number, "1", day.day(), reason, PRESCRIBER, why)
    )


def open_places(day: DemoDay) -> None:
    """The places beside the two refrigerators that the site was opened with."""
    for name, kind, room in (
        ("Quarantine shelf", "quarantine shelf", "Main pharmacy, cold room"),
        (SATELLITE, "satellite", "Building C, room 2.114"),
    ):
        add_place(day.desk, day.act("pharmacist"), PlaceForm(name, kind, room, "yes"))


def first_shipment(day: DemoDay) -> None:
    """Everything as on the packing list."""
    lots = (LotTyped("1", "INO1-A117", day.day(250), "12"), LotTyped("4", "INO4-B203", day.day(400), "4"))
    receive_shipment(day, "SHP-2041", lots)
    day.clock.forward(20)
    acknowledge(day, "SHP-2041")


def short_shipment(day: DemoDay) -> None:
    """One vial fewer than on the packing list, and one with a crack."""
    lot = LotTyped(
        "1",
        "INO1-A121",
        day.day(300),
        "13",
        kit_numbers=("K7701 to K7713",),
        listed="14",
        difference_note="Carton sealed, one place empty. Supporter telephoned, K7714 was never packed.",
        condition="damaged",
        condition_note="K7713 cracked, powder loose in its box",
        damaged="1",
        damaged_kits=("K7713",),
    )
    receive_shipment(day, "SHP-2077", (lot,))
    day.clock.forward(20)
    acknowledge(day, "SHP-2077")


def third_shipment(day: DemoDay) -> None:
    """A lot that is extended later, and one that comes near its last day."""
    lots = (LotTyped("1", "INO1-A126", day.day(106), "26"), LotTyped("4", "INO4-B150", day.day(118), "3"))
    receive_shipment(day, "SHP-2090", lots)
    day.clock.forward(20)
    acknowledge(day, "SHP-2090")


def shipment_with_a_mute_logger(day: DemoDay) -> None:
    """The logger cannot be read at once, so the vials wait."""
    lot = LotTyped("1", "INO1-A130", day.day(420), "12")
    receive_shipment(day, "SHP-2103", (lot,), logger_state="not read", usable=False)


def logger_speaks(day: DemoDay) -> None:
    """The logger is read, shows nothing, and the vials are released."""
    read_logger_later(day, "SHP-2103")
    day.clock.forward(10)
    release_shipment(day.desk, day.act("pharmacist"), "SHP-2103")
    acknowledge(day, "SHP-2103")


def warm_shipment(day: DemoDay) -> None:
    """The newest shipment: its logger shows an alarm, so all of it is held."""
    lot = LotTyped("1", "INO1-A134", day.day(420), "6")
    receive_shipment(day, "SHP-2118", (lot,), logger_state="alarm", usable=False)


def file_the_papers(day: DemoDay) -> None:
    """What stands in the pharmacy binder from the beginning."""
    attach(day, "approval", "Approval of the ethics committee", ("The study is approved at this site.",), "", "Dr. Ode")
    for lot in ("INO1-A117", "INO4-B203"):
        attach(day, "certificate", f"Certificate of analysis {lot}", ("All tests passed.",), f"lot {lot}")


def off_the_road(day: DemoDay) -> None:
    """A dose in which most of the drug stayed in the line: 10 % and more below the prescribed one."""
    weigh(day, TWO, "54.2")
    assess(day, dose(day, TWO, 1, 8, given="0.62"))


def toxicity_delays(day: DemoDay) -> None:
    """ALT rises: the dose of that day waits, and from the next cycle on the level is one lower."""
    record_toxicity(day.desk, day.act("pharmacist"), ToxicityForm(TWO, "ALT increased", "3", "yes", day.day()))
    record_delay(day.desk, day.act("pharmacist"), DelayForm(TWO, "1", "2", "8", "toxicity", PRESCRIBER, "ALT grade 3"))


def reduce_level(day: DemoDay) -> None:
    """The level goes down for that toxicity, and the next cycle is planned."""
    form = LevelForm(TWO, "1", "3", "-1", "toxicity", PRESCRIBER, day.day(), "ALT grade 3 in cycle 2")
    change_level(day.desk, day.act("pharmacist"), form)
    plan(TWO, 3, 12)(day)


def to_transplant(day: DemoDay) -> None:
    """In remission after two cycles, the first subject goes on to transplantation."""
    state_transplant(day.desk, day.act("pharmacist"), TransplantForm(ONE, "yes"))
    end(ONE, "transplantation (3.4)", "Donor found, admitted for conditioning.")(day)


def answer_of_the_supporter(day: DemoDay) -> None:
    """One lot of the warm night is released in writing, the other is not."""
    decide_excursion(day, _newest_deviation(day), usable=("INO1-A117", "INO1-A121"))


def warm_night_ends(day: DemoDay) -> None:
    """What must not be used goes back, and the deviation is closed."""
    end_excursion(day, _newest_deviation(day))


def _newest_deviation(day: DemoDay) -> str:
    with day.desk.store.read() as reader:
        return reader.deviations()[0].deviation_id


def crack_seen(day: DemoDay) -> None:
    """A crack is seen in a vial, and the one beside it is quarantined by mistake."""
    wrong, right = vials_of(day, "available", "INO1-A121")[-2:]
    quarantine_the_wrong_one(day, wrong, right)


def first_visit(day: DemoDay) -> None:
    """The monitor verifies what was recorded so far and asks two questions; containers are accounted for and destroyed.

    The receipt that a question is about stays unverified until it is answered.
    """
    begin_visit(day)
    day.clock.forward(15)
    with day.desk.store.read() as reader:
        (error,) = reader.errors()
    flushed = (
        "The rest of the dose stayed in the line. Who saw that it was not flushed, and where is that written down?"
    )
    seen_by = ask(day, flushed, about=error.error_id, field="Cause")
    receipt = newest_entry(day, "shipment_received", "shipment SHP-2077")
    short = "14 vials are on the packing list and 13 came. Where does the supporter confirm in writing that K7714 was"
    ask(day, f"{short} never packed?", about="SHP-2077", entry=receipt, field="Kit numbers")
    verify_what_changed(day, leave=(receipt,))
    units = account_for_containers(day)
    day.clock.forward(30)
    words = "Nurse J. Abara saw it and wrote it on the ward's sheet of that day. The sheet was shown to the monitor."
    answer(day, seen_by, words)
    settle(day, seen_by, "Sheet seen.")
    day.clock.forward(60)
    destroy(day, units, "W-0088-1")
    day.clock.forward(30)
    sign_quarter(day, 4)
    verify_what_changed(day, leave=(receipt,), note="Recorded while I was there.")
    end_visit(
        day,
        "Record read with the pharmacist from the first entry on. Used containers accounted for and destroyed. One"
        " query stays with the site: the supporter's word on kit K7714.",
    )


def first_answer_on_the_missing_kit(day: DemoDay) -> None:
    """The technician points to a note of a telephone call; two days later the monitor gives that back."""
    words = "The supporter was telephoned on the day of the receipt. The note stands in the record of the receipt."
    answer(day, "QRY-2", words, "technician")


def second_answer_on_the_missing_kit(day: DemoDay) -> None:
    """The supporter's letter has come and is filed."""
    letter = attach(
        day,
        "letter",
        "Packing of shipment SHP-2077",
        ("Carton 2 was packed with 13 vials. Kit K7714 was never packed.",),
        "SHP-2077",
        SUPPORTER,
    )
    answer(day, "QRY-2", f"The supporter's letter is attached as document {letter}.")


def second_visit(day: DemoDay) -> None:
    """The monitor's second visit: containers are destroyed, the newest wait for the next time; three queries."""
    begin_visit(day)
    day.clock.forward(15)
    verify_entry(day, newest_entry(day, "shipment_received", "shipment SHP-2077"))
    given = newest_entry(day, "dose_administered", THREE)
    ask(day, "No time of the premedication is recorded. When was it given?", entry=given, field="Premedication")
    logger = newest_entry(day, "logger_read")
    mute = "The logger was read a day late with a reader lent by the depot. Which reader was it, and is it calibrated?"
    ask(day, mute, about="SHP-2103", entry=logger)
    certificate = "The certificate of analysis of this lot is not in the binder. Please file it."
    ask(day, certificate, about="lot INO1-A126", field="Certificate of analysis")
    verify_what_changed(day, leave=(logger,))
    units = account_for_containers(day)
    day.clock.forward(90)
    destroy(day, units, "W-0091-2")
    day.clock.forward(30)
    end_visit(
        day,
        "All that was recorded since the first visit was read. Three queries stay with the site. Containers accounted"
        " for; their destruction is read at the next visit.",
    )


def premedication_found(day: DemoDay) -> None:
    """The ward's sheet has the time; the administration, verified already, is corrected, and the answer names that."""
    given = newest_entry(day, "dose_administered", THREE)
    with day.desk.store.read() as reader:
        entry = reader.event(given)
    assert entry is not None
    started = datetime.fromisoformat(entry.content["administration"]["started_at"]).astimezone(ZONE)
    at = (started - timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M")
    corrected = add_premedication(day, given, at, "Left out on typing; the ward's sheet has the time.")
    day.clock.forward(5)
    answer(day, "QRY-3", f"The ward's sheet has the time. It was added by entry {corrected}.")


def to_another_site(day: DemoDay) -> None:
    """Three vials go to a site whose own shipment is late."""
    transfer(day, vials_of(day, "available", "INO1-A126")[-3:], "Riverside Clinic")


def dropped_last_night(day: DemoDay) -> None:
    """A vial broke yesterday evening and is recorded this morning: a late entry."""
    unit_number = vials_of(day, "available", "INO1-A126")[-1]
    break_vial(day, unit_number, hours_ago=14, late_why="The computer was locked for the night.")


def count_all(day: DemoDay) -> None:
    """The monthly count of every place that has vials."""
    for place in ("Refrigerator 1", "Refrigerator 2", SATELLITE):
        count(day, place)
        day.clock.forward(15)


# --- the table --------------------------------------------------------------------------------------------------

HALF_YEAR: tuple[Beat, ...] = (
    Beat(181, "08:30", open_places),
    Beat(180, "10:00", first_shipment),
    Beat(180, "14:00", file_the_papers),
    Beat(172, "09:00", lambda day: enroll_subject(day, ONE, "1974-03-09", "RTK", "171", "70")),
    Beat(172, "09:20", lambda day: marrow(day, ONE, "62", -8)),
    Beat(171, "08:20", treat(ONE, 1, 1, "70.2")),
    Beat(164, "08:20", treat(ONE, 1, 8, "69.8")),
    Beat(160, "10:00", lambda day: enroll_subject(day, TWO, "1988", "", "158", "54.5")),
    Beat(160, "10:20", lambda day: marrow(day, TWO, "48", -4)),
    Beat(159, "08:05", lambda day: weigh_wrong(day, TWO, "55.4", "54.5")),
    Beat(159, "08:40", lambda day: dose(day, TWO, 1, 1)),
    Beat(157, "08:20", treat(ONE, 1, 15, "69.5")),
    Beat(157, "14:00", lambda day: marrow(day, ONE, "4")),
    Beat(152, "08:20", off_the_road),
    Beat(151, "09:00", lambda day: count(day, "Refrigerator 1")),
    Beat(150, "11:00", lambda day: marrow(day, ONE, "2")),
    Beat(149, "09:00", respond(ONE, 1, "CR")),
    Beat(149, "09:10", plan(ONE, 2, 6)),
    Beat(145, "08:20", treat(TWO, 1, 15, "54.0")),
    Beat(145, "14:00", lambda day: marrow(day, TWO, "6")),
    Beat(143, "08:20", treat(ONE, 2, 1, "68.9")),
    Beat(138, "10:00", short_shipment),
    Beat(138, "14:00", lambda day: marrow(day, TWO, "3")),
    Beat(137, "09:00", respond(TWO, 1, "CRi")),
    Beat(137, "09:10", plan(TWO, 2, 6)),
    Beat(136, "08:20", treat(ONE, 2, 8, "68.5")),
    Beat(131, "08:20", treat(TWO, 2, 1, "53.8")),
    Beat(128, "15:00", to_transplant),
    Beat(124, "09:00", toxicity_delays),
    Beat(121, "09:00", lambda day: count_and_recount(day, "Refrigerator 1")),
    Beat(119, "08:20", treat(TWO, 2, 8, "53.6")),
    Beat(116, "10:00", reduce_level),
    Beat(108, "08:00", find_excursion),
    Beat(106, "15:00", answer_of_the_supporter),
    Beat(104, "08:20", treat(TWO, 3, 1, "53.7", level=-1)),
    Beat(103, "10:00", crack_seen),
    Beat(101, "13:00", warm_night_ends),
    Beat(97, "08:20", treat(TWO, 3, 8, "53.5", level=-1)),
    Beat(96, "11:00", lambda day: plan_visit_for(day, "pharmacist", 8, "First monitoring visit, with destruction")),
    Beat(95, "10:00", third_shipment),
    Beat(92, "09:00", lambda day: count(day, "Refrigerator 1")),
    Beat(88, "09:00", first_visit),
    Beat(86, "11:30", first_answer_on_the_missing_kit),
    Beat(84, "14:00", lambda day: give_back(day, "QRY-2", "A note of a call does not do. Ask for it in writing.")),
    Beat(80, "09:00", respond(TWO, 3, "PD")),
    Beat(80, "09:10", end(TWO, "no response or progression (10.1)", "Blasts in the blood again.")),
    Beat(76, "15:00", second_answer_on_the_missing_kit),
    Beat(75, "10:30", lambda day: settle(day, "QRY-2", "Letter read. The numbers agree.")),
    Beat(66, "10:00", to_another_site),
    Beat(62, "09:00", lambda day: enroll_subject(day, THREE, "2009-11-02", "LMB", "164", "61")),
    Beat(62, "09:20", lambda day: marrow(day, THREE, "71", -6)),
    Beat(62, "11:00", lambda day: count(day, "Refrigerator 1")),
    Beat(61, "08:20", treat(THREE, 1, 1, "60.8")),
    Beat(54, "08:20", treat(THREE, 1, 8, "60.5")),
    Beat(51, "08:15", dropped_last_night),
    Beat(47, "08:20", treat(THREE, 1, 15, "60.1")),
    Beat(47, "14:00", lambda day: marrow(day, THREE, "4")),
    Beat(45, "10:00", shipment_with_a_mute_logger),
    Beat(44, "09:00", logger_speaks),
    Beat(
        43,
        "10:00",
        lambda day: carry(day, vials_of(day, "available", "INO1-A130")[-2:], SATELLITE, received_by="checker"),
    ),
    Beat(43, "11:00", lambda day: carry(day, vials_of(day, "available", "INO4-B150"), "Refrigerator 2")),
    Beat(41, "09:00", lambda day: enroll_subject(day, FOUR, "1961-07-30", "HVO", "176", "82")),
    Beat(41, "09:20", lambda day: marrow(day, FOUR, "55", -5)),
    Beat(40, "08:20", treat(FOUR, 1, 1, "81.7")),
    Beat(40, "14:00", lambda day: marrow(day, THREE, "2")),
    Beat(39, "09:00", respond(THREE, 1, "CR")),
    Beat(39, "09:10", plan(THREE, 2, 6)),
    Beat(33, "08:20", treat(FOUR, 1, 8, "81.0")),
    Beat(33, "12:20", treat(THREE, 2, 1, "59.9")),
    Beat(30, "16:00", lambda day: plan_visit_for(day, "monitor", 10, "Second monitoring visit")),
    Beat(29, "09:00", count_all),
    Beat(26, "08:20", treat(FOUR, 1, 15, "80.2")),
    Beat(26, "12:20", treat(THREE, 2, 8, "60.0")),
    Beat(26, "15:00", lambda day: marrow(day, FOUR, "5")),
    Beat(20, "09:00", second_visit),
    Beat(19, "11:00", lambda day: marrow(day, FOUR, "3")),
    Beat(18, "09:00", respond(FOUR, 1, "CR")),
    Beat(18, "09:10", plan(FOUR, 2, 6)),
    Beat(18, "13:00", premedication_found),
    Beat(17, "10:00", lambda day: answer(day, "QRY-4", "Reader RD-0093 of the supporter's depot.", "technician")),
    Beat(16, "09:30", lambda day: settle(day, "QRY-3")),
    Beat(15, "11:00", lambda day: give_back(day, "QRY-4", "Please attach its certificate of calibration.")),
    Beat(12, "08:20", treat(FOUR, 2, 1, "79.5")),
    Beat(11, "09:00", respond(THREE, 2, "CR")),
    Beat(11, "09:10", plan(THREE, 3, 6)),
    Beat(10, "16:00", lambda day: answer(day, "QRY-4", "Asked for. It comes with the next shipment, says the depot.")),
    Beat(8, "09:00", lambda day: enroll_subject(day, FIVE, "1979-12-01", "ESA", "181", "88")),
    Beat(8, "09:20", lambda day: marrow(day, FIVE, "80", -4)),
    Beat(7, "08:20", treat(FIVE, 1, 1, "87.6")),
    Beat(6, "10:00", lambda day: extend(day, "1", "INO1-A126", day.day(200), to_do=2)),
    Beat(6, "15:00", lambda day: plan_visit_for(day, "pharmacist", 6, "Third monitoring visit", lasts=2)),
    Beat(5, "08:20", lambda day: near_miss(day, treat(FOUR, 2, 8, "79.3")(day))),
    Beat(5, "12:20", treat(THREE, 3, 1, "60.2")),
    Beat(
        4,
        "10:00",
        lambda day: ask(day, "Two labels still show the old date. When are they renewed?", about="lot INO1-A126"),
    ),
    Beat(3, "09:00", lambda day: enroll_subject(day, SIX, "1955-01-17", "PWN", "167", "66")),
    Beat(3, "09:20", lambda day: marrow(day, SIX, "64", -5)),
    Beat(3, "09:30", plan(SIX, 1, 5)),
    Beat(1, "10:00", warm_shipment),
    Beat(1, "15:00", lambda day: find_warm_refrigerator(day, "Refrigerator 2")),
)
"""What has happened until yesterday."""

TODAY: tuple[Callable[[DemoDay], object], ...] = (
    treat(FIVE, 1, 8, "87.1", until="plan"),
    account,
)
"""What happened in the last hour: a dose waits for its second check."""

LAST_HOUR = timedelta(minutes=40)


def live(day: DemoDay, now: datetime) -> None:
    """Let the half year happen, each beat at its moment, so that its last hour lies just before ``now`` (site time)."""
    for beat in HALF_YEAR:
        hour, minute = beat.at.split(":")
        on = now - timedelta(days=beat.days_before)
        day.clock.at(on.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0))
        beat.act(day)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day.clock.at(max(day.clock(), midnight, now.astimezone(UTC) - LAST_HOUR))
    for act in TODAY:
        act(day)
