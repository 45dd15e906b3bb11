"""What is said while a ticket is worked on: to the user, among colleagues, by a robot, or nothing.

Owns the journal of work that goes on; what belongs to a change of state is said in `incidents`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.history import SYSTEM, Event, dice
from connector.sandbox.seeds.demo.life import Life
from connector.sandbox.seeds.demo.story import Story

ONGOING = ("2", "2 told", "2 noted", "2 automatic", "2 announced")
NOTICES = (timedelta(minutes=18), timedelta(minutes=48))
"""When a major incident is announced to all, after its opening."""
LONG = timedelta(hours=20)
"""Work that lasts longer leaves a trace in the journal: words to the user, or a note."""
SORRY = 0.6
"""The share of breaches that is followed by words, where words are used."""


def go_on(life: Life, at: datetime) -> None:
    """Still being worked on at `at`; the last thing that happened is what `stands` says."""
    plan, language = life.plan, life.language
    later = working_time.plus(at, 0.2)
    if plan.stands == "2 announced":
        life.events += [
            Event(plan.opened + wait, life.agent, comments=texts.NOTICE[language])
            for wait in NOTICES
        ]
    elif plan.stands == "2 told":
        life.events.append(Event(later, life.agent, comments=texts.UPDATE[language]))
    elif plan.stands == "2 noted":
        life.events.append(Event(later, life.agent, work_notes=texts.PROGRESS[language]))
    elif plan.stands == "2 automatic":
        life.events.append(Event(later, SYSTEM, work_notes=texts.RESTARTED))


def tell(life: Life, begun: datetime, ends: datetime) -> None:
    """Half-way through long work the agent writes to the user, or only for colleagues."""
    if ends - begun < LONG or life.plan.caller is None:
        return
    at = working_time.opening(begun + (ends - begun) / 2)
    if at >= ends:
        return
    if dice(f"words {life.plan.number}").random() < life.plan.mood.speaks:
        life.events.append(Event(at, life.agent, comments=texts.UPDATE[life.language]))
    else:
        life.events.append(Event(at, life.agent, work_notes=texts.PROGRESS[life.language]))


def say_sorry(life: Life, story: Story, breach: datetime, end: datetime | None) -> Iterator[Event]:
    """Some words to the user soon after a breach, where the provider has learnt to say them."""
    plan, chance = life.plan, dice(f"sorry {life.plan.number}")
    at = working_time.plus(breach, chance.uniform(0.2, 3))
    is_open = end is None or at < end
    is_sorry = plan.caller and story.is_sorry(plan.caller.department, at)
    if is_open and is_sorry and chance.random() < SORRY:
        yield Event(at, life.agent, comments=texts.APOLOGY[life.language])
