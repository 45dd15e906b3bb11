"""How answers look: JSON for programs, tables and marks for people, bars while it takes long."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic_core import to_jsonable_python
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Table
from rich.text import Text

from connector.cli.session import Session, console
from connector.context import Progress as ProgressCallback
from connector.context import silent
from connector.messages import _

STYLES = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "error": ("✗", "red")}


def print_json(value: object) -> None:
    """One JSON document on stdout; times are ISO 8601 in UTC."""
    content = to_jsonable_python(value, inf_nan_mode="null")
    console().file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def say(sentence: str = "", style: str | None = None) -> None:
    """One line of an answer on stdout, never cut by a terminal's width."""
    console().print(Text(sentence, style=style or ""), soft_wrap=True)


def bullet(level: str, sentence: str, remedy: str = "") -> None:
    """A line with ✓, ! or ✗ before it, and what to do under it."""
    sign, style = STYLES.get(level, STYLES["warn"])
    _hanging(Text(f"{sign} ", style=f"bold {style}"), [(sentence, ""), (_arrow(remedy), "dim")])


def entry(number: str, level: str, what: str, reasons: Sequence[str]) -> None:
    """A numbered line of what to do, and why under it."""
    _sign, style = STYLES.get(level, STYLES["warn"])
    parts = [(_arrow(what), "bold"), *((reason, "") for reason in reasons)]
    _hanging(Text(f"{number:>2} ", style=f"bold {style}"), parts)


def _arrow(remedy: str) -> str:
    return f"→ {remedy}" if remedy else ""


def _hanging(before: Text, parts: Sequence[tuple[str, str]]) -> None:
    """Paragraphs beside a mark; wrapped for a terminal, whole for a file or a pipe."""
    out = console()
    room = max(20, out.width - before.cell_len)
    for part, style in parts:
        for line in _wrapped(part, room) if out.is_terminal else part.splitlines():
            out.print(before + Text(line, style=style), soft_wrap=True)
            before = Text(" " * before.cell_len)


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of whole words: one that is too long, as an address, stays whole to be copied."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(paragraph, room, break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
    return lines


def hanging(before: str, sentence: str) -> None:
    """A sentence beside what stands before it; where it does not fit it goes on under itself."""
    width = max(20, console().width - len(before))
    for line in _wrapped(sentence, width):
        say(before + line)
        before = " " * len(before)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "",
    numbers: int = 0,
    *,
    is_close: bool = False,
) -> None:
    """A plain table and an empty line on stdout; its last `numbers` columns are set right.

    The title stands above by itself: a narrow table would break it. `is_close` spares room
    between the columns, and breaks no name of the first.
    """
    if title:
        say(title, "bold")
    shown = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=is_close,
    )
    for position, column in enumerate(columns):
        is_number = position >= len(columns) - numbers
        is_whole = is_close and not position
        justify: Literal["left", "right"] = "right" if is_number else "left"
        shown.add_column(column, justify=justify, overflow="fold", no_wrap=is_whole)
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console().print(shown, "")


def moment(when: datetime | None, zone: str) -> str:
    """A time as a person reads it, in `zone`; a dash for none."""
    return f"{when.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if when else "—"


class Bars:
    """A bar per step and table, made when it is first heard of."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __call__(self, event: str, table_name: str, done: int, total: int | None) -> None:
        """Move the bar of this step and table (the signature of `context.Progress`)."""
        key = (event, table_name)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(
                _step_name(event), total=total, table=table_name
            )
        self._progress.update(self._tasks[key], completed=done, total=total)


def _step_name(event: str) -> str:
    names = {
        "extract": _("Reading"),
        "write_back": _("Writing"),
        "reconcile": _("Comparing"),
    }
    return names.get(event, event)


@contextmanager
def bars(session: Session) -> Iterator[ProgressCallback]:
    """Progress bars on stderr for a person at a terminal; silence for everybody else."""
    if not session.shows_progress:
        yield silent
        return
    progress = Progress(
        TextColumn("{task.description}"),
        TextColumn("{task.fields[table]}", style="cyan"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        Elapsed(),
        console=console(stderr=True),
        transient=True,
    )
    with progress:
        yield Bars(progress)
