"""What can go wrong with an exam."""

from learning.errors import LearningError


class ExamImpossible(LearningError):
    """An exam that cannot be held, or whose replies cannot be read."""
