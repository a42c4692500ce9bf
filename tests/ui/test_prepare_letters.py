"""Alt letters at the *Prepare* page: each leads to one place, at every step."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from pharmacy_app.demo import STEPS, DemoDay, dose
from tests.ui.office_fixtures import *  # noqa: F403
from tests.ui.prepare_desk import *  # noqa: F403
from tests.ui.prepare_desk import Desk
from ui.office import Office


def letters(root: QWidget) -> Counter[str]:
    """How many controls to be seen each Alt letter leads to."""
    labels = [label for label in root.findChildren(QLabel) if label.buddy() is not None]
    controls: list[QLabel | QAbstractButton] = [*labels, *root.findChildren(QAbstractButton)]
    found = (re.search(r"&([A-Za-z])", widget.text().replace("&&", "")) for widget in controls if widget.isVisible())
    return Counter(match[1].lower() for match in found if match)


@pytest.mark.parametrize("until", STEPS)
def test_every_alt_letter_leads_to_one_place(
    office: Office, at: Callable[[Office], Desk], day: DemoDay, until: str
) -> None:
    dose_id = dose(day, "000-001", 1, 1, until=until)
    desk = at(office)
    desk.open(dose_id)
    found = letters(desk.page)
    assert found, "there are letters at every step"
    assert not {letter for letter, count in found.items() if count > 1}
    # The window's own: Lock.
    assert "l" not in found


def test_the_letters_of_an_order_and_of_the_criteria(
    office: Office, at: Callable[[Office], Desk], day: DemoDay
) -> None:
    desk = at(office)
    desk.page.begin_order()
    desk.wait()
    assert max(letters(desk.page).values()) == 1
    assert "l" not in letters(desk.page)
    desk.open(dose(day, "000-001", 1, 1, until="order"))
    desk.press("prepare_steps_2")
    assert max(letters(desk.page).values()) == 1
    assert "l" not in letters(desk.page)
