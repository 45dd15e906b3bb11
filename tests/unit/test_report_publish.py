"""Publishing: one record for a period, and nothing sent twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from connector.errors import IncompleteResponseError, RejectedError
from connector.itsm.base import Attachment, Record
from connector.report.publish import TABLE, publish, report_id
from connector.report.render import ReportFile
from connector.report.report import Report
from tests.fakes import FakeInstance
from tests.golden.rewrite import golden_report
from tests.golden.sample import NOW

PAGE = ReportFile("r.html", "text/html", b"<p>one</p>")
TABLE_FILE = ReportFile("r.csv", "text/csv", b"a,b\r\n")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(Path(tmp_path_factory.mktemp("golden")))


class Tool(FakeInstance):
    """A fake instance that keeps files, and a log of every request that changes something."""

    def __init__(self) -> None:
        super().__init__(NOW, {TABLE: []})
        self.log: list[str] = []
        self.files: dict[str, tuple[str, Attachment, bytes]] = {}
        self.cuts_files = False
        self.numbers = count()

    def read_records(
        self, table: str, sys_ids: Sequence[str], fields: Sequence[str]
    ) -> list[Record]:
        return [
            {k: v for k, v in row.items() if k in fields}
            for row in self.tables[table]
            if row["sys_id"] in sys_ids
        ]

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        self.log.append("create")
        self.tables[table].append(dict(values))
        return dict(values)

    def update_record(self, table: str, sys_id: str, values: Mapping[str, str]) -> Record:
        self.log.append(f"update {','.join(values)}")
        row = next(row for row in self.tables[table] if row["sys_id"] == sys_id)
        row |= values
        return row

    def list_attachments(self, table: str, sys_id: str) -> list[Attachment]:
        return [a for key, a, _content in self.files.values() if key == f"{table}/{sys_id}"]

    def read_attachment(self, sys_id: str) -> bytes:
        return self.files[sys_id][2]

    def add_attachment(
        self, table: str, sys_id: str, file_name: str, content_type: str, content: bytes
    ) -> Attachment:
        self.log.append(f"add {file_name}")
        kept = content[:-1] if self.cuts_files else content
        fresh = Attachment(f"file{next(self.numbers)}", file_name, content_type, len(kept))
        self.files[fresh.sys_id] = (f"{table}/{sys_id}", fresh, kept)
        return fresh

    def files_on(self, table: str) -> dict[str, bytes]:
        """The files on the records of a table, by name."""
        found = [(a, c) for key, a, c in self.files.values() if key.startswith(f"{table}/")]
        return {a.file_name: content for a, content in found}

    def delete_attachment(self, sys_id: str) -> None:
        self.log.append(f"delete {self.files[sys_id][1].file_name}")
        del self.files[sys_id]


def test_first_a_record_with_its_files_then_nothing(report: Report) -> None:
    tool = Tool()
    first = publish(tool, report, [PAGE, TABLE_FILE])
    # Last of all it says that it is published: a notification may wait for that.
    assert tool.log == ["create", "add r.html", "add r.csv", "update u_state"]
    assert tool.tables[TABLE][0]["u_state"] == "published"
    assert (first.action, first.uploaded, first.kept) == ("created", 2, 0)
    assert first.url == f"{tool.url}/{TABLE}.do?sys_id={report_id(report)}"
    row = tool.tables[TABLE][0]
    assert row["u_period_from"] == "2026-09-30 22:00:00"
    assert row["u_records"] == "280"
    assert row["u_scope"] == "The whole organisation"
    publish(tool, report.in_language("es"), [])
    assert tool.tables[TABLE][1]["u_scope"] == "Toda la organización"
    assert row["u_summary"].startswith("280 records were open")
    tool.log.clear()
    second = publish(tool, report, [PAGE, TABLE_FILE])
    assert tool.log == []
    assert second.sent_nothing
    assert second.kept == 2


def test_new_content_takes_the_place_of_the_old_after_it_was_read_back(report: Report) -> None:
    tool = Tool()
    publish(tool, report, [PAGE, TABLE_FILE])
    tool.log.clear()
    changed = publish(tool, report, [replace(PAGE, content=b"<p>two</p>"), TABLE_FILE])
    assert tool.log == ["add r.html", "delete r.html"]
    assert (changed.uploaded, changed.kept, changed.removed) == (1, 1, 1)
    assert [content for _k, a, content in tool.files.values() if a.file_name == "r.html"] == [
        b"<p>two</p>"
    ]


def test_only_the_columns_that_differ_are_sent(report: Report) -> None:
    tool = Tool()
    publish(tool, report, [])
    tool.tables[TABLE][0]["u_title"] = "overwritten"
    del tool.tables[TABLE][0]["u_scope"]  # hidden from us by an ACL: not ours to mend
    tool.log.clear()
    assert publish(tool, report, []).action == "updated"
    assert tool.log == ["update u_title"]


def test_a_file_that_arrives_cut_is_taken_back_and_the_former_one_stays(report: Report) -> None:
    tool = Tool()
    publish(tool, report, [PAGE])
    tool.cuts_files = True
    with pytest.raises(IncompleteResponseError, match=r"r\.html did not arrive whole"):
        publish(tool, report, [replace(PAGE, content=b"<p>three</p>")])
    assert [content for _k, _a, content in tool.files.values()] == [PAGE.content]


def test_what_a_broken_publication_left_twice_is_made_one(report: Report) -> None:
    tool = Tool()
    publish(tool, report, [PAGE])
    tool.add_attachment(TABLE, report_id(report), "r.html", "text/html", b"older")
    tool.add_attachment(TABLE, report_id(report), "theirs.txt", "text/plain", b"a user's")
    tool.log.clear()
    publish(tool, report, [PAGE])
    assert tool.log == ["delete r.html"]
    assert {a.file_name for _k, a, _c in tool.files.values()} == {"r.html", "theirs.txt"}


def test_the_record_is_the_same_for_period_scope_and_language_only(report: Report) -> None:
    figures = replace(report.figures, records=1, data_until=None)
    assert report_id(replace(report, figures=figures)) == report_id(report)
    assert report_id(report.in_language("es")) != report_id(report)
    assert len(report_id(report)) == 32


def test_names_in_the_summary_are_no_tags_in_the_mail_that_shows_it(report: Report) -> None:
    tool = Tool()
    step = report.mapping.journeys["travesia"].steps[3]
    bad = replace(step, name=replace(step.name, en="<img src=x onerror=alert(1)>"))
    journey = report.mapping.journeys["travesia"]
    steps = tuple(bad if s.id == step.id else s for s in journey.steps)
    journeys = {**report.mapping.journeys, "travesia": replace(journey, steps=steps)}
    publish(tool, replace(report, mapping=replace(report.mapping, journeys=journeys)), [])
    summary = tool.tables[TABLE][0]["u_summary"]
    assert "onerror" in summary
    assert "<" not in summary


def test_without_the_table_it_is_said_how_to_get_it(report: Report) -> None:
    tool = Tool()
    del tool.tables[TABLE]
    with pytest.raises(RejectedError, match="travesia provision --apply"):
        publish(tool, report, [PAGE])
    assert tool.log == []


def test_a_long_summary_is_cut_to_the_column_and_not_sent_again(report: Report) -> None:
    tool = Tool()
    step = report.mapping.journeys["travesia"].steps[3]
    long = replace(step, name=replace(step.name, en="word " * 2000))
    journey = report.mapping.journeys["travesia"]
    steps = tuple(long if s.id == step.id else s for s in journey.steps)
    journeys = {**report.mapping.journeys, "travesia": replace(journey, steps=steps)}
    wordy = replace(report, mapping=replace(report.mapping, journeys=journeys))
    publish(tool, wordy, [])
    assert len(tool.tables[TABLE][0]["u_summary"]) <= 4000
    assert publish(tool, wordy, []).sent_nothing
