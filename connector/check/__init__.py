"""Is the mapping sound, and does the instance fit it? Findings with what to do, before a run.

Only looks: never writes, neither to the instance nor to the store. A mapping that does not load at
all is told by `load_mapping`; here are the quieter things.
"""

from connector.check.annex import annex
from connector.check.choices import check_own_choices
from connector.check.effects import Effect, Effects, list_effects
from connector.check.findings import Aspect, Finding, Level, worst
from connector.check.instance import check_instance
from connector.check.mapping import check_contacts, check_mapping, check_overlay
from connector.check.on_demand import check_on_demand
from connector.check.sheet import sheet
from connector.check.writing import Past

__all__ = [
    "Aspect",
    "Effect",
    "Effects",
    "Finding",
    "Level",
    "Past",
    "annex",
    "check_contacts",
    "check_instance",
    "check_mapping",
    "check_on_demand",
    "check_overlay",
    "check_own_choices",
    "list_effects",
    "sheet",
    "worst",
]
