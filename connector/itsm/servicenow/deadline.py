"""The end of an answer that began and never ends: timeouts of sockets count from byte to byte only.

A timer cuts the connection; the reader of the answer then meets its end, as in any other break.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests
import urllib3.exceptions

from connector.itsm.servicenow import gate
from connector.itsm.servicenow.gate import Request


@contextmanager
def whole_within(seconds: float, request: Request, response: requests.Response) -> Iterator[None]:
    """Give the reader inside so long. Raises IncompleteResponseError where that is not enough."""
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        # It may be read to its end, and its connection given back, in this very moment.
        with suppress(OSError, ValueError, RuntimeError):
            response.raw.shutdown()

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if is_late.is_set():
            raise gate.too_slow(request, seconds) from error
        raise
    finally:
        timer.cancel()
