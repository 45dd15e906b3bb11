"""Texts that never met the catalogue: bare words in templates, code, command line and mappings.

`test_messages.py` holds what goes through `_` against the catalogue; here is what does not.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
SAYING = {"_", "_n", "mark", "text", "translate", "Text"}
SENTENCE = re.compile(r"^[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+[ ,:].*[a-záéíóúñ]{2}")
"""Words for people: a capital, then more than one word."""
WORDS = re.compile(r"[A-Za-zÁÉÍÓÚÑáéíóúñ]{2,}")
HEARD = re.compile(r'(?:title|alt|aria-label|placeholder|content)="([^"{}]*[A-Za-z]{3}[^"{}]*)"')
MACHINES = {
    "width=device-width",
    "width=device-width, initial-scale=1",
    "noindex",
    "light dark",
    "active=true^priority=1^ORDERBYDESCsys_updated_on",
}
NAMES = {"Travesía", "sandbox", "English", "Español", "UTC", "px"}
STYLE = re.compile(r"{%-? *block style *-?%}.*?{%-? *endblock.*?%}", re.DOTALL)


# Templates ----------------------------------------------------------------------------------------


def bare_words(source: str, environment: Environment) -> list[str]:
    """Words of a template that no `_` says: between tags, in attributes that are read out."""
    tree = environment.parse(STYLE.sub("", source))
    data = "".join(node.data for node in tree.find_all(nodes.TemplateData))
    found = [said for said in HEARD.findall(data) if said not in MACHINES]
    plain = re.sub(r"<(style|title id)[^>]*>.*?</style>|<[^>]*>|&\w+;", " ", data, flags=re.DOTALL)
    found += [
        word for word in WORDS.findall(re.sub(r"<[^<]*$|^[^<>]*>", " ", plain)) if word not in NAMES
    ]
    for output in tree.find_all(nodes.Output):
        for child in output.nodes:
            if isinstance(child, nodes.Const) and WORDS.search(str(child.value)):
                found.append(str(child.value))
    return found


@pytest.fixture(scope="module")
def environment() -> Environment:
    return Environment(autoescape=True, extensions=["jinja2.ext.do"])


def templates() -> list[Path]:
    return sorted(p for p in (ROOT / "templates").rglob("*.j2"))


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_a_template_has_no_word_of_its_own(path: Path, environment: Environment) -> None:
    assert bare_words(path.read_text(encoding="utf-8"), environment) == []


def test_a_word_in_a_template_is_found(environment: Environment) -> None:
    fine = '<h2 class="lead">{{ _("Key figures") }}</h2>&nbsp;{# a note #}{% if a %}–{% endif %}'
    assert bare_words(fine, environment) == []
    assert bare_words("<h2>Key {{ n }}</h2>", environment) == ["Key"]
    assert bare_words('<a title="Read more">{{ n }}</a>', environment) == ["Read more"]
    assert bare_words('{{ "Key figures" }}', environment) == ["Key figures"]


# Code ---------------------------------------------------------------------------------------------


def bare_sentences(source: str) -> Iterator[tuple[int, str]]:
    """Sentences in code that nobody translates: no docstring, no SQL, not inside of `_` and kin."""
    tree = ast.parse(source)
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        if isinstance(node, ast.Call) and _name(node) in SAYING:
            silent |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in silent and SENTENCE.match(node.value):  # type: ignore[attr-defined]
            yield node.lineno, str(node.value)  # type: ignore[attr-defined]


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


SPOKEN = ("connector/report/**/*.py", "connector/cli/*.py", "connector/*.py")
OTHERS = {"Liberation Sans, Arial, Helvetica, sans-serif"}


@pytest.mark.parametrize("pattern", SPOKEN)
def test_no_sentence_of_the_code_goes_untranslated(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {said}"
        for path in sorted(ROOT.glob(pattern))
        for line, said in bare_sentences(path.read_text(encoding="utf-8"))
        if said not in OTHERS
    ]
    assert found == []


def test_a_sentence_in_code_is_found() -> None:
    source = '"""Docs are no text."""\nsay(_("All is well"))\nTable("Records per step", ())\n'
    assert list(bare_sentences(source)) == [(3, "Records per step")]
    help_ = 'typer.Option(help="Only these chapters")\n'
    assert [said for _line, said in bare_sentences(help_)] == ["Only these chapters"]


# Mappings -----------------------------------------------------------------------------------------


def one_sided(value: Any, place: str = "") -> Iterator[str]:
    """Texts of a mapping that one of the two languages lacks, or has in the other's words."""
    if isinstance(value, dict):
        if "en" in value or "es" in value:
            en, es = value.get("en", ""), value.get("es", "")
            if not (en and es) or (en == es and len(en.split()) > 2):
                yield f"{place}: {en!r} / {es!r}"
        for key, inner in value.items():
            yield from one_sided(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from one_sided(inner, f"{place}[{i}]")


def mapping_files() -> list[Path]:
    return sorted((ROOT / "mappings").rglob("*.toml"))


def test_every_text_of_the_mappings_is_in_both_languages() -> None:
    files = mapping_files()
    assert len(files) > 10
    found = [
        f"{path.relative_to(ROOT)}{place}"
        for path in files
        for place in one_sided(tomllib.loads(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_a_text_in_one_language_only_is_found() -> None:
    same = {"en": "One two three", "es": "One two three"}
    assert len(list(one_sided({"touchpoint": [{"name": {"en": "Phone call"}, "hint": same}]}))) == 2
    assert list(one_sided({"name": {"en": "ERP", "es": "ERP"}})) == []
