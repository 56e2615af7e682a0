"""The meaning of each error of the API, in the order in which the page shows them."""

from swaps import errors

MEANINGS: dict[type[errors.SwapError], str] = {
    errors.BadRequest: "The body is not JSON, a field is missing, of the wrong type or out of "
    "range, or an image URL may not be fetched.",
    errors.NoToken: "There is no `authorization` header.",
    errors.TokenMismatched: "The key is real, but its scope does not cover this call.",
    errors.ApiNotImplemented: "A call of the face family that this server does not offer.",
    errors.InvalidImage: "Fetched, but not an image that is accepted: its type, size, number of "
    "pixels, or it is broken.",
    errors.NoFace: "No face was found, or none at the point that was sent; the message says in "
    "which image, and how many faces there are.",
    errors.InvalidToken: "The key is wrong, revoked or malformed.",
    errors.TokenExpired: "The key is past its date.",
    errors.UsedUp: "The quota is spent, or the account may store no more pictures. Failed swaps "
    "are given back.",
    errors.Disabled: "The account or the key was disabled by moderation.",
    errors.Forbidden: "The content was refused by moderation.",
    errors.NoApi: "There is no such path.",
    errors.NotFound: "There is no such task, or it is not yours.",
    errors.MethodNotAllowed: "The call must be made with another method.",
    errors.IdempotencyConflict: "The `Idempotency-Key` was used with another body.",
    errors.PayloadTooLarge: "The body is over the limit.",
    errors.TooManyRequests: "Too many calls a minute, or too many calls waiting for results. "
    "`Retry-After` says how many seconds to wait.",
    errors.ApiError: "Something broke on our side; or there is no room for new pictures, and "
    "`Retry-After` says how many seconds to wait.",
    errors.Timeout: "The call waited as long as it was told to. The task goes on: `task_id` "
    "stands beside `error`.",
}
OF_EVERY_CALL = (
    errors.BadRequest,
    errors.NoToken,
    errors.TokenMismatched,
    errors.InvalidToken,
    errors.TokenExpired,
    errors.Disabled,
    errors.MethodNotAllowed,
    errors.PayloadTooLarge,
    errors.TooManyRequests,
    errors.ApiError,
)
OF_SWAP = (
    *OF_EVERY_CALL,
    errors.InvalidImage,
    errors.NoFace,
    errors.UsedUp,
    errors.Forbidden,
    errors.NotFound,
    errors.IdempotencyConflict,
    errors.Timeout,
)
OF_DETECT = (*OF_EVERY_CALL, errors.InvalidImage, errors.UsedUp, errors.Timeout)
OF_TASKS = (*OF_EVERY_CALL, errors.NotFound)
