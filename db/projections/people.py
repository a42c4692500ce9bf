"""People, the site, its settings and protocol versions."""

from collections.abc import Iterator

from db.projections.changes import Change, Count, Insert, Projections, Row, Update, as_json, nothing
from db.projections.places import first_places
from pharmacy_app.domain.events import Event


def _account_row(account: Row, credential_sha256: str) -> Insert:
    return Insert(
        "account",
        {
            "account_id": account["account_id"],
            "user_name": account["user_name"],
            # Capitals or not, in any alphabet: SQLite's own lower() knows ASCII only.
            "sign_in_name": account["user_name"].casefold(),
            "printed_name": account["printed_name"],
            "roles": ",".join(account["roles"]),
            "delegated_from": account["delegated_from"],
            "delegated_to": account["delegated_to"],
            "active": int(account["active"]),
            "failed_attempts": 0,
            "locked": 0,
            "must_change_password": int(account["must_change_password"]),
            "credential_sha256": credential_sha256,
        },
    )


def _site_opened(event: Event) -> Iterator[Change]:
    content = event.content
    yield Insert(
        "site",
        {
            "id": 1,
            **{
                name: content["site"][name]
                for name in (
                    "name",
                    "number",
                    "time_zone",
                    "pharmacy_phone",
                    "principal_investigator",
                    "protocol_number",
                )
            },
            "study_title": content["study_title"],
            "protocol_version": content["protocol_version"],
            "protocol_sha256": content["protocol_sha256"],
            "protocol_text": content["protocol_text"],
            "demonstration": int(content["site"]["demonstration"]),
        },
    )
    yield from first_places(event)
    # The version a site opens with has always been in force: no date is before ''.
    yield _protocol_version(
        event, content["protocol_version"], content["protocol_sha256"], content["protocol_text"], "", ""
    )
    for new in content["accounts"]:
        yield _account_row(new["account"], new["credential_sha256"])
        yield Count("counter", {"name": "account"}, "value", 1)


def _protocol_version(event: Event, label: str, sha256: str, text: str, effective_on: str, source: str) -> Insert:
    return Insert(
        "protocol_version",
        {
            "event_seq": event.seq,
            "label": label,
            "sha256": sha256,
            "text": text,
            "effective_on": effective_on,
            "source": source,
            "signed_by": ", ".join(signature.printed_name for signature in event.signatures),
            "recorded_at": event.recorded_at.isoformat(),
        },
    )


def _protocol_amended(event: Event) -> Iterator[Change]:
    content = event.content
    yield _protocol_version(
        event, content["label"], content["sha256"], content["text"], content["effective_on"], content["source"]
    )


def _account_added(event: Event) -> Iterator[Change]:
    yield _account_row(event.content["account"], event.content["credential_sha256"])
    yield Count("counter", {"name": "account"}, "value", 1)


def _account(event: Event, **values: object) -> Iterator[Change]:
    yield Update("account", {"account_id": event.content["account_id"]}, values)


def _account_changed(event: Event) -> Iterator[Change]:
    content = event.content
    return _account(
        event,
        roles=",".join(content["roles"]),
        delegated_from=content["delegated_from"],
        delegated_to=content["delegated_to"],
        active=int(content["active"]),
    )


def _account_unlocked(event: Event) -> Iterator[Change]:
    return _account(event, failed_attempts=0, locked=0)


def _password_changed(event: Event) -> Iterator[Change]:
    return _account(event, credential_sha256=event.content["credential_sha256"], must_change_password=0)


def _password_reset(event: Event) -> Iterator[Change]:
    return _account(
        event,
        credential_sha256=event.content["credential_sha256"],
        must_change_password=1,
        failed_attempts=0,
        locked=0,
    )


def _signed_in(event: Event) -> Iterator[Change]:
    return _account(event, failed_attempts=0)


def _sign_in_failed(event: Event) -> Iterator[Change]:
    content = event.content
    if not content["account_id"]:
        return iter(())
    return _account(event, failed_attempts=content["attempt"], locked=int(content["locked"]))


def _settings_signed(event: Event) -> Iterator[Change]:
    signed_by = ", ".join(signature.printed_name for signature in event.signatures)
    for name, value in event.content["settings"].items():
        row = {
            "value": as_json(value["value"]),
            "source": value["source"],
            "event_seq": event.seq,
            "signed_by": signed_by,
            "signed_at": event.recorded_at.isoformat(),
        }
        if value["replaces"] is None:
            yield Insert("setting", {"name": name, **row})
        else:
            yield Update("setting", {"name": name}, row)


APPLY: Projections = {
    "signed_out": nothing,
    "access_denied": nothing,
    "site_opened": _site_opened,
    "account_added": _account_added,
    "account_changed": _account_changed,
    "account_unlocked": _account_unlocked,
    "password_changed": _password_changed,
    "password_reset": _password_reset,
    "signed_in": _signed_in,
    "sign_in_failed": _sign_in_failed,
    "settings_signed": _settings_signed,
    "protocol_amended": _protocol_amended,
}
