"""The settings file: every problem at once, with its line; secrets only from outside."""

from pathlib import Path

import pytest

from connector.config import Config, load_config
from connector.errors import ConfigError

GOOD = """
[instance]
url = "https://example.service-now.com/"
user = "travesia.integration"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "travesia.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), {})
    return caught.value.problems


def test_a_small_file_is_enough_and_the_rest_is_the_default(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD), {})
    assert config.instance.url == "https://example.service-now.com"
    assert config.has_instance
    assert config.write_back == Config().write_back
    assert not config.write_back.enabled
    assert config.source == str(tmp_path / "travesia.toml")


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
[instance]
url = "http://example.service-now.com"
user = 7
lag_minute = 10
page_size = 0
time_zone = "Europe/Madird"

[storage]
path = "x"

[write_back]
enabled = "yes"
tables = ["incident", "task_sla", "asset"]

[report]
formats = ["html", "xlsx"]

[schedule]
sync = "0 26 * * *"
""",
    )
    assert found == (
        "line 3, [instance] url: use https: plain http is only for this machine (the sandbox)",
        'line 4, [instance] user: expected a text in quotes, like "incident"',
        "line 5, [instance] lag_minute: there is no such setting; did you mean lag_minutes?",
        "line 6, [instance] page_size: 0 is out of range; it goes from 1 to 10000",
        "line 7, [instance] time_zone: 'Europe/Madird' is no time zone; write it like "
        "Europe/Madrid; did you mean Europe/Madrid?",
        "line 9, [storage]: there is no such section; did you mean store?",
        "line 13, [write_back] enabled: expected true or false",
        "line 14, [write_back] tables: task_sla is only ever read; take it out",
        "line 14, [write_back] tables: asset is written but not read; add it to [extract] tables",
        "line 17, [report] formats: 'xlsx' is not one of 'html', 'md', 'csv', 'parquet', 'pdf'",
        "line 20, [schedule] sync: '26' does not fit field 2 of a schedule; write it like "
        '"30 2 * * mon-fri" (weekdays by name, ranges upwards)',
    )


def test_who_reads_fewer_tables_writes_those_of_them(tmp_path: Path) -> None:
    """The default is what is read by default; nobody has to shorten two lists."""
    text = GOOD + '[extract]\ntables = ["incident", "task_sla", "problem"]\n'
    assert load_config(write(tmp_path, text), {}).write_back.tables == ("incident", "problem")


def test_a_setting_under_the_wrong_section_is_sent_home(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD + '[store]\nsync = "0 1 * * *"\n')
    assert found == ("line 6, [store] sync: there is no such setting; it belongs to [schedule]",)


def test_a_setting_without_a_section_is_sent_home(tmp_path: Path) -> None:
    found = problems(tmp_path, 'url = "https://x.example"\n')
    assert found == ("line 1, [url]: there is no such section; it belongs to [instance]",)


def test_broken_toml_is_named_by_line_and_column(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, '[instance]\nurl = "https://x.example\n')
    assert found.startswith("line 2, column ")
    assert "this is not TOML" in found


def test_toml_that_ends_too_early_names_its_last_line(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, '[extract]\ntables = ["incident",\n')
    assert found.startswith("line 2")


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ('password = "hunter2"', "TRAVESIA_PASSWORD (or another that password_env names)"),
        ('client_secret = "hunter2"', "TRAVESIA_CLIENT_SECRET (or another that client_secret_env"),
        ('api_token = "hunter2"', "api_key_file"),
        ('refresh_token = "hunter2"', "refresh_token_file"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(
    tmp_path: Path, line: str, option: str
) -> None:
    (found,) = problems(tmp_path, GOOD + line + "\n")
    assert "secrets never stand in this file" in found
    assert option in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "line",
    [
        'password_env = "hunter2!"',
        'proxy = "http://me:hunter2@proxy.example:3128"',
        'ca_bundle = 5\nclient_id = ["hunter2"]',
    ],
)
def test_a_secret_in_the_wrong_place_is_never_repeated(tmp_path: Path, line: str) -> None:
    assert "hunter2" not in "".join(problems(tmp_path, GOOD + line + "\n"))


def test_a_login_inside_the_url_is_refused(tmp_path: Path) -> None:
    text = '[instance]\nurl = "https://me:hunter2@x.example"\nuser = "me"\n'
    (found,) = problems(tmp_path, text)
    assert "ends up in logs" in found
    assert "hunter2" not in found


def test_an_instance_needs_url_and_user(tmp_path: Path) -> None:
    found = problems(tmp_path, "[instance]\ntimeout_seconds = 30\n")
    assert [sentence.split(":")[0] for sentence in found] == [
        "line 1, [instance] url",
        "line 1, [instance] user",
    ]


def test_oauth_needs_a_client_and_no_user(tmp_path: Path) -> None:
    text = '[instance]\nurl = "https://x.example"\nauth = "oauth_client_credentials"\n'
    (found,) = problems(tmp_path, text)
    assert "[instance] client_id: which OAuth client?" in found


def test_a_file_without_an_instance_serves_the_mapping_alone(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[mapping]\noverlay = "ours"\n'), {})
    assert not config.has_instance
    assert config.mapping.overlay == tmp_path / "ours"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_plain_http_is_for_this_machine(tmp_path: Path, host: str) -> None:
    text = f'[instance]\nurl = "http://{host}"\nuser = "admin"\n'
    assert load_config(write(tmp_path, text), {}).instance.url == f"http://{host}"


@pytest.mark.parametrize("url", ["x.example", "ftp://x.example", "https://", "https://x:port"])
def test_half_a_url_is_refused(tmp_path: Path, url: str) -> None:
    (found,) = problems(tmp_path, f'[instance]\nurl = "{url}"\nuser = "admin"\n')
    assert "write a whole URL" in found


def test_the_address_of_a_page_is_refused(tmp_path: Path) -> None:
    text = '[instance]\nurl = "https://x.example/api/now"\nuser = "admin"\n'
    (found,) = problems(tmp_path, text)
    assert "nothing after the host" in found


def test_relative_paths_count_from_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD + '[report]\nout = "../r"\n'), {})
    assert config.store.path == tmp_path / "travesia.duckdb"
    assert config.report.out == tmp_path / "../r"


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "*/15 * * * *",
        "0 2 * * mon-fri",
        "0 2 1,15 jan-jun *",
        "5/10 8-18/2 * * sat,sun",
        "0 7 1 * mon-fri; 0 7 2-3 * mon",
    ],
)
def test_schedules_that_are_understood(tmp_path: Path, cron: str) -> None:
    config = load_config(write(tmp_path, f'[schedule]\nsync = "{cron}"\n'), {})
    assert config.schedule.sync == cron


@pytest.mark.parametrize(
    "cron",
    [
        "0 2 * *",
        "nightly",
        "0 2 * * 1",
        "0 2 * * sun-tue",
        "60 2 * * *",
        "*/0 * * * *",
        "*-5 * * * *",
        "*/60 * * * *",
        "0 2 0 * *",
        "0 2 * * mon-fri/2",
        "0 2 * * fun",
        "0 20-8 * * *",
        "0,, 2 * * *",
        "0 7 1 * *;",
        "0 7 1 * *; nightly",
    ],
)
def test_schedules_that_are_refused(tmp_path: Path, cron: str) -> None:
    (found,) = problems(tmp_path, f'[schedule]\nreport = "{cron}"\n')
    assert found.startswith("line 2, [schedule] report: ")


def test_the_schedule_follows_the_instance_unless_told(tmp_path: Path) -> None:
    text = GOOD + 'time_zone = "Europe/Madrid"\n'
    assert load_config(write(tmp_path, text), {}).schedule_zone == "Europe/Madrid"
    text += '[schedule]\ntime_zone = "UTC"\n'
    assert load_config(write(tmp_path, text), {}).schedule_zone == "UTC"


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert load_config(None, {"TRAVESIA_CONFIG": str(path)}).source == str(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run `travesia init`"):
        load_config(tmp_path / "none.toml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the settings file"):
        load_config(tmp_path, {})


def test_other_encodings_are_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    path = tmp_path / "travesia.toml"
    path.write_bytes("[mapping] # señal".encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(path, {})
    path.write_bytes(b"\xef\xbb\xbf[mapping]\n")
    assert not load_config(path, {}).has_instance


def test_the_password_comes_from_the_variable_first_then_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n", encoding="utf-8")
    config = load_config(write(tmp_path, GOOD + 'password_file = "secret"\n'), {})
    assert config.password({"TRAVESIA_PASSWORD": "from-variable"}) == "from-variable"
    assert config.password({}) == "from-file"


def test_a_missing_password_names_variable_and_file_option(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD + 'password_env = "OURS"\n'), {})
    with pytest.raises(ConfigError, match=r"variable OURS, .* \[instance\] password_file"):
        config.password({"TRAVESIA_PASSWORD": "not ours"})
    with pytest.raises(ConfigError, match=r"TRAVESIA_CLIENT_SECRET, .* client_secret_file"):
        config.client_secret({})


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b" \n", "is empty")])
def test_a_secret_file_that_holds_none_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    config = load_config(write(tmp_path, GOOD + 'password_file = "secret"\n'), {})
    with pytest.raises(ConfigError, match=said):
        config.password({})


def test_a_secret_file_that_is_not_text_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"hunter2\xff\xfe")
    config = load_config(write(tmp_path, GOOD + 'password_file = "secret"\n'), {})
    with pytest.raises(ConfigError, match="it is not text") as caught:
        config.password({})
    assert "hunter2" not in str(caught.value)


def test_the_variables_that_hold_secrets_are_known(tmp_path: Path) -> None:
    text = '[schedule]\nalert_webhook_env = "HOOK"\n'
    assert load_config(write(tmp_path, text), {}).secret_variables == {
        "TRAVESIA_PASSWORD",
        "TRAVESIA_CLIENT_SECRET",
        "TRAVESIA_REFRESH_TOKEN",
        "TRAVESIA_API_KEY",
        "HOOK",
    }


def test_a_file_nested_without_end_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "travesia.toml"
    path.write_text("a = " + "[" * 100_000, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"travesia\.toml: it is nested too deeply"):
        load_config(path, {})


def test_an_article_needs_a_knowledge_base(tmp_path: Path) -> None:
    text = f'{GOOD}\n[report]\ndeliver = ["article"]\n'
    (found,) = problems(tmp_path, text)
    assert "[report] knowledge_base: an article needs a knowledge base" in found
    (found,) = problems(tmp_path, f'{text}knowledge_base = "Our articles"\n')
    assert "is no sys_id" in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{ name = "a", cron = "0 7 1 * *" }, { name = "a", cron = "" }', "two reports are called"),
        ('{ name = "Fin anzas", cron = "0 7 1 * *" }', "is no name of a report"),
        ('{ name = "a", cron = "0 99 1 * *" }', "[report] also"),
        ('{ name = "a", cron = "", skope = "x" }', "[report] also"),
    ],
)
def test_a_faulty_report_of_its_own_is_named(tmp_path: Path, line: str, words: str) -> None:
    found = "\n".join(problems(tmp_path, f"{GOOD}\n[report]\nalso = [{line}]\n"))
    assert words in found
