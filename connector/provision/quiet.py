"""The staging tables of quiet writing, with maps, field maps and the guard script. Pure."""

from collections.abc import Iterator, Sequence

from connector import staging
from connector.itsm.staging import TARGET, staging_of
from connector.journey import fields
from connector.journey.own_tables import JOURNEY_TABLE, ROW_FIELDS
from connector.provision.model import Artefact, artefact

PARENT_PLACE = "sys_id of sys_import_set_row"
"""Stands for the parent's sys_id, which is each instance's own, until it was asked."""

_LENGTHS = {f.name: str(f.max_length) for f in (*ROW_FIELDS, *fields.RECORD_FIELDS)}
_DATES = frozenset(f.name for f in fields.RECORD_FIELDS if f.type == "datetime")


def staging_tables(tables: Sequence[str]) -> Iterator[Artefact]:
    """One staging table a written table."""
    for table in tables:
        name = staging_of(table)
        yield artefact(
            "sys_db_object",
            (name,),
            name=name,
            label=f"Journey import: {table}",
            super_class=PARENT_PLACE,
        )


Staged = Sequence[tuple[str, Sequence[str]]]
"""Written tables, each with the columns of its staging table."""


def staging_columns(staged: Staged) -> Iterator[Artefact]:
    """Their columns, all strings: an import set takes nothing else safely."""
    for table, columns in staged:
        for element in columns:
            yield artefact(
                "sys_dictionary",
                (staging_of(table), element),
                name=staging_of(table),
                element=element,
                internal_type="string",
                column_label=element,
                active="true",
                max_length=_LENGTHS.get(element, "40"),
            )


def maps(staged: Staged) -> Iterator[Artefact]:
    """Their transform maps with field maps; a script keeps those of tickets from inserting."""
    for table, columns in staged:
        name = staging_of(table)
        chart = artefact(
            staging.MAP,
            (name,),
            name=f"Journey: {table}",
            source_table=name,
            target_table=table,
            **staging.MAP_VALUES,
        )
        yield chart
        for element in columns:
            yield artefact(
                staging.ENTRY,
                (name, element),
                map=chart.sys_id,
                source_field=element,
                target_field="sys_id" if element == TARGET else element,
                coalesce="true" if element == TARGET else "false",
                choice_action="ignore",
                **({"date_format": "yyyy-MM-dd HH:mm:ss"} if element in _DATES else {}),
            )
        if table != JOURNEY_TABLE.name:
            yield artefact(
                staging.SCRIPT,
                (name,),
                map=chart.sys_id,
                when="onBefore",
                active="true",
                script=staging.NEVER_INSERT,
            )
