"""The demo's knowledge: articles, who reads them, whether that saves a ticket, what readers say.

Owns kb_* rows. A reading log is kept for half a year, as instances purge theirs.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record, stamped
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import Event, World, dice, record_id
from connector.sandbox.seeds.demo.life import Life
from connector.sandbox.seeds.demo.organisation import INVOICING, IT, Organisation, Person
from connector.sandbox.seeds.demo.story import Story

BASES = {
    "users": "Guías para usuarios / User guides",
    "agents": "Guías para agentes / Agent guides",
}
KEPT = timedelta(days=180)
USUAL_VIEWS, VIEWS_BEFORE_TICKET, FEEDBACK = 620, 0.22, 0.12

ARTICLES: Mapping[str, tuple[str, str, str]] = {
    "auto_reply": ("Respuesta automática del correo / Automatic mail reply", "mail", "published"),
    "calendar": ("Compartir el calendario / Sharing a calendar", "mail", "published"),
    "vpn": ("Conectarse por VPN / Connecting by VPN", "network", "published"),
    "wifi": ("Wi-Fi en salas de reuniones / Wi-Fi in meeting rooms", "network", "published"),
    "password": ("Cambiar la contraseña / Changing your password", "identity", "published"),
    "folder": ("Pedir acceso a una carpeta / Asking for folder access", "identity", "published"),
    "print": ("Imprimir en la planta / Printing on the floor", "printing", "published"),
    "erp_cancel": ("Anular un pedido en el ERP / Cancelling an order", "erp", "published"),
    "erp_report": ("Informe mensual del ERP / Monthly ERP report", "erp", "published"),
    "monitor": ("Pedir un segundo monitor / Ordering a second monitor", "workplace", "published"),
    "crm_quote": ("Ofertas en el CRM / Quotes in the CRM", "crm", "published"),
    "first_day": ("Su primer día / Your first day", "workplace", "published"),
    "invoicing": ("Facturación electrónica: guía / E-invoicing guide", INVOICING, "published"),
    "invoicing_error": (
        "Error conocido: facturas rechazadas / Known error: rejected invoices",
        *(INVOICING, "published"),
    ),
    "old_vpn": ("VPN anterior / The former VPN", "network", "retired"),
    "intranet": ("Publicar en la intranet / Publishing on the intranet", "intranet", "review"),
    "payroll": ("Leer la nómina / Reading your payslip", "payroll", "draft"),
    "old_mail": ("Correo: versión anterior / Mail: former version", "mail", "outdated"),
    "old_crm": ("CRM clásico / Classic CRM", "crm", "pending_retirement"),
}
"""Key → title, service, workflow state."""

_ABOUT = {"mail": "auto_reply", "network": "vpn", "identity": "password", "printing": "print",
          "erp": "erp_cancel", "workplace": "monitor", "crm": "crm_quote",
          INVOICING: "invoicing"}  # fmt: skip
"""Service → the article that somebody with a question about it finds."""


def add_knowledge(
    world: World, organisation: Organisation, story: Story, lives: list[Life]
) -> None:
    """Adds bases, articles, readings and ratings; `lives` are the tickets that readers open."""
    for key, title in BASES.items():
        values = {"title": title, "owner": organisation.head(IT).sys_id, "active": "true"}
        world.rows["kb_knowledge_base"].append(stamped(record_id("kb_knowledge_base", key), values))
    chance = dice("knowledge")
    views = [*_free_views(organisation, story, chance), *_failed_views(story, lives, chance)]
    counts = dict.fromkeys(ARTICLES, 0)
    for place, (at, person, article, helped) in enumerate(sorted(views, key=lambda v: v[0])):
        counts[article] += at <= story.now
        _add_view(world, place, at, person, article, helped)
        if chance.random() < FEEDBACK:
            _add_feedback(world, place, at, person, article, helped, chance)
    for place, key in enumerate(ARTICLES):
        _add_article(world, organisation, story, place, key, counts[key])


View = tuple[datetime, Person, str, bool]


def _free_views(organisation: Organisation, story: Story, chance: random.Random) -> Iterator[View]:
    """Readings after which nobody needs a ticket: mostly they help."""
    live = [key for key, (_t, _s, state) in ARTICLES.items() if state == "published"]
    begins = story.now - KEPT
    for at in working_time.arrivals(begins, story.now, USUAL_VIEWS, chance):
        person = chance.choice([p for p in organisation.everybody if p.works_at(at)])
        yield at, person, chance.choice(live), chance.random() < 0.7


def _failed_views(story: Story, lives: list[Life], chance: random.Random) -> Iterator[View]:
    """Readings that ended in a ticket within the hour: self-help that failed."""
    for life in lives:
        plan = life.plan
        article = _ABOUT.get(plan.subject.service)
        is_kept = story.now - KEPT < plan.opened <= story.now
        if plan.caller and article and is_kept and chance.random() < VIEWS_BEFORE_TICKET:
            at = plan.opened - timedelta(minutes=chance.randint(4, 55))
            yield at, plan.caller, article, False


def _add_view(
    world: World, place: int, at: datetime, person: Person, article: str, helped: bool
) -> None:
    values = {
        "article": record_id("kb_knowledge", article),
        "user": person.sys_id,
        "viewed": "true",
        "used": "true" if helped else "false",
        "session": record_id("session", str(place)),
    }
    world.add("kb_use", f"view {place}", [Event(at, person.user_name, values)])


def _add_feedback(
    world: World,
    place: int,
    at: datetime,
    person: Person,
    article: str,
    helped: bool,
    chance: random.Random,
) -> None:
    rating = chance.choice((4, 5)) if helped else chance.choice((1, 2, 3))
    is_mute = chance.random() < 0.12
    values = {
        "article": record_id("kb_knowledge", article),
        "user": person.sys_id,
        "rating": "3" if is_mute else str(rating),
        "useful": "" if is_mute else "yes" if helped else "no",
        "flagged": "true" if rating == 1 and not is_mute else "false",
        "comments": ""
        if helped
        else half("Faltan capturas. / Screenshots missing.", person.language),
    }
    at += timedelta(minutes=3)
    world.add("kb_feedback", f"feedback {place}", [Event(at, person.user_name, values)])


def _add_article(
    world: World, organisation: Organisation, story: Story, place: int, key: str, views: int
) -> None:
    title, service, state = ARTICLES[key]
    author = organisation.people[IT][3 + place % 6]
    is_error = key == "invoicing_error"
    written = story.go_live + timedelta(days=24) if is_error else story.now - timedelta(days=620)
    written += timedelta(days=place)
    if state in ("draft", "review"):
        written = story.now - timedelta(days=5)
    values = {
        "number": f"KB{1001 + place:07}",
        "short_description": title,
        "kb_knowledge_base": record_id("kb_knowledge_base", "agents" if is_error else "users"),
        "workflow_state": "draft",
        "author": author.sys_id,
        "cmdb_ci": record_id("cmdb_ci_service", service),
        "language": "es",
        "active": "true",
        "sys_view_count": str(views),
        "use_count": str(views // 2),
    }
    begun = working_time.opening(written)
    events = [Event(begun, author.user_name, values)]
    if state != "draft":
        events.append(
            Event(working_time.plus(begun, 3), author.user_name, {"workflow_state": "review"})
        )
    if state not in ("draft", "review"):
        events += _published(working_time.plus(begun, 12), story, author, state)
    world.add("kb_knowledge", key, events)


def _published(at: datetime, story: Story, author: Person, state: str) -> Iterator[Event]:
    values: Record = {
        "workflow_state": "published",
        "published": at.date().isoformat(),
        "valid_to": (at + timedelta(days=900)).date().isoformat(),
    }
    yield Event(at, author.user_name, values)
    if state != "published":
        yield Event(story.now - timedelta(days=18), author.user_name, {"workflow_state": state})
