"""A save as a user's save: rights, then the write, then policies and rules, all or nothing.

`database` alone is what the machinery itself writes (seeds, replays, jobs); everything that a
caller of an API writes goes through here. A quiet save (setWorkflow(false)) skips rules, policies
and audit, and still moves sys_updated_on, sys_updated_by and sys_mod_count. One that is not
`secured` is the system's own: rights do not bind it.
"""

from collections.abc import Callable, Mapping

from connector.sandbox import rights
from connector.sandbox.catalogue import Record, Table, stable_id
from connector.sandbox.instance import Instance
from connector.sandbox.policies import BusinessRule
from connector.sandbox.refusals import RefusedError
from connector.sandbox.rights import satisfies


class _SetByRule(Exception):
    """A before rule wants other values in the same save; never leaves this module."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__()
        self.values = values


def create(
    instance: Instance,
    table: Table,
    values: Mapping[str, str],
    user: str,
    *,
    quiet: bool = False,
    secured: bool = True,
) -> Record:
    """A new record. Raises RefusedError."""
    given = values
    if secured:
        rights.check_insert(instance, table, user)
        given = rights.accepted(instance, table, values, user)

    def save(more: Mapping[str, str]) -> Record:
        return instance.database.insert(table, {**given, **more}, user)

    return _saved(instance, save, user, quiet)


def update(
    instance: Instance,
    table: Table,
    before: Record,
    values: Mapping[str, str],
    user: str,
    *,
    quiet: bool = False,
    secured: bool = True,
) -> Record:
    """The record after the change; the very `before` where nothing differs. Raises RefusedError."""
    database, given = instance.database, values
    if secured:
        owner = database.catalogue.get(before.get("sys_class_name", ""), table)
        rights.check_change(instance, owner, before, user, "write")
        given = rights.accepted(instance, owner, values, user)

    def save(more: Mapping[str, str]) -> Record:
        wanted = {**given, **more}
        after = database.update(table, before["sys_id"], wanted, user, before, audited=not quiet)
        return after or before

    return _saved(instance, save, user, quiet, before)


def delete(instance: Instance, table: Table, record: Record, user: str) -> None:
    """Remove a record. Raises RefusedError."""
    owner = instance.database.catalogue.get(record.get("sys_class_name", ""), table)
    rights.check_change(instance, owner, record, user, "delete")
    instance.database.delete(table, record["sys_id"], user)


# ── what a save sets off ─────────────────────────────────────────────────────────────────────


def _saved(
    instance: Instance,
    save: Callable[[Mapping[str, str]], Record],
    user: str,
    quiet: bool,
    before: Record | None = None,
) -> Record:
    """`save` with what before rules add to it, then the rest of the rules; nothing if refused."""
    if quiet or not (instance.policies.business_rules or instance.policies.data_policies):
        return save({})
    more: Record = {}
    while True:
        try:
            with instance.database.transaction():
                record = save(more)
                if record is before:
                    return record
                return _ruled(instance, record, user, more)
        except _SetByRule as wanted:
            more |= wanted.values


def _ruled(instance: Instance, record: Record, user: str, already: Mapping[str, str]) -> Record:
    """The saved record after rules and policies. Raises _SetByRule, RefusedError."""
    rules = [
        rule
        for rule in instance.policies.business_rules
        if satisfies(instance, record, rule.table, rule.when, user)
    ]
    for rule in rules:
        if rule.set.keys() - already.keys():
            raise _SetByRule(rule.set)
        if rule.abort:
            raise RefusedError(_aborted(record, rule))
    _check_data_policies(instance, record, user)
    for rule in rules:
        record = _saved_again(instance, rule, record, user)
    return record


def _aborted(record: Record, rule: BusinessRule) -> str:
    table = record.get("sys_class_name", rule.table)
    named = f"{rule.name}^{stable_id('sys_script', rule.name)}"
    return (
        f"Operation against file '{table}' was aborted by Business Rule '{named}'. "
        f"Business Rule Stack:{rule.name}"
    )


def _check_data_policies(instance: Instance, record: Record, user: str) -> None:
    for policy in instance.policies.data_policies:
        if not satisfies(instance, record, policy.table, policy.when, user):
            continue
        table = instance.database.catalogue[policy.table]
        full = instance.database.get(table, record["sys_id"]) or record
        if missing := [table.columns[name].label for name in policy.mandatory if not full[name]]:
            raise RefusedError(
                "Data Policy Exception: The following fields are mandatory: " + ", ".join(missing)
            )


def _saved_again(instance: Instance, rule: BusinessRule, record: Record, user: str) -> Record:
    database = instance.database
    table = database.catalogue[rule.table]
    if not rule.then_set or database.update(table, record["sys_id"], rule.then_set, user) is None:
        return record
    owner = database.catalogue.get(record.get("sys_class_name", ""), table)
    again = database.get(owner, record["sys_id"]) or record
    return {name: again.get(name, value) for name, value in record.items()}
