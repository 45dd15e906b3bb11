"""One export: the formats that were asked for, into one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.export.files import whole_file
from connector.export.log import open_log
from connector.export.ocel import write_ocel
from connector.export.parquet import write_parquet
from connector.export.xes import write_xes
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Schema
from connector.store.database import Store

FORMATS = ("xes", "ocel", "parquet")
Relations = Mapping[str, tuple[Sequence[str], Sequence[str]]]


@dataclass(frozen=True)
class Wanted:
    """What is to be exported. `journey`: "" is the one that is shown; `with_people`: texts and
    users too, in Parquet.
    """

    formats: tuple[str, ...]
    journey: str
    language: str
    with_people: bool = False


def export(
    store: Store,
    mapping: JourneyMapping,
    schema: Schema,
    now: datetime,
    wanted: Wanted,
    folder: Path,
    relations: Relations,
) -> list[Path]:
    """Write the wanted formats into `folder`; answers their paths.

    `now` is the instant of the last run. Raises ConnectorError if the folder cannot be written,
    StoreError.
    """
    paths: list[Path] = []
    if {"xes", "ocel"} & set(wanted.formats):
        log = open_log(store, mapping, schema, now, wanted.journey, wanted.language, relations)
        stem = f"travesia_{wanted.journey}_{wanted.language}"
        for format_, write, name in (
            ("xes", write_xes, f"{stem}.xes"),
            ("ocel", write_ocel, f"{stem}.ocel.json"),
        ):
            if format_ in wanted.formats:
                with whole_file(folder / name) as draft:
                    write(log, draft)
                paths.append(folder / name)
    if "parquet" in wanted.formats:
        paths += write_parquet(store, folder, with_people=wanted.with_people)
    return paths
