"""What can go wrong while learning, each as one sentence a person may read.

LearningError
├── AdapterUnservable   llama.cpp would not serve this adapter, or would serve it wrongly
├── AdapterUnwritten    the disk did not take the whole adapter
├── BaseUntrainable     the base model's file cannot be trained on
├── NothingToLearn      no row is left to learn from
└── RecipeInvalid       a recipe file that cannot be used
"""

from characters.errors import UnderstudyError


class LearningError(UnderstudyError):
    """Learning cannot do what was asked."""


class AdapterUnservable(LearningError):
    """An adapter that llama.cpp would refuse, or serve otherwise than it was trained."""


class AdapterUnwritten(LearningError):
    """An adapter that could not be written whole; what was there before is still there."""


class BaseUntrainable(LearningError):
    """A base model that transformers does not load, or loads as another model than llama.cpp."""


class NothingToLearn(LearningError):
    """No row is left to learn from."""


class RecipeInvalid(LearningError):
    """A recipe file that cannot be used."""
