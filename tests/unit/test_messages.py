"""Every sentence in both languages, and the ways to say one."""

import pytest

from connector import messages
from connector.messages import _, _n, language_of, mark, speaking, translate
from tools.messages import (
    CATALOGUE,
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


def test_the_sources_are_found_in_code_and_templates() -> None:
    places = set(list_messages().values())
    assert any(place.startswith("connector/report/") for place in places)
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
    one = "{n} record was open on the journey at some moment of the period; {open} open now."
    many = "{n} records were open on the journey at some moment of the period; {open} open now."
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
