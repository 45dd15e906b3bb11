"""A report published in an instance over HTTP: there once, whole, and quiet the second time."""

import re
from dataclasses import replace
from pathlib import Path

from connector.itsm.servicenow.client import connect
from connector.itsm.servicenow.settings import Connection
from connector.journey.mapping import load_mapping
from connector.provision import Mail, Scope, apply_provision, plan_provision
from connector.report.deliver import deliver
from connector.report.destination import Destination
from connector.report.publish import TABLE, publish
from connector.report.render import FORMATS, render_all
from connector.report.summary import summary_rows
from connector.report.view import view_of
from tests.golden.rewrite import golden_report
from tests.golden.sample import SERVICES, fill_store, make_sample
from tests.harness import PASSWORD, USER, sandbox


def test_rows_article_and_mail_state_stand_in_the_instance_and_go_quiet(tmp_path: Path) -> None:
    report = golden_report(tmp_path)
    with fill_store(tmp_path / "rows.duckdb", make_sample()) as store:
        rows = tuple(summary_rows(store, report))[:120]
    with sandbox(tmp_path / "instance", "--seed", "empty") as tool:
        instance = connect(Connection(url=tool.url, user=USER, secret=PASSWORD))
        group = instance.create_record("sys_user_group", {"name": "Owners"})["sys_id"]
        scope = Scope(("incident",), mails=(Mail("en", (group,)),))
        apply_provision(instance, load_mapping(), scope)
        mails = tool.dump("sysevent_email_action").values()
        mail, silent = sorted(mails, key=lambda one: one["name"])
        assert mail["recipient_groups"] == group
        assert mail["condition"] == "u_stateCHANGESTOpublished^u_language=en"
        assert "${u_summary}" in mail["message_html"]
        assert (mail["active"], silent.get("active", "false")) == ("true", "false")
        assert plan_provision(instance, load_mapping(), scope).is_complete
        base = instance.create_record("kb_knowledge_base", {"title": "Journey"})["sys_id"]
        # References lead to records of the instance: what is not there would not be kept.
        for i, name in enumerate(SERVICES):
            instance.create_record("cmdb_ci_service", {"sys_id": f"svc{i}", "name": name})
        to = Destination(("attachment", "pictures", "summary", "article"), base, rows=rows)
        files = render_all(report, ["md"])
        first = deliver(instance, report, files, to)
        assert first.rows == len(rows)
        kept = tool.dump("u_journey_summary")
        assert {k: v["u_opened"] for k, v in kept.items()} == {
            row.sys_id: row.values["u_opened"] for row in rows
        }
        article = tool.dump("kb_knowledge")[first.article]
        assert article["workflow_state"] == "draft"
        assert "Would you put on the ring?" in article["text"]
        assert tool.dump(TABLE)[first.sys_id]["u_state"] == "published"
        shown = re.findall(
            r'<img src="/sys_attachment.do\?sys_id=(\w+)" alt="[^"]+"', article["text"]
        )
        drawn = [p for of_section in view_of(report).pictures.values() for p in of_section]
        assert [instance.read_attachment(one) for one in shown] == [p.png() for p in drawn]
        files_there = {a.file_name for a in instance.list_attachments(TABLE, first.sys_id)}
        assert len(files_there) == len(files) + len(drawn)

        before = tool.whole_dump()
        tool.reset_requests()
        assert deliver(instance, report, files, to).sent_nothing
        assert all(kind.startswith("GET ") for kind in tool.requests()), tool.requests()
        assert tool.whole_dump() == before


def test_a_report_stands_once_in_the_instance_and_is_renewed_in_place(tmp_path: Path) -> None:
    report = golden_report(tmp_path).in_language("es")
    files = render_all(report, list(FORMATS))
    with sandbox(tmp_path / "instance", "--seed", "empty") as tool:
        instance = connect(Connection(url=tool.url, user=USER, secret=PASSWORD))
        apply_provision(instance, load_mapping(), Scope(("incident",)))
        first = publish(instance, report, files)
        before = tool.whole_dump()
        tool.reset_requests()

        assert publish(instance, report, files).sent_nothing
        assert all(kind.startswith("GET ") for kind in tool.requests())
        assert tool.whole_dump() == before

        later = replace(report, figures=replace(report.figures, records=999))
        renewed = publish(instance, later, render_all(later, list(FORMATS)))
        assert (renewed.sys_id, renewed.action) == (first.sys_id, "updated")
        rows = tool.dump(TABLE)
        assert [row["u_records"] for row in rows.values()] == ["999"]
        assert rows[first.sys_id]["u_title"] == "Informe de la travesía, 1–31 de octubre de 2026"
        kept = instance.list_attachments(TABLE, first.sys_id)
        assert sorted(a.file_name for a in kept) == sorted(f.name for f in files)
        page = next(a for a in kept if a.file_name.endswith(".html"))
        assert instance.read_attachment(page.sys_id) == render_all(later, ["html"])[0].content
