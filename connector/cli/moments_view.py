"""How moments of truth look: what went well and wrong, what can still be turned, by what."""

from collections.abc import Sequence
from datetime import timedelta

from connector.cli.output import bullet, moment, say, table
from connector.journey import fields
from connector.journey.model import Text
from connector.messages import _, _n, current_language
from connector.moment_desk import SHOWN, OfRecord, Overview
from connector.moment_records import Listed, Rate, RecordMoment
from connector.wording import number


def show_overview(found: Overview, zone: str) -> None:
    """The watermelons, the totals, the base rate of each priority; times in `zone`."""
    if found.gone_wrong is None:
        _show_watermelons(found.watermelons, zone)
    if not found.rates and found.gone_wrong is not None:
        say(_("No record has had this moment of truth yet."))
    elif not found.rates:
        say(_("No record has a moment of truth yet."))
    else:
        _show_totals(found)
        _show_by_priority(found)
    if found.gone_wrong is not None:
        _show_list(found.gone_wrong, _("Where it went wrong last"), zone)
    _show_off(found)


def _words(text: Text) -> str:
    return text.in_(current_language())


def _show_watermelons(melons: Listed, zone: str) -> None:
    if melons.total:
        title = _("Watermelons: every time kept, and the person is not content")
        _show_list(melons, title, zone)
    else:
        bullet("ok", _("No watermelon: nobody was unhappy where every time was kept"))
        say()


def _show_list(listed: Listed, title: str, zone: str) -> None:
    rows = [
        (one.number, moment(one.decided_at, zone), _words(one.because))
        for one in listed.moments[:SHOWN]
    ]
    if rows:
        table((_("Record"), _("When"), _("Evidence")), rows, title=title)
    _say_more(listed.total - len(rows))


def _say_more(more: int) -> None:
    if more > 0:
        text = _n("… and {n} more; --json has them", "… and {n} more; --json has them", more)
        say(text.format(n=more))


def _show_totals(found: Overview) -> None:
    whole = [rate for rate in found.rates if not rate.priority]
    heads = (
        _("Moment"),
        _("Positive"),
        _("Negative"),
        _("Neutral"),
        _("Open"),
        _("Negative, %"),
    )
    rows = [(_named(rate), *_cells(rate, found)) for rate in whole]
    table(heads, rows, title=_("What became of them"), numbers=5)


def _named(rate: Rate) -> str:
    """Id and name in one column: a terminal of 80 columns has no room for two."""
    return f"{rate.moment_id} {_words(rate.name)}"


def _cells(rate: Rate, found: Overview) -> list[str]:
    few = f"<{found.minimum_group}"
    counts = (rate.positive, rate.negative, rate.neutral, rate.open)
    return [*(few if n is None else str(n) for n in counts), _percent(rate.share)]


def _percent(share: float | None) -> str:
    return "—" if share is None else number(100 * share, 1)


def _show_by_priority(found: Overview) -> None:
    priorities = sorted({rate.priority for rate in found.rates if rate.priority})
    shares = {(rate.moment_id, rate.priority): rate.share for rate in found.rates}
    rows = [
        (
            _named(rate),
            *(_percent(shares.get((rate.moment_id, one))) for one in priorities),
        )
        for rate in found.rates
        if not rate.priority
        and any(shares.get((rate.moment_id, one)) is not None for one in priorities)
    ]
    if rows:
        heads = (_("Moment"), *(f"P{one}" for one in priorities))
        title = _("Negative of those that ended, in %, by priority: what is usual there")
        table(heads, rows, title=title, numbers=len(priorities))


def _show_off(found: Overview) -> None:
    reasons: dict[str, list[str]] = {}
    for one in found.off:
        reasons.setdefault(one.reason, []).append(f"{one.moment_id} ({one.table})")
    for reason, moments in reasons.items():
        text = _("Off: {moments}: {reason}")
        bullet("warn", text.format(moments=", ".join(moments), reason=reason))


def show_open(listed: Listed, zone: str) -> None:
    """What can still be turned, the most urgent first."""
    if not listed.total:
        say(_("No moment of truth is open."))
        return
    rows = [
        (
            one.number,
            f"{one.moment_id} {_words(one.name)}",
            moment(one.window_ends_at, zone),
            _left(one.left),
            _words(one.turns_positive),
        )
        for one in listed.moments[:SHOWN]
    ]
    heads = (_("Record"), _("Moment"), _("Until"), _("Time left"), _("What turns it positive"))
    table(heads, rows, title=_("Open moments of truth"))
    _say_more(listed.total - len(rows))


def _left(left: timedelta | None) -> str:
    if left is None:
        return _("no end yet")
    hours = int(left.total_seconds() // 3600)
    return _("{n} d").format(n=hours // 24) if hours >= 48 else _("{n} h").format(n=max(hours, 0))


def show_record(found: OfRecord, zone: str) -> None:
    """The moments of one record with the values behind them."""
    say(f"{found.number} · {found.table}", "bold")
    if not found.moments:
        say(_("This record has no moment of truth."))
    show_moments(found.moments, zone)


def show_moments(moments: Sequence[RecordMoment], zone: str) -> None:
    """Some moments, one after the other: polarity, evidence, values, what would turn it."""
    for one in moments:
        _show_moment(one, zone)


_LEVELS = {"positive": "ok", "negative": "error"}


def _show_moment(one: RecordMoment, zone: str) -> None:
    state = fields.MOMENT_CHOICES["potential" if one.polarity == "open" else one.polarity]
    evidence = _words(one.because)
    line = f"{one.moment_id} {_words(one.name)}: {_words(state)}"
    if one.polarity == "open":
        text = _("{line}, until {when}") if one.window_ends_at else "{line}"
        line = text.format(line=line, when=moment(one.window_ends_at, zone))
        evidence = _words(one.turns_positive)
    elif evidence:
        line = f"{line} ({moment(one.decided_at, zone)})"
    values = ", ".join(f"{name} = {_shown(value)}" for name, value in one.values)
    remedy = " · ".join(part for part in (evidence, values) if part)
    bullet(_LEVELS.get(one.polarity, "warn"), line, remedy)


def _shown(value: str | None) -> str:
    if value is None:
        return _("unknown")
    return value or _("empty")
