"""A report published in an instance over HTTP: there once, whole, and quiet the second time."""

from dataclasses import replace
from pathlib import Path

from connector.itsm.servicenow.client import connect
from connector.itsm.servicenow.settings import Connection
from connector.journey.mapping import load_mapping
from connector.provision import apply_provision
from connector.report.publish import TABLE, publish
from connector.report.render import FORMATS, render_all
from tests.golden.rewrite import golden_report
from tests.harness import PASSWORD, USER, sandbox


def test_a_report_stands_once_in_the_instance_and_is_renewed_in_place(tmp_path: Path) -> None:
    report = golden_report(tmp_path).in_language("es")
    files = render_all(report, list(FORMATS))
    with sandbox(tmp_path / "instance", "--seed", "empty") as tool:
        instance = connect(Connection(url=tool.url, user=USER, secret=PASSWORD))
        apply_provision(instance, load_mapping(), ["incident"])
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
