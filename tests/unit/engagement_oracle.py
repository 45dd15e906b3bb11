"""A slow, independent reading of docs/engagement.md, to hold the SQL of the formulas against.

It goes day by day and line by line in plain Python, and shares with the code only the opinions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.journey.engagement_model import Engagement

PLACES = 5


@dataclass(frozen=True)
class Happened:
    """One line of a ledger: `line` is its id, or "contact"; `weight` without the line's own."""

    line: str
    day: int
    weight: float = 1.0


@dataclass(frozen=True)
class Day:
    """What a day says by itself."""

    score: float | None
    evidence: float
    raw: str


class Oracle:
    """Scores and states of one relationship."""

    def __init__(self, opinions: Engagement, ledger: Sequence[Happened]) -> None:
        self.opinions = opinions
        self.terms = opinions.formula
        self.ledger = ledger
        self.lines = {line.id: line for line in opinions.lines}

    def sums(self, today: int) -> dict[str, tuple[float, float]]:
        """Dimension → sums of w·d·v and of w·d on that day."""
        found: dict[str, tuple[float, float]] = {}
        for one in self.ledger:
            age = today - one.day
            if one.line == "contact" or not 0 <= age < self.terms.window_days:
                continue
            line = self.lines[one.line]
            if not line.weight:  # it says nothing by itself: it is severe, or an answer
                continue
            weight = line.weight * (self.terms.moment_weight if line.moment else 1) * one.weight
            weight *= 0.5 ** (age / self.terms.half_life_days)
            above, below = found.get(line.dimension, (0.0, 0.0))
            found[line.dimension] = (above + weight * line.value, below + weight)
        return found

    def score(self, today: int) -> float | None:
        """E before the cap, None without evidence."""
        sums = self.sums(today)
        weights = {one.id: one.weight for one in self.opinions.dimensions}
        if not sums:
            return None
        mean = sum(
            weights[d] * above / (below + self.terms.k) for d, (above, below) in sums.items()
        )
        return 50 + 50 * mean / sum(weights[d] for d in sums)

    def capped(self, today: int) -> float | None:
        """E, at most the cap while a severe line is unanswered."""
        score = self.score(today)
        past = [one for one in self.ledger if one.day <= today and one.line != "contact"]
        severe = [
            one.day
            for one in past
            if self.lines[one.line].is_severe and today - one.day < self.terms.window_days
        ]
        answers = [one.day for one in past if self.lines[one.line].answers]
        is_open = bool(severe) and (not answers or max(answers) < max(severe))
        return min(score, self.terms.cap) if is_open and score is not None else score

    def band(self, today: int) -> str:
        """The state that the score alone gives."""
        score = self.capped(today)
        sums = self.sums(today)
        for state in self.opinions.scored[:-1]:
            is_spoken_for = not state.needs or any(sums.get(n, (0, 0))[0] > 0 for n in state.needs)
            if score is not None and score >= (state.at_least or 0) and is_spoken_for:
                return state.id
        return self.opinions.scored[-1].id

    def day(self, today: int) -> Day:
        """What a day says by itself."""
        evidence = sum(below for _above, below in self.sums(today).values())
        contacts = [one.day for one in self.ledger if one.line == "contact" and one.day <= today]
        return Day(self.capped(today), evidence, self._raw(today, evidence, contacts))

    def _raw(self, today: int, evidence: float, contacts: Sequence[int]) -> str:
        if not contacts:
            return "not_yet"
        last = max(contacts)
        if today - last >= self.terms.window_days:
            left = self.day(last)
            if left.evidence < self.terms.minimum_evidence:
                return "not_enough"
            is_good = left.score is not None and left.score >= self.terms.dormant_from
            return "dormant" if is_good else self.band(last)
        return "not_enough" if evidence < self.terms.minimum_evidence else self.band(today)

    def states(self, first: int, last: int) -> list[str]:
        """The states with hysteresis, day by day."""
        days = [self.day(day) for day in range(first - 60, last + 1)]
        found = [days[60].raw]
        for index in range(61, len(days)):
            found.append(self._next(found[-1], days, index))
        return found

    def _next(self, state: str, days: Sequence[Day], index: int) -> str:
        raw = days[index].raw
        needed = self.terms.thin_days if raw == "not_enough" else self.terms.hysteresis_days
        in_a_row = days[max(0, index - needed + 1) : index + 1]
        if len(in_a_row) == needed and all(day.raw == raw for day in in_a_row):
            return raw
        return raw if self._is_clear(state, raw, days[index].score) else state

    def _is_clear(self, state: str, raw: str, score: float | None) -> bool:
        """So far past the cut between two scored states that nobody would doubt it."""
        ranks = [one.id for one in self.opinions.scored]
        if state not in ranks or raw not in ranks or score is None:
            return False
        margin, cuts = (
            self.terms.hysteresis_points,
            [one.at_least or 0 for one in self.opinions.scored],
        )
        if ranks.index(raw) < ranks.index(state):
            return score >= cuts[ranks.index(raw)] + margin
        return ranks.index(raw) > ranks.index(state) and score < cuts[ranks.index(raw) - 1] - margin
