"""Facts of records that belong together: children, what a change caused, improvements."""

from connector.journey.facts.model import Fact, Rows

_CATALOGUE = "document_tableINsc_req_item,sc_request,sc_cat_item"


def _open_and_all(rows: Rows, en: str, es: str, is_feminine: bool = True) -> tuple[Fact, ...]:
    ending = "abiertas" if is_feminine else "abiertos"
    return (
        rows.count("total", "", en, es),
        rows.count("open", "active=true", f"{en}, still open", f"{es}, todavía {ending}"),
    )


_improved = ("incident", "sn_customerservice_case", "problem", "asmt_assessment_instance")
_related = Rows("related", ("interaction",), "interaction_related_record", ("interaction",))
_interactions = Rows(
    "interactions",
    ("incident", "sc_request", "sc_req_item", "sn_customerservice_case"),
    "interaction_related_record",
    ("document_id", "task"),
)
_improvements = Rows("improvements", _improved, "sn_cim_register", ("source_id",))

FACTS: tuple[Fact, ...] = (
    *_open_and_all(
        Rows("children", ("incident",), "incident", ("parent_incident",)),
        "Incidents that hang on it",
        "Incidencias que dependen de ella",
    ),
    *_open_and_all(
        Rows("incidents", ("problem",), "incident", ("problem_id",)),
        "Incidents of the problem",
        "Incidencias del problema",
    ),
    *_open_and_all(
        Rows("incidents", ("change_request",), "incident", ("caused_by",)),
        "Incidents that the change caused",
        "Incidencias causadas por el cambio",
    ),
    *_open_and_all(
        Rows("changes", ("problem", "sc_req_item", "dmn_demand"), "change_request", ("parent",)),
        "Changes that belong to it",
        "Cambios que le pertenecen",
        is_feminine=False,
    ),
    *_open_and_all(
        Rows("projects", ("dmn_demand",), "pm_project", ("demand",)),
        "Projects of the demand",
        "Proyectos de la demanda",
        is_feminine=False,
    ),
    *_open_and_all(
        Rows("demands", ("im_idea_core", "idea"), "dmn_demand", ("idea",)),
        "Demands that came of the idea",
        "Demandas surgidas de la idea",
    ),
    *_open_and_all(
        _improvements,
        "Improvement initiatives that came of it",
        "Iniciativas de mejora surgidas de ello",
    ),
    _interactions.count(
        "total",
        "",
        "Calls, chats and other interactions tied to it",
        "Llamadas, chats y otras interacciones vinculadas",
    ),
    _related.count(
        "total", "", "Records that came of the interaction", "Registros surgidos de la interacción"
    ),
    _related.count(
        "catalogue",
        _CATALOGUE,
        "Catalogue items and requests tied to the interaction",
        "Artículos y solicitudes de catálogo vinculados a la interacción",
    ),
)
