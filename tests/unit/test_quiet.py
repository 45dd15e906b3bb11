"""Quiet writing: what it needs in the tool is planned, made once, and looked at before each run."""

from collections.abc import Iterator, Sequence

import pytest

from connector import staging
from connector.errors import ConfigError, ForbiddenError
from connector.itsm.base import Record
from connector.journey import fields
from connector.provision import Scope, Step, apply_provision, plan_provision
from tests.unit.test_provision import Platform, mapping

STAGING = "u_journey_in_incident"
SCOPE = Scope(("incident",), via="import_set")


class Importing(Platform):
    """A platform with Import Sets."""

    def __init__(self) -> None:
        super().__init__(lacks=())
        self.tables["sys_db_object"].append({"sys_id": "id-parent", "name": staging.PARENT})
        self.forbidden: set[str] = set()

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        if table in self.forbidden:
            raise ForbiddenError("no right", status=403)
        yield from super().list_records(table, fields, query, limit)


def provision(platform: Platform) -> tuple[Step, ...]:
    return apply_provision(platform, mapping(), SCOPE).steps


def of(platform: Platform, table: str) -> list[dict[str, str]]:
    return [values for verb, name, values in platform.writes if (verb, name) == ("create", table)]


def test_provisioning_makes_a_staging_table_whose_map_runs_no_rules_and_never_inserts() -> None:
    platform = Importing()
    provision(platform)
    made = next(row for row in of(platform, "sys_db_object") if row["name"] == STAGING)
    assert made["super_class"] == "id-parent"
    columns = [row for row in of(platform, "sys_dictionary") if row["name"] == STAGING]
    assert {row["element"] for row in columns} == {
        "u_journey_target",
        *(field.name for field in fields.RECORD_FIELDS),
    }
    (one,) = of(platform, staging.MAP)
    assert one["source_table"] == STAGING
    assert one["target_table"] == "incident"
    assert (one["run_business_rules"], one["copy_empty_fields"]) == ("false", "true")
    entries = {row["source_field"]: row for row in of(platform, staging.ENTRY)}
    assert {row["map"] for row in entries.values()} == {one["sys_id"]}
    assert [name for name, row in entries.items() if row["coalesce"] == "true"] == [
        "u_journey_target"
    ]
    assert entries["u_journey_target"]["target_field"] == "sys_id"
    assert entries["u_journey_step"]["target_field"] == "u_journey_step"
    (script,) = of(platform, staging.SCRIPT)
    assert (script["map"], script["when"]) == (one["sys_id"], "onBefore")
    assert 'action == "insert"' in script["script"]


def test_a_second_time_there_is_nothing_to_make_and_a_run_may_go_on() -> None:
    platform = Importing()
    provision(platform)
    assert provision(platform) == ()
    staging.check_staging(platform, ["incident"])


def test_without_import_sets_asked_for_no_staging_table_is_made() -> None:
    platform = Importing()
    apply_provision(platform, mapping(), Scope(("incident",)))
    assert of(platform, staging.MAP) == []


def test_a_map_that_would_run_rules_is_brought_back_and_no_run_goes_on_with_it() -> None:
    platform = Importing()
    provision(platform)
    platform.tables[staging.MAP][0]["run_business_rules"] = "true"
    with pytest.raises(ConfigError, match=r"is not as it must be \(run_business_rules\)"):
        staging.check_staging(platform, ["incident"])
    assert [step.changed for step in provision(platform)] == [{"run_business_rules": "false"}]
    staging.check_staging(platform, ["incident"])


def test_a_map_that_does_not_find_records_by_their_key_stops_the_run() -> None:
    platform = Importing()
    provision(platform)
    for row in platform.tables[staging.ENTRY]:
        row["coalesce"] = "false"
    with pytest.raises(ConfigError, match="does not find records by their sys_id"):
        staging.check_staging(platform, ["incident"])


def test_a_map_of_an_earlier_version_that_carries_less_stops_the_run() -> None:
    platform = Importing()
    provision(platform)
    entries = platform.tables[staging.ENTRY]
    entries[:] = [row for row in entries if row["source_field"] != fields.RELATIONSHIP]
    with pytest.raises(ConfigError, match=f"does not carry {fields.RELATIONSHIP}"):
        staging.check_staging(platform, ["incident"])
    staging.check_staging(platform, ["incident"], relationship=False)
    assert [step.artefact.fields["source_field"] for step in provision(platform)] == [
        fields.RELATIONSHIP
    ]
    staging.check_staging(platform, ["incident"])


def test_a_map_without_the_script_that_keeps_it_from_inserting_stops_the_run() -> None:
    platform = Importing()
    provision(platform)
    platform.tables[staging.SCRIPT][0]["active"] = "false"
    with pytest.raises(ConfigError, match="nothing keeps the transform map of"):
        staging.check_staging(platform, ["incident"])
    assert [step.changed for step in provision(platform)] == [{"active": "true"}]
    staging.check_staging(platform, ["incident"])


def test_a_missing_staging_table_is_named_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match=f"{STAGING} is missing") as caught:
        staging.check_staging(Importing(), ["incident"])
    assert "travesia provision --apply" in str(caught.value)


def test_maps_that_may_not_be_read_do_not_stop_a_run_and_provisioning_says_so() -> None:
    platform = Importing()
    provision(platform)
    platform.forbidden = {staging.MAP}
    staging.check_staging(platform, ["incident"])
    plan = plan_provision(platform, mapping(), SCOPE)
    assert staging.MAP in plan.skipped
    platform.tables["sys_db_object"].pop(2)
    plan = plan_provision(platform, mapping(), SCOPE)
    assert "Import Sets cannot be prepared" in plan.conflicts[0]


def test_the_clock_of_a_date_is_said_to_the_map() -> None:
    platform = Importing()
    provision(platform)
    since = next(r for r in of(platform, staging.ENTRY) if r["source_field"] == fields.SINCE)
    assert since["date_format"] == "yyyy-MM-dd HH:mm:ss"
