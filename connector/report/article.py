"""The knowledge article of a report: one a period, scope and language, with its pictures as PNG.

Knowledge bases strip scripts, styles and SVG, so the text is plain HTML and every picture is an
attachment of the article, shown from there. Its state belongs to people once it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import NamedTuple

from connector.errors import ConfigError
from connector.itsm.base import Attachment, Instance, Record
from connector.messages import _
from connector.report.attach import drop, keep_file
from connector.report.destination import Destination
from connector.report.picture_files import Image, PictureFile, left_over
from connector.report.render import render_article
from connector.report.report import Report

ARTICLES = "kb_knowledge"


@dataclass(frozen=True)
class Article:
    """The article as it stands now. `sent` counts what was changed of it, pictures included."""

    sys_id: str = ""
    sent: int = 0


def article_id(report: Report) -> str:
    """The sys_id of a report's article: made from its period, scope, chapters and language."""
    return md5(f"{ARTICLES}|{report.key}".encode(), usedforsecurity=False).hexdigest()


def save_article(
    instance: Instance, report: Report, pictures: Sequence[PictureFile], to: Destination
) -> Article:
    """Bring the article to what it should be. Raises ConfigError, InstanceError kinds.

    1. Make it if it is not there, without pictures: they need a record to hang from.
    2. Put the new pictures beside the old ones.  3. Turn the text to the new ones.
    4. Remove the old ones, which no text shows any more.
    """
    if not to.knowledge_base:
        raise ConfigError(
            "[report] knowledge_base", [_("an article needs a knowledge base: give its sys_id")]
        )
    sys_id = article_id(report)
    found = instance.read_records(ARTICLES, [sys_id], list(_values(report, to, "")))
    held = found[0] if found else _create(instance, report, sys_id, to)
    shown = _show(instance, report, pictures, sys_id)
    text = render_article(report, to.templates, shown.images)
    changed = _changed(held, _values(report, to, text))
    if changed:
        instance.update_record(ARTICLES, sys_id, changed)
    removed = drop(instance, shown.stale)
    return Article(sys_id, (not found) + shown.added + bool(changed) + removed)


def _values(report: Report, to: Destination, text: str) -> Record:
    return {
        "short_description": report.title[:100],
        "text": text,
        "kb_knowledge_base": to.knowledge_base,
    }


def _create(instance: Instance, report: Report, sys_id: str, to: Destination) -> Record:
    values = _values(report, to, render_article(report, to.templates))
    made = {"language": report.language, "workflow_state": to.article_state}
    instance.create_record(ARTICLES, {"sys_id": sys_id, **values, **made})
    return values


def _changed(held: Record, wanted: Record) -> Record:
    # A column that is not answered is hidden from us: never a difference that we could mend.
    return {k: v for k, v in wanted.items() if k in held and _plain(held[k]) != _plain(v)}


def _plain(text: str) -> str:
    # The platform may store line ends its own way.
    return text.replace("\r\n", "\n").strip()


class _Shown(NamedTuple):
    """The pictures as they hang from the article now, and those that no text shows any more."""

    images: dict[str, list[Image]]
    stale: list[Attachment]
    added: int


def _show(
    instance: Instance, report: Report, pictures: Sequence[PictureFile], sys_id: str
) -> _Shown:
    present = instance.list_attachments(ARTICLES, sys_id)
    images: dict[str, list[Image]] = {}
    stale, added = left_over(report, pictures, present), 0
    for picture in pictures:
        kept = keep_file(instance, ARTICLES, sys_id, picture.file, present)
        # Root-relative, as the platform's own articles have it: the same in the portal and outside.
        url = f"/sys_attachment.do?sys_id={kept.sys_id}"
        images.setdefault(picture.section, []).append(
            Image(url, picture.title, picture.description)
        )
        stale += kept.stale
        added += kept.is_new
    return _Shown(images, stale, added)
