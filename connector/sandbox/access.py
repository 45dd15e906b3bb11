"""What a user may do by roles and access controls: sys_user_has_role, sys_security_acl.

A table's rules and a field's rules must both let somebody through; of each, those that name the
nearest table of the lineage decide (access-control-rules page). A rule with a script lets nobody
through but an administrator: there is no script engine here. Where no rule speaks of a table, the
API lets everybody through, as ever, and a page only who works on tickets (`may_on_page`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from connector.encoded_query import Context
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.database import Database
from connector.sandbox.listing import matches, select
from connector.sandbox.policies import ADMIN

Operation = Literal["read", "write", "create", "delete"]

_WORKS_ON_TICKETS = "itil"

KEPT = (
    *("sys_remote_update_set", "sys_update_xml", "sys_update_preview_problem"),
    *("sys_audit", "sys_audit_delete", "sys_journal_field", "sys_attachment"),
)
"""Tables that the instance keeps itself: nobody types into them."""


@dataclass(frozen=True)
class Rule:
    """One sys_security_acl: `name` is a table or `table.field`."""

    admin_overrides: bool
    roles: frozenset[str]
    condition: str
    is_scripted: bool


Rules = Mapping[tuple[str, str], tuple[Rule, ...]]
"""(operation, name) → its rules."""


def roles_of(database: Database, user: str) -> frozenset[str]:
    """The roles of a user by name, with those that they contain; `admin` has at least admin."""
    rows = database.engine.rows(
        "WITH RECURSIVE held(role) AS ("
        "SELECT h.role FROM sys_user_has_role h JOIN sys_user u ON u.sys_id = h.user "
        "WHERE u.user_name = ? UNION "
        f"SELECT c.contains FROM {_contained(database)} c JOIN held ON c.role = held.role) "
        "SELECT r.name FROM held JOIN sys_user_role r ON r.sys_id = held.role",
        (user,),
    )
    names = {name for (name,) in rows}
    return frozenset(names | {ADMIN} if user == ADMIN else names)


def _contained(database: Database) -> str:
    """A folder made before there was the table has none."""
    is_there = "sys_user_role_contains" in database.catalogue
    return "sys_user_role_contains" if is_there else "(SELECT '' AS role, '' AS contains)"


def rules_of(database: Database) -> Rules:
    """The active rules on records, read once until one of them changes."""
    if database.access_rules is None:
        database.access_rules = _read(database)
    return database.access_rules


def _read(database: Database) -> Rules:
    if "sys_security_acl" not in database.catalogue:
        return {}
    roles: dict[str, set[str]] = {}
    for control, role in database.engine.rows(
        "SELECT a.sys_security_acl, r.name FROM sys_security_acl_role a "
        "JOIN sys_user_role r ON r.sys_id = a.sys_user_role"
    ):
        roles.setdefault(control, set()).add(role)
    found: dict[tuple[str, str], tuple[Rule, ...]] = {}
    for row in database.engine.records(
        "SELECT sys_id, name, operation, admin_overrides, condition, script, advanced "
        "FROM sys_security_acl WHERE active != 'false' AND type IN ('record', '')"
    ):
        key = (row["operation"], row["name"])
        rule = Rule(
            admin_overrides=row["admin_overrides"] != "false",
            roles=frozenset(roles.get(row["sys_id"], ())),
            condition=row["condition"],
            is_scripted=row["advanced"] == "true" and bool(row["script"].strip()),
        )
        found[key] = (*found.get(key, ()), rule)
    return found


class Access:
    """What one user may do. Roles and rules are read when it is made; `context` when needed."""

    def __init__(self, database: Database, user: str, context: Callable[[], Context]) -> None:
        self._database = database
        self._context = context
        self.user = user
        self.user_id = database.user_id(user) if user else ""
        self.rules = rules_of(database)
        self.roles = roles_of(database, user) if user else frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether the user has the role admin."""
        return ADMIN in self.roles

    def may(
        self, operation: Operation, table: Table, field: str = "", record: Record | None = None
    ) -> bool:
        """Whether the rules let this be done; where none speaks of it, they do."""
        of_table = self._verdict(operation, table, table.lineage, record)
        return of_table is not False and self.may_field(operation, table, field, record)

    def may_field(
        self, operation: Operation, table: Table, field: str, record: Record | None = None
    ) -> bool:
        """What the rules for the field alone say; '' is no field."""
        if not field:
            return True
        return self._verdict(operation, table, _names(table, field), record) is not False

    def may_on_page(
        self, operation: Operation, table: Table, field: str = "", record: Record | None = None
    ) -> bool:
        """The same for a person on a page, where a table without rules is closed.

        Tickets are open to the role itil, as their stock rules have it, all else to admin. A rule
        for a field does not open its table. Who has not logged in reads, and changes nothing.
        """
        if operation == "read":
            return not self.user or self.may(operation, table, field, record)
        if not self.user or table.name in KEPT or not self.may(operation, table, field, record):
            return False
        if self.is_admin or self._verdict(operation, table, table.lineage, record):
            return True
        return table.physical == "task" and _WORKS_ON_TICKETS in self.roles

    def _verdict(
        self, operation: Operation, table: Table, names: tuple[str, ...], record: Record | None
    ) -> bool | None:
        """What the rules of the first of these names that has any say; None where none has."""
        for name in names:
            if rules := self.rules.get((operation, name)):
                return any(self._passes(rule, table, record) for rule in rules)
        return None

    def _passes(self, rule: Rule, table: Table, record: Record | None) -> bool:
        if rule.admin_overrides and self.is_admin:
            return True
        if rule.is_scripted or (rule.roles and not rule.roles & self.roles):
            return False
        return not rule.condition or record is None or self._satisfies(rule, table, record)

    def _satisfies(self, rule: Rule, table: Table, record: Record) -> bool:
        selection = select(self._database, table, rule.condition, self._context())
        return matches(self._database, selection, record["sys_id"])

    def closed_to_reading(self) -> Iterator[str]:
        """The names (`table`, `table.field`) whose rules do not let the user read."""
        for (operation, name), rules in self.rules.items():
            table = self._database.catalogue.get(name.partition(".")[0])
            if operation != "read" or table is None:
                continue
            if not any(self._passes(rule, table, None) for rule in rules):
                yield name


def _names(table: Table, field: str) -> tuple[str, ...]:
    """What a rule for this field may be called, the nearest first."""
    return tuple(f"{base}.{name}" for name in (field, "*") for base in table.lineage)
