"""The journey's steps as a bar above the form: stages of the process-flow formatter. Pure.

Such a bar shows every stage of its table, so ours would also turn up in a bar that a table has of
its own (change, problem, demand). It is made for incidents and for our own table only.
Names and columns after ServiceNow's SDK guide to form layouts (platform-view-guide).
"""

from collections.abc import Iterator, Sequence

from connector.journey import fields
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.own_tables import JOURNEY_TABLE
from connector.provision.model import Artefact, artefact

FORMATTED = ("incident", JOURNEY_TABLE.name)
STAGE = "sys_process_flow"
NAMED = f"{fields.STEP}: "
"""How the name of a stage begins; its table and its step follow."""

_MACRO = "process_flow.xml"


def formatter(table: str) -> Artefact:
    """The bar of one table."""
    return artefact(
        "sys_ui_formatter",
        (table, _MACRO),
        name=f"{NAMED}{table}",
        table=table,
        formatter=_MACRO,
        type="formatter",
        active="true",
    )


def flow(
    mapping: JourneyMapping, tables: Sequence[str], journey: str, language: str
) -> Iterator[Artefact]:
    """The bar and its stages, one a step, in the language of the texts on the record."""
    for table in (t for t in FORMATTED if t in (*tables, JOURNEY_TABLE.name)):
        yield formatter(table)
        for step in mapping.journeys[journey].steps:
            yield artefact(
                STAGE,
                (table, step.id),
                name=f"{NAMED}{table} {step.id}",
                table=table,
                label=step.name.in_(language),
                condition=f"{fields.STEP}={step.id}^EQ",
                order=str(step.position * 100),
                active="true",
            )
