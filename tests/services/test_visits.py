"""A monitor's visits: planned, opened on what changed since the last one, signed with what is left open.

All in one pharmacy whose clock stands on Monday, 2 March 2026, unless a test lets days pass.
"""

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.domain.events import Event
from pharmacy_app.domain.review import KINDS
from pharmacy_app.services import views
from pharmacy_app.services.accounts import AccountChange, change_account
from pharmacy_app.services.corrections import CorrectForm, correct
from pharmacy_app.services.desk import Act
from pharmacy_app.services.disposition import (
    AccountForm,
    DestroyForm,
    ReturnForm,
    account_for,
    destroy_vials,
    return_vials,
)
from pharmacy_app.services.ports import ReconciledFilter, ReviewFilter
from pharmacy_app.services.reviews import progress
from pharmacy_app.services.visits import (
    OpenVisitForm,
    PlanForm,
    Sample,
    changed_since,
    open_visit,
    open_visit_of,
    plan_visit,
    visit_of,
    visit_sample,
    visit_so_far,
)
from tests.services.leaving import CARRIER, faults_of, one_fault, permission
from tests.services.monitoring import (
    answer,
    ask,
    begin,
    entry,
    newest,
    plan,
    second_monitor,
    settle,
    sign,
    verify,
    visit,
    visiting,
)
from tests.services.pharmacy import Pharmacy
from tests.services.test_medication_errors import report


def changed(pharmacy: Pharmacy, number: str) -> list[int]:
    """What changed since the visit before, the gravest first."""
    with pharmacy.desk.store.read() as reader:
        wanted = changed_since(visit_of(reader, number))
        return [each.seq for each in reader.review_entries(wanted, by_risk=True, offset=0, limit=1000)]


def so_far(pharmacy: Pharmacy, number: str) -> views.VisitRecord:
    """What the visit would hold."""
    with pharmacy.desk.store.read() as reader:
        return visit_so_far(reader, visit_of(reader, number))


def sample(pharmacy: Pharmacy, number: str, size: int | None = None) -> Sample:
    """The visit's sample."""
    with pharmacy.desk.store.read() as reader:
        return visit_sample(reader, visit_of(reader, number), size)


def reviewable(pharmacy: Pharmacy) -> list[int]:
    """Every entry of a kind that is reviewed, by the journal alone."""
    return [event.seq for event in pharmacy.events() if event.kind in KINDS]


# --- planning ----------------------------------------------------------------------------------------------------


def test_a_monitor_plans_a_visit_and_so_does_a_pharmacist_for_her(pharmacy: Pharmacy) -> None:
    assert plan(pharmacy, days=2) == "VIS-1"
    assert plan(pharmacy, by="paula", from_on="2026-04-01", to_on="2026-04-02") == "VIS-2"
    planned = visit(pharmacy, " vis-2 ")
    assert (planned.monitor, planned.planned_by, planned.status) == ("Mona Sorensen", "Paula Reyes", "planned")
    assert (planned.from_on.isoformat(), planned.to_on.isoformat()) == ("2026-04-01", "2026-04-02")
    pharmacy.assert_sound()


def test_a_visit_ends_on_a_later_day_or_the_same(pharmacy: Pharmacy) -> None:
    one_fault(
        lambda: plan(pharmacy, from_on=pharmacy.day(2), to_on=pharmacy.day(1)),
        "to_on",
        "The visit ends on 03-Mar-2026, before it begins on 04-Mar-2026.",
    )
    assert plan(pharmacy, from_on=pharmacy.day(2), to_on=pharmacy.day(2)) == "VIS-1"


def test_a_visit_that_ends_today_can_be_planned_and_one_that_ended_yesterday_cannot(pharmacy: Pharmacy) -> None:
    assert plan(pharmacy, from_on=pharmacy.day(-3), to_on=pharmacy.day()) == "VIS-1"
    one_fault(lambda: plan(pharmacy, from_on=pharmacy.day(-3), to_on=pharmacy.day(-1)), "to_on", "01-Mar-2026 is over")


def test_all_that_is_wrong_with_a_plan_is_said_at_once(pharmacy: Pharmacy) -> None:
    form = PlanForm("tim", "soon", "2026-02-30", "  ")
    faults = faults_of(lambda: plan_visit(pharmacy.desk, pharmacy.act("paula"), form))
    assert [fault.field for fault in faults] == ["monitor", "from_on", "to_on", "purpose"]
    assert "“tim” is no monitor's account" in faults[0].sentence


def test_a_monitor_does_not_plan_for_another_one(pharmacy: Pharmacy) -> None:
    second_monitor(pharmacy)
    one_fault(lambda: plan(pharmacy, monitor="nils"), "monitor", "Nils Berger plans the own visits")


@pytest.mark.parametrize("who", ["tim", "carla", "robin"])
def test_nobody_else_plans_a_visit(pharmacy: Pharmacy, who: str) -> None:
    one_fault(lambda: plan(pharmacy, by=who), "", "takes a monitor or pharmacist")
    assert pharmacy.events()[-1].kind == "access_denied"


def disable(pharmacy: Pharmacy, user: str) -> None:
    """Disable an account."""
    with pharmacy.desk.store.read() as reader:
        account = reader.account_by_user_name(user)
    assert account is not None
    form = AccountChange(account.account_id, ("monitor",), pharmacy.day(), "", active=False, why="left the study")
    change_account(pharmacy.desk, pharmacy.act("robin"), form)


def test_a_disabled_monitor_has_no_visits_any_more(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy)
    mona = pharmacy.act("mona")
    disable(pharmacy, "mona")
    one_fault(lambda: plan(pharmacy, by="paula"), "monitor", "The account of Mona Sorensen is disabled")
    one_fault(lambda: open_visit(pharmacy.desk, mona, OpenVisitForm(number)), "", "is disabled")
    assert visit(pharmacy, number).status == "planned"


def test_the_open_visit_of_a_disabled_monitor_keeps_nobody_else_from_theirs(pharmacy: Pharmacy) -> None:
    second_monitor(pharmacy)
    left = visiting(pharmacy)
    query = ask(pharmacy)
    disable(pharmacy, "mona")
    number = visiting(pharmacy, "nils")
    sign(pharmacy, number, "nils")
    # The query is not lost with her: the next monitor closes it.
    answer(pharmacy, query)
    settle(pharmacy, query, who="nils")
    assert visit(pharmacy, left).status == "open"


# --- opening -----------------------------------------------------------------------------------------------------


def test_the_first_visit_opens_on_the_whole_record(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    number = visiting(pharmacy)
    assert visit(pharmacy, number).since_seq == 0
    assert sorted(changed(pharmacy, number)) == reviewable(pharmacy)


def test_the_next_visit_opens_on_what_was_recorded_since_the_last_one_was_signed(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    first = visiting(pharmacy)
    late_delivery = pharmacy.receive("S-2")  # while she is there: it belongs to this visit
    assert late_delivery
    signed = sign(pharmacy, first)
    assert signed.content["record"]["head_seq"] == signed.seq - 1
    second = visiting(pharmacy)
    assert changed(pharmacy, second) == []
    pharmacy.receive("S-3")
    assert changed(pharmacy, second) == [newest(pharmacy, "shipment_received")]
    assert newest(pharmacy, "shipment_received") in changed(pharmacy, second)
    assert len(changed(pharmacy, first)) == len([seq for seq in reviewable(pharmacy) if seq < signed.seq])


def test_a_visit_on_another_day_than_planned_says_why(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy, from_on=pharmacy.day(1), to_on=pharmacy.day(2))
    one_fault(
        lambda: begin(pharmacy, number),
        "reason",
        "planned for 03-Mar-2026 to 04-Mar-2026, and today is 02-Mar-2026. Say why",
    )
    begin(pharmacy, number, reason="an earlier flight")
    assert visit(pharmacy, number).opened_why == "an earlier flight"


@pytest.mark.parametrize(("days", "asked"), [(-1, True), (0, False), (2, False), (3, True)])
def test_both_planned_days_are_inside(pharmacy: Pharmacy, days: int, asked: bool) -> None:
    number = plan(pharmacy, from_on=pharmacy.day(5), to_on=pharmacy.day(7))
    pharmacy.clock.forward(days=5 + days)
    if asked:
        one_fault(lambda: begin(pharmacy, number), "reason", "Say why it is today.")
    else:
        begin(pharmacy, number)


def test_two_visits_of_one_monitor_are_not_open_at_once(pharmacy: Pharmacy) -> None:
    first, second = plan(pharmacy), plan(pharmacy)
    begin(pharmacy, first)
    one_fault(lambda: begin(pharmacy, second), "visit", "Your visit VIS-1 is still open. Sign it first.")
    one_fault(lambda: begin(pharmacy, first), "visit", "VIS-1 was opened already")
    sign(pharmacy, first)
    begin(pharmacy, second)


def test_two_monitors_have_a_visit_each_at_once(pharmacy: Pharmacy) -> None:
    second_monitor(pharmacy)
    hers, his = visiting(pharmacy), visiting(pharmacy, "nils")
    with pharmacy.desk.store.read() as reader:
        nils = next(each for each in reader.accounts() if each.user_name == "nils")
        found = open_visit_of(reader, nils.account_id)
    assert found is not None
    assert found.number == his
    one_fault(lambda: begin(pharmacy, hers, "nils"), "visit", "VIS-1 is Mona Sorensen's, who opens it")
    one_fault(lambda: sign(pharmacy, hers, "nils"), "visit", "VIS-1 is Mona Sorensen's. Work in your own.")


def test_a_visit_that_is_not_there(pharmacy: Pharmacy) -> None:
    one_fault(lambda: begin(pharmacy, "VIS-9"), "visit", "There is no visit VIS-9.")
    one_fault(lambda: begin(pharmacy, " "), "visit", "There is no visit without a number.")


# --- signing -----------------------------------------------------------------------------------------------------


def test_a_signed_visit_binds_counts_and_the_journals_end_and_lists_what_is_open(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    number = visiting(pharmacy)
    verify(pharmacy, number, newest(pharmacy, "shipment_received"), newest(pharmacy, "vials_released"))
    open_one, settled = ask(pharmacy, about=units[0]), ask(pharmacy, about="S-1")
    answer(pharmacy, settled)
    settle(pharmacy, settled)
    before = pharmacy.events()[-1]
    every = reviewable(pharmacy)
    event = sign(pharmacy, number, summary="Receipt of S-1 reviewed.")
    record = event.content["record"]
    assert (record["head_seq"], record["head_hash"]) == (before.seq, before.hash)
    assert record["entries"]["reviewable"] == len(every)
    assert record["entries"]["verified"] == record["verified_here"] == 2
    assert (record["queries_opened"], record["queries_open"]) == (2, [open_one])
    seen = {newest(pharmacy, "shipment_received"), newest(pharmacy, "vials_released")}
    waiting = [seq for seq in every if seq not in seen]
    listed = [seq for first, last, _ in record["unverified"] for seq in every if first <= seq <= last]
    assert listed == waiting
    assert sum(count for *_, count in record["unverified"]) == len(waiting)
    (signature,) = event.signatures
    assert (signature.printed_name, signature.meaning) == ("Mona Sorensen", "reviewed the record in this visit")
    kept = visit(pharmacy, number)
    assert (kept.status, kept.summary, kept.signed_by) == ("signed", "Receipt of S-1 reviewed.", "Mona Sorensen")
    assert so_far(pharmacy, number) == kept.record
    pharmacy.assert_sound()


def test_what_is_shown_before_signing_is_what_is_signed(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    number = visiting(pharmacy)
    shown = so_far(pharmacy, number)
    sign(pharmacy, number)
    assert visit(pharmacy, number).record == shown


def test_a_visit_is_signed_once_when_it_is_open_with_a_summary_and_by_its_monitor(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy)
    one_fault(lambda: sign(pharmacy, number), "visit", "VIS-1 is not open yet")
    begin(pharmacy, number)
    one_fault(lambda: sign(pharmacy, number, summary=" "), "summary", "The summary is missing")
    one_fault(lambda: sign(pharmacy, number, "paula"), "", "takes a monitor")
    sign(pharmacy, number)
    one_fault(lambda: sign(pharmacy, number), "visit", "VIS-1 was signed and stays as it is")


def test_the_same_act_again_opens_and_signs_once(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy)
    act = pharmacy.act("mona")
    once = open_visit(pharmacy.desk, act, OpenVisitForm(number))
    count = pharmacy.count()
    assert open_visit(pharmacy.desk, Act(act.session, act.act_id), OpenVisitForm(number)) == once
    assert pharmacy.count() == count


# --- what changed, and samples -----------------------------------------------------------------------------------


def test_what_deserves_a_look_comes_first(pharmacy: Pharmacy) -> None:
    """Over the limit before a correction before a late entry before the first of its kind before the rest."""
    pharmacy.stock_up()
    pharmacy.enroll()
    # 0.146 mg of 1.46 mg is 10 %: 1.314 mg is at the limit.
    pharmacy.dose("released")
    pharmacy.give(pharmacy.events("dose_ordered")[0].content["dose_id"], "1.314")
    measured = newest(pharmacy, "measurement_recorded")
    correct(
        pharmacy.desk,
        pharmacy.act("tim"),
        CorrectForm(measured, "read 71 kg", (("weight", "71"),)),
        pharmacy.sign("tim"),
    )
    number = visiting(pharmacy)
    order = changed(pharmacy, number)
    with pharmacy.desk.store.read() as reader:
        kinds = {seq: reader.event(seq).kind for seq in order}  # type: ignore[union-attr]
    by_kind = {kind: order.index(seq) for seq, kind in kinds.items()}
    assert order[0] == newest(pharmacy, "dose_administered")
    assert by_kind["dose_administered"] < by_kind["measurement_corrected"] < by_kind["shipment_received"]
    assert by_kind["shipment_received"] < by_kind["vials_released"]
    # In pages of three the same order, none lost and none twice.
    with pharmacy.desk.store.read() as reader:
        wanted = changed_since(visit_of(reader, number))
        pages = [
            each.seq
            for offset in range(0, len(order) + 3, 3)
            for each in reader.review_entries(wanted, by_risk=True, offset=offset, limit=3)
        ]
        assert reader.count_review_entries(wanted) == len(order)
    assert pages == order


def test_an_older_entry_that_was_corrected_since_is_among_what_changed(pharmacy: Pharmacy) -> None:
    pharmacy.enroll()
    first = visiting(pharmacy)
    measured = newest(pharmacy, "measurement_recorded")
    verify(pharmacy, first, measured)
    sign(pharmacy, first)
    form = CorrectForm(measured, "read 71 kg", (("weight", "71"),))
    corrected = correct(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"))
    second = visiting(pharmacy)
    assert changed(pharmacy, second) == [corrected.seq, measured]
    with pharmacy.desk.store.read() as reader:
        found = progress(reader, visit_of(reader, second))
    assert (found.reviewable, found.verified, found.reopened, found.unseen) == (2, 0, 1, 1)


def test_the_monitors_own_report_is_left_out_of_her_visit(pharmacy: Pharmacy) -> None:
    report(pharmacy, who="mona")
    reported = newest(pharmacy, "medication_error_recorded")
    number = visiting(pharmacy)
    assert reported not in changed(pharmacy, number)
    second_monitor(pharmacy)
    assert reported in changed(pharmacy, visiting(pharmacy, "nils"))


def test_a_sample_holds_all_with_a_reason_and_is_drawn_the_same_again(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    pharmacy.dose("closed")
    number = visiting(pharmacy)
    drawn = sample(pharmacy, number)
    every = [seq for seq in reviewable(pharmacy) if seq < pharmacy.events("visit_opened")[0].seq]
    marked = [seq for seq in every if entry(pharmacy, seq).reasons]
    assert list(drawn.with_reason) == marked
    assert newest(pharmacy, "shipment_received") in marked  # the first receipt
    assert drawn.alike == len(every) - len(marked)
    assert set(drawn.drawn) <= set(every) - set(marked)
    # Root plus one, rounded up: of 13 to 16 alike entries five are drawn, of 17 to 25 six.
    assert (
        len(drawn.drawn)
        == {range(10, 17): 5, range(17, 26): 6}[
            next(each for each in (range(10, 17), range(17, 26)) if drawn.alike in each)
        ]
    )
    # Whatever is recorded in the meantime, the sample of this visit stays.
    pharmacy.receive("S-2")
    assert sample(pharmacy, number) == drawn
    assert set(drawn.drawn) < set(sample(pharmacy, number, 9).drawn)
    assert sample(pharmacy, number, 0).drawn == ()
    assert len(sample(pharmacy, number, 10_000).drawn) == drawn.alike


def test_a_sample_is_drawn_when_the_visit_is_open(pharmacy: Pharmacy) -> None:
    number = plan(pharmacy)
    one_fault(lambda: sample(pharmacy, number), "visit", "Its sample is drawn when it is.")


# --- accountability ----------------------------------------------------------------------------------------------


def reconciled(pharmacy: Pharmacy, **wanted: object) -> dict[str, views.ReconciledUnit]:
    """Containers and vials that left, by number."""
    with pharmacy.desk.store.read() as reader:
        asked = ReconciledFilter(**wanted)  # type: ignore[arg-type]
        found = reader.reconciled(asked, offset=0, limit=1000)
        assert reader.count_reconciled(asked) == len(found)
    return {unit.unit_number: unit for unit in found}


def destroy(pharmacy: Pharmacy, *units: str) -> Event:
    """Destroy containers under a permission."""
    form = DestroyForm(units, permission(pharmacy), "incinerated", "bin 12")
    return destroy_vials(pharmacy.desk, pharmacy.act("tim"), form, pharmacy.sign("tim"), pharmacy.sign("carla"))


def test_site_and_monitor_each_give_a_date_and_the_second_opens_the_destruction(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose = pharmacy.dose("closed")
    used = [line.unit_number for line in pharmacy.thread(dose).mg]
    closed = pharmacy.events("vials_closed")[0]
    found = reconciled(pharmacy)
    assert list(found) == used
    assert {(unit.site_seq, unit.site_at, unit.site_by) for unit in found.values()} == {
        (closed.seq, closed.done_at, "Tim Lindqvist")
    }
    assert not any(unit.reconciled for unit in found.values())
    pharmacy.clock.forward(days=1)
    number = visiting(pharmacy)
    with pytest.raises(Refused, match="has not accounted for vial"):
        destroy(pharmacy, used[0])
    event = account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((used[0],)), pharmacy.sign("mona"))
    first, second = reconciled(pharmacy).values()
    assert (first.monitor_seq, first.monitor_at, first.monitor, first.visit) == (
        event.seq,
        event.done_at,
        "Mona Sorensen",
        number,
    )
    assert first.reconciled
    assert (second.monitor_at, second.visit) == (None, "")
    assert list(reconciled(pharmacy, reconciled=True)) == list(reconciled(pharmacy, visit=number)) == [used[0]]
    assert list(reconciled(pharmacy, reconciled=False)) == [used[1]]
    destroy(pharmacy, used[0])
    # Its site date stays that of its closing; the destruction came after.
    assert reconciled(pharmacy)[used[0]].site_seq == closed.seq
    assert reconciled(pharmacy, state="destroyed")[used[0]].monitor_seq == event.seq
    sign(pharmacy, number)
    record = visit(pharmacy, number).record
    assert record is not None
    assert record.units_accounted == 1
    pharmacy.assert_sound()


def test_an_accountability_that_was_taken_back_counts_no_more(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    used = [line.unit_number for line in pharmacy.thread(pharmacy.dose("closed")).mg]
    first = visiting(pharmacy)
    event = account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((used[0],)), pharmacy.sign("mona"))
    correct(pharmacy.desk, pharmacy.act("mona"), CorrectForm(event.seq, "the wrong one"), pharmacy.sign("mona"))
    assert reconciled(pharmacy, reconciled=True) == reconciled(pharmacy, visit=first) == {}
    sign(pharmacy, first)
    second = visiting(pharmacy)
    again = account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((used[0],)), pharmacy.sign("mona"))
    assert reconciled(pharmacy, visit=first) == {}
    assert reconciled(pharmacy, visit=second)[used[0]].monitor_seq == again.seq
    pharmacy.assert_sound()


def test_accountability_without_a_visit_goes_on_as_before(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    used = [line.unit_number for line in pharmacy.thread(pharmacy.dose("closed")).mg]
    account_for(pharmacy.desk, pharmacy.act("mona"), AccountForm((used[0],)), pharmacy.sign("mona"))
    unit = reconciled(pharmacy)[used[0]]
    assert (unit.reconciled, unit.visit) == (True, "")


def test_a_returned_vial_is_reconciled_when_the_monitor_has_verified_its_return(pharmacy: Pharmacy) -> None:
    units = pharmacy.stock_up()
    form = ReturnForm((units[0],), permission(pharmacy), "Depot", "study end", "yes", CARRIER)
    event = return_vials(pharmacy.desk, pharmacy.act("paula"), form, pharmacy.sign("paula"))
    assert reconciled(pharmacy, reconciled=False)[units[0]].site_seq == event.seq
    number = visiting(pharmacy)
    verified = verify(pharmacy, number, event.seq)
    unit = reconciled(pharmacy, reconciled=True)[units[0]]
    assert (unit.monitor_seq, unit.monitor, unit.visit) == (verified.seq, "Mona Sorensen", number)
    # Unopened vials in the fridge are nothing to reconcile.
    assert list(reconciled(pharmacy)) == [units[0]]


def test_all_of_the_record_is_counted_without_a_visit(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    number = visiting(pharmacy)
    verify(pharmacy, number, newest(pharmacy, "shipment_received"))
    with pharmacy.desk.store.read() as reader:
        found = progress(reader)
        assert reader.review_count(ReviewFilter()) == found
    every = reviewable(pharmacy)
    assert (found.reviewable, found.verified, found.unseen) == (len(every), 1, len(every) - 1)
    assert found.unverified == len(every) - 1
