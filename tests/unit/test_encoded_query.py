"""Encoded queries: what is read, what is refused and where, what is published."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.encoded_query import (
    Condition,
    EncodedQueryError,
    FieldType,
    Order,
    Query,
    and_to_every_branch,
    field_type,
    parse,
    semantics_markdown,
    semantics_rows,
)

# --- reading ------------------------------------------------------------------


def test_or_binds_tighter_than_and_and_nq_starts_a_new_filter() -> None:
    query = parse("a=1^b=2^ORc=3^NQd=4")
    shape = [[[c.field for c in group] for group in branch] for branch in query.branches]
    assert shape == [[["a"], ["b", "c"]], [["d"]]]


def test_a_condition_keeps_its_position_in_the_text() -> None:
    query = parse("a=1^ORbb!=2^NQc>3")
    assert [(c.field, c.position) for c in query.conditions] == [("a", 0), ("bb", 6), ("c", 14)]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("order=1", Condition("order", "=", "1", 0)),
        ("active_IN=1", Condition("active_IN", "=", "1", 0)),
        ("activeIN1,2", Condition("active", "IN", "1,2", 0)),
        ("activeNOT IN1,2", Condition("active", "NOT IN", "1,2", 0)),
        ("nameLIKENOT IN=ON", Condition("name", "LIKE", "NOT IN=ON", 0)),
        ("nameNOT LIKEx", Condition("name", "NOT LIKE", "x", 0)),
        ("nameCONTAINSx", Condition("name", "LIKE", "x", 0)),
        ("name*x", Condition("name", "LIKE", "x", 0)),
        ("name!*x", Condition("name", "NOT LIKE", "x", 0)),
        ("nameDOES NOT CONTAINx", Condition("name", "NOT LIKE", "x", 0)),
        ("name%x", Condition("name", "ENDSWITH", "x", 0)),
        ("nameSTARTSWITHON", Condition("name", "STARTSWITH", "ON", 0)),
        ("xISNOTEMPTY", Condition("x", "ISNOTEMPTY", "", 0)),
        ("conditionON2026-11-01", Condition("condition", "ON", "2026-11-01", 0)),
        ("aGT_OR_EQUALS_FIELDb.c", Condition("a", "GT_OR_EQUALS_FIELD", "b.c", 0)),
        ("a.b_c.d1>=2 3", Condition("a.b_c.d1", ">=", "2 3", 0)),
        ("a==", Condition("a", "=", "=", 0)),
        ("a=", Condition("a", "=", "", 0)),
        ("a=NULL", Condition("a", "=", "", 0)),
        ("a=x^^y", Condition("a", "=", "x^y", 0)),
        ("^a=1^", Condition("a", "=", "1", 1)),
        ("ORIGO=1", Condition("ORIGO", "=", "1", 0)),
    ],
)
def test_the_operator_is_the_earliest_and_longest_after_a_column(
    text: str, condition: Condition
) -> None:
    assert list(parse(text).conditions) == [condition]


def test_three_carets_are_an_escaped_one_and_a_separator() -> None:
    assert [(c.field, c.value) for c in parse("a=1^^^b=2").conditions] == [("a", "1^"), ("b", "2")]


def test_orders_stand_anywhere_and_the_first_is_the_primary() -> None:
    query = parse("ORDERBYdescription^a=1^ORDERBYDESCsys_id^ORb=2^EQ")
    assert query.order == (Order("description", False), Order("sys_id", True))
    assert [[c.field for c in group] for group in query.branches[0]] == [["a", "b"]]


def test_an_empty_query_is_one_branch_without_conditions() -> None:
    assert parse("") == Query(((),), (), "")
    assert parse("^EQ").branches == ((),)


def test_fields_include_the_column_on_the_right() -> None:
    assert parse("aSAMEASb.c^d=1^ORDERBYe").fields == {"a", "b.c", "d"}


def test_a_named_set_is_expanded() -> None:
    query = parse("cat_itemIN@laptops^stateNOT IN@done", {"laptops": ["a", "b"], "done": ["7"]})
    assert [c.value for c in query.conditions] == ["a,b", "7"]


def test_without_sets_an_at_sign_is_a_value() -> None:
    assert [c.value for c in parse("cityIN@home").conditions] == ["@home"]


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("state~1", 0, "no column followed by an operator"),
        ("state like x", 0, "upper case"),
        ("active_INa,b", 0, "no column"),
        ("a=1^b_=2", 4, "no column"),
        ("a=1^=2", 4, "no column"),
        ("a=1^JOINx.y=z.w!q=1", 4, "JOIN cannot be honoured"),
        ("a=1^RLQUERYt.f,>=1^ENDRLQUERY", 4, "RLQUERY cannot be honoured"),
        ("aVALCHANGES", 1, "VALCHANGES cannot be honoured"),
        ("opened_atDATEPARTMonday@x", 9, "DATEPART cannot be honoured"),
        ("aINSTANCEOFtask", 1, "INSTANCEOF cannot be honoured"),
        ("a=1^ORDERBY", 11, "ORDERBY needs a column name"),
        ("^ORa=1", 3, "^OR needs a condition before it"),
        ("a=1^NQORDERBYb^ORc=1", 17, "^OR needs a condition before it"),
        ("a=1^OR", 6, "no column"),
        ("a=1^NQ", 6, "no condition"),
        ("^NQa=1", 1, "no condition"),
        ("aISEMPTYx", 8, "ISEMPTY takes no value"),
        ("a>", 2, "> needs a value"),
        ("aBETWEEN1", 8, "BETWEEN1@3"),
        ("aBETWEEN1@2@3", 8, "BETWEEN1@3"),
        ("aONToday@x", 3, "label@start@end"),
        ("aSAMEASb c", 7, "needs a column name"),
        ("aDYNAMICd6435e965f510100a9ad2572f2b47744", 8, "only Me"),
        ("aRELATIVEGT@hour@ago", 11, "@dayofweek@ago@7"),
        ("aRELATIVEGT@fortnight@ago@1", 11, "minute, hour"),
        ("a=javascript:getMyGroups()", 2, "only javascript:gs"),
        ("a=javascript:gs.dayAgoStart(1)", 2, "did you mean gs.daysAgoStart"),
        ("a=javascript:gs.daysAgoStart('x')", 2, "arguments"),
        ("a=javascript:gs.hasRole('x')", 2, "not known here"),
        ("a=javascript:gs.dateGenerate('2026-02-30','start')", 2, "arguments"),
        ("aINjavascript:gs.nope()", 3, "not known here"),
        ("aINb,javascript:gs.nope()", 3, "not known here"),
        ("a=1^b=\x00", 6, "cannot be in a query"),
        ("a=\ud800", 2, "cannot be in a query"),
        ("aIN@laptop", 3, "did you mean laptops?"),
        ("aIN@zzz", 3, "add it to sets.toml"),
        ("aIN@commas", 3, "cannot be in a list"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_position(
    text: str, position: int, words: str
) -> None:
    with pytest.raises(EncodedQueryError) as caught:
        parse(text, {"laptops": ["x"], "commas": ["a,b"]})
    assert (caught.value.text, caught.value.position) == (text, position)
    assert words in caught.value.reason
    assert f"position {position}" in str(caught.value)
    assert caught.value.exit_code == 2


_PIECES = [
    "^", "^OR", "^NQ", "^EQ", "^ORDERBY", "DESC", "@", ",", "=", "IN", "LIKE", "BETWEEN", "ON",
    "RELATIVEGT", "SAMEAS", "javascript:", "gs.", "daysAgo(", "1)", "a",
]  # fmt: skip
_ODD_TEXT = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=4)), max_size=12)


@settings(deadline=None, max_examples=300)
@given(_ODD_TEXT.map("".join))
def test_reading_never_fails_in_another_way(text: str) -> None:
    position = 0
    try:
        query = parse(text, {"a": ["1"]})
    except EncodedQueryError as error:
        position = error.position
    else:
        assert query.text == text
        assert all(text[c.position :].startswith(c.field) for c in query.conditions)
    assert 0 <= position <= len(text)


# --- narrowing for the client -------------------------------------------------


@pytest.mark.parametrize(
    ("filter_", "narrowed"),
    [
        ("", "k>1^ORk=2^ORDERBYk"),
        ("a=1^^NQb", "a=1^^NQb^k>1^ORk=2^ORDERBYk"),
        ("a=1^NQb=2^EQ", "a=1^k>1^ORk=2^NQb=2^k>1^ORk=2^ORDERBYk"),
        ("ORDERBYa^a=1^ORb=2", "a=1^ORb=2^k>1^ORk=2^ORDERBYk"),
        ("JOINx.a=y.b!c=1", "JOINx.a=y.b!c=1^k>1^ORk=2^ORDERBYk"),
    ],
)
def test_narrowing_reaches_every_branch(filter_: str, narrowed: str) -> None:
    assert and_to_every_branch(filter_, "k>1^ORk=2^ORDERBYk") == narrowed


def test_a_narrowing_with_branches_meets_every_branch_of_the_filter() -> None:
    narrowed = and_to_every_branch("a=1^NQb=2", "k>1^NQk=1^i>2")
    assert narrowed == "a=1^k>1^NQa=1^k=1^i>2^NQb=2^k>1^NQb=2^k=1^i>2"


@pytest.mark.parametrize(
    ("internal", "kind"),
    [
        ("glide_date_time", FieldType.DATETIME),
        ("due_date", FieldType.DATETIME),
        ("glide_date", FieldType.DATE),
        ("GUID", FieldType.REFERENCE),
        ("integer", FieldType.INTEGER),
        ("journal_input", FieldType.JOURNAL),
        ("something_new", FieldType.STRING),
    ],
)
def test_dictionary_types_say_how_a_column_compares(internal: str, kind: FieldType) -> None:
    assert field_type(internal) is kind


# --- the published table ------------------------------------------------------


def test_every_written_form_reads_as_the_operator_of_its_row() -> None:
    for row in semantics_rows():
        for form in row.forms:
            (condition,) = parse(form).conditions
            assert condition.operator in row.operators, form


def test_every_operator_has_its_row_once() -> None:
    listed = [operator for row in semantics_rows() for operator in row.operators]
    assert len(listed) == len(set(listed))
    refused = semantics_markdown().partition("Refused")[2].partition("\n\n")[0]
    for operator in re.findall(r"`([A-Z_]+)`", refused):
        joins = operator in ("JOIN", "RLQUERY")
        with pytest.raises(EncodedQueryError, match=operator):
            parse(f"{operator}x" if joins else f"a{operator}x")


def test_the_documentation_holds_the_generated_semantics() -> None:
    page = Path(__file__).parents[2] / "docs" / "mappings.md"
    text = page.read_text(encoding="utf-8")
    start, end = "<!-- semantics:start -->\n", "<!-- semantics:end -->"
    section = text.partition(start)[2].partition(end)[0]
    assert section.strip() == semantics_markdown(), "run: make docs"
