"""Facts of surveys: what people said when they were asked.

A result of -1 is documented as "not answered". The shared measure of satisfaction runs from 0 to 1
on the scale that the question's own minimum and maximum give.
"""

from connector.journey.facts.model import TASKS, Fact, Rows
from connector.journey.measures import Measured, first_known, number, share_of_scale

_LINKS = ("task_id", "trigger_id")
_ANSWER = "instance.state=complete^actual_value>=0"
_SCORE = Measured(number("actual_value"), ("actual_value",))
_CSAT = share_of_scale("actual_value", "metric.min", "metric.max")
_ONE = ("asmt_assessment_instance",)
_survey = Rows("survey", TASKS, "asmt_assessment_instance", _LINKS)
_results = Rows("survey", TASKS, "asmt_metric_result", tuple(f"instance.{one}" for one in _LINKS))
_own_results = Rows("survey", _ONE, "asmt_metric_result", ("instance",))


def _said(rows: Rows, en: str, es: str) -> tuple[Fact, ...]:
    return (
        rows.mean(
            "score",
            _ANSWER,
            _SCORE,
            f"Mean of {en}, on the survey's own scale",
            f"Media de {es}, en la escala de la propia encuesta",
        ),
        rows.mean(
            "csat",
            _ANSWER,
            _CSAT,
            f"Mean of {en} on their scale, from 0 (worst) to 1 (best), where the scale is known",
            f"Media de {es} en su escala, de 0 (peor) a 1 (mejor), si se conoce la escala",
        ),
    )


FACTS: tuple[Fact, ...] = (
    _survey.count("sent", "", "Surveys about the record", "Encuestas sobre el registro"),
    _survey.any(
        "answered", "state=complete", "A survey was answered", "Se contestó alguna encuesta"
    ),
    _survey.count(
        "pending",
        "stateIN@survey_open_states",
        "Surveys that wait for an answer",
        "Encuestas que esperan respuesta",
    ),
    _survey.count(
        "ignored",
        "stateIN@survey_cancelled_states",
        "Surveys that ended without an answer",
        "Encuestas que terminaron sin respuesta",
    ),
    _survey.last(
        "answered_at",
        "state=complete",
        first_known("taken_on"),
        "When a survey was last answered",
        "Cuándo se contestó la última encuesta",
    ),
    *_said(_results, "the answered survey questions", "las preguntas contestadas"),
    *_said(_own_results, "its answered questions", "sus preguntas contestadas"),
)
