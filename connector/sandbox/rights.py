"""What a user may read and write: rows, fields, tables, and what of a body is let through.

The answers follow servicenow-api.md §1.1, §1.5, §7.4: a table's denial is a 403, a field's is
silent. `admin` may do everything.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from connector.encoded_query import Context
from connector.sandbox import properties
from connector.sandbox.access import Access, Operation, roles_of, rules_of
from connector.sandbox.answers import ApiError
from connector.sandbox.catalogue import Column, Record, Table
from connector.sandbox.database import Database
from connector.sandbox.display import Labels
from connector.sandbox.instance import Instance
from connector.sandbox.listing import matches, select
from connector.sandbox.policies import ADMIN, Restrictions, restrictions
from connector.sandbox.refusals import RefusedError
from connector.sandbox.rendering import user_zone

Change = Literal["write", "delete"]

_API_READ_ONLY = frozenset({"client_script_modifiable", "strict_read_only"})
"""Read only options that keep the Table API from writing (read-only-option page, Australia)."""

_LEGACY_OPTION = "glide.read_only.legacy_read_only_behavior"
_ANY_CHOICE = "glide.rest.choice.allow_non_existing_value"
_ADMIN_SYS_FIELDS = "glide.rest.table_api.admin_only_sys_fields"


def context_of(instance: Instance, user: str) -> Context:
    """What relative dates and gs.getUserID() mean for this user now."""
    database = instance.database
    return Context(
        now=instance.clock.now(),
        time_zone=user_zone(database, user),
        user_id=database.user_id(user),
    )


def check_reachable(instance: Instance, table: Table) -> None:
    """Raises ApiError 403 for a table closed to web services (sys_db_object.ws_access).

    The status and the text are not documented; these are what a closed API answers.
    """
    if table.name in instance.database.closed_tables():
        raise ApiError(403, "User Not Authorized", "Failed API level ACL Validation")


def has_role(database: Database, user: str, *roles: str) -> bool:
    """Whether the user has one of the roles, or admin."""
    return not roles_of(database, user).isdisjoint({ADMIN, *roles})


def access_of(instance: Instance, user: str) -> Access:
    """The user's roles, and the access controls; remembered until one of them changes."""
    memory = instance.database.access_of
    if user not in memory:
        memory[user] = Access(instance.database, user, partial(context_of, instance, user))
    found: Access = memory[user]
    return found


def restrictions_of(instance: Instance, user: str) -> Restrictions:
    """What this user may not read over the API, by the switches and by access controls.

    The condition of a rule for reading is not looked at: its roles decide.
    """
    known = restrictions(instance.policies, user)
    if user == ADMIN or not rules_of(instance.database):
        return known
    closed = [*access_of(instance, user).closed_to_reading()]
    rows = {name: "" for name in closed if "." not in name}
    fields = frozenset(name for name in closed if "." in name)
    return replace(
        known,
        hidden_rows={**known.hidden_rows, **rows},
        hidden_fields=known.hidden_fields | fields,
    )


def satisfies(instance: Instance, record: Record, table: str, query: str, user: str) -> bool:
    """Whether a stored record belongs to `table` and matches an encoded query."""
    target = instance.database.catalogue[table]
    selection = select(instance.database, target, query, context_of(instance, user))
    return matches(instance.database, selection, record["sys_id"])


def may_read(instance: Instance, record: Record, user: str) -> bool:
    """Whether no rule hides this record from the user."""
    hidden = restrictions_of(instance, user).hidden_rows
    return user == ADMIN or not _is_among(instance, record, hidden, user)


def _is_among(instance: Instance, record: Record, rows: Mapping[str, str], user: str) -> bool:
    return any(satisfies(instance, record, table, rows[table], user) for table in rows)


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def check_insert(instance: Instance, table: Table, user: str) -> None:
    """Raises RefusedError where every row of the table is closed to the user's writes."""
    denied = instance.policies.write_denied_rows
    is_denied = user != ADMIN and any(denied.get(name) == "" for name in table.lineage)
    if is_denied or not _lets(instance, user, "create", table):
        raise RefusedError("ACL Exception Insert Failed due to security constraints")


def check_change(
    instance: Instance, table: Table, record: Record, user: str, operation: Change
) -> None:
    """Raises RefusedError where this record of `table` is closed to the user."""
    denied = instance.policies.write_denied_rows
    is_denied = user != ADMIN and _is_among(instance, record, denied, user)
    if is_denied or not _lets(instance, user, operation, table, record):
        verb = "Update" if operation == "write" else "Delete"
        raise RefusedError(f"ACL Exception {verb} Failed due to security constraints")


def _lets(
    instance: Instance, user: str, operation: Operation, table: Table, record: Record | None = None
) -> bool:
    """Whether access controls let the user do this to the table or the record."""
    if not rules_of(instance.database):
        return True
    return access_of(instance, user).may(operation, table, "", record)


def accepted(instance: Instance, table: Table, values: Mapping[str, str], user: str) -> Record:
    """What of a body is let through; the rest is dropped without a word, as the platform does.

    Dropped: fields closed to the user, columns whose read only option shuts the API out, values
    that the column's choice list lacks, and a sys_id where only admins may set one.
    """
    gate = _Gate(instance, table, user)
    return {name: value for name, value in values.items() if gate.passes(name, value)}


class _Gate:
    """One user's body for one table."""

    def __init__(self, instance: Instance, table: Table, user: str) -> None:
        self._database = instance.database
        self._table = table
        self._is_admin = user == ADMIN
        self._denied = instance.policies.write_denied_fields
        self._labels = Labels(instance.database)
        self._access = access_of(instance, user) if rules_of(instance.database) else None

    def passes(self, name: str, value: str) -> bool:
        """Whether this value of this field is taken."""
        if name == "sys_id":
            return self._is_admin or not properties.is_on(self._database, _ADMIN_SYS_FIELDS)
        column = self._table.columns.get(name)
        return column is None or (self._may_write(column) and self._is_choice(column, value))

    def _may_write(self, column: Column) -> bool:
        option = column.read_only_option
        if option == "instance_configured":
            option = properties.value(self._database, _LEGACY_OPTION, "client_script_modifiable")
        if option in _API_READ_ONLY:
            return False
        if self._access and not self._access.may_field("write", self._table, column.name):
            return False
        names = {f"{base}.{column.name}" for base in self._table.lineage}
        return self._is_admin or names.isdisjoint(self._denied)

    def _is_choice(self, column: Column, value: str) -> bool:
        """An empty value clears; a column without a list of its own takes anything."""
        if not value or not column.is_closed_list:
            return True
        choices = self._labels.choices(self._table, column.name)
        known = not choices or value in choices
        return known or properties.is_on(self._database, _ANY_CHOICE)
