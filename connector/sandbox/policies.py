"""What an administrator may have forbidden or set off: rights, data policies, business rules.

Owns the switches of `POST /_sandbox/mode` for them and their reading; `rights` and `writing` apply
them. Rights bind every user but `admin`, policies and rules bind all. Refuses a switch that names
a table or a field that is not there: a test must not pass because of a spelling mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from connector.encoded_query import EncodedQueryError, parse
from connector.sandbox.answers import ApiError
from connector.sandbox.catalogue import Catalogue


class DataPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that must hold something where a record of `table` satisfies `when`."""

    table: str
    mandatory: tuple[str, ...]
    when: str = ""


class BusinessRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server script that a save of a record satisfying `when` sets off.

    `abort` refuses the save. `set` changes fields within it, as a before rule does. `then_set`
    changes fields and saves once more, as an after rule does: sys_mod_count moves by two.
    """

    name: str
    table: str
    when: str = ""
    abort: bool = False
    set: dict[str, str] = {}
    then_set: dict[str, str] = {}


@dataclass(frozen=True)
class Policies:
    """Everything that is switched on. Queries are encoded queries; '' means every record.

    Fields are written `table.field`; a table's rights hold for the tables that extend it.
    `api_key_apis` are the resources (`table`, `stats`…) that take an API key; none named, all do.
    """

    hidden_rows: Mapping[str, str] = field(default_factory=dict)
    hidden_fields: tuple[str, ...] = ()
    unqueryable_fields: tuple[str, ...] = ()
    write_denied_rows: Mapping[str, str] = field(default_factory=dict)
    write_denied_fields: tuple[str, ...] = ()
    data_policies: tuple[DataPolicy, ...] = ()
    business_rules: tuple[BusinessRule, ...] = ()
    sla_job: bool = False
    api_key_apis: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restrictions:
    """What one user may not read."""

    hidden_rows: Mapping[str, str] = field(default_factory=dict)
    hidden_fields: frozenset[str] = frozenset()
    unqueryable: frozenset[str] = frozenset()


UNRESTRICTED = Restrictions()

ADMIN = "admin"
"""The one user whom no right binds."""


def restrictions(policies: Policies, user: str) -> Restrictions:
    """What this user may not read."""
    if user == ADMIN:
        return UNRESTRICTED
    return Restrictions(
        policies.hidden_rows,
        frozenset(policies.hidden_fields),
        frozenset(policies.unqueryable_fields),
    )


SWITCHES = frozenset(Policies.__dataclass_fields__)
"""The fields of /_sandbox/mode that this module understands."""


def changed(policies: Policies, asked: Mapping[str, object], catalogue: Catalogue) -> Policies:
    """`policies` with the switches in `asked` set anew. Raises ApiError 400."""
    wanted = {name: value for name, value in asked.items() if name in SWITCHES}
    try:
        given = msgspec.convert(wanted, Policies)
    except msgspec.ValidationError as error:
        raise ApiError(400, "Invalid mode", str(error)) from error
    made = replace(policies, **{name: getattr(given, name) for name in wanted})
    for table, name in _named(made):
        if table not in catalogue:
            raise ApiError(400, "Invalid mode", f"there is no table {table}")
        if name and name not in catalogue[table].columns:
            raise ApiError(400, "Invalid mode", f"{table} has no field {name}")
    return made


def _fields_of(text: str) -> list[str]:
    """The columns of a query's own table that it reads; of a dot-walk, its first step."""
    try:
        return [path.partition(".")[0] for path in sorted(parse(text).fields)] if text else []
    except EncodedQueryError as error:
        raise ApiError(400, "Invalid mode", str(error)) from error


def _named(policies: Policies) -> list[tuple[str, str]]:
    """Every (table, field or '') that the switches speak of."""
    fields = (
        *policies.hidden_fields,
        *policies.unqueryable_fields,
        *policies.write_denied_fields,
    )
    named = [(table, name) for table, _dot, name in (text.partition(".") for text in fields)]
    named += [(table, "") for table in (*policies.hidden_rows, *policies.write_denied_rows)]
    named += [(p.table, name) for p in policies.data_policies for name in p.mandatory]
    for rule in policies.business_rules:
        named += [(rule.table, name) for name in ("", *rule.set, *rule.then_set)]
    queries = [*policies.hidden_rows.items(), *policies.write_denied_rows.items()]
    queries += [(policy.table, policy.when) for policy in policies.data_policies]
    queries += [(rule.table, rule.when) for rule in policies.business_rules]
    named += [(table, name) for table, text in queries for name in _fields_of(text)]
    return named


def described(policies: Policies) -> dict[str, object]:
    """What is switched on, for /_sandbox/health."""
    plain: dict[str, object] = msgspec.to_builtins(policies)
    return {name: value for name, value in plain.items() if value}
