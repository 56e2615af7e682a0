"""Explains errors of S3 and of the way to it, in messages that tell a person what to do.

No message holds a key, a signature or a whole presigned URL.
"""

import re
from urllib.parse import urlsplit

from botocore import exceptions as boto

from swaps.storage.s3 import BucketStorage

ACTIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
}
KMS_ACTIONS = {"PutObject": "kms:GenerateDataKey", "GetObject": "kms:Decrypt"}
REGION = "The bucket is in another region{found}. Correct AWS_S3_REGION_NAME."
CLOCK = "The clock of this machine is too far from the server's. Set it by NTP."
EXPLANATIONS = {
    "NoSuchBucket": "There is no bucket {bucket} at {place}. Make it, or correct "
    "AWS_STORAGE_BUCKET_NAME.",
    "InvalidBucketName": "{bucket} is not a name that a bucket can have. Correct "
    "AWS_STORAGE_BUCKET_NAME.",
    "InvalidAccessKeyId": "The server does not know the access key. Correct AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key, or something in "
    "between changes the request. Correct AWS_SECRET_ACCESS_KEY; a proxy must pass on the header "
    "Host and the query as they are.",
    "AuthorizationHeaderMalformed": REGION,
    "AuthorizationQueryParametersError": REGION,
    "PermanentRedirect": REGION,
    "TemporaryRedirect": REGION,
    "IllegalLocationConstraintException": REGION,
    "301": REGION,
    "RequestTimeTooSkewed": CLOCK,
    "ExpiredToken": "The temporary keys have expired. Renew them and AWS_SESSION_TOKEN.",
    "InvalidToken": "AWS_SESSION_TOKEN does not belong to the access key.",
    "NotImplemented": "The server does not offer what was asked for. If AWS_S3_ENCRYPTION is set, "
    "unset it. {message}",
    "InvalidArgument": "The server refuses a parameter. If AWS_S3_ENCRYPTION is set, does it offer "
    "that kind? {message}",
    "MissingContentLength": "Something in between takes away the length of a request. Let it pass "
    "on Content-Length.",
    "QuotaExceeded": "The bucket is full: its quota is used up.",
    "SlowDown": "The server is asked too often. Try again later.",
    "ServiceUnavailable": "The server cannot answer now. Try again later.",
}


def explain_error(error: Exception, store: BucketStorage) -> str:
    """Return the message for an error that boto raised."""
    place = store.endpoint_url or "https://AWS"
    match error:
        case boto.ClientError():
            details = error.response["Error"]
            return _explain_code(
                error_code(error),
                store,
                operation=error.operation_name,
                message=details.get("Message", ""),
                region=str(details.get("Region", "")),
            )
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return (
                "No keys were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this "
                "machine a role."
            )
        case boto.CredentialRetrievalError() | boto.MetadataRetrievalError():
            return "The keys of this machine's role could not be fetched. Look at the role."
        case boto.SSLError():
            return tls_failure(place)
        case boto.ConnectionError() | boto.HTTPClientError():
            return unreachable(place)
    return f"{type(error).__name__}: {error}"


def explain_response(status: int, body: bytes, store: BucketStorage) -> str:
    """Return the message for a presigned GET that was refused with an XML body."""
    found = dict(re.findall(r"<(Code|Message|Region)>([^<]*)</", body.decode(errors="replace")))
    explanation = _explain_code(
        found.get("Code", str(status)),
        store,
        operation="GetObject",
        message=found.get("Message", ""),
        region=found.get("Region", ""),
    )
    if store.public_endpoint_url:
        host = host_of(store.public_endpoint_url)
        explanation += f" The URL leads to {host}, which must pass on Host and query as they are."
    return explanation


def error_code(error: boto.ClientError) -> str:
    """Return the S3 error code of a boto error, like ``AccessDenied``."""
    return str(error.response["Error"].get("Code", ""))


def unreachable(url: str) -> str:
    return (
        f"Nothing answers at {host_of(url)}. Is the address right (AWS_S3_ENDPOINT_URL, "
        "AWS_S3_PUBLIC_ENDPOINT_URL), and does a firewall let this machine through?"
    )


def tls_failure(url: str) -> str:
    return (
        f"TLS with {host_of(url)} fails: its certificate is not trusted, has expired, or is for "
        "another name. AWS_CA_BUNDLE names a file with authorities of your own."
    )


def _explain_code(
    code: str, store: BucketStorage, *, operation: str, message: str, region: str
) -> str:
    if code in {"AccessDenied", "403"}:
        return _explain_denied(store, operation)
    if code not in EXPLANATIONS:
        return f"The server answered {code} to {operation}. {message}".strip()
    return (
        EXPLANATIONS[code]
        .format(
            bucket=store.bucket_name,
            place=host_of(store.endpoint_url or "https://AWS"),
            found=f" ({region})" if region else "",
            message=message,
        )
        .strip()
    )


def _explain_denied(store: BucketStorage, operation: str) -> str:
    action = ACTIONS.get(operation, operation)
    is_kms = store.object_parameters.get("ServerSideEncryption") == "aws:kms"
    if is_kms and operation in KMS_ACTIONS:
        action = f"{action} (or {KMS_ACTIONS[operation]})"
    return (
        f"The keys may not do this: {action} is missing. Allow it for {store.bucket_name}/* in "
        "their policy, and look for a Deny in the bucket's policy."
    )


def host_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
