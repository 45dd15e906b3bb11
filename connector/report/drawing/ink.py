"""Drawing by hand: the few SVG elements that our own forms need, and text that fits its place.

Every function answers a piece of SVG as text. Words are escaped here and nowhere else; numbers are
rounded to a tenth of a pixel, so that equal figures give equal bytes.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import hypot

from connector.report.drawing.palette import FONT, PAPER

SIZE = 13.0
"""Of the text, in pixels."""

LEADING = 1.2
"""Line height, in parts of the size."""

# Advance widths of Liberation Sans (the metrics of Arial), in thousandths of the size, rounded up.
_WIDTHS = {
    **dict.fromkeys("ijlíìI.,:;'|!", 280),
    **dict.fromkeys(" ftr()[]-/", 340),
    **dict.fromkeys("ckszJvxy", 510),
    **dict.fromkeys("mM%W", 890),
    **dict.fromkeys("wGOQCDHNRUÓÚÑ", 780),
    **dict.fromkeys("ABEFKLPSTVXYZÁÉÍ&", 680),
}
_OTHERS = 570
_WIDE = 1000
"""Of what the font does not have: East Asian characters and the like."""


def text_width(text: str, size: float = SIZE) -> float:
    """About how many pixels a line of text takes; rather too many than too few."""
    thousandths = sum(_WIDTHS.get(char, _OTHERS if ord(char) < 0x2E80 else _WIDE) for char in text)
    return thousandths * size / 1000


def wrapped(text: str, width: float, size: float = SIZE, most: int = 3) -> list[str]:
    """A text in lines of at most `width` pixels, at most `most` of them; the rest becomes "…"."""
    lines: list[str] = []
    for word in text.split():
        for part in _parts(word, width, size):
            joined = f"{lines[-1]} {part}" if lines and part is word else part
            if lines and part is word and text_width(joined, size) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(" ".join(lines[most - 1 :]), width, size)]
    return lines


def _parts(word: str, width: float, size: float) -> list[str]:
    """A word, broken where it alone is wider than the place."""
    if text_width(word, size) <= width:
        return [word]
    parts, rest = [], word
    while text_width(rest, size) > width:
        n = max(1, next(i for i in range(len(rest), 0, -1) if _fits(rest[:i] + "-", width, size)))
        parts.append(rest[:n] + "-")
        rest = rest[n:]
    return [*parts, rest] if rest else parts


def _fits(text: str, width: float, size: float) -> bool:
    return len(text) <= 2 or text_width(text, size) <= width


def _cut(text: str, width: float, size: float) -> str:
    while len(text) > 1 and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip(" -") + "…"


def n(value: float) -> str:
    """A coordinate."""
    return f"{round(value, 1):g}"


def attributes(**values: str | float | None) -> str:
    """Attributes of an element; those that are None are left out."""
    pairs = ((name.rstrip("_").replace("_", "-"), value) for name, value in values.items())
    return "".join(
        f' {name}="{escape(value) if isinstance(value, str) else n(value)}"'
        for name, value in pairs
        if value is not None
    )


def words(
    x: float,
    y: float,
    lines: str | Sequence[str],
    *,
    size: float = SIZE,
    role: str = "ink",
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Text whose first line has its base at (x, y); further lines below."""
    given = [lines] if isinstance(lines, str) else list(lines)
    look = attributes(
        font_family=FONT,
        font_size=size,
        fill=PAPER[role],
        text_anchor=None if anchor == "start" else anchor,
        font_weight="bold" if bold else None,
    )
    spans = "".join(
        f'<tspan x="{n(x)}" y="{n(y + i * size * LEADING)}">{escape(line)}</tspan>'
        for i, line in enumerate(given)
    )
    return f"<text{look}>{spans}</text>"


def rect(x: float, y: float, width: float, height: float, role: str, **more: str | float) -> str:
    """A filled rectangle."""
    place = attributes(x=x, y=y, width=max(0.0, width), height=max(0.0, height))
    return f"<rect{place}{attributes(**{'fill': PAPER.get(role, role), **more})}/>"


def frame(x: float, y: float, width: float, height: float, role: str, **more: str | float) -> str:
    """A rectangle that is only drawn round."""
    return rect(x, y, width, height, "none_", fill="none", stroke=PAPER[role], **more)


def line(x1: float, y1: float, x2: float, y2: float, role: str, **more: str | float) -> str:
    """A straight line; give `stroke_dasharray` for a broken one."""
    place = attributes(x1=x1, y1=y1, x2=x2, y2=y2, stroke=PAPER[role])
    return f"<line{place}{attributes(**more)}/>"


def circle(x: float, y: float, radius: float, role: str, **more: str | float) -> str:
    """A filled circle."""
    place = attributes(cx=x, cy=y, r=radius)
    return f"<circle{place}{attributes(**{'fill': PAPER.get(role, role), **more})}/>"


def path(d: str, **more: str | float) -> str:
    """A path; give its `fill` or `stroke` as a colour of PAPER, or a pattern."""
    return f'<path d="{d}"{attributes(**more)}/>'


def polygon(*corners: tuple[float, float]) -> str:
    """The data of a closed path through the corners."""
    return "M" + "L".join(f"{n(x)} {n(y)}" for x, y in corners) + "Z"


def arrow(x1: float, y1: float, x2: float, y2: float, role: str, width: float = 2.0) -> str:
    """A line with a head at its second end."""
    length = hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    head = 3 + 2 * width
    bx, by = x2 - head * dx, y2 - head * dy
    side = (-dy * head / 2, dx * head / 2)
    d = polygon((x2, y2), (bx + side[0], by + side[1]), (bx - side[0], by - side[1]))
    return line(x1, y1, bx, by, role, stroke_width=width) + path(d, fill=PAPER[role])


def group(parts: Iterable[str], **more: str | float) -> str:
    """Several pieces as one; `class_` names what they stand for."""
    return f"<g{attributes(**more)}>{''.join(parts)}</g>"


def hatch(name: str, role: str) -> str:
    """A pattern of this colour with paper-white strokes: told apart without colour.

    Use it as `fill=f"url(#{name})"`; put it into the drawing once.
    """
    return (
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse"'
        f' patternTransform="rotate(45)">{rect(0, 0, 6, 6, role)}'
        f"{line(1, 0, 1, 6, 'paper', stroke_width=1.6)}</pattern>"
    )
