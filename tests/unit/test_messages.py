"""Every sentence in both languages, and the ways to say one."""

from pathlib import Path

import pytest

from connector import messages
from connector.messages import _, _n, language_of, mark, speaking, translate
from tools.messages import (
    CATALOGUE,
    forms,
    list_built,
    list_differing,
    list_messages,
    list_untranslated,
    placeholders,
    read_catalogue,
    renew,
)


def test_every_message_has_spanish() -> None:
    """If this fails: make messages, then fill the empty msgstr lines in connector/locale/es.po."""
    missing = list_untranslated(list_messages(), read_catalogue())
    assert not missing, "\n".join(missing)


def test_both_languages_fill_in_the_same_names() -> None:
    assert list_differing(read_catalogue()) == []


def test_one_and_many_both_have_spanish() -> None:
    pairs = [id_ for id_ in list_messages() if not isinstance(id_, str)]
    catalogue = read_catalogue()
    assert pairs
    for pair in pairs:
        message = catalogue.get(pair)
        assert message is not None
        assert len(forms(message)) == 2


def test_a_plural_with_one_form_only_counts_as_missing(tmp_path: Path) -> None:
    one, many = "{n} thing", "{n} things"
    copy = tmp_path / "es.po"
    copy.write_text(
        f'msgid "{one}"\nmsgid_plural "{many}"\nmsgstr[0] "{{n}} cosa"\nmsgstr[1] ""\n',
        encoding="utf-8",
    )
    assert list_untranslated({(one, many): "here:1"}, read_catalogue(copy)) == [f"here:1: {one}"]


def test_spanish_calls_one_thing_by_one_name() -> None:
    """An SLA clock is a "plazo" (a "reloj" tells the time), a voice is somebody."""
    said = {str(message.id): " ".join(forms(message)) for message in read_catalogue()}
    clocks = [id_ for id_ in said if "SLA clock" in id_ or id_.startswith("Clocks")]
    voices = [id_ for id_ in said if "by a voice" in id_]
    assert clocks
    assert voices
    assert [id_ for id_ in clocks if "reloj" in said[id_].casefold()] == []
    assert [id_ for id_ in voices if "una voz" in said[id_]] == []


def test_no_message_is_built_before_it_is_translated() -> None:
    """If this fails: write `_("{n} records").format(n=n)`, never an f-string inside `_`."""
    assert list_built() == []


@pytest.mark.parametrize(
    "code",
    [
        '_(f"{n} records")',
        '_("{n} records".format(n=n))',
        '_("%s records" % n)',
        '_n("one", f"{n} records", n)',
        'reader.text(f"{n} records")',
        'mark("all " + name)',
    ],
)
def test_a_built_message_is_found_with_its_place(tmp_path: Path, code: str) -> None:
    module = tmp_path / "connector" / "module.py"
    module.parent.mkdir()
    module.write_text(f"n = 1\nsay({code})\n", encoding="utf-8")
    assert [line.split(": ")[0] for line in list_built(tmp_path)] == ["connector/module.py:2"]


def test_a_message_formatted_after_its_translation_is_no_fault(tmp_path: Path) -> None:
    module = tmp_path / "connector" / "module.py"
    module.parent.mkdir()
    module.write_text('_("{n} records").format(n=f"{n:,}")\n_(name)\n', encoding="utf-8")
    assert list_built(tmp_path) == []


def test_messages_are_found_wherever_a_call_may_stand(tmp_path: Path) -> None:
    module = tmp_path / "connector" / "module.py"
    module.parent.mkdir()
    module.write_text(
        'a = f"{n} {_n(\'Hour\', \'Hours\', n)}"\nb = _(\n    "one "\n    "sentence"\n)\n',
        encoding="utf-8",
    )
    assert list_messages(tmp_path) == {
        ("Hour", "Hours"): "connector/module.py:1",
        "one sentence": "connector/module.py:3",
    }


def test_the_sources_are_found_in_code_and_templates() -> None:
    places = set(list_messages().values())
    for source in ("connector/report/", "connector/sandbox/pages.py", "tools/demo.py"):
        assert any(place.startswith(source) for place in places)
    assert any(place.startswith("templates/report/") for place in places)


def test_renewing_a_catalogue_keeps_the_spanish_and_is_quiet_the_second_time(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    copy = tmp_path_factory.mktemp("po") / "es.po"
    copy.write_bytes(CATALOGUE.read_bytes())
    renew(copy)
    once = copy.read_bytes()
    renew(copy)
    assert copy.read_bytes() == once
    assert 'msgstr "Paso a paso"' in once.decode()


def test_a_catalogue_says_what_is_missing(tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("po") / "es.po"
    copy.write_text('msgid ""\nmsgstr "Language: es\\n"\n', encoding="utf-8")
    assert len(renew(copy)) == len(list_messages())


def test_a_message_is_said_in_the_language_asked_for() -> None:
    assert _("Step") == "Step"
    with speaking("es"):
        assert _("Step") == "Paso"
        with speaking("en"):
            assert _("Step") == "Step"
        assert _("Step") == "Paso"
    assert _("Step") == "Step"
    assert translate("Step", "es") == "Paso"


def test_an_unknown_message_is_said_in_english() -> None:
    assert translate("No such sentence", "es") == "No such sentence"
    assert mark("as it is") == "as it is"
    with speaking("es"):
        assert _n("{n} thing", "{n} things", 1) == "{n} thing"


def test_one_and_many_have_their_own_form() -> None:
    one = "{n} record was open on the journey at some moment of the period; {open} still open."
    many = "{n} records were open on the journey at some moment of the period; {open} still open."
    assert (_n(one, many, 1), _n(one, many, 0)) == (one, many)
    with speaking("es"):
        assert _n(one, many, 1).startswith("{n} registro estuvo")
        assert _n(one, many, 2).startswith("{n} registros estuvieron")


def test_the_readers_language_follows_the_posix_order() -> None:
    assert language_of({"LANG": "es_ES.UTF-8"}) == "es"
    assert language_of({"LANG": "es_ES.UTF-8", "LC_ALL": "C"}) == "en"
    assert language_of({"LC_ALL": "C", "TRAVESIA_LANG": "es"}) == "es"
    assert language_of({"LANG": "fr_FR"}) == "en"
    assert language_of({}) == "en"


def test_the_languages_are_two() -> None:
    assert messages.LANGUAGES == ("en", "es")


@pytest.mark.parametrize(
    ("text", "names"),
    [("{a} of {b!r}", {"a", "b"}), ("{n:,} and {n}", {"n"}), ("none", set())],
)
def test_placeholders_are_found_whatever_their_format(text: str, names: set[str]) -> None:
    assert placeholders(text) == names
