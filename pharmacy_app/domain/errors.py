"""The three kinds of trouble, and no fourth: the rule refuses, the world is unavailable, the program is wrong.

The third kind is every other exception: it is never caught to be hidden.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what was asked, said as a sentence that tells what to do next.

    ``field`` names the input it stands beside ('' for the act as a whole), ``rule`` and ``section`` the
    rule and the protocol's section where there is one.
    """

    field: str
    sentence: str
    rule: str = ""
    section: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} [Protocol § {self.section}]" if self.section else self.sentence


class Refused(Exception):
    """A rule of the pharmacy or the protocol refuses the act; all faults are carried at once."""

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("a refusal needs at least one fault")
        self.faults = faults
        super().__init__(" ".join(str(fault) for fault in faults))


class Unavailable(Exception):
    """The world is in the way (disk, lock, file, printer); the sentence says what to do next."""


def refuse_any(faults: list[Fault]) -> None:
    """Raise ``Refused`` with all of ``faults``, or return when there are none."""
    if faults:
        raise Refused(*faults)
