"""Rules → one CASE: first match wins, unknown never matches, sets spelled out."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlglot import exp

from connector.encoded_query import Context, EncodedQueryError, FieldType, register_sqlite
from connector.journey.compiler import Live, compile_on, fields_of, parsed, rule_case
from connector.journey.conditions import empty_sets, is_asleep, parse_condition, used_sets
from connector.journey.examples import guessed_types, prove
from connector.journey.model import FieldInfo, Rule, Text
from connector.journey.parts import parts_of
from connector.journey.scope import Catalogue

CONTEXT = Context(datetime(2026, 1, 15, tzinfo=UTC))
SETS = {"words": ("one", "two"), "none": (), "values": ("a", "b")}


def rule(name: str, when: str, **example: str) -> Rule:
    return Rule(name, ("incident",), when, "phone", Text("x", "x"), example)


def reached(rules: list[Rule], **example: str) -> str:
    live = parsed([*rules, rule("probe", "zzz=never", **example)], SETS)
    return prove("incident", live)[-1].reached


def test_the_first_rule_that_matches_wins() -> None:
    rules = [rule("a", "state=1"), rule("b", "active=true")]
    assert reached(rules, state="1", active="true") == "a"
    assert reached(rules, state="2", active="true") == "b"
    assert reached(rules, state="2", active="false") == ""


def test_a_rule_without_condition_takes_what_is_left() -> None:
    assert reached([rule("a", "state=1"), rule("rest", "")], state="9") == "rest"


@pytest.mark.parametrize("operator", ["LIKE", "STARTSWITH", "ENDSWITH"])
def test_a_set_of_words_is_searched_for_in_a_text(operator: str) -> None:
    query = parse_condition(f"title{operator}@words^state=1", SETS)
    assert [[(c.operator, c.value) for c in group] for group in query.branches[0]] == [
        [(operator, "one"), (operator, "two")],
        [("=", "1")],
    ]


def test_not_like_a_set_means_none_of_its_words() -> None:
    rules = [rule("a", "titleNOT LIKE@words")]
    assert reached(rules, title="number three") == "a"
    assert reached(rules, title="number two") == ""


def test_not_like_a_set_beside_or_is_refused() -> None:
    with pytest.raises(EncodedQueryError, match="cannot stand beside"):
        parse_condition("state=1^ORtitleNOT LIKE@words", SETS)


def test_an_at_sign_in_a_text_that_names_no_set_word_stays_a_text() -> None:
    query = parse_condition("emailLIKE@example.com", SETS)
    assert [c.value for c in query.conditions] == ["@example.com"]


def test_an_empty_set_matches_nothing_but_its_neighbours_still_do() -> None:
    rules = [rule("a", "kindIN@none^ORkind=x"), rule("b", "titleLIKE@none")]
    assert reached(rules, kind="x") == "a"
    assert reached(rules, kind="", title="") == ""
    assert is_asleep(parse_condition("titleLIKE@none^state=1", SETS))
    assert not is_asleep(parse_condition("titleLIKE@none^ORstate=1", SETS))


def catalogue(**sets: tuple[str, ...]) -> Catalogue:
    schema = {
        ("dmn_demand", "state"): FieldInfo("integer"),
        ("dmn_demand", "sys_id"): FieldInfo("GUID"),
    }
    return Catalogue(schema, sets, ())


def test_words_of_a_set_that_a_number_cannot_hold_are_passed_over() -> None:
    """Sets list the values of several instances: numbers here, words there."""
    query = parse_condition("stateIN@states", {"states": ("2", "submitted")})
    test = compile_on(query, "dmn_demand", catalogue(states=("2", "submitted")), CONTEXT)
    assert not isinstance(test, str)
    assert "submitted" not in test.sql()


def test_a_set_without_any_value_that_fits_is_named() -> None:
    query = parse_condition("stateIN@states", {"states": ("submitted",)})
    found = compile_on(query, "dmn_demand", catalogue(states=("submitted",)), CONTEXT)
    assert isinstance(found, str)
    assert "states" in found


def test_a_word_that_stands_in_the_query_itself_is_still_refused() -> None:
    query = parse_condition("stateIN2,submitted", {})
    found = compile_on(query, "dmn_demand", catalogue(), CONTEXT)
    assert isinstance(found, str)
    assert "submitted" in found


def test_the_sets_of_a_condition_are_known() -> None:
    assert used_sets("aIN@words^bLIKE@none^ORcSTARTSWITH@words") == ["words", "none"]
    assert empty_sets("aIN@words^bLIKE@none", SETS) == ["none"]


def test_an_unknown_value_never_matches_not_even_a_negative_condition() -> None:
    """NULL is what we do not know, '' is what we know to be empty."""
    live = parsed([rule("a", "kindISEMPTY"), rule("b", "active!=true"), rule("c", "")], SETS)
    types = {"kind": FieldType.STRING, "active": FieldType.BOOLEAN}
    case = rule_case(live, types.__getitem__, Context(datetime(2026, 1, 1, tzinfo=UTC)))
    fields = fields_of(live)
    inner = exp.select(*(exp.alias_(exp.Placeholder(), f, quoted=True) for f in fields))
    sql = exp.select(case).from_(inner.subquery("x")).sql(dialect="sqlite")
    with closing(sqlite3.connect(":memory:")) as connection:
        register_sqlite(connection)

        def came_to(kind: str | None, active: str | None) -> str:
            values = {"kind": kind, "active": active}
            return str(connection.execute(sql, [values[f] for f in fields]).fetchone()[0])

        assert came_to("", "true") == "a"
        assert came_to(None, "") == "b"
        assert came_to(None, None) == "c"


def test_types_are_guessed_from_how_a_column_is_used() -> None:
    whens = ["n>3^nBETWEEN1@4", "d<javascript:gs.daysAgo(3)", "f=true", "s=1", "sla.running>0"]
    types = guessed_types("incident", parsed([rule(w[:3], w) for w in whens], SETS))
    assert types == {
        "n": FieldType.DECIMAL,
        "d": FieldType.DATETIME,
        "f": FieldType.BOOLEAN,
        "s": FieldType.STRING,
        "sla.running": FieldType.INTEGER,
    }


def test_numbers_in_examples_compare_as_numbers() -> None:
    assert reached([rule("a", "n>3")], n="10") == "a"


def test_the_parts_of_a_condition_are_told_as_written() -> None:
    live = [Live(rule("a", ""), parse_condition("a=1^ORb=2^cIN@values^NQd=4", SETS))]
    live = [Live(rule("a", "a=1^ORb=2^cIN@values^NQd=4"), live[0].query)]
    assert [(p.branch, p.text, p.fields) for p in parts_of(live)] == [
        (0, "a=1^ORb=2", ("a", "b")),
        (0, "cIN@values", ("c",)),
        (1, "d=4", ("d",)),
    ]


def test_parts_that_do_not_correspond_to_the_text_are_spelled_out() -> None:
    (live,) = parsed([rule("a", "titleNOT LIKE@words")], SETS)
    assert [p.text for p in parts_of([live])] == ["titleNOT LIKEone", "titleNOT LIKEtwo"]
