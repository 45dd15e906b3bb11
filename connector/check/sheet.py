"""The change request: one page for the people who decide about the instance, in Markdown.

Filled from what the instance, the configuration and the last runs say. A figure that nobody
measured yet is the limit that the configuration sets, and is called so. Lists that could grow
beyond the page (columns, what a write sets off) are whole in the annex (annex.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from connector import staging
from connector.check.effects import Effect, Effects
from connector.check.load import measured
from connector.config import Config
from connector.itsm.staging import staging_of
from connector.journey.fields import OWN_PREFIX, STEWARD_FIELDS, fields_on_records
from connector.journey.own_tables import OWN_TABLES
from connector.messages import _, _n

KEYS_PER_REQUEST = 150
"""Journal and audit entries are asked for by so many keys at once."""


SHOWN_EFFECTS = 8
"""What stands on the page of what a write sets off; the annex has all of it."""
SHOWN_TABLES = 2
"""Names of tables in a cell; more are counted."""


@dataclass(frozen=True)
class Nights:
    """The last whole syncs, as the store remembers them: averages of rows read and written."""

    runs: int = 0
    rows: float = 0.0
    writes: float = 0.0


@dataclass(frozen=True)
class _Line:
    """One line of the table of loads."""

    job: str
    when: str
    requests: str
    rows: str
    writes: str


def sheet(
    config: Config,
    reads: Mapping[str, Sequence[str]],
    absent: Sequence[str],
    effects: Mapping[str, Effects],
    nights: Nights,
) -> str:
    """The page, in the reader's language. `reads` is every table with the columns read of it."""
    parts = (
        _head(config),
        _read(config, reads, absent),
        _load(config, reads, nights),
        _written(config, effects),
        _rights(config, reads),
        _set_off(config, effects),
        _way_out(config),
        _signed(),
    )
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _head(config: Config) -> Iterator[str]:
    yield _("# Change request: Travesía on {url}").format(url=config.instance.url)
    yield ""
    yield _(
        "Travesía reads records at night, places each on the customer journey (step, touchpoint,"
        " why) and writes these fields back into columns of its own. It runs outside the instance,"
        " speaks only its REST API, deletes nothing and changes no field that is not its own."
    )
    if not config.write_back.enabled:
        yield ""
        yield _("**Writing is off at present** ([write_back] enabled = false): it only reads.")


def _read(
    config: Config, reads: Mapping[str, Sequence[str]], absent: Sequence[str]
) -> Iterator[str]:
    yield _("## What is read")
    columns = sum(len(of_table) for of_table in reads.values())
    said = _("{tables} tables, {columns} columns; travesia check --annex names each.")
    yield said.format(tables=len(reads), columns=columns)
    if config.extract.history:
        yield _(
            "Of journal entries (sys_journal_field) kind, time and author are read, of the audit"
            " (sys_audit) also the values of a few fields such as state; by the key of their"
            " record, never a text."
        )
    yield _("Beside these the dictionary, the choice lists, sys_audit_delete and sys_properties.")
    if absent:
        yield _("Asked for and not there: {tables}.").format(tables=", ".join(absent))


def _load(config: Config, reads: Mapping[str, Sequence[str]], nights: Nights) -> Iterator[str]:
    yield _("## How often, and how much")
    heads = (_("Job"), _("When"), _("Requests"), _("Changed records"), _("Records written"))
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|--:|--:|--:|"
    for line in (_nightly(config, reads, nights), _weekly(config, reads)):
        cells = (line.job, line.when, line.requests, line.rows, line.writes)
        yield f"| {' | '.join(cells)} |"
    yield ""
    if nights.runs:
        yield _n(
            "Rows and writes are those of the last whole run; requests are computed from them.",
            "Rows and writes are the mean of the last {n} whole runs; requests are computed from"
            " them.",
            nights.runs,
        ).format(n=nights.runs)
    else:
        yield _(
            "Nothing was measured yet: rows depend on how many records change, writes are the"
            " limit of the configuration. The first run reads every record of these tables once."
        )
    window = config.write_back.window
    yield _(
        "At most {workers} requests at once for writing, batches of at most {size} records and 15"
        " seconds, at most {cap} records a run{window}. 429 and Retry-After are obeyed."
    ).format(
        workers=config.write_back.workers,
        size=config.write_back.batch_size,
        cap=config.write_back.max_records_per_run,
        window=_(", only within {window}").format(window=window) if window else "",
    )


def _nightly(config: Config, reads: Mapping[str, Sequence[str]], nights: Nights) -> _Line:
    writes = nights.writes if nights.runs else float(config.write_back.max_records_per_run)
    requests = measured().fixed + len(reads) + ceil(nights.rows / config.instance.page_size)
    if config.extract.history:
        requests += 2 * ceil(nights.rows / KEYS_PER_REQUEST)
    requests += ceil(writes / config.write_back.batch_size)
    limit = "" if nights.runs else "≤ "
    return _Line(
        _("Nightly sync"),
        _when(config, config.schedule.sync),
        f"≈ {requests}",
        f"{nights.rows:.0f}" if nights.runs else "–",
        f"{limit}{writes:.0f}" if config.write_back.enabled else "0",
    )


def _weekly(config: Config, reads: Mapping[str, Sequence[str]]) -> _Line:
    load = measured()
    requests = load.reconcile_fixed + load.reconcile_per_table * len(reads)
    text = _("≈ {n}; all keys every {every} times")
    said = text.format(n=requests, every=config.schedule.compare_keys_every)
    when = _when(config, config.schedule.reconcile)
    return _Line(_("Weekly reconciliation"), when, said, "–", "0")


def _when(config: Config, cron: str) -> str:
    return f"`{cron}` ({config.schedule_zone})" if cron else _("never")


def _written(config: Config, effects: Mapping[str, Effects]) -> Iterator[str]:
    yield _("## What is written")
    text = _(
        "On {tables}: {n} columns of its own that begin with {prefix} (named in the annex); nothing"
        " else. People fill {stewards}."
    )
    yield text.format(
        tables=", ".join(effects),
        n=len(fields_on_records(relationship=config.write_back.relationship)),
        prefix=OWN_PREFIX,
        stewards=", ".join(field.name for field in STEWARD_FIELDS),
    )
    own = ", ".join(table.name for table in OWN_TABLES)
    yield _("Tables of its own: {tables}.").format(tables=own)
    yield _(
        "Only what differs is written. Closed records are left alone {days} days after closing."
    ).format(days=config.write_back.settled_days)
    if config.write_back.via == "import_set":
        yield _(
            "Quietly, by the Import Set API: {tables}; the transform maps run no business rules,"
            " and a script of one line keeps each from inserting."
        ).format(tables=", ".join(staging_of(table) for table in effects))
    else:
        yield _(
            "By the Batch API, as a user's save: rules, flows and notifications may run. No code is"
            " installed."
        )


def _rights(config: Config, reads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield _("## Rights of the account {user}").format(user=_account(config))
    yield _("- Web service access only; time zone GMT; nobody else uses it.")
    yield _("- Read, and query_range on sys_updated_on and sys_id: {tables}.").format(
        tables=", ".join(sorted(reads))
    )
    metadata = "sys_db_object, sys_dictionary, sys_choice, sys_documentation"
    yield _("- Read: {tables}.").format(tables=metadata)
    yield _("- Read, where it may be given: sys_audit_delete, sys_properties (instance_name).")
    if config.write_back.via == "import_set":
        yield _("- Role import_transformer, and read of {tables}.").format(
            tables=", ".join((staging.MAP, staging.ENTRY))
        )
    yield _("- Write, field by field: {prefix}* on the tables to be written.").format(
        prefix=OWN_PREFIX
    )


def _account(config: Config) -> str:
    """Whom the instance knows; a key or a certificate does not say."""
    return config.instance.user or config.instance.client_id or f"({config.instance.auth})"


def _set_off(config: Config, effects: Mapping[str, Effects]) -> Iterator[str]:
    yield _("## What a write sets off")
    if config.write_back.via == "import_set":
        yield _("Nothing of this: the transform maps run no business rules. Listed to be sure.")
        yield ""
    if unseen := sorted({table for found in effects.values() for table in found.unseen}):
        yield _("**Not seen**, because the account may not read them: {tables}.").format(
            tables=", ".join(unseen)
        )
        yield ""
    shared = _shared(effects)
    shown = SHOWN_EFFECTS // 2 if config.write_back.via == "import_set" else SHOWN_EFFECTS
    yield f"| {_('Kind')} | {_('Name')} | {_('Condition')} | {_('Tables')} |"
    yield "|---|---|---|---|"
    for (kind, name, cause), tables in shared[:shown]:
        yield f"| {kind} | {cell(name)} | {cell(cause)} | {_places(tables)} |"
    if (more := len(shared) - shown) > 0:
        yield f"| | {_('and {n} more: travesia check --annex').format(n=more)} | | |"
    if not shared:
        yield f"| – | {_('none was seen')} | | |"


def _shared(effects: Mapping[str, Effects]) -> list[tuple[tuple[str, str, str], list[str]]]:
    """Each thing set off once, with the tables whose writes do it; what asks nothing first."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for table, of_table in effects.items():
        for effect in of_table.found:
            key = (kind_of(effect), effect.name, cause_of(effect))
            found.setdefault(key, []).append(table)
    return sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))


def _places(tables: Sequence[str]) -> str:
    if len(tables) <= SHOWN_TABLES:
        return ", ".join(tables)
    return _n("{n} table", "{n} tables", len(tables)).format(n=len(tables))


def kind_of(effect: Effect) -> str:
    """The kind in the reader's language."""
    names = {
        "rule": _("business rule"),
        "flow": _("flow"),
        "notification": _("notification"),
    }
    return names[effect.kind]


def cause_of(effect: Effect) -> str:
    """When it runs, as far as the instance says."""
    return " ".join(part for part in (effect.when, effect.condition) if part)


def cell(text: str) -> str:
    """A text inside a table of Markdown."""
    return " ".join(text.replace("|", "\\|").split())


def _way_out(config: Config) -> Iterator[str]:
    yield _("## How to stop it, and how to take it out")
    user = _account(config)
    yield _(
        "- Stop: end the service, or set [write_back] enabled = false; at once from the"
        " instance's side: lock the account {user}."
    ).format(user=user)
    yield _("- A copy of the instance is noticed, and nothing is written to it.")
    yield _(
        "- Take out: delete the columns (sys_dictionary, element starts with {prefix}) and the"
        " tables (sys_db_object, name starts with {prefix}); their contents go with them, no other"
        " field was touched."
    ).format(prefix=OWN_PREFIX)


def _signed() -> Iterator[str]:
    yield _("Requested by: ____________ · Approved by: ____________ · Date: ____________")
