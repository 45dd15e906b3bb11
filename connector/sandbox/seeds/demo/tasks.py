"""What every task record of the demo begins with, and how it ends.

For tables whose lives are a short row of states; incidents and requests have lives of their own.
"""

from datetime import datetime

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo.history import moment, record_id
from connector.sandbox.seeds.demo.organisation import COMPANY


def task(table: str, number: str, text: str, opened: datetime, **values: str) -> Record:
    """The fields of a new task; `service` and `group` are keys of the organisation."""
    service, group = values.pop("service", ""), values.pop("group", "")
    return {
        "number": number,
        "sys_class_name": table,
        "short_description": text,
        "active": "true",
        "opened_at": moment(opened),
        "priority": "3",
        "impact": "2",
        "urgency": "2",
        "company": record_id("core_company", COMPANY),
        **({"business_service": record_id("cmdb_ci_service", service)} if service else {}),
        **({"assignment_group": record_id("sys_user_group", group)} if group else {}),
        **values,
    }


def over(state: str, at: datetime, **values: str) -> Record:
    """The fields of a task that ends in `state` at an instant."""
    return {"state": state, "active": "false", "closed_at": moment(at), **values}
