"""A report as PDF, for those who installed the extra: typst sets it, from a wheel of its own.

Nothing of the system is needed (docs/adr/0028). The words come from a template like those of the
other formats (`pdf.html.j2`, docs/adr/0033); typst is given them as data, with the pictures as
files, in a folder of their own, out of which it can read nothing. Same figures, same bytes: the
file carries no date.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.errors import ConnectorError
from connector.messages import _
from connector.report.drawing.picture import Picture
from connector.report.pdf_content import blocks_of
from connector.report.view import View
from connector.resources import shipped

EXTRA = "travesia[pdf]"
SETTING = "pdf.typ"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".svg")
"""Pictures of an organisation's own (a logo), beside its templates."""
_PAPER_PIXELS = 720.0
"""A picture of so many pixels is as wide as the text on the paper; smaller ones keep their size."""


@dataclass(frozen=True)
class PaperPicture:
    """A picture as a file beside the PDF's template. `width`: percent of the text's width."""

    file: str
    title: str
    description: str
    width: int


Images = Mapping[str, Sequence[PaperPicture]]
"""Section id → its pictures."""


def pdf_of(view: View, fill: Callable[[Images], str], own: Path | None = None) -> bytes:
    """The report as PDF. `fill` renders the template; `own` is the folder of one's own pictures.

    Raises ConnectorError where the extra is not installed, and for what cannot be set.
    """
    typst = _typst()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        html = fill(_drawn(view, folder))
        _copy_own(own, folder)
        pictures = [path.name for path in folder.iterdir()]
        content = {
            "language": view.language,
            "title": view.title,
            "description": view.journey_description,
            "footer": f"{view.title} · {view.facts[1].text}",
            "blocks": _with_links(blocks_of(html, pictures)),
        }
        setting = shipped("templates") / "report" / SETTING
        (folder / SETTING).write_bytes(setting.read_bytes())
        text = json.dumps(content, ensure_ascii=False)
        (folder / "content.json").write_text(text, encoding="utf-8")
        return _set(typst, folder)


def _set(typst: Any, folder: Path) -> bytes:
    try:
        made: bytes = typst.compile(str(folder / SETTING), root=str(folder), format="pdf")
    except typst.TypstError as error:  # a picture of one's own that is none
        reason = str(error).partition("\n")[0]
        raise ConnectorError(
            _("The PDF could not be set: {reason}").format(reason=reason)
        ) from error
    return made


def _typst() -> Any:
    try:
        import typst  # noqa: PLC0415 - an extra, and large: only a PDF needs it
    except ImportError as error:
        raise ConnectorError(
            _('PDF needs an extra that is not installed; run pip install "{extra}"').format(
                extra=EXTRA
            )
        ) from error
    return typst


def _drawn(view: View, folder: Path) -> dict[str, list[PaperPicture]]:
    """The pictures of the view, put into the folder."""
    return {
        section: [_picture(picture, folder, f"{section}-{i}") for i, picture in enumerate(pictures)]
        for section, pictures in view.pictures.items()
    }


def _picture(picture: Picture, folder: Path, name: str) -> PaperPicture:
    file = f"{name}.pdf"
    (folder / file).write_bytes(picture.pdf())
    width = round(100 * min(picture.width / _PAPER_PIXELS, 1.0))
    return PaperPicture(file, picture.title, picture.description or picture.title, width)


def _copy_own(own: Path | None, folder: Path) -> None:
    """The pictures that lie beside an organisation's own templates."""
    for path in own.iterdir() if own else ():
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())


def _with_links(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the links to headings that are not there: typst would refuse the whole document."""
    known = {f"#{block['id']}" for block in _all(blocks) if block.get("id")}
    for run in _runs(blocks):
        url = run.get("url", "")
        if not url or (url.startswith("#") and url not in known):
            run.pop("url", None)
    return blocks


def _all(blocks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield block
        yield from _all(block.get("blocks", ()))


def _runs(found: Any) -> Iterator[dict[str, Any]]:
    """Every run of words, wherever it stands."""
    if isinstance(found, list):
        for one in found:
            yield from _runs(one)
    elif isinstance(found, dict):
        if "text" in found:
            yield found
        else:
            yield from _runs(list(found.values()))
