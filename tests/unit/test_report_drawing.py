"""The pictures: every mark, every word, in both languages, the same bytes for the same figures."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest

from connector.messages import LANGUAGES, speaking
from connector.report.drawing import ink
from connector.report.drawing.bands import BandPeriod, BandTime, band_chart
from connector.report.drawing.calendar import Calendar, calendar_strip, months
from connector.report.drawing.diverging import MomentScore, MomentScores, moments_chart
from connector.report.drawing.funnel import Funnel, Stage, funnel
from connector.report.drawing.heat import HeatCell, HeatMap, heat_map, level
from connector.report.drawing.journey_map import JourneyMap, journey_map, said_balance
from connector.report.drawing.life import RecordLife, Stay, life_line
from connector.report.drawing.matrix import Relations, relations_matrix, said_move
from connector.report.drawing.palette import DARK_STYLE, PAIRS, PAPER
from connector.report.drawing.picture import Picture
from connector.report.drawing.ribbon import Ribbon, role_of, said_score
from connector.report.drawing.sankey import Flow, Flows, sankey
from connector.report.drawing.spread import Spread, Spreads, spread_chart
from connector.report.drawing.strips import Box, Strip, strips_chart
from connector.report.drawing.trend import Trend, TrendPoint, trend_chart
from connector.resources import shipped
from tests.unit.test_report_charts import luminance
from tools import gallery_figures as figures
from tools.gallery import SAMPLES, samples

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> & \"'|\u2028\\ x</svg>"


@pytest.fixture(scope="module", params=LANGUAGES)
def drawn(request: pytest.FixtureRequest) -> dict[str, Picture]:
    """Every form, in one language."""
    return samples(str(request.param))


def group(svg: str, name: str) -> list[ElementTree.Element]:
    """The elements of the groups that are so called."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    found = [g for g in root.iter(f"{SVG}g") if g.get("class") == name]
    return [element for g in found for element in g]


def texts(svg: str) -> str:
    """All words of a drawing, in order, lines joined."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    return " ".join(
        " ".join(part.strip() for part in text.itertext()) for text in root.iter(f"{SVG}text")
    )


def test_every_form_is_well_formed_and_has_its_words(drawn: dict[str, Picture]) -> None:
    assert set(drawn) == set(SAMPLES)
    for picture in drawn.values():
        root = ElementTree.fromstring(picture.svg())  # noqa: S314 - our own drawing
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{picture.name}-title {picture.name}-desc"
        assert [root[0].tag, root[0].text] == [f"{SVG}title", picture.title]
        assert [root[1].tag, root[1].text] == [f"{SVG}desc", picture.description]
        assert len(picture.description) > 20


def test_every_form_has_its_figures_as_a_table(drawn: dict[str, Picture]) -> None:
    for picture in drawn.values():
        assert picture.table is not None
        assert picture.table.rows, picture.name
        assert {len(row) for row in picture.table.rows} == {len(picture.table.columns)}


def test_ids_are_the_picture_s_own_and_every_pattern_is_there(drawn: dict[str, Picture]) -> None:
    for picture in drawn.values():
        svg = picture.svg()
        ids = set(re.findall(r'\bid="([^"]+)"', svg))
        assert all(id_.startswith(f"{picture.name}-") for id_ in ids)
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= ids


def test_equal_figures_give_equal_bytes(drawn: dict[str, Picture]) -> None:
    again = samples("es" if "Mapa" in drawn["map"].title else "en")
    for name, picture in drawn.items():
        assert picture.file() == again[name].file()


def test_languages_differ_in_words_and_not_in_marks() -> None:
    english, spanish = samples("en"), samples("es")
    for name, picture in english.items():
        one, other = picture.svg(), spanish[name].svg()
        assert picture.title != spanish[name].title or name in ("life", "relations")
        for mark in ("<circle", "<pattern"):
            assert one.count(mark) == other.count(mark), name


def test_every_colour_is_of_the_palette_and_so_has_one_for_dark_screens(
    drawn: dict[str, Picture],
) -> None:
    known = {*PAPER.values(), "none", "transparent"}
    for picture in drawn.values():
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture.svg()))
        assert {c for c in used if not c.startswith("url(")} <= known, picture.name


def test_the_page_and_a_lone_picture_turn_dark_by_the_same_style_sheet() -> None:
    page = (shipped("templates") / "report" / "pictures.css").read_text(encoding="utf-8")
    assert page == DARK_STYLE
    picture = samples("en")["funnel"]
    assert DARK_STYLE in picture.file().decode()
    assert DARK_STYLE not in picture.svg()
    for paper, dark in PAIRS.values():
        assert f'.chart [fill="{paper}"]{{fill:{dark}}}' in DARK_STYLE


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("screen", [0, 1], ids=["paper", "dark"])
def test_words_can_be_read_on_everything_that_lies_beneath_them(screen: int) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    colour = {role: pair[screen] for role, pair in PAIRS.items()}
    for below in ("paper", "panel", "heat_0", "heat_1", "heat_2", "heat_3", "heat_4"):
        assert contrast(colour["ink"], colour[below]) >= 4.5, below
    for below in ("paper", "panel"):
        assert contrast(colour["muted"], colour[below]) >= 4.5, below


@pytest.mark.parametrize("screen", [0, 1], ids=["paper", "dark"])
def test_marks_stand_out_from_what_is_behind_them(screen: int) -> None:
    """WCAG 2.2, 1.4.11 asks 3 to 1; lighter marks have their figure beside them or an edge."""
    colour = {role: pair[screen] for role, pair in PAIRS.items()}
    for role in ("visible", "lost", "before", "state_committed", "state_broken"):
        assert contrast(colour[role], colour["paper"]) >= 3, role


def test_the_png_is_of_the_size_asked() -> None:
    png = samples("en")["funnel"].png(scale=1)
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 520


NOTHING_TO_SHOW = {
    "map": lambda: journey_map(JourneyMap((), ())),
    "moves": lambda: sankey(Flows((("a", "A"),), (Flow("a", "a", 0),))),
    "heat": lambda: heat_map(
        HeatMap((("r", "R"),), (("c", "C"),), (HeatCell("r", "c", None),), "m")
    ),
    "bands": lambda: band_chart(BandTime((BandPeriod("1", {"visible": 5.0}),))),
    "life": lambda: life_line(RecordLife("INC1", (), ())),
    "durations": lambda: spread_chart(Spreads((Spread("a", 0, None, None),))),
    "trend": lambda: trend_chart(Trend("t", (TrendPoint("1", 4), TrendPoint("2", None)), "now")),
    "moments": lambda: moments_chart(MomentScores((MomentScore("a", 0, 0, 3),))),
    "relations": lambda: relations_matrix(Relations((), ())),
    "calendar": lambda: calendar_strip(
        Calendar(date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 9), ())
    ),
    "funnel": lambda: funnel(Funnel("t", (Stage("a", 0),))),
    "strips": lambda: strips_chart((Strip("t", (Box("a", 0), Box("b", None))),)),
}


@pytest.mark.parametrize("form", NOTHING_TO_SHOW)
def test_nothing_to_show_is_no_picture(form: str) -> None:
    assert NOTHING_TO_SHOW[form]() is None


# --- each form ------------------------------------------------------------------------------------


def test_the_map_has_a_bubble_for_each_figure_and_its_area_says_how_many(
    drawn: dict[str, Picture],
) -> None:
    circles = [e for e in group(drawn["map"].svg(), "bubbles") if e.tag == f"{SVG}circle"]
    bubbles = figures.a_map().bubbles
    assert len(circles) == len(bubbles)
    biggest = max(float(c.get("r", 0)) for c in circles)
    sizes = {b.records: float(c.get("r", 0)) for b, c in zip(bubbles, circles, strict=True)}
    assert sizes[3120] == biggest
    assert sizes[820] / biggest == pytest.approx((820 / 3120) ** 0.5, abs=0.01)


def test_a_bubble_says_its_balance_by_colour_pattern_and_words(drawn: dict[str, Picture]) -> None:
    parts = group(drawn["map"].svg(), "bubbles")
    fills = [e.get("fill", "") for e in parts if e.tag == f"{SVG}circle"]
    words = ["".join(e.itertext()) for e in parts if e.tag == f"{SVG}text"]
    for bubble, fill, said in zip(figures.a_map().bubbles, fills, words, strict=True):
        balance = bubble.won - bubble.lost
        assert fill == (
            PAPER["visible"] if balance > 0 else "url(#g-map-lost)" if balance else PAPER["none"]
        )
        assert (said_balance(bubble.won, bubble.lost) in said) or balance == 0
    assert said_balance(3, 5) == "−2"
    assert said_balance(0, 0) == ""


def test_the_ribbon_begins_with_the_ring_and_is_broken_before_it() -> None:
    with speaking("en"):
        tied, loose = (journey_map(figures.a_map(is_tied=tied)) for tied in (True, False))
    assert tied is not None
    assert loose is not None
    ring = [e for e in group(tied.svg(), "ribbon") if e.tag == f"{SVG}circle"]
    columns = [e for e in group(tied.svg(), "steps") if e.get("font-weight") == "bold"]
    assert ring[0].get("cx") == columns[1][0].get("x"), "the ring is at step 2"
    before = group(tied.svg(), "ribbon")[1]
    assert before.get("stroke-dasharray")
    assert before.get("x2") == ring[0].get("cx")
    assert "ring since March 12, 2026" in texts(tied.svg())
    assert "no ring; proposed February 3, 2026" in texts(loose.svg())
    assert "ring since March 12, 2026" in tied.description


def test_each_step_of_the_ribbon_has_the_colour_of_its_own_score() -> None:
    with speaking("en"):
        tied, loose = (journey_map(figures.a_map(is_tied=tied)) for tied in (True, False))
    assert tied is not None
    assert loose is not None
    rects = [e for e in group(tied.svg(), "ribbon") if e.tag == f"{SVG}rect"]
    wanted = [role_of(score) for _step, score in figures.a_ribbon().scores]
    assert [e.get("fill") for e in rects] == [
        "none" if role == "paper" else PAPER[role] for role in wanted
    ]
    frames = [e for e in group(loose.svg(), "ribbon") if e.get("fill") == "none"]
    assert all(e.get("stroke-dasharray") for e in frames)
    assert len(frames) == len(wanted)


def test_scores_take_the_colour_of_the_cut_that_they_reach() -> None:
    """As it is said: 74.5 is read as 75."""
    assert [said_score(s) for s in (74.5, 74.4)] == ["75", "74"]
    assert role_of(74.5) == "state_committed"
    assert [role_of(s) for s in (75.0, 74.4, 45.0, 30.0, 0.0, None)] == [
        "state_committed",
        "state_connected",
        "state_transactional",
        "state_at_risk",
        "state_broken",
        "paper",
    ]


def test_a_relationship_without_ring_or_proposal_says_so() -> None:
    with speaking("es"):
        picture = journey_map(replace(figures.a_map(), ribbon=Ribbon((("entender", None),))))
    assert picture is not None
    assert "sin anillo" in texts(picture.svg())


def test_a_sankey_has_a_band_for_each_move_and_hatches_those_that_go_back(
    drawn: dict[str, Picture],
) -> None:
    bands = group(drawn["moves"].svg(), "flows")
    order = [id_ for id_, _name in figures.step_names()]
    flows = figures.some_flows().flows
    back = [f for f in flows if order.index(f.target) < order.index(f.origin)]
    assert len(bands) == len(flows)
    hatched = [b for b in bands if b.get("fill") == "url(#g-moves-back)"]
    assert len(hatched) == len(back) == 3


def test_the_bands_of_a_sankey_fill_their_bars() -> None:
    flows = Flows((("a", "A"), ("b", "B")), (Flow("a", "b", 30), Flow("b", "a", 10)))
    picture = sankey(flows)
    assert picture is not None
    left = [
        float(e.get("height", 0)) for e in group(picture.svg(), "from") if e.tag == f"{SVG}rect"
    ]
    assert left[0] / left[1] == pytest.approx(3, abs=0.05)


def test_the_heat_map_says_the_figure_in_every_cell() -> None:
    picture = samples("en")["heat"]
    assert picture.svg().count(PAPER["heat_4"]) == 1, "the hottest cell"
    for figure in ("61", "44", "–"):
        assert figure in texts(picture.svg())
    assert [level(n, 61) for n in (0, 1, 15, 16, 61)] == [0, 1, 1, 2, 4]


def test_rows_that_are_called_the_same_stay_two_rows() -> None:
    cells = (HeatCell("a", "c", 3), HeatCell("b", "c", 5))
    picture = heat_map(HeatMap((("a", "Same"), ("b", "Same")), (("c", "C"),), cells, "m"))
    assert picture is not None
    assert texts(picture.svg()).count("Same") == 2


def test_bands_are_shares_of_each_period() -> None:
    periods = tuple(
        BandPeriod(label, {"visible": a, "provider_backstage": b})
        for label, a, b in (("w1", 10.0, 30.0), ("w2", 0.0, 0.0), ("w3", 50.0, 50.0))
    )
    with speaking("en"):
        picture = band_chart(BandTime(periods, is_time=False))
    assert picture is not None
    assert "w1: 25%; w3: 50%" in picture.description
    assert picture.table is not None
    assert picture.table.rows[0][1] == "10 (25%)"
    assert picture.table.rows[1][1] == "0"
    assert f"url(#{picture.name}-provider_backstage)" in picture.svg()


def test_a_life_shows_every_stay_wait_and_moment(drawn: dict[str, Picture]) -> None:
    svg, life = drawn["life"].svg(), figures.a_life()
    bars = [e for e in group(svg, "steps") if e.tag == f"{SVG}rect"]
    assert len(bars) == len(life.steps)
    assert len([e for e in group(svg, "bands") if e.tag == f"{SVG}rect"]) == len(life.bands)
    assert len([e for e in group(svg, "waits") if e.get("stroke-dasharray")]) == len(life.waits)
    names = [e for e in group(svg, "moments") if e.tag == f"{SVG}text"]
    assert len(names) == len(life.moments) + 1
    starts = [float(e.get("x", 0)) for e in bars]
    assert starts == sorted(starts)


def test_a_life_is_told_on_the_clocks_of_the_report() -> None:
    start = datetime(2026, 10, 5, 22, 30, tzinfo=UTC)
    stay = Stay("Use", start, start + timedelta(hours=3))
    with speaking("en"):
        picture = life_line(RecordLife("INC1", (stay,), (), time_zone="Europe/Madrid"))
    assert picture is not None
    assert "Oct 6, 00:30" in texts(picture.svg())


def test_moments_won_and_lost_lie_on_both_sides(drawn: dict[str, Picture]) -> None:
    svg = drawn["moments"].svg()
    assert f"url(#{drawn['moments'].name}-lost)" in svg
    said = texts(svg)
    for row in figures.some_moments().rows:
        assert {f"{n}" for n in (row.won, row.lost) if n} <= set(said.split())


def test_the_arrows_of_relationships_follow_what_moved(drawn: dict[str, Picture]) -> None:
    rows = figures.some_relations().rows
    with speaking("en"):
        assert [said_move(row) for row in rows] == ["+3.5", "=", "−9.0", "−13.0", "−3.0", "–"]
    svg = drawn["relations"].svg()
    heads = [e for e in group(svg, "relation") if e.tag == f"{SVG}path"]
    assert [e.get("fill") for e in heads] == [
        PAPER[role] for role in ("visible", "muted", "lost", "lost", "lost")
    ]


def test_the_calendar_knows_its_months() -> None:
    assert months(date(2026, 11, 15), date(2027, 2, 1)) == [
        date(2026, 12, 1),
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]


def test_the_trend_has_the_period_before_behind_it_and_the_last_point_hollow(
    drawn: dict[str, Picture],
) -> None:
    svg = drawn["trend"].svg()
    points = re.search(r'class="mark-symbol role-mark.*?</g>', svg, flags=re.DOTALL)
    assert points is not None
    assert points[0].count(f'fill="{PAPER["paper"]}"') == 1
    assert f'stroke="{PAPER["before"]}"' in svg


# --- words ----------------------------------------------------------------------------------------


def test_hostile_names_stay_words() -> None:
    step = (("a", HOSTILE), ("b", "B"))
    pictures = [
        sankey(Flows(step, (Flow("a", "b", 1),))),
        moments_chart(MomentScores((MomentScore(HOSTILE, 1, 2),))),
        spread_chart(Spreads((Spread(HOSTILE, 1, 60.0, 90.0),))),
        heat_map(HeatMap((("a", HOSTILE),), (("b", HOSTILE),), (HeatCell("a", "b", 2),), HOSTILE)),
        trend_chart(Trend(HOSTILE, (TrendPoint(HOSTILE, 1), TrendPoint("2", 3)), HOSTILE)),
        band_chart(BandTime(tuple(BandPeriod(f"{HOSTILE}{i}", {"visible": 1.0}) for i in (1, 2)))),
        funnel(Funnel(HOSTILE, (Stage(HOSTILE, 3),))),
        strips_chart((Strip(HOSTILE, (Box(HOSTILE, 3),)),)),
    ]
    for picture in pictures:
        assert picture is not None
        svg = picture.svg()
        ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
        assert "<script" not in svg
        assert "alert(1)" in svg or "alert" in texts(svg)


def test_lines_fit_their_width_and_keep_every_word() -> None:
    text = "Mantenimiento del centro de datos por Aceros del Norte"
    lines = ink.wrapped(text, 150, 13, most=9)
    assert " ".join(lines) == text
    assert all(ink.text_width(line, 13) <= 150 for line in lines)


def test_a_word_that_is_too_long_is_broken_and_too_many_lines_are_cut() -> None:
    lines = ink.wrapped("Donaudampfschifffahrtsgesellschaft", 60, 13, most=9)
    assert len(lines) > 1
    assert "".join(lines).replace("-", "") == "Donaudampfschifffahrtsgesellschaft"
    cut = ink.wrapped("one two three four five six seven eight", 60, 13, most=2)
    assert len(cut) == 2
    assert cut[-1].endswith("…")
    assert ink.text_width(cut[-1], 13) <= 60


def test_a_width_of_a_few_pixels_ends() -> None:
    assert ink.wrapped("word", 1, 13)
    assert ink.wrapped("", 100) == []
