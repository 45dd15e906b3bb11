"""A report into the tool, in the ways that the settings choose: its record and files, rows for
native reports, an article. Each is brought to what it should be; what is so already sends nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from connector.errors import RejectedError
from connector.itsm.base import Instance
from connector.messages import _
from connector.report.article import Article, save_article
from connector.report.destination import Destination
from connector.report.picture_files import picture_files
from connector.report.publish import PublishResult, publish
from connector.report.render import ReportFile
from connector.report.report import Report
from connector.report.summary import TABLE as SUMMARY
from connector.report.summary import send_rows
from connector.report.view import view_of

Delivered = PublishResult


def deliver(
    instance: Instance, report: Report, files: Sequence[ReportFile], to: Destination
) -> Delivered:
    """Bring the tool to what it should hold. Raises InstanceError kinds, ConnectorError.

    The rows and the article first: who is told that the report is published finds all of it.
    """
    is_pictured = bool({"article", "pictures"} & set(to.kinds))
    pictures = picture_files(report, view_of(report)) if is_pictured else []
    rows = _send_summary(instance, report, to) if "summary" in to.kinds else 0
    article = Article()
    if "article" in to.kinds:
        article = save_article(instance, report, pictures, to)
    attached = files if "attachment" in to.kinds else ()
    beside = pictures if "pictures" in to.kinds else ()
    done = publish(instance, report, attached, beside)
    return replace(done, article=article.sys_id, article_sent=article.sent, rows=rows)


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
