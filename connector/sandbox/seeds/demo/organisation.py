"""The demo's organisation: companies, departments, people, groups, services and the catalogue.

Everything here is invented and labelled so. Owns no history: only who and what is there.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Batch, Record, stamped
from connector.sandbox.seeds.demo.history import dice, moment, record_id, truth

COMPANY = "Aurora Ficticia / Fictitious Aurora"
SUPPLIERS = ("Proveedor Ficticio Norte (sintético)", "Fictitious Supplier South (synthetic)")
FINANCE, IT = "Finanzas", "Tecnología / Information Technology"
DEPARTMENTS: Mapping[str, tuple[int, str]] = {
    FINANCE: (34, "es"),
    "Ventas": (44, "es"),
    "Operaciones": (46, "es"),
    "Recursos Humanos": (18, "es"),
    "Logística": (32, "es"),
    "Marketing": (20, "en"),
    "Legal": (14, "en"),
    IT: (30, "en"),
}
"""Department → people and the language they write in."""

LOCATIONS = (("Sede ficticia Norte", "Ciudad Norte"), ("Fictitious South Office", "South City"))
DESK, WORKPLACE, NETWORK = "service_desk", "workplace", "network"
APPLICATIONS, IDENTITY, PURCHASING = "applications", "identity", "purchasing"
TRAINING, PRINT_SUPPLIER, ERP_SUPPLIER = "training", "print_supplier", "erp_supplier"
GROUPS: Mapping[str, str] = {
    DESK: "Centro de Servicios / Service Desk",
    WORKPLACE: "Puesto de trabajo / Workplace",
    NETWORK: "Redes / Network",
    APPLICATIONS: "Aplicaciones de negocio / Business Applications",
    IDENTITY: "Identidades / Identity",
    PURCHASING: "Compras TI / IT Purchasing",
    TRAINING: "Formación digital / Digital Learning",
    PRINT_SUPPLIER: "Proveedor externo de impresión / Print supplier",
    ERP_SUPPLIER: "Proveedor externo del ERP / ERP vendor",
}
INVOICING = "invoicing"
SERVICES: Mapping[str, tuple[str, str, str]] = {
    "mail": ("Correo y calendario / Mail and calendar", WORKPLACE, "2 - somewhat critical"),
    "workplace": ("Puesto de trabajo / Workplace", WORKPLACE, "3 - less critical"),
    "network": ("Red y VPN / Network and VPN", NETWORK, "1 - most critical"),
    "erp": ("ERP", APPLICATIONS, "1 - most critical"),
    INVOICING: ("Facturación electrónica / E-invoicing", APPLICATIONS, "1 - most critical"),
    "crm": ("CRM", APPLICATIONS, "2 - somewhat critical"),
    "payroll": ("Nómina / Payroll", APPLICATIONS, "2 - somewhat critical"),
    "intranet": ("Intranet", APPLICATIONS, "4 - not critical"),
    "printing": ("Impresión / Printing", PRINT_SUPPLIER, "3 - less critical"),
    "identity": ("Identidades / Identity", IDENTITY, "1 - most critical"),
    "transport": ("Portal de transporte / Transport portal", APPLICATIONS, "3 - less critical"),
}
MACHINES = ("srv-ficticio-01", "srv-ficticio-02", "wifi-ficticio-03", "impresora-ficticia-04")


@dataclass(frozen=True)
class Person:
    """A synthetic user. `joined` is when the account was made, `left` when it was closed."""

    sys_id: str
    user_name: str
    department: str
    language: str
    is_vip: bool
    joined: datetime
    left: datetime | None

    def works_at(self, at: datetime) -> bool:
        """Whether the account was open at that instant."""
        return self.joined <= at and (self.left is None or at < self.left)


@dataclass(frozen=True)
class Organisation:
    """The people by department; the first of each is its head, the second controls its spending."""

    people: Mapping[str, tuple[Person, ...]]

    @property
    def everybody(self) -> tuple[Person, ...]:
        """All people but the provider's own."""
        return tuple(p for name, staff in self.people.items() if name != IT for p in staff)

    def agents(self, group: str) -> tuple[Person, ...]:
        """The provider's people who work in a group (suppliers are represented by one of them)."""
        staff, place = self.people[IT][2:], [*GROUPS].index(group)
        return tuple(staff[(place * 3 + i) % len(staff)] for i in range(4))

    def head(self, department: str) -> Person:
        """Who leads a department and approves for it."""
        return self.people[department][0]


def found(now: datetime) -> Organisation:
    """The organisation as it is at `now`: one in twenty joined in the last year, some left."""
    chance, number = dice("people"), 0
    people: dict[str, tuple[Person, ...]] = {}
    for department, (size, language) in DEPARTMENTS.items():
        staff = []
        for place in range(size):
            number += 1
            is_new = place > 3 and department != IT and place % 13 == 5
            has_left = place > 3 and department != IT and place % 19 == 8
            staff.append(
                Person(
                    record_id("sys_user", f"persona.{number:03}"),
                    f"persona.{number:03}",
                    department,
                    language,
                    place == 0 or chance.random() < 0.03,
                    now - timedelta(days=_days_here(number, is_new, chance)),
                    now - timedelta(days=chance.randint(20, 300)) if has_left else None,
                )
            )
        people[department] = tuple(staff)
    return Organisation(people)


def _days_here(number: int, is_new: bool, chance: random.Random) -> int:
    """The first new person came twelve days ago, so that there always is a newcomer."""
    if not is_new:
        return 800 + number
    return 12 if number < 10 else chance.randint(3, 330)


def records(organisation: Organisation, now: datetime) -> Iterator[Batch]:
    """Everything that exists before anything happens."""
    yield "core_company", [*_companies()]
    yield "cmn_location", [_named("cmn_location", n, city=c, time_zone="Europe/Madrid")
                           for n, c in LOCATIONS]  # fmt: skip
    yield "cmn_department", [*_departments(organisation)]
    yield "sys_user", [*_users(organisation, now), *_robots()]
    yield "sys_user_group", [*_groups()]
    yield "sys_user_grmember", [*_members(organisation)]
    yield "cmdb_ci_service", [*_services(organisation)]
    yield "cmdb_ci", [_named("cmdb_ci", n, sys_class_name="cmdb_ci", operational_status="1")
                      for n in MACHINES]  # fmt: skip


def _named(table: str, name: str, **values: str) -> Record:
    return stamped(record_id(table, name), {"name": name, **values})


def _companies() -> Iterator[Record]:
    note = "Sintética: no existe / Synthetic: does not exist"
    yield _named("core_company", COMPANY, customer="true", vendor="false", notes=note)
    for name in SUPPLIERS:
        yield _named("core_company", name, customer="false", vendor="true", notes=note)


def _departments(organisation: Organisation) -> Iterator[Record]:
    for place, name in enumerate(DEPARTMENTS, 1):
        yield _named(
            "cmn_department",
            name,
            id=f"D{place:02}",
            dept_head=organisation.head(name).sys_id,
            company=record_id("core_company", COMPANY),
        )


def _users(organisation: Organisation, now: datetime) -> Iterator[Record]:
    for name, staff in organisation.people.items():
        for place, person in enumerate(staff):
            number = person.user_name[-3:]
            changed = person.left or person.joined
            yield stamped(
                person.sys_id,
                {
                    "user_name": person.user_name,
                    "name": f"Persona {number} (sintética)",
                    "first_name": "Persona",
                    "last_name": f"{number} (sintética)",
                    "email": f"{person.user_name}@example.invalid",
                    "title": _title(place, person.language),
                    "department": record_id("cmn_department", name),
                    "company": record_id("core_company", COMPANY),
                    "location": record_id("cmn_location", LOCATIONS[int(number) % 2][0]),
                    "manager": "" if place == 0 else staff[0].sys_id,
                    "vip": truth(person.is_vip),
                    "active": truth(person.works_at(now)),
                    "time_zone": "Europe/Madrid",
                    "preferred_language": person.language,
                },
                created_on=moment(person.joined),
                updated_on=moment(changed),
                mod_count=1 if person.left else 0,
            )


def _title(place: int, language: str) -> str:
    if place == 0:
        return "Dirección" if language == "es" else "Head"
    return "Especialista" if language == "es" else "Specialist"


def _robots() -> Iterator[Record]:
    for user_name, name in (
        ("event.management", "Gestión de eventos (técnico)"),
        ("synthetic.monitor", "Prueba automática del portal (técnico)"),
    ):
        values = {"user_name": user_name, "name": name, "active": "true", "vip": "false"}
        yield stamped(record_id("sys_user", user_name), values)


def _groups() -> Iterator[Record]:
    for key, name in GROUPS.items():
        is_supplier = key.endswith("_supplier")
        vendor = SUPPLIERS[key == ERP_SUPPLIER] if is_supplier else ""
        yield stamped(
            record_id("sys_user_group", key),
            {
                "name": name,
                "type": "supplier" if is_supplier else "internal",
                "vendor": record_id("core_company", vendor) if vendor else "",
                "active": "true",
            },
        )


def _members(organisation: Organisation) -> Iterator[Record]:
    for key in GROUPS:
        for person in organisation.agents(key):
            yield stamped(
                record_id("sys_user_grmember", f"{key} {person.user_name}"),
                {"group": record_id("sys_user_group", key), "user": person.sys_id},
            )


def _services(organisation: Organisation) -> Iterator[Record]:
    for key, (name, group, criticality) in SERVICES.items():
        yield stamped(
            record_id("cmdb_ci_service", key),
            {
                "name": name,
                "sys_class_name": "cmdb_ci_service",
                "busines_criticality": criticality,
                "service_classification": "Business Service",
                "operational_status": "1",
                "owned_by": organisation.head(IT).sys_id,
                "support_group": record_id("sys_user_group", group),
                "company": record_id("core_company", COMPANY),
            },
        )


def somebody(staff: Sequence[Person], at: datetime, chance: random.Random) -> Person:
    """Anybody there at that time; a few people call far more often than others."""
    while True:
        place = min(int(chance.expovariate(2.2) * len(staff)), len(staff) - 1)
        person = staff[(place * 7) % len(staff)]
        if person.works_at(at):
            return person
