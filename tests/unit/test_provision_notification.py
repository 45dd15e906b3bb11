"""The mail about a published report: the platform's own notification, switched by the settings."""

from collections.abc import Mapping
from typing import Any

import pytest

from connector import services
from connector.config import load_config
from connector.errors import ConfigError
from connector.itsm.base import Record
from connector.journey.fields import REPORT_STATES, REPORT_TABLE
from connector.provision import Mail, refuse_foreign
from connector.provision.notification import TABLE, notification_fields, plan_notifications
from tests.fakes import FakeInstance
from tests.golden.sample import NOW

PEOPLE = Mail("es", ("a" * 32, "b" * 32), ("c" * 32,))


class Tool(FakeInstance):
    """A fake that holds notifications."""

    def __init__(self) -> None:
        super().__init__(NOW, {TABLE: []})

    def read_records(self, table: str, sys_ids: Any, fields: Any) -> list[Record]:
        return [
            {k: v for k, v in row.items() if k in fields}
            for row in self.tables[table]
            if row["sys_id"] in sys_ids
        ]

    def make(self, *mails: Mail) -> list[Mapping[str, str]]:
        """Do what is planned; answers what was sent."""
        sent = []
        for artefact in plan_notifications(self, mails).artefacts:
            refuse_foreign(artefact)
            if artefact.action == "create":
                self.tables[TABLE].append(dict(artefact.values))
            else:
                (row,) = [r for r in self.tables[TABLE] if r["sys_id"] == artefact.sys_id]
                row |= artefact.values
            sent.append(artefact.values)
        return sent


def test_it_waits_for_the_state_that_publishing_sets_last_in_the_readers_language() -> None:
    fields = notification_fields(PEOPLE)
    assert fields["collection"] == REPORT_TABLE.name
    condition = dict.fromkeys(fields["condition"].split("^"))
    assert list(condition) == ["u_stateCHANGESTOpublished", "u_language=es"]
    assert "published" in REPORT_STATES
    columns = {field.name for field in REPORT_TABLE.fields}
    assert {"u_state", "u_language", "u_title", "u_summary"} <= columns
    assert (fields["action_insert"], fields["action_update"]) == ("false", "true")
    assert fields["recipient_groups"] == f"{'a' * 32},{'b' * 32}"
    assert fields["recipient_users"] == "c" * 32
    assert "${u_summary}" in fields["message_html"]
    assert "Abra el informe" in fields["message_html"]
    assert fields["include_attachments"] == "true"


def test_it_is_made_once_kept_and_switched_off_with_the_setting() -> None:
    tool = Tool()
    assert tool.make() == [], "nobody is named, so there is none"
    (made,) = tool.make(PEOPLE)
    assert made["name"] == "Journey report published (es)"
    assert tool.make(PEOPLE) == []
    (row,) = tool.tables[TABLE]
    row |= {"subject": "Ours: ${u_title}", "message_html": "<p>nicer</p>"}
    assert tool.make(PEOPLE) == [], "words and looks belong to the admins"
    assert tool.make(Mail("es", ("d" * 32,))) == [
        {"recipient_groups": "d" * 32, "recipient_users": ""}
    ]
    assert tool.make() == [{"active": "false"}]
    assert tool.make() == []
    assert tool.make(PEOPLE)[0]["active"] == "true"


def test_two_languages_are_two_notifications() -> None:
    tool = Tool()
    tool.make(PEOPLE, Mail("en", ("e" * 32,)))
    assert len({row["sys_id"] for row in tool.tables[TABLE]}) == 2


def test_a_hidden_table_is_said_where_somebody_should_be_told_and_else_is_no_matter() -> None:
    tool = FakeInstance(NOW, {})
    assert plan_notifications(tool, ()).is_complete
    (problem,) = plan_notifications(tool, (PEOPLE,)).conflicts
    assert problem.startswith("sysevent_email_action is hidden")


def settings(tmp_path: Any, mail: str) -> Any:
    path = tmp_path / "travesia.toml"
    path.write_text(f"[instance]\nurl = 'https://a.example'\nuser = 'x'\n[report]\nmail = {mail}\n")
    return load_config(path, {})


def test_the_settings_name_who_is_told(tmp_path: Any) -> None:
    config = settings(tmp_path, f"[{{ language = 'es', groups = ['{'a' * 32}'] }}]")
    assert services.mails_of(config) == (Mail("es", ("a" * 32,)),)


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        ("[{ language = 'es' }]", "nobody is named"),
        (f"[{{ language = 'es', groups = ['{'a' * 32}'] }}, "
         f"{{ language = 'es', users = ['{'b' * 32}'] }}]", "two mails for 'es'"),
        ("[{ language = 'es', groups = ['Managers'] }]", "sys_id"),
        ("[{ language = 'fr', groups = [] }]", "'fr' is not one of"),
    ],
)  # fmt: skip
def test_a_mail_that_reaches_nobody_is_refused(tmp_path: Any, mail: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(tmp_path, mail)
