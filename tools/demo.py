"""`make demo`: the whole main job on a synthetic instance, through the commands a user types.

Makes everything anew in `.demo/`; leaves nothing running unless asked with --keep.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from connector.messages import _

FOLDER = Path(".demo")
TRAVESIA = [sys.executable, "-m", "connector"]
ENVIRONMENT = {**os.environ, "TRAVESIA_PASSWORD": "sandbox", "TRAVESIA_CONFIG": ""}

CONFIG = """\
# Made by `make demo`: a synthetic instance on this machine.
[instance]
url = "{url}"
user = "travesia.integration"

[write_back]
enabled = true
settled_days = 400
backfill_days = 400

[log]
level = "warning"
"""


def say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201 - a person watches


def travesia(*arguments: str, shown: bool = True) -> str:
    """Run one command in the demo folder, as a user would; its output is shown."""
    if shown:
        say(f"\n$ travesia {' '.join(arguments)}")
    done = subprocess.run(
        [*TRAVESIA, *arguments],
        cwd=FOLDER,
        env=ENVIRONMENT,
        text=True,
        check=False,
        stdout=None if shown else subprocess.PIPE,
    )
    if done.returncode:
        text = _("travesia {command} ended with exit code {code}")
        raise SystemExit(text.format(command=arguments[0], code=done.returncode))
    return done.stdout or ""


def start_sandbox() -> tuple[subprocess.Popen[str], str]:
    """The synthetic instance, a process of its own that speaks only HTTP."""
    log = (FOLDER / "sandbox.log").open("w", encoding="utf-8")
    command = [*TRAVESIA, "sandbox", "--port", "0", "--data", "instance", "--seed", "demo"]
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
    """Sandbox, provision, check, dry run, sync, report; then where to look."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--keep", action="store_true", help=_("leave the instance running"))
    keep = arguments.parse_args().keep
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    say(_("A synthetic company, a year of tickets, an instance that speaks ServiceNow's REST API."))
    process, url = start_sandbox()
    try:
        tell_the_story(url)
        if keep:
            wait(process, url)
    finally:
        process.terminate()
        process.wait(20)


def tell_the_story(url: str) -> None:
    """The main job, command by command."""
    (FOLDER / "travesia.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    travesia("provision", "--apply")
    travesia("check")
    travesia("sync", "--dry-run", "--plan-file", "plan.jsonl")
    travesia("sync")
    travesia("sync")
    record = a_record()
    travesia("explain", record["number"])
    travesia("report", "--from", "2025-11-20", "--to", "2026-11-20", "--publish")
    travesia("status")
    reports = sorted(FOLDER.resolve().glob("reports/*.html"))
    places = [(_("report"), str(report)) for report in reports]
    places.append((_("ticket"), f"{url}/incident.do?sys_id={record['sys_id']}"))
    places.append((_("list"), f"{url}/incident_list.do"))
    say("\n" + _("Where to look"))
    for name, place in places:
        say(f"  {name:<9}{place}")


def wait(process: subprocess.Popen[str], url: str) -> None:
    """Until Ctrl-C."""
    say("\n" + _("The instance stays at {url} until Ctrl-C.").format(url=url))
    try:
        process.wait()
    except KeyboardInterrupt:
        say(_("Stopped."))


if __name__ == "__main__":
    main()
