"""How the backtest looks: what the score foresaw, and honestly what that is worth."""

from dataclasses import asdict

from connector.backtest import AHEAD, BEFORE, Backtest, Quarter
from connector.cli.output import bullet, say, table
from connector.messages import _
from connector.wording import number, percent, signed


def backtest_as_data(found: Backtest | None) -> dict[str, object]:
    """The backtest as plain data; empty where there was too little to tell."""
    return asdict(found) if found else {}


def show_backtest(found: Backtest | None) -> None:
    """The figures, and honestly what they are worth."""
    if found is None:
        bullet("warn", _("Too little is known to hold any score against what came after"))
        return
    text = _("{months} months of {relationships} relationships: score then, agreed times after")
    say(text.format(months=found.relationship_months, relationships=found.relationships), "bold")
    say()
    quarters = zip(found.by_score, found.by_sla, strict=True)
    table(
        (
            _("Quarter"),
            _("Missed in the {n} days after, by score").format(n=AHEAD),
            _("by the times missed in the {n} days before").format(n=BEFORE),
        ),
        [(quarter, _missed(a), _missed(b)) for quarter, (a, b) in enumerate(quarters, start=1)],
        title=_("Four equal parts, the worst first"),
        numbers=2,
    )
    shares = ", ".join(f"{name} {number(value)}" for name, value in found.percentiles.items())
    say(_("Scores: {shares}").format(shares=shares))
    score, sla = found.score_correlation, found.sla_correlation
    text = _(
        "Rank correlation with the times missed after: score {score}, times missed before {sla}"
    )
    say(text.format(score=_correlation(score), sla=_correlation(sla)))
    say(_verdict(score, sla))


def _missed(quarter: Quarter) -> str:
    return percent(quarter.missed)


def _correlation(value: float | None) -> str:
    return "—" if value is None else signed(value, 2)


CLEARLY = 0.05
"""By so much must a rank correlation be stronger to be called better."""


def _verdict(score: float | None, sla: float | None) -> str:
    if score is None or sla is None:
        return _("It cannot be told how much the score foresees.")
    ahead = -score - sla
    if ahead > CLEARLY:
        return _("The score foresees more than the agreed times alone.")
    if ahead < -CLEARLY:
        return _("The agreed times alone foresee more: the score explains, it does not foresee.")
    return _(
        "The score foresees about as much as the agreed times alone: it explains more, not better."
    )
