"""Roles, and who may read and write what is ours. Pure.

Nothing is said about the tool's own tables or columns: no rule here widens or narrows what anybody
may do with a ticket. An access control that names several roles lets any of them pass.
"""

from collections.abc import Iterator, Sequence

from connector.journey import fields
from connector.journey.engagement_fields import (
    COMPUTED,
    ENGAGEMENT_TABLE,
    PEOPLES,
    RING_CONFIRMED,
)
from connector.journey.own_tables import (
    JOURNEY_TABLE,
    OWN_TABLES,
    REQUEST_TABLE,
    ROW_FIELDS,
)
from connector.provision.model import Artefact, artefact, stable_id

INTEGRATION = "u_journey_integration"
STEWARD = "u_journey_steward"
READER = "u_journey_reader"

_ROLES = {
    INTEGRATION: "Travesía's own account: fills the journey columns and tables",
    STEWARD: "Looks after relationships: overrides with a reason, confirms rings, records contacts",
    READER: "Reads the journey's tables",
}
_CONTAINS = ((INTEGRATION, READER), (STEWARD, READER))
_STEWARDS_TOO = (ENGAGEMENT_TABLE.name, JOURNEY_TABLE.name)


def roles() -> Iterator[Artefact]:
    """Three roles; the integration and the stewards read as well."""
    for name, description in _ROLES.items():
        yield artefact("sys_user_role", (name,), name=name, description=description)
    for role, contained in _CONTAINS:
        yield artefact(
            "sys_user_role_contains",
            (role, contained),
            role=role_id(role),
            contains=role_id(contained),
        )


def role_id(name: str) -> str:
    """The sys_id of one of our roles."""
    return stable_id("sys_user_role", name)


def access(tables: Sequence[str], *, relationship: bool = True) -> Iterator[Artefact]:
    """Access controls of our tables, and of our columns on the written `tables`."""
    for own in OWN_TABLES:
        name = own.name
        yield from _control(name, "read", READER)
        yield from _control(name, "create", *_makers(name))
        yield from _control(name, "write", *_writers(name))
        yield from _control(name, "delete", _deleter(name))
    for table in (*tables, JOURNEY_TABLE.name):
        is_complete = relationship or table == JOURNEY_TABLE.name
        for field in fields.fields_on_records(relationship=is_complete):
            yield from _control(f"{table}.{field.name}", "write", INTEGRATION)
        for field in fields.STEWARD_FIELDS:
            yield from _control(f"{table}.{field.name}", "write", STEWARD)
    yield from _own_columns()


def _own_columns() -> Iterator[Artefact]:
    """Columns of our tables that not everybody may fill who may write the table."""
    for field in ROW_FIELDS:
        yield from _control(f"{JOURNEY_TABLE.name}.{field.name}", "write", INTEGRATION)
    for field in COMPUTED:
        yield from _control(f"{ENGAGEMENT_TABLE.name}.{field.name}", "write", INTEGRATION)
    for field in PEOPLES:
        if field.name != RING_CONFIRMED:
            yield from _control(f"{ENGAGEMENT_TABLE.name}.{field.name}", "write", STEWARD)
    ring = f"{ENGAGEMENT_TABLE.name}.{RING_CONFIRMED}"
    yield from _control(ring, "write", INTEGRATION, STEWARD)


def _makers(table: str) -> tuple[str, ...]:
    if table == REQUEST_TABLE.name:
        return (INTEGRATION, READER)
    return (STEWARD,) if table == fields.CONTACT_TABLE.name else (INTEGRATION,)


def _writers(table: str) -> tuple[str, ...]:
    if table == fields.CONTACT_TABLE.name:
        return (STEWARD,)
    return (INTEGRATION, STEWARD) if table in _STEWARDS_TOO else (INTEGRATION,)


def _deleter(table: str) -> str:
    """Said for every table: where no control stands, an instance may let anybody delete."""
    return STEWARD if table == fields.CONTACT_TABLE.name else INTEGRATION


def _control(name: str, operation: str, *allowed: str) -> Iterator[Artefact]:
    control = artefact(
        "sys_security_acl",
        (name, operation),
        name=name,
        operation=operation,
        type="record",
        active="true",
        admin_overrides="true",
        advanced="false",
        description=f"Travesía: {operation} for {', '.join(allowed)}",
    )
    yield control
    for role in allowed:
        yield artefact(
            "sys_security_acl_role",
            (name, operation, role),
            sys_security_acl=control.sys_id,
            sys_user_role=role_id(role),
        )
