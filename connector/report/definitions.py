"""What each figure means, in one sentence: the same words in every format and in the CSV."""

from connector.messages import mark
from connector.report.chapter_definitions import CHAPTER_DEFINITIONS
from connector.report.definition import Definition

_ALL = (
    Definition(
        "records_in_period",
        "records",
        mark("In the period"),
        mark(
            "Records of the journey that were open at some moment of the period. A request, its"
            " items, tasks, approvals and surveys count each; SLA clocks do not count."
        ),
    ),
    Definition(
        "records_open",
        "records",
        mark("Of these, still open"),
        mark("Records of the period that are still open when the data end."),
    ),
    Definition(
        "open_now",
        "records",
        mark("Open now"),
        mark(
            "Every record of the journey that is open when the data end, whether it belongs to the"
            " period or came after it."
        ),
    ),
    Definition(
        "records_placed",
        "records",
        mark("Placed now"),
        mark("Every record kept that stands in this step when the data end, open or not."),
    ),
    Definition(
        "records_entered",
        "moves",
        mark("Entered"),
        mark(
            "Moves into this step within the period; a record seen for the first time enters at"
            " the date that it carries itself. Moves caused by a new mapping do not count."
        ),
    ),
    Definition(
        "records_left",
        "moves",
        mark("Left"),
        mark(
            "Moves out of this step within the period, as observed from sync to sync; – where none"
            " was seen and the whole period was not observed."
        ),
    ),
    Definition(
        "dwell_median",
        "seconds",
        mark("Median stay"),
        mark("Half of the records that left this step in the period had stayed longer than this."),
    ),
    Definition(
        "age_median",
        "seconds",
        mark("Median wait, open"),
        mark(
            "Half of the records of the period still open in this step have been there for longer"
            " than this."
        ),
    ),
    Definition(
        "records_in_band",
        "records",
        mark("By band"),
        mark(
            "Records of the period by what the other party can see of them: visible, provider"
            " backstage, consumer backstage."
        ),
    ),
    Definition(
        "sla_met",
        "clocks",
        mark("Met"),
        mark("SLA clocks that ran within the period and stopped in time."),
    ),
    Definition(
        "sla_breached",
        "clocks",
        mark("Breached"),
        mark("SLA clocks that ran within the period and passed their target, stopped or not."),
    ),
    Definition(
        "sla_breached_open",
        "clocks",
        mark("Breached, record open"),
        mark("Breached SLA clocks whose record is still open: these can still be attended to."),
    ),
    Definition(
        "sla_running",
        "clocks",
        mark("Running"),
        mark("SLA clocks that are still running or paused, and in time so far."),
    ),
    Definition(
        "sla_met_share",
        "ratio",
        mark("Met, %"),
        mark(
            "Clocks met, of those met or breached. The step is the one in which the record stands"
            " now, not the one in which the clock stopped. Cancelled clocks do not count."
        ),
    ),
    Definition(
        "touchpoint_records",
        "records",
        mark("Touchpoints"),
        mark(
            "Records of the period by the place where consumer and provider meet now. Activities"
            " behind the scenes are no contacts and are listed apart."
        ),
    ),
    Definition(
        "visible_share",
        "ratio",
        mark("Visible share"),
        mark("Records of the period that stand within the band of visibility, of all placed."),
    ),
    Definition(
        "value_confirmed_share",
        "ratio",
        mark("Value confirmed"),
        mark(
            "Of the tickets that ended in the period and brought value: those for which somebody"
            " said so, in a survey or a confirmation. In the others value is presumed from silence."
        ),
    ),
    Definition(
        "closures",
        "tickets",
        mark("Closures"),
        mark(
            "Tickets that ended within the period, by how they ended: value confirmed or denied by"
            " a voice, presumed from silence, not known yet, or ended without value."
        ),
    ),
    Definition(
        "tickets_opened",
        "tickets",
        mark("Opened"),
        mark(
            "Tickets (incidents, request items and customer service cases) opened within the week"
            " or period. Weeks are whole, Monday to Sunday; * marks one that the data do not cover"
            " to its end."
        ),
    ),
    Definition(
        "tickets_resolved",
        "tickets",
        mark("Resolved"),
        mark("Tickets resolved or closed within the week or period, and not open again now."),
    ),
    Definition(
        "unclassified_share",
        "ratio",
        mark("Unclassified"),
        mark("Records of the period that no rule of the mapping places, of all."),
    ),
    Definition(
        "low_confidence_share",
        "ratio",
        mark("Low confidence"),
        mark("Records of the period placed by a default rather than by evidence, of all."),
    ),
    Definition(
        "department_tickets",
        "tickets",
        mark("Departments"),
        mark(
            "Tickets opened in the period by the department of the person they are for. Departments"
            " of few people are shown together, never alone. SLA: all clocks decided on what is"
            " theirs, whenever it was opened; the rows make the totals."
        ),
    ),
    Definition(
        "sla_met_by_month",
        "ratio",
        mark("SLA by month"),
        mark(
            "Clocks met, of those met or breached, by the department of the person and the month in"
            " which the clock started."
        ),
    ),
    Definition(
        "approval_wait_median",
        "seconds",
        mark("Median wait for approval"),
        mark(
            "Half of the approvals asked for in the month and decided waited longer, in calendar"
            " time from asked to the last change of the approval. Those that lapsed do not count."
        ),
    ),
    Definition(
        "approval_wait_slow",
        "seconds",
        mark("One in ten waited longer than"),
        mark("One in ten of the approvals asked for in the month and decided waited longer."),
    ),
    Definition(
        "approvals_waiting",
        "approvals",
        mark("Still waiting"),
        mark("Approvals asked for in the month that nobody has decided when the data end."),
    ),
    Definition(
        "approvals_decided",
        "approvals",
        mark("Decided"),
        mark("Approvals asked for in the month that were granted or refused since."),
    ),
)

DEFINITIONS: dict[str, Definition] = {
    definition.id: definition for definition in (*_ALL, *CHAPTER_DEFINITIONS)
}
"""Every figure that a report can hold, in the order of the glossary at its end."""


def heading(figure: str) -> str:
    """The name of a figure, as a column heading."""
    return DEFINITIONS[figure].said_name


def meaning(figure: str) -> str:
    """The definition of a figure."""
    return DEFINITIONS[figure].said_text
