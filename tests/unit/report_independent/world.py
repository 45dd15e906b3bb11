"""An organisation of which the chapters are counted apart: in plain Python, over the same rows."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from connector.journey.model import Mapping, Rule, TableSpec, Text
from connector.report.build import Choice, build_report
from connector.report.report import Report
from connector.store.database import Store
from connector.timestamps import format_instance
from tests.golden import relations
from tests.golden.sample import NOW, ROW, Sample, make_sample, sample_mapping
from tests.unit.test_report_chapters import NAIVE
from tests.unit.test_report_figures import PERIOD, ZONE, in_period, rows_of

CHAPTERS = (
    "onboarding",
    "improvement",
    "sla",
    "band",
    "worst",
    "conversion",
    "touchpoints",
    "moments",
)
BAND_NAMES = ("visible", "provider_backstage", "consumer_backstage", "")
REGISTER = "sn_cim_register"


@dataclass(frozen=True)
class World:
    """The sample, and what this test adds to it."""

    sample: Sample
    moments: list[ROW]
    pieces: list[ROW]


def make_world() -> World:
    """The sample with initiatives, due dates, moments and stretches of visibility."""
    sample = make_sample(240, 120)
    dice = random.Random(31)  # noqa: S311  # a sample, not a secret
    for item in sample.records["sc_req_item"]:
        due = datetime.fromisoformat(item["opened_at"]) + timedelta(days=dice.randrange(2, 20))
        item["due_date"] = f"{due:%Y-%m-%d %H:%M:%S}"
    sample.records[REGISTER] = [_initiative(i, dice) for i in range(40)]
    sample.classification.extend(
        {
            "table_name": REGISTER, "sys_id": one["sys_id"], "rule_id": "improvement",
            "touchpoint": "improvement", "steps": {"travesia": "medir", "itil4": "realize"},
            "band": "provider_backstage", "is_potential_moment": False,
            "outcome": "abandoned" if i % 7 == 3 else "", "phase": "", "value": "",
            "confidence": "high", "inherited_from": "", "mapping_hash": "0123456789ab",
        }
        for i, one in enumerate(sample.records[REGISTER])
    )  # fmt: skip
    moments = relations.moments_of(sample.records["incident"], NOW)
    sour = {c["sys_id"] for c in sample.classification if c["touchpoint"] == "survey_answered"}
    for moment in moments:
        if moment["sys_id"] in sour and moment["decided_at"]:
            moment["polarity"] = "negative"
    moments += [_ready(one, dice) for one in sample.records["sc_req_item"]]
    return World(sample, moments, list(_pieces(sample, dice)))


def _initiative(i: int, dice: random.Random) -> dict[str, str]:
    begun = NOW - timedelta(hours=dice.randrange(24 * 90))
    over = begun + timedelta(hours=dice.randrange(1, 24 * 40))
    is_over = over < NOW
    return {
        "sys_id": f"imp{i}",
        "opened_at": format_instance(begun),
        "closed_at": format_instance(over) if is_over else "",
        "active": "false" if is_over else "true",
        "source_id": f"inc{i:04}" if i % 3 else "",
    }


def _ready(item: dict[str, str], dice: random.Random) -> ROW:
    day = datetime.fromisoformat(item["due_date"])
    polarity = dice.choice(("positive", "positive", "negative"))
    is_over = day < NOW.replace(tzinfo=None)
    return {
        "table_name": "sc_req_item",
        "sys_id": item["sys_id"],
        "moment_id": "M03",
        "polarity": polarity if is_over else "open",
        "started_at": day,
        "window_ends_at": day,
        "decided_at": day if is_over else None,
        "evidence": "made",
        "weight": 10,
    }


def _pieces(sample: Sample, dice: random.Random) -> Iterator[ROW]:
    for one in sample.records["incident"][::2]:
        at = datetime.fromisoformat(one["opened_at"])
        for _i in range(dice.randrange(1, 5)):
            yield {
                "table_name": "incident", "sys_id": one["sys_id"], "since": at,
                "band": dice.choice(BAND_NAMES), "resolution": "exact",
            }  # fmt: skip
            at += timedelta(seconds=dice.randrange(3600, 9 * 86400))


def mapping() -> Mapping:
    made = sample_mapping()
    rule = Rule("improvement", (REGISTER,), "", "improvement", Text("", ""), {})
    spec = TableSpec(REGISTER, Text("Initiative", "Iniciativa"), ())
    return replace(made, rules=(*made.rules, rule), tables={**made.tables, REGISTER: spec})


def report_of(store: Store, *only: str, scope: str = "", minimum: int = 5) -> Report:
    return build_report(
        store, mapping(), PERIOD.start, PERIOD.end, "en", ZONE, minimum,
        choice=Choice(scope, only=only),
    )  # fmt: skip


def month_of(text: str) -> str:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return f"{moment.astimezone(ZoneInfo(ZONE)):%Y-%m}"


def lanes_of(world: World) -> dict[tuple[str, str], list[int]]:
    """(step, lane) → records of the period, moments won, moments lost: by the meaning of a lane."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    lane_of = {}
    for table, record, placed in rows_of(world.sample):
        if not placed["steps"]:
            continue
        band = {"visible": "visible", "consumer_backstage": "consumer"}.get(str(placed["band"]))
        place = (str(placed["steps"]["travesia"]), band or "provider")  # type: ignore[index]
        lane_of[table, record["sys_id"]] = place
        found[place][0] += in_period(table, record)
    for m in world.moments:
        place = lane_of.get((m["table_name"], m["sys_id"]), ("", ""))
        if m["decided_at"] and NAIVE[0] <= m["decided_at"] < NAIVE[1]:
            found[place][1] += m["polarity"] == "positive"
            found[place][2] += m["polarity"] == "negative"
    return {place: n for place, n in found.items() if place[0] and n[0]}


def spans_of(world: World) -> Iterator[tuple[str, str, datetime, datetime]]:
    """(record, band, since, until) of every piece: until the next, the end, or the data's end."""
    now = NOW.replace(tzinfo=None)
    incidents = {one["sys_id"]: one for one in world.sample.records["incident"]}
    mine: dict[str, list[ROW]] = defaultdict(list)
    for piece in world.pieces:
        mine[piece["sys_id"]].append(piece)
    for sys_id, pieces in mine.items():
        record = incidents[sys_id]
        is_over = record["state"] in ("6", "7")
        end = datetime.fromisoformat(record["resolved_at"]) if is_over else now
        ordered = sorted(pieces, key=lambda piece: piece["since"])
        closed = [*ordered, {"since": now, "band": ""}]
        for piece, following in pairwise(closed):
            if piece["band"]:
                yield sys_id, piece["band"], piece["since"], min(following["since"], end, now)
