"""The desk is one click away, and its icon is a file that the desk sends."""

from review_desk_plugin import ReviewDeskPlugin

from review_desk import app as page


def test_the_icon_of_the_desk_is_a_file_of_the_desk() -> None:
    (view,) = ReviewDeskPlugin.external_views
    (app,) = ReviewDeskPlugin.fastapi_apps
    name = view["icon"].removeprefix(f"{app['url_prefix']}/{page.SITE.files_at}")
    assert name in page.SITE.files
    assert b"<svg" in page.SITE.send_file(name).body
