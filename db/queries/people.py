"""The site, its people and its signed settings."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, select

from db import schema
from db.compiled import Kept
from db.queries.base import Queries, day
from pharmacy_app.domain.people import Account, Role
from pharmacy_app.services import views

_SITE = Kept(select(schema.site))
_PLACES_IN_USE = Kept(
    select(schema.place.c.name)
    .where(schema.place.c.closed_seq.is_(None))
    .order_by(schema.place.c.added_seq, schema.place.c.added_line)
)
_VERSIONS = Kept(
    select(schema.protocol_version).order_by(
        schema.protocol_version.c.effective_on, schema.protocol_version.c.event_seq
    )
)
_ACCOUNT = Kept(select(schema.account).where(schema.account.c.account_id == bindparam("account_id")))
_BY_NAME = Kept(select(schema.account).where(schema.account.c.sign_in_name == bindparam("sign_in_name")))
_CREDENTIAL = Kept(select(schema.credential.c.encoded).where(schema.credential.c.account_id == bindparam("account_id")))


class PeopleQueries(Queries):
    """The site, its people and its signed settings."""

    def site(self) -> views.Site | None:
        """The site and study, or ``None`` in a database that was never set up."""
        row = self.row(_SITE)
        if row is None:
            return None
        values = {name: row[name] for name in row if name not in ("id", "demonstration")}
        return views.Site(
            **values,
            places=tuple(place["name"] for place in self.rows(_PLACES_IN_USE)),
            demonstration=bool(row["demonstration"]),
            versions=tuple(_protocol_version(version) for version in self.rows(_VERSIONS)),
        )

    def _accounts(self, query: Select[Any] | Kept, **values: object) -> list[Account]:
        return [
            Account(
                row["account_id"],
                row["user_name"],
                row["printed_name"],
                tuple(Role(role) for role in row["roles"].split(",")),
                date.fromisoformat(row["delegated_from"]),
                day(row["delegated_to"]),
                bool(row["active"]),
                bool(row["locked"]),
                bool(row["must_change_password"]),
            )
            for row in self.rows(query, **values)
        ]

    def account(self, account_id: str) -> Account | None:
        """An account by its id."""
        found = self._accounts(_ACCOUNT, account_id=account_id)
        return found[0] if found else None

    def account_by_user_name(self, user_name: str) -> Account | None:
        """An account by the name it signs in with, capitals or not."""
        found = self._accounts(_BY_NAME, sign_in_name=user_name.strip().casefold())
        return found[0] if found else None

    def accounts(self) -> Sequence[Account]:
        """Every account, in the order they were made."""
        return self._accounts(select(schema.account).order_by(schema.account.c.account_id))

    def failed_attempts(self, account_id: str) -> int:
        """Failed sign-ins in a row."""
        return int(
            self.connection.execute(
                select(schema.account.c.failed_attempts).where(schema.account.c.account_id == account_id)
            ).scalar_one()
        )

    def credential(self, account_id: str) -> str:
        """The encoded password of an account, '' when there is none."""
        return self.value(_CREDENTIAL, account_id=account_id) or ""

    def settings(self) -> Sequence[views.SettingLine]:
        """Every signed setting in force."""
        return [
            views.SettingLine(
                row["name"],
                json.loads(row["value"]),
                row["source"],
                row["event_seq"],
                row["signed_by"],
                datetime.fromisoformat(row["signed_at"]),
            )
            for row in self.rows(select(schema.setting).order_by(schema.setting.c.name))
        ]


def _protocol_version(row: RowMapping) -> views.ProtocolVersion:
    return views.ProtocolVersion(
        row["event_seq"],
        row["label"],
        row["sha256"],
        row["text"],
        day(row["effective_on"] or None) or date.min,
        row["source"],
        row["signed_by"],
        datetime.fromisoformat(row["recorded_at"]),
    )
