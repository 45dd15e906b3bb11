"""A file that is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import ConnectorError
from connector.messages import _
from connector.wording import os_reason


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft beside `path` to write to; it takes the place of `path` once it is complete.

    Raises ConnectorError if the folder cannot be written. Whatever fails leaves an earlier file as
    it was, and no draft.
    """
    draft = path.with_name(path.name + ".draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise ConnectorError(
            _("The file {path} cannot be written ({reason}); choose another folder").format(
                path=path, reason=os_reason(error)
            )
        ) from error
    finally:
        _discard(draft)


def _discard(draft: Path) -> None:
    try:
        draft.unlink(missing_ok=True)
    except OSError:  # what is told is why the file could not be written
        return
