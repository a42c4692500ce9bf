"""The field that chooses one of the places in use, as they are now."""

from pharmacy_app.services.ports import Reader
from ui.office import Office
from ui.widgets.fields import ChoiceField


class PlaceField(ChoiceField):
    """A choice of the places in use; a place that is added or closed meanwhile is heard of."""

    def __init__(self, office: Office, name: str, label: str, *, required: bool = True) -> None:
        super().__init__(name, label, [(place, place) for place in office.site.places], required=required)
        self._office = office
        office.changed.connect(self.ask)

    def ask(self) -> None:
        """Ask for the places anew; what was chosen stays chosen while it is in use."""
        self._office.ask(places_in_use, self._got, self._office.say_trouble)

    def _got(self, names: tuple[str, ...]) -> None:
        self.set_choices([(name, name) for name in names])


def places_in_use(reader: Reader) -> tuple[str, ...]:
    """The names of the places in use, as they were added."""
    return tuple(place.name for place in reader.places() if place.in_use)
