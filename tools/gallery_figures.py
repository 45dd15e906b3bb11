"""Invented figures for the gallery and for tests: each form of picture shows what it can.

Long names, a ring tied and not, steps without a source, moves back, cells of too few people.
"""

from datetime import UTC, date, datetime, timedelta

from connector.messages import current_language
from connector.report.drawing.bands import BandPeriod, BandTime
from connector.report.drawing.calendar import Agreement, Calendar, CalendarEvent
from connector.report.drawing.diverging import MomentScore, MomentScores
from connector.report.drawing.funnel import Funnel, Stage
from connector.report.drawing.heat import HeatCell, HeatMap
from connector.report.drawing.journey_map import Bubble, JourneyMap, MapStep
from connector.report.drawing.life import MomentMark, RecordLife, Stay
from connector.report.drawing.matrix import Relation, Relations
from connector.report.drawing.ribbon import Ribbon
from connector.report.drawing.sankey import Flow, Flows
from connector.report.drawing.spread import Spread, Spreads
from connector.report.drawing.strips import Box, Strip
from connector.report.drawing.trend import Trend, TrendPoint
from connector.report.wording import day, month

STEPS = (
    ("explorar", "Explore", "Explorar", "Discover", "Descubrir"),
    ("entender", "Understand & commit", "Entender y comprometerse", "Discover", "Descubrir"),
    ("visibilizar", "Make visible", "Dar visibilidad", "Discover", "Descubrir"),
    ("acordar", "Agree", "Acordar", "Agree & ready", "Acordar y poner a punto"),
    ("construir", "Build", "Construir", "Agree & ready", "Acordar y poner a punto"),
    ("preparar", "Prepare", "Preparar", "Agree & ready", "Acordar y poner a punto"),
    ("usar", "Provide & use", "Dar acceso y usar", "Create value", "Crear valor"),
    (
        "medir",
        "Measure, confirm value & improve",
        "Medir, confirmar el valor y mejorar",
        "Create value",
        "Crear valor",
    ),
)
"""Step, its name and its group, in English and Spanish."""


def _either(english: str, spanish: str) -> str:
    return spanish if current_language() == "es" else english


def step_names() -> tuple[tuple[str, str], ...]:
    """(id, name) of the eight steps."""
    return tuple((id_, _either(en, es)) for id_, en, es, _group, _grupo in STEPS)


def a_ribbon(*, is_tied: bool = True) -> Ribbon:
    """A relationship that was good and frayed where the service is used."""
    scores = (
        ("entender", 82.0),
        ("visibilizar", 71.0),
        ("acordar", 66.0),
        ("construir", None),
        ("preparar", 52.0),
        ("usar", 38.0),
        ("medir", 22.0),
    )
    if is_tied:
        return Ribbon(scores, ring_confirmed=date(2026, 3, 12), ring_proposed=date(2026, 2, 3))
    return Ribbon(scores, ring_proposed=date(2026, 2, 3))


def a_map(*, is_tied: bool = True) -> JourneyMap:
    """A year of an organisation whose discovery leaves no trace in the tool."""
    steps = tuple(
        MapStep(id_, _either(en, es), _either(group, grupo), has_source=id_ != "explorar")
        for id_, en, es, group, grupo in STEPS
    )
    bubbles = (
        Bubble("entender", "visible", 64, 12, 3),
        Bubble("visibilizar", "visible", 820, 40, 12),
        Bubble("visibilizar", "provider", 35),
        Bubble("acordar", "consumer", 310, 22, 60),
        Bubble("acordar", "visible", 140, 8, 8),
        Bubble("construir", "provider", 1250, 30, 95),
        Bubble("construir", "supplier", 210, 2, 40),
        Bubble("preparar", "visible", 430, 55, 20),
        Bubble("preparar", "provider", 260, 9, 14),
        Bubble("usar", "consumer", 520, 10, 31),
        Bubble("usar", "visible", 2380, 410, 220),
        Bubble("usar", "provider", 3120, 150, 340),
        Bubble("usar", "supplier", 95, 0, 12),
        Bubble("medir", "consumer", 180, 60, 45),
        Bubble("medir", "visible", 1460, 320, 90),
    )
    return JourneyMap(steps, bubbles, a_ribbon(is_tied=is_tied))


def some_flows() -> Flows:
    """Moves over a month, some of them back."""
    moves = (
        ("visibilizar", "acordar", 310),
        ("acordar", "construir", 260),
        ("acordar", "visibilizar", 34),
        ("construir", "preparar", 190),
        ("construir", "usar", 88),
        ("preparar", "usar", 176),
        ("usar", "medir", 980),
        ("medir", "usar", 122),
        ("usar", "construir", 41),
        ("entender", "visibilizar", 12),
    )
    return Flows(step_names(), tuple(Flow(*move) for move in moves))


def a_heat_map() -> HeatMap:
    """Six touchpoints over six months; one cell is of too few people."""
    names = (
        ("Incident reported by phone", "Incidencia comunicada por teléfono"),
        ("Waiting for the supplier", "A la espera del proveedor externo"),
        ("Approval requested", "Aprobación solicitada"),
        ("Resolution proposed, to be confirmed", "Solución propuesta, por confirmar"),
        ("Survey answered", "Encuesta contestada"),
        ("Access given", "Acceso concedido"),
    )
    rows = tuple((f"r{i}", _either(en, es)) for i, (en, es) in enumerate(names))
    columns = tuple((f"c{m}", month(date(2026, m, 1))) for m in range(5, 11))
    impacts = (
        (12, 18, 9, 22, 31, 44),
        (4, 9, 15, 27, 38, 61),
        (0, 2, 1, 3, 2, 5),
        (8, 7, 11, 6, 9, 14),
        (1, 0, 0, 2, 1, 3),
        (0, 0, 1, 0, 0, 2),
    )
    cells = [
        HeatCell(row, column, None if (i, k) == (4, 1) else impacts[i][k])
        for i, (row, _name) in enumerate(rows)
        for k, (column, _month) in enumerate(columns)
    ]
    measure = _either("moments lost, by weight", "momentos perdidos, por peso")
    return HeatMap(rows, columns, tuple(cells), measure)


def some_bands() -> BandTime:
    """Twelve weeks in which work went backstage."""
    first = date(2026, 8, 3)
    periods = [
        BandPeriod(
            day(first + timedelta(weeks=i)),
            {
                "visible": 3600.0 * (400 - 14 * i),
                "provider_backstage": 3600.0 * (220 + 22 * i),
                "consumer_backstage": 3600.0 * (90 + (i % 3) * 25),
            },
        )
        for i in range(12)
    ]
    return BandTime(tuple(periods))


def a_life() -> RecordLife:
    """An incident that was reopened."""
    start = datetime(2026, 10, 5, 8, 12, tzinfo=UTC)

    def at(hours: float) -> datetime:
        return start + timedelta(hours=hours)

    use, measure = step_names()[6][1], step_names()[7][1]
    build = step_names()[4][1]
    return RecordLife(
        "INC0012345",
        (
            Stay(use, at(0), at(50)),
            Stay(build, at(50), at(96)),
            Stay(use, at(96), at(140)),
            Stay(measure, at(140), at(170)),
            Stay(use, at(170), at(215)),
            Stay(measure, at(215), at(240)),
        ),
        (
            Stay("", at(0), at(20), "visible"),
            Stay("", at(20), at(96), "provider_backstage"),
            Stay("", at(96), at(120), "consumer_backstage"),
            Stay("", at(120), at(175), "visible"),
            Stay("", at(175), at(210), "provider_backstage"),
            Stay("", at(210), at(240), "visible"),
        ),
        (
            MomentMark(
                _either("First answer in time", "Primera respuesta a tiempo"), at(3), "positive"
            ),
            MomentMark(
                _either("Handed from group to group", "De grupo en grupo"), at(70), "negative"
            ),
            MomentMark(
                _either("The solution did not hold", "La solución no aguantó"), at(170), "negative"
            ),
            MomentMark(
                _either("Value confirmed by the consumer", "Valor confirmado por el consumidor"),
                at(238),
                "open",
            ),
        ),
        (Stay(_either("Waiting for the user", "A la espera del usuario"), at(96), at(120)),),
        "Europe/Madrid",
    )


def some_spreads() -> Spreads:
    """Steps from minutes to months."""
    hours = (None, 30.0, 5.0, 70.0, 210.0, 96.0, 9.5, 0.4)
    p90 = (None, 90.0, 26.0, 400.0, 1500.0, 300.0, 120.0, 72.0)
    counts = (0, 12, 820, 310, 260, 430, 2380, 1460)
    return Spreads(
        tuple(
            Spread(f"{i + 1}. {said}", counts[i], _seconds(hours[i]), _seconds(p90[i]))
            for i, (_id, said) in enumerate(step_names())
        )
    )


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else hours * 3600


def a_trend() -> Trend:
    """Eleven weeks against the eleven before; the last one is not over."""
    first = date(2026, 8, 17)
    values = (120, 134, 128, 151, 149, 162, 158, 171, 165, 180, 92)
    before = (140, 138, 131, 133, 120, 125, 119, 122, 118, 121, 117)
    points = [
        TrendPoint(day(first + timedelta(weeks=i)), value, before[i], is_complete=i < 10)
        for i, value in enumerate(values)
    ]
    return Trend(
        _either("Tickets opened, by week", "Tickets abiertos, por semana"),
        tuple(points),
        _either("this period", "este periodo"),
        _either("the period before", "el periodo anterior"),
    )


def some_moments() -> MomentScores:
    """Moments from bad to good."""
    rows = (
        ("M12 Handed from group to group", "M12 De grupo en grupo", 12, 240, 0, 6),
        (
            "M07 Word given about the delivery date",
            "M07 Palabra dada sobre la fecha de entrega",
            48,
            96,
            4,
            30,
        ),
        ("M03 First answer", "M03 Primera respuesta", 820, 180, 22, 41),
        ("M15 Survey", "M15 Encuesta", 210, 35, 60, 0),
        ("M21 Day one ready", "M21 Primer día listo", 55, 0, 1, 12),
    )
    return MomentScores(tuple(MomentScore(_either(en, es), *counts) for en, es, *counts in rows))


def some_relations() -> Relations:
    """Relationships in every state."""
    steps = step_names()[1:]
    given = (
        ("Finance · SAP", "Finanzas · SAP", "Committed", "Comprometida", "committed", 81.0, 77.5),
        (
            "Human Resources · Payroll and personnel administration",
            "Recursos Humanos · Nóminas y administración de personal",
            "Connected",
            "Vinculada",
            "connected",
            63.0,
            63.4,
        ),
        (
            "Sales · CRM",
            "Ventas · CRM",
            "Transactional",
            "Transaccional",
            "transactional",
            52.0,
            61.0,
        ),
        (
            "Logistics · Warehouse",
            "Logística · Almacén",
            "At risk",
            "En riesgo",
            "at_risk",
            36.0,
            49.0,
        ),
        ("Legal · Documents", "Jurídico · Documentos", "Broken", "Rota", "broken", 21.0, 24.0),
        (
            "Marketing · Web",
            "Marketing · Web",
            "Not enough evidence",
            "Sin evidencia suficiente",
            "not_enough",
            None,
            None,
        ),
    )
    offsets = (6.0, 3.0, None, -2.0, -5.0, 4.0, -9.0)
    rows = []
    for en, es, state, estado, id_, score, before in given:
        scores = tuple(
            (step, None if score is None or off is None else max(0.0, min(100.0, score + off)))
            for (step, _said), off in zip(steps, offsets, strict=True)
        )
        rows.append(Relation(_either(en, es), _either(state, estado), id_, score, before, scores))
    return Relations(steps, tuple(rows))


def a_calendar() -> Calendar:
    """Three agreements, one of them over without anybody having said so."""
    rows = (
        Agreement(
            _either("Workplace services", "Puesto de trabajo"),
            date(2026, 1, 1),
            date(2026, 12, 31),
            (CalendarEvent(date(2026, 11, 2), _either("renewal begins", "empieza la renovación")),),
        ),
        Agreement(
            _either(
                "Data centre maintenance by Aceros del Norte",
                "Mantenimiento del centro de datos por Aceros del Norte",
            ),
            date(2025, 6, 1),
            date(2026, 8, 31),
            (
                CalendarEvent(
                    date(2026, 8, 31),
                    _either("lapsed without renewal", "vencido sin renovar"),
                    is_bad=True,
                ),
                CalendarEvent(date(2026, 5, 10), _either("SLA changed", "SLA cambiado")),
            ),
        ),
        Agreement(_either("Payroll", "Nóminas"), date(2026, 4, 15), None, ()),
    )
    return Calendar(date(2026, 1, 1), date(2026, 12, 31), date(2026, 10, 31), rows)


def a_funnel() -> Funnel:
    """From feedback to an improvement that is done."""
    stages = (
        Stage(_either("Feedback", "Comentarios recibidos"), 1840),
        Stage(_either("Answered", "Contestados"), 912, 6 * 86400.0),
        Stage(_either("Became an initiative", "Convertidos en iniciativa"), 140, 21 * 86400.0),
        Stage(_either("Done and told", "Hechos y comunicados"), 31),
    )
    return Funnel(_either("From feedback to improvement", "Del comentario a la mejora"), stages)


def some_strips() -> tuple[Strip, ...]:
    """A year by the steps of two journeys."""
    eight = (
        (_either("Explore", "Explorar"), 120),
        (_either("Understand & commit", "Entender y comprometerse"), 64),
        (_either("Make visible", "Dar visibilidad"), 410),
        (_either("Agree", "Acordar"), 890),
        (_either("Build", "Construir"), 530),
        (_either("Prepare", "Preparar"), None),
        (_either("Provide & use", "Dar acceso y usar"), 2210),
        (_either("Measure, confirm value & improve", "Medir, confirmar el valor y mejorar"), 3870),
    )
    three = (
        (_either("Agree", "Acordar"), 890),
        (_either("Co-create", "Cocrear"), 3150),
        (_either("Realize", "Materializar el valor"), 4054),
    )
    return tuple(
        Strip(name, tuple(Box(*box) for box in boxes))
        for name, boxes in ((_either("Eight steps", "Ocho pasos"), eight), ("ITIL 4", three))
    )
