"""A bare Django view that inserts one row, and nothing else."""

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from swaps.models import Upload, User


@csrf_exempt
def insert(request: HttpRequest, owner: int) -> JsonResponse:
    upload = Upload.objects.create(owner=User(pk=owner), key="bench/photo.jpg")
    return JsonResponse({"success": True, "id": str(upload.pk)})


urlpatterns = [path("insert/<int:owner>", insert)]
