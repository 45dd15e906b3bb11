"""A report as files: HTML (self-contained, no scripts), Markdown and CSV.

Same figures, same bytes: nothing here looks at a clock. Templates run in Jinja2's sandbox, escape
by default and fail on a name that they are not given.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from connector.errors import ConnectorError
from connector.messages import _, speaking
from connector.report.charts import THEME
from connector.report.layout import Linked
from connector.report.report import Report
from connector.report.table import csv_of
from connector.report.view import View, view_of
from connector.resources import shipped

FORMATS = {"html": "text/html", "md": "text/markdown", "csv": "text/csv"}
"""Format → its content type."""

_MARKDOWN = str.maketrans(
    {"|": "\\|", "<": "&lt;", ">": "&gt;", "*": "\\*", "_": "\\_", "[": "\\[", "`": "\\`"}
)


@dataclass(frozen=True)
class ReportFile:
    """One file of a report, ready to be written or attached."""

    name: str
    content_type: str
    content: bytes


def render(report: Report, format_: str) -> ReportFile:
    """One format of a report. Raises ConnectorError if a template is broken, KeyError if the
    format is not one of FORMATS."""
    content = _RENDERERS[format_](report)
    return ReportFile(f"{report.stem}.{format_}", FORMATS[format_], content)


def render_all(report: Report, formats: Sequence[str]) -> list[ReportFile]:
    """Several formats, in the order asked."""
    return [render(report, format_) for format_ in formats]


def write_files(report: Report, out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the files into the folder `out` (made if absent); answers their paths.

    Raises ConnectorError if the folder cannot be written.
    """
    paths = []
    for file in render_all(report, formats):
        path = out / file.name
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        except OSError as error:
            raise ConnectorError(
                _("The report {path} cannot be written ({reason}); choose another folder").format(
                    path=path, reason=error.strerror
                )
            ) from error
        paths.append(path)
    return paths


def _html(report: Report) -> bytes:
    view = view_of(report)
    drawings = {
        name: [Markup(picture.svg()) for picture in pictures]  # noqa: S704  # our own SVG, its texts escaped
        for name, pictures in view.pictures.items()
    }
    return _fill("html.j2", view, drawings)


def _markdown(report: Report) -> bytes:
    return _fill("md.j2", view_of(report), {})


def _csv(report: Report) -> bytes:
    # With a mark at the start: without it Excel reads the accents wrong.
    return csv_of(report).encode("utf-8-sig")


_RENDERERS: dict[str, Callable[[Report], bytes]] = {
    "html": _html,
    "md": _markdown,
    "csv": _csv,
}


def _fill(template: str, view: View, drawings: dict[str, list[Markup]]) -> bytes:
    with speaking(view.language):
        try:
            text = (
                environment()
                .get_template(template)
                .render(view=view, drawings=drawings, theme=THEME)
            )
        except TemplateError as error:
            raise ConnectorError(
                _("The template {name} cannot be used (line {line}): {reason}").format(
                    name=template, line=getattr(error, "lineno", None) or "?", reason=error
                )
            ) from error
    return text.encode("utf-8")


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja2 as reports use it: sandboxed, escaping, strict, with `_` for fixed words."""
    jinja = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(shipped("templates") / "report"),
        autoescape=_is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.globals["_"] = _
    jinja.filters["cell"] = markdown_cell
    jinja.filters["linked_cell"] = linked_cell
    jinja.filters["linked"] = linked
    jinja.filters["by_group"] = by_group
    return jinja


def _is_html(template: str | None) -> bool:
    # A template given as a string has no name: then escape, to be safe.
    return template is None or template.endswith("html.j2")


def markdown_cell(text: str) -> str:
    """A text that stays one plain cell in a Markdown table."""
    return text.replace("\\", "\\\\").translate(_MARKDOWN)


def linked_cell(text: str) -> str:
    """A cell of a Markdown table, with its link into the tool where it has one."""
    if isinstance(text, Linked) and text.url:
        return f"[{markdown_cell(text)}](<{text.url}>)"
    return markdown_cell(text)


def linked(text: str) -> Markup:
    """A cell of an HTML table, escaped, with its link into the tool where it has one."""
    if isinstance(text, Linked) and text.url:
        return Markup('<a href="{}">{}</a>').format(text.url, str(text))
    return escape(text)


def by_group(stops: Iterable[object]) -> list[tuple[str, list[object]]]:
    """Runs of neighbours of the same group, in order."""
    groups: list[tuple[str, list[object]]] = []
    for stop in stops:
        group = str(getattr(stop, "group", ""))
        if not groups or groups[-1][0] != group:
            groups.append((group, []))
        groups[-1][1].append(stop)
    return groups
