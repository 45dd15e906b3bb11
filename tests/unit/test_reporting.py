"""Reports from order to delivery: what fails spoils nothing else, and is not lost."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector import reporting
from connector.config import Config
from connector.config.settings import InstanceSettings, ReportSettings, StoreSettings
from connector.errors import ConfigError, ConnectorError, IncompleteResponseError, UnavailableError
from connector.itsm.base import Attachment, Record
from connector.journey.own_tables import OWN_TABLES
from connector.report.article import article_id
from connector.report.brief import brief_of, brief_view
from connector.report.build import Choice
from connector.report.deliver import deliver
from connector.report.destination import Destination
from connector.report.pending import Pending, Publications
from connector.report.publish import TABLE
from connector.report.render import render, render_all, render_brief
from connector.report.report import Report
from connector.report.summary import TABLE as SUMMARY
from connector.report.summary import summary_rows
from connector.report.view import view_of
from connector.reporting import Order
from connector.store.database import open_store, publish_snapshot
from connector.timestamps import format_instance, parse_day
from tests.golden.rewrite import golden_report
from tests.golden.sample import NOW, Sample, fill_store, make_sample, sample_mapping
from tests.unit.test_report_figures import END, START, opened, rows_of
from tests.unit.test_report_publish import Tool

BASE = "a" * 32
ZONE = "Europe/Madrid"
OCTOBER = (parse_day("2026-10-01", ZONE), parse_day("2026-11-01", ZONE))


class Whole(Tool):
    """A tool with all our tables and a knowledge base. `is_down` fails every write."""

    def __init__(self) -> None:
        super().__init__()
        self.tables |= {table.name: [] for table in OWN_TABLES}
        self.tables["kb_knowledge"] = []
        self.is_down = False
        self.made: list[str] = []

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        if self.is_down:
            raise UnavailableError("no answer", status=503)
        self.made.append(table)
        return super().create_record(table, values) if table == TABLE else self._put(table, values)

    def _put(self, table: str, values: Mapping[str, str]) -> Record:
        self.tables[table].append(dict(values))
        return dict(values)

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        del query, limit
        yield from ({k: v for k, v in r.items() if k in fields} for r in self.tables[table])


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("golden"))


@pytest.fixture
def config(tmp_path: Path, sample: Sample) -> Config:
    """Settings beside a store with a finished run."""
    path = tmp_path / "s.duckdb"
    fill_store(path, sample).close()
    publish_snapshot(path)
    return Config(
        instance=InstanceSettings(url="https://fake.example.invalid", time_zone=ZONE),
        store=StoreSettings(path=path),
        report=ReportSettings(out=tmp_path / "out"),
    )


def order(config: Config, *formats: str, choice: Choice = Choice()) -> Order:  # noqa: B008
    return Order(*OCTOBER, ("es", "en"), formats or ("md", "csv"), config.report.out, choice)


def with_templates(config: Config, folder: Path) -> Config:
    return config.model_copy(
        update={"report": config.report.model_copy(update={"templates": folder})}
    )


# --- what fails -----------------------------------------------------------------------------------


def test_a_broken_template_of_ones_own_spoils_one_file_and_names_its_line(
    config: Config, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "md.j2").write_text("# fine\n\n{{ view.no_such_thing }}\n", encoding="utf-8")
    results = reporting.report(with_templates(config, own), sample_mapping(), order(config), None)
    assert [[path.suffix for path in result.files] for result in results] == [[".csv"], [".csv"]]
    (problem,) = results[0].problems
    assert str(own / "md.j2") in problem
    assert "line 3" in problem or "línea 3" in problem
    assert "no_such_thing" in problem


@pytest.mark.parametrize(
    ("text", "line"), [("ok\n{% if %}\n", "2"), ("ok\n\n{{ 1 + 'a' }}\n", "3")]
)
def test_whatever_a_template_does_wrong_is_told_with_file_and_line(
    config: Config, tmp_path: Path, text: str, line: str
) -> None:
    (tmp_path / "md.j2").write_text(text, encoding="utf-8")
    settings = with_templates(config, tmp_path)
    results = reporting.report(settings, sample_mapping(), order(config, "md"), None)
    assert f"line {line}" in results[0].problems[0]
    assert "md.j2" in results[0].problems[0]


@pytest.mark.parametrize(
    ("text", "file", "line", "what"),
    [
        ("ok\naño\n".encode("latin-1"), "html.j2", "2", "not UTF-8"),
        (b"ok\n\n{{ 'x' * 10**17 }}", "html.j2", "3", "more memory than there is"),
        (b"ok\n{{ '%999999999999999999d'|format(5) }}", "html.j2", "2", ""),
        ("/* año */".encode("latin-1"), "style.css", "1", "not UTF-8"),
    ],
)
def test_a_template_that_cannot_even_be_read_or_held_spoils_one_file(
    config: Config, tmp_path: Path, text: bytes, file: str, line: str, what: str
) -> None:
    (tmp_path / file).write_bytes(text)
    settings = with_templates(config, tmp_path)
    results = reporting.report(settings, sample_mapping(), order(config, "html", "md", "csv"), None)
    for result in results:
        assert [path.suffix for path in result.files] == [".md", ".csv"]
        (problem,) = result.problems
        assert f"{tmp_path / file} cannot be used (line {line}): " in problem
        assert what in problem


def test_a_template_that_cannot_be_opened_is_named_with_the_reason(
    report: Report, tmp_path: Path
) -> None:
    (tmp_path / "md.j2").symlink_to("/proc/self/mem")  # a file, as which nothing can be read
    with pytest.raises(ConnectorError, match=r"md\.j2 cannot be used \(line 1\)"):
        render(report, "md", tmp_path)


def test_half_a_character_in_a_template_spoils_nothing(report: Report, tmp_path: Path) -> None:
    (tmp_path / "md.j2").write_text('{{ "a\\ud800b" }}', encoding="utf-8")
    assert render(report, "md", tmp_path).content == b"a?b"


def test_ones_own_template_is_used_and_still_runs_in_the_sandbox(
    config: Config, tmp_path: Path
) -> None:
    settings = with_templates(config, tmp_path)
    (tmp_path / "md.j2").write_text("Ours: {{ view.title }}\n", encoding="utf-8")
    (result, _english) = reporting.report(settings, sample_mapping(), order(config, "md"), None)
    assert result.files[0].read_text("utf-8").startswith("Ours: Informe")
    (tmp_path / "md.j2").write_text("{{ view.__class__.__mro__ }}", encoding="utf-8")
    (result, _english) = reporting.report(settings, sample_mapping(), order(config, "md"), None)
    assert result.files == ()
    assert "unsafe" in result.problems[0]


def test_what_could_not_be_published_waits_and_goes_out_the_next_time(config: Config) -> None:
    tool = Whole()
    tool.is_down = True
    results = reporting.report(config, sample_mapping(), order(config), tool)
    assert [result.published for result in results] == [None, None]
    assert all(result.files for result in results)
    waiting = reporting.publications_of(config).listed()
    assert [(one.note.language, one.attempts) for one in waiting] == [("en", 1), ("es", 1)]
    assert "no answer" in waiting[0].reason

    list(reporting.retry(config, sample_mapping(), tool))
    assert [one.attempts for one in reporting.publications_of(config).listed()] == [2, 2]

    tool.is_down = False
    again = list(reporting.retry(config, sample_mapping(), tool))
    assert all(result.published for result in again)
    assert reporting.publications_of(config).listed() == []
    assert {row["u_language"] for row in tool.tables[TABLE]} == {"es", "en"}


def test_a_damaged_note_of_what_waits_is_no_reason_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text("{", encoding="utf-8")
    notes = Publications(path)
    assert notes.listed() == []
    note = Pending("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "es", ("md",))
    notes.add(note, "down", datetime(2026, 11, 1, tzinfo=UTC))
    assert Publications(path).waiting() == [note]
    assert json.loads(path.read_text("utf-8"))[0]["reason"] == "down"


# --- where it goes --------------------------------------------------------------------------------


def test_an_article_is_a_draft_once_and_its_state_belongs_to_people(report: Report) -> None:
    tool, to = Whole(), Destination(("article",), BASE)
    first = deliver(tool, report, render_all(report, ["md"]), to)
    (article,) = tool.tables["kb_knowledge"]
    assert first.article == article["sys_id"] == article_id(report)
    assert article["workflow_state"] == "draft"
    assert article["kb_knowledge_base"] == BASE
    assert "Would you put on the ring?" in article["text"]
    assert "<script" not in article["text"]
    assert "<style" not in article["text"]
    assert tool.files_on(TABLE) == {}, "no attachment was asked for"

    article |= {"workflow_state": "published", "text": article["text"].replace("\n", "\r\n")}
    tool.log.clear()
    deliver(tool, report, [], to)
    assert tool.log == []
    assert article["workflow_state"] == "published"


def test_an_article_shows_its_pictures_from_its_own_attachments(report: Report) -> None:
    tool, to = Whole(), Destination(("article",), BASE)
    deliver(tool, report, [], to)
    (article,) = tool.tables["kb_knowledge"]
    names = list(tool.files_on("kb_knowledge"))
    drawn = view_of(report).pictures
    assert names == [
        f"{report.stem}_{section}-{i}.png"
        for section, pictures in drawn.items() for i, _ in enumerate(pictures, 1)
    ]  # fmt: skip
    shown = re.findall(
        r'<img src="/sys_attachment\.do\?sys_id=(\w+)" alt="([^"]+)"', article["text"]
    )
    assert [tool.files[sys_id][1].file_name for sys_id, _alt in shown] == names
    assert all(tool.files[sys_id][2].startswith(b"\x89PNG") for sys_id, _alt in shown)
    assert "<svg" not in article["text"]


def test_new_pictures_are_there_before_the_text_shows_them_and_the_old_ones_go_last(
    report: Report,
) -> None:
    tool, to = Whole(), Destination(("article",), BASE)
    deliver(tool, report, [], to)
    lanes = tuple(replace(lane, records=lane.records + 9) for lane in report.figures.lanes)
    later = replace(report, figures=replace(report.figures, lanes=lanes))
    key = f"kb_knowledge/{article_id(report)}"
    for name, whose in ((f"{report.stem}_old-1.png", "ours"), ("holiday.png", "theirs")):
        fresh = Attachment(whose, name, "image/png", 1)
        tool.files[whose] = (key, fresh, b"x")
    tool.log.clear()
    first = deliver(tool, later, [], to)
    picture = f"{report.stem}_journey-1.png"
    assert tool.log == [
        f"add {picture}",
        "update text",
        f"delete {report.stem}_old-1.png",
        f"delete {picture}",
    ]
    assert not first.sent_nothing
    assert "holiday.png" in tool.files_on("kb_knowledge"), "what people put there stays"
    (article,) = tool.tables["kb_knowledge"]
    shown = set(re.findall(r"sys_attachment.do\?sys_id=(\w+)", article["text"]))
    assert shown <= set(tool.files), "no text shows what is gone"
    tool.log.clear()
    assert deliver(tool, later, [], to).sent_nothing
    assert tool.log == []


def test_a_picture_that_arrives_cut_leaves_the_article_as_it_was(report: Report) -> None:
    tool, to = Whole(), Destination(("article",), BASE)
    deliver(tool, report, [], to)
    before = dict(tool.tables["kb_knowledge"][0]), dict(tool.files)
    tool.cuts_files = True
    lanes = tuple(replace(lane, records=lane.records + 9) for lane in report.figures.lanes)
    with pytest.raises(IncompleteResponseError, match=r"journey-1\.png did not arrive whole"):
        deliver(tool, replace(report, figures=replace(report.figures, lanes=lanes)), [], to)
    assert (tool.tables["kb_knowledge"][0], tool.files) == before


def test_pictures_hang_from_the_record_where_mails_take_them_from(report: Report) -> None:
    tool = Whole()
    done = deliver(tool, report, render_all(report, ["md"]), Destination(("pictures",)))
    names = tool.files_on(TABLE)
    assert len(names) == sum(len(p) for p in view_of(report).pictures.values()) == done.uploaded
    assert {name.rpartition(".")[2] for name in names} == {"png"}
    assert deliver(tool, report, [], Destination(("pictures",))).sent_nothing


def test_an_article_needs_a_knowledge_base(report: Report) -> None:
    with pytest.raises(ConfigError, match="knowledge base"):
        deliver(Whole(), report, [], Destination(("article",)))


def test_summary_rows_are_the_records_by_place_and_day(
    report: Report, sample: Sample, tmp_path: Path
) -> None:
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        rows = list(summary_rows(store, report))
        part = replace(report.figures, scope=replace(report.figures.scope, kind="service"))
        assert list(summary_rows(store, replace(report, figures=part))) == []
    counted = sum(
        bool(p["touchpoint"]) and START <= opened(t, r) < END for t, r, p in rows_of(sample)
    )
    assert sum(int(row.values["u_opened"]) for row in rows) == counted
    assert len({row.sys_id for row in rows}) == len(rows)
    assert {row.values["u_day"][:7] for row in rows} == {"2026-10"}
    assert {row.values["u_service"] for row in rows} == {"", "svc0", "svc1", "svc2"}


def test_summary_rows_are_sent_by_difference_and_never_deleted(
    report: Report, sample: Sample, tmp_path: Path
) -> None:
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        rows = tuple(summary_rows(store, report))
    tool, to = Whole(), Destination(("summary",), rows=rows)
    assert deliver(tool, report, [], to).rows == len(rows)
    for row in tool.tables[SUMMARY]:
        row |= {"sys_mod_count": "0"}
    assert deliver(tool, report, [], to).sent_nothing

    fewer = replace(to, rows=rows[1:])
    assert deliver(tool, report, [], fewer).rows == 1
    gone = next(row for row in tool.tables[SUMMARY] if row["sys_id"] == rows[0].sys_id)
    assert gone["u_opened"] == "0"
    assert deliver(tool, report, [], fewer).sent_nothing


# --- before a meeting -----------------------------------------------------------------------------


def test_the_page_before_a_meeting_names_what_is_open_promised_and_moved(config: Config) -> None:
    with open_store(config.store.path) as store:
        found = brief_of(store, sample_mapping(), "finan", time_zone=ZONE)
    assert found.scope.name == "Finanzas"
    assert [one.due for one in found.pending] == ["2026-10-31", "2026-11-20"]
    view = brief_view(found, "es")
    assert view.title == "Antes de la reunión: Finanzas"
    assert len(view.questions) == 3
    assert view.questions[0].startswith("Prometimos algo y su fecha ya pasó")
    assert "51" in view.questions[1]
    assert "38" in view.questions[1]
    promises = next(s for s in view.sections if s.id == "promises")
    assert [row[2] for row in promises.tables[0].rows] == ["vencida", "pendiente"]


def test_relationships_without_news_stand_in_one_line_of_the_page(config: Config) -> None:
    with open_store(config.store.path) as store:
        found = brief_of(store, sample_mapping(), "Finanzas", time_zone=ZONE)
    told = found.relationships.rows[0]
    quiet = {"month_score": 54.5, "score": 54.5, "month_state": told["state"], "sys_id": "quiet"}
    rows = (told, {**told, **quiet, "has_next_step": False, "service": "q", "service_name": "CRM"})
    seen = replace(found, relationships=replace(found.relationships, rows=rows))
    section = next(s for s in brief_view(seen, "es").sections if s.id == "relationships")
    (row,) = section.tables[0].rows
    assert row[:2] == ("Finanzas × ERP", "En riesgo: 51 → 38 (−12,6)")
    assert section.notes[0] == "Sin movimiento y sin nada previsto: CRM (en riesgo, 55)."


def test_the_page_tells_no_count_of_few_people(config: Config) -> None:
    with open_store(config.store.path) as store:
        few, many = (
            brief_view(brief_of(store, sample_mapping(), "Finanzas", minimum_group=n), "en")
            for n in (1000, 1)
        )
    assert dict(few.facts)["Tickets that ended this month"] == "–"
    assert int(dict(many.facts)["Tickets that ended this month"]) > 0


def test_the_open_moments_of_a_page_are_those_of_its_customer(
    config: Config, sample: Sample
) -> None:
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    numbers = {
        r["number"] for r in sample.records["incident"]
        if home[r["caller_id"]] in {"dep0", "dep3"}
    }  # fmt: skip
    with open_store(config.store.path) as store:
        found = brief_of(store, sample_mapping(), "Finanzas")
    assert found.moments
    assert {one.number for one in found.moments} <= numbers


def test_the_page_is_written_in_both_languages_and_formats(config: Config) -> None:
    files, problems = reporting.brief(config, sample_mapping(), "ERP", ("es", "en"), ("md", "html"))
    assert problems == []
    assert [file.name for file in files] == [
        "travesia_brief_erp_es.md",
        "travesia_brief_erp_es.html",
        "travesia_brief_erp_en.md",
        "travesia_brief_erp_en.html",
    ]
    assert b"<script" not in b"".join(file.content for file in files)


def test_a_broken_template_of_the_page_spoils_its_own_files_only(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "brief.html.j2").write_text("ok\n{{ view.nothing }}", encoding="utf-8")
    files, problems = reporting.brief(
        with_templates(config, tmp_path), sample_mapping(), "ERP", ("es", "en"), ("html", "md")
    )
    assert [file.name for file in files] == ["travesia_brief_erp_es.md", "travesia_brief_erp_en.md"]
    assert len(problems) == 2
    for problem in problems:
        assert f"{tmp_path / 'brief.html.j2'} cannot be used (line 2)" in problem


@pytest.mark.parametrize(
    ("text", "words"), [("Finansas", "did you mean Finanzas?"), ("e", "may be several")]
)
def test_a_name_that_does_not_say_who_is_refused(config: Config, text: str, words: str) -> None:
    with open_store(config.store.path) as store, pytest.raises(ConfigError) as refused:
        brief_of(store, sample_mapping(), text)
    assert words in str(refused.value)


def test_a_hostile_name_stays_harmless_on_the_page(config: Config) -> None:
    with open_store(config.store.path) as store:
        store.execute(
            "UPDATE engagement SET customer_name = $n WHERE sys_id = 'rel1'",
            n="<script>x</script>|\u202ecod=1\x07" + "a" * 100_000,
        )
        found = brief_of(store, sample_mapping(), "<script>")
    for format_ in ("html", "md"):
        page = render_brief(found, "en", format_).content.decode()
        assert "<script" not in page
        assert "\u202e" not in page
        assert "\x07" not in page
        assert len(page) < 40_000


def test_the_data_of_a_page_end_where_the_last_run_ended(config: Config) -> None:
    with open_store(config.store.path) as store:
        found = brief_of(store, sample_mapping(), "Finanzas")
    assert found.report.figures.data_until == NOW
    assert format_instance(found.report.period.end) == format_instance(NOW)
