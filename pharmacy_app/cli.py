"""The command line: calc, explain, demo, verify, export and data, with the same services as the window."""

import json
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from pharmacy_app import __version__
from pharmacy_app.domain.errors import Fault, Refused, Unavailable, refuse_any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pharmacy_app.services.calculator import Calculated
    from pharmacy_app.services.desk import Act, Desk

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    help="Dosing and drug accountability for the study. Without a command the window opens.",
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Database = Annotated[
    str,
    typer.Option(
        "--db",
        help="Address of the database: sqlite:///folder/study.sqlite or postgresql://user@server/study.",
        show_default=False,
    ),
]
User = Annotated[str, typer.Option(help="User name; the password is asked for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]

_state: dict[str, str] = {}

MAX_ROWS_NAMED = 20
"""How many faulty rows of a file are named one by one."""


def _fail(trouble: Refused | Unavailable, as_json: bool) -> NoReturn:
    sentences = [str(fault) for fault in trouble.faults] if isinstance(trouble, Refused) else [str(trouble)]
    if as_json:
        _say_json({"ok": False, "faults": sentences})
    else:
        for sentence in sentences:
            err.print(f"[bold]Refused:[/bold] {_plain(sentence)}" if isinstance(trouble, Refused) else _plain(sentence))
    raise typer.Exit(2)


def _say_json(answer: object) -> None:
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _url(db: str) -> str:
    from pharmacy_app.bootstrap import default_url

    return db or _state.get("db", "") or default_url()


@app.callback(invoke_without_command=True)
def entry(
    context: typer.Context,
    db: Database = "",
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Keep ``--db`` for the command, or open the window when there is no command."""
    _state["db"] = db
    if version:
        out.print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        from pharmacy_app.windows import show_study

        raise typer.Exit(show_study(db))


@app.command()
def calc(
    height: Annotated[str, typer.Option(help="Height, e.g. 171.")] = "",
    height_unit: Annotated[str, typer.Option(help="cm or in.")] = "cm",
    weight: Annotated[str, typer.Option(help="Weight, e.g. 70.")] = "",
    weight_unit: Annotated[str, typer.Option(help="kg or lb.")] = "kg",
    weight_on: Annotated[str, typer.Option(help="Day of the weight; the infusion's day when left out.")] = "",
    cycle: Annotated[str, typer.Option(help="Cycle, 1 to 6.")] = "",
    day: Annotated[str, typer.Option(help="Day of the cycle: 1, 8 or 15.")] = "",
    level: Annotated[str, typer.Option(help="Dose level: 0, -1 or -2.")] = "0",
    course: Annotated[str, typer.Option(help="Course: 1, or 2 for retreatment.")] = "1",
    planned_on: Annotated[str, typer.Option(help="Day of the infusion; today when left out.")] = "",
    day1_on: Annotated[str, typer.Option(help="Actual day 1 of this cycle, for its later days.")] = "",
    birth: Annotated[str, typer.Option(help="Day or year of birth.")] = "",
    prior_weight_kg: Annotated[str, typer.Option(help="Weight last used for a dose, kg.")] = "",
    prior_weight_on: Annotated[str, typer.Option(help="Day of that dose.")] = "",
    prescribed_mg: Annotated[str, typer.Option(help="Prescribed dose, mg.")] = "",
    formula: Annotated[str, typer.Option(help="BSA formula when no database is used: Mosteller, Du Bois, …")] = "",
    increment_mg: Annotated[str, typer.Option(help="Rounding increment when no database is used, mg.")] = "",
    rounding: Annotated[str, typer.Option(help="half up, half even or down, when no database is used.")] = "",
    facts: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other column of a batch file, e.g. --set bilirubin=0.8; may be repeated."),
    ] = None,
    columns: Annotated[bool, typer.Option("--columns", help="List the columns a batch file may have.")] = False,
    batch: Annotated[Path | None, typer.Option(help="CSV file: one row in, one row out.")] = None,
    db: Database = "",
    as_json: AsJson = False,
) -> None:
    """Calculate one dose, or a file of doses, and record nothing.

    Formula and rounding come from the database's signed settings (--db), or are named here: there is no default.
    """
    from pharmacy_app.services.calculator import calculate

    row = {name: value for name, value in locals().items() if isinstance(value, str)}
    if columns:
        _show_columns()
        return
    try:
        row.update(_set_columns(facts or [], own=row.keys()))
        settings, protocol_on, today = _facts(db, formula, increment_mg, rounding)
        if batch is not None:
            bad = _run_batch(
                batch, partial(calculate, settings=settings, protocol_on=protocol_on, today=today), as_json
            )
            if bad:
                shown = ", ".join(map(str, bad[:MAX_ROWS_NAMED])) + (" …" if len(bad) > MAX_ROWS_NAMED else "")
                err.print(f"{len(bad)} {'row' if len(bad) == 1 else 'rows'} could not be calculated: {shown}.")
                raise typer.Exit(1)
            return
        result = calculate(row, settings, protocol_on, today)
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    if result.faults:
        _fail(Refused(*result.faults), as_json)
    if as_json:
        _say_json(result.cells())
    else:
        _show(result)
    if result.decision is not None and result.decision.planned_mg is None:
        raise typer.Exit(1)


def _set_columns(facts: list[str], own: "Collection[str]") -> dict[str, str]:
    """The columns named as ``NAME=VALUE``; raises ``Refused`` for a name that is no column, twice there or an option.

    ``own`` names the columns that have an option of their own.
    """
    from pharmacy_app.services.calculator import COLUMNS

    pairs = [fact.partition("=") for fact in facts]
    names = [name for name, _, _ in pairs]
    unknown = [name for name, equals, _ in pairs if not equals or name not in COLUMNS]
    if unknown:
        raise Refused(
            Fault("facts", f"--set takes NAME=VALUE; unknown: {', '.join(unknown)}. See calc --columns for the names.")
        )
    # Of two values one would be left out unsaid.
    faults = [
        Fault("facts", f"--set names {name} more than once. Keep the one that is right.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    faults += [
        Fault("facts", f"{name} has an option of its own. Type --{name.replace('_', '-')} instead of --set {name}.")
        for name in sorted(set(names).intersection(own))
    ]
    refuse_any(faults)
    return {name: value for name, _, value in pairs}


def _show_columns() -> None:
    from pharmacy_app.services.calculator import COLUMNS
    from pharmacy_app.services.calculator_course import COURSE_COLUMNS, CRITERIA_COLUMNS

    told = {**COURSE_COLUMNS, **CRITERIA_COLUMNS}
    for name in COLUMNS:
        out.print(f"{name:<28} {_plain(told.get(name, ''))}".rstrip())


def _run_batch(path: Path, calculate: "Callable[[dict[str, str]], Calculated]", as_json: bool) -> list[int]:
    """Write a result for each row as soon as it is read; returns the numbers of the rows that have none."""
    from pharmacy_app.services.calculator import batch_csv, read_batch

    bad: list[int] = []

    def results() -> "Iterator[Calculated]":
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(read_batch(file), start=1):
                result = calculate(row)
                if result.faults:
                    bad.append(number)
                yield result

    try:
        if as_json:
            before = "[\n"
            for result in results():
                typer.echo(before + json.dumps({**result.row, **result.cells()}, ensure_ascii=False), nl=False)
                before = ",\n"
            typer.echo("[]" if before == "[\n" else "\n]")
        else:
            for line in batch_csv(results()):
                typer.echo(line, nl=False)
    except OSError as error:
        raise Unavailable(f"The file {path} cannot be read ({error.strerror}). Check its name.") from error
    return bad


def _facts(db: str, formula: str, increment_mg: str, rounding: str) -> tuple[Any, Any, Any]:
    """Settings, the protocol in force on a day, and today: from the database when one is named, else the options."""
    from pharmacy_app.domain.protocol import shipped_protocol
    from pharmacy_app.domain.settings import BsaFormula, DoseRounding, RoundingMode, Signed, StudySettings
    from pharmacy_app.services.reading import Reading

    if db or _state.get("db"):
        from pharmacy_app.bootstrap import open_desk
        from pharmacy_app.services.desk import protocol_of, site_of, today_of
        from pharmacy_app.services.study_settings import settings_of

        desk = open_desk(_url(db))
        with closing(desk.store), desk.store.read() as reader:
            site = site_of(reader)
            return settings_of(reader), partial(protocol_of, site), today_of(desk, reader)
    reading = Reading()
    source = "named on the command line"
    name = reading.choice(formula, "formula", "--formula", tuple(str(each) for each in BsaFormula))
    step = reading.decimal(increment_mg, "increment_mg", "--increment-mg", "mg")
    mode = reading.choice(rounding, "rounding", "--rounding", tuple(str(each) for each in RoundingMode))
    reading.done()
    settings = StudySettings(
        bsa_formula=Signed(BsaFormula(name), source, 0),
        dose_rounding=Signed(DoseRounding(Decimal(step), RoundingMode(mode)), source, 0),
    )
    protocol = shipped_protocol()
    return settings, lambda _day: protocol, datetime.now().astimezone().date()


def _show(result: Any) -> None:
    from pharmacy_app.domain.units import show

    made = result.decision
    working = Table(title="Working", title_justify="left", box=None, pad_edge=False)
    for name in ("Step", "Formula", "Inputs", "Result", "Section"):
        working.add_column(name)
    for step in made.steps:
        inputs = ", ".join(f"{value.name} {value.value} {value.unit}".strip() for value in step.inputs)
        working.add_row(step.name, step.formula, inputs, f"{show(step.result)} {step.unit}", f"§ {step.section}")
    out.print(working)
    out.print()
    if made.planned_mg is None:
        out.print("[bold]No dose was calculated.[/bold]")
    else:
        out.print(f"[bold]Planned dose: {show(made.planned_mg)} mg[/bold] (unrounded {made.planned_mg_unrounded:f} mg)")
    for finding in made.findings:
        said = f"{finding.rule:<4} {finding.sentence} (§ {finding.section})"
        out.print(f"{str(finding.severity).upper():>22}  {_plain(said)}")


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="A rule or reading, e.g. R14; all of them when left out.")] = "",
    db: Database = "",
    as_json: AsJson = False,
) -> None:
    """Say what a rule is: its section, its edge with the protocol's numbers, how it is read, and what to do next."""
    from pharmacy_app.domain.rules import CATALOGUE, explained

    try:
        protocol = _protocol_today(db)
        told = [explained(one, protocol) for one in ([rule] if rule else [each.id for each in CATALOGUE])]
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    if as_json:
        plain = [_plain_of(each) for each in told]
        _say_json(plain[0] if rule else plain)
    elif rule:
        _show_rule(told[0])
    else:
        for each in told:
            out.print(_plain(f"{each.id:<4} {each.strength:<17} {each.title} (§ {each.section})"))


def _protocol_today(db: str) -> Any:
    """The protocol in force today in the database that was named, or the one that ships with the program."""
    from pharmacy_app.domain.protocol import shipped_protocol

    if not (db or _state.get("db")):
        return shipped_protocol()
    from pharmacy_app.bootstrap import open_desk
    from pharmacy_app.services.desk import protocol_of, site_of, today_of

    desk = open_desk(_url(db))
    with closing(desk.store), desk.store.read() as reader:
        return protocol_of(site_of(reader), today_of(desk, reader))


def _plain_of(told: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(told), "sentences": [{"section": each.section, "text": each.text} for each in told.sentences]}


def _show_rule(told: Any) -> None:
    out.print(f"[bold]{told.id}  {_plain(told.title)}[/bold]  § {told.section}  {told.strength}")
    rows = (
        ("Rule", told.rule),
        ("Edge", told.boundary),
        ("Read as", told.reading),
        ("Applied in", told.applied_in),
        ("Next", told.next),
        ("May decide", " or ".join(told.deciders)),
        *((f"§ {each.section}", f"“{each.text}”") for each in told.sentences),
        ("Protocol", told.no_sentence),
    )
    for name, words in rows:
        if words:
            out.print(f"{name + ':':<13}{_plain(words)}")


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Go through the day without a window.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the demonstration is written.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open the demonstration study, or go through its day without a screen and say where the papers are."""
    from pharmacy_app.windows import has_display, show_demonstration

    if not headless and not as_json and folder is None and has_display():
        raise typer.Exit(show_demonstration())
    from pharmacy_app.demo import run_headless

    try:
        made = run_headless(folder)
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    if as_json:
        _say_json(made)
        return
    out.print("The demonstration day is done, through the same services as the window.")
    out.print(f"  Database  {made['database']}")
    out.print(f"  Ledger    {made['ledger']}")
    for paper in made["papers"]:
        out.print(f"  Paper     {paper}")
    out.print(f"  Journal   {made['events']} events, verified; head {made['head'][:16]}…")
    for line in made["stock"]:
        out.print(f"  Stock     {line}")


@app.command()
def verify(
    head: Annotated[
        str,
        typer.Option("--head", help="Events and head from the foot of a printed paper, e.g. 1234:0a1b2c3d4e5f."),
    ] = "",
    db: Database = "",
    as_json: AsJson = False,
) -> None:
    """Replay the journal; exit code 1 and the first bad event when anything was altered, or a paper does not fit."""
    from pharmacy_app.bootstrap import open_store_for_check
    from pharmacy_app.services.printed_head import check_printed_head, read_printed_line

    paper = None
    try:
        printed = read_printed_line(head) if head else None
        with open_store_for_check(_url(db)) as store:
            found = store.verify()
            # Where the chain itself is broken there is nothing to lay the paper beside.
            if printed is not None and found.holds_together:
                with store.read() as reader:
                    paper = check_printed_head(reader, printed)
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    fits = found.sound and (paper is None or paper.fits)
    if as_json:
        answer = {
            "ok": fits,
            "events": found.events,
            "head": found.head_hash,
            "first_bad_event": found.first_bad,
            "trouble": found.trouble,
        }
        if head:
            answer["paper"] = {"fits": paper.fits, "said": paper.sentence} if paper else None
        _say_json(answer)
    else:
        if found.sound:
            out.print(f"The journal is sound: {found.events} events, head {found.head_hash}.")
        else:
            err.print(f"[bold]The record was altered.[/bold] {_plain(found.trouble)}")
        if paper is not None:
            (out if paper.fits else err).print(_plain(paper.sentence))
    raise typer.Exit(0 if fits else 1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder for the files.")],
    user: User = "",
    db: Database = "",
    as_json: AsJson = False,
) -> None:
    """Take the whole record away: ledger, vials, doses and the journal's own bytes; the journal keeps who took it.

    Subjects' initials and days of birth stand in the journal. Tables without them are taken by ``data``.
    """
    from pharmacy_app.bootstrap import open_desk
    from pharmacy_app.services.export import export_record

    try:
        desk = open_desk(_url(db))
        with closing(desk.store), _signed_in(desk, user) as act:
            event = export_record(desk, act, folder)
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    written = [each["name"] for each in event.content["files"]]
    if as_json:
        _say_json({"folder": str(folder), "files": written, "event": event.seq})
    else:
        out.print(_plain(f"Wrote {len(written)} files to {folder}: {', '.join(written)}."))
        out.print("The journal holds subjects' initials and days of birth: keep the folder as you keep the record.")


@contextmanager
def _signed_in(desk: "Desk", user: str) -> "Iterator[Act]":
    """An act of the person who signs in for it: the password is asked for. Raises ``Refused`` where it does not fit."""
    import platform

    from pharmacy_app.services.accounts import sign_in, sign_out
    from pharmacy_app.services.desk import Act, Credentials

    password = typer.prompt("Password", hide_input=True, err=True)
    session = sign_in(desk, Credentials(user, password), platform.node() or "this PC")
    try:
        yield Act(session)
    finally:
        sign_out(desk, Act(session))


@app.command()
def data(
    what: Annotated[str, typer.Argument(help="A table or dataset, e.g. ledger or DA; see --list.")] = "",
    file: Annotated[
        Path | None, typer.Argument(help="The new file; its ending says the format: csv, xlsx, json.")
    ] = None,
    user: User = "",
    column_map: Annotated[str, typer.Option("--map", help="A sponsor's column map, or its document's number.")] = "",
    from_on: Annotated[str, typer.Option("--from", help="First day, e.g. 2026-03-02.")] = "",
    to_on: Annotated[str, typer.Option("--to", help="Last day.")] = "",
    subject: Annotated[str, typer.Option(help="Subject number.")] = "",
    strength_mg: Annotated[str, typer.Option("--strength", help="Strength of the vials, mg: 1 or 4.")] = "",
    lot: Annotated[str, typer.Option(help="Lot.")] = "",
    place: Annotated[str, typer.Option(help="Place.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List what can be taken away, and the column maps.")] = False,
    db: Database = "",
    as_json: AsJson = False,
) -> None:
    """Take a table or dataset away as CSV, workbook or CDISC Dataset-JSON; the journal keeps who took what."""
    from pharmacy_app.bootstrap import open_desk
    from pharmacy_app.services.data_export import ExportForm, export_data

    if listed:
        _list_exports(as_json)
        return
    path = file or Path()
    form = ExportForm(
        what,
        path.suffix.lstrip(".").lower(),
        str(file or ""),
        column_map,
        from_on,
        to_on,
        subject,
        strength_mg,
        lot,
        place,
    )
    try:
        desk = open_desk(_url(db))
        with closing(desk.store), _signed_in(desk, user) as act:
            made = export_data(desk, act, form)
    except (Refused, Unavailable) as trouble:
        _fail(trouble, as_json)
    if as_json:
        said = {"file": str(made.path), "rows": made.rows, "sha256": made.sha256, "notes": list(made.notes)}
        _say_json({**said, "variables": str(made.variables) if made.variables else None, "event": made.event.seq})
        return
    out.print(f"Wrote {made.rows:,} rows to {_plain(str(made.path))}, SHA-256 {made.sha256}.")
    for words in (*([f"List of variables: {made.variables}"] if made.variables else []), *made.notes):
        out.print(f"  {_plain(words)}")


def _list_exports(as_json: bool) -> None:
    from pharmacy_app.services.column_maps import shipped_maps
    from pharmacy_app.services.data_export import EXPORTS

    maps = shipped_maps()
    if as_json:
        tables = {
            table.name: {
                "label": table.label,
                "columns": [
                    {
                        "name": each.name,
                        "label": each.label,
                        "type": each.kind,
                        "unit": each.unit,
                        "source": each.source,
                    }
                    for each in table.columns
                ],
            }
            for table in EXPORTS.values()
        }
        _say_json({"tables": tables, "maps": {each.name: {"title": each.title, "table": each.table} for each in maps}})
        return
    for table in EXPORTS.values():
        out.print(f"{table.name:<20} {table.label}, {len(table.columns)} columns")
    for each in maps:
        out.print(f"--map {each.name:<14} {_plain(each.title)} (of {each.table})")
