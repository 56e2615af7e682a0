"""Pages of the accounts that behave otherwise than allauth's, under the same addresses."""

from django.urls import path, re_path

from swaps.accounts import views

urlpatterns = [
    path("email/", views.email),
    path("confirm-email/", views.welcome),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", views.confirm_email),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.new_password,
    ),
]
