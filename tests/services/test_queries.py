"""A monitor's queries: on a thing, a field or an entry; answered by the site, closed by the monitor, and none lost.

The clock stands on Monday, 2 March 2026, 08:00 in Chicago, unless a test lets days pass.
"""

from datetime import date
from threading import Barrier, Thread

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services import views
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.closeout import CloseOutForm, books, close_out
from pharmacy_app.services.desk import Act
from pharmacy_app.services.disposition import ReturnForm, return_vials
from pharmacy_app.services.ports import QueryFilter
from pharmacy_app.services.queries import (
    OVERDUE_AFTER_DAYS,
    Aged,
    QueryForm,
    SayForm,
    aged,
    answer_query,
    open_query,
    queries_touching,
    query_of,
    waiting_queries,
)
from tests.services.leaving import CARRIER, faults_of, one_fault, permission
from tests.services.monitoring import (
    answer,
    ask,
    give_back,
    newest,
    second_monitor,
    settle,
    sign,
    visiting,
)
from tests.services.pharmacy import Pharmacy


def query(pharmacy: Pharmacy, number: str) -> views.MonitorQuery:
    """A query as it stands."""
    with pharmacy.desk.store.read() as reader:
        return query_of(reader, number)


def found(pharmacy: Pharmacy, **wanted: object) -> list[str]:
    """The numbers of the queries asked for."""
    with pharmacy.desk.store.read() as reader:
        asked = QueryFilter(**wanted)  # type: ignore[arg-type]
        numbers = [each.number for each in reader.queries(asked, offset=0, limit=100)]
        assert reader.count_queries(asked) == len(numbers)
    return numbers


def waiting(pharmacy: Pharmacy) -> list[Aged]:
    """Every query that is not closed, today."""
    today = date.fromisoformat(pharmacy.day())
    with pharmacy.desk.store.read() as reader:
        return list(waiting_queries(reader, today))


def said(pharmacy: Pharmacy, number: str) -> list[tuple[str, str]]:
    """What was said of a query, and by whom."""
    with pharmacy.desk.store.read() as reader:
        return [(line.says, line.person) for line in reader.query_lines(number)]


def test_a_query_is_asked_answered_given_back_answered_and_closed(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    visit = visiting(pharmacy)
    number = ask(pharmacy, "The carton is not described.", about=units[0].lower(), field="condition")
    assert number == "QRY-1"
    opened = query(pharmacy, "qry-1 ")
    assert (opened.about, opened.field, opened.visit, opened.status) == (units[0], "condition", visit, "open")
    answer(pharmacy, number, who="tim")
    assert query(pharmacy, number).status == "answered"
    give_back(pharmacy, number)
    assert query(pharmacy, number).status == "returned"
    answer(pharmacy, number, "Carla Okafor.", who="carla")
    settle(pharmacy, number)
    closed = query(pharmacy, number)
    assert (closed.status, closed.closed_by) == ("closed", "Mona Sorensen")
    assert said(pharmacy, number) == [
        ("opened", "Mona Sorensen"),
        ("answered", "Tim Lindqvist"),
        ("returned", "Mona Sorensen"),
        ("answered", "Carla Okafor"),
        ("closed", "Mona Sorensen"),
    ]
    pharmacy.assert_sound()


def test_anything_that_the_record_knows_can_be_asked_about(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    pharmacy.enroll()
    dose = pharmacy.dose("ordered")
    document = pharmacy.permission()
    received = newest(pharmacy, "shipment_received")
    for about, known in (
        (units[3], units[3]),
        ("001", "001"),
        (dose, dose),
        ("S-1", "shipment S-1"),
        ("lot a1", "lot A1"),
        (document, document),
        (f"RCV-{received}", f"RCV-{received}"),
        ("", ""),
    ):
        number = ask(pharmacy, about=about)
        assert query(pharmacy, number).about == known
    of_line = ask(pharmacy, entry=f"{received}.1", field="quantity")
    assert (query(pharmacy, of_line).entry_seq, query(pharmacy, of_line).about) == (received, "")
    assert found(pharmacy, entry_seq=received) == [of_line]
    assert found(pharmacy, about="lot A1") == ["QRY-5"]
    words = [each.about for each in waiting(pharmacy)]
    assert words == [
        f"vial {units[3]}",
        "subject 001",
        f"dose {dose}",
        "shipment S-1",
        "lot A1",
        f"document {document}",
        f"receipt RCV-{received}",
        "the study",
        f"entry {received}, quantity",
    ]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"about": "V000099Z"}, "about", ""),
        ({"about": "no such thing"}, "about", "is neither a subject, dose, vial"),
        ({"entry": "9999"}, "entry", "There is no entry or ledger line 9999."),
        ({"entry": "21.2"}, "entry", "There is no entry or ledger line 21.2."),
        ({"entry": "21.0"}, "entry", "There is no entry or ledger line 21.0."),
        ({"entry": "0"}, "entry", "There is no entry or ledger line 0."),
        ({"entry": "-1"}, "entry", "is no line of the ledger"),
        ({"entry": "1.2.3"}, "entry", "is no line of the ledger"),
        ({"field": "weight"}, "field", "Of what is “weight”?"),
        ({"text": "  "}, "text", "The question is missing"),
    ],
)
def test_a_query_on_what_is_not_there_is_refused(
    pharmacy: Pharmacy, typed: dict[str, str], field: str, words: str
) -> None:
    pharmacy.receive()
    assert newest(pharmacy, "shipment_received") == 21
    one_fault(lambda: ask(pharmacy, **typed), field, words)
    assert ask(pharmacy, entry="21.1") == "QRY-1"


@pytest.mark.parametrize("who", ["paula", "tim", "carla"])
def test_the_site_answers_and_neither_asks_nor_closes(pharmacy: Pharmacy, who: str) -> None:
    number = ask(pharmacy)
    one_fault(lambda: ask(pharmacy, who=who), "", "takes a monitor")
    answer(pharmacy, number, who=who)
    one_fault(lambda: settle(pharmacy, number, who=who), "", "takes a monitor")
    one_fault(lambda: give_back(pharmacy, number, who=who), "", "takes a monitor")


@pytest.mark.parametrize("who", ["mona", "robin"])
def test_neither_monitor_nor_administrator_answers(pharmacy: Pharmacy, who: str) -> None:
    number = ask(pharmacy)
    one_fault(lambda: answer(pharmacy, number, who=who), "", "takes a checker or pharmacist or technician")
    assert query(pharmacy, number).status == "open"


def becomes(pharmacy: Pharmacy, user: str, role: str) -> str:
    """Give somebody another role: a monitor's stands alone, but people change their post."""
    with pharmacy.desk.store.read() as reader:
        account = reader.account_by_user_name(user)
    assert account is not None
    form = AccountChange(account.account_id, (role,), pharmacy.day(), "", active=True, why="another post")
    change_account(pharmacy.desk, pharmacy.act("robin"), form)
    return user


def test_nobody_answers_the_own_query(pharmacy: Pharmacy) -> None:
    nils = second_monitor(pharmacy)
    number = ask(pharmacy, who=nils)
    becomes(pharmacy, nils, "pharmacist")
    one_fault(lambda: answer(pharmacy, number, who=nils), "query", "You asked QRY-1 yourself")
    answer(pharmacy, number)
    settle(pharmacy, number)


def test_nobody_judges_the_own_answer(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    answer(pharmacy, number, who="quentin")
    quentin = becomes(pharmacy, "quentin", "monitor")
    one_fault(lambda: settle(pharmacy, number, who=quentin), "query", "You answered QRY-1 yourself. Another monitor")
    one_fault(lambda: give_back(pharmacy, number, who=quentin), "query", "You answered QRY-1 yourself")
    settle(pharmacy, number)


def test_another_monitor_closes_what_one_has_left(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    answer(pharmacy, number)
    second_monitor(pharmacy)
    settle(pharmacy, number, who="nils")
    assert query(pharmacy, number).closed_by == "Nils Berger"


def test_each_step_has_its_turn(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    one_fault(lambda: give_back(pharmacy, number), "query", "QRY-1 is open and waits for the site's answer")
    answer(pharmacy, number)
    one_fault(lambda: answer(pharmacy, number), "query", "QRY-1 was answered already")
    settle(pharmacy, number)
    for step in (answer, give_back, settle):
        one_fault(lambda step=step: step(pharmacy, number), "query", "QRY-1 was closed by Mona Sorensen. Open a new")  # type: ignore[misc]
    one_fault(lambda: answer(pharmacy, "QRY-7"), "query", "There is no query QRY-7.")


def test_a_query_that_was_asked_by_mistake_is_closed_with_the_reason(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    one_fault(lambda: settle(pharmacy, number), "text", "QRY-1 has no answer that settles it. Say why")
    settle(pharmacy, number, "asked about the wrong vial")
    again = ask(pharmacy)
    answer(pharmacy, again)
    give_back(pharmacy, again)
    one_fault(lambda: settle(pharmacy, again), "text", "has no answer that settles it")
    assert [event.content["answered"] for event in pharmacy.events("query_closed")] == [False]


@pytest.mark.parametrize("blank", ["\u200b", "\u2060\ufeff\u00ad", "\u3164 \u2800", "\u202e", "\u034f\ufe0f", "\x07"])
def test_what_nobody_can_see_on_paper_is_no_text(pharmacy: Pharmacy, blank: str) -> None:
    one_fault(lambda: ask(pharmacy, blank), "text", "The question is missing")
    number = ask(pharmacy, f"why?{blank}")
    one_fault(lambda: answer(pharmacy, number, blank), "text", "The answer is missing")
    one_fault(lambda: settle(pharmacy, number, blank), "text", "has no answer that settles it")


@pytest.mark.parametrize("text", ["?", "7", "α", "漢", "ع", "👍"])
def test_one_character_is_a_text(pharmacy: Pharmacy, text: str) -> None:
    answer(pharmacy, ask(pharmacy, text), text)


@pytest.mark.parametrize("step", [answer, give_back])
def test_an_answer_and_a_giving_back_have_words(pharmacy: Pharmacy, step: object) -> None:
    number = ask(pharmacy)
    if step is give_back:
        answer(pharmacy, number)
    faults = faults_of(lambda: step(pharmacy, number, "\n "))  # type: ignore[operator]
    assert [fault.field for fault in faults] == ["text"]


def test_queries_stay_from_visit_to_visit(pharmacy: Pharmacy) -> None:
    first = visiting(pharmacy)
    number = ask(pharmacy)
    sign(pharmacy, first)
    second = visiting(pharmacy)
    assert query(pharmacy, number).visit == first
    assert (found(pharmacy, visit=first), found(pharmacy, visit=second)) == ([number], [])
    assert found(pharmacy, statuses=("open",)) == [number]
    between = ask(pharmacy)
    sign(pharmacy, second)
    afterwards = ask(pharmacy)
    assert (query(pharmacy, between).visit, query(pharmacy, afterwards).visit) == (second, "")
    assert [event.content["record"]["queries_open"] for event in pharmacy.events("visit_signed")] == [
        [number],
        [number, between],
    ]


def test_a_query_ages_in_whole_days_of_the_site(pharmacy: Pharmacy) -> None:
    pharmacy.clock.forward(hours=15, minutes=59)  # 23:59 in Chicago on 2 March
    number = ask(pharmacy)
    assert query(pharmacy, number).opened_on == date(2026, 3, 2)
    pharmacy.clock.forward(minutes=1)
    (one,) = waiting(pharmacy)
    assert (one.age_days, one.quiet_days, one.waits_for, one.overdue) == (1, 1, "the site", False)
    pharmacy.clock.forward(days=6)
    (one,) = waiting(pharmacy)
    assert (one.age_days, one.overdue) == (OVERDUE_AFTER_DAYS, False) == (7, False)
    answer(pharmacy, number)
    pharmacy.clock.forward(days=1)
    (one,) = waiting(pharmacy)
    assert (one.age_days, one.quiet_days, one.waits_for, one.overdue) == (8, 1, "the monitor", True)
    assert found(pharmacy, opened_before=date(2026, 3, 3)) == [number]
    assert found(pharmacy, opened_before=date(2026, 3, 2)) == []
    settle(pharmacy, number)
    assert waiting(pharmacy) == []
    pharmacy.clock.forward(days=30)
    closed = aged(query(pharmacy, number), date.fromisoformat(pharmacy.day()))
    assert (closed.age_days, closed.waits_for, closed.overdue) == (8, "", False)


def test_a_clock_that_went_back_makes_no_query_younger_than_today(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    assert aged(query(pharmacy, number), date(2026, 3, 1)).age_days == 0


def test_queries_are_found_by_text(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    ask(pharmacy, "Where is the calibration?", about="shipment S-1")
    ask(pharmacy, "100 % of what?", field="quantity", entry="21")
    assert found(pharmacy, text="CALIBRATION") == ["QRY-1"]
    assert found(pharmacy, text="s-1") == ["QRY-1"]
    assert found(pharmacy, text="quant") == ["QRY-2"]
    assert found(pharmacy, text="0 %") == ["QRY-2"]
    assert found(pharmacy, text="_") == []


def test_the_same_act_again_asks_once(pharmacy: Pharmacy) -> None:
    act = pharmacy.act("mona")
    form = QueryForm("Why?")
    once = open_query(pharmacy.desk, act, form)
    assert open_query(pharmacy.desk, Act(act.session, act.act_id), form) == once
    assert found(pharmacy) == ["QRY-1"]


def test_two_who_answer_at_once_give_one_answer(pharmacy: Pharmacy) -> None:
    number = ask(pharmacy)
    acts = [pharmacy.act("paula"), pharmacy.act("tim")]
    start, refused = Barrier(2), []

    def try_one(act: Act) -> None:
        start.wait()
        try:
            answer_query(pharmacy.desk, act, SayForm(number, "looked into"))
        except Refused as error:
            refused.append(error.faults[0].sentence)

    threads = [Thread(target=try_one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["QRY-1 was answered already: the monitor closes it, or gives it back."]
    assert [says for says, _ in said(pharmacy, number)] == ["opened", "answered"]


def test_the_books_do_not_close_while_a_query_is_open(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    form = ReturnForm(tuple(units), permission(pharmacy), "Depot", "study end", "yes", CARRIER)
    return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    first, second = ask(pharmacy), ask(pharmacy)
    answer(pharmacy, second)

    def sign_off() -> object:
        own, monitor = pharmacy.sign("paula"), pharmacy.sign("mona")
        return close_out(pharmacy.desk, pharmacy.act("paula"), CloseOutForm(), own, monitor)

    assert [fault.sentence for fault in faults_of(sign_off)] == [
        "The monitor's query QRY-1 is open and waits for the site's answer.",
        "The monitor's query QRY-2 is answered and waits for the monitor to close it.",
    ]
    with pharmacy.desk.store.read() as reader:
        assert [(item.page, item.what) for item in books(reader).open_items] == [
            ("monitor", first),
            ("monitor", second),
        ]
    answer(pharmacy, first)
    settle(pharmacy, first)
    one_fault(sign_off, "", "QRY-2")
    settle(pharmacy, second)
    sign_off()
    pharmacy.assert_sound()


def test_the_queries_touching_a_thing_are_on_it_or_on_an_entry_about_it(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    subject = pharmacy.enroll()
    dose = pharmacy.dose("ordered", subject)
    (released,) = {event.seq for event in pharmacy.events("vials_released")}
    ordered = pharmacy.events("dose_ordered")[-1].seq
    on_vial = ask(pharmacy, about=units[0])
    on_entry = ask(pharmacy, entry=str(released))
    on_dose = ask(pharmacy, about=dose)
    on_order = ask(pharmacy, entry=str(ordered))
    on_subject = ask(pharmacy, about=subject)
    ask(pharmacy)
    today = date.fromisoformat(pharmacy.day())

    def touching(*things: str) -> list[str]:
        with pharmacy.desk.store.read() as reader:
            return [each.query.number for each in queries_touching(reader, today, *things)]

    assert touching(units[0]) == [on_vial, on_entry]
    assert touching(units[1]) == [on_entry]
    assert touching(dose) == [on_dose, on_order]
    # A subject's are those of its doses too; each is told once, however many of the names it touches.
    assert touching(subject) == [on_dose, on_order, on_subject]
    assert touching(dose, units[0]) == [on_vial, on_entry, on_dose, on_order]
    assert touching() == touching("000-999") == []
    settle(pharmacy, on_vial, "asked by mistake")
    assert touching(units[0]) == [on_entry]
