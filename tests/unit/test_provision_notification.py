"""The mail about a published report: the platform's own notification, switched by the settings."""

from typing import Any

import pytest

from connector.config import load_config
from connector.errors import ConfigError
from connector.journey.fields import REPORT_STATES, REPORT_TABLE
from connector.journey.mapping import load_mapping
from connector.provision import Mail, Scope, Step, plan_provision
from connector.provision.notification import TABLE, notification_fields
from connector.provisioning import scope_of
from tests.fakes import FakeInstance
from tests.golden.sample import NOW

PEOPLE = Mail("es", ("a" * 32, "b" * 32), ("c" * 32,))


class Tool(FakeInstance):
    """A fake that holds notifications and no other table of the platform's."""

    def __init__(self) -> None:
        super().__init__(NOW, {TABLE: []})

    def plan(self, *mails: Mail) -> list[Step]:
        """What is to be done to its notifications, which is then done."""
        plan = plan_provision(self, load_mapping(), Scope((), mails=mails))
        steps = plan.of(TABLE)
        for step in steps:
            if step.action == "create":
                self.tables[TABLE].append(dict(step.changed))
            else:
                (row,) = [r for r in self.tables[TABLE] if r["sys_id"] == step.sys_id]
                row |= step.changed
        return steps


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


def test_there_is_one_a_language_and_only_a_named_one_is_active() -> None:
    steps = Tool().plan(PEOPLE)
    said = {step.changed["name"]: step.changed["active"] for step in steps}
    assert said == {
        "Journey report published (en)": "false",
        "Journey report published (es)": "true",
    }


def test_it_is_kept_and_switched_with_the_setting() -> None:
    tool = Tool()
    tool.plan(PEOPLE)
    assert tool.plan(PEOPLE) == []
    for row in tool.tables[TABLE]:
        row |= {"subject": "Ours: ${u_title}", "message_html": "<p>nicer</p>"}
    assert tool.plan(PEOPLE) == [], "words and looks belong to the admins"
    (step,) = tool.plan(Mail("es", ("d" * 32,)))
    assert step.changed == {"recipient_groups": "d" * 32, "recipient_users": ""}
    (step,) = tool.plan()
    assert step.changed == {"active": "false", "recipient_groups": ""}
    assert tool.plan() == []
    (step,) = tool.plan(PEOPLE)
    assert step.changed["active"] == "true"


def test_where_the_table_is_hidden_it_is_left_out_by_name() -> None:
    plan = plan_provision(FakeInstance(NOW, {}), load_mapping(), Scope((), mails=(PEOPLE,)))
    assert TABLE in plan.skipped


def settings(tmp_path: Any, mail: str) -> Any:
    path = tmp_path / "travesia.toml"
    path.write_text(f"[instance]\nurl = 'https://a.example'\nuser = 'x'\n[report]\nmail = {mail}\n")
    return load_config(path, {})


def test_the_settings_name_who_is_told(tmp_path: Any) -> None:
    config = settings(tmp_path, f"[{{ language = 'es', groups = ['{'a' * 32}'] }}]")
    assert scope_of(config).mails == (Mail("es", ("a" * 32,)),)


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
