"""Which records each figure counts, by number: a CSV for those who may see it, never published.

A link into the tool can say only what columns of the tool say. Here is the rest: for every figure
that counts records, moments or moves of the shown period, its cell (figure, journey, step, item,
band, as in the CSV of the figures) and the records behind it. Cells kept from sight are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.report.cube import VOICE
from connector.report.report import Report
from connector.report.source import Source
from connector.store.records import name

COLUMNS = ("figure", "journey", "step", "item", "band", "table", "sys_id", "number")

_RECORDS = """
SELECT c.table_name, c.sys_id, c.steps, c.touchpoint, c.band,
       coalesce(l.is_open, FALSE) AS is_open,
       coalesce(l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since),
                l.is_open, FALSE) AS in_period,
       l.opened >= $since AND l.opened < $until AS is_new,
       NOT l.is_open AND l.ended >= $since AND l.ended < $until AS has_ended,
       list_contains($tickets, c.table_name) AS is_ticket,
       coalesce(nullif(c.value, ''), nullif(c.outcome, ''),
                CASE WHEN c.touchpoint = $voice THEN 'denied' ELSE 'unknown' END) AS how
FROM classification AS c
LEFT JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
WHERE NOT list_contains($ignored, c.rule_id) AND NOT list_contains($measures, c.table_name)
"""

_MOMENTS = """
SELECT m.table_name, m.sys_id, m.moment_id,
       CASE m.polarity WHEN 'negative' THEN 'lost' WHEN 'positive' THEN 'won'
            WHEN 'neutral' THEN 'neutral' ELSE 'open' END AS kind
FROM moment AS m
WHERE m.polarity = 'open'
   OR m.polarity IN ('negative', 'positive') AND m.decided_at >= $since::TIMESTAMP
      AND m.decided_at < $until::TIMESTAMP
   OR m.polarity = 'neutral' AND m.window_ends_at >= $since::TIMESTAMP
      AND m.window_ends_at < $until::TIMESTAMP
"""

_MOVES = """
SELECT t.table_name, t.sys_id, t.journey, t.from_step, t.to_step FROM transition AS t
WHERE t.cause = 'customer' AND t.happened_at >= $since::TIMESTAMP
  AND t.happened_at < $until::TIMESTAMP AND NOT list_contains($measures, t.table_name)
"""

_CLOCKS = """
SELECT 'task_sla' AS table_name, k.clock_id AS sys_id, k.steps, k.result, k.is_open
FROM clock AS k WHERE k.in_period
"""

CLOCKS = ("met", "breached", "running")


@dataclass(frozen=True)
class _Cells:
    """Cells of one shape over a kept table: SQL of each part of the key, and which rows count.

    `hidden` is the SQL of the name that the cell has in `Figures.veiled`, its parts joined by "|".
    """

    source: str
    figure: str
    where: str
    hidden: str
    journey: str = "''"
    step: str = "''"
    item: str = "''"
    band: str = "''"


def write_records(report: Report, source: Source, path: Path) -> None:
    """Write the list of a report to `path`, anew. Raises StoreError.

    Set-based, straight from the store into the file: it may be as long as the store is large.
    """
    source.keep("listed_record", _RECORDS, voice=VOICE)
    source.keep("listed_moment", _MOMENTS)
    source.keep("listed_move", _MOVES)
    if source.has("task_sla", "task", "stage", "has_breached"):
        source.keep("listed_clock", _CLOCKS)
    else:
        source.keep("listed_clock", _NO_CLOCKS)
    source.keep("listed_number", _numbers(source))
    parts = " UNION ALL ".join(map(_select, _cells(report)))
    hidden = ["", *("|".join(cell) for cell in sorted(report.figures.veiled))]
    shown = ", ".join(f"{_disarmed(column)} AS {column}" for column in COLUMNS[:-1])
    target = str(path).replace("'", "''")
    source.store.execute(
        f"COPY (SELECT {shown}, {_disarmed('number')} AS number FROM ({parts}) AS r"
        ' LEFT JOIN listed_number AS n ON n.table_name = r."table" AND n.id = r.sys_id'
        f" WHERE NOT list_contains({_literal(hidden)}, r.cell)"
        f" ORDER BY ALL) TO '{target}' (FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"')"
    )


_NO_CLOCKS = """
SELECT '' AS table_name, '' AS sys_id, c.steps, '' AS result, FALSE AS is_open
FROM classification AS c WHERE FALSE
"""


def _cells(report: Report) -> Iterator[_Cells]:
    """Every shape of a cell, as the lines of the CSV of the figures have them."""
    shown = report.figures.shown.journey
    at = _step(shown)
    record = "listed_record"
    yield _Cells(record, "records_in_period", "in_period", "'head|records'")
    yield _Cells(record, "records_open", "in_period AND is_open", "'head|open'")
    yield _Cells(record, "open_now", "is_open", "'head|open_now'")
    yield _Cells(record, "tickets_opened", "is_ticket AND is_new", "'head|opened'")
    yield _Cells(record, "tickets_resolved", "is_ticket AND has_ended", "'head|resolved'")
    yield _Cells(record, "closures", "is_ticket AND has_ended", "'closures|' || how", item="how")
    yield _Cells(
        record, "touchpoint_records", "in_period AND touchpoint <> ''",
        f"'touchpoint|' || touchpoint || '|' || coalesce(nullif({at}, ''), '-') || '|' ||"
        " coalesce(nullif(band, ''), '-')",
        _quoted(shown), at, "touchpoint", "band",
    )  # fmt: skip
    for journey in report.figures.journeys:
        yield from _of_journey(journey.journey)
    for kind in ("lost", "won", "neutral", "open"):
        yield _Cells(
            "listed_moment", f"moments_{kind}", f"kind = '{kind}'",
            f"'moment|' || moment_id || '|{kind}'", item="moment_id",
        )  # fmt: skip
    yield _Cells(
        "listed_move", "moves", f"journey = {_quoted(shown)} AND from_step <> ''",
        "'move|' || from_step || '|' || to_step", "journey", "from_step",
        "from_step || ' > ' || to_step",
    )  # fmt: skip
    for result in CLOCKS:
        yield _Cells("listed_clock", f"sla_{result}", f"result = '{result}'", f"'sla_all|{result}'")


def _of_journey(journey: str) -> Iterator[_Cells]:
    here, said = _step(journey), _quoted(journey)
    for figure, where, family in (
        ("records_in_period", "in_period", "in_period"),
        ("records_open", "in_period AND is_open", "open"),
        ("records_placed", "TRUE", "placed"),
    ):
        hidden = f"'{family}|' || {said} || '|' || {here}"
        yield _Cells("listed_record", figure, f"{here} <> '' AND {where}", hidden, said, here, here)
    for figure, column, family in (
        ("records_entered", "to_step", "entered"),
        ("records_left", "from_step", "left"),
    ):
        yield _Cells(
            "listed_move", figure, f"journey = {said} AND {column} <> ''",
            f"'{family}|' || {said} || '|' || {column}", said, column, column,
        )  # fmt: skip
    for result in CLOCKS:
        yield _Cells(
            "listed_clock", f"sla_{result}", f"result = '{result}'",
            f"'sla|' || {said} || '|' || coalesce(nullif({here}, ''), '-') || '|{result}'",
            said, here, here,
        )  # fmt: skip


def _select(cells: _Cells) -> str:
    return (
        f"SELECT '{cells.figure}' AS figure, {cells.journey} AS journey, {cells.step} AS step,"
        f' {cells.item} AS item, {cells.band} AS band, table_name AS "table", sys_id,'
        f" {cells.hidden} AS cell FROM {cells.source} WHERE {cells.where}"
    )


def _numbers(source: Source) -> str:
    """(table_name, id, number) of the tables whose records have a number."""
    parts = [
        f"SELECT {_quoted(table)} AS table_name, sys_id AS id, number FROM current.{name(table)}"
        for table, columns in source.columns.items()
        if "number" in columns
    ]
    none = "SELECT '' AS table_name, '' AS id, '' AS number FROM life WHERE FALSE"
    return " UNION ALL ".join(parts) if parts else none


def _step(journey: str) -> str:
    return f"coalesce(steps[{_quoted(journey)}], '')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"


def _disarmed(column: str) -> str:
    """Without control and direction characters, cut; a formula begins with an apostrophe."""
    clean = (
        f"left(regexp_replace(coalesce(\"{column}\", ''),"
        " '[\\x00-\\x1f\\x7f-\\x9f\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}"
        "\\x{feff}]+', ' ', 'g'), 160)"
    )
    formula = "'^\\s*[-=+@|%\\x{ff1d}\\x{ff0b}\\x{ff0d}\\x{ff20}]'"
    return f"CASE WHEN regexp_matches({clean}, {formula}) THEN '''' || {clean} ELSE {clean} END"
