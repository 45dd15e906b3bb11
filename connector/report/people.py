"""The chapters that touch on people: departments, and what they went through month by month."""

from collections.abc import Sequence

from connector.messages import _
from connector.report.definitions import heading, meaning
from connector.report.figures import NO_DEPARTMENT, ApprovalMonth, DepartmentFigures
from connector.report.layout import Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, count, duration, month, number, of, share


def _department_name(row: DepartmentFigures) -> str:
    if row.department == NO_DEPARTMENT:
        return _("No department")
    return clean(row.name) if row.department else _("The others, together")


def departments(report: Report) -> Section:
    """Tickets and SLA clocks by department, in the language `_` speaks."""
    minimum = report.figures.minimum_group
    rows = tuple(
        (
            _department_name(row),
            number(row.people),
            number(row.opened),
            count(row.open),
            of(row.sla) if row.sla else NOTHING,
        )
        for row in report.figures.departments
    )
    columns = (
        _("Department"),
        _("People"),
        heading("tickets_opened"),
        heading("records_open"),
        heading("sla_met_share"),
    )
    return Section(
        "departments",
        _("Departments"),
        meaning("department_tickets"),
        (Table(_("Tickets by department"), columns, rows),),
        (
            _("A department is shown from {n} people on; smaller ones go together.").format(
                n=number(minimum)
            ),
        ),
        ("department_tickets", "tickets_opened", "records_open", "sla_met_share"),
    )


def months(report: Report) -> Section:
    """SLA of the departments and the wait for approvals, month by month."""
    figures = report.figures.months
    tables, meanings = [], []
    if figures.departments:
        meanings.append(meaning("sla_met_by_month"))
        tables.append(
            Table(
                _("SLA by department and month"),
                (_("Department"), *(month(first) for first in figures.months)),
                tuple(
                    (clean(row.name), *(share(met) if met else NOTHING for met in row.met))
                    for row in figures.departments
                ),
            )
        )
    if figures.approvals:
        meanings.append(meaning("approval_wait_median"))
        tables.append(_approval_table(figures.approvals))
    minimum = number(report.figures.minimum_group)
    note = _(
        "– stands where there is nothing, or too few people (under {n}) to be shown, or where a"
        " figure so hidden could be had from the others."
    )
    return Section(
        "months",
        _("Month by month"),
        " ".join(meanings),
        tuple(tables),
        (note.format(n=minimum),),
        (
            "sla_met_by_month",
            "approval_wait_median",
            "approval_wait_slow",
            "approvals_waiting",
            "approvals_decided",
        ),
    )


def _approval_table(approvals: Sequence[ApprovalMonth]) -> Table:
    figures = (
        "approvals_decided",
        "approval_wait_median",
        "approval_wait_slow",
        "approvals_waiting",
    )
    return Table(
        _("Approvals by the month in which they were asked for"),
        (_("Month"), *(heading(figure) for figure in figures)),
        tuple(
            (
                month(row.month),
                number(row.decided),
                duration(row.median_seconds),
                duration(row.slow_seconds),
                number(row.waiting),
            )
            for row in approvals
        ),
    )
