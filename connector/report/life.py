"""When a record opened, when it ended, whether it is open: one reading for every table.

Owns which columns of the tool say so. Answers SQL over `current.*`; runs none. A table that is not
listed is read like any task: `opened_at` to `closed_at`, open while `active`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp, select

MEASURES = ("task_sla",)
"""Tables that hold clocks on other records; they are counted under SLA, never as records."""


@dataclass(frozen=True)
class Life:
    """The columns of a table that tell its life; the first one filled counts."""

    opened: tuple[str, ...] = ("opened_at", "sys_created_on")
    ended: tuple[str, ...] = ("resolved_at", "closed_at")
    state: str = "state"
    open_states: tuple[str, ...] = ()
    done_states: tuple[str, ...] = ()
    days: bool = False
    """The columns hold days: taken at noon, so that the day is the same in every time zone."""


_MOMENT = Life(("sys_created_on",), ("sys_created_on",))

LIVES: dict[str, Life] = {
    # A contact is over when it has been.
    "u_journey_contact": Life(("u_date",), ("u_date",), days=True),
    # 6 resolved, 7 closed, 8 cancelled; a resolved incident is still `active` until it closes.
    "incident": Life(done_states=("6", "7", "8")),
    "problem": Life(done_states=("106", "107", "4")),
    "sn_customerservice_case": Life(done_states=("6", "3", "7")),
    "interaction": Life(ended=("closed_at",), done_states=("closed_complete", "closed_abandoned")),
    "sn_acct_lc_touchpoint": Life(
        ("start_date", "sys_created_on"), ("end_date",), open_states=("scheduled",)
    ),
    # What is in force or published is no open work; what is being negotiated or written is.
    "ast_contract": Life(("sys_created_on",), (), open_states=("draft",)),
    "contract_sla": Life(("sys_created_on",), (), state="active", open_states=("no",)),
    "kb_knowledge": Life(
        ("sys_created_on",), (), state="workflow_state", open_states=("draft", "review")
    ),
    # Over in the moment in which they were.
    "kb_use": _MOMENT,
    "kb_feedback": _MOMENT,
    # In the cart until it is taken out or ordered.
    "sc_cart_item": Life(("sys_created_on",), ()),
    # Approvals and surveys have no closing stamp of their own but their answer's.
    "sysapproval_approver": Life(("sys_created_on",), (), open_states=("requested",)),
    "asmt_assessment_instance": Life(
        ("sys_created_on",), ("taken_on",), open_states=("ready", "wip")
    ),
    "task_sla": Life(
        ("start_time", "sys_created_on"),
        ("end_time",),
        state="stage",
        open_states=("starting", "in_progress", "paused"),
    ),
}


def lives_of(tables: Mapping[str, Sequence[str]]) -> exp.Query:
    """(table_name, sys_id, opened, ended, is_open) of every record; `tables` → their columns."""
    parts: list[exp.Query] = [_one(table, columns) for table, columns in tables.items()]
    if not parts:
        parts = [_none()]
    return exp.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def _none() -> exp.Select:
    empty = {name: exp.cast(exp.null(), "VARCHAR") for name in ("table_name", "sys_id")}
    stamps = {name: exp.cast(exp.null(), "VARCHAR") for name in ("opened", "ended")}
    columns = {**empty, **stamps, "is_open": exp.cast(exp.null(), "BOOLEAN")}
    return select(*(value.as_(name) for name, value in columns.items())).where(exp.false())


def _one(table: str, columns: Sequence[str]) -> exp.Select:
    life = LIVES.get(table, Life())
    return select(
        exp.Literal.string(table).as_("table_name"),
        exp.column("sys_id", quoted=True),
        _stamp(life, life.opened, columns).as_("opened"),
        _stamp(life, life.ended, columns).as_("ended"),
        _is_open(life, columns).as_("is_open"),
    ).from_(exp.table_(table, db="current", quoted=True))


def _stamp(life: Life, wanted: Sequence[str], columns: Sequence[str]) -> exp.Expression:
    found = first_filled(wanted, columns)
    return exp.DPipe(this=found, expression=exp.Literal.string(" 12:00:00")) if life.days else found


def first_filled(wanted: Sequence[str], columns: Sequence[str]) -> exp.Expression:
    """The first of the `wanted` columns that the table has and that is not empty, else NULL."""
    present = [
        exp.Nullif(this=exp.column(name, quoted=True), expression=exp.Literal.string(""))
        for name in wanted
        if name in columns
    ]
    if not present:
        return exp.cast(exp.null(), "VARCHAR")
    return exp.Coalesce(this=present[0], expressions=present[1:])


def _is_open(life: Life, columns: Sequence[str]) -> exp.Expression:
    if life.open_states and life.state in columns:
        return _text(life.state).isin(*life.open_states)
    if "active" in columns:
        is_open: exp.Expression = exp.not_(_text("active").isin("false", "0"))
    else:
        is_open = exp.Is(this=first_filled(life.ended, columns), expression=exp.null())
    if life.done_states and life.state in columns:
        is_open = exp.And(
            this=is_open, expression=exp.not_(_text(life.state).isin(*life.done_states))
        )
    return is_open


def _text(column: str) -> exp.Expression:
    return exp.Coalesce(this=exp.column(column, quoted=True), expressions=[exp.Literal.string("")])
