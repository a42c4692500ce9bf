"""What the views of the page Counts share: words for kinds and results, the fields of two signatures."""

from collections.abc import Callable, Sequence

from pharmacy_app.domain.counts import CONTAINERS, VIALS, say_difference
from pharmacy_app.domain.errors import Fault, Refused
from pharmacy_app.services.desk import Credentials
from pharmacy_app.services.views import StockCount
from ui.office import Office
from ui.pages.stock_parts import say_mg
from ui.widgets.basics import Text, rule
from ui.widgets.fields import Form, PasswordField, TextField

KIND_WORDS = {VIALS: "unopened vials", CONTAINERS: "used containers"}
METHOD_WORDS = {"scan": "by scan", "number": "by number"}
ROW_HEIGHT = 36


def kinds_words(kinds: Sequence[str]) -> str:
    """What a count was of."""
    return " and ".join(KIND_WORDS[kind] for kind in kinds)


def strengths_words(count: StockCount) -> str:
    """Which strengths a count was of."""
    return "all strengths" if count.strength_mg is None else say_mg(count.strength_mg)


def result_words(count: StockCount) -> str:
    """The outcome of a count in a few words."""
    if not count.discrepancy:
        return "agrees"
    difference = sum(line.difference for line in count.lines)
    return f"differs ({say_difference(difference)}): {count.discrepancy}"


def add_signatures(
    form: Form, office: Office, meaning: str, second: str, sign: Callable[[], object], *, names: str = "witness"
) -> None:
    """Add the fields of two signatures to a form; Enter in the last one signs.

    ``meaning`` is what the person signed in signs, ``second`` who else signs. The other's fields are named ``names``
    with ``_user_name`` and ``_password``.
    """
    form.end_row()
    form.add_widget(rule())
    form.add_widget(Text(f"Your signature: “{meaning}”", "strong"))
    user = TextField("user_name", "Your user name", required=True, max_length=64)
    user.set_value(office.session.user_name)
    user.set_read_only(True)
    form.add(user)
    form.add(PasswordField("password", "Your pass&word", required=True))
    form.add_widget(Text(second, "strong"))
    form.add(TextField(f"{names}_user_name", "Second person, &user name", required=True, max_length=64))
    last = PasswordField(f"{names}_password", "Second person, p&assword", required=True)
    form.add(last)
    last.editor().returnPressed.connect(sign)


def forget_passwords(form: Form) -> None:
    """Empty the passwords of a form after an attempt, whatever came of it."""
    for field in form.fields():
        if isinstance(field, PasswordField):
            field.clear()
            field.set_fault("")


def credentials_of(values: dict[str, str], names: str = "witness") -> tuple[Credentials, Credentials]:
    """The two who sign, as typed."""
    return (
        Credentials(values["user_name"], values["password"]),
        Credentials(values[f"{names}_user_name"], values[f"{names}_password"]),
    )


def faults_of(trouble: Exception) -> tuple[Fault, ...]:
    """What was refused; anything else that went wrong is one fault of no field."""
    return trouble.faults if isinstance(trouble, Refused) else (Fault("", str(trouble)),)
