"""The pictures of a report as PNG files, for mail and knowledge articles, which show no SVG."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector.itsm.base import Attachment
from connector.report.render import ReportFile
from connector.report.report import Report
from connector.report.view import View

TYPE = "image/png"


@dataclass(frozen=True)
class PictureFile:
    """A picture of a section, ready to be attached; the words are for those who do not see it."""

    section: str
    title: str
    description: str
    file: ReportFile


@dataclass(frozen=True)
class Image:
    """A picture as an article shows it: an attachment of its own record."""

    url: str
    title: str
    description: str


def picture_files(report: Report, view: View) -> list[PictureFile]:
    """The pictures in the order of the report, named by section: `…_es_map-1.png`."""
    return [
        PictureFile(
            section,
            picture.title,
            picture.description,
            ReportFile(f"{report.stem}_{section}-{i}.png", TYPE, picture.png()),
        )
        for section, pictures in view.pictures.items()
        for i, picture in enumerate(pictures, 1)
    ]


def left_over(
    report: Report, pictures: Sequence[PictureFile], present: Sequence[Attachment]
) -> list[Attachment]:
    """Pictures of this very report that it no longer has: nobody else gives files such names."""
    ours = re.compile(re.escape(report.stem) + r"_[a-z_-]+-\d+\.png")
    now = {picture.file.name for picture in pictures}
    return [a for a in present if ours.fullmatch(a.file_name) and a.file_name not in now]
