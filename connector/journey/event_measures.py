"""Measures of events: what happened to a record last, when, and by whose hand.

An event is one text that sorts by time: `YYYY-MM-DD HH:MM:SS`, one digit for its kind (of what one
save wrote at once the greatest digit counts), and the writer's user name. "" is no event.
"""

from sqlglot import exp

from connector.encoded_query import Context
from connector.journey.measures import Measured, Values, instant, stored

KINDS = {"3": "comment", "2": "work_note", "1": "reassignment"}
"""Digit → kind of an event by a person; 0 is any other change."""

_TIME = 19


def _literal(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def journal_event() -> Measured:
    """A journal entry as an event."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        is_public = exp.EQ(this=values["element"].copy(), expression=_literal("comments"))
        digit = exp.Case(ifs=[exp.If(this=is_public, true=_literal("3"))], default=_literal("2"))
        return _event(values["sys_created_on"], digit, values["sys_created_by"])

    return Measured(measure, ("element", "sys_created_on", "sys_created_by"))


def change_event(digit: str) -> Measured:
    """A change of a field as an event."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        return _event(values["sys_created_on"], _literal(digit), values["user"])

    return Measured(measure, ("sys_created_on", "user"))


def _event(time: exp.Expression, digit: exp.Expression, writer: exp.Expression) -> exp.Expression:
    return exp.Concat(
        expressions=[stored(instant(time)), digit, writer.copy()], safe=False, coalesce=False
    )


def _time(event: exp.Expression) -> exp.Expression:
    return exp.Substring(this=event, start=exp.Literal.number(1), length=exp.Literal.number(_TIME))


def _greatest(values: Values, names: tuple[str, ...]) -> exp.Expression:
    first, *others = (values[name].copy() for name in names)
    return exp.Greatest(this=first, expressions=others)


class LastEvent:
    """The measures of the last event, over five facts: the last event of each sort.

    Entries and reassignments by people, any other change by people, and the two by machines. A
    machine's event is the last only if no person did anything at that second or since.
    """

    def __init__(self, entries: str, moves: str, changes: str, *automatic: str) -> None:
        self._people = (entries, moves)
        self._hands = (entries, moves, changes)
        self._automatic = automatic
        self._reads = (*self._hands, *automatic)

    def kind(self) -> Measured:
        """comment, work_note, reassignment, automation or none."""

        def measure(values: Values, _context: Context) -> exp.Expression:
            digit = exp.Substring(
                this=_greatest(values, self._people),
                start=exp.Literal.number(_TIME + 1),
                length=exp.Literal.number(1),
            )
            ifs = [exp.If(this=self._is_automatic(values), true=_literal("automation"))]
            ifs += [
                exp.If(
                    this=exp.EQ(this=digit.copy(), expression=_literal(one)), true=_literal(kind)
                )
                for one, kind in KINDS.items()
            ]
            return exp.Case(ifs=ifs, default=_literal("none"))

        return Measured(measure, self._reads)

    def time(self) -> Measured:
        """When, in stored form."""

        def measure(values: Values, _context: Context) -> exp.Expression:
            machine = _time(_greatest(values, self._automatic))
            return exp.Case(
                ifs=[exp.If(this=self._is_automatic(values), true=machine)],
                default=_time(_greatest(values, self._people)),
            )

        return Measured(measure, self._reads)

    def is_by(self, *users: str) -> Measured:
        """Whether a person's event was written under one of these user names."""

        def measure(values: Values, _context: Context) -> exp.Expression:
            return exp.paren(exp.and_(*self._by_person(values), self._is_one_of(values, users)))

        return Measured(measure, (*self._reads, *users))

    def is_by_others(self, *users: str) -> Measured:
        """Whether a person's event was written under another user name."""

        def measure(values: Values, _context: Context) -> exp.Expression:
            other = exp.Not(this=exp.paren(self._is_one_of(values, users)))
            return exp.paren(exp.and_(*self._by_person(values), other))

        return Measured(measure, (*self._reads, *users))

    def _by_person(self, values: Values) -> list[exp.Expression]:
        some = exp.NEQ(this=_greatest(values, self._people), expression=_literal(""))
        return [exp.Not(this=exp.paren(self._is_automatic(values))), some]

    def _is_one_of(self, values: Values, users: tuple[str, ...]) -> exp.Expression:
        writer = exp.Lower(
            this=exp.Substring(
                this=_greatest(values, self._people), start=exp.Literal.number(_TIME + 2)
            )
        )
        same = [
            exp.and_(
                exp.NEQ(this=values[user].copy(), expression=_literal("")),
                exp.EQ(this=writer.copy(), expression=exp.Lower(this=values[user].copy())),
            )
            for user in users
        ]
        return exp.paren(exp.or_(*same))

    def _is_automatic(self, values: Values) -> exp.Expression:
        return exp.GT(
            this=_time(_greatest(values, self._automatic)),
            expression=_time(_greatest(values, self._hands)),
        )
