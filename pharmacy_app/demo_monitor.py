"""The demonstration's monitor: visits planned, opened and signed, entries verified, questions asked and answered.

Like everything of the demonstration, each act goes through the pharmacy's own services.
"""

from dataclasses import replace

from pharmacy_app.demo_acts import DemoDay
from pharmacy_app.services import views
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.ports import ReviewFilter
from pharmacy_app.services.queries import QueryForm, SayForm, answer_query, close_query, open_query, return_query
from pharmacy_app.services.reviews import MOST_AT_ONCE, VerifyForm, seen, verify_entries
from pharmacy_app.services.visits import (
    OpenVisitForm,
    PlanForm,
    SignVisitForm,
    changed_since,
    open_visit,
    open_visit_of,
    plan_visit,
    sign_visit,
)


def plan_visit_for(day: DemoDay, who: str, in_days: int, purpose: str, *, lasts: int = 1) -> None:
    """Plan a visit of the monitor that begins so many days from now."""
    form = PlanForm("monitor", day.day(in_days), day.day(in_days + lasts - 1), purpose)
    plan_visit(day.desk, day.act(who), form)


def begin_visit(day: DemoDay) -> None:
    """Open the visit that was planned last."""
    with day.desk.store.read() as reader:
        number = reader.visits(status="planned")[0].number
    open_visit(day.desk, day.act("monitor"), OpenVisitForm(number))


def verify_entry(day: DemoDay, number: int) -> None:
    """Verify one entry, of whatever visit it is."""
    _verify(day, ReviewFilter(entries=(number,)))


def verify_what_changed(day: DemoDay, *, leave: tuple[int, ...] = (), note: str = "") -> None:
    """Verify what changed since the last visit: first the entries with a reason to be looked at, then the others.

    Entries to ``leave`` are not verified: something was asked of them.
    """
    for with_reason in (True, False):
        wanted = replace(changed_since(_open_visit(day)), status="unverified", with_reason=with_reason)
        _verify(day, wanted, leave, note)
        day.clock.forward(20)


def _verify(day: DemoDay, wanted: ReviewFilter, leave: tuple[int, ...] = (), note: str = "") -> None:
    with day.desk.store.read() as reader:
        found = reader.review_entries(wanted, by_risk=True, offset=0, limit=MOST_AT_ONCE)
    read = seen([entry for entry in found if entry.seq not in leave])
    if read:
        verify_entries(day.desk, day.act("monitor"), VerifyForm(_open_visit(day).number, read, note))


def _open_visit(day: DemoDay) -> views.VisitLine:
    with day.desk.store.read() as reader:
        visit = open_visit_of(reader, day.sessions["monitor"].account_id)
    assert visit is not None
    return visit


def end_visit(day: DemoDay, summary: str) -> None:
    """Sign the open visit."""
    form = SignVisitForm(_open_visit(day).number, summary)
    sign_visit(day.desk, day.act("monitor"), form, day.sign("monitor"))


def ask(day: DemoDay, text: str, *, about: str = "", entry: int | None = None, field: str = "") -> str:
    """The monitor asks; returns the query's number."""
    form = QueryForm(text, about, "" if entry is None else str(entry), field)
    return str(open_query(day.desk, day.act("monitor"), form).content["query"])


def answer(day: DemoDay, query: str, text: str, who: str = "pharmacist") -> None:
    """The site answers."""
    answer_query(day.desk, day.act(who), SayForm(query, text))


def give_back(day: DemoDay, query: str, text: str) -> None:
    """The answer does not settle it: the monitor says why."""
    return_query(day.desk, day.act("monitor"), SayForm(query, text))


def settle(day: DemoDay, query: str, text: str = "") -> None:
    """The monitor closes a query."""
    close_query(day.desk, day.act("monitor"), SayForm(query, text))


def newest_entry(day: DemoDay, kind: str, about: str = "") -> int:
    """The number of the newest entry of a kind, about a thing or about any."""
    with day.desk.store.read() as reader:
        wanted = ReviewFilter(about=about, kinds=(kind,))
        found = reader.review_entries(wanted, by_risk=False, offset=0, limit=MOST_AT_ONCE)
    return max(entry.seq for entry in found)


def add_premedication(day: DemoDay, entry: int, at: str, why: str) -> int:
    """Put the time of the premedication into an administration that was recorded without it; returns the entry."""
    form = CorrectForm(entry, why, (("premedicated_at", at),))
    return correct(day.desk, day.act("pharmacist"), form, day.sign("pharmacist")).seq
