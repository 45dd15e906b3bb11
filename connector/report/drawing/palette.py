"""The one visual language: colours of a picture on paper, and what each becomes on a dark screen.

Drawings carry the colours for white paper as attributes: so they print, and travel by mail or in a
knowledge article, which lose style sheets. `DARK_STYLE` turns each of them over on a dark screen,
by its value, so that it holds for what Vega draws too. Nothing is said by colour alone.
"""

PAIRS: dict[str, tuple[str, str]] = {
    "ink": ("#1f2933", "#e8ecf0"),
    "muted": ("#5c6773", "#a9b4c0"),
    "line": ("#d5dae0", "#39424d"),
    "paper": ("#ffffff", "#14181d"),
    "panel": ("#f4f6f8", "#1d232a"),
    "visible": ("#0072B2", "#56B4E9"),
    "provider_backstage": ("#E69F00", "#E6A520"),
    "consumer_backstage": ("#CC79A7", "#D68FB5"),
    "supplier": ("#009E73", "#2FC79B"),
    "lost": ("#D55E00", "#F0803C"),
    "none": ("#B8BEC6", "#76818d"),
    "before": ("#8a94a0", "#8b96a2"),
    "state_committed": ("#00659E", "#63BCEE"),
    "state_connected": ("#7DBDE8", "#3C86B5"),
    "state_transactional": ("#C6CCD3", "#6A7580"),
    "state_at_risk": ("#EBAA1A", "#D8960C"),
    "state_broken": ("#CC5500", "#EE7733"),
    "heat_0": ("#F1F3F5", "#20262d"),
    "heat_1": ("#FBE3CF", "#3d2a1c"),
    "heat_2": ("#F6C093", "#5f3a1c"),
    "heat_3": ("#EF9A5C", "#87491a"),
    "heat_4": ("#E57A2B", "#9c5212"),
    "flow": ("#8FBFDF", "#2F6690"),
    "flow_back": ("#E8915A", "#A65A22"),
}  # fmt: skip
"""Role → on paper, on a dark screen. Okabe, Ito (2008), "Color Universal Design", and tints."""

PAPER = {role: pair[0] for role, pair in PAIRS.items()}
"""Role → its colour as drawn."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""vl-convert carries Liberation Sans, as wide as Arial: the same layout on every machine."""

HEAT = tuple(f"heat_{i}" for i in range(5))
"""From nothing to the most; ink can be read on each of them, on paper and on a dark screen."""


def _turned() -> str:
    rules: list[str] = []
    for paper, dark in PAIRS.values():
        rules.append(f'.chart [fill="{paper}"]{{fill:{dark}}}')
        rules.append(f'.chart [stroke="{paper}"]{{stroke:{dark}}}')
    return "\n".join(rules)


DARK_STYLE = f"@media screen and (prefers-color-scheme:dark){{\n{_turned()}\n}}\n"
"""The style sheet of all pictures. A page has it once (`templates/report/pictures.css` is its copy,
written by `make docs`); a picture that travels alone has it, too."""
