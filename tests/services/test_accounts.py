"""Who may come in, who may sign, and what is kept of each try."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pharmacy_app.domain.errors import Refused
from pharmacy_app.services.accounts import (
    AccountChange,
    AccountForm,
    NewAccount,
    add_account,
    change_account,
    change_password,
    reset_password,
    sign_in,
    unlock_account,
)
from pharmacy_app.services.desk import Act, Credentials
from pharmacy_app.services.preparation import ReleaseForm, ReserveForm, release, reserve, verify_dose
from pharmacy_app.services.stock import receive
from pharmacy_app.services.study_settings import sign_settings
from tests.services.pharmacy import ONE_TIME, PASSWORD, SETTINGS, WORKSTATION, Pharmacy


@pytest.fixture
def planned(pharmacy: Pharmacy) -> tuple[Pharmacy, str]:
    """A dose that paula planned and nobody checked yet."""
    pharmacy.stock_up()
    pharmacy.enroll()
    return pharmacy, pharmacy.dose("planned")


def attempts(pharmacy: Pharmacy, user: str) -> int:
    with pharmacy.desk.store.read() as reader:
        account = reader.account_by_user_name(user)
        assert account is not None
        return reader.failed_attempts(account.account_id)


def locked(pharmacy: Pharmacy, user: str) -> bool:
    with pharmacy.desk.store.read() as reader:
        account = reader.account_by_user_name(user)
        assert account is not None
        return account.locked


Try = Callable[[Pharmacy, str], object]

WRONG: dict[str, Try] = {
    "signing in": lambda p, _: sign_in(p.desk, Credentials("paula", "not this one"), WORKSTATION),
    "signing the plan": lambda p, dose: reserve(
        p.desk, p.act("paula"), ReserveForm(dose, (), ()), Credentials("paula", "not this one")
    ),
    "signing the release": lambda p, dose: release(
        p.desk, p.act("paula"), ReleaseForm(dose, "Nurse"), Credentials("paula", "not this one")
    ),
    "signing as the first of two": lambda p, _: sign_settings(
        p.desk, p.act("paula"), SETTINGS, Credentials("paula", "not this one"), p.sign("carla")
    ),
    "signing as the second of two": lambda p, _: sign_settings(
        p.desk, p.act("carla"), SETTINGS, p.sign("carla"), Credentials("paula", "not this one")
    ),
    "changing the password": lambda p, _: change_password(
        p.desk, p.act("paula"), Credentials("paula", "not this one"), "a brand new sentence"
    ),
}


@pytest.mark.parametrize("where", sorted(WRONG))
def test_a_wrong_password_is_recorded_wherever_it_is_typed_and_the_fifth_locks(
    planned: tuple[Pharmacy, str], where: str
) -> None:
    pharmacy, dose_id = planned
    for number in range(1, 6):
        before = pharmacy.count()
        with pytest.raises(Refused, match="do not fit"):
            WRONG[where](pharmacy, dose_id)
        assert pharmacy.count() == before + 1, "the try was not recorded"
        assert pharmacy.events()[-1].kind == "sign_in_failed"
        assert "not this one" not in str(pharmacy.events()[-1])
        assert attempts(pharmacy, "paula") == number
        assert locked(pharmacy, "paula") == (number == 5)
    with pytest.raises(Refused, match="locked"):
        sign_in(pharmacy.desk, pharmacy.sign("paula"), WORKSTATION)  # the right password is of no use now
    with pytest.raises(Refused, match="locked"):
        pharmacy.cancel(dose_id)  # nor is a session that was open
    assert pharmacy.thread(dose_id).line.status == "planned"
    pharmacy.assert_sound()


def test_four_wrong_then_right_starts_the_count_again(pharmacy: Pharmacy) -> None:
    for _ in range(4):
        with pytest.raises(Refused):
            sign_in(pharmacy.desk, pharmacy.sign("tim", "wrong"), WORKSTATION)
    sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION)
    assert attempts(pharmacy, "tim") == 0
    for _ in range(4):
        with pytest.raises(Refused):
            sign_in(pharmacy.desk, pharmacy.sign("tim", "wrong"), WORKSTATION)
    assert not locked(pharmacy, "tim")


def test_an_administrator_unlocks(pharmacy: Pharmacy) -> None:
    for _ in range(5):
        with pytest.raises(Refused):
            sign_in(pharmacy.desk, pharmacy.sign("tim", "wrong"), WORKSTATION)
    assert locked(pharmacy, "tim")
    unlock_account(pharmacy.desk, pharmacy.act("robin"), pharmacy.sessions["tim"].account_id)
    sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION)
    with pytest.raises(Refused, match="no such account"):
        unlock_account(pharmacy.desk, pharmacy.act("robin"), "A9999")


def test_a_try_at_a_locked_or_disabled_account_is_recorded(pharmacy: Pharmacy) -> None:
    """Every refused sign-in stands in the journal, whatever it was refused for."""
    change_account(
        pharmacy.desk,
        pharmacy.act("robin"),
        AccountChange(pharmacy.sessions["tim"].account_id, ("technician",), "2026-03-01", "", False, "has left"),
    )
    before = pharmacy.count()
    with pytest.raises(Refused, match="disabled"):
        sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION)
    assert pharmacy.count() == before + 1


def test_a_user_nobody_has_is_recorded_without_what_was_typed(pharmacy: Pharmacy) -> None:
    """People type their password into the name field: it must not stand in the journal for ever."""
    before = pharmacy.count()
    with pytest.raises(Refused, match="do not fit"):
        sign_in(pharmacy.desk, Credentials("my secret sentence", ""), WORKSTATION)
    assert pharmacy.count() == before + 1
    assert "secret" not in str(pharmacy.events()[-1])


@pytest.mark.parametrize("name", ["paula", "PAULA", " Paula "])
def test_a_user_name_is_the_same_in_capitals(pharmacy: Pharmacy, name: str) -> None:
    assert sign_in(pharmacy.desk, Credentials(name, PASSWORD), WORKSTATION).printed_name == "Paula Reyes"


@pytest.mark.parametrize("name", ["åsa", "ÅSA", "Åsa"])
def test_a_user_name_with_a_letter_beyond_ascii_works(pharmacy: Pharmacy, name: str) -> None:
    new = NewAccount(AccountForm("Åsa", "Åsa Öberg", ("technician",), "2026-03-01"), ONE_TIME)
    add_account(pharmacy.desk, pharmacy.act("robin"), new)
    assert sign_in(pharmacy.desk, Credentials(name, ONE_TIME), WORKSTATION).printed_name == "Åsa Öberg"


@pytest.mark.sqlite_only(reason="every byte of the file is looked at")
def test_no_password_ever_stands_in_the_file(pharmacy: Pharmacy) -> None:
    pharmacy.desk.store.close()
    content = pharmacy.path.read_bytes()
    assert b"Paula Reyes" in content
    assert PASSWORD.encode() not in content
    assert ONE_TIME.encode() not in content


# --- who may not -----------------------------------------------------------------------------------------------


def test_the_disabled_can_do_nothing_more_in_an_open_session(pharmacy: Pharmacy) -> None:
    tim = pharmacy.act("tim").session
    change_account(
        pharmacy.desk,
        pharmacy.act("robin"),
        AccountChange(tim.account_id, ("technician",), "2026-03-01", "", False, "has left"),
    )
    with pytest.raises(Refused, match="disabled"):
        receive(pharmacy.desk, Act(tim), pharmacy.shipment())
    assert pharmacy.events()[-1].kind == "access_denied"
    with pytest.raises(Refused, match="disabled"):
        sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION)


@pytest.mark.parametrize(
    ("start", "end", "may"),
    [
        ("2026-03-02", "2026-03-02", True),  # both end days count
        ("2026-03-01", "2026-03-02", True),
        ("2026-03-02", "", True),
        ("2026-03-03", "", False),
        ("2026-02-01", "2026-03-01", False),
    ],
)
def test_the_delegation_covers_the_day(pharmacy: Pharmacy, start: str, end: str, may: bool) -> None:
    tim = pharmacy.act("tim").session
    change_account(
        pharmacy.desk,
        pharmacy.act("robin"),
        AccountChange(tim.account_id, ("technician",), start, end, True, "delegation log page 3"),
    )
    if may:
        receive(pharmacy.desk, Act(tim), pharmacy.shipment())
        sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION)
        return
    for do in (
        lambda: receive(pharmacy.desk, Act(tim), pharmacy.shipment()),
        lambda: sign_in(pharmacy.desk, pharmacy.sign("tim"), WORKSTATION),
    ):
        with pytest.raises(Refused, match="not delegated on 2026-03-02"):
            do()
        assert pharmacy.events()[-1].kind == "access_denied"


def test_roles_taken_away_count_at_once(pharmacy: Pharmacy) -> None:
    tim = pharmacy.act("tim").session
    change_account(
        pharmacy.desk,
        pharmacy.act("robin"),
        AccountChange(tim.account_id, ("checker",), "2026-03-01", "", True, "new duty"),
    )
    with pytest.raises(Refused, match="signed in as checker"):
        receive(pharmacy.desk, Act(tim), pharmacy.shipment())


@pytest.fixture
def newcomer(pharmacy: Pharmacy) -> Pharmacy:
    """Nils, a checker whose password the administrator chose."""
    new = NewAccount(AccountForm("nils", "Nils Bergman", ("checker", "technician"), "2026-03-01"), ONE_TIME)
    add_account(pharmacy.desk, pharmacy.act("robin"), new)
    return pharmacy


def test_a_password_set_by_another_is_changed_first(newcomer: Pharmacy) -> None:
    session = sign_in(newcomer.desk, Credentials("nils", ONE_TIME), WORKSTATION)
    assert session.must_change_password
    with pytest.raises(Refused, match="Change it before"):
        receive(newcomer.desk, Act(session), newcomer.shipment())
    for same in (ONE_TIME, "short", "nils has a long password"):
        with pytest.raises(Refused):
            change_password(newcomer.desk, Act(session), Credentials("nils", ONE_TIME), same)
    change_password(newcomer.desk, Act(session), Credentials("nils", ONE_TIME), "a sentence of his own")
    receive(newcomer.desk, Act(session), newcomer.shipment())
    with pytest.raises(Refused, match="do not fit"):
        sign_in(newcomer.desk, Credentials("nils", ONE_TIME), WORKSTATION)


def test_a_password_set_by_another_signs_nothing(newcomer: Pharmacy) -> None:
    """Who set it could sign in its owner's name: as second signer it is refused until its owner has changed it."""
    newcomer.stock_up()
    newcomer.enroll()
    dose_id = newcomer.dose("planned")
    with pytest.raises(Refused):
        verify_dose(newcomer.desk, newcomer.act("paula"), newcomer.check_form(dose_id), Credentials("nils", ONE_TIME))
    assert newcomer.thread(dose_id).line.status == "planned"


def test_a_reset_password_signs_nothing_either(planned: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = planned
    carla = pharmacy.act("carla").session
    reset_password(pharmacy.desk, pharmacy.act("robin"), carla.account_id, "set by the administrator")
    with pytest.raises(Refused):
        verify_dose(
            pharmacy.desk,
            pharmacy.act("quentin"),
            pharmacy.check_form(dose_id),
            Credentials("carla", "set by the administrator"),
        )
    assert pharmacy.thread(dose_id).line.status == "planned"


# --- the second person ------------------------------------------------------------------------------------------


def test_the_planner_does_not_check_her_own_plan(planned: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = planned
    for session in ("paula", "carla", "quentin"):
        with pytest.raises(Refused, match="The second check is another person's"):
            verify_dose(pharmacy.desk, pharmacy.act(session), pharmacy.check_form(dose_id), pharmacy.sign("paula"))
    assert pharmacy.thread(dose_id).line.status == "planned"


def test_a_technician_does_not_check(planned: tuple[Pharmacy, str]) -> None:
    pharmacy, dose_id = planned
    with pytest.raises(Refused, match="signed in as technician"):
        verify_dose(pharmacy.desk, pharmacy.act("carla"), pharmacy.check_form(dose_id), pharmacy.sign("tim"))
    assert pharmacy.events()[-1].kind == "access_denied"


def test_the_checker_of_record_is_who_signed_not_whose_screen_it_was(planned: tuple[Pharmacy, str]) -> None:
    """Carla checks at the screen where paula is signed in, with her own password."""
    pharmacy, dose_id = planned
    event = verify_dose(pharmacy.desk, pharmacy.act("paula"), pharmacy.check_form(dose_id), pharmacy.sign("carla"))
    assert [signature.printed_name for signature in event.signatures] == ["Carla Okafor"]
    assert pharmacy.thread(dose_id).verified_by == "Carla Okafor"


def test_plan_and_release_are_signed_by_who_is_signed_in(pharmacy: Pharmacy) -> None:
    pharmacy.stock_up()
    pharmacy.enroll()
    dose_id = pharmacy.dose("decided")
    units = pharmacy.best(dose_id)
    with pytest.raises(Refused, match="Sign with your own account"):
        reserve(pharmacy.desk, pharmacy.act("paula"), ReserveForm(dose_id, units, units), pharmacy.sign("quentin"))
    assert pharmacy.vials(state="reserved") == []


def test_settings_take_two_people_one_of_them_a_pharmacist(pharmacy: Pharmacy) -> None:
    for who, first, second, words in (
        ("paula", "paula", "paula", "another person's"),
        ("paula", "carla", "paula", "The first signature is yours"),
        ("carla", "carla", "robin", "must be a pharmacist's"),
        ("paula", "paula", "tim", "signed in as technician"),
        ("paula", "paula", "mona", "signed in as monitor"),
    ):
        with pytest.raises(Refused, match=words):
            sign_settings(pharmacy.desk, pharmacy.act(who), SETTINGS, pharmacy.sign(first), pharmacy.sign(second))
    assert len(pharmacy.events("settings_signed")) == 1  # the fixture's own


def test_a_signature_is_bound_to_what_was_signed(planned: tuple[Pharmacy, str]) -> None:
    from pharmacy_app.domain.codec import digest

    pharmacy, dose_id = planned
    event = pharmacy.verify(dose_id)
    (signature,) = event.signatures
    assert signature.content_sha256 == digest(event.content)
    assert signature.meaning == "calculated independently and compared"


# --- account forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "password", "field", "words"),
    [
        ({"user_name": ""}, ONE_TIME, "user_name", "missing"),
        ({"user_name": "PAULA"}, ONE_TIME, "user_name", "already"),
        ({"printed_name": "paula reyes"}, ONE_TIME, "printed_name", "one account"),
        ({"roles": ()}, ONE_TIME, "roles", "at least one role"),
        ({"roles": ("wizard",)}, ONE_TIME, "roles", "at least one role"),
        ({"roles": ("checker", "wizard")}, ONE_TIME, "roles", "at least one role"),
        ({"roles": ("monitor", "pharmacist")}, ONE_TIME, "roles", "stands alone"),
        ({"delegated_from": "yesterday"}, ONE_TIME, "delegated_from", "not a date"),
        ({"delegated_to": "tomorrow"}, ONE_TIME, "delegated_to", "not a date"),
        ({"delegated_to": "2026-02-28"}, ONE_TIME, "delegated_to", "ends before it begins"),
        ({}, "elevenchars", "password", "at least 12"),
        ({}, "old greta was here", "password", "user name"),
    ],
)
def test_an_account_form_names_its_fault(
    pharmacy: Pharmacy, changes: dict[str, object], password: str, field: str, words: str
) -> None:
    form = AccountForm("greta", "Greta Lund", ("checker",), "2026-03-01")
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        add_account(
            pharmacy.desk,
            pharmacy.act("robin"),
            NewAccount(replace(form, **changes), password),  # type: ignore[arg-type]
        )
    assert [fault.field for fault in refused.value.faults] == [field], refused.value
    assert words in refused.value.faults[0].sentence
    assert pharmacy.count() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"why": " "}, "why"),
        ({"roles": ()}, "roles"),
        ({"roles": ("technician", "wizard")}, "roles"),
        ({"roles": ("monitor", "technician")}, "roles"),
        ({"account_id": "A9999"}, "account_id"),
        ({"delegated_from": "soon"}, "delegated_from"),
        ({"delegated_to": "2026-02-01"}, "delegated_to"),
    ],
)
def test_a_change_of_an_account_names_its_fault(pharmacy: Pharmacy, changes: dict[str, object], field: str) -> None:
    change = AccountChange(pharmacy.sessions["tim"].account_id, ("technician",), "2026-03-01", "", True, "moved")
    before = pharmacy.count()
    with pytest.raises(Refused) as refused:
        change_account(pharmacy.desk, pharmacy.act("robin"), replace(change, **changes))  # type: ignore[arg-type]
    assert [fault.field for fault in refused.value.faults] == [field]
    assert pharmacy.count() == before


def test_the_administrator_cannot_shut_herself_out(pharmacy: Pharmacy) -> None:
    robin = pharmacy.sessions["robin"].account_id
    for roles, active in ((("pharmacist",), True), (("administrator",), False)):
        with pytest.raises(Refused, match="your own roles"):
            change_account(
                pharmacy.desk,
                pharmacy.act("robin"),
                AccountChange(robin, roles, "2026-03-01", "", active, "holiday"),
            )


def test_a_changed_password_sent_twice_is_one_event(pharmacy: Pharmacy) -> None:
    """The second click still carries the old password, which no longer fits; it is the same act all the same."""
    act = pharmacy.act("tim")
    first = change_password(pharmacy.desk, act, pharmacy.sign("tim"), "a sentence of his own")
    before = pharmacy.count()
    again = change_password(pharmacy.desk, act, pharmacy.sign("tim"), "a sentence of his own")
    assert again.body() == first.body()
    assert pharmacy.count() == before


def test_nobody_changes_the_password_of_another(pharmacy: Pharmacy) -> None:
    with pytest.raises(Refused, match="only your own"):
        change_password(pharmacy.desk, pharmacy.act("tim"), pharmacy.sign("paula"), "taken over by tim")
    sign_in(pharmacy.desk, pharmacy.sign("paula"), WORKSTATION)
