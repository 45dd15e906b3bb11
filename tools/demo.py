"""`make demo`: the whole main job on a synthetic instance, through the commands a user types.

Makes everything anew in `.demo/`; leaves nothing running unless asked with --keep.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.config import Config
from connector.messages import _, current_language
from connector.sandbox.seeds import DEMO_CLOCK
from connector.sandbox.seeds.demo import promises

FOLDER = Path(".demo")
TRAVESIA = [sys.executable, "-m", "connector"]
ENVIRONMENT = {**os.environ, "TRAVESIA_PASSWORD": "sandbox", "TRAVESIA_CONFIG": ""}

PORT = 8080
"""Where an instance that stays is looked for first."""

TABLES = 9
"""Lines of a dry run's answer that say what was read and placed; its records come after."""

CONFIG = """\
# Made by `make demo`: a synthetic instance on this machine.
[instance]
url = "{url}"
user = "travesia.integration"

[mapping]
language = "{language}"

# Surveys, HR cases and carts are read only where somebody asks for them, as here.
[extract]
tables = {tables}

[write_back]
enabled = true
settled_days = 400
backfill_days = 400

[log]
level = "warning"
"""


def say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - a person watches


def travesia(*arguments: str, first: int = 0, last: int = 0) -> str:
    """Run one command in the demo folder, as a user would, and show what it answers.

    `last` lines alone read as a pipe to tail; after `first` lines the gap is marked. Where the
    command fails everything is shown, and the demo ends.
    """
    say(f"\n$ travesia {' '.join(arguments)}" + (f" | tail -{last}" if last and not first else ""))
    done = subprocess.run(
        [*TRAVESIA, *arguments],
        cwd=FOLDER,
        env=ENVIRONMENT,
        text=True,
        encoding="utf-8",
        check=False,
        stdout=subprocess.PIPE,
    )
    lines = done.stdout.rstrip().splitlines()
    if last and not done.returncode:
        lines = [*lines[:first], *(["…"] if first else []), *lines[-last:]]
    say("\n".join(line.rstrip() for line in lines))
    if done.returncode:
        text = _("travesia {command} ended with exit code {code}")
        raise SystemExit(text.format(command=arguments[0], code=done.returncode))
    return done.stdout


def free_port(wanted: int) -> int:
    """The port that is wanted if nobody has it, else 0: any."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def start_sandbox(port: int) -> tuple[subprocess.Popen[str], str]:
    """The synthetic instance, a process of its own that speaks only HTTP; 0 is any port."""
    log = (FOLDER / "sandbox.log").open("w", encoding="utf-8")
    command = [*TRAVESIA, "sandbox", "--port", str(port), "--data", "instance"]
    process = subprocess.Popen(
        command, cwd=FOLDER, stdout=log, stderr=log, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        text = (FOLDER / "sandbox.log").read_text(encoding="utf-8")
        if found := re.search(r"sandbox ready: (http://\S+)", text):
            return process, found[1]
        time.sleep(0.1)
    process.kill()
    raise SystemExit(_("The sandbox did not start; see .demo/sandbox.log"))


def a_record() -> dict[str, str]:
    """An open incident that the run has just written, to look at."""
    plan = (FOLDER / "plan.jsonl").read_text(encoding="utf-8").splitlines()
    changes = [json.loads(line) for line in plan]
    return next(
        c for c in reversed(changes) if c["table"] == "incident" and c["to"] == "wait_for_user"
    )


def main() -> None:
    """Sandbox, provision, check, dry run, sync, explain, report; then where to look."""
    # However it ends, the instance ends with it.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--keep", action="store_true", help=_("leave the instance running"))
    keep = arguments.parse_args().keep
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    say(_("A synthetic company, a year of tickets, an instance that speaks ServiceNow's REST API."))
    process, url = start_sandbox(free_port(PORT) if keep else 0)
    try:
        record, published = tell_the_story(url)
        show_reports()
        if keep:
            show_pages(url, record, published)
            wait(process, url)
        else:
            say(_("make demo KEEP=1 keeps the instance, to open a ticket with its journey fields"))
    finally:
        process.terminate()
        process.wait(20)


def tell_the_story(url: str) -> tuple[dict[str, str], list[str]]:
    """The main job, command by command; answers a record written, and where the reports are."""
    asked_for = ("asmt_assessment_instance", "sn_hr_le_case", "sc_cart_item")
    tables = [*Config().extract.tables, *asked_for]
    config = CONFIG.format(url=url, language=current_language(), tables=json.dumps(tables))
    (FOLDER / "travesia.toml").write_text(config, encoding="utf-8")
    travesia("provision", "--apply", last=1)
    travesia("check", last=1)
    meet(url)
    travesia("sync", "--dry-run", "--plan-file", "plan.jsonl", first=TABLES, last=1)
    travesia("sync", last=1)
    plan(url)
    travesia("sync", last=1)
    record = a_record()
    travesia("explain", record["number"])
    travesia("brief", "Finanzas")
    said = travesia("report", "--from", "2025-11-20", "--to", "2026-11-20", "--publish")
    return record, re.findall(r"http://\S+", said)


def meet(url: str) -> None:
    """What people write down of their meetings, with what was promised: in the tool, by hand."""
    say("\n" + _("People note their meetings, and what was promised, in the tool."))
    for row in promises.contacts(DEMO_CLOCK):
        at_desk("POST", url, promises.CONTACTS, row)


def plan(url: str) -> None:
    """What people plan with three relationships: an owner, a next step, a day."""
    say("\n" + _("People write next steps into three relationships, in the tool."))
    rows = at_desk("GET", url, f"{promises.RELATIONSHIPS}?sysparm_limit=500")
    for sys_id, values in promises.next_steps(rows, DEMO_CLOCK):
        at_desk("PATCH", url, f"{promises.RELATIONSHIPS}/{sys_id}", values)


def at_desk(method: str, url: str, place: str, values: Mapping[str, str] | None = None) -> Any:
    """A person's own request to the tool, of which Travesía knows nothing."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/api/now/table/{place}",
        json.dumps(values).encode() if values else None,
        {"Authorization": f"Basic {b64encode(b'admin:sandbox').decode()}",
         "Content-Type": "application/json", "Accept": "application/json"},
        method=method,
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)["result"]


def show_reports() -> None:
    """The pages on disk, which stay when the instance is gone."""
    say("\n" + _("Where to look"))
    for path in sorted(FOLDER.resolve().glob("reports/*.html")):
        say(f"  {path}")


def show_pages(url: str, record: dict[str, str], published: list[str]) -> None:
    """The pages of the instance, while it runs."""
    places = [
        (_("ticket"), f"{url}/incident.do?sys_id={record['sys_id']}"),
        (_("list"), f"{url}/incident_list.do"),
        *((_("report"), place) for place in published),
    ]
    width = max(len(name) for name, _place in places)
    for name, place in places:
        say(f"  {name:<{width}}  {place}")


def wait(process: subprocess.Popen[str], url: str) -> None:
    """Until Ctrl-C."""
    say("\n" + _("The instance stays at {url} until Ctrl-C.").format(url=url))
    try:
        process.wait()
    except KeyboardInterrupt:
        say(_("Stopped."))


if __name__ == "__main__":
    main()
