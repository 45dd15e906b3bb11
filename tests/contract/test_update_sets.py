"""The way of an update set on the pages: upload, preview, commit, back-out; hostile files."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages_kit import Visitor, text_of
from tests.sandbox_instance import Api, incident_id, make_instance, serving
from tests.update_set_kit import (
    SET_ID,
    STEWARD,
    identity,
    journey,
    journey_set,
    payload,
    record_xml,
    update_set,
)

SET_FORM = f"/sys_remote_update_set.do?sys_id={SET_ID}"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    instance = make_instance(tmp_path)
    admin = {"sys_id": "9" * 32, "user_name": "admin", "name": "Admin"}
    instance.database.load("sys_user", [admin])
    with serving(instance) as api:
        yield api


@pytest.fixture
def admin(api: Api) -> Iterator[Visitor]:
    with Visitor(api.base) as visitor:
        visitor.log_in("admin")
        yield visitor


def stored(api: Api, table: str, query: str = "") -> list[dict[str, str]]:
    wanted = {"sysparm_query": query, "sysparm_exclude_reference_link": "true"}
    answer = api.get(f"/api/now/table/{table}", params=wanted)
    found: list[dict[str, str]] = answer.json()["result"]
    return found


def everything(api: Api) -> str:
    """All records but the bookkeeping of update sets and of deletions."""
    ours = ('"table":"sys_remote_update_set"', '"table":"sys_update_', '"table":"sys_audit_delete"')
    text = api.get("/_sandbox/dump?bookkeeping=true").content.decode()
    return "\n".join(line for line in text.splitlines() if not any(one in line for one in ours))


def test_an_upload_changes_nothing_before_it_is_committed(api: Api, admin: Visitor) -> None:
    before = everything(api)
    page = text_of(admin.upload(journey_set()).text)
    assert "Retrieved update set Journey, tried" in page
    assert "Preview Update Set" in page
    assert "Commit Update Set" not in page
    assert everything(api) == before


def test_a_preview_counts_and_a_commit_brings_it(api: Api, admin: Visitor) -> None:
    admin.upload(journey_set())
    admin.submit(SET_FORM, _set="preview")
    head = stored(api, "sys_remote_update_set")[0]
    assert (head["state"], head["inserted"], head["collisions"]) == (
        "previewed",
        str(len(journey())),
        "0",
    )
    assert stored(api, "sys_ui_view", "name=journey") == [], "a preview brings nothing"
    admin.submit(SET_FORM, _set="commit")
    assert stored(api, "sys_remote_update_set")[0]["state"] == "committed"
    for table, values in journey():
        found = stored(api, table, f"sys_id={values['sys_id']}")
        if table != "sys_documentation":  # the platform's own label has been brought to our words
            assert {name: found[0][name] for name in values} == dict(values)
    labels = stored(api, "sys_documentation", "name=incident^element=u_journey_step")
    assert sorted(row["label"] for row in labels) == ["Journey step", "Paso de la travesía"]
    new = api.patch(f"/api/now/table/incident/{incident_id(1)}", json={"u_journey_step": "agree"})
    assert new.json()["result"]["u_journey_step"] == "agree", "the column is real at once"


def test_a_second_import_of_the_same_file_changes_nothing(api: Api, admin: Visitor) -> None:
    admin.import_set(journey_set())
    before = everything(api)
    admin.import_set(journey_set())
    assert everything(api) == before
    head = stored(api, "sys_remote_update_set")[0]
    assert [head[name] for name in ("inserted", "updated", "deleted", "collisions")] == ["0"] * 4


def test_a_back_out_leaves_the_instance_as_it_was(api: Api, admin: Visitor) -> None:
    before = everything(api)
    admin.import_set(journey_set())
    assert everything(api) != before
    assert "Back Out" in admin.open(SET_FORM)
    admin.submit(SET_FORM, _set="back_out")
    assert everything(api) == before
    assert stored(api, "sys_remote_update_set")[0]["state"] == "backed_out"


def test_a_table_of_ours_comes_and_goes_with_its_columns(api: Api, admin: Visitor) -> None:
    before = everything(api)
    column = {"name": "u_note", "element": "u_text", "internal_type": "string"}
    admin.import_set(
        update_set(
            [
                payload("sys_dictionary", {"sys_id": identity(1), **column}),
                payload(
                    "sys_db_object", {"sys_id": identity(2), "name": "u_note", "label": "Note"}
                ),
            ]
        )
    )
    assert api.post("/api/now/table/u_note", json={"u_text": "x"}).status_code == 201
    admin.submit(SET_FORM, _set="back_out")
    assert api.get("/api/now/table/u_note").status_code == 400
    assert everything(api) == before


def test_what_somebody_changed_here_is_told_before_it_is_overwritten(
    api: Api, admin: Visitor
) -> None:
    role = {"sys_id": STEWARD, "name": "u_steward", "description": "ours"}
    admin.import_set(update_set([payload("sys_user_role", role)]))
    api.patch(f"/api/now/table/sys_user_role/{STEWARD}", json={"description": "theirs"})
    admin.upload(update_set([payload("sys_user_role", role)]))
    admin.submit(SET_FORM, _set="preview")
    assert "travesia.integration has changed it here" in text_of(admin.open(SET_FORM))
    admin.submit(SET_FORM, _set="commit")
    assert stored(api, "sys_user_role", f"sys_id={STEWARD}")[0]["description"] == "ours"
    admin.submit(SET_FORM, _set="back_out")
    assert stored(api, "sys_user_role", f"sys_id={STEWARD}") == [], "back to before the first one"


def test_what_cannot_be_stops_the_commit_before_anything_is_written(
    api: Api, admin: Visitor
) -> None:
    column = {"name": "no_such_table", "element": "u_x", "internal_type": "string"}
    view = {"sys_id": identity(1), "name": "v", "title": "V"}
    payloads = [
        payload("sys_ui_view", view),
        payload("sys_dictionary", {"sys_id": identity(2), **column}),
    ]
    admin.upload(update_set(payloads))
    admin.submit(SET_FORM, _set="preview")
    assert "It is about table no_such_table, which does not exist" in admin.open(SET_FORM)
    refused = admin.submit(SET_FORM, _set="commit")
    assert refused.status_code == 400
    assert "1 records stand in the way" in text_of(refused.text)
    assert stored(api, "sys_ui_view", "name=v") == []


def test_a_deletion_takes_a_record_away_and_back_out_returns_it(api: Api, admin: Visitor) -> None:
    role = {"sys_id": identity(1), "name": "old", "description": "kept"}
    api.post("/api/now/table/sys_user_role", json=role)
    admin.import_set(update_set([payload("sys_user_role", role, "DELETE")]))
    assert stored(api, "sys_user_role", "name=old") == []
    admin.submit(SET_FORM, _set="back_out")
    assert stored(api, "sys_user_role", "name=old")[0]["description"] == "kept"


def test_a_unit_of_several_records_is_read_as_its_records(api: Api, admin: Visitor) -> None:
    """Exports wrap the values of a choice list, and labels, in an element of the same name."""
    choices = [
        {
            "sys_id": identity(n),
            "name": "incident",
            "element": "priority",
            "value": str(n),
            "language": "en",
            "label": f"P{n}",
        }
        for n in (1, 2)
    ]
    inner = "".join(record_xml("sys_choice", values) for values in choices)
    unit = (
        '<record_update><sys_choice action="INSERT_OR_UPDATE" field="priority" '
        f'table="incident" version="3">{inner}</sys_choice></record_update>'
    )
    admin.import_set(update_set([unit]))
    found = stored(api, "sys_choice", "name=incident^element=priority")
    assert {row["sys_id"] for row in found} == {identity(1), identity(2)}


# ── who, and what is refused ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", ["", "caller"])
def test_only_an_administrator_may_import(api: Api, user: str) -> None:
    with Visitor(api.base) as visitor:
        if user:
            visitor.log_in(user)
        page = visitor.open("/upload.do")
        assert "Only an administrator may do this" in page
        assert 'type="file"' not in page
        assert visitor.upload(journey_set()).status_code == 403
    assert stored(api, "sys_remote_update_set") == []


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE unload [<!ENTITY a "aaaaaaaaaa">'
    '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><unload>&b;</unload>'
)
OUTSIDE = '<!DOCTYPE unload [<!ENTITY f SYSTEM "file:///etc/passwd">]><unload>&f;</unload>'
DEEP = "<unload>" + "<a>" * 50 + "</a>" * 50 + "</unload>"
MANY = "<unload>" + "<a/>" * 100_001 + "</unload>"
USER = payload("sys_user", {"sys_id": identity(1), "user_name": "x"})
INNER_BOMB = f"{BOMB}".replace("unload", "record_update")
VIEW_ONCE = payload("sys_ui_view", {"sys_id": identity(1), "name": "v"})
UPDATE_AGAIN = record_xml(
    "sys_update_xml", {"remote_update_set": SET_ID, "sys_id": f"{1:032x}"}
).encode()


HOSTILE = [
    (b"", "Choose an XML file first"),
    (b"no xml", "this is no XML: syntax error in line 1"),
    (b"\xff\xfe\x00", "this is no XML"),
    (zlib.compress(b"x" * 1000), "this is no XML"),
    (b'<?xml version="1.0" encoding="no-such"?><unload/>', "this is no XML"),
    (BOMB.encode(), "a document type (DOCTYPE) is not accepted"),
    (OUTSIDE.encode(), "a document type (DOCTYPE) is not accepted"),
    (DEEP.encode(), "nested deeper than 12"),
    (MANY.encode(), "more than 100000 elements"),
    (b"<html/>", "<unload> was expected, not <html>"),
    (b"<unload/>", "one sys_remote_update_set was expected, not 0"),
    (update_set([]), "between 1 and 20000 updates were expected, not 0"),
    (update_set([USER]), "is for the table sys_user, which no update set carries"),
    (update_set([INNER_BOMB]), "a document type (DOCTYPE) is not accepted"),
    (update_set(["<record_update>"]), "this is no XML"),
    (update_set(["<other/>"]), "begins with <other>"),
    (
        update_set([payload("sys_ui_view", {"sys_id": "' OR 1=1", "name": "v"})]),
        "no sys_id of 32 hexadecimal digits",
    ),
    (update_set([USER], "x"), "no sys_id of 32 hexadecimal digits"),
    (
        update_set([payload("sys_ui_view", {"sys_id": identity(1)}, "EXECUTE")]),
        "unknown action 'EXECUTE'",
    ),
    (
        update_set([payload("sys_ui_view", {"sys_id": identity(1)})]).replace(
            b"</unload>",
            record_xml("incident", {"sys_id": identity(2)}).encode() + b"</unload>",
        ),
        "an update set holds no incident",
    ),
    (
        update_set([VIEW_ONCE]).replace(b"</unload>", UPDATE_AGAIN + b"</unload>"),
        f"the record {1:032x} of sys_update_xml is in the file twice",
    ),
    (
        update_set([VIEW_ONCE, VIEW_ONCE]),
        f"the record {identity(1)} of sys_ui_view is in the file twice",
    ),
]


def test_a_hostile_file_is_refused_with_one_sentence(api: Api, admin: Visitor) -> None:
    before = everything(api)
    for content, reason in HOSTILE:
        answer = admin.upload(content)
        assert answer.status_code == 400, reason
        assert reason in text_of(answer.text)
    assert everything(api) == before
    assert stored(api, "sys_remote_update_set") == []


def test_why_a_file_is_refused_is_said_in_the_readers_language(api: Api, admin: Visitor) -> None:
    said = {
        b"<unload><a></unload>": "esto no es XML: etiqueta mal cerrada en la línea 1",
        DEEP.encode(): "sus elementos están anidados a más de 12 niveles",
        b"<html/>": "se esperaba <unload>, no <html>",
        update_set(
            [USER]
        ): "es para la tabla sys_user, que ningún conjunto de actualizaciones lleva",
    }
    in_spanish = f"{admin.base}/upload.do?lang=es"
    for content, reason in said.items():
        file = {"attachFile": ("set.xml", content, "text/xml")}
        answer = admin.post(in_spanish, data={"sysparm_ck": admin.word()}, files=file)
        assert reason in text_of(answer.text)
    assert stored(api, "sys_remote_update_set") == []


def test_a_huge_file_is_not_read_to_its_end(admin: Visitor) -> None:
    assert admin.upload(b"x" * (17 * 1024 * 1024)).status_code == 413
    assert admin.upload(b"x" * (33 * 1024 * 1024)).status_code == 413


def test_a_form_of_another_site_or_session_does_nothing(api: Api, admin: Visitor) -> None:
    file = {"attachFile": ("set.xml", journey_set(), "text/xml")}
    foreign = admin.post(
        f"{api.base}/upload.do",
        data={"sysparm_ck": admin.word()},
        files=file,
        headers={"Origin": "https://elsewhere.example"},
    )
    unsigned = admin.post(f"{api.base}/upload.do", data={"sysparm_ck": "guessed"}, files=file)
    assert (foreign.status_code, unsigned.status_code) == (403, 403)
    assert stored(api, "sys_remote_update_set") == []
