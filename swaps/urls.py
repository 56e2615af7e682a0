from django.urls import path, register_converter
from django.urls.converters import StringConverter

from swaps.views import history, pages, pictures, swaps


class InputConverter(StringConverter):
    regex = "source|target"


class KindConverter(StringConverter):
    regex = "source|target|result"


register_converter(InputConverter, "input")
register_converter(KindConverter, "kind")

app_name = "swaps"
urlpatterns = [
    path("", pages.home, name="home"),
    path("swaps/", history.history, name="history"),
    path("swaps/updates/", history.updates, name="updates"),
    path("swaps/new/", swaps.new, name="new"),
    path("swaps/<uuid:pk>/", swaps.detail, name="detail"),
    path("swaps/<uuid:pk>/card/", history.card, name="card"),
    path("swaps/<uuid:pk>/delete/", swaps.delete, name="delete"),
    path("swaps/<uuid:pk>/result/", pictures.result, name="result"),
    path("swaps/<uuid:pk>/<input:kind>/", pictures.photo, name="photo"),
    path("swaps/<uuid:pk>/thumb/<kind:kind>/", pictures.thumb, name="thumb"),
    path("swaps/uploads/<uuid:pk>/", pictures.upload, name="upload"),
    path("files/<str:token>/", pictures.file, name="file"),
]
