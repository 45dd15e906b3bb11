"""The mail about a published report: the platform's own notification on our report table.

One a language; active only where `[report] mail` names somebody. Columns of `sysevent_email_action`
are those of a record that an organisation published (no page of the documentation lists them).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.journey.fields import REPORT_TABLE
from connector.journey.texts import Text
from connector.messages import LANGUAGES
from connector.provision.model import Artefact, artefact

TABLE = "sysevent_email_action"
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


def notifications(mails: Sequence[Mail]) -> Iterator[Artefact]:
    """One a language; inactive and without recipients where nobody is to be told."""
    wanted = {mail.language: mail for mail in mails}
    for language in LANGUAGES:
        mail = wanted.get(language)
        fields = notification_fields(mail or Mail(language)) | {
            "active": "true" if mail else "false"
        }
        yield artefact(TABLE, (REPORT_TABLE.name, language), **fields)
