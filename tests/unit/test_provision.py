"""What we own in the tool: planned, made once, never anything that is not ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from connector.errors import ConfigError, InstanceError
from connector.itsm.base import Choice, Column, Record, RecordUpdate, UpdateReply
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Text
from connector.journey.own_tables import OWN_TABLES
from connector.provision import (
    Artefact,
    apply_provision,
    choices_of_fields,
    plan_provision,
    refuse_foreign,
    stable_id,
)
from tests.fakes import FakeInstance

ON_RECORDS = (*fields.RECORD_FIELDS, *fields.STEWARD_FIELDS)
TABLES = ("incident", "sc_request")
SYSTEM = ("sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice")


@cache
def mapping() -> JourneyMapping:
    return load_mapping()


class Platform(FakeInstance):
    """A fake whose configuration tables do what the platform's do: a column brings its label."""

    def __init__(self) -> None:
        super().__init__(datetime(2026, 11, 1, tzinfo=UTC), {name: [] for name in SYSTEM})
        for name in TABLES:
            self.tables["sys_db_object"].append({"sys_id": name, "name": name})
        self.writes: list[tuple[str, str, dict[str, str]]] = []
        self.inherited: list[Choice] = []
        self.detail = ""

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        known = {row["name"] for row in self.tables["sys_db_object"]} | set(SYSTEM)
        return {name: "" for name in names if name in known}

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        return [
            Column(row["name"], row["element"], row["internal_type"], row["column_label"])
            for row in self.tables["sys_dictionary"]
            if row["name"] in tables
        ]

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:  # noqa: ARG002 - protocol
        return self.inherited

    def list_records(
        self,
        table: str,
        fields: Sequence[str],
        query: str = "",
        limit: int | None = None,  # noqa: ARG002 - protocol
    ) -> Iterator[Record]:
        assert query.startswith("nameINincident,")
        for row in self.tables[table]:
            yield {k: v for k, v in row.items() if k in ("sys_id", *fields)}

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        self.writes.append(("create", table, dict(values)))
        self.tables[table].append(dict(values))
        if table in ("sys_dictionary", "sys_db_object"):
            self.tables["sys_documentation"].append(
                {
                    "sys_id": f"auto{len(self.writes)}",
                    "name": values["name"],
                    "element": values.get("element", ""),
                    "language": "en",
                    "label": values.get("column_label") or values["label"],
                    "help": "",
                }
            )
        return dict(values)

    def create_records(self, table: str, records: Sequence[Mapping[str, str]]) -> list[UpdateReply]:
        if self.detail:
            return [UpdateReply(table, r["sys_id"], "forbidden", {}, self.detail) for r in records]
        for record in records:
            self.create_record(table, record)
        return [UpdateReply(table, r["sys_id"], "written", r) for r in records]

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        for update in updates:
            self.writes.append(("update", update.table, dict(update.values)))
            self.update_record(update.table, update.sys_id, update.values)
        return [UpdateReply(u.table, u.sys_id, "written", u.values) for u in updates]


def test_a_plan_names_everything_that_is_missing_and_sends_nothing() -> None:
    platform = Platform()
    plan = plan_provision(platform, mapping(), TABLES)
    assert plan.of("table")[0].values == {
        "sys_id": stable_id("sys_db_object", "u_journey_report"),
        "name": "u_journey_report",
        "label": "Journey report",
    }
    columns = {artefact.name for artefact in plan.of("column")}
    assert columns == {
        *(f"{table}.{f.name}" for table in TABLES for f in ON_RECORDS),
        *(f"{own.name}.{f.name}" for own in OWN_TABLES for f in own.fields),
    }
    assert plan.conflicts == ()
    assert not plan.is_complete
    assert platform.writes == []


def test_a_column_is_made_with_type_label_length_and_dropdown() -> None:
    plan = plan_provision(Platform(), mapping(), TABLES)
    by_name = {artefact.name: artefact.values for artefact in plan.of("column")}
    step = by_name["incident.u_journey_step"]
    assert step == {
        "sys_id": stable_id("sys_dictionary", "incident", "u_journey_step"),
        "name": "incident",
        "element": "u_journey_step",
        "internal_type": "string",
        "column_label": "Journey step",
        "active": "true",
        "max_length": "40",
        "choice": "1",
    }
    assert by_name["incident.u_journey_since"]["internal_type"] == "glide_date_time"
    assert by_name["u_journey_report.u_records"]["internal_type"] == "integer"
    assert "choice" not in by_name["incident.u_journey_why"]


def test_choices_come_in_both_languages_in_the_order_of_the_journey() -> None:
    plan = plan_provision(Platform(), mapping(), TABLES, "travesia")
    steps = [a.values for a in plan.of("choice") if a.name.startswith("incident.u_journey_step")]
    expected = [
        (step.id, language, step.name.in_(language), str(position * 10))
        for position, step in enumerate(mapping().journeys["travesia"].steps, start=1)
        for language in ("en", "es")
    ]
    assert [(s["value"], s["language"], s["label"], s["sequence"]) for s in steps] == expected


def test_the_journey_that_is_shown_decides_the_steps() -> None:
    found = choices_of_fields(mapping(), "itil4")[fields.STEP]
    assert list(found) == [step.id for step in mapping().journeys["itil4"].steps]


def test_everything_that_is_written_to_a_choice_column_has_its_choice() -> None:
    choices = choices_of_fields(mapping(), "travesia")
    assert set(choices) == {f.name for f in ON_RECORDS if f.type == "choice"}
    assert set(choices[fields.TOUCHPOINT]) == set(mapping().touchpoints)


def test_a_second_application_sends_nothing() -> None:
    platform = Platform()
    sent = apply_provision(platform, mapping(), TABLES)
    assert len(sent) == len(platform.writes)
    platform.writes.clear()
    assert apply_provision(platform, mapping(), TABLES) == []
    assert platform.writes == []
    assert plan_provision(platform, mapping(), TABLES).is_complete


def test_the_label_that_the_platform_made_is_completed_not_doubled() -> None:
    """Making a column makes its label in the account's language, without help."""
    platform = Platform()
    apply_provision(platform, mapping(), TABLES)
    rows = [
        (row["language"], row["label"], row["help"])
        for row in platform.tables["sys_documentation"]
        if (row["name"], row["element"]) == ("incident", "u_journey_step")
    ]
    step = fields.RECORD_FIELDS[0]
    assert sorted(rows) == [
        ("en", step.label.en, step.help.en),
        ("es", step.label.es, step.help.es),
    ]


def test_what_was_interrupted_is_completed() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), TABLES)
    del platform.tables["sys_choice"][7:]
    platform.writes.clear()
    apply_provision(platform, mapping(), TABLES)
    assert {table for _kind, table, _values in platform.writes} == {"sys_choice"}
    assert plan_provision(platform, mapping(), TABLES).is_complete


def test_a_renamed_touchpoint_renames_its_choice_and_nothing_else() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), TABLES)
    platform.writes.clear()
    name, touchpoint = next(iter(mapping().touchpoints.items()))
    renamed = replace(touchpoint, name=Text("Other words", touchpoint.name.es))
    overlaid = replace(mapping(), touchpoints={**mapping().touchpoints, name: renamed})
    apply_provision(platform, overlaid, TABLES)
    assert platform.writes == [("update", "sys_choice", {"label": "Other words"})] * len(
        [
            name
            for name, values in choices_of_fields(mapping(), "travesia").items()
            if touchpoint.id in values
        ]
    ) * len(TABLES)


def test_choices_that_are_all_inherited_are_left_where_they_stand() -> None:
    """A table's own list would replace the one it inherits from task."""
    platform = Platform()
    platform.inherited = [
        Choice("incident", fields.BAND, value, label.in_(language), language)
        for value, label in fields.BAND_CHOICES.items()
        for language in ("en", "es")
    ]
    plan = plan_provision(platform, mapping(), TABLES)
    bands = {a.table for a in plan.of("choice") if a.element == fields.BAND}
    assert bands == {"sc_request"}


def test_an_instance_without_label_records_is_provisioned_without_them() -> None:
    platform = Platform()
    platform.list_tables = lambda names: {  # type: ignore[method-assign]
        n: "" for n in names if n in (*TABLES, "sys_dictionary", "sys_choice", "sys_db_object")
    }
    assert plan_provision(platform, mapping(), TABLES).of("label") == []


def test_a_missing_table_is_a_question_for_a_person_and_nothing_is_sent() -> None:
    platform = Platform()
    plan = plan_provision(platform, mapping(), ("incident", "sc_request", "incidents"))
    assert plan.conflicts == ("Table incidents does not exist; check its name",)
    assert all(artefact.table != "incidents" for artefact in plan.artefacts)
    with pytest.raises(ConfigError, match="Table incidents does not exist"):
        apply_provision(platform, mapping(), ("incident", "sc_request", "incidents"))
    assert platform.writes == []


def test_a_column_of_ours_with_another_type_is_never_changed() -> None:
    platform = Platform()
    platform.tables["sys_dictionary"].append(
        {
            "sys_id": "x",
            "name": "incident",
            "element": "u_journey_since",
            "internal_type": "string",
            "column_label": "Since",
        }
    )
    plan = plan_provision(platform, mapping(), TABLES)
    (conflict,) = plan.conflicts
    assert "u_journey_since of incident is string where glide_date_time is needed" in conflict


def test_an_id_too_long_for_its_column_is_said_before_it_is_cut() -> None:
    touchpoint = next(iter(mapping().touchpoints.values()))
    long = replace(touchpoint, id="x" * 41)
    overlaid = replace(mapping(), touchpoints={long.id: long})
    plan = plan_provision(Platform(), overlaid, ("incident", "sc_request"))
    assert any("is too long for u_journey_touchpoint (40 characters)" in c for c in plan.conflicts)


def test_a_refused_choice_ends_with_the_tools_reason() -> None:
    platform = Platform()
    platform.detail = "ACL Exception"
    with pytest.raises(InstanceError, match=r"could not be made \(ACL Exception\)"):
        apply_provision(platform, mapping(), TABLES)


@pytest.mark.parametrize(
    ("table", "element"), [("incident", "state"), ("incident", ""), ("u_journal", "x")]
)
def test_a_name_without_our_prefix_is_refused(table: str, element: str) -> None:
    with pytest.raises(ConfigError, match="does not carry the prefix u_journey_"):
        refuse_foreign(Artefact("column", "create", table, element, "x", {}))


def test_only_configuration_tables_are_ever_written() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), TABLES)
    assert {table for _kind, table, _values in platform.writes} == set(SYSTEM)


def test_sys_ids_are_32_hex_digits_and_the_same_everywhere() -> None:
    ids = [a.sys_id for a in plan_provision(Platform(), mapping(), TABLES).artefacts]
    assert len(set(ids)) == len(ids)
    assert all(len(sys_id) == 32 and int(sys_id, 16) >= 0 for sys_id in ids)
    assert (
        stable_id("sys_dictionary", "incident", "u_journey_step")
        == "2e0e83834b939eebbec4ae8139e988c4"
    )


def test_progress_is_told_kind_by_kind() -> None:
    told: list[tuple[str, int, int]] = []
    apply_provision(Platform(), mapping(), TABLES, progress=lambda *said: told.append(said))
    assert [kind for kind in dict.fromkeys(k for k, _d, _t in told)] == [
        "table",
        "column",
        "label",
        "choice",
    ]
    for kind, total in {(k, t) for k, _d, t in told}:
        assert sum(done for k, done, _t in told if k == kind) == total
