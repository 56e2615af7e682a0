"""What people read when something is refused or fails: every text once, under a code.

Errors and rows carry a code of ``TEXTS`` and parameters; words are made when they are shown. The
part of a code before the dot says what kind it is. Standard library only.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

# A code, under "code", and the parameters of its text. A parameter may be such a message itself.
Message = Mapping[str, Any]

TEXTS: Final[dict[str, str]] = {
    # --- pictures -------------------------------------------------------------------------
    "animated.file": "It is an animation. Choose a still picture.",
    "broken.file": "It is damaged or incomplete. Open it, save it anew as JPEG or PNG and try "
    "again.",
    "broken.too_small": "It says that it is {width:,} × {height:,} pixels, and is too small a file "
    "to hold such a photo. Choose another one.",
    "empty.file": "The file is empty. Choose another one.",
    "not_an_image.known": "It is a {found}, not a picture. {accepted} are accepted.",
    "not_an_image.unknown": "It is not a picture. {accepted} are accepted.",
    "too_many_bytes.file": "It is {size:,g} MB; {limit:,g} MB is the most. Save it smaller and try "
    "again.",
    "too_many_bytes.stored": "It would take {size:,g} MB to keep it; {limit:,g} MB is the most. "
    "Save it as JPEG, or make it smaller, and try again.",
    "too_many_pixels.area": "It is {width:,} × {height:,} = {size:,.15g} megapixels; {limit:,g} is "
    "the most. Make it smaller and try again.",
    "too_many_pixels.memory": "There is not enough memory to open it. Make it smaller and try "
    "again.",
    "too_many_pixels.side": "It is {width:,} × {height:,} pixels; {format} allows {limit:,} a "
    "side. Choose another format.",
    "too_slow.file": "It took more than {seconds:.0f} seconds to open. Make it smaller and try "
    "again.",
    "unsupported_type.heic": "It is a HEIC picture, which cannot be read here. Save it as JPEG and "
    "try again.",
    "unsupported_type.known": "It is of the type {found}. Save it as one of {accepted} and try "
    "again.",
    # --- swaps ----------------------------------------------------------------------------
    "api_error.broke": "Something broke on our side. Try again in a moment.",
    "api_error.gave_up": "Something broke on our side. Please try again.",
    "api_error.no_room": "There is no room for new pictures at the moment. Nothing was counted. "
    "Try again later.",
    "api_error.opening": "Too many pictures are being opened at the moment. Try again in a moment.",
    "too_many_requests.opening": "Too many of your pictures are waiting to be opened. Try again in "
    "a moment.",
    "too_many_requests.calls": "An account may make {limit} calls a minute. Try again in {seconds} "
    "s.",
    "too_many_requests.forms": "An account may send {limit} forms a minute. Try again in {seconds} "
    "s.",
    "too_many_requests.tries": "Too many photos were sent from your network. Try again in a "
    "minute.",
    "too_many_requests.pictures": "An account may send {limit} pictures a minute. Try again in "
    "{seconds} s.",
    "too_many_requests.waiting": "Too many calls are waiting for their results. Use callback_url, "
    "and nobody has to wait; or try again later.",
    "used_up.swaps": "You have used all your swaps.",
    "used_up.batch": "That takes {photos} swaps, and you have {left} left. Nothing was started. "
    "Take some photos away and try again.",
    "used_up.guest": "You have used today's tries. Make an account to go on, or come back "
    "tomorrow.",
    "used_up.my_faces": "You can keep {limit} faces. Delete one that you no longer need, and try "
    "again.",
    "used_up.storage": "Your pictures would take more than the {limit:,} MB that an account may "
    "have. Delete swaps that you no longer need, and try again.",
    "no_face.source": "No face was found in the face photo. Choose one in which eyes, nose and "
    "mouth can be seen, sharp and not too small.",
    "no_face.target": "No face was found in the target photo. Choose one in which eyes, nose and "
    "mouth can be seen, sharp and not too small.",
    "no_face.either": "No face was found in one of the two photos. Choose photos in which eyes, "
    "nose and mouth can be seen, sharp and not too small.",
    "no_face.source_point": "The chosen point of the face photo is on no face. Faces in that "
    "photo: {count}. Choose one of them.",
    "no_face.target_point": "The chosen point of the target photo is on no face. Faces in that "
    "photo: {count}. Choose one of them.",
    "invalid_image.stored": "{reason}",
    "not_found.removed": "This task was removed, with all its pictures.",
    "forbidden.hidden": "The result was hidden by the moderation of this site.",
    "advice.cut": "It is cut off by the edge of the photo. One that shows the whole face works "
    "better.",
    "advice.small": "It is small. A photo in which it is larger works better.",
    "advice.blurred": "It is not sharp. A sharper photo works better.",
    "advice.dark": "It is dark. A photo taken in more light works better.",
    "advice.turned": "It is turned away by {degrees}°. One that looks towards the camera works "
    "better.",
    "advice.sunglasses": "Dark glasses hide the eyes. A photo without them works better.",
    "advice.covered": "Hair, a hand or something else is in front of it. A bare face works better.",
    "advice.several_source": "{count} faces. Choose the one to use.",
    "advice.several_target": "{count} faces. Choose the one to replace.",
    "advice.several_hosted": "{count} faces. The service that makes the pictures cannot be told "
    "which one, and takes the largest. A photo with one face is safer.",
    "warning.several_faces": "A photo shows more than one face, and the largest was taken.",
    "warning.blurred_source": "The face photo is not sharp, so the result may look soft. A sharper "
    "one works better.",
    "warning.dark_source": "The face photo is dark, so the result may show stains. One taken in "
    "more light works better.",
    "warning.small_face": "The face is small in its photo and was enlarged, so the result may look "
    "soft. One in which it is larger works better.",
    "warning.source_covered": "Glasses, a beard, hair or a hand hide part of the face in the face "
    "photo, and stay behind, so less of that face is to be seen. A bare face works better.",
    "warning.source_eyes_hidden": "Dark glasses hide the eyes in the face photo, so the eyes are "
    "those of the target photo. One without dark glasses works better.",
    "warning.target_covered": "Glasses, hair, a hand or a beard hide much of the target face, and "
    "stay in front, so less of the new face is to be seen.",
    "warning.tone": "The two faces differ much in skin tone or light, so the result may show "
    "patches. Photos taken in similar light work better.",
    "warning.yaw": "The two faces look in very different directions, so the result may show seams. "
    "A face photo taken from a similar side works better.",
    # --- swaps that a hosted provider performs -----------------------------------------------
    "api_error.provider_closed": "The service that makes the pictures does not let this site in at "
    "the moment. The operator of this site has to look into it.",
    "api_error.provider_failed": "The service that makes the pictures could not make this one. "
    "Please try again, or try other photos.",
    "api_error.provider_busy": "The service that makes the pictures has too much to do at the "
    "moment. Please try again in a few minutes.",
    "api_error.provider_refused": "The service that makes the pictures could not take this swap. "
    "Please try later.",
    "api_error.result_lost": "The finished picture could not be fetched from the service that made "
    "it. Please try again.",
    "api_error.result_unusable": "The picture that the service sent back cannot be used. Please "
    "try again, or try other photos.",
    "api_not_implemented.provider": "The provider cannot be asked for its tasks.",
    "not_found.provider": "The provider does not know this task.",
    "forbidden.provider": "The service that makes the pictures refused these photos. Please choose "
    "other ones.",
    "invalid_image.provider_size": "The two photos are too large for the service that makes the "
    "pictures. Make them smaller and try again.",
    "invalid_image.provider_source": "The face photo could not be read by the service that makes "
    "the pictures. Choose another one, or save it anew as JPEG and try again.",
    "invalid_image.provider_target": "The target photo could not be read by the service that makes "
    "the pictures. Choose another one, or save it anew as JPEG and try again.",
    "invalid_image.provider_either": "One of the two photos could not be read by the service that "
    "makes the pictures. Choose another one, or save it anew as JPEG and try again.",
    "timeout.provider": "The service that makes the pictures took too long. Please try again.",
    "timeout.provider_silent": "The service that makes the pictures did not answer in time. Please "
    "try again.",
    # --- what staff read of a hosted provider ----------------------------------------------
    "provider.answer": "{answer}",
    "provider.broke": "It broke on our side.",
    "provider.no_room": "There is no room for its picture.",
    "provider.no_key": "FACESWAP_HOSTED_KEY is not set",
    "provider.late": "no whole answer within {seconds:g} seconds",
    "provider.refused": "connection refused",
    "provider.not_found": "host not found",
    "provider.no_way": "no way to the host",
    "provider.no_connection": "no connection in time",
    "provider.silent": "no answer within FACESWAP_HOSTED_TIMEOUT_SECONDS",
    "provider.no_tls": "no TLS connection that can be trusted",
    "provider.no_address": "FACESWAP_HOSTED_URL is no address",
    "provider.too_long": "an answer of more than {limit:,} bytes",
    "provider.not_http": "FACESWAP_HOSTED_KEY, or the answer, is not what HTTP allows",
    "provider.broke_off": "the connection broke off ({error})",
    "provider.proportions": "{width} × {height} pixels for a target of {target_width} × "
    "{target_height}",
    # --- calls of the API -------------------------------------------------------------------
    "api_not_implemented.call": "This server swaps faces only; it does not offer this call.",
    "bad_request.action": "action: It must be one of {actions}.",
    "bad_request.address": "Call this server by the address that its documentation names.",
    "bad_request.cut_off": "The body could not be read to its end.",
    "bad_request.content_type": "Send JSON, with the header content-type: application/json",
    "bad_request.data_url": "{field} is no data: URL of a picture; "
    "data:image/jpeg;base64,… is expected.",
    "bad_request.encoding": "content-encoding: Send the body as it is, or packed as gzip or "
    "deflate.",
    "bad_request.field": "{field}: {problem}",
    "bad_request.body": "The body: {problem}",
    "bad_request.http": "The first line, a header or the length of the request is not as HTTP "
    "asks.",
    "bad_request.idempotency_key": "Idempotency-Key: at most {limit} printable ASCII characters.",
    "bad_request.link_gone": "{field} is a link of this site that has expired or was deleted.",
    "bad_request.no_id": "id: Field required",
    "bad_request.not_json": "The body is not JSON: {problem}.",
    "bad_request.same_face": "Two faces were to go onto the same face of the target. Each can be "
    "replaced once.",
    "bad_request.no_choice": "{field}: The pictures are made by a service that cannot choose among "
    "faces. Send pictures that show the face alone, cut out where /face/detect finds it.",
    "bad_request.request": "The request could not be understood.",
    "bad_request.transfer_encoding": "The body has a transfer encoding that is not known here. "
    "Send it as it is, or chunked.",
    "bad_request.unreachable": "{field} cannot be fetched. {reason}",
    "bad_request.unpacking": "The body is not packed as its content-encoding says, or was cut off.",
    "disabled.key": "This key or its account was disabled by the staff of this site.",
    "idempotency_conflict.body": "This Idempotency-Key was used with another body. Use a new key "
    "for a new swap.",
    "invalid_image.unusable": "{field} is not a picture that can be used. {reason}",
    "invalid_token.header": "The authorization header must be: Bearer, a space, your key.",
    "invalid_token.unknown": "This key does not exist, or it was revoked.",
    "method_not_allowed.get": "This call must be made with GET.",
    "method_not_allowed.other": "This call must be made with another method.",
    "method_not_allowed.post": "This call must be made with POST.",
    "no_api.path": "There is no such call. The documentation is at {path}.",
    "no_token.header": "Send your key in the header: authorization: Bearer fs_…",
    "not_found.task": "There is no task with this id.",
    "payload_too_large.any": "The body is too large.",
    "payload_too_large.limit": "The body is larger than {limit} MB. Send pictures as URLs.",
    "timeout.waited": "It takes longer than you would wait. Ask /face/tasks for the result.",
    "token_expired.key": "This key has expired. Make a new one on the page API keys.",
    "token_mismatched.scope": "This key is for something else: {scope}. Make one with a wider "
    "scope.",
    # --- strangers' URLs --------------------------------------------------------------------
    "url.characters": "The URL has spaces, backslashes or invisible characters. Encode them.",
    "url.length": "The URL is longer than {limit:,} characters. Shorten it.",
    "url.not_listed": "The URL leads to a host that is not on the list of those that may be asked.",
    "url.not_public": "The URL does not lead to a public address. Use one that everybody can "
    "reach, or ask the operator of this site to allow it.",
    "url.password": "The URL has a user name or a password in it. Leave them out.",
    "url.port": "Port {port} is not open to URLs. Use 80 or 443.",
    "url.redirect": "The URL leads on to another one that cannot be understood. Use the one at the "
    "end.",
    "url.redirects": "The URL leads on more than {limit} times. Use the one at the end.",
    "url.scheme": "The URL is neither http nor https. {example}",
    "url.syntax": "The URL cannot be understood. {example}",
    "host.broke_off": "The host broke off, or its answer is not HTTP. Try again later, or use "
    "another host.",
    "host.certificate": "The host has no certificate that can be trusted. Renew it, or use another "
    "host.",
    "host.encoding": "The host packs its answer (Content-Encoding) in another way than gzip or "
    "deflate. Use a URL that gives the picture as it is.",
    "host.late": "The host took more than {seconds:g} seconds. Try again later.",
    "host.no_connection": "The host cannot be connected to. Try again later, or use another host.",
    "host.not_found": "The host was not found. Check its spelling.",
    "host.status": "The host answered with status {status}, not with 200. Check the URL.",
    "host.too_large": "The host sends more than {limit:,} bytes. Use something smaller.",
    # --- deliveries and keys ----------------------------------------------------------------
    "delivery.broke": "Something broke on our side.",
    "delivery.gone": "The receiver answered with 410: it wants no more of this.",
    "delivery.redirect": "The receiver answered with {status}; redirects are not followed.",
    "delivery.status": "The receiver answered with {status}.",
    "key.ended": "“{name}” is {state}. Make a new key instead.",
    "key.form_used": "This form has made its key. Load the page anew to make another one.",
    "key.has_successor": "“{name}” has a successor already. Rotate that one.",
    "key.signed_out": "You have been signed out meanwhile. Sign in again.",
    "key.too_many": "An account has at most {limit} keys. Revoke one that is not needed.",
    # --- rows of earlier versions, which kept English or had other parameters
    "row.text": "{text}",
    "bad_request.not_fetched": "{name}_image_url cannot be fetched. {reason}",
    "invalid_image.fetched": "{name}_image_url is not a picture that can be used. {reason}",
    # --- the log of what staff did ------------------------------------------------------------
    "note.asked_again": "Asked again.",
    "note.blocked": "Blocked.",
    "note.disabled": "Disabled.",
    "note.enabled": "Enabled.",
    "note.hidden": "Hidden.",
    "note.removed": "Removed.",
    "note.replayed": "Replayed.",
    "note.revoked": "Revoked.",
    "note.shown": "Shown again.",
    "note.unblocked": "Unblocked.",
}


class ExplainedError(Exception):
    """An error that people read about: a code of ``TEXTS`` and its parameters.

    Parameters are what JSON can hold, so that a row can keep them.
    """

    def __init__(self, code: str, /, **params: Any) -> None:
        super().__init__(code)
        self.explanation: Message = {"code": code, **params}

    @classmethod
    def explained(cls, explanation: Message, **more: Any) -> Self:
        """Return an error with an explanation that is there already."""
        params = dict(explanation)
        return cls(params.pop("code"), **params, **more)

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """What is wrong and what to do, for people."""
        return text(self.explanation)


def text(message: Message) -> str:
    """Write out a message. One that only a newer version knows says that something broke."""
    params = {
        name: text(value) if isinstance(value, Mapping) else value
        for name, value in message.items()
    }
    try:
        return TEXTS[params.pop("code")].format(**params)
    except (KeyError, TypeError, ValueError):
        return TEXTS["api_error.broke"]
