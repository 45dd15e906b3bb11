"""ServiceNow over its REST APIs: `connect(Connection(...))` answers an instance."""

from connector.itsm.servicenow.client import ServiceNow, connect
from connector.itsm.servicenow.settings import AuthKind, Connection

__all__ = ["AuthKind", "Connection", "ServiceNow", "connect"]
