"""What Travesía owns inside the tool, declared from mapping and settings as records of the tool's
own configuration: tables, columns with labels, help and choices in both languages, roles and access
controls, an own view with forms and lists, filters, reports, staging tables for quiet writing.

One list (`artefacts_of`), two deliveries: an update set for the instance's admins to import, or the
difference sent over REST. Idempotent, because every record has a sys_id made of its name. Refuses
to touch what is not ours, never changes a column's type, deletes only in `remove`.
"""

from connector.provision import sheet, update_set
from connector.provision.difference import plan_provision, problems_of
from connector.provision.make import apply_provision, plan_removal, remove
from connector.provision.model import (
    Artefact,
    Provisioning,
    Step,
    artefact,
    refuse_foreign,
    stable_id,
)
from connector.provision.notification import Mail
from connector.provision.wanted import Scope, artefacts_of

__all__ = [
    "Artefact",
    "Mail",
    "Provisioning",
    "Scope",
    "Step",
    "apply_provision",
    "artefact",
    "artefacts_of",
    "plan_provision",
    "plan_removal",
    "problems_of",
    "refuse_foreign",
    "remove",
    "sheet",
    "stable_id",
    "update_set",
]
