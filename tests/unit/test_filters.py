"""A filter that asks for a column the instance lacks is never sent."""

from dataclasses import replace
from functools import cache

import pytest

from connector.errors import ConfigError
from connector.filters import check_filters, wrong_filters
from connector.itsm.base import Column
from connector.journey.mapping import load_mapping
from connector.journey.model import FieldInfo, Mapping
from tests.fakes import FakeInstance
from tests.unit.test_write_back import NOW

SURVEYS = "asmt_assessment_instance"


@cache
def mapping() -> Mapping:
    return load_mapping()


def schema(*columns: str, reference: str = "") -> dict[tuple[str, str], FieldInfo]:
    return {(SURVEYS, column): FieldInfo("reference", reference) for column in columns}


class Types(FakeInstance):
    def list_columns(self, tables):  # type: ignore[no-untyped-def]
        return [Column(t, e, "string") for t in tables for e in self.tables[t][0]]


def instance(**columns: str) -> FakeInstance:
    return Types(NOW, {"asmt_metric_type": [columns]})


def test_the_column_at_the_end_of_a_walk_is_looked_up_in_its_own_table() -> None:
    known = schema("metric_type", reference="asmt_metric_type")
    assert wrong_filters(instance(evaluation_method=""), mapping(), known) == []
    (said,) = wrong_filters(instance(evaluation_methods=""), mapping(), known)
    assert "the filter of asmt_assessment_instance asks for metric_type.evaluation_method" in said
    assert "evaluation_methods" in said  # the near miss


def test_a_first_column_that_is_missing_stops_before_anything_is_read() -> None:
    with pytest.raises(ConfigError, match="asks for metric_type"):
        check_filters(instance(), mapping(), schema("metric_typ"))


def test_a_walk_into_a_table_that_is_not_there_cannot_be_judged() -> None:
    known = schema("metric_type", reference="no_such_table")
    assert wrong_filters(instance(), mapping(), known) == []


def test_filters_of_tables_that_the_instance_lacks_are_not_asked() -> None:
    assert wrong_filters(FakeInstance(NOW, {}), mapping(), {}) == []


def test_an_own_filter_is_held_against_the_dictionary_too() -> None:
    spec = replace(mapping().tables["incident"], filter="active=true^categry=x")
    own = replace(mapping(), tables={"incident": spec})
    known = {("incident", name): FieldInfo("string") for name in ("active", "category")}
    (said,) = wrong_filters(FakeInstance(NOW, {}), own, known)
    assert "categry" in said
    assert "category" in said
