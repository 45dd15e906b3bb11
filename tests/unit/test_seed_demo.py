"""The demo seed: consistent in time, complete in references, synthetic, and with its story."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import mean

import pytest

from connector.errors import ConfigError
from connector.sandbox.first_rows import with_platform_tables
from connector.sandbox.schema import load_schema
from connector.sandbox.seeds import DEMO_CLOCK, initial
from connector.sandbox.seeds.demo import changes, generate
from connector.sandbox.seeds.demo.loose_ends import ENDED
from connector.sandbox.seeds.demo.names import GO_LIVE_CHANGE, INVOICING_PROBLEM, REPAIR_CHANGE
from connector.sandbox.seeds.demo.story import APOLOGIES, Story
from connector.timestamps import format_instance, parse_instance

Record = dict[str, str]
Rows = dict[str, list[Record]]
IMPORTED_OVER = {record["number"] for record in ENDED.values()}
CLOCKS = (DEMO_CLOCK, datetime(2026, 8, 16, 3, 30, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
SCHEMA = with_platform_tables(load_schema())
STORY = Story(DEMO_CLOCK)


@cache
def demo(clock: datetime = DEMO_CLOCK) -> Rows:
    rows: Rows = defaultdict(list)
    for table, records in generate(clock):
        rows[table] += records
    return dict(rows)


def by_id(rows: Rows, *tables: str) -> dict[str, Record]:
    return {r["sys_id"]: r for table in tables for r in rows[table]}


def finance_people() -> set[str]:
    department = next(r for r in demo()["cmn_department"] if r["name"] == "Finanzas")
    return {u["sys_id"] for u in demo()["sys_user"] if u.get("department") == department["sys_id"]}


def period(record: Record) -> str:
    at = parse_instance(record["opened_at"])
    return "before" if at < STORY.go_live else "bad" if at < STORY.recovery else "after"


# ── consistency ──────────────────────────────────────────────────────────────────────────────


def test_the_same_clock_gives_the_same_records() -> None:
    assert list(generate(DEMO_CLOCK)) == list(generate(DEMO_CLOCK))


def test_it_is_a_few_thousand_records_with_about_fifteen_hundred_incidents() -> None:
    history = ("sys_journal_field", "sys_audit")
    assert 8_000 < sum(len(r) for t, r in demo().items() if t not in history) < 12_000
    assert all(2_000 < len(demo()[table]) < 14_000 for table in history)
    assert 1_400 < len(demo()["incident"]) < 1_600
    assert 230 < len(demo()["sys_user"]) < 250
    assert len(demo()["cmn_department"]) == 8
    assert 18 < len(demo()["sc_cat_item"]) < 25


@pytest.mark.parametrize("clock", CLOCKS)
def test_ids_are_unique_and_look_like_sys_ids(clock: datetime) -> None:
    for table, records in demo(clock).items():
        ids = [record["sys_id"] for record in records]
        assert len(set(ids)) == len(ids), table
        assert all(re.fullmatch(r"[0-9a-f]{32}", identity) for identity in ids), table


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_field_is_a_column_and_every_value_of_a_choice_is_offered(clock: datetime) -> None:
    for table, records in demo(clock).items():
        columns = SCHEMA.tables[table].columns
        for record in records:
            assert set(record) <= set(columns), (table, set(record) - set(columns))
            for name, value in record.items():
                offered = {choice.value for choice in columns[name].choices}
                assert not offered or not value or value in offered, (table, name, value)


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_reference_leads_to_a_record(clock: datetime) -> None:
    rows = demo(clock)
    ids = {
        table: {r["sys_id"] for child in SCHEMA.descendants(table) for r in rows.get(child, [])}
        for table in SCHEMA.tables
    }
    for table, records in rows.items():
        references = {
            column.name: column.reference
            for column in SCHEMA.tables[table].columns.values()
            if column.type == "reference"
        }
        for record in records:
            for name in references.keys() & record.keys():
                value = record[name]
                assert not value or value in ids[references[name]], (table, name)


@pytest.mark.parametrize("clock", CLOCKS)
def test_nothing_happens_after_the_clock_or_before_its_time(clock: datetime) -> None:
    now = format_instance(clock)
    for table, records in demo(clock).items():
        for record in records:
            assert record["sys_created_on"] <= record["sys_updated_on"] <= now, table
            assert int(record["sys_mod_count"]) >= 0
            order = [record.get(c) for c in ("opened_at", "resolved_at", "closed_at")]
            reached = [moment for moment in order if moment]
            assert reached == sorted(reached), (table, record.get("number"))
            assert all(moment <= record["sys_updated_on"] for moment in reached)


@pytest.mark.parametrize("clock", CLOCKS)
def test_active_agrees_with_the_state(clock: datetime) -> None:
    rows = demo(clock)
    over = {"incident": "78", "sc_request": "347", "sc_req_item": "347", "sc_task": "347"}
    for table, states in over.items():
        for record in rows[table]:
            if record["number"] in IMPORTED_OVER:
                continue
            is_over = record["state"] in states
            assert (record["active"] == "false") == is_over, record["number"]
            assert bool(record.get("closed_at")) == is_over, record["number"]
    for incident in rows["incident"]:
        if incident["number"] in IMPORTED_OVER:
            continue
        has_resolution = bool(incident.get("resolved_at"))
        assert has_resolution == (incident["state"] in "67"), incident["number"]
        assert bool(incident.get("hold_reason")) <= (incident["state"] == "3")


@pytest.mark.parametrize("clock", CLOCKS)
def test_an_sla_row_agrees_with_itself_and_its_task(clock: datetime) -> None:
    tasks = by_id(demo(clock), "incident", "sc_req_item", "sc_task")
    for row in demo(clock)["task_sla"]:
        is_over = row["stage"] in ("completed", "cancelled")
        assert (row["active"] == "false") == is_over == bool(row.get("end_time"))
        end = row.get("end_time") or format_instance(clock)
        if row["stage"] != "paused":
            is_late = row["has_breached"] == "true"
            assert row["planned_end_time"] <= end if is_late else row["planned_end_time"] >= end
        assert row["start_time"] >= tasks[row["task"]]["opened_at"]


def test_an_answered_survey_has_results_from_one_to_five_or_unanswered() -> None:
    answered = {r["sys_id"] for r in demo()["asmt_assessment_instance"] if r["state"] == "complete"}
    values = {r["actual_value"] for r in demo()["asmt_metric_result"]}
    assert values == {"-1", "1", "2", "3", "4", "5"}
    assert {r["instance"] for r in demo()["asmt_metric_result"]} == answered


def test_people_are_synthetic_and_say_so() -> None:
    people = [u for u in demo()["sys_user"] if u["user_name"].startswith("persona.")]
    assert len(people) == 238
    assert all(re.fullmatch(r"Persona \d{3} \(sintética\)", user["name"]) for user in people)
    addresses = [user["email"] for user in demo()["sys_user"] if user.get("email")]
    assert all(address.endswith("@example.invalid") for address in addresses)
    assert any(user["vip"] == "true" for user in people)
    newest = max(user["sys_created_on"] for user in people)
    assert parse_instance(newest) > DEMO_CLOCK - timedelta(days=30)


def test_both_languages_are_written() -> None:
    texts = {record["short_description"] for record in demo()["incident"]}
    assert "El portátil no arranca" in texts
    assert "The laptop does not start" in texts


def test_working_days_are_busier_and_mondays_the_busiest() -> None:
    people = [r for r in demo()["incident"] if r["contact_type"] != "monitoring"]
    days = [0] * 7
    for record in people:
        days[parse_instance(record["opened_at"]).weekday()] += 1
    assert days[0] == max(days)
    assert days[5] + days[6] == 0


# ── situations that rules can see ────────────────────────────────────────────────────────────


def some(table: str, **fields: str) -> list[Record]:
    rows = demo()[table]
    return [r for r in rows if all(r.get(name, "") == value for name, value in fields.items())]


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_state_hold_reason_and_channel_occurs_among_incidents(clock: datetime) -> None:
    incidents = demo(clock)["incident"]
    assert {r["state"] for r in incidents} == {*"123678", ""}
    waiting = {r.get("hold_reason", "") for r in incidents if r["state"] == "3"}
    assert waiting == {"", "1", "3", "4", "5"}
    new = {r["contact_type"] for r in incidents if r["state"] == "1"}
    assert new >= {"phone", "walk-in", "chat", "virtual_agent", "self-service", "email", ""}
    assert "monitoring" in {r["contact_type"] for r in incidents if not r["caller_id"]}
    assert any(int(r["reopen_count"]) and r["state"] in "123" for r in incidents)


def test_the_rarer_incidents_occur() -> None:
    assert some("incident", category="complaint", active="true")
    assert some("incident", category="compliment")
    assert some("incident", category="inquiry", subcategory="order", active="true")
    assert some("incident", close_code="Duplicate")
    major = some("incident", major_incident_state="accepted", active="true")
    children = some("incident", parent_incident=major[0]["sys_id"])
    assert len(children) == int(major[0]["child_incidents"])
    assert any(r.get("caused_by") and r["active"] == "true" for r in demo()["incident"])
    assert any(int(r["reassignment_count"]) >= 3 for r in demo()["incident"])
    assert any(r["short_description"].startswith("[PRUEBA]") for r in demo()["incident"])
    users = by_id(demo(), "sys_user")
    callers = [users[r["caller_id"]] for r in demo()["incident"] if r["caller_id"]]
    assert any(caller["user_name"] == "synthetic.monitor" for caller in callers)
    fresh = [
        r
        for r in some("incident", category="access", active="true")
        if parse_instance(users[r["caller_id"]]["sys_created_on"])
        > parse_instance(r["opened_at"]) - timedelta(days=30)
    ]
    assert fresh


def test_every_situation_of_an_item_occurs() -> None:
    assert some("sc_req_item", approval="rejected", active="false")
    assert some("sc_req_item", state="7", approval="cancelled")
    assert some("sc_req_item", state="7", approval="approved")
    assert some("sc_req_item", state="4", approval="approved")
    assert some("sc_req_item", approval="requested", active="true")
    for stage in ("purchase", "fulfillment", "delivery", "request_approved"):
        assert some("sc_req_item", stage=stage, active="true"), stage
    items = by_id(demo(), "sc_cat_item")
    ordered = {items[r["cat_item"]]["name"] for r in some("sc_req_item", active="true")}
    for word in ("onboarding", "offboarding", "course", "access"):
        assert any(word in name for name in ordered), word
    with_tasks = {r["request_item"] for r in demo()["sc_task"]}
    open_items = some("sc_req_item", active="true")
    assert any(r["sys_id"] not in with_tasks and r["approval"] == "approved" for r in open_items)
    assert any(
        r["sys_id"] not in with_tasks and r["approval"] == "not requested" for r in open_items
    )
    limit = format_instance(DEMO_CLOCK - timedelta(days=3))
    assert any(r["closed_at"] > limit for r in some("sc_req_item", state="3"))


def test_every_situation_of_a_task_occurs() -> None:
    groups = by_id(demo(), "sys_user_group")
    supplied = {groups[r["assignment_group"]]["type"] for r in some("sc_task", active="true")}
    assert supplied == {"internal", "supplier"}
    texts = {r["short_description"] for r in some("sc_task", active="true")}
    assert texts & {"User acceptance test", "Prueba de aceptación del usuario"}
    assert some("sc_task", state="7")


def test_approvals_are_granted_refused_lapsed_and_pending_both_short_and_long() -> None:
    assert {r["state"] for r in demo()["sysapproval_approver"]} == {
        *("approved", "rejected", "cancelled", "requested", "not requested")
    }
    asked = [parse_instance(r["sys_created_on"]) for r in some("sysapproval_approver",
                                                               state="requested")]  # fmt: skip
    assert any(at < DEMO_CLOCK - timedelta(days=20) for at in asked)
    assert any(at > DEMO_CLOCK - timedelta(days=5) for at in asked)
    assert some("sysapproval_approver", source_table="change_request", state="approved")


def test_slas_run_pause_breach_cancel_and_warn_against_their_definitions() -> None:
    assert {r["stage"] for r in demo()["task_sla"]} == {
        *("in_progress", "paused", "completed", "cancelled")
    }
    running = some("task_sla", active="true", has_breached="false")
    assert any(float(r["business_percentage"]) >= 75 for r in running)
    assert some("task_sla", active="true", has_breached="true")
    in_force = {r["sys_id"] for r in some("contract_sla", active="true")}
    assert {r["sla"] for r in demo()["task_sla"]} == in_force


def test_surveys_are_sent_begun_answered_and_left_to_expire_and_some_are_no_surveys() -> None:
    states = {r["state"] for r in demo()["asmt_assessment_instance"]}
    assert states == {"ready", "wip", "complete", "canceled"}
    kinds = {r["sys_id"]: r["evaluation_method"] for r in demo()["asmt_metric_type"]}
    assert {kinds[r["metric_type"]] for r in demo()["asmt_assessment_instance"]} == {
        *("survey", "assessment")
    }


# ── the story ────────────────────────────────────────────────────────────────────────────────


def breached_share(of_finance: bool, when: str) -> float:
    people = finance_people()
    slas = defaultdict(list)
    for row in demo()["task_sla"]:
        slas[row["task"]].append(row["has_breached"] == "true")
    return mean(
        breached
        for r in demo()["incident"]
        if (r["caller_id"] in people) == of_finance and r["caller_id"] and period(r) == when
        for breached in slas[r["sys_id"]]
    )


def test_finance_loses_its_slas_after_the_go_live_and_wins_them_back() -> None:
    assert breached_share(True, "before") < 0.2
    assert breached_share(True, "bad") > 0.4
    assert breached_share(True, "after") < 0.1
    assert breached_share(False, "bad") < 0.2


def test_finance_reopens_in_the_bad_months_only() -> None:
    people = finance_people()
    share = {
        when: mean(
            int(r["reopen_count"]) > 0
            for r in demo()["incident"]
            if r["caller_id"] in people and period(r) == when
        )
        for when in ("before", "bad", "after")
    }
    assert share["bad"] > 0.12
    assert max(share["before"], share["after"]) < 0.06


def survey_scores(when: str) -> list[int]:
    people, tasks = finance_people(), by_id(demo(), "incident", "sc_req_item")
    metric = {r["sys_id"] for r in demo()["asmt_metric"] if r["order"] == "0"}
    return [
        int(r["actual_value"])
        for r in demo()["asmt_metric_result"]
        if r["user"] in people
        and r["metric"] in metric
        and r["source_id"] in tasks
        and period(tasks[r["source_id"]]) == when
    ]


def test_finance_says_so_in_its_surveys() -> None:
    assert min(len(survey_scores(when)) for when in ("before", "bad", "after")) >= 8
    assert mean(survey_scores("before")) > 3.4
    assert mean(survey_scores("bad")) < 2.7
    assert mean(survey_scores("after")) > 4.0


def approval_days(when: str) -> list[float]:
    people, items = finance_people(), by_id(demo(), "sc_req_item")
    return [
        (parse_instance(r["sys_updated_on"]) - parse_instance(r["sys_created_on"])).days
        for r in demo()["sysapproval_approver"]
        if r["source_table"] == "sc_req_item"
        and r["state"] in ("approved", "rejected")
        and items[r["document_id"]]["requested_for"] in people
        and period(items[r["document_id"]]) == when
    ]


def test_the_second_approval_slows_finance_down_and_its_end_frees_it() -> None:
    assert mean(approval_days("bad")) > 4 * max(1, mean(approval_days("before")))
    assert max(approval_days("bad")) > 14
    assert mean(approval_days("after")) < 1
    people, items = finance_people(), by_id(demo(), "sc_req_item")
    lapsed = [
        r
        for r in some("sysapproval_approver", state="cancelled")
        if items[r["document_id"]]["requested_for"] in people
    ]
    assert len(lapsed) >= 3


# ── the dispatcher ───────────────────────────────────────────────────────────────────────────


def test_a_seed_gives_its_clock_and_its_records() -> None:
    clock, batches = initial("demo")
    assert clock == DEMO_CLOCK
    assert sum(len(records) for _table, records in batches) == sum(map(len, demo().values()))


def test_every_seed_has_the_users_that_can_log_in() -> None:
    clock, batches = initial("empty", until=DEMO_CLOCK)
    assert clock == DEMO_CLOCK
    users = {r["user_name"] for table, rows in batches if table == "sys_user" for r in rows}
    assert users == {"admin", "travesia.integration"}
    assert users < {r["user_name"] for r in demo()["sys_user"]}


def test_an_unknown_seed_is_refused_with_a_near_miss() -> None:
    with pytest.raises(ConfigError, match=r"no seed demi.*did you mean demo"):
        initial("demi")


# ── what comes after the clock ───────────────────────────────────────────────────────────────


def test_what_happens_after_the_clock_is_the_same_however_it_is_asked_for() -> None:
    week, month = DEMO_CLOCK + timedelta(days=7), DEMO_CLOCK + timedelta(days=30)
    at_once = [*changes(DEMO_CLOCK, DEMO_CLOCK, month)]
    steps = [*changes(DEMO_CLOCK, DEMO_CLOCK, week), *changes(DEMO_CLOCK, week, month)]
    of_a_year = changes(DEMO_CLOCK, DEMO_CLOCK, DEMO_CLOCK + timedelta(days=360))
    assert at_once == steps == [change for change in of_a_year if change.at <= month]
    assert len(at_once) > 300
    assert [change.at for change in at_once] == sorted(change.at for change in at_once)
    assert DEMO_CLOCK < at_once[0].at <= at_once[-1].at <= month


def test_what_comes_after_the_clock_goes_on_from_what_was_there() -> None:
    there = {r["sys_id"] for rows in demo().values() for r in rows}
    born: set[str] = set()
    for change in changes(DEMO_CLOCK, DEMO_CLOCK, DEMO_CLOCK + timedelta(days=30)):
        if change.sys_id not in there | born:
            assert "number" in change.values or change.table not in SCHEMA.descendants("task")
            born.add(change.sys_id)
        assert set(change.values) <= set(SCHEMA.tables[change.table].columns), change.table
    assert len(born) > 60


# ── journal and audit ────────────────────────────────────────────────────────────────────────


def test_every_journal_entry_and_audit_row_belongs_to_a_record_and_its_time() -> None:
    rows = demo()
    for table, name, key in (
        ("sys_journal_field", "name", "element_id"),
        ("sys_audit", "tablename", "documentkey"),
    ):
        records = {owner: by_id(rows, owner) for owner in {r[name] for r in rows[table]}}
        for row in rows[table]:
            record = records[row[name]][row[key]]
            assert record["sys_created_on"] <= row["sys_created_on"] <= record["sys_updated_on"]


def test_the_last_audited_value_of_a_field_is_the_one_that_stands() -> None:
    last: dict[tuple[str, str, str], str] = {}
    for row in sorted(demo()["sys_audit"], key=lambda r: int(r["record_checkpoint"])):
        assert row["oldvalue"] != row["newvalue"]
        last[row["tablename"], row["documentkey"], row["fieldname"]] = row["newvalue"]
    records = {table: by_id(demo(), table) for table, _id, _field in last}
    assert {field for _t, _id, field in last} >= {"state", "hold_reason", "assignment_group"}
    assert all(records[t][i].get(field, "") == value for (t, i, field), value in last.items())


def public_words(when: str) -> float:
    """Comments to people of Finanzas per ticket in a period."""
    people = finance_people()
    tickets = {r["sys_id"] for r in demo()["incident"] if r["caller_id"] in people
               and period(r) == when}  # fmt: skip
    said = [r for r in demo()["sys_journal_field"]
            if r["element"] == "comments" and r["element_id"] in tickets
            and r["sys_created_by"] not in {u["user_name"] for u in demo()["sys_user"]
                                            if u["sys_id"] in people}]  # fmt: skip
    return len(said) / len(tickets)


def test_finance_hears_little_in_the_bad_months_and_much_after_them() -> None:
    assert public_words("bad") < public_words("before") < public_words("after")


def test_words_follow_the_breach_only_in_the_recovery() -> None:
    people, tasks = finance_people(), by_id(demo(), "incident")
    sorry = [
        parse_instance(r["sys_created_on"])
        for r in demo()["sys_journal_field"]
        if r["value"].startswith("Sentimos el retraso")
        and tasks[r["element_id"]]["caller_id"] in people
    ]
    bad = [at for at in sorry if STORY.go_live <= at < STORY.recovery - APOLOGIES]
    assert not bad
    assert [at for at in sorry if at >= STORY.recovery - APOLOGIES]


# ── the ring ─────────────────────────────────────────────────────────────────────────────────


def test_finance_meets_its_provider_and_signs_an_agreement_soon_after_the_recovery() -> None:
    service = next(r["sys_id"] for r in demo()["cmdb_ci_service"] if "E-invoicing" in r["name"])
    contract = next(r for r in demo()["ast_contract"] if r["u_business_service"] == service)
    assert contract["business_owner"] in finance_people()
    assert contract["state"] == "active"
    started = parse_instance(contract["starts"] + " 00:00:00")
    assert timedelta() < started - STORY.recovery < timedelta(days=20)
    meetings = [r for r in demo()["sn_acct_lc_touchpoint"] if r["u_business_service"] == service]
    held = [parse_instance(r["start_date"]) for r in meetings if r["state"] == "completed"]
    assert any(at < STORY.recovery for at in held)
    assert len([at for at in held if at > STORY.recovery]) >= 3


def test_the_go_live_is_a_change_that_failed_and_its_problem_was_known() -> None:
    changed = {r["number"]: r for r in demo()["change_request"]}
    assert changed[GO_LIVE_CHANGE]["close_code"] == "unsuccessful"
    assert changed[REPAIR_CHANGE]["close_code"] == "successful"
    problem = next(r for r in demo()["problem"] if r["number"] == INVOICING_PROBLEM)
    assert (problem["known_error"], problem["state"]) == ("true", "107")
