"""Delegation and signature log: who may do what from when to when, and every electronic signature with its meaning."""

from collections.abc import Iterable, Iterator

from labels import text
from labels.geometry import LETTER, Stock
from labels.reports.frame import SMALL_PT, Column, Frame
from labels.text import day, moment, reprint_words
from pharmacy_app.services.papers_records import Delegation, DelegationLog, SignatureLine

_DELEGATION = (
    ("Printed name", 100, ""),
    ("User name", 70, ""),
    ("Role", 84, ""),
    ("Delegated from", 66, ""),
    ("Delegated to", 66, "no end was set"),
    ("Account", 60, ""),
    ("Set by, at", 118, ""),
    ("Reason", 96, "the account was made by it"),
    ("Entry", 40, ""),
    ("In force", 74, ""),
)
_SIGNATURE = (
    ("Line", 34, ""),
    ("Date and time", 108, ""),
    ("Printed name", 100, ""),
    ("Role at that time", 90, ""),
    ("Meaning", 150, ""),
    ("Act", 108, ""),
    ("About", 84, "the act names no number"),
    ("Entry", 40, ""),
    ("SHA-256 begins", 90, ""),
)
_TOTAL = (("Printed name", 150), ("Meaning", 220), ("Signatures", 60), ("First", 120), ("Last", 120))
DELEGATION_COLUMNS = tuple(heading for heading, _, _ in _DELEGATION)
SIGNATURE_COLUMNS = tuple(heading for heading, _, _ in _SIGNATURE)
_RIGHT = ("Line", "Entry", "Signatures")


def delegation_log(log: DelegationLog, stock: Stock = LETTER) -> bytes:
    """Draw the log: the signatures are read one after the other, and summed up at the end."""
    frame = Frame(stock.turned(), log.stamp, "Delegation and signature log", reprint_words(log.copy_number), margin=18)
    frame.begin_page()
    frame.pairs(
        [
            ("Protocol", log.stamp.protocol_name),
            ("Site", f"{log.stamp.site_number} {log.stamp.site_name}"),
            ("Principal investigator", log.investigator),
            ("People with an account", f"{len({each.user_name for each in log.delegations}):,}"),
        ],
        columns=4,
    )
    frame.section("Delegations, as they were set")
    frame.table(_columns(frame, _DELEGATION), [_delegation(each) for each in log.delegations], size=SMALL_PT)
    frame.sign_by_hand(("Principal investigator, for the delegations",))
    frame.section("Electronic signatures")
    sums = _Sums()
    frame.table(_columns(frame, _SIGNATURE), sums.rows(log.signatures), pad=1.8, size=SMALL_PT)
    frame.section("Signatures by person and meaning")
    if sums.found:
        frame.table(_columns(frame, tuple((*each, "") for each in _TOTAL)), sums.totals(), size=SMALL_PT)
    else:
        frame.paragraph("Nothing was signed yet.")
    return frame.finish()


def _columns(frame: Frame, shares: Iterable[tuple[str, int, str]]) -> list[Column]:
    parts = tuple(shares)
    scale = frame.room / sum(share for _, share, _ in parts)
    return [
        Column(
            heading,
            share * scale,
            "right" if heading in _RIGHT else "left",
            text.MONO if heading.startswith("SHA") else text.PLAIN,
            reason,
        )
        for heading, share, reason in parts
    ]


def _delegation(each: Delegation) -> tuple[str, ...]:
    return (
        each.printed_name,
        each.user_name,
        each.roles,
        day(each.delegated_from),
        "" if each.delegated_to is None else day(each.delegated_to),
        each.standing,
        f"{each.set_by}, {moment(each.set_at)}",
        " ".join(each.why.split()),
        str(each.entry),
        f"until entry {each.until_entry}" if each.until_entry else "yes",
    )


class _Sums:
    """Signatures counted while they are drawn."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], list[SignatureLine]] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def rows(self, signatures: Iterable[SignatureLine]) -> Iterator[tuple[str, ...]]:
        """The rows of the log."""
        for each in signatures:
            key = (each.printed_name, each.meaning)
            self.found.setdefault(key, [each, each])[1] = each
            self.counts[key] = self.counts.get(key, 0) + 1
            yield (
                f"{each.line:,}",
                moment(each.signed_at),
                each.printed_name,
                each.role,
                each.meaning,
                each.act,
                each.about,
                str(each.entry),
                each.sha256[:16],
            )

    def totals(self) -> list[tuple[str, ...]]:
        """How often each person signed with each meaning, first and last."""
        return [
            (name, meaning, f"{self.counts[name, meaning]:,}", moment(first.signed_at), moment(last.signed_at))
            for (name, meaning), (first, last) in sorted(self.found.items())
        ]
