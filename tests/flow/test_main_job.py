"""The main job on the demo year: provision, check, dry run, sync, look, report.

Asserts what the instance holds afterwards and what was sent to it, never what is inside.
"""

import csv
import json
from collections import Counter

from connector.config import Config
from connector.provision.wanted import ORDER
from tests.flow.conftest import FirstNight, Place, kinds
from tests.harness import ASKED_FOR, journey_fields

LACKING = {"idea"}
"""Tables of older releases that the sandbox has not."""
READ = {*Config().extract.tables, *ASKED_FOR} - LACKING
WRITTEN = {*Config().write_back.tables} - LACKING
OURS = "travesia.integration"
OWN = "u_journey_engagement"
"""Our own rows, one per relationship: nobody else's record."""
VERSION = {"sys_updated_on", "sys_updated_by", "sys_mod_count"}
AUDITED = ("tablename", "documentkey", "fieldname", "oldvalue", "newvalue")
FORMATS = ("html", "md", "csv")
MONTH = ("--from", "2026-10-01", "--to", "2026-10-31")


Records = dict[tuple[str, str], dict[str, str]]
"""By table and sys_id."""


def of_dump(dump: str) -> Records:
    """The records of a whole dump, by table and sys_id."""
    rows = (json.loads(line) for line in dump.splitlines())
    return {(row["table"], row["sys_id"]): row for row in rows}


def without_ours(records: Records) -> Records:
    """The same without what our writing may move."""
    return {
        key: {k: v for k, v in row.items() if k not in VERSION and not k.startswith("u_journey_")}
        for key, row in records.items()
        if key[0] != OWN
    }


def lines_of(plan: bytes) -> list[dict[str, str]]:
    return [json.loads(line) for line in plan.decode().splitlines()]


def sent_by_us(place: Place) -> list[dict[str, str]]:
    return [row for row in place.instance.dump("sys_audit").values() if row["user"] == OURS]


def test_provisioning_asks_first_then_makes_everything_once(new: Place) -> None:
    instance, connector = new.instance, new.connector
    before = instance.whole_dump()
    instance.reset_requests()
    assert "u_journey_report" in connector.do("provision")
    assert kinds(instance.requests()) == {"GET"}, "without --apply nothing is made"

    connector.do("provision", "--apply")
    after = instance.whole_dump()
    stood, stands = set(before.splitlines()), set(after.splitlines())
    assert stood <= stands, "no record is touched"
    made = {json.loads(line)["table"] for line in stands - stood}
    assert made <= set(ORDER), "and only configuration is made"
    instance.reset_requests()
    assert "nothing to make" in connector.do("provision", "--apply")
    assert kinds(instance.requests()) == {"GET"}

    instance.reset_requests()
    found = json.loads(connector.do("check", "--json"))
    assert {"ok"} <= {finding["level"] for finding in found} <= {"ok", "warn"}
    assert kinds(instance.requests()) == {"GET"}


def test_a_dry_run_touches_nothing_and_its_plan_is_what_is_sent(first_night: FirstNight) -> None:
    assert first_night.changed_by_dry_run == []
    assert first_night.dry_plan == first_night.plan
    planned = Counter(
        (line["table"], line["sys_id"], line["field"], line["from"], line["to"])
        for line in lines_of(first_night.plan)
        if line["table"] != OWN
    )
    changed = Counter(
        tuple(row.get(key, "") for key in AUDITED)
        for row in first_night.audit
        if row["user"] == OURS
    )
    assert changed == planned
    assert first_night.result["confirmed"] == len({key[:2] for key in planned}) > 2500


def test_the_plan_holds_every_relationship_as_the_tool_then_shows_it(
    first_night: FirstNight,
) -> None:
    planned: dict[tuple[str, str], dict[str, str]] = {}
    for line in lines_of(first_night.plan):
        if line["table"] == OWN:
            assert line["from"] == ""
            planned.setdefault((OWN, line["sys_id"]), {})[line["field"]] = line["to"]
    shown = {key: row for key, row in of_dump(first_night.after).items() if key[0] == OWN}
    assert len(planned) > 20
    assert planned.keys() == shown.keys()
    for key, values in planned.items():
        assert {field: shown[key].get(field) for field in values} == values


def test_only_our_columns_of_the_written_tables_change(first_night: FirstNight) -> None:
    before, after = of_dump(first_night.before), of_dump(first_night.after)
    assert without_ours(after) == without_ours(before)
    records = {key: row for key, row in after.items() if key[0] != OWN}
    touched = {key for key, row in records.items() if row != before[key]}
    assert {table for table, _sys_id in touched} == WRITTEN
    for key in touched:
        assert after[key]["sys_updated_by"] == OURS
        assert int(after[key]["sys_mod_count"]) == int(before[key].get("sys_mod_count", "0")) + 1
    patched = {kind for kind in first_night.requests if kind.startswith("batched")}
    assert patched == {
        *(f"batched PATCH /api/now/table/{table}/{{sys_id}}" for table in WRITTEN),
        f"batched POST /api/now/table/{OWN}",
    }
    plain = {kind for kind in first_night.requests if not kind.startswith(("batched", "GET"))}
    assert plain == {"POST /api/now/batch"}


def test_every_record_of_the_tables_that_are_read_has_its_place(first_night: FirstNight) -> None:
    placed = {(table, sys_id) for table, sys_id, _rule in first_night.classifications}
    records = of_dump(first_night.before)
    surveys = {
        sys_id
        for (table, sys_id), row in records.items()
        if table == "asmt_metric_type" and row["evaluation_method"] == "survey"
    }
    # Assessments of suppliers share the table of the surveys; nobody's voice, they are not read.
    wanted = {k for k, r in records.items() if r.get("metric_type", min(surveys)) in surveys}
    assert placed == {key for key in wanted if key[0] in READ}
    assert {table for table, _sys_id in placed} == READ
    assert "unclassified" not in {rule for _table, _sys_id, rule in first_night.classifications}


def test_a_pilot_writes_as_few_records_as_was_asked(provisioned: Place) -> None:
    instance, connector = provisioned.instance, provisioned.connector
    assert connector.sync("--limit", "5")["confirmed"] == 5
    assert len({row["documentkey"] for row in sent_by_us(provisioned)}) == 5

    known = {row["sys_id"] for row in sent_by_us(provisioned)}
    assert connector.sync("--table", "sc_task", "--limit", "3")["confirmed"] == 3
    fresh = [row for row in sent_by_us(provisioned) if row["sys_id"] not in known]
    assert {row["tablename"] for row in fresh} == {"sc_task"}
    assert len({row["documentkey"] for row in fresh}) == 3

    row = next(r for r in instance.dump("sc_req_item").values() if not r.get("u_journey_step"))
    known |= {row["sys_id"] for row in fresh}
    said = connector.do("sync", "--record", row["number"])
    fresh = [r for r in sent_by_us(provisioned) if r["sys_id"] not in known]
    assert {r["documentkey"] for r in fresh} == {row["sys_id"]}
    for change in fresh:
        shown = f"{change.get('oldvalue') or '—'} → {change['newvalue']}"
        assert any(row["number"] in line and shown in line for line in said.splitlines()), shown
    assert said.count("INC") + said.count("SCTASK") == 0, "no other record is shown"
    assert len({r["documentkey"] for r in sent_by_us(provisioned)}) == 9


def test_one_record_is_read_and_placed_by_a_store_that_knows_nothing_else(
    provisioned: Place,
) -> None:
    row = next(r for r in provisioned.instance.dump("incident").values() if r["active"] == "true")
    result = provisioned.connector.sync("--record", row["number"])
    assert result["confirmed"] == 1
    assert {change["number"] for change in result["plan"]} == {row["number"]}
    assert {r["documentkey"] for r in sent_by_us(provisioned)} == {row["sys_id"]}
    records = provisioned.connector.sync("--dry-run")["tables"]
    read = {table["table"]: table["records"] for table in records}
    assert read["incident"] == len(provisioned.instance.dump("incident")), "cursors stayed behind"


def test_observing_writes_nothing_and_what_was_observed_is_written_once_the_settings_say_so(
    new: Place,
) -> None:
    instance, connector = new.instance, new.connector
    connector.write_config(write_back={"enabled": False})
    before = instance.whole_dump()
    instance.reset_requests()
    result = connector.sync()
    assert (result["is_sent"], result["confirmed"]) == (False, 0)
    assert result["planned_records"] > 2500
    assert kinds(instance.requests()) == {"GET"}
    assert instance.whole_dump() == before

    connector.do("provision", "--apply")
    connector.write_config(write_back={"enabled": True})
    new.stand_at("2026-11-20 12:10:00")
    done = connector.sync()
    assert done["confirmed"] == done["planned_records"] > 2500
    placed = {
        sys_id
        for (sys_id,) in connector.read(
            "SELECT sys_id FROM classification WHERE table_name = 'incident' AND touchpoint <> ''"
        )
    }
    written = journey_fields(instance, "incident")
    assert placed == {sys_id for sys_id, row in written.items() if row["u_journey_step"]}


def test_one_may_look_at_a_record_and_at_the_runs_without_asking_the_instance(
    settled: Place,
) -> None:
    rows = settled.instance.dump("incident").values()
    row = next(r for r in rows if r.get("u_journey_value") == "presumed")
    settled.instance.reset_requests()
    told = json.loads(settled.connector.do("explain", row["number"], "--json"))
    assert told["rule_id"] == row["u_journey_rule"]
    assert told["because"]["en"] == row["u_journey_why"]
    assert all(condition["holds"] for condition in told["conditions"])
    shown = settled.connector.do("explain", row["number"])
    assert row["u_journey_why"] in shown
    assert row["u_journey_since"][:16] in shown

    status = json.loads(settled.connector.do("status", "--json"))
    assert not status["is_running"]
    [run] = status["runs"]
    assert (run["kind"], run["outcome"]) == ("sync", "succeeded")
    assert run["counts"]["confirmed"] > 2500
    assert status["set_aside"] == []
    assert set(status["next"]) == {"sync", "reconcile", "report"}
    assert "succeeded" in settled.connector.do("status")
    assert settled.instance.requests() == {}


def test_the_report_is_written_in_both_languages_and_published_once(synced: Place) -> None:
    instance, connector = synced.instance, synced.connector
    results = json.loads(connector.do("report", *MONTH, "--publish", "--json"))
    files = {p.name: p for p in (connector.folder / "reports").iterdir()}
    stem = "travesia_2026-10-01_2026-10-31"
    assert set(files) == {f"{stem}_{lang}.{f}" for lang in ("es", "en") for f in FORMATS}
    page = {lang: files[f"{stem}_{lang}.html"].read_text("utf-8") for lang in ("es", "en")}
    assert page["es"].count("<svg") == page["en"].count("<svg")
    for lang, question in (("es", "¿Se pondría usted el anillo?"), ("en", "Would you put on")):
        assert question in page[lang]
    assert '<html lang="es"' in page["es"]
    assert "Medir, confirmar el valor y mejorar" in page["es"]
    assert "Measure, confirm value and improve" in page["en"]
    for lang, step in (("es", "Medir, confirmar"), ("en", "Measure, confirm")):
        assert step in files[f"{stem}_{lang}.md"].read_text("utf-8")
        text = files[f"{stem}_{lang}.csv"].read_text("utf-8-sig")
        assert len(list(csv.reader(text.splitlines()))) > 10

    published = instance.dump("u_journey_report")
    assert {r["u_language"] for r in published.values()} == {"es", "en"}
    assert {r["published"]["sys_id"] for r in results} == set(published)
    attached = Counter(r["table_sys_id"] for r in instance.dump("sys_attachment").values())
    assert attached == dict.fromkeys(published, 3)

    before = instance.whole_dump()
    instance.reset_requests()
    connector.do("report", *MONTH, "--publish")
    assert kinds(instance.requests()) == {"GET"}
    assert instance.whole_dump() == before
