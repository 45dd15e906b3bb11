"""The sandbox's schema file: what is shipped, and what a wrong one is told."""

from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.sandbox.schema import load_schema, without

LABELS = 'label = { en = "A", es = "A" }\nplural = { en = "As", es = "As" }\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "schema.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_schema(write(tmp_path, text))
    return str(caught.value)


def test_an_incident_has_the_columns_of_a_task_and_its_own() -> None:
    incident = load_schema().tables["incident"]
    assert incident.root == "task"
    assert {"sys_id", "sys_mod_count", "number", "assignment_group", "hold_reason"} <= set(
        incident.columns
    )
    assert incident.columns["assignment_group"].table == "task"
    assert "number" not in incident.own


def test_a_child_replaces_the_choice_list_of_its_parent() -> None:
    tables = load_schema().tables
    assert [c.value for c in tables["incident"].columns["state"].choices] == list("123678")
    assert "-5" in [c.value for c in tables["sc_task"].columns["state"].choices]
    approval = [c.value for c in tables["sc_req_item"].columns["approval"].choices]
    assert approval[0] == "not requested"


def test_every_label_is_written_in_both_languages() -> None:
    for table in load_schema().tables.values():
        labels = [table.label, table.plural, *(c.label for c in table.columns.values())]
        labels += [choice.label for c in table.columns.values() for choice in c.choices]
        assert all(label.en.strip() and label.es.strip() for label in labels), table.name


def test_descendants_of_task_are_all_the_task_tables() -> None:
    assert set(load_schema().descendants("task")) == {
        *("task", "incident", "problem", "change_request"),
        *("sc_request", "sc_req_item", "sc_task", "change_task", "pm_project"),
        *("im_idea_core", "dmn_demand", "sn_cim_register"),
        *("sn_customerservice_case", "sn_hr_le_case"),
    }


def test_an_instance_may_lack_the_tables_of_plug_ins() -> None:
    schema = without(load_schema(), ["dmn_demand", "customer_account"])
    assert not {"dmn_demand", "customer_account"} & set(schema.tables)
    demand = schema.tables["im_idea_core"].columns["demand"]
    assert (demand.type, demand.reference) == ("string", "")
    assert schema.tables["customer_contact"].columns["department"].reference == "cmn_department"


def test_a_table_to_leave_out_must_exist() -> None:
    with pytest.raises(ConfigError, match="dmn_demnd does not exist; did you mean dmn_demand"):
        without(load_schema(), ["dmn_demnd"])


def test_the_tables_that_the_connector_reads_have_their_documented_columns() -> None:
    tables = load_schema().tables
    assert {"task", "sla", "stage", "has_breached", "planned_end_time"} <= set(
        tables["task_sla"].columns
    )
    assert {"sysapproval", "approver", "state"} <= set(tables["sysapproval_approver"].columns)
    assert {"metric_type", "task_id", "taken_on"} <= set(tables["asmt_assessment_instance"].columns)
    assert {"actual_value", "instance"} <= set(tables["asmt_metric_result"].columns)


def test_an_unknown_parent_is_named_with_a_near_miss(tmp_path: Path) -> None:
    text = f"[task]\n{LABELS}[incident]\n{LABELS}extends = 'tsk'\n"
    assert "tsk does not exist; did you mean task?" in problems(tmp_path, text)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = (
        f"[task]\n{LABELS}list = ['nmber']\n[task.columns]\n"
        'number = { type = "string", label = { en = "N", es = "N" } }\n'
        'who = { type = "reference", label = { en = "W", es = "Q" } }\n'
        'odd = { type = "string", reference = "task", label = { en = "W", es = "Q" } }\n'
        'far = { type = "reference", reference = "tsk", label = { en = "W", es = "Q" } }\n'
        '[task.choices]\nstat = [ { value = "1", en = "a", es = "a" } ]\n'
    )
    told = problems(tmp_path, text)
    for part in ("nmber", "task.columns.who", "task.columns.odd", "tsk", "stat"):
        assert part in told


def test_a_wrong_type_and_an_unknown_key_are_refused(tmp_path: Path) -> None:
    text = (
        f"[task]\n{LABELS}colour = 'red'\n[task.columns]\n"
        'n = { type = "text", label = { en = "N", es = "N" } }\n'
    )
    told = problems(tmp_path, text)
    assert "task.colour" in told
    assert "task.columns.n.type" in told


def test_two_types_for_one_column_of_a_hierarchy_are_refused(tmp_path: Path) -> None:
    column = '{ type = "%s", label = { en = "S", es = "S" } }\n'
    text = (
        f"[task]\n{LABELS}[a]\n{LABELS}extends = 'task'\n[a.columns]\ns = {column % 'string'}"
        f"[b]\n{LABELS}extends = 'task'\n[b.columns]\ns = {column % 'integer'}"
    )
    assert "b.s is integer, but a.s" in problems(tmp_path, text)


def test_a_circle_of_parents_is_refused(tmp_path: Path) -> None:
    text = f"[a]\n{LABELS}extends = 'b'\n[b]\n{LABELS}extends = 'a'\n"
    assert "in a circle" in problems(tmp_path, text)


def test_an_absent_or_broken_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_schema(tmp_path / "none.toml")
    assert "not valid TOML" in problems(tmp_path, "[task\n")
