"""What the sample's runs found beside the places: moments, bands, relationships.

Made from its rows, the same every time.
"""

import random
from datetime import date, datetime, timedelta
from typing import Any

ROW = dict[str, Any]
AS_OF = date(2026, 11, 5)


def moments_of(incidents: list[dict[str, str]], now: datetime) -> list[ROW]:
    """Three moments for every incident, some of them still open."""
    dice = random.Random(8)  # noqa: S311  # a sample, not a secret
    rows = []
    for one in incidents:
        opened = datetime.fromisoformat(one["opened_at"])
        ended = datetime.fromisoformat(one["resolved_at"]) if one["resolved_at"] else None
        for moment, weight, odds in (("M08", 6, 0.12), ("M12", 5, 0.3), ("M29", 9, 0.02)):
            if moment == "M29" and dice.random() > odds:
                continue
            rows.append(
                {
                    "table_name": "incident",
                    "sys_id": one["sys_id"],
                    "moment_id": moment,
                    "started_at": opened,
                    "weight": weight,
                    **_fate(dice, moment, odds, ended, opened + timedelta(days=7), now),
                }
            )
    return rows


def _fate(
    dice: random.Random,
    moment: str,
    odds: float,
    ended: datetime | None,
    window: datetime,
    now: datetime,
) -> ROW:
    if ended is None and moment != "M29":
        ends = max(window, now.replace(tzinfo=None) + timedelta(hours=dice.randrange(1, 90)))
        return {"polarity": "open", "window_ends_at": ends, "decided_at": None, "evidence": ""}
    at = ended or window
    polarity = "negative" if moment == "M29" or dice.random() < odds else "positive"
    evidence = {"negative": "bad", "positive": "good"}[polarity]
    return {"polarity": polarity, "window_ends_at": at, "decided_at": at, "evidence": evidence}


def bands_of(incidents: list[dict[str, str]]) -> tuple[list[ROW], list[ROW]]:
    """Time in each band of every incident, and its longest time unseen."""
    dice = random.Random(9)  # noqa: S311
    dwell, unseen = [], []
    for one in incidents:
        key = {"table_name": "incident", "sys_id": one["sys_id"]}
        for band, hours in (
            ("visible", 30),
            ("provider_backstage", 60),
            ("consumer_backstage", 12),
        ):
            seconds = int(dice.expovariate(1 / (hours * 3600)))
            dwell.append({**key, "band": band, "seconds": seconds, "resolution": "exact"})
        if "opened_at" not in one:
            continue  # hidden: nobody knows when it began
        began = datetime.fromisoformat(one["opened_at"])
        seconds = int(dice.expovariate(1 / (50 * 3600)))
        unseen.append(
            {
                **key,
                "seconds": seconds,
                "began_at": began,
                "ended_at": began + timedelta(seconds=seconds),
                "resolution": "exact",
            }
        )
    return dwell, unseen


def engagement_rows() -> list[ROW]:
    """Three relationships: one that fell, one that rose, one of which little is known."""
    return [
        _relationship(
            "rel1", ("dep0", "Finanzas"), ("svc0", "ERP"), "at_risk", 38.4, ("transactional", 51.0)
        ),
        _relationship(
            "rel2",
            ("dep1", "Ventas"),
            ("svc1", "Correo"),
            "committed",
            77.2,
            ("transactional", 70.1),
        ),
        _relationship("rel3", ("dep2", "Operaciones"), ("", ""), "not_enough", None, (None, None)),
    ]


def _relationship(
    sys_id: str,
    customer: tuple[str, str],
    service: tuple[str, str],
    state: str,
    score: float | None,
    before: tuple[str | None, float | None],
) -> ROW:
    reasons = [
        {"line": "sla-missed", "records": 9, "points": -8.2},
        {"line": "praise", "records": 2, "points": 1.4},
    ]
    return {
        "sys_id": sys_id,
        "customer_table": "cmn_department",
        "customer": customer[0],
        "customer_name": customer[1],
        "service_table": "cmdb_ci_service" if service[0] else "",
        "service": service[0],
        "service_name": service[1],
        "as_of": AS_OF,
        "state": state,
        "since": date(2026, 10, 20) if score else None,
        "score": score,
        "provider": score,
        "customer_side": score + 6 if score else None,
        "dimensions": {"reliability": score, "voice": score + 6} if score else {},
        "steps": {"usar": score, "medir": score + 6} if score else {},
        "evidence": 21.0 if score else 1.5,
        "confidence": 0.6,
        "people": 24,
        "smaller": 1,
        "fallback_share": 0.0,
        "contacts": 12,
        "last_contact": date(2026, 11, 3),
        "is_capped": False,
        "month_score": before[1],
        "month_state": before[0],
        "reasons": reasons if score else [],
        "moves": reasons[:1] if score else [],
    }


def changes() -> list[ROW]:
    """Every change of state in the window."""
    return [
        {
            "sys_id": "rel1",
            "changed_on": date(2026, 10, 20),
            "from_state": "transactional",
            "to_state": "at_risk",
            "score": 41.0,
            "reasons": [],
        },
    ]


def rings() -> list[ROW]:
    """One proposed, one confirmed."""
    return [
        {"sys_id": "rel1", "proposed_on": date(2026, 3, 2), "evidence": "contacts"},
        {
            "sys_id": "rel2",
            "proposed_on": date(2026, 4, 7),
            "evidence": "contacts",
            "confirmed_on": date(2026, 5, 4),
        },
    ]


def seen_rows() -> list[ROW]:
    """What people wrote in the tool: a next step that is overdue."""
    return [
        {"sys_id": "rel1", "has_owner": True, "has_next_step": True, "due": date(2026, 11, 2)},
        {"sys_id": "rel2", "has_owner": False, "has_next_step": False},
    ]


def plans() -> list[ROW]:
    """What was seen of next steps, night by night: one put off, one that is gone."""
    empty = {"has_owner": False, "has_next_step": False, "due": None, "step_mark": ""}
    first = {**empty, "has_next_step": True, "due": date(2026, 10, 15), "step_mark": "a"}
    other = {**first, "due": date(2026, 10, 9), "step_mark": "b"}
    return [
        {"sys_id": "rel1", "seen_at": datetime.fromisoformat("2026-09-20 22:00:00"), **first},
        {
            "sys_id": "rel1",
            "seen_at": datetime.fromisoformat("2026-10-16 20:00:00"),
            **first,
            "has_owner": True,
            "due": date(2026, 11, 2),
        },
        {"sys_id": "rel2", "seen_at": datetime.fromisoformat("2026-09-28 22:00:00"), **other},
        {"sys_id": "rel2", "seen_at": datetime.fromisoformat("2026-10-10 20:00:00"), **empty},
    ]


def plan_start() -> list[ROW]:
    """The first look at the rows in the tool."""
    return [{"began_at": datetime.fromisoformat("2026-09-15 22:00:00")}]


def contacts() -> list[dict[str, str]]:
    """Meetings with Finanzas about the ERP: promises kept, one pending, one overdue."""
    common = {"u_customer": "dep0", "u_company": "", "u_service": "svc0"}
    touchpoint = {"u_touchpoint": "relationship_meeting"}
    return [
        {
            "sys_id": f"con{i}",
            "u_date": day,
            **common,
            **touchpoint,
            "u_promise_due": due,
            "u_promise_kept": kept,
        }
        for i, (day, due, kept) in enumerate(
            (
                ("2026-09-10", "2026-09-30", "yes"),
                ("2026-10-10", "2026-10-20", "yes"),
                ("2026-10-15", "2026-10-31", ""),
                ("2026-11-03", "2026-11-20", ""),
            )
        )
    ]
