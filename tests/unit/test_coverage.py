"""Coverage: what the rules do not place, and what the next rule could be written from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.classify import save_classification
from connector.coverage import Coverage, measure_coverage
from connector.store import runs
from tests.journey_kit import NOW, Kit, schema, shipped

TIMES = {"sys_created_on": "2026-11-10 08:00:00", "sys_updated_on": "2026-11-10 08:00:00"}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    choice = {"table_name": "sysapproval_approver", "element": "state", "language": "en"}
    runs.save_dictionary(
        made.store, [], [{**choice, "value": v, "label": v.title()} for v in ("odd", "rare")]
    )
    yield made
    made.store.close()


def approvals(state: str, n: int, **more: str) -> list[dict[str, str]]:
    return [{"sys_id": f"{state}{i}", "state": state, **TIMES, **more} for i in range(n)]


def measure(kit: Kit, minimum: int = 5) -> Coverage:
    kit.classify()
    save_classification(kit.store, "r1")
    return measure_coverage(kit.store, shipped(), schema(), NOW, minimum, "en", "travesia")


def test_every_rule_is_told_with_its_hits(kit: Kit) -> None:
    kit.put("sysapproval_approver", *approvals("approved", 3), *approvals("odd", 2))
    found = measure(kit)
    hits = {rule.rule_id: rule.records for rule in found.rules}
    assert hits["approval-granted"] == 3
    assert hits["approval-rejected"] == 0
    (table,) = [one for one in found.tables if one.table == "sysapproval_approver"]
    assert (table.records, table.unclassified) == (5, 2)


def test_a_group_of_unclassified_records_comes_with_its_query(kit: Kit) -> None:
    kit.put("sysapproval_approver", *approvals("odd", 7), *approvals("approved", 4))
    found = measure(kit)
    (group,) = found.groups
    assert group.query.startswith("state=odd") or "^state=odd" in group.query
    assert (group.unclassified, group.records) == (7, 7)
    values = dict(found.values)["sysapproval_approver"]
    assert ("state", "odd", "Odd", 7) in [
        (v.column, v.value, v.label, v.unclassified) for v in values
    ]


def test_what_fewer_than_a_group_have_is_not_told(kit: Kit) -> None:
    kit.put("sysapproval_approver", *approvals("odd", 6), *approvals("rare", 4))
    found = measure(kit)
    assert "rare" not in repr(found.values) + repr(found.groups)
    kit.empty()
    kit.put("sysapproval_approver", *approvals("odd", 4))
    assert measure(kit).groups == ()


def test_neither_people_nor_free_text_are_shown(kit: Kit) -> None:
    secret = {"approver": "ann", "source_table": "words"}
    kit.put("sysapproval_approver", *approvals("odd", 9, **secret))
    told = repr(measure(kit).values) + repr(measure(kit).groups)
    assert "odd" in told
    assert "ann" not in told
    assert "words" not in told


def test_a_step_without_source_is_none_and_never_nought(kit: Kit) -> None:
    kit.put("sysapproval_approver", *approvals("approved", 3))
    for table in kit.columns:
        if table not in ("sysapproval_approver", "incident"):
            kit.store.execute(f'DROP TABLE current."{table}"')
    steps = {one.step: one.records for one in measure(kit).steps}
    assert steps["acordar"] == 3
    assert steps["explorar"] is None
    assert steps["usar"] == 0, "no incident yet, but there could be one"
