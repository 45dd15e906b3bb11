"""What people write in the demo's tickets, in Spanish and English. Invented, without names."""

from dataclasses import dataclass

from connector.sandbox.seeds.demo.organisation import (
    APPLICATIONS,
    DESK,
    IDENTITY,
    INVOICING,
    NETWORK,
    PRINT_SUPPLIER,
    TRAINING,
    WORKPLACE,
)


@dataclass(frozen=True)
class Subject:
    """A kind of ticket: where it belongs and how a user would put it."""

    category: str
    subcategory: str
    service: str
    group: str
    es: str
    en: str
    weight: int = 4

    def text(self, language: str) -> str:
        """The short description in the user's language."""
        return self.es if language == "es" else self.en


SUBJECTS: tuple[Subject, ...] = (
    Subject("software", "email", "mail", WORKPLACE, "El correo no sincroniza desde esta mañana",
            "Mail has not synchronised since this morning", 8),
    Subject("software", "email", "mail", WORKPLACE, "No puedo abrir el calendario compartido",
            "I cannot open the shared calendar"),
    Subject("software", "application", "erp", APPLICATIONS, "El ERP se cierra al contabilizar",
            "The ERP closes when posting an entry", 6),
    Subject("software", "application", "erp", APPLICATIONS, "Error al exportar el informe mensual",
            "Error when exporting the monthly report", 5),
    Subject("software", "application", "crm", APPLICATIONS, "El CRM va muy lento con las ofertas",
            "The CRM is very slow with quotes", 6),
    Subject("software", "application", "payroll", APPLICATIONS, "La nómina no muestra las dietas",
            "Payroll does not show the expenses", 2),
    Subject("software", "operating_system", "workplace", WORKPLACE,
            "El equipo se reinicia después de la actualización",
            "The computer restarts after the update", 5),
    Subject("software", "application", "intranet", APPLICATIONS,
            "La intranet no carga las noticias", "The intranet does not load the news", 2),
    Subject("hardware", "laptop", "workplace", WORKPLACE, "El portátil no arranca",
            "The laptop does not start", 6),
    Subject("hardware", "monitor", "workplace", WORKPLACE, "El monitor parpadea",
            "The monitor flickers", 3),
    Subject("hardware", "printer", "printing", PRINT_SUPPLIER,
            "La impresora de la planta no imprime", "The floor printer does not print", 7),
    Subject("network", "vpn", "network", NETWORK, "La VPN se corta cada pocos minutos",
            "The VPN drops every few minutes", 8),
    Subject("network", "wifi", "network", NETWORK, "Sin Wi-Fi en la sala de reuniones",
            "No Wi-Fi in the meeting room", 5),
    Subject("database", "query", "erp", APPLICATIONS, "La consulta de stock no devuelve datos",
            "The stock query returns no data", 2),
    Subject("access", "password", "identity", IDENTITY,
            "Cuenta bloqueada tras cambiar la contraseña",
            "Account locked after changing the password", 10),
    Subject("access", "permission", "identity", IDENTITY,
            "No tengo permiso en la carpeta del equipo",
            "I have no permission on the team folder", 6),
    Subject("inquiry", "how_to", "mail", DESK, "¿Cómo configuro la respuesta automática?",
            "How do I set up the automatic reply?", 6),
    Subject("inquiry", "how_to", "erp", TRAINING, "¿Cómo se anula un pedido en el ERP?",
            "How do I cancel an order in the ERP?", 4),
    Subject("inquiry", "order", "workplace", DESK, "¿Dónde se pide un segundo monitor?",
            "Where can I order a second monitor?", 4),
    Subject("compliment", "service", "workplace", DESK, "Gracias por la ayuda de ayer",
            "Thank you for the help yesterday", 1),
)  # fmt: skip

INVOICING_SUBJECTS: tuple[Subject, ...] = (
    Subject("software", "application", INVOICING, APPLICATIONS,
            "Facturación electrónica: las facturas se rechazan al enviarlas",
            "E-invoicing: invoices are rejected on sending", 8),
    Subject("software", "application", INVOICING, APPLICATIONS,
            "Facturación electrónica: faltan facturas de proveedores",
            "E-invoicing: supplier invoices are missing", 6),
    Subject("software", "application", INVOICING, APPLICATIONS,
            "Facturación electrónica: muy lenta al cierre del mes",
            "E-invoicing: very slow at month end", 5),
    Subject("access", "permission", INVOICING, IDENTITY,
            "Facturación electrónica: no puedo aprobar facturas",
            "E-invoicing: I cannot approve invoices", 3),
)  # fmt: skip

COMPLAINT = Subject(
    "complaint", "service", INVOICING, DESK,
    "Queja: llevamos días sin respuesta sobre la facturación",
    "Complaint: days without an answer about invoicing",
)  # fmt: skip
SLOW_COMPLAINT = Subject(
    "complaint", "service", "workplace", DESK,
    "Queja: nadie me ha devuelto la llamada",
    "Complaint: nobody has called me back",
)  # fmt: skip
PRAISE = Subject(
    "compliment", "service", INVOICING, DESK,
    "Felicitación: la facturación ya funciona, gracias al equipo",
    "Compliment: invoicing works now, thanks to the team",
)  # fmt: skip
TRANSPORT = Subject(
    "software", "application", "transport", APPLICATIONS,
    "El portal de transporte no encuentra mis envíos",
    "The transport portal does not find my shipments",
)  # fmt: skip
ALERTS: tuple[Subject, ...] = (
    Subject("network", "wifi", "network", NETWORK, "Punto de acceso sin respuesta",
            "Access point not responding"),
    Subject("database", "query", "erp", APPLICATIONS, "Espacio en disco por debajo del 10 %",
            "Disk space below 10 %"),
    Subject("software", "application", "crm", APPLICATIONS,
            "Tiempo de respuesta por encima del umbral", "Response time above the threshold"),
)  # fmt: skip

FIRST_ANSWER = {
    "es": "Hola, hemos recibido su aviso y ya lo estamos mirando.",
    "en": "Hello, we have received your ticket and are looking into it.",
}
QUESTION = {
    "es": "¿Puede decirnos desde cuándo ocurre y enviarnos una captura?",
    "en": "Could you tell us since when it happens and send a screenshot?",
}
TASK_QUESTION = {
    "es": "¿A qué sala se lo llevamos?",
    "en": "Which room shall we bring it to?",
}
REPLY = {"es": "Desde ayer. Adjunto la captura.", "en": "Since yesterday. Screenshot attached."}
SOLVED = {
    "es": "Lo hemos corregido. Si vuelve a ocurrir, responda a este mensaje.",
    "en": "We have fixed it. If it happens again, please answer this message.",
}
REOPENED = {"es": "Sigue sin funcionar.", "en": "It still does not work."}
WITHDRAWN = {"es": "Ya no hace falta, gracias.", "en": "No longer needed, thank you."}
DIAGNOSIS = {
    "es": "Revisado el registro de eventos; se pasa al grupo competente.",
    "en": "Event log checked; passed to the group in charge.",
}
HELD = {
    "3": {"es": "Ligada a un problema abierto.", "en": "Linked to an open problem."},
    "4": {
        "es": "Avisado el proveedor; esperamos pieza.",
        "en": "Supplier told; waiting for a part.",
    },
    "5": {"es": "Se corrige con el próximo cambio.", "en": "To be fixed by the next change."},
}
NO_BUDGET = {"es": "Sin presupuesto este trimestre.", "en": "No budget this quarter."}
GAVE_UP = {
    "es": "Retiro la solicitud: nadie la ha aprobado en semanas.",
    "en": "I withdraw the request: nobody has approved it for weeks.",
}
APOLOGY = {
    "es": "Sentimos el retraso: seguimos con ello y le avisaremos en cuanto esté.",
    "en": "We are sorry for the delay: we are on it and will tell you as soon as it is done.",
}
UPDATE = {
    "es": "Seguimos trabajando en ello; mañana le contamos cómo va.",
    "en": "We are still working on it and will tell you tomorrow how it goes.",
}
PROGRESS = {
    "es": "Reproducido en pruebas; pendiente de comprobar la configuración.",
    "en": "Reproduced in test; configuration still to be checked.",
}
NOTICE = {
    "es": "Corte general confirmado. Trabajamos en ello; próximo aviso en 30 minutos.",
    "en": "General outage confirmed. We are working on it; next notice in 30 minutes.",
}
RESTARTED = "Servicio reiniciado automáticamente / Service restarted automatically"
WORKAROUND = "Reenviar la factura sin anexos / Send the invoice again without attachments"
CAUSE = {
    "103": "Analizado el registro; falla la validación. / Log analysed; validation fails.",
    "104": "Corrección en preparación. / Fix being prepared.",
    "106": "Corrección aplicada y comprobada. / Fix applied and checked.",
}
IMPLEMENT = {"es": "Aplicar el cambio", "en": "Apply the change"}
ACCEPTANCE = {"es": "Prueba de aceptación del usuario", "en": "User acceptance test"}
SURVEY_WORDS = {
    "es": {1: "Muy mal, semanas sin solución.", 2: "Lento y sin noticias.", 3: "Correcto.",
           4: "Bien resuelto.", 5: "Rápido y muy amable."},
    "en": {1: "Very bad, weeks without a solution.", 2: "Slow, and no news.", 3: "All right.",
           4: "Well solved.", 5: "Quick and very kind."},
}  # fmt: skip
