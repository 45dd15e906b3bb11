"""Everything of ours in the tool, as one list: a pure function of mapping and settings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connector.journey.model import Mapping as JourneyMapping
from connector.journey.own_tables import JOURNEY_TABLE
from connector.provision import access, columns, flow, layout, notification, quiet, sights, styles
from connector.provision.model import Artefact, refuse_foreign
from connector.provision.notification import Mail
from connector.staging import columns_of

ORDER = (
    *("sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice"),
    *("sys_transform_map", "sys_transform_entry", "sys_transform_script"),
    *("sys_user_role", "sys_user_role_contains", "sys_security_acl", "sys_security_acl_role"),
    *("sys_ui_view", "sys_ui_formatter", "sys_process_flow"),
    *("sys_ui_form", "sys_ui_section", "sys_ui_form_section", "sys_ui_element"),
    *("sys_ui_list", "sys_ui_list_element"),
    *("sys_ui_related_list", "sys_ui_related_list_entry"),
    "sys_ui_style",
    *("sys_filter", "sys_report", "sys_ui_action", "sys_ui_action_role"),
    notification.TABLE,
)
"""The platform tables in the order in which their records can be made."""


@dataclass(frozen=True)
class Scope:
    """For what it is made: which tables, which journey and language, how records are written."""

    tables: tuple[str, ...]
    journey: str = "travesia"
    language: str = "en"
    mode: str = "record"
    via: str = "batch"
    protect: bool = True
    """Whether the columns that we fill are read only for people."""
    mails: tuple[Mail, ...] = ()
    """Who is told of published reports."""
    relationship: bool = True
    """Whether a record refers to the row of its relationship."""

    def without(self, absent: Sequence[str]) -> "Scope":
        """The same for fewer tables."""
        return replace(self, tables=tuple(t for t in self.tables if t not in absent))

    @property
    def holders(self) -> tuple[str, ...]:
        """The written tables that get our columns: none where an own table holds them."""
        return self.tables if self.mode == "record" else ()

    @property
    def imported(self) -> tuple[str, ...]:
        """The tables that are written by import sets."""
        if self.via != "import_set":
            return ()
        return self.tables if self.mode == "record" else (JOURNEY_TABLE.name,)

    def columns(self, mapping: JourneyMapping) -> list[columns.Wanted]:
        """Every column of ours."""
        return columns.columns_of(
            mapping, self.holders, self.journey, relationship=self.relationship
        )


def artefacts_of(mapping: JourneyMapping, scope: Scope) -> tuple[Artefact, ...]:
    """Every record of ours, in the order in which they can be made; each sys_id once.

    Raises ConfigError if one of them would not be ours.
    """
    rank = {table: place for place, table in enumerate(ORDER)}
    found = tuple(sorted(_all(mapping, scope), key=lambda one: rank[one.table]))
    refuse_foreign(found)
    return found


def _all(mapping: JourneyMapping, scope: Scope) -> Iterator[Artefact]:
    wanted = scope.columns(mapping)
    staged = [(t, columns_of(t, relationship=scope.relationship)) for t in scope.imported]
    yield from columns.own_tables()
    yield from quiet.staging_tables(scope.imported)
    yield from columns.columns(wanted, protect=scope.protect)
    yield from quiet.staging_columns(staged)
    yield from columns.labels(wanted)
    yield from columns.choices(wanted)
    yield from quiet.maps(staged)
    yield from access.roles()
    yield from access.access(scope.holders, relationship=scope.relationship)
    yield from layout.view()
    yield from flow.flow(mapping, scope.holders, scope.journey, scope.language)
    yield from layout.layouts(mapping, scope.tables, scope.mode, relationship=scope.relationship)
    yield from styles.styles(scope.holders)
    yield from sights.filters(scope.tables, scope.mode)
    yield from sights.reports(scope.tables, scope.mode)
    yield from sights.actions(scope.tables)
    yield from notification.notifications(scope.mails)
