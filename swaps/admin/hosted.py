"""The hosted provider in the admin: its status, its submissions, the callbacks it posted."""

import contextlib
import datetime
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from swaps.admin.base import ReadOnlyAdmin
from swaps.context_processors import host_of_provider
from swaps.hosted import status
from swaps.hosted.schedule import enqueue_now
from swaps.hosted.status import DAY, HOUR, MAX_COUNTED, Figures, SubmissionRow, figures
from swaps.models import HostedProvider, Provider, ProviderCallback, Submission, provider_callback
from swaps.redaction import scrub

TIMESTAMPS = {
    "created_at": "requested",
    "signed_at": "its URLs signed",
    "sent_at": "sent",
    "accepted_at": "taken: the task is known",
    "call_ended_at": "end of the call",
    "answered_at": "answered",
    "ended_at": "ended",
    "due_at": "next step due",
    "enqueue_again_at": "its task counts as lost",
}
MAX_SHOWN = 20_000  # characters of a body that was laid out
RETENTION_NOTE = f"Callbacks are kept for {provider_callback.RETENTION.days} days."
REDACTION_NOTE = "Secrets, and what lets the bearer of a URL in, were taken out before."
NOT_ASKED_NOTE = "not asked again, for they have ended, or the provider has named no task yet."


@admin.register(HostedProvider)
class HostedProviderAdmin(ReadOnlyAdmin):
    """The status page of the hosted provider. There is one row, so there is no list."""

    ordering = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="swaps_hostedprovider_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        now = timezone.now()
        rows, is_capped = status.newest_rows(now - DAY)
        performers = {settings.FACESWAP_PROVIDER, settings.FACESWAP_API_PROVIDER}
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Hosted provider",
            "opts": self.opts,
            "is_hosted_by_browser": settings.FACESWAP_PROVIDER == Provider.HOSTED,
            "is_hosted_by_api": settings.FACESWAP_API_PROVIDER == Provider.HOSTED,
            "is_in_use": Provider.HOSTED in performers,
            "was_used": bool(rows) or Submission.objects.exists(),
            "host": host_of_provider(),
            "has_key": bool(settings.FACESWAP_HOSTED_KEY),
            "room": settings.FACESWAP_HOSTED_IN_FLIGHT,
            "state": status.current_status(now),
            "lines": _figure_lines(rows, now),
            "most": MAX_COUNTED if is_capped else None,
        }
        return render(request, "admin/swaps/hostedprovider/status.html", context)


@dataclass(frozen=True, kw_only=True)
class FigureLine:
    """One line of the table of figures: for the last hour and the last day."""

    name: str
    hour: str
    day: str
    is_part: bool = False  # of the line above


def _figure_lines(rows: list[SubmissionRow], now: datetime.datetime) -> list[FigureLine]:
    hour = figures([row for row in rows if row.created_at >= now - HOUR])
    day = figures(rows)

    def line(name: str, render: Callable[[Figures], str], *, is_part: bool = False) -> FigureLine:
        return FigureLine(name=name, hour=render(hour), day=render(day), is_part=is_part)

    return [
        line("Requested", lambda each: f"{each.requested:,}"),
        line("Succeeded", lambda each: f"{each.succeeded:,}"),
        line("Failed", lambda each: f"{each.failed:,}"),
        *(line(code, partial(_failure_count, code=code), is_part=True) for code in day.failures),
        line("Error rate", lambda each: _percent(each.error_rate)),
        line("Deleted before the end", lambda each: f"{each.deleted:,}"),
        line("Still open", lambda each: f"{each.still_open:,}"),
        line("Sends refused", lambda each: f"{each.refusals:,}"),
        line("From sending to outcome: 50 % within", lambda each: _seconds(each.to_report.p50)),
        line("90 % within", lambda each: _seconds(each.to_report.p90), is_part=True),
        line("99 % within", lambda each: _seconds(each.to_report.p99), is_part=True),
        line("From request to end: 50 % within", lambda each: _seconds(each.to_end.p50)),
        line("90 % within", lambda each: _seconds(each.to_end.p90), is_part=True),
    ]


def _failure_count(each: Figures, *, code: str) -> str:
    return f"{each.failures.get(code, 0):,}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1f} %"


def _timestamp(at: datetime.datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _duration(begun: datetime.datetime | None, ended: datetime.datetime | None) -> str:
    return _seconds((ended - begun).total_seconds() if begun and ended else None)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:,.1f} s"


class SwapRowAdmin(ReadOnlyAdmin):
    """The base for rows that belong to a swap of the hosted provider."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by a whole id only, so that the database can use its index."""
        term = search_term.strip()
        return (queryset.filter(self.search_filter(term)) if term else queryset), False

    def search_filter(self, term: str) -> Q:
        with contextlib.suppress(ValueError):
            return Q(swap=uuid.UUID(term))
        return Q(pk__in=[])

    @admin.display(description="swap", ordering="swap")
    def of_swap(self, row: Any) -> SafeString:
        return format_html('<span title="{}">{}…</span>', row.swap_id, str(row.swap_id)[:8])

    @admin.display(description="swap")
    def swap_link(self, row: Any) -> SafeString:
        url = reverse("admin:swaps_swap_change", args=[row.swap_id])
        return format_html('<a href="{}">{}</a>', url, row.swap_id)


@admin.register(Submission)
class SubmissionAdmin(SwapRowAdmin):
    """Submissions to the hosted provider.

    What grants access is not shown: the request, the URL of the result, a raw callback.
    """

    list_display = (
        *("of_swap", "step", "requested", "sent_after", "answered_after"),
        *("sends", "refusals", "task", "last_problem"),
    )
    list_filter = ("stage", "created_at")
    search_fields = ("swap", "task_id")
    search_help_text = "The id of a swap, or of a task as the provider calls it."
    actions = ("ask_again",)
    fields = (
        ("swap_link", "callbacks"),
        ("stage", "task_id"),
        ("sends", "refusals", "failures"),
        "last_problem",
        "provider_error",
        "times",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        return super().get_queryset(request).defer("request", "image_url", "callback")

    def search_filter(self, term: str) -> Q:
        return super().search_filter(term) | Q(task_id=term)

    @admin.display(description="stage", ordering="stage")
    def step(self, submission: Submission) -> str:
        return submission.stage

    @admin.display(description="requested", ordering="created_at")
    def requested(self, submission: Submission) -> str:
        return _timestamp(submission.created_at)

    @admin.display(description="sent")
    def sent_after(self, submission: Submission) -> str:
        return _duration(submission.created_at, submission.sent_at)

    @admin.display(description="task")
    def task(self, submission: Submission) -> SafeString | str:
        if not submission.task_id:
            return "–"
        short = f"{submission.task_id[:8]}…" if len(submission.task_id) > 9 else submission.task_id
        return format_html('<span title="{}">{}</span>', submission.task_id, short)

    @admin.display(description="answered")
    def answered_after(self, submission: Submission) -> str:
        return _duration(submission.sent_at, submission.answered_at)

    @admin.display(description="times")
    def times(self, submission: Submission) -> SafeString:
        begun = submission.created_at
        known = sorted(
            (moment, words)
            for name, words in TIMESTAMPS.items()
            if (moment := getattr(submission, name))
        )
        lines = [f"{_timestamp(at)}  {_duration(begun, at):>10}  {words}" for at, words in known]
        return format_html('<pre class="body lines">{}</pre>', "\n".join(lines))

    @admin.display(description="problem")
    def last_problem(self, submission: Submission) -> str:
        return submission.problem_text

    @admin.display(description="error, as the provider says it")
    def provider_error(self, submission: Submission) -> str:
        """Return the provider's error without secrets; it may name a URL of ours."""
        message = scrub(submission.error_message, settings.FACESWAP_HOSTED_KEY)
        return ": ".join(filter(None, (submission.error_code, message))) or "–"

    @admin.display(description="callbacks")
    def callbacks(self, submission: Submission) -> SafeString:
        return link_to_callbacks(submission.pk)

    @admin.action(description="Ask again: the next step, now", permissions=["change"])
    def ask_again(self, request: HttpRequest, chosen: QuerySet[Submission]) -> None:
        total = chosen.count()
        due_now = enqueue_now(chosen)
        if due_now:
            self.note(request, due_now, "note.asked_again")
        if rest := total - len(due_now):
            self.message_user(request, f"{rest}: {NOT_ASKED_NOTE}", messages.WARNING)


@admin.register(ProviderCallback)
class ProviderCallbackAdmin(SwapRowAdmin):
    """Callbacks of the hosted provider, with the verdict on each."""

    list_display = ("received", "verdict", "of_swap")
    list_filter = ("verdict", "received_at")
    search_fields = ("swap",)
    search_help_text = f"The id of a swap. {RETENTION_NOTE}"
    ordering = ("-received_at", "-pk")
    fields = (("received", "verdict"), "swap_link", "shown_body")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCallback]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="received", ordering="received_at")
    def received(self, callback: ProviderCallback) -> str:
        return _timestamp(callback.received_at)

    @admin.display(description="body")
    def shown_body(self, callback: ProviderCallback) -> SafeString:
        body = '<pre class="body">{}</pre><div class="kept">{} {}</div>'
        return format_html(body, indent_json(callback.body), RETENTION_NOTE, REDACTION_NOTE)


def indent_json(body: str) -> str:
    """Return JSON indented over several lines; anything else as it is."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return text if len(text) <= MAX_SHOWN else body


def link_to_callbacks(swap_id: uuid.UUID) -> SafeString:
    count = ProviderCallback.objects.filter(swap=swap_id).count()
    url = f"{reverse('admin:swaps_providercallback_changelist')}?{urlencode({'q': str(swap_id)})}"
    return format_html('<a href="{}">{} callback{}</a>', url, count, "" if count == 1 else "s")
