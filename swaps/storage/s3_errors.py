"""What S3 and the way to it answer when something is wrong, in words that a person can act on.

They never hold a key, a signature or a whole presigned URL.
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
CODES = {
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
    "unset it. {said}",
    "InvalidArgument": "The server refuses a parameter. If AWS_S3_ENCRYPTION is set, does it offer "
    "that kind? {said}",
    "MissingContentLength": "Something in between takes away the length of a request. Let it pass "
    "on Content-Length.",
    "QuotaExceeded": "The bucket is full: its quota is used up.",
    "SlowDown": "The server is asked too often. Try again later.",
    "ServiceUnavailable": "The server cannot answer now. Try again later.",
}


def of_error(error: Exception, store: BucketStorage) -> str:
    place = store.endpoint_url or "https://AWS"
    match error:
        case boto.ClientError():
            said = error.response["Error"]
            return _of_code(
                code_of(error),
                store,
                operation=error.operation_name,
                said=said.get("Message", ""),
                region=str(said.get("Region", "")),
            )
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return (
                "No keys were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this "
                "machine a role."
            )
        case boto.CredentialRetrievalError() | boto.MetadataRetrievalError():
            return "The keys of this machine's role could not be fetched. Look at the role."
        case boto.SSLError():
            return tls(place)
        case boto.ConnectionError() | boto.HTTPClientError():
            return unreachable(place)
    return f"{type(error).__name__}: {error}"


def of_answer(status: int, body: bytes, store: BucketStorage) -> str:
    """A refused presigned GET; the body says why, as XML."""
    found = dict(re.findall(r"<(Code|Message|Region)>([^<]*)</", body.decode(errors="replace")))
    said = _of_code(
        found.get("Code", str(status)),
        store,
        operation="GetObject",
        said=found.get("Message", ""),
        region=found.get("Region", ""),
    )
    if store.public_endpoint_url:
        host = host_of(store.public_endpoint_url)
        said += f" The URL leads to {host}, which must pass on Host and query as they are."
    return said


def code_of(error: boto.ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def unreachable(url: str) -> str:
    return (
        f"Nothing answers at {host_of(url)}. Is the address right (AWS_S3_ENDPOINT_URL, "
        "AWS_S3_PUBLIC_ENDPOINT_URL), and does a firewall let this machine through?"
    )


def tls(url: str) -> str:
    return (
        f"TLS with {host_of(url)} fails: its certificate is not trusted, has expired, or is for "
        "another name. AWS_CA_BUNDLE names a file with authorities of your own."
    )


def _of_code(code: str, store: BucketStorage, *, operation: str, said: str, region: str) -> str:
    if code in {"AccessDenied", "403"}:
        return _denied(store, operation)
    if code not in CODES:
        return f"The server answered {code} to {operation}. {said}".strip()
    return (
        CODES[code]
        .format(
            bucket=store.bucket_name,
            place=host_of(store.endpoint_url or "https://AWS"),
            found=f" ({region})" if region else "",
            said=said,
        )
        .strip()
    )


def _denied(store: BucketStorage, operation: str) -> str:
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
