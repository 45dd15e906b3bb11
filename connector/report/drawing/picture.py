"""A picture: its drawing, its words for those who do not see it, and its figures as a table.

`svg` is for a page, which has the style sheet once; `file` stands alone; `png` is for mail and for
knowledge articles. Nothing is drawn by the engine before one of them is asked for.
"""

import re
from dataclasses import dataclass
from html import escape

from connector.report.drawing.ink import hatch
from connector.report.drawing.palette import DARK_STYLE, PAPER
from connector.report.drawing.vega import Spec, drawn
from connector.report.layout import Table


@dataclass(frozen=True)
class Sketch:
    """A drawing by hand: SVG elements inside of `width` × `height` pixels.

    Ids in it begin with the name of the picture, so that two drawings can share a page.
    """

    width: float
    height: float
    body: str


@dataclass(frozen=True)
class Picture:
    """A picture to be drawn. `table` says the same in figures; None where a table stands beside."""

    name: str
    title: str
    description: str
    art: Spec | Sketch
    table: Table | None = None
    hatched: tuple[str, ...] = ()
    """Roles whose areas are hatched as well as coloured, where Vega-Lite draws."""

    def svg(self) -> str:
        """The drawing as an element of a page. Raises ValueError if it cannot be drawn."""
        return self._framed("", "")

    def file(self) -> bytes:
        """The drawing as a file of its own, on its own paper."""
        return self._framed(f"<style>{DARK_STYLE}</style>", _SHEET).encode()

    def png(self, scale: float = 2.0) -> bytes:
        """The drawing in pixels on white, `scale` for each of its own."""
        import vl_convert  # noqa: PLC0415 - large: only a drawing needs it

        image: bytes = vl_convert.svg_to_png(self._framed("", _SHEET), scale=scale)
        return image

    def pdf(self) -> bytes:
        """The drawing as a page of PDF of its own size: its letters stay letters."""
        import vl_convert  # noqa: PLC0415 - large: only a drawing needs it

        page: bytes = vl_convert.svg_to_pdf(self._framed("", _SHEET))
        return page

    @property
    def width(self) -> float:
        """Pixels from the left to the right. Raises ValueError if it cannot be drawn."""
        return self._drawn()[0]

    def _framed(self, style: str, paper: str) -> str:
        width, height, body = self._drawn()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
            f' width="{width:g}" height="{height:g}" role="img"'
            f' aria-labelledby="{self.name}-title {self.name}-desc" class="chart{_shape(width)}">'
            f'<title id="{self.name}-title">{escape(self.title)}</title>'
            f'<desc id="{self.name}-desc">{escape(self.description)}</desc>'
            f"{style}{paper}{body}</svg>"
        )

    def _drawn(self) -> tuple[float, float, str]:
        if isinstance(self.art, Sketch):
            return self.art.width, self.art.height, self.art.body
        width, height, body = drawn(self.art, self.name)
        return width, height, with_hatching(body, self.name, self.hatched)


_SHEET = f'<rect width="100%" height="100%" fill="{PAPER["paper"]}"/>'


def _shape(width: float) -> str:
    """How a page may shrink it: below a size its letters cannot be read, and it is pushed aside."""
    return " widest" if width > 700 else " wide" if width > 430 else ""


def with_hatching(body: str, name: str, roles: tuple[str, ...]) -> str:
    """What the engine drew, with patterns in place of the flat colours of `roles`."""
    patterns = ""
    for role in roles:
        id_ = f"{name}-{role}"
        body = re.sub(rf'fill="{PAPER[role]}"', f'fill="url(#{id_})"', body, flags=re.IGNORECASE)
        patterns += hatch(id_, role)
    return (f"<defs>{patterns}</defs>" if patterns else "") + body
