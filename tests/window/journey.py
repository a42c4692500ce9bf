"""One day of the study in the real window, worked by accessible names and keys alone.

Started by ``test_journey.py`` on a display and a message bus of its own, under the system's Python:

    dbus-run-session -- /usr/bin/python3 -m tests.window.journey PYTHON FOLDER

``PYTHON`` runs the program, ``FOLDER`` takes the database, the program's settings and its output, and a picture
of the screen when a step fails. Exit code 0 when the whole day was done, 1 otherwise.

The numbers are hand arithmetic. 171 cm and 70 kg by Mosteller: √(171 × 70 / 3600) = √3.325 = 1.8234… m²; times
0.8 mg/m² (cycle 1, day 1) = 1.4587… mg, rounded half up to 0.01: 1.46 mg. Of a 1 mg vial 0.9 mg can be drawn, at
0.25 mg/mL that is 3.6 mL; the other vial gives 1.44 − 0.9 = 0.54 mg, 2.16 mL; together 5.76 mL.
"""

import contextlib
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pharmacy_app.domain.label_marks import mark_of
from tests.window.driver import FIELDS, PRESSED, Hands

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a sentence to sign with"
ONE_TIME = "for one use, then never again"
SOURCE = "Study Manual 1.0, page 12"
ROBIN, PAULA, CARLA, MONA = "Robin Ahlgren", "Paula Reyes", "Carla Okafor", "Mona Sorensen"

SETTINGS: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("BSA formula", {"Body surface area by": "Mosteller"}, {}),
    ("Dose rounding", {"Rounding rule": "half up – 0.125 to 0.13"}, {"Round to multiples of": "0.01"}),
    (
        "Preparation of the 1 mg vial",
        {},
        {
            "Reconstituted with": "4",
            "Concentration": "0.25",
            "Reconstitution fluid": "Sterile Water for Injection",
            "Extractable": "0.9",
        },
    ),
    (
        "Preparation of the 4 mg vial",
        {},
        {
            "Reconstituted with": "16",
            "Concentration": "0.25",
            "Reconstitution fluid": "Sterile Water for Injection",
            "Extractable": "3.8",
        },
    ),
    (
        "Bag and final concentration",
        {},
        {
            "Diluent": "0.9% sodium chloride",
            "Bag volume, total": "50",
            "Lowest final concentration": "0.01",
            "Highest final concentration": "0.1",
            "How the bag is stored, for its label": "Keep at room temperature. Do not shake.",
        },
    ),
    (
        "Stability limits",
        {},
        {
            "From reconstitution to dilution": "4",
            "From reconstitution to the end of the infusion": "8",
            "From dilution to the end, at room temperature": "4",
            "Time of infusion": "1",
        },
    ),
)
"""Made-up values of a Study Manual: the card, its choices, its typed fields."""


def site_zone() -> tuple[str, timezone]:
    """A time zone whose clocks never change and where it is not about to be midnight: a day is one date."""
    arizona = timezone(timedelta(hours=-7))
    soon = datetime.now(arizona) + timedelta(minutes=10)
    if soon.date() == datetime.now(arizona).date():
        return "America/Phoenix", arizona
    return "Asia/Tokyo", timezone(timedelta(hours=9))


class Day:
    """The steps of the day, in their order; each leaves the window where the next one begins."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.zone_name, self.zone = site_zone()
        self.units: list[str] = []
        self.others: list[str] = []
        self.dose_id = ""

    def now(self) -> datetime:
        """The site's clock."""
        return datetime.now(self.zone)

    def steps(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What the day consists of."""
        return (
            ("1 the guide makes site, people and study", self.set_up),
            ("1 two people sign the settings", self.sign_settings),
            ("1 the administrator adds a checker and a monitor", self.add_accounts),
            ("1 the checker and the monitor choose their own passwords", self.first_sign_ins),
            ("2 the pharmacist receives a shipment", self.receive),
            ("2 labels are printed and scanned back, and the vials released", self.release_to_stock),
            ("3 a subject is enrolled and measured", self.enroll),
            ("3 the marrow of last week is recorded", self.marrow),
            ("4 the order is recorded", self.order),
            ("4 the criteria of the day are recorded", self.criteria),
            ("5 the dose is decided", self.decide),
            ("6 vials are scanned, a wrong one is refused, the plan is signed", self.plan),
            ("7 the second person checks blind", self.check),
            ("7 the worksheet is printed and the preparation recorded", self.prepare),
            ("7 the bag labels are printed, and both are scanned", self.print_labels),
            ("8 the bag is released", self.release),
            ("8 less than prescribed is given: a medication error", self.give),
            ("9 the vials are closed", self.close),
            ("10 the ledger balances and its record is printed", self.account),
            ("10 the monitor reads and can change nothing", self.monitor),
        )

    # -- 1. set up

    def set_up(self) -> None:
        hands = self.hands
        hands.see("There is no study on this PC yet")
        hands.press("Next")
        self._fill(
            {
                "Name of the site": "Riverside Hospital",
                "Site number": "017",
                "Principal investigator": "Dr. Ines Vogel",
                "Protocol number": "INO-LD-2",
                "Pharmacy telephone": "+1 555 0117",
                "Time zone": self.zone_name,
                "Storage places, one a line": "Refrigerator 1\nRefrigerator 2",
            }
        )
        hands.press("Next")
        for role, name, user in (("Administrator", ROBIN, "robin"), ("Pharmacist", PAULA, "paula")):
            self._fill(
                {
                    f"{role}: full name": name,
                    f"{role}: user name": user,
                    f"{role}: password": PASSWORD,
                    f"{role}: password again": PASSWORD,
                }
            )
        today = self.now().date().isoformat()
        assert hands.typed("Pharmacist: delegated from") == today, "the guide does not offer the site's day"
        hands.press("Next")
        hands.see("the protocol that ships with the app")
        hands.press("Make the study")

    def sign_settings(self) -> None:
        hands = self.hands
        hands.find("Two signatures")
        for card, choices, fields in SETTINGS:
            for label, option in choices.items():
                hands.choose(label, option, within=card)
            self._fill({**fields, "Source": SOURCE}, within=card)
        assert (hands.typed("First user name"), hands.typed("Second user name")) == ("paula", "robin")
        # The second signature is wrong at first: nothing is signed, and what was typed stays.
        self._fill({"First password": PASSWORD, "Second password": "not the password"})
        hands.press("Sign and finish")
        hands.see("User name and password do not fit.")
        assert hands.typed("Second password") == "", "the refused password still stands in its field"
        assert hands.typed("Diluent") == "0.9% sodium chloride"
        self._fill({"First password": PASSWORD, "Second password": PASSWORD})
        hands.press("Sign and finish")
        hands.see("All settings are signed.")
        hands.press("Go to sign-in")

    def add_accounts(self) -> None:
        hands = self.hands
        self._sign_in("robin", PASSWORD, ROBIN)
        hands.press("Settings", within="Navigation")
        hands.press("Accounts")
        for name, user, role in ((CARLA, "carla", "checker"), (MONA, "mona", "monitor")):
            hands.press("Add an account")
            self._fill({"Full name": name, "User name": user})
            hands.press(role, roles=("check box",))
            self._fill({"Delegated from": self.now().date().isoformat(), "One-time password": ONE_TIME})
            hands.press("Add the account")
            hands.see(f"{name} has an account now.")
        self._sign_out()

    def first_sign_ins(self) -> None:
        hands = self.hands
        for user, name in (("carla", CARLA), ("mona", MONA)):
            self._sign_in(user, ONE_TIME, "")
            hands.see("your password was set by somebody else")
            self._fill({"Present password": ONE_TIME, "New password": PASSWORD, "New password again": PASSWORD})
            hands.press("Change the password")
            hands.until(lambda: len(hands.windows()) == 1, "the new password to be taken")
            hands.see(name)
            self._sign_out()

    # -- 2. receive

    def receive(self) -> None:
        hands = self.hands
        self._sign_in("paula", PASSWORD, PAULA)
        hands.press("Receive", within="Navigation")
        hands.press("Receive a shipment")
        yesterday = (self.now() - timedelta(days=1)).date().isoformat()
        self._fill(
            {
                "Shipment number": "SHP-9001",
                "Sender": "Distribution center",
                "Packing list no.": "PL-9001",
                "Shipped on": yesterday,
                "Logger serial number": "TL-2231",
            }
        )
        hands.choose("Temperature logger", "Read, no alarm")
        self._fill({"Lowest temperature (°C)": "3.1", "Highest temperature (°C)": "6.4"})
        self._lot("Lot 1", "1 mg", "A1", "8")
        hands.press("Add another lot")
        self._lot("Lot 2", "4 mg", "B7", "2")
        hands.press("Receive the vials")
        hands.see("Shipment SHP-9001 received: 10 vials")
        hands.press("Vials", within="Navigation")
        rows = hands.see_rows("Vials", lambda rows: len(rows) == 10, "ten vials in the table")
        numbers = [(cell, row) for row in rows for cell in row if re.fullmatch(r"V\d{6}[0-9A-Z]", cell)]
        assert len(numbers) == 10, rows
        self.units = [number for number, row in numbers if "1 mg" in row]
        self.others = [number for number, row in numbers if "4 mg" in row]
        assert (len(self.units), len(self.others)) == (8, 2), rows

    def _lot(self, card: str, strength: str, lot: str, count: str) -> None:
        self.hands.choose("Strength", strength, within=card)
        expiry = f"{self.now().year + 1}-03"
        self._fill({"Lot": lot, "Expiry as printed": expiry, "Listed": count, "Counted": count}, within=card)
        self.hands.choose("Condition", "Intact", within=card)

    def release_to_stock(self) -> None:
        hands = self.hands
        hands.press("Receive", within="Navigation")
        hands.see("Print the vial labels and put them on: 10 have none yet.")
        hands.press("Print vial labels")
        self._print_labels("10 labels, not printed yet.")
        self._close_paper("10 pages")
        hands.press("Scan the labels")
        for unit in (*self.units, *self.others):
            hands.scan("Scan each label where it was put", unit + mark_of("vial", unit, 1))
        hands.see("10 labels ready to be recorded.")
        hands.press("Record the scans")
        hands.see("10 labels scanned back")
        hands.press("Receive", within="Navigation")
        hands.press("Release to stock", within="Receive")
        hands.see("You confirm that you have checked")
        hands.press("Release to stock", within="Release 10 vials to stock?")
        hands.see("10 vials released to stock.")
        hands.see("Print the receipt, send it to the supporter, and record that you did.")

    # -- 3. to 5. subject, order, decision

    def enroll(self) -> None:
        hands = self.hands
        hands.press("Subjects", within="Navigation")
        hands.press("Enroll a subject")
        self._fill({"Subject number": "017-001", "Date or year of birth": "1980-05-17", "Initials": "RTK"})
        hands.press("Enroll")
        hands.see("Subject 017-001 is enrolled.")
        # A weight that is no number is refused beside its field, and nothing of it is kept.
        self._fill({"Weight": "seventy", "Height": "171"})
        hands.press("Record")
        hands.see("“seventy” is not a plain number.")
        assert hands.typed("Height") == "171", "what was typed right is lost"
        assert hands.rows("Heights and weights") == [], "half of a refused measurement is recorded"
        self._fill({"Weight": "70"})
        hands.press("Record")
        hands.see("Recorded for subject 017-001: ")

    def marrow(self) -> None:
        hands = self.hands
        hands.press("Treatment")
        hands.press("Record a statement")
        hands.choose("What is stated", "A marrow was taken")
        self._fill({"Taken on": self._days_ago(7), "Blasts in the marrow": "45"})
        hands.press("Record")
        hands.see("marrow")

    def order(self) -> None:
        hands = self.hands
        hands.press("Prepare", within="Navigation")
        hands.press("New order")
        hands.choose("Subject", "017-001 (RTK)")
        # Course, cycle, day and level of the first dose stand there already.
        hands.until(lambda: hands.typed("Cycle") == "1", "the first dose to be filled in")
        self._fill({"Prescriber": "Dr. Ines Vogel", "Prescribed dose": "1.44"})
        hands.press("Record the order")
        said = hands.see("The order was recorded as dose")
        found = re.search(r"D\d{6}[0-9A-Z]", said)
        assert found, said
        self.dose_id = found.group()

    def criteria(self) -> None:
        hands = self.hands
        hands.see("What is not known will stop the dose")
        for question, answer in (
            ("Worst related toxicity, grade now", "0 – none"),
            ("VOD or severe liver toxicity", "No"),
            ("Progression or relapse", "No"),
        ):
            hands.choose(question, answer)
        today = self.now().date().isoformat()
        self._fill({"Results taken on": today, "Bilirubin": "0.8", "Bilirubin unit": "mg/dL"})
        self._fill({"AST": "30", "ALT": "30", "Creatinine clearance": "90", "ANC": "2.1", "Platelets": "120"})
        self._fill({"AST upper limit of normal": "40", "ALT upper limit of normal": "40"})
        self._fill({"Consent signed on": self._days_ago(5), "Screening marrow taken on": self._days_ago(7)})
        self._fill({"Screening blood tests on": self._days_ago(5)})
        hands.press("Record the criteria")
        # The laboratory's own limit is missing: said beside its field, and what was typed stays.
        hands.see("Bilirubin is judged by its upper limit of normal.")
        assert hands.typed("Platelets") == "120", "what was typed is lost"
        assert hands.typed("Platelets taken on") == today, "the day of the results goes to every one"
        self._fill({"Bilirubin upper limit of normal": "1.2"})
        hands.press("Record the criteria")
        hands.see(f"The criteria of dose {self.dose_id} were recorded.")

    def decide(self) -> None:
        hands = self.hands
        hands.see("1.46")
        hands.press("Record the decision")
        hands.see(f"The decision on dose {self.dose_id} was recorded.")

    # -- 6. and 7. vials, check, mixing

    def plan(self) -> None:
        hands = self.hands
        field = "Scan or type a unit number"
        hands.see("0 of 2 scanned")
        hands.scan(field, self.others[0])
        hands.see("takes no 4 mg vial")
        assert hands.sees("0 of 2 scanned"), "the wrong vial was taken"
        hands.scan(field, self.units[0])
        hands.see("1 of 2 scanned")
        hands.scan(field, self.units[0])
        hands.see("scanned already")
        hands.scan(field, self.units[1])
        hands.see("2 of 2 scanned")
        self._fill({"Password": PASSWORD}, within="Sign calculation and plan")
        hands.press("Sign and reserve the vials")
        hands.see(f"The vials of dose {self.dose_id} are reserved.")

    def check(self) -> None:
        hands = self.hands
        mine = "Your own calculation"
        hands.find(mine)
        assert not hands.sees("1.46"), "the first calculation shows before the blind check"
        self._fill({"Height": "171", "Weight": "70", "Dose of the day": "0.8"}, within=mine)
        self._fill({"Planned dose, rounded": "1.46", "Volume to draw": "5.76"}, within=mine)
        # The pharmacist who planned cannot be the second person.
        self._fill({"User name": "paula", "Password": PASSWORD}, within="Second check")
        hands.press("Sign the check")
        hands.see(f"{PAULA} planned this dose. The second check is another person's.")
        self._fill({"User name": "carla", "Password": PASSWORD}, within="Second check")
        hands.press("Sign the check")
        hands.see(f"{CARLA} checked dose {self.dose_id}.")

    def prepare(self) -> None:
        hands = self.hands
        hands.press("Print the worksheet")
        self._close_paper("stored as printed")
        moment = self.now()
        for label in ("Reconstituted at", "Diluted at"):
            self._moment(label, moment)
        self._fill({f"Drawn from {self.units[0]}": "3.6", f"Drawn from {self.units[1]}": "2.16"})
        hands.press("Record the preparation")
        # (3.6 + 2.16) mL × 0.25 mg/mL = 1.44 mg, as prescribed
        hands.see(f"Dose {self.dose_id} was prepared: 1.44 mg")

    def print_labels(self) -> None:
        hands = self.hands
        hands.press("Print the bag labels")
        self._print_labels("2 labels, not printed yet.")
        self._close_paper("2 pages")
        for place in ("bag", "light cover"):
            hands.scan("Scan both labels, one after the other", self.dose_id + mark_of(place, self.dose_id, 1))
            hands.see(f"The {place} carries the label of dose {self.dose_id}.")

    # -- 8. and 9. release, give, close

    def release(self) -> None:
        hands = self.hands
        self._fill({"Released to": "Nurse J. Abara, unit 4"})
        self._fill({"Password": PASSWORD}, within="Sign the release")
        hands.press("Sign and release the bag")
        hands.see(f"The bag of dose {self.dose_id} is released.")

    def give(self) -> None:
        hands = self.hands
        said = hands.see("Released at: ")
        found = re.search(r"(\d\d):(\d\d)", said)
        assert found, said
        started = self.now().replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        ended = started + timedelta(minutes=1)
        self._moment("Infusion started", started)
        self._moment("Infusion ended", ended)
        self._fill({"Amount given": "2", "Note": "The line was occluded."})
        hands.press("Record the administration")
        hands.see("The bag holds 1.44 mg. More cannot have been given.")
        self._fill({"Amount given": "1.2"})
        # (1.2 − 1.44) / 1.44 = −16.67 %: 10 % or more
        hands.see("16.67 % against prescribed")
        # The shortest infusion the form knows lasts a minute, and nothing is recorded before it has ended.
        hands.until(lambda: self.now() >= ended, "the end of the infusion", patience_s=65)
        hands.press("Record the administration")
        hands.see(f"was opened for dose {self.dose_id}")
        hands.see("Medication error")

    def close(self) -> None:
        hands = self.hands
        first, second = self.units[:2]
        # 0.9 + 0.1 = 1 mg, and 0.54 + 0.46 = 1 mg
        self._fill({f"Residue in {first}": "0.1", f"Discarded from {first}": "0"})
        self._fill({f"Residue in {second}": "0.1"})
        hands.press(f"Discard the rest of {second}")
        # 1 − 0.54 − 0.1 = 0.36 mg
        hands.until(lambda: hands.typed(f"Discarded from {second}") == "0.36", "the rest to be filled in")
        hands.press("Close the vials")
        hands.see("the mg ledger balances.")

    # -- 10. account

    def account(self) -> None:
        hands = self.hands
        hands.press("Ledger", within="Navigation")
        hands.see("Received = sum of states in all 2 lots (1 mg: 8 = 8, 4 mg: 2 = 2).")
        rows = hands.see_rows("Vial ledger", lambda rows: any("DISPENSE" in row for row in rows), "the dispensing")
        dispensed = next(row for row in rows if "DISPENSE" in row)
        # 2 of 8 left the stock: 6 remain; one person prepared, the other checked
        assert {"A1", "2", "6", "017-001 (RTK)", PAULA, CARLA} <= set(dispensed), dispensed
        hands.press("Print accountability record…")
        hands.choose("Strength", "1 mg", within="Print the accountability record")
        hands.press("Print", within="Print the accountability record")
        self._close_paper("stored as printed")
        self._sign_out()

    def monitor(self) -> None:
        hands = self.hands
        self._sign_in("mona", PASSWORD, MONA)
        hands.see("You read everything and move no vial.")
        hands.press("Stock and doses")
        # Both opened vials are used up: what is left in them, 0.1 mg, is what cannot be drawn (1 − 0.9).
        hands.see("8 received = 6 available + 2 empty")
        hands.see("2 received = 2 available")
        rows = hands.see_rows("Medication errors", lambda rows: len(rows) == 1, "the medication error")
        assert self.dose_id in rows[0], rows
        hands.press("Verify the journal")
        hands.see("events are as they were written")
        hands.press("Ledger", within="Navigation")
        hands.see_rows("Vial ledger", lambda rows: any("DISPENSE" in row for row in rows), "the dispensing")
        for place, shown, acts in (
            (
                "Receive",
                "Print the receipt, send it to the supporter",
                ("Receive a shipment", "Print vial labels again…"),
            ),
            ("Subjects", "1 enrolled", ("Enroll a subject",)),
            ("Prepare", "No dose is under way", ("New order",)),
            ("Settings", "All study settings that are needed are signed.", ("Change…",)),
        ):
            hands.press(place, within="Navigation")
            hands.find(f"{place} – Pharmacy", ("frame",))
            hands.see(shown)
            self._refused(acts)
        hands.press("Accounts")
        hands.see_rows("Accounts", lambda rows: len(rows) == 4, "four accounts")
        self._refused(("Add an account", "One-time password…"))
        self._sign_out()

    # -- what steps share

    def _fill(self, fields: dict[str, str], *, within: str = "") -> None:
        for label, text in fields.items():
            self.hands.write(label, text, within=within)

    def _moment(self, label: str, moment: datetime) -> None:
        self._fill({label: moment.date().isoformat(), f"{label} time": moment.strftime("%H:%M")})

    def _days_ago(self, days: int) -> str:
        return (self.now() - timedelta(days=days)).date().isoformat()

    def _print_labels(self, words: str) -> None:
        """The labels are looked at before they print."""
        self.hands.see(words)
        self.hands.find("Page 1 as it will print")
        self.hands.press("Print")

    def _close_paper(self, words: str) -> None:
        """The printed paper opens on screen; it is looked at and closed."""
        self.hands.see(words)
        self.hands.find("Page 1")
        self.hands.press("Close")
        self.hands.until(lambda: len(self.hands.windows()) == 1, "the paper to close")

    def _refused(self, acts: tuple[str, ...]) -> None:
        """These buttons show, and cannot be pressed."""
        for act in acts:
            self.hands.find(act, PRESSED)
            assert not self.hands.enabled(act), f"{self.hands.windows()[0].name}: “{act}” may be pressed"

    def _sign_in(self, user: str, password: str, name: str) -> None:
        hands = self.hands
        hands.write("User name", user)
        hands.write("Password", password)
        # Enter in the password signs in, as a person does it.
        hands.focus(hands.find("Password", FIELDS))
        hands.key("Return")
        if name:
            hands.see(name)
            hands.find("Lock")

    def _sign_out(self) -> None:
        hands = self.hands
        hands.press("Lock")
        hands.see("What was typed is kept.")
        hands.press("Switch user…")
        hands.find("User name", FIELDS)


def main(python: str, folder: Path) -> int:
    """Start the program, live the day, and say how far it came."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        "QT_QPA_PLATFORM": "xcb",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    began = time.monotonic()
    with (folder / "program.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-m", "pharmacy_app", "--db", f"sqlite:///{folder / 'study.sqlite'}"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    hands = Hands(process)
    try:
        hands.wait_for_window()
        day = Day(hands)
        for what, step in day.steps():
            say(f"… {what}")
            begun = time.monotonic()
            step()
            say(f"  passed in {time.monotonic() - begun:.1f} s")
    except Exception:
        say(traceback.format_exc())
        if hands.picture(str(folder / "failed.png")):
            say(f"The screen is kept in {folder / 'failed.png'}.")
        with contextlib.suppress(Exception):
            say(f"Showing: {' | '.join(hands.texts())[:6000]}")
        say((folder / "program.log").read_text(errors="replace")[-4000:])
        return 1
    finally:
        end(process)
    say(f"The day is done in {time.monotonic() - began:.0f} s.")
    return 0


def end(process: "subprocess.Popen[bytes]") -> None:
    """End the program that was started here, gently first."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def say(line: str) -> None:
    """Tell whoever watches the run, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
