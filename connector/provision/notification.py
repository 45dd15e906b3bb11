"""The mail about a published report: the platform's own notification on our report table.

One a language, only where `[report] mail` names somebody. Columns of `sysevent_email_action` are
those of a record that an organisation published (no page of the documentation lists them).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.itsm.base import Instance, Record
from connector.journey.fields import REPORT_TABLE
from connector.journey.texts import Text
from connector.messages import LANGUAGES, _
from connector.provision.model import META, Artefact, Provisioning, create, stable_id

TABLE = META["notification"]
KEPT = ("active", "condition", "recipient_groups", "recipient_users")
"""What is brought to the settings where it stands already; words and looks belong to the admins."""

_OPEN = Text("Open the report in the tool:", "Abra el informe en la herramienta:")


@dataclass(frozen=True)
class Mail:
    """Who is told of the reports in one language: sys_ids of groups and of users."""

    language: str
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


def notification_fields(mail: Mail) -> dict[str, str]:
    """The fields of the notification's record.

    It waits for the state that publishing sets last of all and once, so everybody gets one mail a
    report. The attachments go with it: the pictures, where they are delivered.
    """
    # In <pre>: the summary is lines of plain text, and has no "<" (report/publish.py).
    body = (
        '<pre style="white-space: pre-wrap; font-family: inherit">${u_summary}</pre>'
        f"<p>{_OPEN.in_(mail.language)} ${{URI_REF}}</p>"
    )
    return {
        "name": f"Journey report published ({mail.language})",
        "collection": REPORT_TABLE.name,
        "active": "true",
        "type": "email",
        "generation_type": "engine",
        "action_insert": "false",
        "action_update": "true",
        "condition": f"u_stateCHANGESTOpublished^u_language={mail.language}",
        "recipient_groups": ",".join(mail.groups),
        "recipient_users": ",".join(mail.users),
        "send_self": "true",
        "include_attachments": "true",
        "content_type": "text/html",
        "subject": "${u_title}",
        "message_html": body,
    }


def plan_notifications(instance: Instance, mails: Sequence[Mail]) -> Provisioning:
    """The notifications that are missing, differ, or are to be switched off; sends nothing."""
    if TABLE not in instance.list_tables([TABLE]):
        text = _("{table} is hidden from the account, which cannot make the mail about reports")
        return Provisioning((), (text.format(table=TABLE),) if mails else ())
    wanted = {mail.language: notification_fields(mail) for mail in mails}
    ids = {language: _id(language) for language in LANGUAGES}
    fields = ["sys_id", *KEPT]
    found = {row["sys_id"]: row for row in instance.read_records(TABLE, [*ids.values()], fields)}
    return Provisioning(
        tuple(
            artefact
            for language, sys_id in ids.items()
            for artefact in _bring(language, wanted.get(language), found.get(sys_id))
        )
    )


def _id(language: str) -> str:
    return stable_id(TABLE, REPORT_TABLE.name, language)


def _bring(
    language: str, wanted: Mapping[str, str] | None, row: Record | None
) -> Iterator[Artefact]:
    place = REPORT_TABLE.name
    if row is None:
        if wanted:
            yield create("notification", place, "", (place, language), wanted)
        return
    kept = {name: wanted[name] for name in KEPT} if wanted else {"active": "false"}
    different = {name: value for name, value in kept.items() if row.get(name, value) != value}
    if different:
        yield Artefact("notification", "update", place, "", _id(language), different)
