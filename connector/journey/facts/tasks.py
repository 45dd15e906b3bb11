"""Facts of the work behind a record: its items, tasks, and what was handed to suppliers."""

from connector.journey.facts.model import Fact, Rows

_SUPPLIER = "active=true^assignment_group.nameLIKE@supplier_group_words"


def _tasks(rows: Rows, *, en: str, es: str) -> tuple[Fact, ...]:
    return (
        rows.count("total", "", f"{en} of the record", f"{es} del registro"),
        rows.count("open", "active=true", f"Open {en[0].lower()}{en[1:]}", f"{es} abiertas"),
        rows.count(
            "supplier_open",
            _SUPPLIER,
            f"Open {en[0].lower()}{en[1:]} of a supplier's group",
            f"{es} abiertas de un grupo de proveedor",
        ),
    )


_items = Rows("items", ("sc_request",), "sc_req_item", ("request",))

FACTS = (
    *_tasks(
        Rows("tasks", ("sc_req_item",), "sc_task", ("request_item",)),
        en="Catalogue tasks",
        es="Tareas de catálogo",
    ),
    *_tasks(
        Rows("tasks", ("sc_request",), "sc_task", ("request",)),
        en="Catalogue tasks",
        es="Tareas de catálogo",
    ),
    *_tasks(
        Rows("tasks", ("change_request",), "change_task", ("change_request",)),
        en="Change tasks",
        es="Tareas de cambio",
    ),
    _items.count("total", "", "Items of the request", "Elementos de la solicitud"),
    _items.count("open", "active=true", "Open items of the request", "Elementos abiertos"),
)
