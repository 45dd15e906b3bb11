"""A small sandbox for tests: a schema of its own, 25 incidents, a real server on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests

from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.instance import Instance
from connector.sandbox.schema import load_schema
from connector.sandbox.server import listen, server_for
from connector.sandbox.tls import Tls

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
USER = "travesia.integration"
PASSWORD = "sandbox"
USER_ID = "a" * 32
CALLER_ID = "c" * 32
ROLE_ID = "b" * 32
SAME_SECOND = "2026-11-10 00:00:00"

SCHEMA = """
[task]
label = { en = "Task", es = "Tarea" }
plural = { en = "Tasks", es = "Tareas" }
prefix = "TASK"
list = ["number", "short_description", "state"]
[task.columns]
number = { type = "string", label = { en = "Number", es = "Número" } }
sys_class_name = { type = "string", label = { en = "Task type", es = "Tipo de tarea" } }
short_description = { type = "string", label = { en = "Short description", es = "Resumen" } }
description = { type = "string", label = { en = "Description", es = "Descripción" } }
state = { type = "integer", label = { en = "State", es = "Estado" } }
active = { type = "boolean", label = { en = "Active", es = "Activo" } }
opened_at = { type = "glide_date_time", label = { en = "Opened", es = "Abierto" } }
reassignment_count = { type = "integer", label = { en = "Reassignments", es = "Reasignaciones" } }
calendar_duration = { type = "glide_duration", label = { en = "Duration", es = "Duración" } }
watch_list = { type = "glide_list", reference = "sys_user", label = { en = "Watch", es = "Ven" } }
comments = { type = "journal_input", label = { en = "Comments", es = "Comentarios" } }
[task.choices]
state = [
    { value = "1", en = "Open", es = "Abierta" },
    { value = "3", en = "Closed Complete", es = "Cerrada completa" },
]

[incident]
label = { en = "Incident", es = "Incidencia" }
plural = { en = "Incidents", es = "Incidencias" }
extends = "task"
prefix = "INC"
list = ["number", "short_description", "state", "caller_id"]
[incident.columns]
caller_id = { type = "reference", reference = "sys_user", label = { en = "Caller", es = "Llama" } }
priority = { type = "integer", label = { en = "Priority", es = "Prioridad" } }
close_notes = { type = "string", label = { en = "Close notes", es = "Notas de cierre" } }
[incident.choices]
state = [
    { value = "1", en = "New", es = "Nueva" },
    { value = "2", en = "In Progress", es = "En curso" },
    { value = "3", en = "On Hold", es = "En espera" },
]

[sc_task]
label = { en = "Catalogue task", es = "Tarea de catálogo" }
plural = { en = "Catalogue tasks", es = "Tareas de catálogo" }
extends = "task"
prefix = "SCTASK"

[task_sla]
label = { en = "Task SLA", es = "SLA de tarea" }
plural = { en = "Task SLAs", es = "SLA de tareas" }
display = "task"
list = ["task", "has_breached", "start_time"]
[task_sla.columns]
task = { type = "reference", reference = "task", label = { en = "Task", es = "Tarea" } }
has_breached = { type = "boolean", label = { en = "Has breached", es = "Incumplido" } }
start_time = { type = "glide_date_time", label = { en = "Start", es = "Inicio" } }
active = { type = "boolean", label = { en = "Active", es = "Activo" } }
sla = { type = "reference", reference = "contract_sla", label = { en = "SLA", es = "SLA" } }
planned_end_time = { type = "glide_date_time", label = { en = "Breach time", es = "Límite" } }
pause_time = { type = "glide_date_time", label = { en = "Pause time", es = "Pausa" } }
pause_duration = { type = "glide_duration", label = { en = "Paused", es = "En pausa" } }
percentage = { type = "decimal", label = { en = "Percentage", es = "Porcentaje" } }
business_percentage = { type = "decimal", label = { en = "Business", es = "Laborable" } }
business_time_left = { type = "glide_duration", label = { en = "Left", es = "Restante" } }

[contract_sla]
label = { en = "SLA", es = "SLA" }
plural = { en = "SLAs", es = "SLA" }
[contract_sla.columns]
name = { type = "string", label = { en = "Name", es = "Nombre" } }
duration = { type = "glide_duration", label = { en = "Duration", es = "Duración" } }

[sys_user]
label = { en = "User", es = "Usuario" }
plural = { en = "Users", es = "Usuarios" }
[sys_user.columns]
user_name = { type = "string", label = { en = "User ID", es = "Usuario" } }
name = { type = "string", label = { en = "Name", es = "Nombre" } }
email = { type = "string", label = { en = "Email", es = "Correo" } }
vip = { type = "boolean", label = { en = "VIP", es = "VIP" } }
time_zone = { type = "string", label = { en = "Time zone", es = "Zona horaria" } }
"""


def incident_id(index: int) -> str:
    """The sys_id of the incident INC00000<index>."""
    return f"{index:032x}"


def incidents() -> list[dict[str, str]]:
    """25 incidents; those numbered 8 to 14 share one sys_updated_on."""
    return [_incident(index) for index in range(1, 26)]


def _incident(index: int) -> dict[str, str]:
    updated = SAME_SECOND if 8 <= index <= 14 else f"2026-11-{index:02d} 08:00:00"
    return {
        "sys_id": incident_id(index),
        "number": f"INC{index:07d}",
        "short_description": f"Something broke {index}" if index % 5 else "",
        "description": "" if index == 7 else "described",
        "state": str(index % 3 + 1),
        "active": "true" if index % 2 else "false",
        "priority": str(index % 4 + 1),
        "caller_id": CALLER_ID if index % 2 else "",
        "reassignment_count": str(index),
        "opened_at": f"2026-11-{index:02d} 08:00:00",
        "sys_created_on": f"2026-11-{index:02d} 07:00:00",
        "sys_updated_on": updated,
        "sys_updated_by": "someone",
    }


def make_instance(folder: Path, *, frozen: bool = True) -> Instance:
    """An instance with the small schema, two users and 25 incidents, standing at NOW."""
    schema = folder / "schema.toml"
    schema.write_text(SCHEMA, encoding="utf-8")
    clock = VirtualClock(NOW, frozen=frozen)
    database = Database(folder / "instance.db", load_schema(schema), clock)
    users = [
        {"sys_id": USER_ID, "user_name": USER, "name": "Integration", "vip": "false"},
        {
            "sys_id": CALLER_ID,
            "user_name": "caller",
            "name": "Caller One",
            "email": "caller@example.invalid",
            "vip": "true",
        },
    ]
    database.load("sys_user", users)
    role = {"sys_id": ROLE_ID, "name": "import_transformer"}
    database.load("sys_user_role", [role])
    given = {"sys_id": "d" * 32, "user": USER_ID, "role": ROLE_ID}
    database.load("sys_user_has_role", [given])
    database.load("incident", incidents())
    return Instance(database, PASSWORD)


class Api(requests.Session):
    """A client of the running sandbox: paths instead of URLs."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.auth = (USER, PASSWORD)
        self.trust_env = False

    def request(self, method, url, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Like requests', below the sandbox's address."""
        return super().request(method, self.base + url, *args, **kwargs)


@contextmanager
def serving(instance: Instance, tls: Tls | None = None) -> Iterator[Api]:
    """A real server for the instance, on any free port, in a thread; HTTPS where `tls` is given."""
    listener = listen(0)
    server = server_for(instance, tls)
    server.ready_line = ""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        scheme = "https" if tls else "http"
        with Api(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}") as api:
            if tls:
                api.verify = str(tls.authority)
            yield api
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        instance.database.close()
