"""Templates from a folder; one that cannot be read is named like one that is broken."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateNotFound, TemplateSyntaxError
from jinja2.loaders import split_template_path

from connector.messages import _
from connector.wording import os_reason


class Folder(FileSystemLoader):
    """As Jinja2's own. Raises TemplateSyntaxError, with file and line, for what is no UTF-8.

    Its cause says why (`reason_of`): whoever reads the report may speak another language than
    whoever reads the error.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """The text, its file, and whether it is still the same."""
        try:
            return super().get_source(environment, template)
        except TemplateNotFound:  # an OSError, too, but not a fault: the next folder is asked
            raise
        except (UnicodeDecodeError, OSError) as error:
            path = self._path.joinpath(*split_template_path(template))
            raise TemplateSyntaxError("", _line(path), template, str(path)) from error


def reason_of(error: Exception) -> str:
    """Why a template cannot be used, in one line and in the language `_` speaks."""
    if isinstance(error, MemoryError):
        return _("it asks for more memory than there is")
    if isinstance(error.__cause__, UnicodeDecodeError):
        return _("it is not UTF-8; save it again with that encoding")
    if isinstance(error.__cause__, OSError):
        return os_reason(error.__cause__)
    # Jinja2 goes on with the place, which is told already.
    return str(error).partition("\n")[0]


def _line(path: Path) -> int:
    """The line of the first byte that is no UTF-8; 1 where the file cannot be read."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.object.count(b"\n", 0, error.start) + 1
    except OSError:
        pass
    return 1
