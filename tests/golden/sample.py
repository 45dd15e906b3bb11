"""A synthetic store for reports: an invented organisation, the same every time.

Plain rows first (`Sample`), so that tests can count them by themselves; then the same rows in a
store. Not the shipped mapping: golden files must not move when a designer renames a step.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector.store.database import Store, open_store
from connector.store.records import ensure_table
from connector.timestamps import format_instance
from tests.golden import relations
from tests.golden.sample_mapping import TOUCHPOINTS, sample_mapping

__all__ = [
    "FIRST_SYNC",
    "FOUNDATION",
    "NOW",
    "ROW",
    "SERVICES",
    "Sample",
    "fill_store",
    "insert_rows",
    "make_sample",
    "sample_mapping",
]

NOW = datetime(2026, 11, 5, 22, 0, tzinfo=UTC)
"""Up to when the sample's data reach."""

FOUNDATION = (
    "sys_user",
    "cmn_department",
    "core_company",
    "cmdb_ci_service",
    "u_journey_contact",
)
"""Tables of people and things: their records stand on no journey of the sample."""
SERVICES = ("ERP", "Correo", "Puesto de trabajo")
FIRST_SYNC = datetime(2026, 10, 12, 22, 0, tzinfo=UTC)
ROW = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Rows as the store holds them: the tool's records by table, and our own tables."""

    records: dict[str, list[dict[str, str]]]
    classification: list[ROW]
    standing: list[ROW]
    transition: list[ROW]


def make_sample(incidents: int = 420, items: int = 110, seed: int = 20261105) -> Sample:
    """The rows of the invented organisation; another `seed` gives another one."""
    maker = _Maker(seed)
    for i in range(incidents):
        maker.incident(i)
    for i in range(items):
        maker.item(i)
    return maker.sample()


class _Maker:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # a sample, not a secret
        names = ("incident", "sc_request", "sc_req_item", "sysapproval_approver", "task_sla")
        self.records: dict[str, list[dict[str, str]]] = {name: [] for name in names}
        departments = ("Finanzas", "Ventas", "Operaciones", "Legal", "Dirección")
        sizes = (30, 40, 60, 4, 3)
        # Legal belongs to Finanzas; all of them to one company.
        self.records["cmn_department"] = [
            {"sys_id": f"dep{i}", "name": name, "parent": "dep0" if i == 3 else "", "company": "co"}
            for i, name in enumerate(departments)
        ]
        self.records["core_company"] = [{"sys_id": "co", "name": "Marisma"}]
        self.records["cmdb_ci_service"] = [
            {"sys_id": f"svc{i}", "name": name} for i, name in enumerate(SERVICES)
        ]
        self.records["sys_user"] = [
            {"sys_id": f"user{d}-{i}", "department": f"dep{d}"}
            for d, size in enumerate(sizes)
            for i in range(size)
        ]
        self.records["u_journey_contact"] = relations.contacts()
        self.classification: list[ROW] = []
        self.standing: list[ROW] = []
        self.transition: list[ROW] = []
        self.touchpoints = {row[0]: row for row in TOUCHPOINTS}

    def sample(self) -> Sample:
        return Sample(self.records, self.classification, self.standing, self.transition)

    def _opened(self) -> datetime:
        return NOW - timedelta(minutes=self.dice.randrange(100 * 24 * 60))

    def _user(self) -> str:
        return str(self.dice.choice(self.records["sys_user"])["sys_id"])

    def incident(self, i: int) -> None:
        opened = self._opened()
        ended = opened + timedelta(hours=self.dice.expovariate(1 / 130))
        is_done = ended < NOW
        state = self.dice.choice(("6", "7", "7")) if is_done else self.dice.choice(("1", "2", "3"))
        is_noise = i % 60 == 7
        if i % 45 == 11:
            touchpoint = ""
        elif is_done:
            touchpoint = "survey_answered" if self.dice.random() < 0.24 else "resolution"
        else:
            touchpoint = self.dice.choice(("portal_ticket", "phone", "backstage_work"))
        record = {
            "sys_id": f"inc{i:04}",
            "opened_at": format_instance(opened),
            "resolved_at": format_instance(ended) if is_done else "",
            "closed_at": format_instance(ended) if state == "7" else "",
            "number": f"INC{i:07}",
            "priority": str(1 + i % 4),
            "state": state,
            "active": "false" if state == "7" else "true",
            "caller_id": self._user(),
            "business_service": f"svc{i % 3}" if i % 4 else "",
        }
        self.records["incident"].append(record)
        value = {"survey_answered": "confirmed", "resolution": "presumed"}.get(touchpoint, "")
        self._place("incident", record["sys_id"], "" if is_noise else touchpoint, value=value)
        if is_noise:
            self.classification[-1]["rule_id"] = "test-noise"
        self._moves("incident", record["sys_id"], opened, ended if is_done else None)
        self._clock(record["sys_id"], opened, ended if is_done else None)

    def item(self, i: int) -> None:
        opened = self._opened()
        ended = opened + timedelta(days=self.dice.expovariate(1 / 16))
        is_done = ended < NOW
        sys_id, request = f"itm{i:04}", f"req{i // 2:04}"
        open_at = ("approval_requested", "fulfilment_task", "onboarding_request")
        touchpoint = "resolution" if is_done else self.dice.choice(open_at)
        outcome = ""
        if is_done and self.dice.random() < 0.12:
            outcome = self.dice.choice(("lost", "cancelled", "failed"))
        base = {
            "opened_at": format_instance(opened),
            "closed_at": format_instance(ended) if is_done else "",
            "active": "false" if is_done else "true",
        }
        user = self._user()
        self.records["sc_req_item"].append(
            {"sys_id": sys_id, "request": request, "requested_for": user, **base}
        )
        value = "" if outcome or not is_done else "presumed"
        self._place("sc_req_item", sys_id, touchpoint, value=value, outcome=outcome)
        self._moves("sc_req_item", sys_id, opened, ended if is_done else None)
        if i % 2 == 0:
            self.records["sc_request"].append({"sys_id": request, **base})
            self._place("sc_request", request, touchpoint, value=value, outcome=outcome)
        self._approval(i, sys_id, opened)
        self._clock(sys_id, opened, ended if is_done else None)

    def _approval(self, i: int, item: str, opened: datetime) -> None:
        sys_id = f"apr{i:04}"
        is_lapsed = i % 7 == 3
        self.records["sysapproval_approver"].append(
            {
                "sys_id": sys_id,
                "document_id": item,
                "sys_created_on": format_instance(opened + timedelta(minutes=5)),
                "state": "requested" if is_lapsed else "approved",
                "approver": f"user{i % 3}-{i % 7}",
                "_inputs_updated_on": format_instance(opened + timedelta(hours=5 + i * 7 % 60)),
            }
        )
        touchpoint = "approval_lapsed" if is_lapsed else "approval_requested"
        self._place("sysapproval_approver", sys_id, touchpoint)

    def _clock(self, task: str, opened: datetime, ended: datetime | None) -> None:
        if self.dice.random() < 0.15:
            return
        sys_id = f"sla-{task}"
        target = opened + timedelta(hours=200)
        has_breached = (ended or NOW) > target
        self.records["task_sla"].append(
            {
                "sys_id": sys_id,
                "task": task,
                "stage": "completed" if ended else "in_progress",
                "has_breached": "true" if has_breached else "false",
                "start_time": format_instance(opened),
                "end_time": format_instance(ended) if ended else "",
                "planned_end_time": format_instance(target),
            }
        )
        self._place("task_sla", sys_id, "sla_result")

    def _place(
        self, table: str, sys_id: str, touchpoint: str, *, value: str = "", outcome: str = ""
    ) -> None:
        row = self.touchpoints.get(touchpoint)
        steps = {"travesia": row[3], "itil4": row[4]} if row else None
        self.classification.append(
            {
                "table_name": table,
                "sys_id": sys_id,
                "rule_id": f"rule-{touchpoint}" if row else "unclassified",
                "touchpoint": touchpoint,
                "steps": steps,
                "band": row[2] if row else "",
                "is_potential_moment": False,
                "outcome": outcome,
                "phase": "",
                "value": value,
                "confidence": "low" if touchpoint == "backstage_work" else "high",
                "inherited_from": "",
                "mapping_hash": "0123456789ab",
            }
        )

    def _moves(self, table: str, sys_id: str, opened: datetime, ended: datetime | None) -> None:
        steps = self.classification[-1]["steps"] or {}
        for journey, step in steps.items():
            first = {"travesia": "usar", "itil4": "co_create"}[journey]
            is_move = ended is not None and ended > FIRST_SYNC and step != first
            self._transition(table, sys_id, journey, "", first if is_move else step, opened)
            if is_move and ended is not None:
                self._transition(table, sys_id, journey, first, step, ended, opened)
            self.standing.append(
                {
                    "table_name": table,
                    "sys_id": sys_id,
                    "journey": journey,
                    "step": step,
                    "since": _naive(ended or opened),
                    "source": "observed" if is_move else "timestamp",
                }
            )

    def _transition(
        self,
        table: str,
        sys_id: str,
        journey: str,
        origin: str,
        to: str,
        at: datetime,
        since: datetime | None = None,
    ) -> None:
        self.transition.append(
            {
                "table_name": table,
                "sys_id": sys_id,
                "journey": journey,
                "from_step": origin,
                "to_step": to,
                "happened_at": _naive(at),
                "dwell_seconds": int((at - since).total_seconds()) if since else None,
                "source": "observed" if since else "timestamp",
                # Every ninth move was our own doing: a new mapping. It is no customer's.
                "cause": "mapping" if since and int(sys_id[3:]) % 9 == 0 else "customer",
                "rule_id": "rule",
                "run_id": "run-1",
            }
        )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def fill_store(path: Path, sample: Sample, memory_limit_mb: int = 112) -> Store:
    """An open store at `path` that holds the sample, as two finished syncs would leave it."""
    store = open_store(path, memory_limit_mb)
    for table, rows in sample.records.items():
        columns = sorted({column for row in rows for column in row})
        ensure_table(store, table, [name for name in columns if not name.startswith("_")])
        insert_rows(store, f"current.{table}", rows, columns)
    for name, rows in _own_tables(sample).items():
        insert_rows(store, name, rows, sorted({column for row in rows for column in row}))
    _describe(store, sample)
    for i, (mark, outcome) in enumerate(((FIRST_SYNC, "succeeded"), (NOW, "partial")), 1):
        store.execute(
            "INSERT INTO run (run_id, kind, started_at, high_mark, outcome)"
            " VALUES ($run_id, 'sync', $mark, $mark, $outcome)",
            run_id=f"run-{i}",
            mark=_naive(mark),
            outcome=outcome,
        )
    return store


def _own_tables(sample: Sample) -> dict[str, list[ROW]]:
    incidents = [one for one in sample.records["incident"] if "opened_at" in one]
    dwell, unseen = relations.bands_of(incidents)
    return {
        "classification": sample.classification,
        "standing": sample.standing,
        "transition": sample.transition,
        "moment": relations.moments_of(incidents, NOW),
        "band_dwell": dwell,
        "invisible_stretch": unseen,
        "engagement": relations.engagement_rows(),
        "engagement_change": relations.changes(),
        "ring": relations.rings(),
        "engagement_seen": relations.seen_rows(),
        "engagement_plan": relations.plans(),
        "engagement_plan_start": relations.plan_start(),
    }


REFERENCES = {
    "caller_id": "sys_user",
    "requested_for": "sys_user",
    "opened_by": "sys_user",
    "department": "cmn_department",
    "parent": "cmn_department",
    "company": "core_company",
    "business_service": "cmdb_ci_service",
    "request": "sc_request",
}
"""Column → the table that it refers to."""


def _describe(store: Store, sample: Sample) -> None:
    """The dictionary of the sample's tables, as far as dot-walks need it."""
    rows = [
        {
            "table_name": table,
            "element": column,
            "type": "reference" if column in REFERENCES else "string",
            "reference": REFERENCES.get(column, ""),
            "is_hidden": False,
        }
        for table, records in sample.records.items()
        for column in sorted({name for record in records for name in record if name[0] != "_"})
    ]
    insert_rows(store, "dictionary", rows, list(rows[0]))


def insert_rows(store: Store, table: str, rows: Sequence[ROW], columns: Sequence[str]) -> None:
    if not rows:
        return
    kinds = {
        row["column_name"]: row["column_type"]
        for row in store.read(f"DESCRIBE SELECT * FROM {table}")
    }
    names = ", ".join(f'"{name}"' for name in columns)
    with store.given("sample_rows", rows, {column: kinds[column] for column in columns}):
        store.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM sample_rows")
