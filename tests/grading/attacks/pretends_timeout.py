"""Reports failures that only the grader can find."""

from efficientlab.exercises.contract import AnswerError


def clip_logits(backbone, video):
    raise AnswerError("Timeout", "the grader is at fault")
