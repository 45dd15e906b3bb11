"""What the instance does by itself as its clock goes on: caught up before every answer.

Nothing runs in the background: a job that was due at a past instant of the virtual clock is done
before the next request sees the records, as if it had run then.
"""

from connector.sandbox import import_set, sla_job
from connector.sandbox.instance import Instance


def run_due(instance: Instance) -> None:
    """Do what has fallen due."""
    import_set.run_due(instance)
    sla_job.run_due(instance)
