"""What every seed needs: stable ids, record shapes, and the users that can log in.

Owns no data of any story. Refuses nothing: callers give complete records.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import md5

Record = dict[str, str]
Batch = tuple[str, list[Record]]
"""A table and records for it, complete with their sys_ fields."""

LOGIN_USERS = {
    "admin": "System Administrator (sandbox)",
    "travesia.integration": "Travesía integration (sandbox)",
}
"""user_name → name of the accounts that may use the sandbox's API."""

BASE_DATE = "2015-01-01 00:00:00"
"""When the things that were always there were created: long before any seed's first record."""


def sys_id(*parts: str) -> str:
    """A stable 32-hex id made from a name: the same record has the same id in every sandbox."""
    return md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()


def stamped(
    identity: str,
    values: Mapping[str, str],
    *,
    created_on: str = BASE_DATE,
    updated_on: str = "",
    by: str = "admin",
    mod_count: int = 0,
) -> Record:
    """A complete record: `values` with the six sys_ fields; updated = created unless told."""
    return {
        "sys_id": identity,
        **values,
        "sys_created_on": created_on,
        "sys_created_by": by,
        "sys_updated_on": updated_on or created_on,
        "sys_updated_by": by,
        "sys_mod_count": str(mod_count),
    }


def user_id(user_name: str) -> str:
    """The sys_id of a user that can log in."""
    return sys_id("sys_user", user_name)


def base_records() -> Iterator[Batch]:
    """The accounts, roles and properties that every sandbox has."""
    yield (
        "sys_user",
        [
            stamped(
                user_id(user_name),
                {
                    "user_name": user_name,
                    "name": name,
                    "email": f"{user_name}@example.invalid",
                    "active": "true",
                    "vip": "false",
                    "time_zone": "UTC",
                    "preferred_language": "en",
                },
            )
            for user_name, name in LOGIN_USERS.items()
        ],
    )
    roles = {"admin": "May do everything", "itil": "Works on tickets"}
    yield (
        "sys_user_role",
        [
            stamped(sys_id("sys_user_role", role), {"name": role, "description": text})
            for role, text in roles.items()
        ],
    )
    yield (
        "sys_user_has_role",
        [
            stamped(
                sys_id("sys_user_has_role", user_name),
                {"user": user_id(user_name), "role": sys_id("sys_user_role", "admin")},
            )
            for user_name in LOGIN_USERS
        ],
    )
    # A clone brings its source's name and id along: that is how it can be told.
    identity = {"instance_name": "travesia-sandbox", "instance_id": sys_id("instance")}
    yield (
        "sys_properties",
        [
            stamped(sys_id("sys_properties", name), {"name": name, "value": value})
            for name, value in identity.items()
        ],
    )


def now() -> datetime:
    """This second, aware UTC."""
    return datetime.now(UTC).replace(microsecond=0)
