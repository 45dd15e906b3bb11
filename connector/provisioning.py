"""What is asked about our records in the instance: plan, make, take out, or write as a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from connector.config import Config, check_table, written_problem
from connector.errors import ConfigError
from connector.export.files import whole_file
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import LANGUAGES, speaking
from connector.provision import (
    Mail,
    Provisioning,
    Scope,
    apply_provision,
    artefacts_of,
    plan_provision,
    plan_removal,
    problems_of,
    remove,
    sheet,
    update_set,
)
from connector.services import connect, mapping_of

CORE = ("change_request", "problem")
"""Optional for the mapping, but every ITSM instance has them."""


def scope_of(config: Config, tables: Sequence[str] = (), *, protect: bool = True) -> Scope:
    """What is provisioned, as the settings say; `tables`, each once, in place of theirs.

    Raises ConfigError for a table that settings may not name as written either.
    """
    if problems := [problem for problem in map(_problem, dict.fromkeys(tables)) if problem]:
        raise ConfigError("--table", problems)
    wanted = config.write_back
    return Scope(
        tuple(dict.fromkeys(tables)) or wanted.tables,
        config.mapping.journey,
        config.mapping.language,
        wanted.mode,
        wanted.via,
        protect,
        tuple(Mail(one.language, one.groups, one.users) for one in config.report.mail),
        wanted.relationship,
    )


def _problem(table: str) -> str:
    """Why nothing may be provisioned on it; "" if it may."""
    try:
        return written_problem(check_table(table))
    except ValueError as error:
        return str(error)


def provision(
    config: Config, environment: Mapping[str, str], scope: Scope, *, apply: bool
) -> Provisioning:
    """What the instance lacks to show the journey; made there if `apply`. Never deletes.

    Answers the plan, or what was made. Raises ConfigError where a person must settle something.
    """
    act = apply_provision if apply else plan_provision
    return act(connect(config, environment), mapping_of(config), scope)


def unprovision(
    config: Config, environment: Mapping[str, str], scope: Scope, *, apply: bool
) -> Provisioning:
    """What of ours stands in the instance; taken out, with its data, if `apply`."""
    act = remove if apply else plan_removal
    return act(connect(config, environment), mapping_of(config), scope)


def write_update_set(
    config: Config, tables: Sequence[str], path: Path, *, protect: bool = True
) -> list[Path]:
    """The update set, and its sheet in each language beside it. Answers the files.

    No instance is asked, so tables of plug-ins are left out unless `tables` names them.
    Raises ConfigError where a person must settle something, ConnectorError if it cannot be written.
    """
    mapping = mapping_of(config)
    scope = scope_of(config, tables, protect=protect)
    scope = scope if tables else scope.without(_plugins(mapping, scope))
    if problems := problems_of(mapping, scope):
        raise ConfigError("provision", problems)
    made = artefacts_of(mapping, scope)
    description = f"Travesía: {', '.join(scope.tables)} ({mapping.hash})"
    written = {path: update_set.write(made, description)}
    for language in LANGUAGES:
        with speaking(language):
            text = sheet.write(made, scope, path.name)
        written[path.with_suffix(f".{language}.md")] = text.encode()
    for file, content in written.items():
        with whole_file(file) as target:
            target.write_bytes(content)
    return list(written)


def _plugins(mapping: JourneyMapping, scope: Scope) -> list[str]:
    known = mapping.tables
    return [t for t in scope.tables if t in known and known[t].optional and t not in CORE]
