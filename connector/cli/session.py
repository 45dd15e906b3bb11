"""What one invocation knows: which settings file, how much to say, and when to stop."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import typer
from rich.console import Console

from connector import log
from connector.config import Config, config_path, load_config
from connector.errors import ConfigError, ConnectorError
from connector.messages import _

Verbosity = Literal["quiet", "normal", "verbose"]

WIDTH_OF_FILES = 140
"""Columns of a table that goes to a file or a pipe, where no terminal says how wide it is."""


class UsageError(ConnectorError):
    """The command line itself is wrong: nothing was looked at, nothing was done."""

    exit_code = 64


def console(*, stderr: bool = False) -> Console:
    """A console that colours only for a terminal, and reads no markup in data."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_OF_FILES
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


@dataclass
class Session:
    """One invocation."""

    path: Path | None = None
    verbosity: Verbosity = "normal"
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def config(self) -> Config:
        """The settings, with the log set as they say. Raises ConfigError."""
        config = load_config(self.path, self.environment)
        self._begin_log(config)
        return config

    def config_if_any(self) -> Config:
        """The settings, or the defaults where nobody named a file and none lies here."""
        if self.names_no_file() and not config_path(self.path, self.environment).exists():
            config = Config()
            self._begin_log(config)
            return config
        return self.config()

    def instance_config(self) -> Config:
        """The settings of a command that needs an instance. Raises ConfigError."""
        config = self.config()
        if not config.has_instance:
            problem = _("no instance is configured; add [instance] url, or run `travesia init`")
            raise ConfigError(config.source, [problem])
        return config

    def names_no_file(self) -> bool:
        """Whether neither --config nor TRAVESIA_CONFIG names a file."""
        return self.path is None and not self.environment.get("TRAVESIA_CONFIG")

    @property
    def shows_progress(self) -> bool:
        """Bars are for a person at a terminal, who did not ask for quiet or for the log."""
        return self.verbosity == "normal" and sys.stderr.isatty()

    def _begin_log(self, config: Config) -> None:
        level = {"quiet": "error", "verbose": "debug"}.get(self.verbosity, config.log.level)
        if self.shows_progress and level == "info":
            level = "warning"  # the bars say it; lines would break them
        log.configure(level, config.log.style)

    def note(self, sentence: str) -> None:
        """Say something on stderr that --quiet leaves out."""
        if self.verbosity != "quiet":
            console(stderr=True).print(sentence, soft_wrap=True)

    @contextmanager
    def stopping(self) -> Iterator[threading.Event]:
        """An event that Ctrl-C and SIGTERM set; a second signal ends the process at once."""
        stop = threading.Event()

        def ask(_number: int, _frame: FrameType | None) -> None:
            for number in before:
                signal.signal(number, signal.SIG_DFL)
            stop.set()
            self.note(_("Stopping after the present step; once more to stop at once"))

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield stop
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def session_of(context: typer.Context) -> Session:
    """The session of a command."""
    session = context.find_root().obj
    return session if isinstance(session, Session) else Session()
