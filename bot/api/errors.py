"""Refusals in the shape OpenAI's clients expect, each with one sentence.

ApiError
└── raised by our own code; everything else is brought to one by `as_api_error`
"""

import logging
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from bot.errors import TableError
from characters.errors import SheetError, UnderstudyError
from characters.inference.errors import EngineError, PromptTooLong
from db.errors import StoreError

log = logging.getLogger(__name__)

OURS = "Something went wrong that is our fault; the log says where, please report it."
_DEFECT = 500


class ApiError(UnderstudyError):
    """A refusal.

    Args:
        status: of HTTP.
        kind: OpenAI's `type`, such as ``invalid_request_error``.
        code: OpenAI's `code`, for programs.
        headers: of the answer, such as ``Retry-After``.
    """

    def __init__(
        self, message: str, status: int = 400, kind: str = "invalid_request_error", code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.kind, self.code, self.headers = status, kind, code, headers

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"message": str(self), "type": self.kind, "param": None, "code": self.code}}

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(self.as_json(), self.status, self.headers)


def as_api_error(error: Exception) -> ApiError:
    """Any failure as a refusal, most telling first; a defect of ours is logged, and told without its text."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, PromptTooLong):
        return ApiError(str(error), code="context_length_exceeded")
    if isinstance(error, EngineError | StoreError):
        return ApiError(str(error), 503, "server_error", "unavailable")
    if isinstance(error, SheetError):
        return ApiError(str(error), 404, code="model_not_found")
    if isinstance(error, TableError | UnderstudyError):
        return ApiError(str(error))
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        return ApiError(_HTTP.get(error.status_code, "The request is refused; see /docs."), error.status_code)
    log.error("unexpected", exc_info=error)
    return ApiError(OURS, _DEFECT, "server_error")


_HTTP = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address takes another method; /docs lists what there is.",
}


def _invalid(error: RequestValidationError) -> ApiError:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"][1:])
    what = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid":
        return ApiError("The request's body is no valid JSON; send an object.")
    if not where:
        return ApiError(f"The request's body cannot be used ({what.rstrip('.').lower()}); /docs has its shape.")
    return ApiError(f"The field {where} cannot be used: {what.rstrip('.')}.", code="invalid_field")
