"""Whether a text is a cron line of five fields; the scheduler reads it, this only judges it."""

import re

from connector.messages import _

_NAMES = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_WEEKDAY = 4
_PART = re.compile(r"(\*|\d{1,2}|[a-z]{3})(?:-(\d{1,2}|[a-z]{3}))?(?:/(\d{1,2}))?")


def _number(token: str, position: int) -> int | None:
    """A value as a number within its field's bounds; None if it is none.

    Weekday numbers are refused: 0 is Sunday in crontab(5) and Monday in APScheduler 3.
    """
    low, high = _BOUNDS[position]
    names = _NAMES.get(position, [])
    if token in names:
        return names.index(token) + low
    if not token.isdigit() or position == _WEEKDAY:
        return None
    return int(token) if low <= int(token) <= high else None


def _range(first: str, last: str | None, position: int) -> tuple[int, int] | None:
    """The bounds a part spans; None where they are wrong or the wrong way round."""
    if first == "*":
        return None if last else _BOUNDS[position]
    low = _number(first, position)
    high = _number(last, position) if last else _BOUNDS[position][1]
    if low is None or high is None or low > high:
        return None
    return low, high


def _is_part(part: str, position: int) -> bool:
    match = _PART.fullmatch(part)
    span = _range(match[1], match[2], position) if match else None
    if not match or not span:
        return False
    # After a name APScheduler takes no step; a step beyond the range would never come.
    return not match[3] or (not match[1].isalpha() and 1 <= int(match[3]) <= span[1] - span[0])


def cron_lines(text: str) -> list[str]:
    """The lines of a schedule: several, with ";" between them, are all its times together.

    One line cannot say "the first working day": that is the 1st if it is one, else the Monday
    after it.
    """
    return [line.strip() for line in text.split(";")] if text else []


def check_cron(text: str) -> str:
    """The text itself if it is a schedule or empty (= never). Raises ValueError with a sentence."""
    for line in cron_lines(text):
        _check_line(line)
    return text


def _check_line(line: str) -> None:
    fields = line.split()
    if len(fields) != len(_BOUNDS):
        raise ValueError(
            _(
                "a schedule has five fields (minute, hour, day, month, weekday), not {n}; "
                'write it like "30 2 * * mon-fri"'
            ).format(n=len(fields))
        )
    for position, field in enumerate(fields):
        for part in field.split(","):
            if not _is_part(part, position):
                raise ValueError(
                    _(
                        "{part!r} does not fit field {n} of a schedule; write it like "
                        '"30 2 * * mon-fri" (weekdays by name, ranges upwards)'
                    ).format(part=part, n=position + 1)
                )
