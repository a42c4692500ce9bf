"""What is misread, or must not be claimed, in words on labels: ISMP, the Joint Commission, 21 CFR 312.6(b)."""

import re
from collections.abc import Iterator

_UNITS = r"(?:%|mg|mL|g\b|kg|h\b|°C)"
_FORBIDDEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "an abbreviation that is misread (U, IU, QD, QOD, cc, µg)",
        re.compile(r"\d\s*(U|IU|cc)\b|\b(I\.U\.|[Qq]\.?[Dd]\.?|[Qq]\.?[Oo]\.?[Dd]\.?)(?!\w)|[µμ]g"),
    ),
    ("the sign @, < or >", re.compile(r"[@<>]")),
    ("a drug name cut short (INO, GO)", re.compile(r"\b(INO|GO|InO)\b")),
    ("a decimal point without a digit before it", re.compile(r"(?<!\d)\.\d")),
    ("a trailing zero", re.compile(rf"\d\.\d*0\s*{_UNITS}")),
    ("a decimal comma", re.compile(rf"\d,(?!\d{{3}}(?!\d))\d+\s*{_UNITS}")),
    # Not before h: 1400 h is a time of the day.
    (
        "a number from 1,000 without its comma",
        re.compile(r"(?<![\d.,])\d{4,}(?:\.\d+)?\s*(?:mg|mL|mcg|kg|g\b)"),
    ),
    (
        "a slash for “per”",
        # mg/mL and mg/m² are units; in “cycle 1/day 8” nothing is counted per day.
        re.compile(
            r"(?:\b(?:mg|mcg|mL|kg|mmol)|\d\s*[gL])\s*/\s*(?!mL\b|m²|m2\b)[^\W\d_]"
            r"|(?:\d|\b(?:vials?|bags?|doses?|drops?|times|once|twice|Beutel|Dosen|Tropfen|(?:ein|zwei)?mal))\s*/\s*"
            r"(?:day|d|hour|hr?|min(?:ute)?|week|wk|month|dose|patient|Tag|Stunde|Std|Woche|Monat|Dosis)\b(?!\s*\d)",
            re.IGNORECASE,
        ),
    ),
    ("millilitres not written as mL", re.compile(r"\d\s*(?:ml|ML|Ml)\b")),
    ("an amount run into its unit", re.compile(r"\d(?:mg|mL|mcg)\b")),
    ("a trade mark sign", re.compile("[™®]")),
    (
        "a date that can be read two ways",
        re.compile(r"(?<![\d.])\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})(?!\d)|(?<!\d)\d{1,2}/\d{1,2}(?!\d)"),
    ),
    (
        "a claim of safety or effect (21 CFR 312.6(b))",
        re.compile(
            r"\b(?:safe|safely|safety|effective(?:ly|ness)?|efficac\w+|proven|cures?|curative|(?:well[- ])?tolerated"
            r"|harmless|sicher(?:e|er|es|en|em|heit)?|wirksam\w*|bewährt\w*|(?:gut )?verträglich\w*|heilt|heilend\w*"
            r"|unbedenklich\w*|unschädlich\w*)\b",
            re.IGNORECASE,
        ),
    ),
)


def misread(words: str) -> Iterator[str]:
    """What no label may say of these words, a phrase each; nothing where all is well (L-02, L-09 to L-12)."""
    return (what for what, pattern in _FORBIDDEN if pattern.search(words))
