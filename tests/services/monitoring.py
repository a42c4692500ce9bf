"""What tests of the monitor's desk share: a visit in few words, and a second monitor."""

from pharmacy_app.domain.events import Event
from pharmacy_app.services import views
from pharmacy_app.services.accounts import AccountForm, NewAccount, add_account, change_password, sign_in
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.ports import ReviewFilter
from pharmacy_app.services.queries import QueryForm, SayForm, answer_query, close_query, open_query, return_query
from pharmacy_app.services.reviews import Seen, VerifyForm, verify_entries
from pharmacy_app.services.visits import (
    OpenVisitForm,
    PlanForm,
    SignVisitForm,
    open_visit,
    plan_visit,
    sign_visit,
    visit_of,
)
from tests.services.pharmacy import ONE_TIME, PASSWORD, WORKSTATION, Pharmacy


def second_monitor(pharmacy: Pharmacy, user: str = "nils", name: str = "Nils Berger") -> str:
    """Add another monitor; returns the user name."""
    form = NewAccount(AccountForm(user, name, ("monitor",), pharmacy.day()), ONE_TIME)
    add_account(pharmacy.desk, pharmacy.act("robin"), form)
    once = sign_in(pharmacy.desk, Credentials(user, ONE_TIME), WORKSTATION)
    change_password(pharmacy.desk, Act(once), Credentials(user, ONE_TIME), PASSWORD)
    return user


def plan(pharmacy: Pharmacy, who: str = "mona", days: int = 0, *, by: str = "", **changes: str) -> str:
    """Plan a visit from today on for some days; returns its number."""
    form = PlanForm(
        changes.get("monitor", who),
        changes.get("from_on", pharmacy.day()),
        changes.get("to_on", pharmacy.day(days)),
        changes.get("purpose", "routine visit"),
    )
    return str(plan_visit(pharmacy.desk, pharmacy.act(by or who), form).content["visit"])


def begin(pharmacy: Pharmacy, number: str, who: str = "mona", reason: str = "") -> Event:
    """Open a planned visit."""
    return open_visit(pharmacy.desk, pharmacy.act(who), OpenVisitForm(number, reason))


def visiting(pharmacy: Pharmacy, who: str = "mona") -> str:
    """Plan and open a visit of today; returns its number."""
    number = plan(pharmacy, who)
    begin(pharmacy, number, who)
    return number


def visit(pharmacy: Pharmacy, number: str) -> views.VisitLine:
    """A visit as it stands."""
    with pharmacy.desk.store.read() as reader:
        return visit_of(reader, number)


def entry(pharmacy: Pharmacy, seq: int) -> views.ReviewEntry:
    """A reviewable entry as it stands."""
    with pharmacy.desk.store.read() as reader:
        wanted = ReviewFilter(entries=(seq,))
        (found,) = reader.review_entries(wanted, by_risk=False, offset=0, limit=2)
    return found


def verify(pharmacy: Pharmacy, number: str, *seqs: int, who: str = "mona") -> Event:
    """Read entries now and verify them."""
    seen = tuple(Seen(seq, entry(pharmacy, seq).hash) for seq in seqs)
    return verify_entries(pharmacy.desk, pharmacy.act(who), VerifyForm(number, seen))


def sign(pharmacy: Pharmacy, number: str, who: str = "mona", summary: str = "looked through the record") -> Event:
    """Sign a visit."""
    return sign_visit(pharmacy.desk, pharmacy.act(who), SignVisitForm(number, summary), pharmacy.sign(who))


def ask(pharmacy: Pharmacy, text: str = "Why two initials?", who: str = "mona", **about: str) -> str:
    """Open a query; returns its number."""
    return str(open_query(pharmacy.desk, pharmacy.act(who), QueryForm(text, **about)).content["query"])


def answer(pharmacy: Pharmacy, number: str, text: str = "The second is the checker's.", who: str = "paula") -> Event:
    """Answer for the site."""
    return answer_query(pharmacy.desk, pharmacy.act(who), SayForm(number, text))


def give_back(pharmacy: Pharmacy, number: str, text: str = "Which checker?", who: str = "mona") -> Event:
    """Give an answered query back."""
    return return_query(pharmacy.desk, pharmacy.act(who), SayForm(number, text))


def settle(pharmacy: Pharmacy, number: str, text: str = "", who: str = "mona") -> Event:
    """Close a query."""
    return close_query(pharmacy.desk, pharmacy.act(who), SayForm(number, text))


def newest(pharmacy: Pharmacy, kind: str) -> int:
    """The number of the newest entry of a kind."""
    return pharmacy.events(kind)[-1].seq
