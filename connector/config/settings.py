"""The settings themselves: names, defaults, ranges, and the way to the secrets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from connector.config.values import (
    Cron,
    File,
    Hours,
    InstanceUrl,
    Names,
    Proxy,
    ReportName,
    SysId,
    Tables,
    Variable,
    Zone,
    as_tuple,
)
from connector.errors import ConfigError
from connector.messages import _
from connector.wording import os_reason

DEFAULT_NAME = "travesia.toml"


class Section(BaseModel):
    """One `[section]`: closed, typed as TOML has it (no "5" for 5), and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


class InstanceSettings(Section):
    """How to reach the ITSM tool."""

    url: InstanceUrl = ""
    auth: Literal[
        "basic",
        "oauth_client_credentials",
        "oauth_password",
        "oauth_refresh_token",
        "oauth_jwt",
        "api_key",
        "mutual_tls",
    ] = "basic"
    user: str = ""
    password_env: Variable = "TRAVESIA_PASSWORD"  # noqa: S105 - names a variable
    password_file: File | None = None
    client_id: str = ""
    client_secret_env: Variable = "TRAVESIA_CLIENT_SECRET"  # noqa: S105 - names a variable
    client_secret_file: File | None = None
    refresh_token_env: Variable = "TRAVESIA_REFRESH_TOKEN"  # noqa: S105 - names a variable
    refresh_token_file: File | None = None
    jwt_key_file: File | None = None
    jwt_key_id: str = ""
    jwt_algorithm: Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] = "RS256"
    api_key_env: Variable = "TRAVESIA_API_KEY"
    api_key_file: File | None = None
    client_certificate: File | None = None
    client_key: File | None = None
    proxy: Proxy = ""
    ca_bundle: File | None = None
    timeout_seconds: int = Field(default=75, ge=1, le=600)
    page_size: int = Field(default=5000, ge=1, le=10000)
    workers: int = Field(default=2, ge=1, le=4)
    requests_per_hour: int = Field(default=0, ge=0, le=1_000_000)
    budget_wait_minutes: int = Field(default=15, ge=0, le=60)
    lag_minutes: int = Field(default=10, ge=0, le=1440)
    settle_seconds: int = Field(default=2, ge=0, le=600)
    max_attempts: int = Field(default=6, ge=1, le=20)
    max_clock_ahead_hours: int = Field(default=24, ge=0, le=1_000_000)
    time_zone: Zone = "UTC"


class StoreSettings(Section):
    """The local store."""

    path: File = Path("travesia.duckdb")
    memory_limit_mb: int = Field(default=112, ge=96, le=65536)
    keep_versions_days: int = Field(default=30, ge=1, le=3650)
    keep_records_months: int = Field(default=25, ge=1, le=240)


class MappingSettings(Section):
    """Which mapping, and which of its journeys is shown in the tool."""

    overlay: File | None = None
    journey: str = "travesia"
    """The id of a journey of the mapping; the mapping says which there are."""
    language: Literal["en", "es"] = "en"


class ExtractSettings(Section):
    """What is read."""

    tables: Tables = (
        "incident",
        "sc_request",
        "sc_req_item",
        "sc_task",
        "sysapproval_approver",
        "task_sla",
        "change_request",
        "change_task",
        "problem",
        "interaction",
        "sn_customerservice_case",
        "dmn_demand",
        "im_idea_core",
        "idea",
        "sn_acct_lc_touchpoint",
        "ast_contract",
        "contract_sla",
        "sn_cim_register",
        "kb_knowledge",
        "kb_use",
        "kb_feedback",
    )
    """Tables of plug-ins that the instance lacks are left out; surveys and HR cases, asked for."""
    history: bool = True
    """Whether journal and audit entries (kind and time, never texts) are read of records."""
    history_days: int = Field(default=180, ge=1, le=3650)


class WriteBackSettings(Section):
    """What is written, and how carefully. Off until a person turns it on."""

    enabled: bool = False
    tables: Tables = (
        "incident",
        "sc_request",
        "sc_req_item",
        "sc_task",
        "change_request",
        "problem",
        "sn_customerservice_case",
        "dmn_demand",
        "im_idea_core",
    )
    mode: Literal["record", "table"] = "record"
    """Where it is shown: columns on the record itself, or a row of our own table beside it."""
    via: Literal["batch", "import_set"] = "batch"
    relationship: bool = True
    """Whether a record refers to the row of its relationship, whose state its form then shows."""
    window: Hours = ""
    """When the tool may be written, in the instance's time zone; "" is always."""
    workers: int = Field(default=2, ge=1, le=4)
    batch_size: int = Field(default=50, ge=1, le=500)
    max_records_per_run: int = Field(default=5000, ge=1, le=1_000_000)
    settled_days: int = Field(default=14, ge=0, le=3650)
    backfill_days: int = Field(default=90, ge=0, le=36500)
    set_aside_after: int = Field(default=3, ge=1, le=100)
    longest_pause_days: int = Field(default=32, ge=1, le=3650)


Language = Literal["en", "es"]
Delivery = Literal["attachment", "pictures", "summary", "article"]
"""How a report goes into the tool: files and pictures on its record, rows for native reports, an
article."""


class AlsoReport(Section):
    """A scheduled report besides the monthly one, with its own time, language and scope."""

    name: ReportName
    cron: Cron
    languages: Annotated[tuple[Language, ...], BeforeValidator(as_tuple)] = ()
    """Empty: those of [report]."""
    scope: str = ""
    only: Names = ()
    compare: Literal["previous", "year", "none"] = "previous"


SysIds = Annotated[tuple[SysId, ...], BeforeValidator(as_tuple)]


class MailSettings(Section):
    """Who is told of the reports in one language, by sys_id: the tool itself does it."""

    language: Language
    groups: SysIds = ()
    users: SysIds = ()


class ReportSettings(Section):
    """The scheduled report, and the defaults of `travesia report`."""

    languages: Annotated[
        tuple[Literal["en", "es"], ...], BeforeValidator(as_tuple), Field(min_length=1)
    ] = ("es", "en")
    formats: Annotated[
        tuple[Literal["html", "md", "csv", "parquet", "pdf"], ...],
        BeforeValidator(as_tuple),
        Field(min_length=1),
    ] = ("html", "md", "csv")
    out: File = Path("reports")
    publish: bool = False
    minimum_group: int = Field(default=5, ge=1, le=1000)
    compare: Literal["previous", "year", "none"] = "previous"
    deliver: Annotated[tuple[Delivery, ...], BeforeValidator(as_tuple), Field(min_length=1)] = (
        "attachment",
    )
    knowledge_base: SysId = ""
    article_state: Literal["draft", "published"] = "draft"
    templates: File | None = None
    also: Annotated[tuple[AlsoReport, ...], BeforeValidator(as_tuple)] = ()
    mail: Annotated[tuple[MailSettings, ...], BeforeValidator(as_tuple)] = ()


class ScheduleSettings(Section):
    """When `travesia serve` does what, and whom it tells. An empty schedule means never."""

    time_zone: Zone | None = None
    sync: Cron = "0 2 * * *"
    reconcile: Cron = "0 4 * * sun"
    compare_keys_every: int = Field(default=4, ge=1, le=100)
    report: Cron = "0 7 1 * mon-fri; 0 7 2-3 * mon"
    alert_after_hours: int = Field(default=26, ge=1, le=8760)
    alert_command: Names = ()
    alert_webhook_env: Variable | None = None


class OnDemandSettings(Section):
    """Whether `travesia serve` answers who asks for a record's journey from inside the tool."""

    enabled: bool = False
    poll_seconds: int = Field(default=30, ge=5, le=3600)


class ContactsSettings(Section):
    """Contacts that no tool records."""

    csv: File | None = None
    """A file that is read at every sync; its lines are the contacts."""


class LogSettings(Section):
    """Logs go to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    style: Literal["text", "json"] = "text"


class Config(Section):
    """All settings. `Config()` is the defaults: no instance, the shipped mapping."""

    instance: InstanceSettings = InstanceSettings()
    store: StoreSettings = StoreSettings()
    mapping: MappingSettings = MappingSettings()
    extract: ExtractSettings = ExtractSettings()
    write_back: WriteBackSettings = WriteBackSettings()
    report: ReportSettings = ReportSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    on_demand: OnDemandSettings = OnDemandSettings()
    contacts: ContactsSettings = ContactsSettings()
    log: LogSettings = LogSettings()
    _source: str = PrivateAttr(DEFAULT_NAME)

    def from_file(self, source: str) -> Self:
        """The same settings, remembering for messages which file they came from."""
        self._source = source
        return self

    @property
    def source(self) -> str:
        """The file's name, for messages."""
        return self._source

    @property
    def has_instance(self) -> bool:
        """Whether an instance is configured at all."""
        return bool(self.instance.url)

    @property
    def schedule_zone(self) -> str:
        """The time zone of the schedules: their own, else the instance's."""
        return self.schedule.time_zone or self.instance.time_zone

    @property
    def secret_variables(self) -> frozenset[str]:
        """The environment variables that hold secrets: never handed to other programs."""
        names = (
            self.instance.password_env,
            self.instance.client_secret_env,
            self.instance.refresh_token_env,
            self.instance.api_key_env,
            self.schedule.alert_webhook_env,
        )
        return frozenset(name for name in names if name)

    def password(self, environment: Mapping[str, str]) -> str:
        """The password of `instance.user`. Raises ConfigError naming variable and file option."""
        settings = self.instance
        return self._secret(
            environment, "password_file", settings.password_env, settings.password_file
        )

    def client_secret(self, environment: Mapping[str, str]) -> str:
        """The OAuth client's secret. Raises ConfigError naming variable and file option."""
        settings = self.instance
        return self._secret(
            environment,
            "client_secret_file",
            settings.client_secret_env,
            settings.client_secret_file,
        )

    def refresh_token(self, environment: Mapping[str, str]) -> str:
        """The OAuth refresh token. Raises ConfigError naming variable and file option."""
        settings = self.instance
        return self._secret(
            environment,
            "refresh_token_file",
            settings.refresh_token_env,
            settings.refresh_token_file,
        )

    def api_key(self, environment: Mapping[str, str]) -> str:
        """The API key. Raises ConfigError naming variable and file option."""
        settings = self.instance
        return self._secret(
            environment, "api_key_file", settings.api_key_env, settings.api_key_file
        )

    def _secret(
        self, environment: Mapping[str, str], option: str, variable: str, path: Path | None
    ) -> str:
        if value := environment.get(variable):
            return value
        if path is None:
            problem = _(
                "a secret is missing: set the environment variable {variable}, "
                "or name a file that holds it in [instance] {option}"
            )
            raise ConfigError(self.source, [problem.format(variable=variable, option=option)])
        return _read_secret(self.source, option, path)


def _read_secret(source: str, option: str, path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else _("it is not text")
        raise ConfigError(
            source,
            [
                _("[instance] {option} {path}: {reason}").format(
                    option=option, path=path, reason=reason
                )
            ],
        ) from error
    if not value:
        raise ConfigError(
            source, [_("[instance] {option} {path} is empty").format(option=option, path=path)]
        )
    return value
