"""Loading the mapping: what is refused, how it is said, what an overlay may change."""

import os
import shutil
from pathlib import Path

import pytest

from connector.errors import MappingError
from connector.journey.mapping import load_mapping
from connector.resources import shipped

RULE = """
[[rule]]
id = "own-rule"
tables = ["incident"]
when = "{when}"
touchpoint = "{touchpoint}"
because = {{ en = "Ours", es = "Nuestra" }}
example = {example}
"""


def own_rule(
    when: str = "u_kind=vip",
    touchpoint: str = "complaint",
    example: str = '{ u_kind = "vip" }',
    more: str = "",
) -> str:
    return RULE.format(when=when, touchpoint=touchpoint, example=example) + more


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped folder, to be spoilt."""
    return Path(shutil.copytree(shipped("mappings"), tmp_path / "mappings"))


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """An organisation's own folder, empty."""
    folder = tmp_path / "own"
    (folder / "rules").mkdir(parents=True)
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(root: Path | None = None, overlay: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(MappingError) as caught:
        load_mapping(overlay, root)
    return caught.value.problems


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "[[rule]]\nconfidence" + ".a" * 5000 + " = 1\n",
    ],
)
def test_a_file_nested_too_deeply_is_named(overlay: Path, text: str) -> None:
    (overlay / "rules" / "deep.toml").write_text(text, encoding="utf-8")
    (problem,) = [p for p in problems(overlay=overlay) if "cannot be read" in p]
    assert problem == "rules/deep.toml: cannot be read (it is nested too deeply)"


def test_what_is_no_file_is_named_and_never_waited_for(overlay: Path) -> None:
    os.mkfifo(overlay / "rules" / "pipe.toml")
    (overlay / "rules" / "folder.toml").mkdir()
    (overlay / "rules" / "broken.toml").symlink_to(overlay / "nowhere")
    assert problems(overlay=overlay) == tuple(
        f"rules/{name}.toml: cannot be read (it is no regular file)"
        for name in ("broken", "folder", "pipe")
    )


def test_the_shipped_mapping_loads() -> None:
    mapping = load_mapping()
    assert [len(j.steps) for j in mapping.journeys.values()] == [7, 8]
    assert len(mapping.touchpoints) == 60
    assert len(mapping.hash) == 12


def test_a_typo_in_a_touchpoint_gets_file_line_and_near_miss(copy: Path) -> None:
    path = copy / "rules" / "sla.toml"
    change(path, 'touchpoint = "sla_result"', 'touchpoint = "sla_resutl"')
    assert problems(copy) == (
        "rules/sla.toml:4: there is no touchpoint sla_resutl; did you mean sla_result?",
    )


def test_a_hidden_rule_is_found_with_the_rule_that_hides_it(copy: Path) -> None:
    path = copy / "rules" / "approval.toml"
    change(path, '"state=rejected"', '"state=approved"')
    change(path, 'example = { state = "rejected" }', 'example = { state = "approved" }')
    (found,) = problems(copy)
    assert "approval-rejected is hidden on sysapproval_approver: approval-granted" in found
    assert found.startswith("rules/approval.toml:")


def test_an_example_that_misses_its_own_condition_is_told_so(copy: Path) -> None:
    path = copy / "rules" / "approval.toml"
    change(path, 'example = { state = "approved" }', 'example = { state = "aprovd" }')
    (found,) = problems(copy)
    assert "the example of approval-granted" in found
    assert "does not match its own condition" in found


def test_a_column_misspelt_in_the_condition_is_named_with_its_near_miss(overlay: Path) -> None:
    text = own_rule(
        when="short_descripcionLIKEvpn^active=true^parentISEMPTY",
        example='{ short_description = "the vpn", active = "true" }',
    )
    (overlay / "rules" / "own.toml").write_text(text)
    (found,) = problems(overlay=overlay)
    assert found.endswith(
        "own condition: it does not give short_descripcion; did you mean short_description?"
    )


def test_an_invalid_encoded_query_names_the_position(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule(when="state=1^prioritylike2"))
    (found,) = problems(overlay=overlay)
    assert found.startswith("rules/own.toml:2: when: position 8:")


@pytest.mark.parametrize(
    "field",
    ["sys_updated_on", "sys_updated_by", "sys_mod_count", "u_journey_step", "parent.sys_mod_count"],
)
def test_columns_that_our_own_writes_move_are_refused(overlay: Path, field: str) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule(when=f"{field}ISNOTEMPTY"))
    assert any(
        f"{field} may not be used: our own writes move it" in p for p in problems(overlay=overlay)
    )


def test_an_unknown_key_and_a_bad_word_get_near_misses(overlay: Path) -> None:
    path = overlay / "rules" / "own.toml"
    path.write_text(own_rule(more='outcome = "cancelld"\ntouchpont = "x"\n'))
    found = problems(overlay=overlay)
    assert any("outcome = 'cancelld' is none of" in p and "mean cancelled?" in p for p in found)
    assert any(
        p.startswith("rules/own.toml:10: unknown key touchpont; did you mean touchpoint?")
        for p in found
    )


@pytest.mark.parametrize("code", ["0000", "0001", "000B", "001F", "FFFE"])
def test_a_control_character_in_a_text_is_refused_with_file_line_and_key(
    overlay: Path, code: str
) -> None:
    """An update set that held it would be no XML."""
    text = own_rule().replace('en = "Ours"', f'en = "Our\\u{code}s"')
    (overlay / "rules" / "own.toml").write_text(text)
    assert problems(overlay=overlay) == (
        f"rules/own.toml:7: because.en: the control character U+{code} cannot stand in a text; "
        "take it out",
    )


def test_tabs_and_new_lines_may_stand_in_a_text(overlay: Path) -> None:
    text = own_rule().replace('en = "Ours"', 'en = "Ours,\\tin\\ntwo lines"')
    (overlay / "rules" / "own.toml").write_text(text)
    assert load_mapping(overlay).rules[0].because.en == "Ours,\tin\ntwo lines"


def test_a_control_character_in_the_engagement_file_is_refused(copy: Path) -> None:
    change(copy / "engagement.toml", 'name = { en = "', 'name = { en = "\\u0001')
    (problem,) = problems(copy)
    assert problem.startswith("engagement.toml:")
    assert "name.en: the control character U+0001" in problem


def test_every_problem_is_reported_at_once(copy: Path, overlay: Path) -> None:
    change(
        copy / "touchpoints.toml",
        'steps = { travesia = "explorar"',
        'steps = { travesia = "explora"',
    )
    (copy / "sets.toml").write_text("nonsense = [")
    (overlay / "rules" / "own.toml").write_text(own_rule(touchpoint="complain"))
    found = problems(copy, overlay)
    assert any(
        "the journey travesia has no step explora; did you mean explorar?" in p for p in found
    )
    assert any(p.startswith("sets.toml: ") for p in found)
    assert any("there is no touchpoint complain; did you mean complaint?" in p for p in found)


def test_unknown_sets_facts_tables_and_example_keys_get_near_misses(overlay: Path) -> None:
    rules = [
        own_rule(when="categoryIN@inquiry_categorie").replace("own-rule", "a"),
        own_rule(when="short_descriptionLIKE@order_word").replace("own-rule", "b"),
        own_rule(when="sla.has_breachd=true").replace("own-rule", "c"),
        own_rule(example='{ u_kindd = "vip" }').replace("own-rule", "d"),
        own_rule().replace('"incident"', '"incidents"').replace("own-rule", "e"),
    ]
    (overlay / "rules" / "own.toml").write_text("".join(rules))
    found = "\n".join(problems(overlay=overlay))
    for near in (
        "no set inquiry_categorie; did you mean inquiry_categories?",
        "no set order_word; did you mean order_words?",
        "incident has no fact sla.has_breachd; did you mean sla.has_breached?",
        "no rule here reads u_kindd; did you mean u_kind?",
        "there is no table incidents; did you mean incident?",
    ):
        assert near in found


def test_edges_in_a_circle_are_refused(copy: Path) -> None:
    tool = copy / "tools" / "servicenow.toml"
    tool.write_text(
        tool.read_text()
        + '\n[[edge]]\ntable = "sc_req_item"\nfield = "parent"\nparent = "sc_task"\n'
    )
    (found,) = problems(copy)
    assert "edges and roll-ups go in a circle" in found
    assert "sc_req_item" in found


def test_a_rule_with_no_touchpoint_or_one_too_many_is_refused(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(
        own_rule(touchpoint="") + own_rule(more="ignore = true\n").replace("own-rule", "other")
    )
    found = problems(overlay=overlay)
    assert any("the rule own-rule gives no touchpoint" in p for p in found)
    assert any("other gives a touchpoint, but ignores" in p for p in found)


def test_a_rule_can_only_inherit_where_there_is_an_edge(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule(more='inherit = "step"\n'))
    assert any("incident has no edge or roll-up" in p for p in problems(overlay=overlay))


def test_a_stray_file_and_a_missing_folder_are_problems(overlay: Path, tmp_path: Path) -> None:
    (overlay / "rule.toml").write_text("")
    assert any(
        p.startswith("rule.toml: no such file belongs here") for p in problems(overlay=overlay)
    )
    assert any("there is no folder" in p for p in problems(overlay=tmp_path / "none"))


def test_an_id_given_twice_is_refused(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule() + own_rule())
    assert any(
        "the rule own-rule is given twice, first at rules/own.toml:2" in p
        for p in problems(overlay=overlay)
    )


# --- overlays -------------------------------------------------------------------------------------


def test_a_new_rule_goes_in_front_of_the_shipped_ones(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule())
    assert load_mapping(overlay).rules_of("incident")[0].id == "own-rule"


def test_a_new_rule_goes_before_the_rule_that_it_names(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule(more='before = "incident-how-to"\n'))
    ids = [rule.id for rule in load_mapping(overlay).rules_of("incident")]
    assert ids.index("own-rule") == ids.index("incident-how-to") - 1


def test_before_must_name_a_rule(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(own_rule(more='before = "incident-how-too"\n'))
    assert any("did you mean incident-how-to?" in p for p in problems(overlay=overlay))


def test_a_rule_with_a_shipped_id_takes_its_place(overlay: Path) -> None:
    shipped_ids = [rule.id for rule in load_mapping().rules]
    (overlay / "rules" / "own.toml").write_text(
        own_rule(when="category=praise", example='{ category = "praise" }').replace(
            "own-rule", "incident-compliment"
        )
    )
    mapping = load_mapping(overlay)
    assert [rule.id for rule in mapping.rules] == shipped_ids
    rule = next(r for r in mapping.rules if r.id == "incident-compliment")
    assert (rule.when, rule.touchpoint) == ("category=praise", "complaint")


def test_sets_touchpoints_and_journeys_are_replaced_by_id(overlay: Path) -> None:
    (overlay / "sets.toml").write_text('order_words = ["quiero"]\n')
    (overlay / "rules" / "own.toml").write_text(
        own_rule(
            when="categoryIN@inquiry_categories^short_descriptionLIKE@order_words",
            touchpoint="offer_enquiry",
            example='{ category = "inquiry", short_description = "Quiero otra pantalla" }',
        ).replace("own-rule", "incident-offer-enquiry")
    )
    text = (shipped("mappings") / "journeys" / "travesia.toml").read_text(encoding="utf-8")
    (overlay / "journeys").mkdir()
    (overlay / "journeys" / "travesia.toml").write_text(
        text.replace('es = "Construir"', 'es = "Fabricar"'), encoding="utf-8"
    )
    mapping = load_mapping(overlay)
    assert mapping.sets["order_words"] == ("quiero",)
    assert mapping.sets["inquiry_categories"]
    assert mapping.journeys["travesia"].step("construir").name.es == "Fabricar"
    assert len(mapping.touchpoints) == 60


def test_who_replaces_sets_need_not_touch_the_rules_that_read_them(overlay: Path) -> None:
    """Their examples name the set, so they are proven with its first entry."""
    words = {name: f"zzz{number}" for number, name in enumerate(load_mapping().sets)}
    lines = [f'{name} = ["{word}"]' for name, word in words.items()]
    (overlay / "sets.toml").write_text("\n".join(lines))
    assert load_mapping(overlay).sets == {name: (word,) for name, word in words.items()}


def test_an_example_that_names_no_set_is_told(overlay: Path) -> None:
    (overlay / "rules" / "own.toml").write_text(
        own_rule(when="category=a", example='{ category = "@complaint_categoris" }')
    )
    assert any("complaint_categories" in problem for problem in problems(overlay=overlay))


def test_a_third_journey_is_one_file(overlay: Path) -> None:
    """Its file places the touchpoints; nothing else changes."""
    ids = ", ".join(f'"{name}"' for name in load_mapping().touchpoints)
    (overlay / "journeys").mkdir()
    (overlay / "journeys" / "short.toml").write_text(
        'id = "short"\nname = { en = "Short", es = "Corta" }\n'
        'description = { en = "Two steps", es = "Dos pasos" }\n'
        'credit = { en = "Ours", es = "Nuestra" }\n'
        '[[step]]\nid = "before"\nname = { en = "Before", es = "Antes" }\n'
        'description = { en = "-", es = "-" }\n'
        '[[step]]\nid = "after"\nname = { en = "After", es = "Después" }\n'
        f'description = {{ en = "-", es = "-" }}\ntouchpoints = [{ids}]\n'
    )
    mapping = load_mapping(overlay)
    assert set(mapping.journeys) == {"itil4", "travesia", "short"}
    assert mapping.touchpoints["phone"].steps == {
        "travesia": "usar",
        "itil4": "co_create",
        "short": "after",
    }


def test_a_journey_that_leaves_touchpoints_out_is_told_which(overlay: Path) -> None:
    (overlay / "journeys").mkdir()
    (overlay / "journeys" / "short.toml").write_text(
        'id = "short"\nname = { en = "S", es = "C" }\ndescription = { en = "-", es = "-" }\n'
        'credit = { en = "-", es = "-" }\n[[step]]\nid = "one"\nname = { en = "1", es = "1" }\n'
        'description = { en = "-", es = "-" }\n'
    )
    assert any("the touchpoint phone has no step in short" in p for p in problems(overlay=overlay))


# --- the hash -------------------------------------------------------------------------------------


def test_comments_and_places_do_not_change_the_hash(copy: Path) -> None:
    path = copy / "rules" / "sla.toml"
    path.write_text("# moved\n\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_mapping(shipped=copy).hash == load_mapping().hash


def test_spaces_and_the_order_of_keys_do_not_change_the_hash(copy: Path) -> None:
    file = copy / "rules" / "survey.toml"
    text = file.read_text(encoding="utf-8").replace(" = ", "   =  ")
    blocks = text.split("[[rule]]")
    turned = ["\n".join(reversed(block.splitlines())) for block in blocks[1:]]
    file.write_text("\n[[rule]]\n".join(["", *turned]) + "\n", encoding="utf-8")
    assert load_mapping(shipped=copy).hash == load_mapping().hash


def test_an_opinion_changes_the_hash(copy: Path) -> None:
    change(copy / "sets.toml", '"phone", "ivr"', '"phone", "ivr", "fax"')
    assert load_mapping(shipped=copy).hash != load_mapping().hash


def test_what_history_names_must_be_known(tmp_path: Path) -> None:
    (tmp_path / "history.toml").write_text(
        'waits_for_consumer = ["wait_for_usr"]\n[entry]\nincidnt = "phone"\n', encoding="utf-8"
    )
    with pytest.raises(MappingError) as caught:
        load_mapping(tmp_path)
    said = "\n".join(caught.value.problems)
    assert "history.toml: there is no touchpoint wait_for_usr; did you mean wait_for_user?" in said
    assert "history.toml: there is no table incidnt; did you mean incident?" in said
