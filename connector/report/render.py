"""A report as files: HTML (self-contained, no scripts), Markdown, CSV and Parquet, and PDF.

Same figures, same bytes: nothing here looks at a clock. Templates run in Jinja2's sandbox, escape
by default and fail on a name that they are not given.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from traceback import extract_tb

from jinja2 import (
    ChoiceLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from connector.errors import ConnectorError
from connector.messages import _, speaking
from connector.report.brief import Brief, brief_view
from connector.report.charts import THEME
from connector.report.layout import Linked
from connector.report.pdf import Images, pdf_of
from connector.report.pdf_content import TEMPLATE as PDF_TEMPLATE
from connector.report.report import Report
from connector.report.table import csv_of, parquet_of
from connector.report.template_loader import Folder, reason_of
from connector.report.view import view_of
from connector.resources import shipped
from connector.wording import os_reason

FORMATS = {
    "html": "text/html",
    "md": "text/markdown",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
}
"""Format → its content type."""

_MARKDOWN = str.maketrans(
    {
        "|": "\\|",
        "<": "&lt;",
        ">": "&gt;",
        "*": "\\*",
        "_": "\\_",
        "[": "\\[",
        "]": "\\]",
        "`": "\\`",
    }
)


@dataclass(frozen=True)
class ReportFile:
    """One file of a report, ready to be written or attached."""

    name: str
    content_type: str
    content: bytes


def render(report: Report, format_: str, templates: Path | None = None) -> ReportFile:
    """One format of a report. `templates` is the organisation's own folder, laid over the shipped.

    Raises ConnectorError if a template is broken, KeyError if the format is not one of FORMATS.
    """
    content = _RENDERERS[format_](report, templates)
    return ReportFile(f"{report.stem}.{format_}", FORMATS[format_], content)


def render_all(report: Report, formats: Sequence[str]) -> list[ReportFile]:
    """Several formats, in the order asked."""
    return [render(report, format_) for format_ in formats]


def render_each(
    report: Report, formats: Sequence[str], templates: Path | None = None
) -> tuple[list[ReportFile], list[str]]:
    """The formats that can be made, and a sentence for each that cannot: one spoils no other."""
    return _each(partial(render, report, format_, templates) for format_ in formats)


def _each(makers: Iterable[Callable[[], ReportFile]]) -> tuple[list[ReportFile], list[str]]:
    files, problems = [], []
    for make in makers:
        try:
            files.append(make())
        except ConnectorError as error:
            problems.append(str(error))
    return files, problems


def render_brief_each(
    brief: Brief, languages: Sequence[str], formats: Sequence[str], templates: Path | None = None
) -> tuple[list[ReportFile], list[str]]:
    """The pages that can be made, and a sentence for each that cannot: one spoils no other."""
    return _each(
        partial(render_brief, brief, language, format_, templates)
        for language in languages
        for format_ in formats
    )


def render_brief(
    brief: Brief, language: str, format_: str, templates: Path | None = None
) -> ReportFile:
    """One page before a meeting, as HTML or Markdown. Raises ConnectorError."""
    view = brief_view(brief, language)
    content = _fill(f"brief.{format_}.j2", language, templates, view=view)
    return ReportFile(f"{brief.stem}_{language}.{format_}", FORMATS[format_], content)


def render_article(
    report: Report,
    templates: Path | None = None,
    images: Mapping[str, Sequence[object]] | None = None,
) -> str:
    """The body of a knowledge article: HTML without style or script, which knowledge bases strip.

    `images`: section id → its pictures as the template shows them (`url`, `title`, `description`).
    Raises ConnectorError.
    """
    view = view_of(report)
    context = {"view": view, "images": images or {}}
    return _fill("article.html.j2", view.language, templates, **context).decode("utf-8")


def write_files(report: Report, out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the files into the folder `out` (made if absent); answers their paths.

    Raises ConnectorError if the folder cannot be written.
    """
    return write_all(render_all(report, formats), out)


def write_all(files: Sequence[ReportFile], out: Path) -> list[Path]:
    """Write files into a folder, made if absent. Raises ConnectorError."""
    paths = []
    for file in files:
        path = out / file.name
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        except OSError as error:
            raise ConnectorError(
                _("The report {path} cannot be written ({reason}); choose another folder").format(
                    path=path, reason=os_reason(error)
                )
            ) from error
        paths.append(path)
    return paths


def _html(report: Report, templates: Path | None) -> bytes:
    view = view_of(report)
    drawings = {
        name: [Markup(picture.svg()) for picture in pictures]  # noqa: S704  # our own SVG, its texts escaped
        for name, pictures in view.pictures.items()
    }
    return _fill("html.j2", view.language, templates, view=view, drawings=drawings)


def _markdown(report: Report, templates: Path | None) -> bytes:
    view = view_of(report)
    return _fill("md.j2", view.language, templates, view=view, drawings={})


def _csv(report: Report, _templates: Path | None) -> bytes:
    # With a mark at the start: without it Excel reads the accents wrong.
    return csv_of(report).encode("utf-8-sig")


def _pdf(report: Report, templates: Path | None) -> bytes:
    view = view_of(report)

    def fill(images: Images) -> str:
        context = {"view": view, "images": images}
        return _fill(PDF_TEMPLATE, view.language, templates, **context).decode("utf-8")

    return pdf_of(view, fill, templates)


_RENDERERS: dict[str, Callable[[Report, Path | None], bytes]] = {
    "html": _html,
    "md": _markdown,
    "csv": _csv,
    "parquet": lambda report, _templates: parquet_of(report),
    "pdf": _pdf,
}


def _fill(template: str, language: str, templates: Path | None, **context: object) -> bytes:
    jinja = environment(templates)
    try:
        with speaking(language):
            text = jinja.get_template(template).render(theme=THEME, **context)
    except TEMPLATE_FAULTS as error:
        # Out of the reader's language: the sentence is for the operator.
        if not isinstance(error, TemplateError) and template_line(error) is None:
            raise
        raise ConnectorError(_broken(template, error)) from error
    # Half a character, which a template can write ("\ud800"), is none.
    return text.encode("utf-8", "replace")


TEMPLATE_FAULTS = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    MemoryError,
)
"""What a template can do wrong: its own words, and what they do while they run (1 + "a")."""


def _broken(template: str, error: Exception) -> str:
    name, line = template_line(error) or (template, "?")
    return _("The template {name} cannot be used (line {line}): {reason}").format(
        name=name, line=line, reason=reason_of(error)
    )


def template_line(error: Exception) -> tuple[str, int | str] | None:
    """The file and line of a template in which an error arose; None if it was in none."""
    if isinstance(error, TemplateSyntaxError):
        return error.filename or error.name or "?", error.lineno
    frames = [
        frame for frame in extract_tb(error.__traceback__) if frame.filename.endswith(SUFFIXES)
    ]
    return (frames[-1].filename, frames[-1].lineno or "?") if frames else None


SUFFIXES = (".j2", ".css")


def environment(templates: Path | None = None) -> ImmutableSandboxedEnvironment:
    """Jinja2 as reports use it: sandboxed, escaping, strict, with `_` for fixed words.

    Raises ConnectorError if `templates` is no folder.
    """
    if templates is not None and not templates.is_dir():
        raise ConnectorError(_("[report] templates: {path} is no folder").format(path=templates))
    own = [Folder(templates)] if templates else []
    jinja = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*own, Folder(shipped("templates") / "report")]),
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
    jinja.filters["breakable"] = breakable
    jinja.filters["by_group"] = by_group
    return jinja


def _is_html(template: str | None) -> bool:
    # A template given as a string has no name: then escape, to be safe.
    return template is None or not template.endswith("md.j2")


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
        return Markup('<a href="{}">{}</a>').format(text.url, breakable(text))
    return breakable(text)


LONGEST_WORD = 24
"""Columns keep their words whole, up to so many letters; Spanish's longest common one has 23."""

_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def breakable(text: str) -> Markup:
    """The text, escaped, with places to break a word that no column could hold."""
    parts = _LONG_WORD.split(text)
    return Markup("").join(Markup("{}<wbr>").format(p) if i % 2 else p for i, p in enumerate(parts))


def by_group(stops: Iterable[object]) -> list[tuple[str, list[object]]]:
    """Runs of neighbours of the same group, in order."""
    groups: list[tuple[str, list[object]]] = []
    for stop in stops:
        group = str(getattr(stop, "group", ""))
        if not groups or groups[-1][0] != group:
            groups.append((group, []))
        groups[-1][1].append(stop)
    return groups
