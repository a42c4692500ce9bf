"""What temperature loggers export, as their makers write it; what a file leaves open is asked for, never guessed."""

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.domain.logger_files import Answers, LoggerFile, read_logger_file

CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str | bytes, zone: ZoneInfo = CHICAGO, **answers: str) -> LoggerFile:
    return read_logger_file(text.encode() if isinstance(text, str) else text, zone, Answers(**answers))


def shown(file: LoggerFile) -> list[tuple[str, str]]:
    return [(reading.at.isoformat(), format(reading.celsius.normalize(), "f")) for reading in file.readings]


def refusal(text: str | bytes, zone: ZoneInfo = CHICAGO, **answers: str) -> Fault:
    with pytest.raises(Refused) as refused:
        read(text, zone, **answers)
    return refused.value.faults[0]


# --- as loggers write it ----------------------------------------------------------------------------------------

GERMAN = """\
Gerät;Kühlschrank-Logger
Seriennummer;A-4711
Serial number: TD-20931

Datum;Uhrzeit;Temperatur [°C];Feuchte [%rF]
28.02.2026;23:45:00;5,4;41,0
01.03.2026;00:00:00;8,0;41,2
01.03.2026;00:15:00;8,1;41,9

Minimum;5,4
Maximum;8,1
Mittelwert;7,2
"""


def test_a_german_file_with_semicolons_decimal_commas_and_a_summary_below() -> None:
    file = read(GERMAN, BERLIN)
    assert shown(file) == [
        ("2026-02-28T23:45:00+01:00", "5.4"),
        ("2026-03-01T00:00:00+01:00", "8"),
        ("2026-03-01T00:15:00+01:00", "8.1"),
    ]
    known = file.recognised
    assert (known.delimiter, known.decimal_mark, known.unit) == ("semicolon", "comma", "°C")
    assert known.date_order == "day, month, year"
    assert known.column == "column 3, “Temperatur [°C]”"
    assert (known.first_line, known.last_line) == (6, 8)
    assert known.after == ("Minimum;5,4", "Maximum;8,1", "Mittelwert;7,2")
    assert known.before[-1] == "Datum;Uhrzeit;Temperatur [°C];Feuchte [%rF]"
    assert file.serial == "TD-20931"


def test_an_american_file_in_fahrenheit_with_the_month_first_and_am_and_pm() -> None:
    file = read(
        "Serial Number,99-17\n"
        "Date/Time,Temp (°F)\n"
        "03/14/2026 11:45 AM,41.0\n"
        "03/14/2026 12:00 PM,46.4\n"
        "03/14/2026 12:15 PM,46.6\n"
        "03/14/2026 11:59:30 PM,32\n"
        "03/15/2026 12:05 AM,41\n"
    )
    assert shown(file)[:2] == [("2026-03-14T11:45:00-05:00", "5"), ("2026-03-14T12:00:00-05:00", "8")]
    assert file.readings[2].celsius > 8
    assert shown(file)[3:] == [("2026-03-14T23:59:30-05:00", "0"), ("2026-03-15T00:05:00-05:00", "5")]
    assert (file.recognised.unit, file.recognised.date_order, file.serial) == ("°F", "month, day, year", "99-17")


def test_a_file_with_tabs_and_moments_in_iso_form_with_their_offset() -> None:
    file = read("timestamp\ttemperature_C\n2026-03-01T10:00:00Z\t5.25\n2026-03-01T05:10:00-06:00\t-0.5\n", unit="C")
    assert shown(file) == [("2026-03-01T04:00:00-06:00", "5.25"), ("2026-03-01T05:10:00-06:00", "-0.5")]
    assert (file.recognised.delimiter, file.recognised.clock) == ("tab", "each reading has its offset from UTC")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Time,Temp °C\n2026-03-01 10:00,5.4\n".encode("utf-8-sig"), "UTF-8 with byte-order mark"),
        ("Time,Temp °C\r\n2026-03-01 10:00,5.4\r\n".encode("utf-16"), "UTF-16"),
        ("Time,Temp °C\r\n2026-03-01 10:00,5.4\r\n".encode("cp1252"), "Windows-1252"),
        ("Time,Temp °C\r2026-03-01 10:00,5.4\r".encode(), "UTF-8"),
    ],
)
def test_the_ways_in_which_characters_and_lines_are_written(content: bytes, encoding: str) -> None:
    file = read(content)
    assert shown(file) == [("2026-03-01T10:00:00-06:00", "5.4")]
    assert file.recognised.encoding == encoding


def test_numbered_lines_a_unit_in_each_cell_and_months_by_name() -> None:
    file = read(
        "1;01-Mar-2026 10:00;5,4 °C\n2;01-Mar-2026 10:15;−1,5 °C\n3;01-Mar-2026 10:30;+6 °C\n",
    )
    assert [value for _, value in shown(file)] == ["5.4", "-1.5", "6"]
    assert file.recognised.column == "column 3"


def test_a_column_of_numbers_beside_the_temperature_is_told_apart_by_its_heading() -> None:
    file = read("No.,Time,Humidity %,Temperature °C\n7,2026-03-01 10:00,40.5,5.5\n8,2026-03-01 10:05,40.5,5.6\n")
    assert [value for _, value in shown(file)] == ["5.5", "5.6"]
    assert file.recognised.column == "column 4, “Temperature °C”"


def test_a_quoted_decimal_comma_in_a_file_with_commas() -> None:
    assert [v for _, v in shown(read('Time,Temp C\n"2026-03-01 10:00","5,4"\n"2026-03-01 10:05","8,1"\n'))] == [
        "5.4",
        "8.1",
    ]


def test_the_newest_reading_may_stand_first() -> None:
    file = read("Time,Temp C\n2026-03-01 10:30,7\n2026-03-01 10:15,6\n2026-03-01 10:00,5\n")
    assert [value for _, value in shown(file)] == ["5", "6", "7"]
    assert file.recognised.newest_first


def test_two_readings_of_one_minute_are_both_kept() -> None:
    assert len(read("Time,Temp C\n2026-03-01 10:00,7\n2026-03-01 10:00,6\n").readings) == 2


def test_a_reading_without_a_value_is_missing_and_not_skipped() -> None:
    file = read("Time;Temp C\n2026-03-01 10:00;5\n2026-03-01 10:15;ERR\n2026-03-01 10:30;\n2026-03-01 10:45;5\n")
    assert [moment.isoformat()[11:16] for moment in file.missing] == ["10:15", "10:30"]
    assert len(file.readings) == 2


def test_the_preamble_may_name_unit_order_and_clock() -> None:
    file = read("Unit: °F\nDate format: DD/MM/YYYY\nTime zone: UTC+01:00\nTime;T\n01/02/2026 10:00;41\n", BERLIN)
    assert shown(file) == [("2026-02-01T10:00:00+01:00", "5")]
    assert file.recognised.date_order == "day, month, year"
    assert file.recognised.clock == "named by line 3: UTC+01:00"


def test_a_long_file_is_read_whole() -> None:
    lines = [
        f"2026-03-{day:02d} {hour:02d}:{minute:02d};5,{minute % 10}"
        for day in range(1, 8)
        for hour in range(24)
        for minute in range(0, 60, 5)
    ]
    file = read("Time;°C\n" + "\n".join(lines), BERLIN)
    assert len(file.readings) == 7 * 24 * 12


# --- what the file leaves open is asked for ---------------------------------------------------------------------


def test_an_order_of_the_date_that_fits_both_ways_is_asked_for_with_the_line() -> None:
    both = "Time,Temp C\n03/04/2026 10:00,5\n03/05/2026 10:00,6\n"
    fault = refusal(both)
    assert fault.field == "date_order"
    assert fault.sentence.startswith("Line 2 (“03/04/2026 10:00,5”) fits day, month, year and month, day, year")
    assert shown(read(both, date_order="mdy"))[0][0].startswith("2026-03-04")
    assert shown(read(both, date_order="dmy"))[0][0].startswith("2026-04-03")


def test_one_day_after_the_twelfth_decides_for_the_whole_file() -> None:
    assert shown(read("T,Temp C\n12/04/2026 10:00,5\n13/04/2026 10:00,6\n"))[0][0].startswith("2026-04-12")


def test_years_of_two_digits_may_stand_first_or_last() -> None:
    assert refusal("T,Temp C\n01/02/03 10:00,5\n").field == "date_order"
    assert shown(read("T,Temp C\n26-02-28 10:00,5\n", date_order="ymd"))[0][0].startswith("2026-02-28")


def test_an_answer_that_the_file_denies_is_refused() -> None:
    fault = refusal("Time,Temp C\n03/14/2026 10:00,5\n", date_order="dmy")
    assert (fault.field, "Line 2" in fault.sentence) == ("date_order", True)
    fault = refusal("Time,Temp °C\n2026-03-14 10:00,5\n", unit="F")
    assert (fault.field, "Line 1" in fault.sentence) == ("unit", True)


def test_a_unit_that_is_not_named_is_asked_for() -> None:
    unnamed = "Time,Temperature\n2026-03-14 10:00,41\n"
    fault = refusal(unnamed)
    assert fault.field == "unit"
    assert "line 2 (“2026-03-14 10:00,41”)" in fault.sentence
    assert shown(read(unnamed, unit="F"))[0][1] == "5"
    assert shown(read(unnamed, unit="C"))[0][1] == "41"


def test_two_units_in_one_file_are_refused_with_both_lines() -> None:
    fault = refusal("Unit: °F\nTime;Temp [°C]\n2026-03-14 10:00;41\n")
    assert fault.field == "file"
    assert fault.sentence.startswith("Line 2 (“Time;Temp [°C]”) says °C, but line 1 says °F.")


def test_two_temperatures_in_a_line_are_asked_for() -> None:
    two = "Time;Probe 1 °C;Probe 2 °C\n2026-03-14 10:00;5,1;9,3\n"
    fault = refusal(two)
    assert fault.field == "column"
    assert "2 “Probe 1 °C” or 3 “Probe 2 °C”" in fault.sentence
    assert shown(read(two, column="3"))[0][1] == "9.3"
    assert refusal(two, column="1").field == "column"
    assert refusal(two, column="x").field == "column"


@pytest.mark.parametrize(
    "text",
    [
        "Time,Temp °C\n2026-03-14 10:00,5,4\n2026-03-14 10:15,5,5\n",
        "2026-03-14 10:00,5,4\n2026-03-14 10:15,8,1\n",
        "Time,Temp °C\n2026-03-14 10:00,5,4\n2026-03-14 10:15,5\n2026-03-14 10:30,8,1\n",
    ],
)
def test_a_decimal_comma_between_commas_is_refused_and_never_cut_off(text: str) -> None:
    fault = refusal(text, unit="" if "°C" in text else "C")
    assert fault.field == "file"
    assert "Line " in fault.sentence


def test_one_line_that_is_not_like_the_others_is_refused() -> None:
    fault = refusal("Time,Temp °C\n2026-03-14 10:00,5\n2026-03-14 10:15,8,1\n2026-03-14 10:30,5\n")
    assert fault.sentence.startswith("Line 3 (“2026-03-14 10:15,8,1”) has 3 values where the other lines have 2.")


def test_two_decimal_marks_are_refused() -> None:
    fault = refusal("Time;Temp °C\n2026-03-14 10:00;5,4\n2026-03-14 10:15;8.1\n")
    assert fault.sentence.startswith("Line 3")


# --- clocks and DST ---------------------------------------------------------------------------------------------


def test_times_that_go_back_are_refused_with_the_line() -> None:
    fault = refusal("Time;Temp °C\n2026-03-14 10:00;5\n2026-03-14 10:30;5\n2026-03-14 10:15;5\n2026-03-14 10:45;5\n")
    assert fault.field == "file"
    assert fault.sentence.startswith("Line 4 (“2026-03-14 10:15;5”) goes back in time")


AUTUMN = "Time;Temp °C\n2026-11-01 00:30;5\n2026-11-01 01:30;9\n2026-11-01 02:30;5\n"


def test_the_doubled_hour_of_autumn_is_asked_for_when_no_line_shows_which_pass_it_is() -> None:
    fault = refusal(AUTUMN)
    assert fault.field == "clock"
    assert fault.sentence.startswith("Line 3 (“2026-11-01 01:30;9”): this time came twice")
    assert [at[11:] for at, _ in shown(read(AUTUMN, clock="standard"))] == [
        "01:30:00-05:00",
        "01:30:00-06:00",
        "02:30:00-06:00",
    ]
    assert [at[11:] for at, _ in shown(read(AUTUMN, clock="summer"))] == [
        "00:30:00-05:00",
        "01:30:00-05:00",
        "01:30:00-06:00",
    ]
    assert shown(read(AUTUMN, clock="utc"))[0][0] == "2026-10-31T19:30:00-05:00"


def test_the_step_back_within_the_doubled_hour_tells_its_passes_apart() -> None:
    times = ("00:45", "01:00", "01:15", "01:30", "01:45", "01:00", "01:15", "01:30", "01:45", "02:00")
    lines = [f"2026-11-01 {time};5" for time in times]
    both = read("Time;Temp °C\n" + "\n".join(lines))
    steps = {later.at - earlier.at for earlier, later in zip(both.readings, both.readings[1:], strict=False)}
    assert [step.total_seconds() for step in steps] == [900.0]
    newest = read("Time;Temp °C\n" + "\n".join(lines[::-1]))
    assert shown(newest) == shown(both)


def test_a_time_that_did_not_exist_in_spring_is_asked_for() -> None:
    spring = "Time;Temp °C\n2026-03-08 01:30;5\n2026-03-08 02:30;5\n"
    fault = refusal(spring)
    assert (fault.field, "did not exist" in fault.sentence, "Line 3" in fault.sentence) == ("clock", True, True)
    assert shown(read(spring, clock="standard"))[1][0] == "2026-03-08T03:30:00-05:00"
    # A logger on the site's clock leaves the hour out: an interval of 15 minutes, not of 75.
    kept = read("Time;Temp °C\n2026-03-08 01:45;5\n2026-03-08 03:00;5\n").readings
    assert (kept[1].at - kept[0].at).total_seconds() == 900


def test_a_time_zone_that_is_not_understood_is_asked_for() -> None:
    named = "Time zone: Central European\nTime;Temp °C\n2026-03-14 10:00;5\n"
    fault = refusal(named)
    assert (fault.field, "Line 1" in fault.sentence) == ("clock", True)
    assert shown(read(named, clock="utc"))[0][0] == "2026-03-14T05:00:00-05:00"


def test_readings_with_and_without_offset_or_halves_of_the_day_are_refused() -> None:
    for second in ("2026-03-14 10:15Z;5", "2026-03-14 10:15 PM;5"):
        assert refusal(f"Time;Temp °C\n2026-03-14 10:00;5\n{second}\n").sentence.startswith("Line 3")
    assert refusal("Time;Temp °C\n2026-03-14 10:00Z;5\n", clock="utc").field == "clock"


# --- what cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text file"),
        (b"Hello,\nthe refrigerator was warm.\n", "No line with a date, a time and a temperature"),
        (b"Time;Temp C\n2026-03-14 10:00;warm\n", "“warm” is no temperature"),
        (b"Time;Temp C\n2026-03-14 10:00;5\nsee note\n2026-03-14 10:15;5\n", "Line 3 (“see note”) stands among"),
        (b"Time;Temp C\n2026-03-14 10:00;5\n2026-03-14 1", "Line 3 (“2026-03-14 1”) begins like a reading"),
        (b"Time;Temp C\n2026-02-28 10:00;5\n2026-02-30 10:00;5\n", "Line 3"),
        (b"Time;Temp C\n2026-03-14 25:00;5\n2026-03-14 10:00;5\n", "Line 2"),
        (b"Time;Temp C\n2026-03-14 13:00 PM;5\n2026-03-14 10:00;5\n", "Line 2"),
        (b"Time;Temp C\n2026-03-14 10:00;1e1\n", "“1e1” is no temperature"),
        (b"Time;Temp C\n2026-03-14 10:00;850\n", "no place is that warm or cold"),
        (b"Time;Temp C\n2026-03-14 10:00;---\n", "No line of this file has a temperature"),
    ],
)
def test_what_is_refused_and_how(content: bytes, words: str) -> None:
    fault = refusal(content)
    assert fault.field == "file"
    assert words in fault.sentence


def test_a_cell_that_would_be_a_formula_is_only_text() -> None:
    assert "is no temperature" in refusal("Time;Temp C\n2026-03-14 10:00;=1+4\n").sentence


@pytest.mark.parametrize("answer", [{"unit": "K"}, {"date_order": "myd"}, {"clock": "moon"}])
def test_an_answer_that_is_none(answer: dict[str, str]) -> None:
    answers = {"unit": "C", "date_order": "dmy", **answer}
    assert refusal("Time;T\n01/02/2026 10:00;5\n", CHICAGO, **answers).field in answer


def test_no_temperature_is_changed_on_its_way() -> None:
    values: Sequence[str] = ("5.0", "5.10", "5.123456", "-0.0", "8.000001")
    text = "Time;Temp °C\n" + "\n".join(f"2026-03-14 10:0{at};{value}" for at, value in enumerate(values))
    assert [reading.celsius for reading in read(text).readings] == [Decimal(value) for value in values]


@given(
    at=st.integers(0, len(GERMAN.encode()) - 1),
    gone=st.integers(0, 12),
    put=st.binary(max_size=6) | st.text("0123456789;,.:/- \n\"'CFap°+=", max_size=6).map(str.encode),
    unit=st.sampled_from(("", "C", "F")),
    column=st.sampled_from(("", "2", "3", "x")),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    at: int, gone: int, put: bytes, unit: str, column: str
) -> None:
    content = GERMAN.encode()
    damaged = content[:at] + put + content[at + gone :]
    try:
        file = read_logger_file(damaged, BERLIN, Answers(unit=unit, column=column))
    except Refused as refused:
        assert {fault.field for fault in refused.faults} <= {"file", "unit", "date_order", "clock", "column"}
    else:
        moments = [reading.at for reading in file.readings]
        assert moments == sorted(moments)
