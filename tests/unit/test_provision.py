"""What we own in the tool: planned, made once, taken out again, never anything that is not ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from connector.journey.own_tables import OWN_TABLES, choices_of_fields
from connector.provision import (
    Artefact,
    Provisioning,
    Scope,
    apply_provision,
    artefacts_of,
    plan_provision,
    plan_removal,
    refuse_foreign,
    remove,
    stable_id,
)
from connector.provision.access import INTEGRATION, READER, STEWARD
from connector.provision.wanted import ORDER
from connector.staging import PARENT
from tests.fakes import FakeInstance

ON_RECORDS = (*fields.RECORD_FIELDS, *fields.STEWARD_FIELDS)
TABLES = ("incident", "sc_request")
SCOPE = Scope(TABLES)


@cache
def mapping() -> JourneyMapping:
    """The shipped one with a few of its touchpoints: a list is a list, however long."""
    return few(load_mapping())


def few(whole: JourneyMapping, *more: str) -> JourneyMapping:
    """A mapping with some of its touchpoints only, and these."""
    named = [*list(whole.touchpoints)[:5], "phone", *more]
    return replace(whole, touchpoints={name: whole.touchpoints[name] for name in named})


def _condition(text: str) -> tuple[str, Callable[[str], bool]]:
    """A column, and whether a value of it is what one condition of an encoded query asks for."""
    kinds: dict[str, Callable[[str, str], bool]] = {
        "STARTSWITH": str.startswith,
        "LIKE": str.__contains__,
        "IN": lambda value, wanted: value in wanted.split(","),
        "=": str.__eq__,
    }
    kind = next(kind for kind in kinds if kind in text)
    column, _kind, wanted = text.partition(kind)
    return column, lambda value: kinds[kind](value, wanted)


class Platform(FakeInstance):
    """A fake whose configuration tables do what the platform's do: a column brings its label."""

    def __init__(self, lacks: Sequence[str] = ("sys_transform_script",)) -> None:
        self.system = [name for name in ORDER if name not in lacks]
        super().__init__(datetime(2026, 11, 1, tzinfo=UTC), {name: [] for name in self.system})
        for name in TABLES:
            self.tables["sys_db_object"].append({"sys_id": name, "name": name})
        self.writes: list[tuple[str, str, dict[str, str]]] = []
        self.inherited: list[Choice] = []
        self.columns: list[Column] = []
        self.refused: dict[str, str] = {}

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        known = {row["name"] for row in self.tables["sys_db_object"]} | set(self.system)
        return {name: "" for name in names if name in known}

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        return [c for c in self.columns if c.table in tables] + [
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
        conditions = [_condition(c) for c in query.replace("^ORelementISEMPTY", ",").split("^")]
        for row in self.tables[table]:
            if all(holds(row.get(column, "")) for column, holds in conditions):
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
        if detail := self.refused.get(table):
            return [UpdateReply(table, r["sys_id"], "forbidden", {}, detail) for r in records]
        for record in records:
            self.create_record(table, record)
        return [UpdateReply(table, r["sys_id"], "written", r) for r in records]

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        for update in updates:
            self.writes.append(("update", update.table, dict(update.values)))
            self.update_record(update.table, update.sys_id, update.values)
        return [UpdateReply(u.table, u.sys_id, "written", u.values) for u in updates]

    def delete_records(self, table: str, sys_ids: Sequence[str]) -> list[UpdateReply]:
        kept = [row for row in self.tables[table] if row["sys_id"] not in sys_ids]
        self.writes += [("delete", table, {"sys_id": sys_id}) for sys_id in sys_ids]
        self.tables[table][:] = kept
        return [UpdateReply(table, sys_id, "written", {}) for sys_id in sys_ids]


def of(plan: Provisioning, table: str) -> dict[str, dict[str, str]]:
    """What is sent to one platform table, by name."""
    return {step.name: dict(step.changed) for step in plan.of(table)}


def test_a_plan_names_everything_that_is_missing_and_sends_nothing() -> None:
    platform = Platform()
    plan = plan_provision(platform, mapping(), SCOPE)
    assert of(plan, "sys_db_object")["u_journey_report"] == {
        "sys_id": stable_id("sys_db_object", "u_journey_report"),
        "name": "u_journey_report",
        "label": "Journey report",
    }
    assert of(plan, "sys_dictionary").keys() == {
        *(f"{table}.{f.name}" for table in TABLES for f in ON_RECORDS),
        *(f"{own.name}.{f.name}" for own in OWN_TABLES for f in own.fields),
    }
    assert plan.conflicts == ()
    assert not plan.is_complete
    assert platform.writes == []


def test_a_column_is_made_with_type_label_length_and_dropdown() -> None:
    by_name = of(plan_provision(Platform(), mapping(), SCOPE), "sys_dictionary")
    assert by_name["incident.u_journey_step"] == {
        "sys_id": stable_id("sys_dictionary", "incident", "u_journey_step"),
        "name": "incident",
        "element": "u_journey_step",
        "internal_type": "string",
        "column_label": "Journey step",
        "active": "true",
        "max_length": "40",
        "choice": "1",
        "read_only": "true",
        "read_only_option": "display_read_only",
    }
    assert by_name["incident.u_journey_since"]["internal_type"] == "glide_date_time"
    assert by_name["u_journey_report.u_records"]["internal_type"] == "integer"
    assert by_name["u_journey.u_task"]["reference"] == "task"
    assert "choice" not in by_name["incident.u_journey_why"]


def test_nobody_is_let_further_than_the_work_needs() -> None:
    """Who may write what of our tables: a steward what stewards say, the account what it fills."""
    plan = plan_provision(Platform(), mapping(), SCOPE)
    controls = {one["sys_id"]: f"{one['operation']} {name}" for name, one in _controls(plan)}
    roles = {stable_id("sys_user_role", name): name[10:] for name in (INTEGRATION, STEWARD, READER)}
    allowed: dict[str, set[str]] = {}
    for step in plan.of("sys_security_acl_role"):
        row = dict(step.changed)
        allowed.setdefault(controls[row["sys_security_acl"]], set()).add(
            roles[row["sys_user_role"]]
        )
    assert allowed["create u_journey_contact"] == allowed["write u_journey_contact"] == {"steward"}
    assert allowed["write u_journey"] == {"integration", "steward"}
    assert {name for name in allowed if allowed[name] == {"integration", "steward"}} >= {
        "write u_journey_engagement.u_ring_confirmed"
    }
    for field in ("u_record", "u_table", "u_task", "u_number"):
        assert allowed[f"write u_journey.{field}"] == {"integration"}
    for field in ("u_owner", "u_next_step"):
        assert allowed[f"write u_journey_engagement.{field}"] == {"steward"}
    for own in OWN_TABLES:
        assert "reader" not in allowed[f"delete {own.name}"], "else a platform may let anybody"


def _controls(plan: Provisioning) -> Iterator[tuple[str, dict[str, str]]]:
    for step in plan.of("sys_security_acl"):
        row = dict(step.changed)
        yield row["name"], row


def test_only_what_people_fill_can_be_edited_by_people() -> None:
    by_name = of(plan_provision(Platform(), mapping(), SCOPE), "sys_dictionary")
    open_ = {name for name, row in by_name.items() if "read_only_option" not in row}
    assert {name for name in open_ if name.startswith("incident.")} == {
        "incident.u_journey_override",
        "incident.u_journey_override_reason",
    }
    assert "u_journey_engagement.u_ring_confirmed" in open_
    assert "u_journey_engagement.u_score" not in open_
    assert not {name for name in open_ if name.startswith("u_journey_report.")}


def test_a_release_without_read_only_options_gets_columns_that_the_account_can_write() -> None:
    platform = Platform()
    platform.columns = [
        Column("sys_dictionary", name, "string")
        for name in ("name", "element", "internal_type", "column_label", "active", "read_only")
    ]
    row = of(plan_provision(platform, mapping(), SCOPE), "sys_dictionary")["incident.u_journey_why"]
    assert row.keys() == {*("sys_id", "name", "element", "internal_type", "column_label", "active")}


def test_columns_that_stand_without_protection_get_it_and_keep_their_type() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), replace(SCOPE, protect=False))
    for row in platform.tables["sys_dictionary"]:
        row |= {"read_only": "false", "read_only_option": "", "max_length": "99"}
    (step, *others) = plan_provision(platform, mapping(), SCOPE).steps
    assert {one.table for one in (step, *others)} == {"sys_dictionary"}
    assert step.changed == {"read_only": "true", "read_only_option": "display_read_only"}
    assert step.was == {"read_only": "false", "read_only_option": ""}


def test_choices_come_in_both_languages_in_the_order_of_the_journey() -> None:
    rows = of(plan_provision(Platform(), mapping(), SCOPE), "sys_choice")
    steps = [r for name, r in rows.items() if name.startswith("incident.u_journey_step")]
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
    sent = apply_provision(platform, mapping(), SCOPE)
    assert len(sent.steps) == len(platform.writes)
    platform.writes.clear()
    assert apply_provision(platform, mapping(), SCOPE).steps == ()
    assert platform.writes == []
    assert plan_provision(platform, mapping(), SCOPE).is_complete


def test_the_label_that_the_platform_made_is_completed_not_doubled() -> None:
    """Making a column makes its label in the account's language, without help."""
    platform = Platform()
    apply_provision(platform, mapping(), SCOPE)
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
    apply_provision(platform, mapping(), SCOPE)
    del platform.tables["sys_choice"][7:]
    platform.writes.clear()
    apply_provision(platform, mapping(), SCOPE)
    assert {table for _kind, table, _values in platform.writes} == {"sys_choice"}
    assert plan_provision(platform, mapping(), SCOPE).is_complete


def places_of(touchpoint: str) -> int:
    """In how many choice lists a touchpoint stands: on two tables and on our own."""
    lists = choices_of_fields(mapping(), "travesia").values()
    return sum(touchpoint in values for values in lists) * (len(TABLES) + 1)


def test_a_new_touchpoint_is_exactly_its_new_choices() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), SCOPE)
    old = next(iter(mapping().touchpoints.values()))
    new = replace(old, id="sauna", name=Text("Sauna", "Sauna"))
    overlaid = replace(mapping(), touchpoints={**mapping().touchpoints, "sauna": new})
    plan = plan_provision(platform, overlaid, SCOPE)
    assert {(step.action, step.table, step.changed["value"]) for step in plan.steps} == {
        ("create", "sys_choice", "sauna")
    }
    assert "incident.u_journey_touchpoint = sauna (es)" in of(plan, "sys_choice")
    assert len(plan.steps) == 2 * 3 * 3, "two languages, three columns, three tables"
    apply_provision(platform, overlaid, SCOPE)
    back = plan_provision(platform, mapping(), SCOPE)
    assert back.steps == (), "what the mapping no longer has is told, never deleted"
    assert "incident.u_journey_touchpoint = sauna" in back.leftovers


def test_a_renamed_touchpoint_renames_its_choice_and_nothing_else() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), SCOPE)
    platform.writes.clear()
    name = "phone"
    touchpoint = mapping().touchpoints[name]
    renamed = replace(touchpoint, name=Text("Other words", touchpoint.name.es))
    overlaid = replace(mapping(), touchpoints={**mapping().touchpoints, name: renamed})
    apply_provision(platform, overlaid, SCOPE)
    said = ("update", "sys_choice", {"label": "Other words"})
    assert [write for write in platform.writes if write == said] == platform.writes
    assert len(platform.writes) >= places_of(name)


def test_choices_that_are_all_inherited_are_left_where_they_stand() -> None:
    """A table's own list would replace the one it inherits from task."""
    platform = Platform()
    platform.inherited = [
        Choice("incident", fields.BAND, value, label.in_(language), language)
        for value, label in fields.BAND_CHOICES.items()
        for language in ("en", "es")
    ]
    rows = of(plan_provision(platform, mapping(), SCOPE), "sys_choice").values()
    bands = {row["name"] for row in rows if row["element"] == fields.BAND}
    assert bands == {"sc_request", "u_journey"}


def test_what_an_instance_does_not_have_is_left_out_and_told() -> None:
    platform = Platform(lacks=("sys_documentation", "sys_process_flow", "sys_transform_script"))
    plan = plan_provision(platform, mapping(), SCOPE)
    assert plan.of("sys_documentation") == plan.of("sys_process_flow") == []
    assert plan.skipped == ("sys_documentation", "sys_process_flow")


def test_a_missing_table_is_a_question_for_a_person_and_nothing_is_sent() -> None:
    platform = Platform()
    scope = Scope((*TABLES, "incidents"))
    plan = plan_provision(platform, mapping(), scope)
    assert plan.conflicts == ("Table incidents does not exist; check its name",)
    assert all(step.artefact.place != "incidents" for step in plan.steps)
    with pytest.raises(ConfigError, match="Table incidents does not exist"):
        apply_provision(platform, mapping(), scope)
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
    plan = plan_provision(platform, mapping(), SCOPE)
    (conflict,) = plan.conflicts
    assert "u_journey_since of incident is string where glide_date_time is needed" in conflict


def test_an_id_too_long_for_its_column_is_said_before_it_is_cut() -> None:
    touchpoint = next(iter(mapping().touchpoints.values()))
    long = replace(touchpoint, id="x" * 41)
    overlaid = replace(mapping(), touchpoints={long.id: long})
    plan = plan_provision(Platform(), overlaid, SCOPE)
    assert any("is too long for u_journey_touchpoint (40 characters)" in c for c in plan.conflicts)


def test_a_refused_choice_ends_with_the_tools_reason() -> None:
    platform = Platform()
    platform.refused = {"sys_choice": "ACL Exception"}
    with pytest.raises(InstanceError, match=r"could not be made \(ACL Exception\)"):
        apply_provision(platform, mapping(), SCOPE)


def test_access_controls_that_only_a_raised_role_may_make_are_left_out_and_told() -> None:
    platform = Platform()
    platform.refused = {"sys_security_acl": "raise your role"}
    made = apply_provision(platform, mapping(), SCOPE)
    assert made.skipped == ("sys_security_acl",)
    assert platform.tables["sys_ui_view"], "the rest is made"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("sys_dictionary", {"name": "incident", "element": "state"}),
        ("sys_dictionary", {"name": "u_journal", "element": "x"}),
        ("sys_db_object", {"name": "incident"}),
        ("sys_ui_section", {"name": "incident", "view": "the default view"}),
        ("sys_ui_list_element", {"list_id": "somebody's list", "element": "u_journey_step"}),
        ("sys_security_acl", {"name": "incident"}),
        ("sys_properties", {"name": "u_journey_x"}),
    ],
)
def test_what_is_not_ours_is_refused(table: str, values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="does not carry the prefix u_journey_"):
        refuse_foreign([Artefact(table, "x", values)])


def test_only_configuration_tables_are_ever_written() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), SCOPE)
    assert {table for _kind, table, _values in platform.writes} <= set(ORDER)


def test_removal_takes_out_all_that_was_made_and_nothing_else() -> None:
    platform = Platform()
    stranger = {"sys_id": "s", "name": "incident", "element": "u_vip", "internal_type": "boolean"}
    platform.tables["sys_dictionary"].append({**stranger, "column_label": "VIP"})
    apply_provision(platform, mapping(), SCOPE)
    platform.writes.clear()
    planned = plan_removal(platform, mapping(), SCOPE)
    assert platform.writes == []
    assert {step.action for step in planned.steps} == {"delete"}
    order = [ORDER.index(table) for table in planned.counts()]
    assert order == sorted(order, reverse=True), "what refers to another goes first"
    remove(platform, mapping(), SCOPE)
    left = {name: rows for name, rows in platform.tables.items() if rows}
    own = {f.name for one in OWN_TABLES for f in one.fields}
    assert {row["name"] for row in left.pop("sys_db_object")} == set(TABLES)
    columns = left.pop("sys_dictionary")
    assert {(r["name"], r["element"]) for r in columns if r["name"] in TABLES} == {
        ("incident", "u_vip")
    }
    assert {r["element"] for r in columns if r["name"] not in TABLES} <= own, "go with their table"
    assert left == {}
    assert plan_removal(platform, mapping(), SCOPE).steps == tuple()


OTHERS: Mapping[str, Scope] = {
    "other tables": Scope(("incident",)),
    "other tables, where an own table holds it": Scope(("incident",), mode="table"),
    "without relationships": replace(SCOPE, relationship=False),
    "another journey": replace(SCOPE, journey="itil4"),
}


@pytest.mark.parametrize("later", OTHERS.values(), ids=list(OTHERS))
@pytest.mark.parametrize("mode", ["record", "table"])
def test_removal_takes_out_what_other_settings_made(mode: str, later: Scope) -> None:
    platform = Platform(lacks=())
    platform.tables["sys_db_object"].append({"sys_id": "parent", "name": PARENT})
    apply_provision(platform, mapping(), replace(SCOPE, mode=mode, via="import_set"))
    remove(platform, mapping(), later)
    left = {name: rows for name, rows in platform.tables.items() if rows}
    assert {row["name"] for row in left.pop("sys_db_object")} == {*TABLES, PARENT}
    assert {row["name"] for row in left.pop("sys_dictionary")}.isdisjoint(TABLES)
    labels = left.pop("sys_documentation")
    assert all(row["name"].startswith("u_journey_in_") for row in labels), "go with their table"
    assert left == {}


def test_removal_takes_out_the_choices_that_left_the_mapping_and_no_others() -> None:
    platform = Platform()
    old = next(iter(mapping().touchpoints.values()))
    new = replace(old, id="sauna", name=Text("Sauna", "Sauna"))
    overlaid = replace(mapping(), touchpoints={**mapping().touchpoints, "sauna": new})
    apply_provision(platform, overlaid, SCOPE)
    theirs = {"name": "incident", "element": "u_state", "value": "sauna", "language": "en"}
    platform.tables["sys_choice"].append({"sys_id": "theirs", **theirs})
    twin = {**platform.tables["sys_choice"][0], "sys_id": "twin", "dependent_value": "x"}
    platform.tables["sys_choice"].append(twin)
    planned = plan_removal(platform, mapping(), SCOPE)
    assert "incident.u_journey_touchpoint = sauna (es)" in {s.name for s in planned.steps}
    remove(platform, mapping(), SCOPE)
    assert [row["sys_id"] for row in platform.tables["sys_choice"]] == ["theirs"]


def test_removal_takes_out_the_stages_of_a_step_that_left_the_mapping() -> None:
    platform = Platform()
    apply_provision(platform, mapping(), SCOPE)
    theirs = {"sys_id": "theirs", "name": "u_journey_step: incident own", "table": "incident"}
    platform.tables["sys_process_flow"].append(theirs)
    journeys = {n: replace(j, steps=j.steps[1:]) for n, j in mapping().journeys.items()}
    fewer = replace(mapping(), journeys=journeys)
    remove(platform, fewer, SCOPE)
    assert platform.tables["sys_process_flow"] == [theirs]


def test_removal_leaves_a_table_where_somebody_else_has_a_column_of_our_name() -> None:
    platform = Platform()
    trips = {"sys_id": "trips", "name": "x_trip"}
    column = {"name": "x_trip", "element": "u_journey_step", "internal_type": "string"}
    platform.tables["sys_db_object"].append(trips)
    platform.tables["sys_dictionary"].append({"sys_id": "s", **column, "column_label": "Leg"})
    apply_provision(platform, mapping(), SCOPE)
    remove(platform, mapping(), SCOPE)
    assert trips in platform.tables["sys_db_object"]
    assert [row["sys_id"] for row in platform.tables["sys_dictionary"] if row["name"] == "x_trip"]


def test_removal_names_what_it_could_not_look_into() -> None:
    planned = plan_removal(Platform(lacks=("sys_report", "sys_security_acl")), mapping(), SCOPE)
    assert planned.steps == ()
    assert planned.skipped == ("sys_report", "sys_security_acl")


def test_sys_ids_are_32_hex_digits_and_the_same_everywhere() -> None:
    ids = [one.sys_id for one in artefacts_of(mapping(), SCOPE)]
    assert len(set(ids)) == len(ids)
    assert all(len(sys_id) == 32 and int(sys_id, 16) >= 0 for sys_id in ids)
    assert (
        stable_id("sys_dictionary", "incident", "u_journey_step")
        == "2e0e83834b939eebbec4ae8139e988c4"
    )


def test_progress_is_told_table_by_table() -> None:
    told: list[tuple[str, int, int]] = []
    apply_provision(Platform(), mapping(), SCOPE, progress=lambda *said: told.append(said))
    assert list(dict.fromkeys(table for table, _d, _t in told)) == [
        table for table in ORDER if not table.startswith("sys_transform")
    ]
    for table, total in {(table, total) for table, _d, total in told}:
        assert sum(done for name, done, _t in told if name == table) == total


def test_without_the_reference_to_relationships_nothing_speaks_of_it() -> None:
    """`[write_back] relationship = false`: on the records; our own table is always whole."""
    for via in ("batch", "import_set"):
        made = artefacts_of(mapping(), Scope(TABLES, via=via, relationship=False))
        named = [one for one in made if fields.RELATIONSHIP in " ".join(one.fields.values())]
        assert {one.place for one in named if one.table != "sys_security_acl"} == {"u_journey"}
        assert all("u_journey." in one.fields["name"] for one in named if "operation" in one.fields)


def test_the_form_shows_how_the_relationship_stands_and_the_relationship_its_records() -> None:
    made = artefacts_of(mapping(), SCOPE)
    sections = {
        one.sys_id: one.fields["name"]
        for one in made
        if one.table == "sys_ui_section" and one.fields["caption"].startswith("Journey")
    }
    shown = {
        (sections[one.fields["sys_ui_section"]], one.fields["element"])
        for one in made
        if one.table == "sys_ui_element" and one.fields["sys_ui_section"] in sections
    }
    for table in (*TABLES, "u_journey"):
        for column in ("", ".u_state", ".u_score"):
            assert (table, f"{fields.RELATIONSHIP}{column}") in shown
    lists = {one.fields["related_list"] for one in made if one.table.endswith("list_entry")}
    assert {f"{table}.{fields.RELATIONSHIP}" for table in TABLES} <= lists
    (named,) = [
        one.fields["element"]
        for one in made
        if one.fields.get("display") == "true" and one.fields["name"] == "u_journey_engagement"
    ]
    assert named == "u_name"
