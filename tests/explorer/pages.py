"""Pages with an explorer in headless Chromium: what is on them, and what is done to them."""

from __future__ import annotations

import contextlib
import shutil

import numpy as np

__all__ = ["CHROMIUM", "Browsed", "browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def browser():
    """A headless Chromium that is installed already."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield chromium
        finally:
            chromium.close()


class Browsed:
    """A page from a file, once its first picture is drawn; all that it asks for and says is kept.

    Attributes:
        page: Playwright's page.
        noise: Requests but for the file itself, what stood in the console, and errors.
        seconds: From the begin of the navigation to the first picture.
    """

    def __init__(self, chromium, path, width=1200, height=900, **options):
        self.context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        self.page = self.context.new_page()
        self.noise = []
        self.page.on("console", lambda message: self.noise.append(message.text))
        self.page.on("pageerror", lambda error: self.noise.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.address = path.resolve().as_uri()
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-ready=true]", state="attached", timeout=60_000)
        self.seconds = self.page.evaluate("performance.now()") / 1000

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()

    def _asked(self, url):
        # A worker and ONNX Runtime Web are made of scripts that the page itself holds.
        if url != self.address and not url.startswith(("blob:null/", "data:")):
            self.noise.append(url)

    @property
    def decoder(self):
        """The way in use."""
        return self.page.get_attribute("section.explorer", "data-decoder")

    def settled(self):
        """Wait until nothing is being decoded."""
        self.page.wait_for_selector("section.explorer[data-state=drawn]", timeout=60_000)

    def pixels(self):
        """The picture, (H, W, 3) uint8."""
        self.settled()
        found = self.page.evaluate("""() => {
            const canvas = document.querySelector('[data-role=reconstruction]');
            const context = canvas.getContext('2d');
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            return [canvas.height, canvas.width, Array.from(data)];
        }""")
        height, width, data = found
        rgba = np.array(data, np.uint8).reshape(height, width, 4)
        assert (rgba[..., 3] == 255).all()
        return rgba[..., :3]

    def sliders(self):
        """Values by number of the latent, in the order of the page."""
        pairs = self.page.evaluate("""() => Array.from(
            document.querySelectorAll('[data-latent]'), (e) => [e.dataset.latent, Number(e.value)])
        """)
        return {int(latent): value for latent, value in pairs}

    def code(self):
        """The code that the sliders stand for, (L,)."""
        values = self.sliders()
        return np.array([values[j] for j in range(len(values))], np.float32)

    def move(self, selector, value):
        """Set a slider or choice, as a hand would."""
        self.page.eval_on_selector(
            selector,
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }",
            str(value),
        )
        self.settled()

    def ends(self, latent):
        """Least and largest value of a slider."""
        return self.page.eval_on_selector(
            f"[data-latent='{latent}']", "e => [Number(e.min), Number(e.max)]"
        )

    def press(self, selector, *keys):
        """Press keys on an element."""
        self.page.focus(selector)
        for key in keys:
            self.page.keyboard.press(key)
        self.settled()

    def middle(self):
        """The middle of the picture, which is within the window afterwards."""
        picture = self.page.locator("[data-role=reconstruction]")
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(self, right, up):
        """A finger from the middle of the picture, by so many pixels."""
        x, y = self.middle()
        session = self.context.new_cdp_session(self.page)
        for kind, part in (("touchStart", 0), ("touchMove", 0.5), ("touchMove", 1)):
            point = {"x": x + part * right, "y": y - part * up}
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.settled()

    def drag(self, right, up):
        """The mouse from the middle of the picture, by so many pixels."""
        x, y = self.middle()
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right / 2, y - up / 2)
        self.page.mouse.move(x + right, y - up)
        self.page.mouse.up()
        self.settled()
