"""The numbers of records of the demo that other records refer to before they are made."""

GO_LIVE_CHANGE, REPAIR_CHANGE, CRM_CHANGE = "CHG0001001", "CHG0001002", "CHG0001003"
PLANNED_CHANGE, WAITING_CHANGE = "CHG0001004", "CHG0001005"
BUILT_BY_CHANGE = "DMND0009006"
"""The approved demand that needs no project: a change builds it."""
INVOICING_PROBLEM, OPEN_PROBLEM = "PRB0001001", "PRB0001002"
