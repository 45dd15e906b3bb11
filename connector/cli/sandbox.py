"""`sandbox`: an instance on this machine to try everything on, a process of its own."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import examples, flag, number, one_of, when
from connector.cli.session import UsageError
from connector.cli.shape import TO_BEGIN, command
from connector.messages import _
from connector.timestamps import parse_day

app = typer.Typer()

UCI_YEAR = Path("../shared/data/uci-498")


@command(
    app,
    TO_BEGIN,
    _(
        "Start an instance on this machine to try everything on.\n\n"
        "It answers like ServiceNow on 127.0.0.1 only, keeps its records in a folder, and has a "
        "clock of its own. Ctrl-C ends it. Log in as travesia.integration, password sandbox."
    ),
    examples(
        ("travesia sandbox", _("a year of a made-up company")),
        ("travesia sandbox --seed empty --port 8090", _("only the base users")),
        ("travesia sandbox --without interaction", _("the same without a plug-in")),
        ("travesia sandbox --https", _("the same over HTTPS")),
        ("travesia sandbox --seed uci --until 2016-04-01", _("a year of real incidents")),
    ),
)
def sandbox(  # noqa: PLR0913, PLR0917 - one for each option
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", parser=number(0, 65535), help=_("Where to listen; 0 takes a free one.")
        ),
    ] = 8080,
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help=_("Its folder; an instance that lies there is opened as it is.")
        ),
    ] = Path("sandbox-data"),
    seed: Annotated[
        str,
        typer.Option(
            metavar="demo|empty|uci",
            parser=one_of("demo", "empty", "uci"),
            help=_("What a new one begins with."),
        ),
    ] = "demo",
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help=_("Where its clock stands at the start."))
    ] = None,
    uci: Annotated[
        Path, typer.Option(metavar="DIR", help=_("Where the UCI year lies, for --seed uci."))
    ] = UCI_YEAR,
    frozen: Annotated[bool, flag("--frozen", text=_("Let its clock stand still."))] = False,
    without: Annotated[
        str,
        typer.Option(
            metavar="TABLE,…", help=_("Tables of plug-ins that a new one is not to have.")
        ),
    ] = "",
    https: Annotated[
        bool,
        flag("--https", text=_("Serve HTTPS with a certificate made in its folder.")),
    ] = False,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=_("Who may sign client certificates (PEM), with --https.")
        ),
    ] = None,
) -> None:
    """Parse and start; blocks until the process is asked to end."""
    if client_ca and not https:
        raise UsageError(_("--client-ca needs --https; add it"))
    stand = _until(until)
    if seed == "uci" and not uci.exists():
        raise UsageError(
            _("{path} does not exist; name the folder of the UCI year by --uci").format(path=uci)
        )
    # A web server and its seeds: only this one command of the connector needs them in memory.
    from connector.sandbox import server  # noqa: PLC0415 - see above

    lacking = [name.strip() for name in without.split(",") if name.strip()]
    year = uci if seed == "uci" else None
    place = server.Place(port, https, client_ca)
    server.run(place, data, seed, stand, year, frozen, lacking=lacking)


def _until(text: str | None) -> datetime | None:
    return when(lambda: parse_day(text)) if text else None
