"""Queries: the monitor asks about a thing, a field or an entry; the site answers; the monitor closes. None is lost.

They are counted without a gap, and the books do not close while one is open; see ``docs/decisions/0020``.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.about import about_words, read_about
from pharmacy_app.services.desk import Act, Desk, Draft, Moment, perform
from pharmacy_app.services.ports import QueryFilter, Reader, Writer
from pharmacy_app.services.reading import Reading
from pharmacy_app.services.reviews import read_line
from pharmacy_app.services.visits import EVERY, NOT_CLOSED, open_visit_of

PREFIX = "QRY"
"""How the number of a query begins."""

OVERDUE_AFTER_DAYS = 7
"""A query older than so many days of the site, and not closed, is overdue.

The protocol sets no time. A week is long enough for a letter from the supporter to come, and short enough that who made
the entry still remembers it. It is a constant and no setting, because nothing is refused for it.
"""

WAITING_FOR_SITE = ("open", "returned")
"""A query in one of these states waits for the site's answer; an answered one waits for the monitor."""

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class QueryForm:
    """A question as typed. ``about`` is read as for documents; '' is the study, or the entry alone.

    ``entry`` is the entry's or ledger line's number (``12`` or ``12.1``), '' for none; ``field`` says which value.
    """

    text: str
    about: str = ""
    entry: str = ""
    field: str = ""


def open_query(desk: Desk, act: Act, form: QueryForm) -> Event:
    """Open a query on anything that the record knows; it belongs to the monitor's open visit when there is one."""

    def build(writer: Writer, moment: Moment) -> Draft:
        reading = Reading()
        text = _inked(reading, form.text, "The question")
        if not text:
            reading.fault("text", "The question is missing. Say what the site is to look into.")
        about = reading.take(lambda: read_about(writer, form.about), "")
        entry = reading.take(lambda: _entry(writer, form.entry), None)
        field = reading.note(form.field, "field", "The field", longest=80)
        if field and not about and entry is None and reading.was_read("about", "entry"):
            reading.fault("field", f"Of what is “{field}”? Say what the query is about, or which entry.")
        reading.done()
        visit = open_visit_of(writer, moment.person.account_id)
        return Draft(
            {
                "query": f"{PREFIX}-{writer.counter('query') + 1}",
                "about": about,
                "entry_seq": entry,
                "field": field,
                "text": text,
                "visit": visit.number if visit is not None else "",
            }
        )

    return perform(desk, act, "query_opened", form, build)


@dataclass(frozen=True, slots=True)
class SayForm:
    """What is said of a query: the answer, why it goes back to the site, or the word at its closing."""

    query: str
    text: str = ""


def answer_query(desk: Desk, act: Act, form: SayForm) -> Event:
    """Answer a query for the site. Who has asked does not answer."""

    def build(writer: Writer, moment: Moment) -> Draft:
        query = query_of(writer, form.query)
        reading = Reading()
        text = _said(reading, form, "The answer", "Say what was found and done.")
        if query.opened_by_id == moment.person.account_id:
            reading.fault("query", f"You asked {query.number} yourself. Somebody else of the site answers it.")
        if query.status not in WAITING_FOR_SITE:
            reading.fault("query", _stands(query, "is answered"))
        reading.done()
        return Draft({"query": query.number, "text": text})

    return perform(desk, act, "query_answered", form, build)


def return_query(desk: Desk, act: Act, form: SayForm) -> Event:
    """Give an answered query back to the site: the answer does not settle it, and ``text`` says why."""

    def build(writer: Writer, moment: Moment) -> Draft:
        query = query_of(writer, form.query)
        reading = Reading()
        text = _said(reading, form, "The reason", "Say what is still open.")
        reading.faults += _own_answer(query, moment)
        if query.status != "answered":
            reading.fault("query", _stands(query, "goes back to the site"))
        reading.done()
        return Draft({"query": query.number, "text": text})

    return perform(desk, act, "query_returned", form, build)


def close_query(desk: Desk, act: Act, form: SayForm) -> Event:
    """Close a query. One that is not answered needs the reason, such as a question asked by mistake."""

    def build(writer: Writer, moment: Moment) -> Draft:
        query = query_of(writer, form.query)
        reading = Reading()
        text = _inked(reading, form.text, "The note")
        reading.faults += _own_answer(query, moment)
        if query.status == "closed":
            reading.fault("query", _stands(query, "is closed"))
        elif query.status in WAITING_FOR_SITE and not text:
            reading.fault("text", f"{query.number} has no answer that settles it. Say why it is closed all the same.")
        reading.done()
        return Draft({"query": query.number, "text": text, "answered": query.status == "answered"})

    return perform(desk, act, "query_closed", form, build)


def _said(reading: Reading, form: SayForm, name: str, ask: str) -> str:
    text = _inked(reading, form.text, name)
    if not text:
        reading.fault("text", f"{name} is missing. {ask}")
    return text


def _inked(reading: Reading, typed: str, name: str) -> str:
    """A text as typed; '' where nothing of it would be seen on paper."""
    text = reading.note(typed, "text", name, longest=LONGEST)
    seen = any(unicodedata.category(each)[0] not in "CZM" and each not in _BLANKS for each in text)
    return text if seen else ""


_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs without ink: the fillers of Hangul, and the Braille pattern without a dot."""


def _own_answer(query: views.MonitorQuery, moment: Moment) -> list[Fault]:
    """Nobody judges the own answer: a person may have more than one role."""
    if query.answered_by_id != moment.person.account_id:
        return []
    return [Fault("query", f"You answered {query.number} yourself. Another monitor says whether that settles it.")]


def _stands(query: views.MonitorQuery, what: str) -> str:
    if query.status == "closed":
        return f"{query.number} was closed by {query.closed_by}. Open a new one if it is to be looked at again."
    if query.status == "answered":
        return f"{query.number} was answered already: the monitor closes it, or gives it back."
    return f"{query.number} is {query.status} and waits for the site's answer before it {what}."


def _entry(reader: Reader, typed: str) -> int | None:
    """The entry's number as typed; ``None`` for none. Raises ``Refused`` for one that is not there."""
    if not typed.strip():
        return None
    seq, line = read_line(typed, "entry")
    if reader.event(seq) is None or (line is not None and not 0 < line <= reader.count_lines(seq)):
        raise Refused(Fault("entry", f"There is no entry or ledger line {typed.strip()[:20]}. Look at it again."))
    return seq


# --- what is asked -----------------------------------------------------------------------------------------------


def query_of(reader: Reader, number: str) -> views.MonitorQuery:
    """A query by its number as typed; raises ``Refused`` when there is none."""
    query = reader.query(number.strip().upper())
    if query is None:
        raise Refused(Fault("query", f"There is no query {number.strip()[:20] or 'without a number'}."))
    return query


@dataclass(frozen=True, slots=True)
class Aged:
    """A query with its age: whole days of the site since it was opened, and since something was said of it last.

    ``waits_for`` is 'the site', 'the monitor' or '' (closed). ``about`` says in words what it is about.
    """

    query: views.MonitorQuery
    age_days: int
    quiet_days: int
    waits_for: str
    overdue: bool
    about: str


def aged(query: views.MonitorQuery, today: date) -> Aged:
    """The age of a query on a day of the site; a closed one has the age at which it was closed."""
    closed = query.status == "closed"
    until = query.last_on if closed else today
    age = max((until - query.opened_on).days, 0)
    about = about_words(query.about) if query.about or query.entry_seq is None else ""
    entry = f"entry {query.entry_seq}" if query.entry_seq is not None else ""
    return Aged(
        query,
        age,
        0 if closed else max((today - query.last_on).days, 0),
        "" if closed else "the site" if query.status in WAITING_FOR_SITE else "the monitor",
        not closed and age > OVERDUE_AFTER_DAYS,
        ", ".join(part for part in (about, entry, query.field) if part),
    )


def waiting_queries(reader: Reader, today: date) -> tuple[Aged, ...]:
    """All queries that are not closed, the oldest first, each with its age."""
    return tuple(aged(query, today) for query in reader.queries(QueryFilter(NOT_CLOSED), offset=0, limit=EVERY))


def queries_touching(reader: Reader, today: date, *things: str) -> tuple[Aged, ...]:
    """The queries that are not closed on these things (names as documents have them), or on entries about them.

    The oldest first. A subject's are those of its doses too.
    """
    found = reader.queries(QueryFilter(NOT_CLOSED, touching=things), offset=0, limit=EVERY) if things else ()
    return tuple(aged(query, today) for query in found)
