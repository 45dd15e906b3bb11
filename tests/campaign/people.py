"""What people do in the tool while the connector works, and a model of it in plain Python.

The model knows every column that is not ours; the instance must agree with it in the end. People
change states and texts, comment, open and delete tickets, overwrite our fields, and commit late.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.timestamps import format_instance, parse_instance
from tests.campaign.world import TABLES, Record, Rows, World

BOOKKEEPING = frozenset({"sys_updated_on", "sys_updated_by", "sys_mod_count"})
OURS = "u_journey_"
LAG = timedelta(minutes=10)

EDITED = {
    "incident": (
        "state",
        "priority",
        "category",
        "assignment_group",
        "hold_reason",
        "contact_type",
        "active",
        "resolved_at",
        "reopen_count",
        "short_description",
    ),
    "sc_request": ("request_state", "stage", "approval", "active", "short_description"),
    "sc_req_item": ("state", "stage", "approval", "active", "short_description"),
    "sc_task": ("state", "active", "assignment_group", "short_description"),
}


def foreign(record: Record) -> Record:
    """The columns that are neither ours nor the platform's bookkeeping, where filled."""
    return {
        name: value
        for name, value in record.items()
        if value and not name.startswith(OURS) and name not in BOOKKEEPING
    }


@dataclass
class Done:
    """What was done in one run, as far as the verdict needs it."""

    actions: int = 0
    needs_sweep: bool = False
    """Whether something happened that only reconciliation can see."""
    log: list[str] = field(default_factory=list)


@dataclass
class People:
    """Everybody but the connector, and what the tool must hold by their doing."""

    world: World
    expected: Rows
    pools: dict[tuple[str, str], list[str]]
    ours: dict[str, list[str]]
    """Values seen in our columns, to overwrite others with."""
    done: Done = field(default_factory=Done)

    def act(self, dice: random.Random, *, may_be_late: bool) -> None:
        """One random deed."""
        deeds: list[tuple[int, Callable[[random.Random], str]]] = [
            (10, self._edit),
            (4, self._overwrite),
            (2, self._overwrite_many),
            (3, self._comment),
            (2, self._open),
            (1, self._delete if may_be_late else self._edit),
            (4 if may_be_late else 0, self._commit_late),
        ]
        (deed,) = dice.choices([d for _w, d in deeds], [w for w, _d in deeds])
        self.done.log.append(deed(dice))
        self.done.actions += 1

    def _pick(self, dice: random.Random) -> tuple[str, str]:
        table = dice.choices(TABLES, [6, 1, 2, 2])[0]
        return table, dice.choice(sorted(self.expected[table]))

    def _changes(self, dice: random.Random, table: str) -> Record:
        names = dice.sample(EDITED[table], dice.randint(1, 3))
        changes = {name: dice.choice(self.pools[table, name]) for name in names}
        if "short_description" in changes:
            changes["short_description"] = f"changed {dice.randrange(10**6)}"
        return changes

    def _take(self, table: str, sys_id: str, changes: Record) -> None:
        self.expected[table][sys_id] = foreign({**self.expected[table][sys_id], **changes})

    def _edit(self, dice: random.Random) -> str:
        table, sys_id = self._pick(dice)
        changes = self._changes(dice, table)
        self.world.api("PATCH", f"{table}/{sys_id}", changes)
        self._take(table, sys_id, changes)
        return f"edit {table} {sys_id} {sorted(changes)}"

    def _overwrite(self, dice: random.Random) -> str:
        table, sys_id = self._pick(dice)
        names = dice.sample(sorted(self.ours), dice.randint(1, 2))
        changes = {name: dice.choice(["", *self.ours[name]]) for name in names}
        self.world.api("PATCH", f"{table}/{sys_id}", changes)
        return f"overwrite {table} {sys_id} {sorted(changes)}"

    def _overwrite_many(self, dice: random.Random) -> str:
        """A careless list edit: many records to heal, in several batches."""
        every = [(table, sys_id) for table in TABLES for sys_id in sorted(self.expected[table])]
        chosen = dice.sample(every, dice.randint(8, 30))
        names = dice.sample(sorted(self.ours), 2)
        changes = {name: dice.choice(["", *self.ours[name]]) for name in names}
        self.world.patch_many(dict.fromkeys(chosen, changes))
        return f"overwrite_many {len(chosen)} {sorted(changes)}"

    def _comment(self, dice: random.Random) -> str:
        table, sys_id = self._pick(dice)
        name = dice.choice(("comments", "work_notes"))
        self.world.api("PATCH", f"{table}/{sys_id}", {name: "seen"})
        return f"{name} {table} {sys_id}"

    def _open(self, dice: random.Random) -> str:
        values = {**self._changes(dice, "incident"), "sys_id": f"{dice.getrandbits(128):032x}"}
        caller = dice.choice(self.pools["incident", "caller_id"])
        made = self.world.api(
            "POST",
            "incident",
            {**values, "caller_id": caller},
            sysparm_exclude_reference_link="true",
        )
        self.expected["incident"][made["sys_id"]] = foreign(made)
        return f"open incident {made['sys_id']}"

    def _delete(self, dice: random.Random) -> str:
        if len(self.expected["incident"]) <= 30:
            return self._edit(dice)
        sys_id = dice.choice(sorted(self.expected["incident"]))
        self.world.api("DELETE", f"incident/{sys_id}")
        del self.expected["incident"][sys_id]
        self.done.needs_sweep = True
        return f"delete incident {sys_id}"

    def _commit_late(self, dice: random.Random) -> str:
        """A long transaction ends: its time lies after the record's last save, and before now."""
        table, sys_id = self._pick(dice)
        saved = self.world.api("GET", f"{table}/{sys_id}", sysparm_fields="sys_updated_on")
        now = self.world.now()
        moment = self._late_moment(dice, parse_instance(saved["sys_updated_on"]), now)
        changes = self._changes(dice, table)
        late = {"table": table, "sys_id": sys_id, "values": changes, "at": format_instance(moment)}
        self.world.control("late", late)
        self._take(table, sys_id, changes)
        self.done.needs_sweep |= now - moment >= LAG
        return f"late {table} {sys_id} {now - moment}"

    @staticmethod
    def _late_moment(dice: random.Random, saved: datetime, now: datetime) -> datetime:
        earliest = max(saved, now - timedelta(minutes=45))
        return earliest + (now - earliest) * dice.random()


def people(world: World) -> People:
    """Everybody, at the start: the tool as it is holds what they did so far."""
    rows = world.dump()
    pools: dict[tuple[str, str], list[str]] = {}
    for table in TABLES:
        names = (*EDITED[table], "caller_id")
        for name in names:
            pools[table, name] = sorted({r.get(name, "") for r in rows[table].values()})
    every = [record for table in TABLES for record in rows[table].values()]
    names = ("step", "touchpoint", "band", "outcome", "value", "why", "since")
    ours = {
        f"{OURS}{name}": sorted({r[f"{OURS}{name}"] for r in every if f"{OURS}{name}" in r})
        for name in names
    }
    expected = {t: {key: foreign(r) for key, r in rows[t].items()} for t in TABLES}
    return People(world, expected, pools, ours)
