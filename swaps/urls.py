"""URLs of the site's pages; those of the API are in ``swaps/api/urls.py``."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from swaps.views import (
    accounts,
    archives,
    batches,
    deliveries,
    detail,
    guests,
    history,
    history_updates,
    hosted_callback,
    inspector,
    keys,
    labels,
    new_swap,
    pages,
    photos,
    pictures,
    selection,
    share,
    swaps,
)
from swaps.views.docs import page


class InputConverter(StringConverter):
    """The two inputs of a swap in a URL."""

    regex = "source|target"


class KindConverter(StringConverter):
    """The three pictures of a swap in a URL."""

    regex = "source|target|result"


register_converter(InputConverter, "input")
register_converter(KindConverter, "kind")

app_name = "swaps"
urlpatterns = [
    path("", pages.home, name="home"),
    path("try/", guests.try_it, name="try"),
    # Before allauth's own, under the same addresses.
    path("accounts/logout/", accounts.sign_out),
    path("accounts/email/", accounts.email),
    path("accounts/confirm-email/", accounts.welcome),
    re_path(r"^accounts/confirm-email/(?P<key>[-:\w]+)/$", accounts.confirm_email),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        accounts.new_password,
    ),
    path("swaps/", history.history, name="history"),
    path("swaps/updates/", history_updates.updates, name="updates"),
    path("swaps/arrivals/", history_updates.arrivals, name="arrivals"),
    path("swaps/selected/", selection.selected, name="selected"),
    path("swaps/new/", new_swap.new, name="new"),
    path("swaps/selected.zip", archives.selected, name="selected_zip"),
    path("swaps/<uuid:pk>/", detail.detail, name="detail"),
    path("swaps/<uuid:pk>/card/", history.card, name="card"),
    path("swaps/<uuid:pk>/delete/", swaps.delete, name="delete"),
    path("swaps/<uuid:pk>/star/", labels.star, name="star"),
    path("swaps/<uuid:pk>/rename/", labels.rename, name="rename"),
    path("swaps/<uuid:pk>/share/", share.share, name="share"),
    path("swaps/<uuid:pk>/looks-wrong/", detail.looks_wrong, name="looks_wrong"),
    path("swaps/<uuid:pk>/result/", pictures.result, name="result"),
    path("swaps/<uuid:pk>/<input:kind>/", pictures.photo, name="photo"),
    path("swaps/<uuid:pk>/thumb/<kind:kind>/", pictures.thumb, name="thumb"),
    path("swaps/faces/", photos.my_faces, name="my_faces"),
    path("swaps/photos/", photos.send, name="send_photo"),
    path("swaps/photos/<uuid:pk>/", photos.show, name="show_photo"),
    path("swaps/photos/<uuid:pk>/delete/", photos.delete, name="delete_photo"),
    path("swaps/photos/<uuid:pk>/keep/", photos.keep, name="keep_photo"),
    path("swaps/uploads/<uuid:pk>/", pictures.upload, name="upload"),
    path("batches/new/", batches.new, name="new_batch"),
    path("batches/<uuid:pk>/", batches.batch, name="batch"),
    path("batches/<uuid:pk>/zip/", batches.archive, name="batch_zip"),
    path("batches/<uuid:pk>/retry/", batches.retry, name="retry_batch"),
    path("batches/<uuid:pk>/rename/", batches.rename, name="rename_batch"),
    path("batches/<uuid:pk>/delete/", batches.delete, name="delete_batch"),
    path("api/acquire/", keys.acquire, name="acquire"),
    path("api/keys/", keys.keys, name="keys"),
    path("api/keys/<int:pk>/rotate/", keys.rotate, name="rotate_key"),
    path("api/keys/<int:pk>/revoke/", keys.revoke, name="revoke_key"),
    path("api/secret/rotate/", keys.rotate_secret, name="rotate_secret"),
    path("api/deliveries/", deliveries.deliveries, name="deliveries"),
    path("api/deliveries/<uuid:pk>/", deliveries.delivery, name="delivery"),
    path("api/deliveries/<uuid:pk>/replay/", deliveries.replay, name="replay_delivery"),
    path("docs/api/", page.api_docs, name="api_docs"),
    path("docs/api/samples/", page.api_samples, name="api_samples"),
    path("docs/api/uploads/", page.api_upload, name="api_upload"),
    path("docs/api/callbacks/", page.api_callbacks, name="api_callbacks"),
    path("s/<slug:token>/", share.shared, name="shared"),
    path("s/<slug:token>/picture/", share.shared_picture, name="shared_picture"),
    path("files/<str:token>/", pictures.file, name="file"),
    path("samples/<str:name>", pictures.sample, name="sample"),
    path("callbacks/<str:token>/", hosted_callback.receive, name="callback"),
    path("callbacks/inspect/<str:token>/", inspector.receive, name="inspector"),
]
