"""The page in a browser: by keyboard, in light and dark, on a small screen."""

import os

import browser
import pytest
from endpoint import Endpoint

pytestmark = pytest.mark.skipif(browser.PATH is None, reason="no chromium")
PICTURES = os.environ.get("PICTURES")       # a folder to look at them in


@pytest.fixture(scope="module")
def it():
    with Endpoint() as one:
        yield one


@pytest.mark.parametrize("width, height, dark", [
    (1000, 700, False), (1000, 700, True), (360, 640, False),
    (360, 640, True)])
def test_by_keyboard_alone(it, width, height, dark):
    token = it.token(f"keys{width}{dark}@example.org")
    url = f"http://127.0.0.1:{it.port}/u/{token}"
    with browser.Browser(width, height, dark) as b:
        b.ask("Log.enable")

        def shot(name):
            if PICTURES:
                b.picture(f"{PICTURES}/{name}-{width}-"
                          f"{'dark' if dark else 'light'}.png")
        b.visit(url, "Unsubscribe")
        assert not it.left(token)
        assert b.value("document.documentElement.scrollWidth") <= width
        # dark is dark, and what is written can be read
        ink, paper = (b.value(
            "getComputedStyle(document.documentElement)."
            f"{p}.match(/\\d+/g).map(Number).reduce((a, b) => a + b)")
            for p in ("color", "backgroundColor"))
        assert abs(ink - paper) > 450 and (ink > paper) == dark
        size = b.value("(r => Math.min(r.width, r.height))"
                       "(document.querySelector('button')"
                       ".getBoundingClientRect())")
        assert size >= 44
        b.press("Tab")
        assert b.value("document.activeElement.tagName") == "BUTTON"
        assert b.value("getComputedStyle(document.activeElement)"
                       ".outlineStyle") == "solid"
        shot("ask")
        b.press("Enter")
        b.until("document.title == 'You are unsubscribed'")
        assert b.value("location.href") == url
        shot("left")
        assert it.left(token)
        b.press("Tab")
        assert b.value("document.activeElement.textContent") == \
            "Subscribe again"
        b.press("Enter")
        b.until("document.title == 'You are subscribed again'")
        assert not it.left(token)
        b.visit(url + "x", "This link does not work")
        shot("bad")
        asked = {u for u in b.requests() if not u.startswith("about:")}
        assert asked <= {url, url + "x", "data:,"}, asked
        refused = [c for c in b.complaints()
                   if "400 (Bad Request)" not in str(c)]
        assert not refused, refused
