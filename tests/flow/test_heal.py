"""People work in the tool too: what they overwrite of ours is healed, what is theirs stays."""

import signal
import time

from tests.flow.conftest import Place
from tests.harness import Sandbox

OURS = "travesia.integration"


def an_open_incident(instance: Sandbox) -> dict[str, str]:
    rows = instance.dump("incident").values()
    return next(row for row in rows if row["active"] == "true" and row.get("u_journey_step"))


def changed_by_us(instance: Sandbox, sys_id: str) -> set[tuple[str, str, str]]:
    return {
        (row["fieldname"], row.get("oldvalue", ""), row.get("newvalue", ""))
        for row in instance.dump("sys_audit").values()
        if row["documentkey"] == sys_id and row["user"] == OURS
    }


def test_an_overwritten_journey_field_is_healed_and_the_edit_beside_it_stays(
    synced: Place,
) -> None:
    instance, connector = synced.instance, synced.connector
    mine = an_open_incident(instance)
    sys_id = mine["sys_id"]
    other = next(r for r in instance.dump("sc_task").values() if r.get("u_journey_touchpoint"))
    already = changed_by_us(instance, sys_id)
    synced.stand_at("2026-11-20 12:10:00")
    edit = {"u_journey_step": "explorar", "short_description": "The user's own words"}
    edited = instance.api("PATCH", f"table/incident/{sys_id}", edit)
    instance.api("PATCH", f"table/sc_task/{other['sys_id']}", {"u_journey_touchpoint": ""})
    synced.stand_at("2026-11-20 12:20:00")

    shown = connector.do("sync", "--dry-run", "--record", mine["number"])
    assert f"explorar → {mine['u_journey_step']} (overwritten by somebody)" in shown
    assert instance.dump("incident")[sys_id]["u_journey_step"] == "explorar"

    result = connector.sync()
    assert (result["healed"], result["confirmed"]) == (2, 2)
    assert result["messages"][-1] == "2 records had journey fields that somebody overwrote"
    after = instance.dump("incident")[sys_id]
    ours = {k: v for k, v in after.items() if k.startswith("u_journey_")}
    assert ours == {k: v for k, v in mine.items() if k.startswith("u_journey_")}
    assert after["short_description"] == "The user's own words"
    assert int(after["sys_mod_count"]) == int(edited["sys_mod_count"]) + 1
    assert changed_by_us(instance, sys_id) - already == {
        ("u_journey_step", "explorar", mine["u_journey_step"])
    }
    healed = instance.dump("sc_task")[other["sys_id"]]
    assert healed["u_journey_touchpoint"] == other["u_journey_touchpoint"]

    synced.stand_at("2026-11-20 12:40:00")
    again = connector.sync()
    assert (again["healed"], again["planned_records"]) == (0, 0)


def test_what_somebody_edits_while_we_write_is_neither_lost_nor_touched(
    provisioned: Place,
) -> None:
    instance, connector = provisioned.instance, provisioned.connector
    connector.write_config(
        extract={"tables": ["incident"]},
        write_back={"tables": ["incident"], "batch_size": 10, "backfill_days": 60},
    )
    process = connector.start("sync")
    while connector.status().get("phase") != "write_back":
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)
    rows = instance.dump("incident")
    ahead = [sys_id for sys_id, row in rows.items() if "u_journey_step" not in row][-3:]
    for sys_id in ahead:
        instance.api("PATCH", f"table/incident/{sys_id}", {"short_description": "meanwhile"})
    process.send_signal(signal.SIGCONT)
    _out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    for sys_id in ahead:
        row = instance.dump("incident")[sys_id]
        assert row["short_description"] == "meanwhile"
        assert row["u_journey_step"]
        assert {name for name, _old, _new in changed_by_us(instance, sys_id)} == {
            name for name in row if name.startswith("u_journey_")
        }
    provisioned.stand_at("2026-11-20 12:20:00")
    assert connector.sync()["planned_records"] == 0


def test_a_record_deleted_in_the_instance_leaves_with_the_next_reconciliation(
    synced: Place,
) -> None:
    instance, connector = synced.instance, synced.connector
    gone = an_open_incident(instance)
    synced.stand_at("2026-11-20 12:10:00")
    instance.api("DELETE", f"table/incident/{gone['sys_id']}")
    query = f"SELECT count(*) FROM classification WHERE sys_id = '{gone['sys_id']}'"
    synced.stand_at("2026-11-20 12:20:00")
    assert connector.read(query) == [(1,)]

    before = instance.whole_dump()
    said = connector.do("reconcile")
    [line] = [row for row in said.splitlines() if row.split()[:1] == ["incident"]]
    assert line.split()[-2:] == ["1", "1"]
    assert instance.whole_dump() == before
    connector.sync()
    assert connector.read(query) == [(0,)]
    assert connector.read(query.replace("classification", "standing")) == [(0,)]
    assert connector.read(query.replace("classification", "current.incident")) == [(0,)]
    assert connector.read(
        f"SELECT source, is_confirmed FROM tombstone WHERE sys_id = '{gone['sys_id']}'"
    ) == [("sys_audit_delete", True)]
    unknown = connector.call("explain", gone["number"])
    assert unknown.returncode != 0
    assert gone["number"] in unknown.stderr
