"""Numbers and the system's errors, as each language says them."""

import errno
import os
from pathlib import Path

import pytest

from connector.config import load_config
from connector.errors import ConfigError
from connector.messages import speaking
from connector.wording import number, os_reason, percent, signed


def test_numbers_are_written_as_the_language_does() -> None:
    with speaking("en"):
        assert (number(12345.67, 1), number(1200), signed(-1.25, 2)) == (
            "12,345.7",
            "1,200",
            "\u22121.25",
        )
        assert (percent(0.5), percent(0.5, 1), percent(0.634, 1)) == ("50%", "50.0%", "63.4%")
    with speaking("es"):
        assert (number(12345.67, 1), number(1200), signed(1.25, 2)) == (
            "12.345,7",
            "1.200",
            "+1,25",
        )
        assert (percent(0.5), percent(0.634, 1)) == ("50\xa0%", "63,4\xa0%")


def test_no_minus_stands_before_nothing() -> None:
    with speaking("en"):
        assert signed(-0.01) == "+0.0"


@pytest.mark.parametrize("number_", [errno.ENOENT, errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_the_system_s_reasons_speak_the_reader_s_language(number_: int) -> None:
    error = OSError(number_, os.strerror(number_))
    with speaking("en"):
        assert os_reason(error) == os.strerror(number_)
    with speaking("es"):
        assert os_reason(error) != os.strerror(number_)


def test_a_rare_reason_stays_as_the_system_says_it_and_is_never_empty() -> None:
    assert os_reason(OSError(errno.ENOTSUP, "Rare")) == "Rare"
    assert os_reason(OSError("only words")) == "only words"
    assert os_reason(OSError()) == "OSError"


def test_a_settings_file_that_is_a_folder_is_refused_in_spanish(tmp_path: Path) -> None:
    with speaking("es"), pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert "Es una carpeta" in str(caught.value)
    assert "directory" not in str(caught.value)
