"""manage.py create_api_key EMAIL: issue an API key and print it, alone, on stdout."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from swaps.accounts import api_keys
from swaps.models import ApiAccess, ApiKey, Scope, User

MAX_NAME_LENGTH = 60
MAX_QUOTA = 1_000_000


class Command(BaseCommand):
    help = "Make an API key for an account and print it, and nothing else, on stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="Command line", help="how its owner knows it again")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.ALL)
        parser.add_argument(
            "--quota",
            type=int,
            metavar="N",
            help="grant N swaps: instead of the free ones on first access, more of them later",
        )
        parser.add_argument("--create", action="store_true", help="make the account if need be")

    def handle(self, *args: Any, **options: Any) -> None:
        name, quota = options["name"].strip(), options["quota"]
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise CommandError(f"--name takes 1 to {MAX_NAME_LENGTH} characters.")
        if quota is not None and not 0 <= quota <= MAX_QUOTA:
            raise CommandError(f"--quota takes 0 to {MAX_QUOTA}.")
        with transaction.atomic():
            user = self._account(options["email"].strip(), may_create=options["create"])
            api_keys.grant_access(user, quota=quota)
            try:
                key, token = api_keys.create_key(
                    user, timezone.now(), name=name, scope=options["scope"]
                )
            except api_keys.KeyRefused as error:
                raise CommandError(str(error)) from error
        self.stdout.write(token)
        self._explain(user, key)

    def _account(self, email: str, *, may_create: bool) -> User:
        user = User.objects.filter(email__iexact=email).first()
        if user is None and not may_create:
            raise CommandError(f"There is no account {email}. --create makes one.")
        if user is None:
            try:
                validate_email(email)
            except ValidationError as error:
                raise CommandError(f"{email!r} is not an e-mail address.") from error
            user = User.objects.create_user(email)
            way = "by mail" if settings.SENDS_MAIL else "with a link that the site's log shows"
            self.stderr.write(f"Account {email} made; its owner can set a password {way}.")
        if not user.is_active:
            raise CommandError(f"The account {email} is blocked: no key of it would work.")
        return user

    def _explain(self, user: User, key: ApiKey) -> None:
        left = ApiAccess.objects.get_or_grant(user).remaining
        self.stderr.write(
            f"Key “{key.name}” of {user.email}, scope {key.scope}, {left} swaps left. "
            "It is not shown again."
        )
