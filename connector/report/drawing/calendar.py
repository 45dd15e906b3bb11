"""The calendar strip of agreements: when each is in force, and what happens to it, by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.layout import Table
from connector.report.wording import NOTHING, full_day, month


@dataclass(frozen=True)
class CalendarEvent:
    """Something on one day; `is_bad` for what has lapsed or was missed."""

    on: date
    label: str
    is_bad: bool = False


@dataclass(frozen=True)
class Agreement:
    """One agreement: from when until when it is in force (None: not said), and its events."""

    name: str
    starts: date | None
    ends: date | None
    events: tuple[CalendarEvent, ...] = ()


@dataclass(frozen=True)
class Calendar:
    """Agreements over whole months; `today` is the day the data end."""

    first: date
    last: date
    today: date
    rows: tuple[Agreement, ...]


WIDTH, LEFT, RIGHT, TOP = 640.0, 170.0, 10.0, 34.0


def calendar_strip(figures: Calendar, name: str = "chart-agreements") -> Picture | None:
    """Draw the strip; None without agreements."""
    if not figures.rows or figures.last <= figures.first:
        return None
    parts, y = [], TOP
    for agreement in figures.rows:
        body, y = _row(agreement, figures, y)
        parts.append(body)
    return Picture(
        name,
        _("Agreements over the year"),
        "; ".join(_told(agreement) for agreement in figures.rows),
        Sketch(WIDTH, y + 24, _axis(figures, y) + "".join(parts)),
        _table(figures),
    )


def _x(on: date, figures: Calendar) -> float:
    part = (on - figures.first).days / (figures.last - figures.first).days
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, part))


def months(first: date, last: date) -> list[date]:
    """The first days of the months that lie inside."""
    found, at = [], first.replace(day=1)
    while at <= last:
        if at >= first:
            found.append(at)
        at = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
    return found


def _axis(figures: Calendar, bottom: float) -> str:
    starts = months(figures.first, figures.last)
    every = max(1, -(-len(starts) // 6))
    parts = []
    for i, at in enumerate(starts):
        x = _x(at, figures)
        parts.append(ink.line(x, 22, x, bottom, "line"))
        if i % every == 0 and x < WIDTH - RIGHT - 50:
            parts.append(ink.words(x + 2, 16, month(at), size=11.5, role="muted"))
    now = _x(figures.today, figures)
    parts.append(
        ink.line(now, 20, now, bottom + 4, "ink", stroke_width=1.5, stroke_dasharray="4 3")
    )
    is_right = now > LEFT + (WIDTH - LEFT) / 2
    said = _("data until {day}").format(day=full_day(figures.today))
    parts.append(
        ink.words(now, bottom + 17, said, size=11.5, anchor="end" if is_right else "start")
    )
    return ink.group(parts, class_="axis")


def _row(agreement: Agreement, figures: Calendar, y: float) -> tuple[str, float]:
    lines = ink.wrapped(agreement.name, LEFT - 14, 12.5, most=2)
    parts = [ink.words(0, y + 15, lines, size=12.5, bold=True), _bar(agreement, figures, y)]
    below = y + 26
    for event in sorted(agreement.events, key=lambda e: (e.on, e.label)):
        parts.append(_event(event, figures, below))
        below += 19
    height = max(below, y + 8 + len(lines) * 15)
    parts.append(ink.line(0, height + 2, WIDTH, height + 2, "line"))
    return ink.group(parts, class_="agreement"), height + 8


def _bar(agreement: Agreement, figures: Calendar, y: float) -> str:
    start = _x(agreement.starts or figures.first, figures)
    end = _x(agreement.ends or figures.last, figures)
    bar = ink.rect(start, y + 5, max(2.0, end - start), 13, "flow", rx=2)
    if agreement.ends and figures.first <= agreement.ends <= figures.last:
        return bar + ink.line(end, y + 2, end, y + 21, "ink", stroke_width=2.5)
    return bar


def _event(event: CalendarEvent, figures: Calendar, y: float) -> str:
    x = _x(event.on, figures)
    role = "lost" if event.is_bad else "visible"
    corners = ink.polygon((x, y - 4), (x + 6, y + 8), (x - 6, y + 8))
    mark = ink.path(corners, fill=PAPER[role]) if event.is_bad else ink.circle(x, y + 3, 5, role)
    is_right = x > LEFT + (WIDTH - LEFT) / 2
    room = (x - LEFT if is_right else WIDTH - RIGHT - x) - 14
    said = ink.wrapped(event.label, room, 11.5, most=1)
    return mark + ink.words(
        x - 10 if is_right else x + 10,
        y + 7,
        said,
        size=11.5,
        anchor="end" if is_right else "start",
    )


def _told(agreement: Agreement) -> str:
    events = [f"{full_day(e.on)} {e.label}" for e in agreement.events]
    return ", ".join([agreement.name, *([_ends(agreement)] if agreement.ends else []), *events])


def _ends(agreement: Agreement) -> str:
    return _("ends {day}").format(day=full_day(agreement.ends)) if agreement.ends else ""


def _table(figures: Calendar) -> Table:
    rows = tuple(
        (
            a.name,
            full_day(a.starts) if a.starts else NOTHING,
            full_day(a.ends) if a.ends else NOTHING,
            _events(a.events),
        )
        for a in figures.rows
    )
    columns = (_("Agreement"), _("In force from"), _("Until"), _("What happens"))
    return Table(_("Agreements over the year"), columns, rows, texts=4)


def _events(events: Sequence[CalendarEvent]) -> str:
    return "; ".join(f"{full_day(e.on)}: {e.label}" for e in events) or NOTHING
