"""Why a swap is refused or fails: one class per error code of the API contract.

SwapError
├── InvalidImage    400 invalid_image    not a picture that we accept
├── NoFace          400 no_face          no face found; ``image`` says in which picture
├── UsedUp          403 used_up          the quota is spent
└── ApiError        500 api_error        our fault, or the provider's

A message says what is wrong and what to do; it never carries a secret, a path or a stack.
"""

from typing import ClassVar, Literal

ImageName = Literal["source", "target", ""]


class SwapError(Exception):
    code: ClassVar[str]
    status: ClassVar[int]
    by_code: ClassVar[dict[str, type["SwapError"]]] = {}

    def __init_subclass__(cls, *, code: str, status: int) -> None:
        cls.code, cls.status = code, status
        SwapError.by_code[code] = cls

    def __init__(self, message: str, *, image: ImageName = "") -> None:
        super().__init__(message)
        self.message = message
        self.image = image


class InvalidImage(SwapError, code="invalid_image", status=400):
    pass


class NoFace(SwapError, code="no_face", status=400):
    pass


class UsedUp(SwapError, code="used_up", status=403):
    pass


class ApiError(SwapError, code="api_error", status=500):
    pass
