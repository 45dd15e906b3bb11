"""`make docs`: write anew the parts of the docs that code and mapping know, between their marks."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from connector.check.load import load_markdown
from connector.encoded_query import semantics_markdown
from connector.journey.facts import facts_markdown
from connector.journey.mapping import load_mapping
from connector.journey.model import Journey, Rule, Touchpoint
from connector.journey.model import Mapping as JourneyMapping
from connector.report.chapters import CHAPTERS, MONTHLY
from connector.report.template_docs import templates_markdown
from tools.privacy import privacy_markdown

DOCS = Path(__file__).parent.parent / "docs"
_BANDS = {
    "visible": "visible",
    "provider_backstage": "provider",
    "consumer_backstage": "consumer",
    "": "",
}


def _shipped(part: Callable[[JourneyMapping], str]) -> Callable[[], str]:
    return lambda: part(load_mapping())


def crosswalk_markdown(mapping: JourneyMapping) -> str:
    """The steps of the relationship journey beside those of ITIL 4, as touchpoints place them."""
    travesia, itil4 = mapping.journeys["travesia"], mapping.journeys["itil4"]
    rows = [
        "| | Relationship journey | Travesía de relaciones | ITIL 4 | Touchpoints |",
        "|---|---|---|---|---|",
    ]
    for step in travesia.steps:
        here = [t for t in mapping.touchpoints.values() if t.steps["travesia"] == step.id]
        others = {t.steps["itil4"] for t in here}
        names = ", ".join(f"{s.name.en} / {s.name.es}" for s in itil4.steps if s.id in others)
        rows.append(
            f"| {step.position} | {step.name.en} | {step.name.es} | {names} | {len(here)} |"
        )
    return "\n".join([*rows, "", *(f"{j.credit.en}\n" for j in (travesia, itil4))])


def touchpoints_markdown(mapping: JourneyMapping) -> str:
    """The catalogue. A star marks a potential moment of truth."""
    rows = [
        "| Code | id | Name | Nombre | Kind | Channel | Band | Role | Step | ITIL 4 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in sorted(mapping.touchpoints.values(), key=lambda t: t.code):
        rows.append(f"| {' | '.join(_touchpoint(mapping, one))} |")
    return "\n".join(rows)


def _touchpoint(mapping: JourneyMapping, one: Touchpoint) -> Iterator[str]:
    star = " ★" if one.is_potential_moment else ""
    yield from (one.code, f"`{one.id}`", f"{one.name.en}{star}", one.name.es)
    yield from (one.kind.split("_")[0], one.channel.replace("_", "–"), _BANDS[one.band])
    yield ", ".join(one.roles) or "–"
    for journey in ("travesia", "itil4"):
        yield _step(mapping.journeys[journey], one.steps)


def _step(journey: Journey, steps: Mapping[str, str]) -> str:
    found = steps.get(journey.id, "")
    return journey.step(found).name.en if found else ""


def rules_markdown(mapping: JourneyMapping) -> str:
    """Every rule of every table, in the order in which they are tried."""
    parts = []
    for table, spec in mapping.tables.items():
        if rules := mapping.rules_of(table):
            parts += ["", f"### {spec.label.en} (`{table}`)", ""]
            parts += ["| | Rule | Touchpoint | Step | More | Reason |", "|---|---|---|---|---|---|"]
            parts += [
                f"| {number} | `{rule.id}` | {' | '.join(_rule(mapping, rule))} |"
                for number, rule in enumerate(rules, start=1)
            ]
    return "\n".join(parts)


def _rule(mapping: JourneyMapping, rule: Rule) -> Iterator[str]:
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    yield f"`{rule.touchpoint}`" if touchpoint else ""
    steps = {**touchpoint.steps, **rule.steps} if touchpoint else {}
    inherited = {"": "", "step": "of its record, else ", "all": "of its records"}[rule.inherit]
    yield "left out" if rule.ignore else inherited + _step(mapping.journeys["travesia"], steps)
    said = (_BANDS[rule.band], rule.outcome, rule.phase, rule.value)
    doubt = rule.confidence if rule.confidence != "high" else ""
    yield ", ".join(word for word in (*said, doubt) if word)
    yield rule.because.en


def chapters_markdown() -> str:
    """Every chapter by its name, with its title and what its first figure means."""
    rows = ["| Name | Chapter | Monthly | Measured by |", "|---|---|---|---|"]
    for name, chapter in CHAPTERS.items():
        figures = ", ".join(f"`{figure}`" for figure in chapter.figures)
        rows.append(
            f"| `{name}` | {chapter.title} | {'yes' if name in MONTHLY else ''} | {figures} |"
        )
    return "\n".join(rows)


PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "mappings.md": {
        "facts": facts_markdown,
        "crosswalk": _shipped(crosswalk_markdown),
        "semantics": semantics_markdown,
    },
    "catalogue.md": {
        "touchpoints": _shipped(touchpoints_markdown),
        "rules": _shipped(rules_markdown),
    },
    "privacy.md": {"read": _shipped(privacy_markdown)},
    "report-templates.md": {"context": templates_markdown},
    "reports.md": {"chapters": chapters_markdown},
    "servicenow-setup.md": {"load": load_markdown},
}
"""Page → its generated parts, by the names of their marks."""


def renewed(page: str, text: str) -> str:
    """A page with its generated parts as the code says them now. Raises ValueError."""
    for name, part in PAGES[page].items():
        start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
        before, found_start, rest = text.partition(start)
        _old, found_end, after = rest.partition(end)
        if not found_start or not found_end:
            raise ValueError(f"{page} has lost its mark {start.strip()} or {end}")
        text = f"{before}{start}{part().strip()}\n{end}{after}"
    return text


def main() -> None:
    """Rewrite the pages."""
    for page, parts in PAGES.items():
        path = DOCS / page
        path.write_text(renewed(page, path.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stdout.write(f"{page}: {', '.join(parts)}\n")


if __name__ == "__main__":
    main()
