"""What part of the organisation a report is about, and which records belong to it.

Whose a record is stands in mappings/engagement.toml, as for the state of relationships: the person
it is for leads to the department, the record names the service. A department includes those below
it, a company its departments. What hangs from a record belongs where the record belongs.
"""

from collections.abc import Sequence

from connector.config import did_you_mean
from connector.encoded_query import Context
from connector.errors import ConfigError
from connector.evaluate import ask
from connector.journey.engagement_model import Relationship
from connector.journey.model import Edge, Mapping
from connector.journey.scope import Catalogue
from connector.messages import _
from connector.report.figures import WHOLE, Scope, ScopeKind
from connector.store.database import Store
from connector.store.records import list_columns, name

TABLES: dict[ScopeKind, str] = {
    "department": "cmn_department",
    "company": "core_company",
    "service": "cmdb_ci_service",
}
"""Kind of a scope → the table of the tool that says what there is."""

GENERATIONS = 3
"""An SLA follows its task, the task its item, the item its request."""


def find_scope(store: Store, text: str) -> Scope:
    """`department=Finanzas`, by name or sys_id; "" or `all` is the whole organisation.

    Raises ConfigError with the near miss.
    """
    if text.strip() in ("", "all"):
        return WHOLE
    kind, named = _parse(text)
    table = TABLES[kind]
    known = _known(store, table)
    wanted = named.casefold()
    found = [key for key, called in known.items() if wanted in (key.casefold(), called.casefold())]
    if len(found) != 1:
        raise _refusal(kind, named, found, known)
    return Scope(kind, found[0], known[found[0]])


def _parse(text: str) -> tuple[ScopeKind, str]:
    kind, equals, named = (part.strip() for part in text.partition("="))
    for known in TABLES:
        if known == kind and equals and named:
            return known, named
    raise _problem(
        _("{text!r} is no scope{hint}; write department=NAME, company=NAME or service=NAME").format(
            text=text, hint=did_you_mean(kind, TABLES)
        )
    )


def _known(store: Store, table: str) -> dict[str, str]:
    """sys_id → name of what the store holds of the table."""
    if "name" not in list_columns(store, table):
        raise _problem(
            _("no record of {table} was read, so nothing can be told apart by it").format(
                table=table
            )
        )
    rows = store.read(f"SELECT sys_id, coalesce(name, '') AS name FROM current.{name(table)}")
    return {row["sys_id"]: row["name"] for row in rows}


def _refusal(
    kind: ScopeKind, named: str, found: Sequence[str], known: dict[str, str]
) -> ConfigError:
    if found:
        text = _("{n} records of {table} are called {name!r}; give the sys_id: {ids}")
        return _problem(
            text.format(n=len(found), table=TABLES[kind], name=named, ids=", ".join(found[:5]))
        )
    return _problem(
        _("nothing in {table} is called {name!r}{hint}").format(
            table=TABLES[kind], name=named, hint=did_you_mean(named, known.values())
        )
    )


def _problem(sentence: str) -> ConfigError:
    return ConfigError("--scope", [sentence])


# Which records are in it --------------------------------------------------------------------------


def restrict(
    store: Store, mapping: Mapping, catalogue: Catalogue, context: Context, scope: Scope
) -> None:
    """TEMP TABLE `in_scope` (table_name, sys_id, person): what belongs to the scope, for whom.

    `person` is a hash, NULL where the record is for nobody. Raises ConfigError without
    engagement.toml, StoreError.
    """
    if mapping.engagement is None:
        raise _problem(_("the mapping has no engagement.toml, which says whose a record is"))
    _learn_members(store, scope)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE in_scope (table_name VARCHAR, sys_id VARCHAR, person UBIGINT)"
    )
    tied = [one for one in mapping.engagement.relationships if catalogue.has_table(one.table)]
    for one in tied:
        if not one.via:
            _take(store, catalogue, context, one, scope)
    _follow(store, catalogue, context, tied, mapping.edges)


def _learn_members(store: Store, scope: Scope) -> None:
    """TEMP TABLE `scope_member`: the values by which a record says that it belongs."""
    columns = list_columns(store, "cmn_department")
    is_head = "sys_id = $id"
    if scope.kind == "company" and "company" in columns:
        is_head = "company = $id"
    below = "parent" in columns and scope.kind != "service"
    heads = f"SELECT sys_id FROM current.cmn_department WHERE {is_head}"
    parts = ["SELECT $id AS id"]
    if below:
        parts.append(
            f"SELECT sys_id FROM (WITH RECURSIVE b AS ({heads} UNION SELECT d.sys_id"
            " FROM current.cmn_department d JOIN b ON d.parent = b.sys_id) FROM b)"
        )
    elif columns and scope.kind == "company":
        parts.append(heads)
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE scope_member AS {' UNION '.join(parts)}", id=scope.sys_id
    )


def _take(
    store: Store, catalogue: Catalogue, context: Context, one: Relationship, scope: Scope
) -> None:
    """The records of a table that name customer and service themselves."""
    asked = (*one.customer, *one.service, *one.service_fallback, *one.person)
    query = ask(store, catalogue, context, one.table, {}, list(dict.fromkeys(asked)))
    member = _service(one, catalogue) if scope.kind == "service" else _first(one.customer)
    person = f"hash({_first(one.person)})" if one.person else "NULL::UBIGINT"
    store.execute(
        f"INSERT INTO in_scope SELECT $table, sys_id, {person} FROM ({query})"
        f" WHERE {member} IN (SELECT id FROM scope_member)",
        table=one.table,
    )


def _service(one: Relationship, catalogue: Catalogue) -> str:
    """The first field that names a service; what is none (a configuration item) does not count."""
    if not catalogue.has_table(one.service_table):
        return _first((*one.service, *one.service_fallback))
    known = f"(SELECT sys_id FROM current.{name(one.service_table)})"
    parts = [f"CASE WHEN {_quoted(field)} IN {known} THEN {_quoted(field)} END"
             for field in one.service]  # fmt: skip
    return f"coalesce({', '.join([*parts, *map(_filled, one.service_fallback), 'NULL'])})"


def _follow(
    store: Store,
    catalogue: Catalogue,
    context: Context,
    tied: Sequence[Relationship],
    edges: Sequence[Edge],
) -> None:
    """What hangs from records of the scope, as the relationships and then the edges say."""
    of_edges = {e.table: (e.field,) for e in reversed(edges) if catalogue.has_table(e.table)}
    ways = {**of_edges, **{one.table: one.via for one in tied}}
    hanging = {table: fields for table, fields in ways.items() if fields}
    for _generation in range(GENERATIONS):
        for table, fields in hanging.items():
            query = ask(store, catalogue, context, table, {}, list(fields))
            store.execute(
                "INSERT INTO in_scope SELECT $table, q.sys_id, any_value(s.person)"
                f" FROM ({query}) q JOIN in_scope s ON s.sys_id = {_first(fields, 'q.')}"
                " WHERE q.sys_id NOT IN (SELECT sys_id FROM in_scope WHERE table_name = $table)"
                " GROUP BY q.sys_id",
                table=table,
            )


def _first(fields: Sequence[str], of: str = "") -> str:
    """The first of these fields that is filled, as SQL."""
    parts = ", ".join(_filled(field, of) for field in fields)
    return f"coalesce({parts}, NULL)" if parts else "NULL::VARCHAR"


def _filled(field: str, of: str = "") -> str:
    return f"nullif({of}{_quoted(field)}, '')"


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'
