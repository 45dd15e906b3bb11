"""What Travesía owns inside the tool: columns on the written tables, their choices and labels in
both languages, its own tables, and for quiet writing the staging tables with their transform maps.
Planned first, applied only when asked.

Idempotent, because every record has a sys_id made of its name, and what stands is left alone.
Refuses to touch a name without our prefix, never deletes, never changes a column that stands.
"""

from connector.provision.columns import choices_of_fields
from connector.provision.make import apply_provision, plan_provision
from connector.provision.model import Artefact, Kind, Provisioning, refuse_foreign, stable_id
from connector.provision.notification import Mail

__all__ = [
    "Artefact",
    "Kind",
    "Mail",
    "Provisioning",
    "apply_provision",
    "choices_of_fields",
    "plan_provision",
    "refuse_foreign",
    "stable_id",
]
