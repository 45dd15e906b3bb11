"""The demo's service catalogue: what can be ordered, and how it is fulfilled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.sandbox.seeds.base import Batch, Record, stamped
from connector.sandbox.seeds.demo.history import duration, record_id
from connector.sandbox.seeds.demo.organisation import (
    APPLICATIONS,
    DESK,
    ERP_SUPPLIER,
    IDENTITY,
    INVOICING,
    NETWORK,
    PRINT_SUPPLIER,
    PURCHASING,
    TRAINING,
    WORKPLACE,
)

CATEGORIES: Mapping[str, str] = {
    "people": "Personas / People",
    "access": "Accesos / Access",
    "hardware": "Equipos / Hardware",
    "software": "Software",
    "training": "Formación / Training",
    "services": "Servicios / Services",
}


@dataclass(frozen=True)
class Item:
    """A catalogue item and how it is fulfilled; `price` in euros, `hours` of working time."""

    key: str
    name: str
    category: str
    group: str
    price: int
    hours: float
    is_approved: bool = True
    supplier: str = ""
    weight: int = 4

    @property
    def service(self) -> str:
        """The service that it belongs to; '' where the catalogue says none."""
        return ITEM_SERVICES.get(self.key, "")


ITEMS: tuple[Item, ...] = (
    Item("onboarding", "Alta de empleado / Employee onboarding", "people", DESK, 0, 20, weight=0),
    Item("offboarding", "Baja de empleado / Employee offboarding", "people", DESK, 0, 10, weight=0),
    Item("move", "Cambio de puesto / Desk move", "people", WORKPLACE, 0, 18, weight=2),
    Item("app_access", "Acceso a aplicación / Application access", "access", IDENTITY, 0, 8),
    Item("mailbox", "Cuenta de correo compartida / Shared mailbox", "access", IDENTITY, 0, 6),
    Item("folder", "Permiso de carpeta / Folder permission", "access", IDENTITY, 0, 5),
    Item("vpn", "Acceso VPN / VPN access", "access", NETWORK, 0, 6, is_approved=False, weight=3),
    Item("laptop", "Portátil / Laptop", "hardware", PURCHASING, 1200, 60),
    Item("monitor", "Monitor", "hardware", PURCHASING, 250, 40),
    Item("phone", "Teléfono móvil / Mobile phone", "hardware", PURCHASING, 600, 45),
    Item("dock", "Base de conexión / Docking station", "hardware", PURCHASING, 180, 35, weight=2),
    Item("bi", "Licencia de análisis / Analytics licence", "software", APPLICATIONS, 300, 12),
    Item("design", "Licencia de diseño / Design licence", "software", APPLICATIONS, 500, 12,
         weight=2),
    Item("install", "Instalación de software / Software installation", "software", WORKPLACE, 0, 7,
         is_approved=False),
    Item("erp_course", "Curso de ERP / ERP course", "training", TRAINING, 90, 30,
         is_approved=False, weight=2),
    Item("security", "Taller de seguridad / Security workshop", "training", TRAINING, 0, 25,
         is_approved=False, weight=2),
    Item("invoicing_course", "Formación en facturación electrónica / E-invoicing training",
         "training", TRAINING, 0, 25, is_approved=False, weight=1),
    Item("report", "Informe a medida / Custom report", "services", APPLICATIONS, 400, 50, weight=3),
    Item("room", "Equipo de sala de reuniones / Meeting room kit", "services", WORKPLACE, 150, 20,
         weight=1),
    Item("printer", "Impresora de planta / Floor printer", "services", PRINT_SUPPLIER, 350, 50,
         supplier=PRINT_SUPPLIER, weight=2),
    Item("erp_change", "Mejora pequeña del ERP / Small ERP change", "services", ERP_SUPPLIER, 900,
         80, supplier=ERP_SUPPLIER, weight=2),
)  # fmt: skip


ITEM_SERVICES: Mapping[str, str] = {
    **dict.fromkeys(("move", "laptop", "monitor", "dock", "install"), "workplace"),
    **dict.fromkeys(("app_access", "folder"), "identity"),
    **dict.fromkeys(("erp_course", "erp_change"), "erp"),
    "mailbox": "mail",
    "vpn": "network",
    "printer": "printing",
    "invoicing_course": INVOICING,
}
"""Item → its service. Some items have none, as in most catalogues."""


def records() -> Iterator[Batch]:
    """Categories and items, as they always were."""
    yield (
        "sc_category",
        [
            stamped(record_id("sc_category", key), {"title": title, "active": "true"})
            for key, title in CATEGORIES.items()
        ],
    )
    yield "sc_cat_item", [_item(item) for item in ITEMS]


def _item(item: Item) -> Record:
    return stamped(
        record_id("sc_cat_item", item.key),
        {
            "name": item.name,
            "category": record_id("sc_category", item.category),
            "group": record_id("sys_user_group", item.group),
            "price": str(item.price),
            "delivery_time": duration(item.hours),
            "active": "true",
        },
    )
