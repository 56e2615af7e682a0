"""Why a call or a swap is refused or fails: one class per error code of the API contract.

SwapError
├── BadRequest          400 bad_request           makes no sense, or a URL may not be fetched
├── NoToken             400 no_token              no key was sent
├── TokenMismatched     400 token_mismatched      the key's scope does not cover this call
├── ApiNotImplemented   400 api_not_implemented   a known call that this server does not offer
├── InvalidImage        400 invalid_image         not a picture that we accept
├── NoFace              400 no_face               no face found; ``image`` says in which picture
├── InvalidToken        401 invalid_token         wrong or revoked key
├── TokenExpired        401 token_expired         the key is past its date
├── UsedUp              403 used_up               the quota is spent
├── Disabled            403 disabled              account or key disabled by moderation
├── Forbidden           403 forbidden             content refused by moderation
├── NoApi               404 no_api                no such path
├── NotFound            404 not_found             no such task
├── MethodNotAllowed    405 method_not_allowed
├── IdempotencyConflict 409 idempotency_conflict  the same key with another body
├── PayloadTooLarge     413 payload_too_large
├── TooManyRequests     429 too_many_requests     rate or concurrency limit; ``retry_after`` seconds
├── ApiError            500 api_error             our fault, or the provider's
│   └── Overloaded      503 api_error             too much at once; again after ``retry_after`` s
└── Timeout             504 timeout               the caller's time is over, the task goes on

Each is made with the part of a code of ``messages.TEXTS`` behind the dot: ``NoFace("source")`` says
``no_face.source``. No parameter is a secret, a path or a stack.
"""

from typing import Any, ClassVar, Literal

from swaps.messages import ExplainedError, Message

ImageName = Literal["source", "target", ""]


class SwapError(ExplainedError):
    code: ClassVar[str]
    status: ClassVar[int]
    by_code: ClassVar[dict[str, type["SwapError"]]] = {}
    retry_after: int  # seconds; 0 where trying again is no use, or nobody knows when

    def __init_subclass__(cls, *, code: str, status: int) -> None:
        cls.code, cls.status = code, status
        SwapError.by_code.setdefault(code, cls)

    def __init__(
        self, detail: str, /, *, image: ImageName = "", retry_after: int = 0, **params: Any
    ) -> None:
        super().__init__(f"{self.code}.{detail}", **params)
        self.image = image
        self.retry_after = retry_after

    @staticmethod
    def from_row(code: str, explanation: Message) -> "SwapError":
        """Return the error that a row has kept."""
        error = SwapError.by_code[code]("row")
        error.explanation = explanation
        return error


class BadRequest(SwapError, code="bad_request", status=400):
    pass


class NoToken(SwapError, code="no_token", status=400):
    pass


class TokenMismatched(SwapError, code="token_mismatched", status=400):
    pass


class ApiNotImplemented(SwapError, code="api_not_implemented", status=400):
    pass


class InvalidImage(SwapError, code="invalid_image", status=400):
    pass


class NoFace(SwapError, code="no_face", status=400):
    pass


class InvalidToken(SwapError, code="invalid_token", status=401):
    pass


class TokenExpired(SwapError, code="token_expired", status=401):
    pass


class UsedUp(SwapError, code="used_up", status=403):
    pass


class Disabled(SwapError, code="disabled", status=403):
    pass


class Forbidden(SwapError, code="forbidden", status=403):
    pass


class NoApi(SwapError, code="no_api", status=404):
    pass


class NotFound(SwapError, code="not_found", status=404):
    pass


class MethodNotAllowed(SwapError, code="method_not_allowed", status=405):
    pass


class IdempotencyConflict(SwapError, code="idempotency_conflict", status=409):
    pass


class PayloadTooLarge(SwapError, code="payload_too_large", status=413):
    pass


class TooManyRequests(SwapError, code="too_many_requests", status=429):
    pass


class ApiError(SwapError, code="api_error", status=500):
    pass


class Overloaded(ApiError, code="api_error", status=503):
    pass


class Timeout(SwapError, code="timeout", status=504):
    pass
