"""A report into the tool, in the ways that the settings choose: its record and files, rows for
native reports, an article. Each is brought to what it should be; what is so already sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import md5
from pathlib import Path

from connector.errors import ConfigError, RejectedError
from connector.itsm.base import Instance
from connector.messages import _
from connector.report.publish import PublishResult, publish
from connector.report.render import ReportFile, render_article
from connector.report.report import Report
from connector.report.summary import TABLE as SUMMARY
from connector.report.summary import SummaryRow, send_rows

ARTICLES = "kb_knowledge"
Delivered = PublishResult


@dataclass(frozen=True)
class Destination:
    """Where a report goes. `rows` are the summary's; `article_state` is that of a new article."""

    kinds: tuple[str, ...] = ("attachment",)
    knowledge_base: str = ""
    article_state: str = "draft"
    templates: Path | None = None
    rows: tuple[SummaryRow, ...] = ()


def deliver(
    instance: Instance, report: Report, files: Sequence[ReportFile], to: Destination
) -> Delivered:
    """Bring the tool to what it should hold. Raises InstanceError kinds, ConnectorError.

    The rows and the article first: who is told that the report is published finds all of it.
    """
    rows = _send_summary(instance, report, to) if "summary" in to.kinds else 0
    article = _save_article(instance, report, to) if "article" in to.kinds else ""
    attached = files if "attachment" in to.kinds else ()
    return replace(publish(instance, report, attached), article=article, rows=rows)


def _send_summary(instance: Instance, report: Report, to: Destination) -> int:
    if report.figures.scope.is_part:
        return 0
    if SUMMARY not in instance.list_tables([SUMMARY]):
        raise RejectedError(
            _("Table {table} does not exist; run travesia provision --apply first").format(
                table=SUMMARY
            )
        )
    period = report.period
    first = period.local(period.start).date()
    last = max(period.local(period.end).date() - timedelta(days=1), first)
    return send_rows(instance, to.rows, first.isoformat(), last.isoformat())


def article_id(report: Report) -> str:
    """The sys_id of a report's article: made from its period, scope, chapters and language."""
    return md5(f"{ARTICLES}|{report.key}".encode(), usedforsecurity=False).hexdigest()


def _save_article(instance: Instance, report: Report, to: Destination) -> str:
    """One article a report and language. Its state belongs to people once it is there."""
    if not to.knowledge_base:
        raise ConfigError(
            "[report] knowledge_base", [_("an article needs a knowledge base: give its sys_id")]
        )
    sys_id = article_id(report)
    values = {
        "short_description": report.title[:100],
        "text": render_article(report, to.templates),
        "kb_knowledge_base": to.knowledge_base,
    }
    found = instance.read_records(ARTICLES, [sys_id], list(values))
    if not found:
        made = {"language": report.language, "workflow_state": to.article_state}
        instance.create_record(ARTICLES, {"sys_id": sys_id, **values, **made})
        return sys_id
    held = found[0]
    changed = {k: v for k, v in values.items() if k in held and _plain(held[k]) != _plain(v)}
    if changed:
        instance.update_record(ARTICLES, sys_id, changed)
    return sys_id


def _plain(text: str) -> str:
    # The platform may store line ends its own way.
    return text.replace("\r\n", "\n").strip()
