"""What each figure of the chapters means, in one sentence (the common ones: `definitions.py`)."""

from connector.messages import mark
from connector.report.definition import Definition

CHAPTER_DEFINITIONS = (
    Definition(
        "dwell_slow",
        "seconds",
        mark("One in ten stayed longer than"),
        mark(
            "One in ten of the records that left this step in the period had stayed longer"
            " than this."
        ),
    ),
    Definition(
        "sla_spare",
        "seconds",
        mark("Time to spare"),
        mark(
            "Half of the clocks met in the period had this much left of the agreed time, or more,"
            " when they stopped."
        ),
    ),
    Definition(
        "stays",
        "moves",
        mark("Stays ended"),
        mark("Moves out of this step in the period whose stay is known."),
    ),
    Definition(
        "waiting_share",
        "ratio",
        mark("Waiting for the consumer"),
        mark(
            "Of the time that records of the period now in this step have spent in a known"
            " band: the part in which the consumer was waited for. The rest is work, seen or"
            " not."
        ),
    ),
    Definition(
        "life_median",
        "seconds",
        mark("Median life"),
        mark(
            "Half of the records that ended in the period took longer than this from opened"
            " to ended."
        ),
    ),
    Definition(
        "life_slow",
        "seconds",
        mark("One in ten took longer than"),
        mark(
            "One in ten of the records that ended in the period took longer from opened to ended."
        ),
    ),
    Definition(
        "lives",
        "records",
        mark("Ended"),
        mark("Records that ended in the period, by the touchpoint at which they stand."),
    ),
    Definition(
        "cohort_reached",
        "records",
        mark("Reached"),
        mark("Of the records opened in the period: those that have come to this step so far."),
    ),
    Definition(
        "cohort_fate",
        "records",
        mark("What became of them"),
        mark(
            "What the records that reached a step did next: went on, went back, stand there"
            " open, ended there, or were lost, abandoned, failed or otherwise without value"
            " there."
        ),
    ),
    Definition(
        "moves",
        "moves",
        mark("Moves"),
        mark(
            "Moves from one step to another within the period. Moves caused by a new mapping"
            " do not count."
        ),
    ),
    Definition(
        "back_steps",
        "moves",
        mark("Steps back"),
        mark("Moves to an earlier step of the journey within the period."),
    ),
    Definition(
        "records_before",
        "records",
        mark("In the other period"),
        mark("Records that were open at some moment of the period of comparison."),
    ),
    Definition(
        "opened_before",
        "tickets",
        mark("Opened in the other period"),
        mark("Tickets opened within the period of comparison."),
    ),
    Definition(
        "resolved_before",
        "tickets",
        mark("Resolved in the other period"),
        mark("Tickets resolved or closed within the period of comparison."),
    ),
    Definition(
        "sla_usual",
        "ratio",
        mark("Usually met, %"),
        mark(
            "Clocks met, of all those decided on records of this priority that are kept,"
            " whenever they ran: what is usual for it."
        ),
    ),
    Definition(
        "touchpoint_opened",
        "records",
        mark("Opened"),
        mark("Records opened in the month that stand at this touchpoint when the data end."),
    ),
    Definition(
        "touchpoint_impact",
        "moments",
        mark("Balance of moments"),
        mark(
            "Moments of truth won less those lost, on the records opened in the month that"
            " stand at this touchpoint now. In brackets beside the records."
        ),
    ),
    Definition(
        "moments_lost",
        "moments",
        mark("Lost"),
        mark("Moments of truth decided against the relationship within the period."),
    ),
    Definition(
        "moments_won",
        "moments",
        mark("Won"),
        mark("Moments of truth decided in favour of the relationship within the period."),
    ),
    Definition(
        "moments_neutral",
        "moments",
        mark("Neutral"),
        mark(
            "Moments of truth whose window ended within the period without anything that"
            " decides them."
        ),
    ),
    Definition(
        "moments_open",
        "moments",
        mark("Open"),
        mark("Moments of truth that can still be turned when the data end."),
    ),
    Definition(
        "moments_urgent",
        "moments",
        mark("Ending soon"),
        mark("Open moments of truth whose window ends within three days of the end of the data."),
    ),
    Definition(
        "moments_lost_share",
        "ratio",
        mark("Lost, %"),
        mark(
            "Moments lost, of those that ended within the period; – for one that can be"
            " nothing but lost."
        ),
    ),
    Definition(
        "moments_now",
        "records",
        mark("Records by their moment"),
        mark(
            "Records open now, by what the tool shows as their moment of truth: the heaviest"
            " decided one, else one that can still be turned."
        ),
    ),
    Definition(
        "moments_usual",
        "ratio",
        mark("Usually lost, %"),
        mark(
            "Moments lost, of all those ended on the records that are kept: read the period"
            " beside it."
        ),
    ),
    Definition(
        "trust",
        "points",
        mark("Trust"),
        mark(
            "Trust of a relationship, 0 to 100; 50 is neutral. It sums up the two sides; how"
            " it is calculated: docs/engagement.md."
        ),
    ),
    Definition(
        "trust_change",
        "points",
        mark("Change"),
        mark("Points of trust gained or lost in the 30 days before the end of the data."),
        decimals=1,
    ),
    Definition(
        "trust_provider",
        "points",
        mark("What the provider keeps"),
        mark("Reliability, quality and response, 0 to 100."),
    ),
    Definition(
        "trust_customer",
        "points",
        mark("What the customer puts in"),
        mark("Voice and participation, 0 to 100."),
    ),
    Definition(
        "trust_people",
        "people",
        mark("People"),
        mark(
            "From how many people the evidence comes. A relationship of few people is counted"
            " with the one above it, or not shown."
        ),
    ),
    Definition(
        "trust_step",
        "points",
        mark("Trust by step"),
        mark(
            "Trust as the evidence of one step of the journey alone gives it; – without"
            " evidence there."
        ),
    ),
    Definition(
        "relationships_moved",
        "relationships",
        mark("Moved"),
        mark(
            "Relationships in another state than 30 days before, or by at least so many"
            " points of trust as the mapping says."
        ),
    ),
    Definition(
        "steps_planned",
        "relationships",
        mark("Next steps planned"),
        mark(
            "Relationships for which a next step stood in the tool when the period began, by what"
            " has become of it by the last run: gone (done or dropped), replaced by another,"
            " overdue, still ahead."
        ),
    ),
    Definition(
        "band_seconds",
        "seconds",
        mark("Time in the band"),
        mark(
            "Time that the records of the period have spent in each band so far, all"
            " together, by the step in which they stand now."
        ),
    ),
    Definition(
        "band_entries",
        "moves",
        mark("Times come to it"),
        mark(
            "How often a record came to this band within the period: when it was opened, and"
            " whenever what the other party could see of it changed."
        ),
    ),
    Definition(
        "visible_time_share",
        "ratio",
        mark("Visible, % of time"),
        mark("Time within the band of visibility, of all the time that is known."),
    ),
    Definition(
        "unseen_records",
        "records",
        mark("Records unseen so long"),
        mark(
            "Records of the period by the longest time in which the other party saw nothing"
            " of them."
        ),
    ),
    Definition(
        "unseen_lost_share",
        "ratio",
        mark("Moments lost, %"),
        mark(
            "Moments of truth lost, of those won or lost, on records by their longest time unseen."
        ),
    ),
    Definition(
        "worst_weight",
        "weight",
        mark("Weight"),
        mark("The weights of the moments lost on the record in the period, added up."),
    ),
    Definition(
        "newcomers",
        "people",
        mark("Newcomers"),
        mark("People whose first day, as their onboarding request promises it, lies in the month."),
    ),
    Definition(
        "users_ready",
        "ratio",
        mark("Users ready"),
        mark("Onboarding requests with everything ready on the first day, of those decided."),
    ),
    Definition(
        "newcomers_open",
        "requests",
        mark("Not decided yet"),
        mark(
            "Onboarding requests of the month of which it is not known yet whether all was ready."
        ),
    ),
    Definition(
        "first_contacts",
        "incidents",
        mark("Incidents in the first 30 days"),
        mark("Incidents that the month's newcomers opened within thirty days of their first day."),
    ),
    Definition(
        "agents_ready",
        "ratio",
        mark("Agents ready"),
        mark("Work to make agents ready that began in the month: done, of all."),
    ),
    Definition(
        "approvals_asked",
        "approvals",
        mark("Approvals"),
        mark("Approvals asked for in the period, by how they stand when the data end."),
    ),
    Definition(
        "approvals_lapsed_share",
        "ratio",
        mark("Approvals lapsed"),
        mark(
            "Approvals that nobody ever answered, of those asked for in the period that are over."
        ),
    ),
    Definition(
        "contracts_ending",
        "contracts",
        mark("Contracts ending"),
        mark("Contracts whose end lies in the period or the three months after it."),
    ),
    Definition(
        "targets_changed",
        "definitions",
        mark("Promises changed"),
        mark("SLA definitions that are new, changed or withdrawn within the period."),
    ),
    Definition(
        "improvement_stage",
        "records",
        mark("Improvement loop"),
        mark(
            "Voices heard in the period, initiatives begun and ended in it, and those open"
            " when the data end."
        ),
    ),
    Definition(
        "improvement_age",
        "seconds",
        mark("Median age, open"),
        mark("Half of the open initiatives have been open for longer than this."),
    ),
    Definition(
        "improvement_took",
        "seconds",
        mark("Median time to end"),
        mark("Half of the initiatives that ended in the period took longer than this."),
    ),
    Definition(
        "rule_records",
        "records",
        mark("Placed"),
        mark("Records kept that this rule places when the data end."),
    ),
    Definition(
        "rule_low",
        "records",
        mark("Low confidence"),
        mark("Of these, placed by a default rather than by evidence."),
    ),
    Definition(
        "rule_overruled",
        "records",
        mark("Overruled"),
        mark("How often a steward set another touchpoint by hand where this rule decided."),
    ),
    Definition(
        "rules_dead",
        "rules",
        mark("Rules that place nothing"),
        mark("Rules that could match on this instance and place no record that is kept."),
    ),
    Definition(
        "run_read",
        "records",
        mark("Read"),
        mark("Records that were new or changed when the run read them."),
    ),
    Definition(
        "run_placed",
        "records",
        mark("Classified"),
        mark("Records that the run placed on the journey."),
    ),
    Definition(
        "run_planned",
        "fields",
        mark("Planned"),
        mark("Fields that differed from what the tool held."),
    ),
    Definition(
        "run_confirmed",
        "fields",
        mark("Written"),
        mark("Fields that the tool confirmed."),
    ),
    Definition(
        "run_refused",
        "fields",
        mark("Refused"),
        mark("Fields that the tool refused, or did not change."),
    ),
    Definition(
        "run_healed",
        "fields",
        mark("Healed"),
        mark("Fields that somebody had overwritten."),
    ),
    Definition(
        "run_seconds",
        "seconds",
        mark("Duration"),
        mark("From begun to ended."),
    ),
)
