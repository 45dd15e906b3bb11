"""The table of moments for docs/moments.md, generated from the mapping."""

from connector.journey.model import Mapping
from connector.journey.moment_model import END, Evidence, Moment, Window


def moments_markdown(mapping: Mapping) -> str:
    """One row for each moment, in the order of the mapping."""
    lines = [
        "| Id | Moment | Records | Window | Negative | Positive | Weight |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(moment) for moment in mapping.moments]
    return "\n".join(lines) + "\n"


def _row(moment: Moment) -> str:
    tables = ", ".join(f"`{table}`" for table in moment.tables)
    cells = (
        moment.id,
        f"{moment.name.en}<br>*{moment.name.es}*",
        tables if moment.off is None else f"off: {moment.off.en}",
        "<br>".join(dict.fromkeys(_window(moment, window) for window in moment.windows)),
        _evidence(moment, "negative"),
        _evidence(moment, "positive"),
        str(moment.weight),
    )
    return "| " + " | ".join(cells) + " |"


def _window(moment: Moment, window: Window) -> str:
    length = _length(window)
    if not window.start:
        return length or "at once"
    start = f"{length} after" if length else "until"
    name = " or ".join(f"`{name}`" for name in window.start)
    lead = f"{moment.lead_days} days before, " if moment.lead_days else ""
    return f"{lead}{start} {name}"


def _length(window: Window) -> str:
    parts = [
        (window.minutes, "minute"),
        (window.days, "day"),
        (window.working_days, "working day"),
    ]
    return " and ".join(f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in parts if n)


def _evidence(moment: Moment, polarity: str) -> str:
    found = [one for one in moment.evidence if one.polarity == polarity]
    return "<br>".join(_said(one) for one in found) or "—"


def _said(one: Evidence) -> str:
    late = " (when time is up)" if END in one.at else ""
    return f"{one.because.en}{late}"
