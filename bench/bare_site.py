"""Bare Django views that write one row, as a baseline."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from swaps.models import Upload, User


@csrf_exempt
def insert(request: HttpRequest, owner: int) -> JsonResponse:
    upload = Upload.objects.create(owner=User(pk=owner), key="bench/photo.jpg")
    return JsonResponse({"success": True, "id": str(upload.pk)})


@csrf_exempt
def update(request: HttpRequest, upload: uuid.UUID) -> HttpResponse:
    Upload.objects.filter(pk=upload).update(created_at=timezone.now())
    return HttpResponse(status=202)


urlpatterns = [
    path("insert/<int:owner>", insert),
    path("update/<uuid:upload>", update),
]
