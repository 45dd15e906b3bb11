"""Findings: what stands in the way of a good run, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from connector.check import (
    Finding,
    Past,
    check_instance,
    check_mapping,
    check_overlay,
    check_own_choices,
    list_effects,
    worst,
)
from connector.encoded_query import parse
from connector.errors import ForbiddenError
from connector.itsm.base import Choice, Column, PagingRight, Probe, Record
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.journey.model import FieldInfo, Rule, Text
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.overlays import overlay_entries
from connector.journey.requirements import requirements
from connector.journey.unknown_values import unknown_values
from tests.fakes import FakeInstance

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
FINE = Probe("svc", "GMT", True, "no_rows")
TABLES = ("incident", "sysapproval_approver")


@cache
def mapping() -> JourneyMapping:
    return load_mapping()


class Instance(FakeInstance):
    """A fake that can be probed, with a dictionary of its own."""

    def __init__(self, probe: Probe = FINE, clock: datetime = NOW) -> None:
        super().__init__(clock, {})
        self.probed = probe
        self.columns: dict[str, list[Column]] = {}
        self.asked_limits: list[int | None] = []
        self.forbidden: set[str] = set()
        self.asked: dict[str, str] = {}
        self.parents: dict[str, str] = {}
        self.paging: dict[str, PagingRight] = {}
        self.blind: set[str] = set()
        self.choices: list[Choice] = []

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:
        return [choice for choice in self.choices if choice.table in tables]

    def add(self, table: str, *elements: str) -> None:
        self.columns[table] = [Column(table, element, "string") for element in elements]
        self.tables[table] = [dict.fromkeys(elements, "")]

    def probe(self) -> Probe:
        return self.probed

    def probe_paging(self, table: str) -> PagingRight:
        return self.paging.get(table, "ok")

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.parents.get(name, "") for name in names if name in self.tables}

    def configure(self, table: str, *rows: dict[str, str]) -> None:
        """Rows of a table of configuration, and its columns."""
        self.add(table, *sorted({"sys_id", "active", *(key for row in rows for key in row)}))
        self.tables[table] = [{"sys_id": f"{table}-{n}", **row} for n, row in enumerate(rows)]

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        return [column for table in tables for column in self.columns.get(table, [])]

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        if table in self.forbidden:
            raise ForbiddenError("The account may not do GET on table incident")
        if query:
            self.asked[table] = query
        else:
            self.asked_limits.append(limit)
        for row in self.tables.get(table, []):
            yield {k: v for k, v in row.items() if k in fields and k not in self.blind}


def columns_in(when: str) -> set[str]:
    found = parse(when, mapping().sets).fields if when else frozenset()
    return {name for name in found if "." not in name}


def fitting(**changes: object) -> Instance:
    """An instance with every table and column that the mapping asks for."""
    instance = Instance(**changes)  # type: ignore[arg-type]
    own = [field.name for field in fields.RECORD_FIELDS]
    wanted = requirements(mapping(), TABLES, {})
    for table in {*TABLES, *wanted}:
        spec = mapping().tables.get(table)
        columns = {"sys_id", "sys_updated_on", "sys_mod_count", *(spec.columns if spec else ())}
        columns |= {c for rule in mapping().rules_of(table) for c in columns_in(rule.when)}
        instance.add(table, *sorted(columns), *own)
    return instance


def look(
    instance: Instance,
    tables: Sequence[str] = TABLES,
    write: Sequence[str] = ("incident",),
    here: datetime = NOW,
    **more: object,
) -> list[Finding]:
    return check_instance(instance, mapping(), tables, write, lambda: here, **more)  # type: ignore[arg-type]  # keywords as given


def of(findings: Sequence[Finding], subject: str, level: str) -> list[Finding]:
    return [f for f in findings if f.subject == subject and f.level == level]


# ── the mapping alone ────────────────────────────────────────────────────────────────────────


def test_the_shipped_mapping_has_nothing_wrong() -> None:
    findings = check_mapping(mapping())
    assert worst(findings) != "error"
    assert mapping().hash in findings[0].sentence


def test_a_step_that_no_rule_reaches_is_said() -> None:
    findings = check_mapping(replace(mapping(), rules=()))
    steps = [step.name.en for step in mapping().journeys["travesia"].steps]
    (found,) = of(findings, "journey travesia", "warn")
    assert all(step in found.sentence for step in steps)
    assert found.remedy


# ── against an instance ──────────────────────────────────────────────────────────────────────


def test_looking_writes_nothing_and_reads_one_row_a_table() -> None:
    instance = fitting()
    look(instance)
    assert instance.sent == []
    assert set(instance.asked_limits) == {1}


@pytest.mark.parametrize(
    ("away", "level", "sentence"),
    [
        (timedelta(seconds=60), "ok", "agrees"),
        (timedelta(seconds=-60), "ok", "agrees"),
        (timedelta(seconds=61), "warn", "0 h 1 min 1 s ahead of"),
        (timedelta(days=-207, hours=-2), "warn", "207 d 2 h 0 min 0 s behind"),
    ],
)
def test_a_clock_that_differs_is_said(away: timedelta, level: str, sentence: str) -> None:
    (found,) = [f for f in look(fitting(clock=NOW + away)) if f.subject == "clock"]
    assert found.level == level
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("probe", "level", "sentence"),
    [
        (FINE, "ok", "Logged in as svc"),
        (replace(FINE, time_zone=""), "ok", "read as UTC"),
        (replace(FINE, time_zone="Europe/Madrid"), "warn", "is Europe/Madrid"),
        (replace(FINE, reads_utc=False), "error", "another time zone than UTC"),
        (replace(FINE, user="", time_zone=None, reads_utc=None), "warn", "cannot see its own"),
    ],
)
def test_the_accounts_time_zone_is_looked_at(probe: Probe, level: str, sentence: str) -> None:
    (found,) = [f for f in look(fitting(probe=probe)) if f.subject == "account"]
    assert found.level == level
    assert sentence in found.sentence
    assert bool(found.remedy) is (level != "ok")


@pytest.mark.parametrize("mode", ["ignored", "no_rows", "forbidden"])
def test_how_typos_in_filters_are_treated_is_said(mode: str) -> None:
    probe = replace(FINE, invalid_query=mode)  # type: ignore[arg-type]
    (found,) = [f for f in look(fitting(probe=probe)) if f.subject == "queries"]
    assert found.level == "ok"
    assert {"ignored": "ignored", "no_rows": "no rows", "forbidden": "refused"}[mode] in (
        found.sentence
    )


def test_a_table_that_is_absent_is_an_error() -> None:
    (found,) = of(look(fitting(), (*TABLES, "incidents")), "incidents", "error")
    assert "[extract] tables" in found.remedy


def test_an_account_that_sees_no_table_at_all_is_told_which_right_it_lacks() -> None:
    instance = fitting()
    instance.tables.clear()
    with pytest.raises(ForbiddenError, match="let it read sys_db_object"):
        look(instance)
    instance.add("sys_user", "sys_id")
    assert of(look(instance), "incident", "error"), "here the tables are really missing"


def test_without_choice_lists_nothing_is_said_to_be_right() -> None:
    (found,) = [f for f in look(fitting()) if f.subject == "rules"]
    assert (found.level, found.remedy) == ("warn", "let the account read sys_choice")
    instance = fitting()
    instance.choices = [Choice("incident", "state", "1", "New", "en")]
    told = [f for f in look(instance) if f.subject == "rules"]
    assert "let the account read sys_choice" not in {f.remedy for f in told}


def test_all_absent_plug_in_tables_are_told_in_one_line() -> None:
    instance = fitting()
    plugins = ("idea", "dmn_demand")
    for table in plugins:
        assert mapping().tables[table].optional
        instance.tables.pop(table, None)
    (found,) = of(look(instance, (*TABLES, *plugins)), "tables", "warn")
    assert found.remedy == ""
    assert found.sentence.endswith("no tables idea, dmn_demand: their rules are off")


def test_without_surveys_no_voice_is_heard_and_one_line_says_so() -> None:
    """Not one line more for each rule that would have liked to know the answers."""
    said = [f.sentence for f in look(fitting())]
    assert len([sentence for sentence in said if "no voice is heard" in sentence]) == 1
    assert not [sentence for sentence in said if "asmt_" in sentence]
    with_surveys = look(fitting(), (*TABLES, "asmt_assessment_instance"))
    assert not [f for f in with_surveys if "no voice" in f.sentence]


def test_rules_that_cannot_match_are_named_with_their_reason() -> None:
    instance = fitting()
    before = dead_rules_of(look(instance))
    instance.columns["incident"] = [
        c for c in instance.columns["incident"] if c.element != "hold_reason"
    ]
    more = dead_rules_of(look(instance)) - before
    assert more
    assert all("hold_reason" in sentence for sentence in more)


def dead_rules_of(findings: Sequence[Finding]) -> set[str]:
    return {f.sentence for f in of(findings, "incident", "warn") if "can never match" in f.sentence}


def test_missing_journey_columns_name_the_command_that_makes_them() -> None:
    instance = fitting()
    instance.columns["incident"] = [
        c for c in instance.columns["incident"] if not c.element.startswith("u_journey_")
    ]
    (found,) = [f for f in look(instance) if "journey columns are missing" in f.sentence]
    assert found.subject == "incident"
    assert found.remedy == "run travesia provision --apply"


def test_a_table_that_is_written_must_be_read() -> None:
    (found,) = of(look(fitting(), write=("sc_task",)), "sc_task", "error")
    assert "written but not read" in found.sentence


def test_a_table_the_account_may_not_read_is_an_error() -> None:
    instance = fitting()
    instance.forbidden = {"incident"}
    (found,) = of(look(instance), "incident", "error")
    assert "give the account read access" in found.remedy


def test_columns_that_an_acl_hides_are_named() -> None:
    """A hidden column is an absent key: unknown, not empty (§1.5)."""
    instance = fitting()
    instance.blind = {"number"}
    (found,) = [f for f in of(look(instance), "incident", "warn") if "does not see" in f.sentence]
    assert "number" in found.sentence


def test_the_worst_level_counts() -> None:
    ok, warn = Finding("ok", "a", "b"), Finding("warn", "a", "b")
    assert worst([]) == worst([ok]) == "ok"
    assert worst([ok, warn]) == "warn"
    assert worst([ok, warn, Finding("error", "a", "b")]) == "error"


def overlay(tmp_path: Path, text: str) -> list[Finding]:
    (tmp_path / "sets.toml").write_text(text, encoding="utf-8")
    return check_overlay(overlay_entries(tmp_path))


def test_an_overlay_is_told_entry_by_entry(tmp_path: Path) -> None:
    (first,) = overlay(tmp_path, 'test_markers = ["[ours]"]\nour_words = ["x"]\n')
    assert first.level == "ok"
    assert "replaces 1 shipped entries and adds 1" in first.sentence
    assert "set test_markers" in first.sentence


def test_an_entry_equal_to_the_shipped_one_is_told(tmp_path: Path) -> None:
    words = ", ".join(f'"{word}"' for word in mapping().sets["test_markers"])
    found = overlay(tmp_path, f"test_markers = [{words}]\n")
    assert [f.level for f in found] == ["ok", "warn"]
    assert "equal to the shipped one" in found[1].sentence


def test_an_id_that_looks_like_a_shipped_one_is_told(tmp_path: Path) -> None:
    found = overlay(tmp_path, 'test_marker = ["[ours]"]\n')
    assert "looks like the shipped test_markers" in found[1].sentence


def test_a_value_that_no_choice_list_has_is_told_though_the_rule_lives() -> None:
    rule = Rule(
        id="half",
        tables=("incident",),
        when="priority=1^NQstate=6",
        touchpoint="phone",
        because=Text("a", "b"),
        example={},
    )
    schema = {
        ("incident", "state"): FieldInfo("integer"),
        ("incident", "sys_id"): FieldInfo("GUID"),
    }
    only = replace(mapping(), rules=(rule,))
    (found,) = unknown_values(only, ["incident"], schema, {("incident", "state"): {"2", "60"}})
    assert (found.id, found.field, found.value) == ("half", "state", "6")
    assert "60" in found.hint


def test_values_of_named_sets_are_no_mistakes() -> None:
    rule = Rule(
        id="sets",
        tables=("incident",),
        when="categoryIN@complaint_categories",
        touchpoint="phone",
        because=Text("a", "b"),
        example={},
    )
    schema = {("incident", "category"): FieldInfo("string")}
    only = replace(mapping(), rules=(rule,))
    known = {("incident", "category"): {"queja"}}
    assert not list(unknown_values(only, ["incident"], schema, known))


# ── rights, writing, what a write sets off ───────────────────────────────────────────────────


def aspect(findings: Sequence[Finding], table: str, wanted: str) -> list[Finding]:
    return [f for f in findings if (f.subject, f.aspect) == (table, wanted)]


@pytest.mark.parametrize(
    ("right", "level"), [("ok", "ok"), ("refused", "error"), ("ignored", "error")]
)
def test_whether_a_table_can_be_paged_is_tried_as_paging_does_it(
    right: PagingRight, level: str
) -> None:
    instance = fitting()
    instance.paging = {"incident": right}
    (found,) = aspect(look(instance), "incident", "query")
    assert found.level == level
    assert bool(found.remedy) is (level == "error")


def test_a_filter_with_an_unknown_column_is_an_error() -> None:
    spec = replace(mapping().tables["incident"], filter="activo=true")
    own = replace(mapping(), tables={**mapping().tables, "incident": spec})
    found = check_instance(fitting(), own, TABLES, (), lambda: NOW)
    (error,) = of(found, "filters", "error")
    assert "activo" in error.sentence


def test_that_writing_was_never_tried_is_said_and_not_guessed() -> None:
    (found,) = of(look(fitting()), "writing", "warn")
    assert "may write incident is known only after a first write" in found.sentence
    assert "--limit" in found.remedy


def test_what_became_of_earlier_writes_is_told() -> None:
    past = {"incident": Past(120, 1, ("u_journey_band",), "Data Policy Exception")}
    found = look(fitting(), past=past)
    assert of(found, "writing", "warn") == []
    said = [f.sentence for f in aspect(found, "incident", "write")]
    assert "120 records were written and checked" in said
    assert "1 record refused a write: Data Policy Exception" in said
    assert "u_journey_band were answered with 200 and not stored" in said


@pytest.mark.parametrize(
    ("option", "warns"),
    [("display_read_only", False), ("strict_read_only", True), ("instance_configured", True)],
)
def test_a_column_of_ours_that_is_read_only_is_named_unless_it_lets_the_api_write(
    option: str, warns: bool
) -> None:
    instance = fitting()
    row = {"name": "incident", "read_only": "true", "read_only_option": option}
    instance.configure(
        "sys_dictionary",
        {**row, "element": "u_journey_step"},
        {**row, "element": "u_journey_override"},
        {**row, "element": "u_journey_band", "name": "problem"},
    )
    found = [f for f in aspect(look(instance), "incident", "write") if "read only" in f.sentence]
    assert [("u_journey_step is read only" in f.sentence) for f in found] == [True] * warns
    assert not [f for f in look(instance) if f.subject == "problem"]


RULE = {"action_update": "true", "when": "after", "filter_condition": "state=6"}


def with_effects(instance: Instance) -> Instance:
    """Rules on the table and its parent, a flow that children run, a notification on update."""
    instance.configure(
        "sys_script",
        {**RULE, "collection": "incident", "name": "Notify the group"},
        {**RULE, "collection": "task", "name": "Close children"},
        {**RULE, "collection": "problem", "name": "Not ours"},
        {**RULE, "collection": "global", "name": "Everywhere"},
    )
    trigger = {"on_update": "true", "condition": ""}
    instance.configure(
        "sys_flow_record_trigger",
        {**trigger, "table": "task", "run_on_extended": "true"},
        {**trigger, "table": "task", "run_on_extended": "false"},
    )
    instance.configure(
        "sys_hub_flow", {"remote_trigger_id": "sys_flow_record_trigger-0", "name": "Tell"}
    )
    instance.configure(
        "sysevent_email_action",
        {
            "action_update": "true",
            "collection": "incident",
            "name": "Mail",
            "generation_type": "engine",
        },
        {
            "action_update": "true",
            "collection": "incident",
            "name": "Event",
            "generation_type": "event",
        },
    )
    instance.parents = {"incident": "task", "task": ""}
    return instance


def test_what_a_write_sets_off_is_listed_inherited_included() -> None:
    instance = with_effects(fitting())
    instance.add("task", "sys_id")
    effects = list_effects(instance, ["incident"])["incident"]
    assert [(e.kind, e.table, e.name) for e in effects.found] == [
        ("rule", "incident", "Notify the group"),
        ("rule", "task", "Close children"),
        ("rule", "global", "Everywhere"),
        ("flow", "task", "Tell"),
        ("notification", "incident", "Mail"),
    ]
    assert effects.unseen == ()
    assert instance.asked["sys_script"] == (
        "active=true^action_update=true^collectionINglobal,incident,task"
    )
    (found,) = aspect(look(instance), "incident", "effects")
    assert found.level == "warn"
    assert "3 business rules, 1 flow, 1 notification: Notify the group" in found.sentence
    assert "import_set" in found.remedy


def test_a_quiet_write_sets_none_of_it_off() -> None:
    instance = with_effects(fitting())
    instance.add("task", "sys_id")
    (found,) = aspect(look(instance, via="import_set"), "incident", "effects")
    assert found.level == "ok"
    (missing,) = of(look(instance, via="import_set"), "import sets", "error")
    assert "u_journey_in_incident is missing" in missing.sentence


def test_what_may_not_be_read_is_said_to_be_unseen() -> None:
    instance = with_effects(fitting())
    instance.forbidden = {"sys_script"}
    instance.tables.pop("sysevent_email_action")
    (found,) = of(look(instance), "effects", "warn")
    assert "sys_script, sysevent_email_action" in found.sentence


def test_a_column_that_is_not_there_is_never_asked_by() -> None:
    """Its condition would be dropped, and every rule of the instance listed (§1.3)."""
    instance = with_effects(fitting())
    instance.add("sys_script", "sys_id", "active", "collection", "name")
    assert "sys_script" in list_effects(instance, ["incident"])["incident"].unseen
    assert "sys_script" not in instance.asked


# ── the lists of our own columns ─────────────────────────────────────────────────────────────


def lacking(wanted: dict[str, list[str]], *held: str) -> list[Finding]:
    instance = Instance()
    instance.choices = [Choice("incident", fields.STEP, value, value, "en") for value in held]
    return list(check_own_choices(instance, ("incident", "problem"), wanted))


def test_a_value_that_our_own_list_lacks_is_told_before_it_is_refused() -> None:
    (found,) = lacking({fields.STEP: ["usar", "balance", "acuerdo"]}, "usar", "medir")
    assert (found.subject, found.level, found.aspect) == ("incident", "warn", "write")
    assert "2 values" in found.sentence
    assert "balance, acuerdo" in found.sentence
    assert "travesia provision --apply" in found.remedy


def test_a_complete_list_and_a_column_without_one_say_nothing() -> None:
    assert lacking({fields.STEP: ["usar"], fields.BAND: ["visible"]}, "usar", "old") == []
