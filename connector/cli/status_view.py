"""How a status looks: what runs, what ran, where reading stands, what was set aside."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from connector.cli.output import bullet, moment, say, table
from connector.messages import _, _n
from connector.report.pending import Waiting
from connector.services import Status

Row = Mapping[str, Any]

SHOWN_SET_ASIDE = 20


def status_as_data(
    found: Status, following: Mapping[str, datetime], waiting: Sequence[Waiting] = ()
) -> dict[str, Any]:
    """For programs: times say that they are UTC, counts are a document and no text."""
    return {
        "is_running": found.is_running,
        "now": found.now,
        "runs": [_plain(row) for row in found.runs],
        "cursors": [_plain(row) for row in found.cursors],
        "set_aside": [_plain(row) for row in found.set_aside],
        "accepted_mapping": found.accepted_mapping,
        "publications": [asdict(one) for one in waiting],
        "next": dict(following),
    }


def _plain(row: Row) -> dict[str, Any]:
    data = {key: _aware(value) for key, value in row.items()}
    if isinstance(data.get("counts"), str):
        data["counts"] = json.loads(data["counts"])
    return data


def _aware(value: Any) -> Any:
    """The store keeps UTC without saying so."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def show_status(
    found: Status,
    following: Mapping[str, datetime],
    zone: str,
    waiting: Sequence[Waiting] = (),
) -> None:
    """For people; times in `zone`."""
    _show_now(found)
    _show_waiting(found)
    if found.runs:
        rows = [_run_row(_plain(row), zone) for row in found.runs]
        heads = (_("Run"), _("Kind"), _("Result"), _("Changes"), _("Confirmed"), _("Seconds"))
        table(heads, rows, title=_("Last runs"), numbers=3)
    if found.cursors:
        rows_of_cursors = [
            (row["table_name"], row["updated_on"] or "—", _yes(row["is_complete"]))
            for row in found.cursors
        ]
        table(
            (_("Table"), _("Read until (UTC)"), _("First read complete")),
            rows_of_cursors,
            title=_("Where reading stands"),
        )
    _show_set_aside(found.set_aside, zone)
    _show_publications(waiting)
    _show_following(following, zone)


def _show_publications(waiting: Sequence[Waiting]) -> None:
    """Reports that could not be published; each is tried again after every scheduled sync."""
    for one in waiting:
        text = _n(
            "The report {first} – {last} ({language}) waits to be published, tried {n} time:"
            " {reason}",
            "The report {first} – {last} ({language}) waits to be published, tried {n} times:"
            " {reason}",
            one.attempts,
        )
        note = one.note
        said = text.format(
            first=note.period_from[:10],
            last=note.period_to[:10],
            language=note.language,
            n=one.attempts,
            reason=one.reason,
        )
        bullet("warn", said, "travesia report --publish")


def _show_following(following: Mapping[str, datetime], zone: str) -> None:
    # serve leaves no trace that tells whether it is alive: the sentence holds either way.
    if following:
        say(_("By the schedule, only while travesia serve is running:"))
    for job, due in following.items():
        say(f"  {job:<11}{moment(due, zone)} {zone}")


def _yes(value: object) -> str:
    return _("yes") if value else _("no")


def _show_now(found: Status) -> None:
    now = found.now
    if found.is_running:
        bullet(
            "ok",
            _("A run is at work: {kind}, phase {phase} (process {pid}).").format(
                kind=now.get("kind", "?"), phase=now.get("phase", "?"), pid=now.get("pid", "?")
            ),
        )
    elif not now:
        bullet("warn", _("Nothing ran yet."), "travesia sync --dry-run")
    elif now.get("outcome") in ("failed", "interrupted"):
        ended = _("The last run ended: {outcome}.")
        bullet("error", ended.format(outcome=_result(now["outcome"])))
        say(f"  {now.get('message', '')}")
    elif now.get("phase") != "end":
        # The lock fell with its process, and nobody said the last word.
        bullet("error", _("The last run died; the next one goes on from there."), "travesia sync")
    else:
        bullet("ok", _("No run is at work."))


def _show_waiting(found: Status) -> None:
    """The last run wrote nothing, because its mapping waits for a person."""
    if found.accepted_mapping:
        text = _("The mapping {hash} is accepted; the next sync puts it in force.")
        bullet("ok", text.format(hash=found.accepted_mapping))
        return
    counts = _plain(found.runs[0]).get("counts") if found.runs else None
    if counts and counts.get("waiting_mapping"):
        text = _("The mapping {hash} waits to be accepted; nothing is written until then.")
        bullet("warn", text.format(hash=counts["waiting_mapping"]), "travesia plan")


def _result(outcome: object) -> str:
    names = {
        "succeeded": _("succeeded"),
        "partial": _("partial"),
        "failed": _("failed"),
        "interrupted": _("interrupted"),
    }
    return names.get(str(outcome), str(outcome or "—"))


def _run_row(row: Row, zone: str) -> tuple[str, ...]:
    counts = row.get("counts") or {}
    started, finished = row.get("started_at"), row.get("finished_at")
    seconds = f"{(finished - started).total_seconds():.0f}" if started and finished else "—"
    return (
        moment(started, zone),
        str(row.get("kind")),
        _result(row.get("outcome")),
        str(counts.get("planned", "—")),
        str(counts.get("confirmed", "—")),
        seconds,
    )


def _show_set_aside(rows: Iterable[Row], zone: str) -> None:
    kept = [_plain(row) for row in rows]
    if not kept:
        return
    table(
        (
            _("Table"),
            _("Record"),
            _("Field"),
            _("Reason"),
            _("Last tried"),
            _("Again from"),
            _("Attempts"),
        ),
        [
            (
                row["table_name"],
                row["sys_id"],
                row["field"] or _("(all)"),
                row["reason"],
                moment(row["last_at"], zone),
                moment(row.get("retry_at"), zone),
                row["attempts"],
            )
            for row in kept[:SHOWN_SET_ASIDE]
        ],
        title=_("Set aside"),
        numbers=1,
    )
    if len(kept) > SHOWN_SET_ASIDE:
        say(_("… and more, {n} in all; --json names them").format(n=len(kept)))
