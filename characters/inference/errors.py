"""What can go wrong with a model, each as one sentence a person may read.

EngineError
├── ModelMissing        there is no such file
├── ModelCorrupt        the file is no model, or a broken one
├── WorkerFailed        the model process died or hung, again and again
├── PromptTooLong       the prompt does not fit the model's context
├── AdapterRefused      the adapter does not load on this base
├── RemoteUnavailable   the server cannot be reached, or broke off
├── RemoteRefused       the server says no (key, model name, bad request)
└── Unsupported         this engine cannot do that
"""

from characters.errors import UnderstudyError


class EngineError(UnderstudyError):
    """The model cannot do what was asked."""


class ModelMissing(EngineError):
    """No model file where one was expected."""


class ModelCorrupt(EngineError):
    """A file that is no usable model."""


class WorkerFailed(EngineError):
    """The model process failed repeatedly."""


class PromptTooLong(EngineError):
    """More tokens than the context holds."""


class AdapterRefused(EngineError):
    """An adapter that does not fit the base."""


class RemoteUnavailable(EngineError):
    """The model server does not answer, or stopped in the middle."""


class RemoteRefused(EngineError):
    """The model server refuses the request."""


class Unsupported(EngineError):
    """The engine lacks this capability."""


BY_NAME: dict[str, type[EngineError]] = {
    kind.__name__: kind
    for kind in (ModelMissing, ModelCorrupt, WorkerFailed, PromptTooLong, AdapterRefused)
}
