"""What the consumer sees of a record: evidence that moves its band, its last visible touchpoint.

Works on the TEMP TABLE `classified`. The band is a pure function of records, journal and audit; the
last visible touchpoint depends on the path where there is one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.store.database import Store
from connector.store.records import name
from connector.store.telling import BandRule, Past
from connector.timestamps import format_instance

STATE_FIELDS = ("state", "hold_reason", "approval", "stage")
"""A change of one of these begins a new state of the record."""


@dataclass(frozen=True)
class Sources:
    """Which histories can be read."""

    journal: bool
    audit: bool


def begin(store: Store, past: Past, sources: Sources) -> None:
    """TEMP TABLE `seen_entry`: when each record was last written on, publicly and internally."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE seen_entry"
        " (sys_id VARCHAR, last_public VARCHAR, last_internal VARCHAR)"
    )
    store.execute("CREATE OR REPLACE TEMP TABLE state_since (sys_id VARCHAR, since VARCHAR)")
    if sources.journal:
        store.execute(
            "INSERT INTO seen_entry SELECT element_id,"
            " max(sys_created_on) FILTER (list_contains($public, element)),"
            " max(sys_created_on) FILTER (list_contains($internal, element))"
            " FROM current.sys_journal_field GROUP BY element_id",
            public=list(past.visible_entries),
            internal=list(past.internal_entries),
        )
    if sources.audit:
        store.execute(
            "INSERT INTO state_since SELECT documentkey, max(sys_created_on)"
            " FROM current.sys_audit WHERE list_contains($fields, fieldname) GROUP BY documentkey",
            fields=list(STATE_FIELDS),
        )


def shift_bands(
    store: Store,
    past: Past,
    held: Mapping[str, Collection[str]],
    tables: Sequence[str],
    sources: Sources,
) -> None:
    """Let the evidence of each open record turn its band, as `past.bands` says."""
    for table in tables:
        columns = held.get(table, ())
        cases = [c for c in (_case(rule, past, columns, sources) for rule in past.bands) if c]
        if not cases or "active" not in columns:
            continue
        store.execute(
            "CREATE OR REPLACE TEMP TABLE band_next AS SELECT * FROM ("
            f"SELECT c.sys_id, CASE {' '.join(cases)} END AS band FROM classified c"
            f" JOIN current.{name(table)} r ON r.sys_id = c.sys_id"
            " LEFT JOIN seen_entry e ON e.sys_id = c.sys_id"
            " LEFT JOIN state_since s ON s.sys_id = c.sys_id"
            " WHERE c.table_name = $table AND r.active = 'true' AND c.rule_id <> 'override'"
            ") WHERE band IS NOT NULL",
            table=table,
        )
        store.execute(
            "UPDATE classified c SET band = n.band,"
            " last_visible = CASE WHEN n.band = 'visible' AND c.last_visible = ''"
            " THEN $comment ELSE c.last_visible END"
            " FROM band_next n WHERE c.table_name = $table AND c.sys_id = n.sys_id",
            table=table,
            comment=past.comment_touchpoint if sources.journal else "",
        )
    store.execute("DROP TABLE IF EXISTS band_next")


def _case(rule: BandRule, past: Past, columns: Collection[str], sources: Sources) -> str:
    test = _evidence(rule.evidence, past, columns, sources)
    but = ", ".join(f"'{name(touchpoint)[1:-1]}'" for touchpoint in rule.but)
    kept = f" AND c.touchpoint NOT IN ({but})" if but else ""
    return (
        f"WHEN c.band = '{rule.from_band}'{kept} AND {test} THEN '{rule.to_band}'" if test else ""
    )


def _evidence(kind: str, past: Past, columns: Collection[str], sources: Sources) -> str:
    if kind == "consumer_watches":
        people = [c for c in past.consumers if c in columns]
        if not people or past.watchers not in columns:
            return ""
        watched = f"string_split(r.{name(past.watchers)}, ',')"
        tests = (f"(r.{name(c)} <> '' AND list_contains({watched}, r.{name(c)}))" for c in people)
        return f"({' OR '.join(tests)})"
    if not (sources.journal and sources.audit):
        return ""  # when the state began is not known
    is_public = "coalesce(e.last_public >= coalesce(s.since, ''), false)"
    is_internal = "coalesce(e.last_internal >= coalesce(s.since, ''), false)"
    return is_public if kind == "public_comment" else f"{is_internal} AND NOT {is_public}"


def remember(store: Store, past: Past, mark: datetime | None) -> None:
    """What is not visible now keeps the last visible touchpoint of its path.

    A public comment since the last run is newer than what was known then; one from before counts
    where nothing is known.
    """
    comment = past.comment_touchpoint
    store.execute(
        "UPDATE classified c SET last_visible = $comment FROM seen_entry e"
        " WHERE c.last_visible = '' AND c.sys_id = e.sys_id AND c.touchpoint <> ''"
        " AND e.last_public > $mark",
        comment=comment,
        mark=format_instance(mark) if mark else "9999",
    )
    store.execute(
        "UPDATE classified c SET last_visible = p.last_visible FROM classification p"
        " WHERE c.last_visible = '' AND c.touchpoint <> '' AND p.last_visible <> ''"
        " AND p.table_name = c.table_name AND p.sys_id = c.sys_id",
    )
    store.execute(
        "UPDATE classified c SET last_visible = $comment FROM seen_entry e"
        " WHERE c.last_visible = '' AND c.sys_id = e.sys_id AND c.touchpoint <> ''"
        " AND e.last_public IS NOT NULL",
        comment=comment,
    )


def list_unseen(store: Store) -> list[str]:
    """The tables with records seen for the first time and with no visible touchpoint yet."""
    rows = store.read(
        "SELECT DISTINCT c.table_name FROM classified c ANTI JOIN classification p"
        " ON p.table_name = c.table_name AND p.sys_id = c.sys_id"
        " WHERE c.last_visible = '' AND c.touchpoint <> '' ORDER BY 1"
    )
    return [row["table_name"] for row in rows]


def take_from_rules(store: Store, table: str, query: str, touchpoints: Mapping[str, str]) -> None:
    """First sight: what the first visible rule says. `touchpoints`: rule id → its touchpoint."""
    store.execute(
        "UPDATE classified c SET last_visible = q.touchpoint FROM ("
        f"SELECT sys_id, (MAP {_map(touchpoints)})[rule_id] AS touchpoint FROM ({query})) q"
        " WHERE c.table_name = $table AND c.sys_id = q.sys_id AND c.last_visible = ''"
        " AND c.touchpoint <> '' AND q.touchpoint IS NOT NULL",
        table=table,
    )


def _map(texts: Mapping[str, str]) -> str:
    pairs = (f"'{rule}': '{name(touchpoint)[1:-1]}'" for rule, touchpoint in texts.items())
    return "{" + ", ".join(pairs) + "}"


def take_entry(store: Store, entry: Mapping[str, str]) -> None:
    """What is still unknown: where records of the table begin. `entry`: table → touchpoint."""
    for table, touchpoint in entry.items():
        store.execute(
            "UPDATE classified SET last_visible = $touchpoint WHERE table_name = $table"
            " AND last_visible = '' AND touchpoint <> ''",
            table=table,
            touchpoint=touchpoint,
        )


GENERATIONS = 3
"""An SLA follows its task, the task its item: so far what a parent shows is handed down."""


def take_from_parents(store: Store) -> None:
    """Last of all: the last visible touchpoint of the record that it follows."""
    for _generation in range(GENERATIONS):
        store.execute(
            "UPDATE classified c SET last_visible = o.last_visible FROM classified o"
            " WHERE c.last_visible = '' AND c.inherited_from <> '' AND o.last_visible <> ''"
            " AND o.table_name = split_part(c.inherited_from, '/', 1)"
            " AND o.sys_id = split_part(c.inherited_from, '/', 2)"
        )
