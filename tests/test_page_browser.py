"""The page in a real browser, served by the program from a camera that shows a clock."""

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest
from fakes import write_clip
from servers import relay

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_api = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed"
)

from page_browser import (  # noqa: E402
    CHROMIUM,
    PATIENCE_S,
    READ_CLOCK,
    ClockCamera,
    Served,
    chromium,
    open_page,
    serving,
)

from models.faces import Image  # noqa: E402

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="there is no browser: install Debian's package chromium"
)

ASSETS = Path(__file__).parents[1] / "stream" / "page" / "assets"

MOST_BYTES = 60_000  # of script and style, as the browser gets them

NOTHING = "http://127.0.0.1:9/none"  # an address at which nothing answers

PATIENT = ("--set", 'source.reconnect_s="forever"')

NO_MSE = "delete window.MediaSource; delete window.ManagedMediaSource;"

SHOWN = ".picture > :visible"  # the video, or what stands for it where H.264 does not play

TOO_WIDE = """
() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("*")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.outerHTML.slice(0, 200))
"""

EXPECTED = "Failed to load resource"  # what Chromium says of each refusal, 409 and 422 too

expect = playwright_api.expect
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def camera() -> Iterator[ClockCamera]:
    with ClockCamera() as camera:
        yield camera


@pytest.fixture(scope="module")
def served(camera: ClockCamera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page, of the camera and of an address at which nothing answers."""
    words = [
        "--set",
        "serve.port=0",
        "--set",
        "serve.fps=5",
        "--set",
        "serve.notice=Faces are labelled here.",
    ]
    patient = ["--set", 'source.reconnect_s="forever"']
    with serving(
        tmp_path_factory.mktemp("served"),
        camera.address,
        "http://127.0.0.1:9/none",
        *words,
        *patient,
    ) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


class Viewer:
    """A user with a browser of their own, and what the page complained of to its console."""

    def __init__(self, browser: Any, address: str, script: str = "") -> None:
        self.complaints: list[str] = []
        context = browser.new_context(viewport={"width": 1024, "height": 700})
        context.on("console", lambda said: self._hear(said.type, said.text))
        context.on("weberror", lambda error: self._hear("error", str(error.error)))
        if script:
            context.add_init_script(script)
        self.page = open_page(context, address)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@contextmanager
def looking(browser: Any, address: str, script: str = "") -> Iterator[Any]:
    """A page that is looked at; nothing may make it complain, but that something is refused."""
    viewer = Viewer(browser, address, script)
    yield viewer.page
    viewer.page.context.close()
    assert [each for each in viewer.complaints if EXPECTED not in each] == []


@pytest.fixture(scope="module")
def page(browser: Any, served: Served) -> Iterator[Any]:
    """The page of one who may do everything, for all tests: to open it takes long."""
    with looking(browser, served.control) as page:
        yield page


@pytest.fixture(scope="module")
def watching(browser: Any, served: Served) -> Iterator[Any]:
    """The page of one who may only watch."""
    with looking(browser, served.watch) as page:
        yield page


def live_tile(page: Any) -> Any:
    return page.locator("article").first


def moves(page: Any, selector: str) -> None:
    """Waits until the clock in the picture goes on."""
    shown = live_tile(page).locator(selector)
    seen: set[int | None] = {None}
    deadline_s = time.monotonic() + PATIENCE_S
    while len(seen) < 4:
        assert time.monotonic() < deadline_s, seen
        seen.add(shown.evaluate(READ_CLOCK))
        page.wait_for_timeout(20)


def plays(video: Any) -> None:
    """Waits until a video has a picture."""
    video.evaluate(
        "(each) => each.readyState >= 2 || new Promise((done) => { each.onloadeddata = done; })"
    )


def enlarge(page: Any) -> Any:
    """Enlarges the live picture, which has its controls then."""
    tile = live_tile(page)
    if tile.get_by_role("button", name="Fill screen").count() == 0:
        tile.get_by_role("button", name="large").click()
    return tile


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people out."""
    found = axe_api.Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in grave]


def test_picture_moves(page: Any) -> None:
    moves(page, "video")
    expect(live_tile(page)).to_have_attribute("data-state", "live")
    expect(page.locator("#notice")).to_have_text("Faces are labelled here.")
    expect(page.locator("#misuse")).to_contain_text("perceived")


def test_without_media_source_extensions_the_picture_is_mjpeg(browser: Any, served: Served) -> None:
    with looking(browser, served.watch, NO_MSE) as page:
        page.set_viewport_size({"width": 400, "height": 800})
        page.reload()
        moves(page, "img")
        page.set_viewport_size({"width": 1600, "height": 900})
        larger = re.compile(r"video\.mjpeg\?width=(\d{4}|[6-9]\d\d)&")
        expect(enlarge(page).locator("img")).to_have_attribute("src", larger)
        moves(page, "img")


def test_faces_in_view_are_listed(page: Any) -> None:
    expect(page.locator(".face").first).to_contain_text("%")
    expect(page.get_by_role("heading", name="perceived as")).to_be_visible()
    expect(page.locator(".face img").first).to_be_visible()
    expect(page.locator(".key tr").first).to_be_visible()


def test_a_class_has_its_attribute_where_it_does_not_say_of_what_it_is(page: Any) -> None:
    said = page.evaluate(
        """async (labels) => {
          const { labelWords } = await import("/assets/wording.js");
          return labels.map(([attribute, text]) => labelWords(attribute, { text }));
        }""",
        [["glasses", "yes"], ["head_scarf", "not_sure"], ["race", "East_Asian"], ["age", "20–29"],
         ["gender", "Female"], ["gender", None]],
    )  # fmt: skip
    assert said == [
        *("glasses yes", "not sure", "East Asian", "age 20–29"),
        *("Female", "gender unsure"),
    ]


def test_a_class_called_unsure_has_a_count_of_its_own(page: Any) -> None:
    rows = page.evaluate(
        """async () => {
          const { Counts } = await import("/assets/counts.js");
          const section = document.getElementById("counts").cloneNode(true);
          const counts = { glasses: { "": 2, unsure: 1, yes: 3 } };
          new Counts(section).update({ counts, history: [] });
          const rows = [...section.querySelectorAll(".key tr")];
          return rows.map((row) => [row.textContent, row.querySelector(".unsure") !== null]);
        }"""
    )
    assert rows == [["unsure1", False], ["yes3", False], ["unsure2", True]]


def test_controls_and_settings_are_one_state_for_all(
    page: Any, browser: Any, served: Served
) -> None:
    with looking(browser, served.control) as other:
        tile = enlarge(page)
        tile.get_by_role("button", name="Pause").click()
        for each in (page, other):
            expect(live_tile(each).locator(".veil")).to_contain_text("Paused at")
        tile.get_by_role("button", name="Go on").click()
        expect(live_tile(other)).to_have_attribute("data-state", "live")
        blur = enlarge(other).get_by_role("button", name="Blur", exact=True)
        for pressed in ("true", "false"):
            tile.get_by_role("button", name="Blur", exact=True).click()
            expect(blur).to_have_attribute("aria-pressed", pressed)
        for each in (page, other):
            each.get_by_role("tab", name="Settings").click()
        page.get_by_label("min face px").fill("45")
        page.keyboard.press("Enter")
        expect(other.get_by_label("min face px")).to_have_value("45")


def test_snapshots_and_recordings_are_listed_played_and_downloaded(page: Any) -> None:
    tile = enlarge(page)
    tile.get_by_role("button", name="Snapshot").click()
    tile.get_by_role("button", name="Record").click()
    expect(tile).to_have_class("tile sheet large recording")
    page.get_by_role("tab", name="Files").click()
    page.get_by_role("button", name="Show snapshot").click()
    shown = page.locator("#player img")
    expect(shown).to_be_visible()
    assert shown.evaluate("(each) => each.decode().then(() => each.naturalWidth)") == 640
    page.get_by_role("button", name="Close").click()
    tile.get_by_role("button", name="Stop recording").click()
    page.get_by_role("button", name="Play").first.click()
    plays(page.locator("#player video"))
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download snapshot").first.click()
    assert cv2.imread(str(download.value.path())) is not None


def test_keys_act_as_in_the_window(page: Any) -> None:
    page.locator("#misuse").click()
    page.keyboard.press("1")
    expect(live_tile(page).get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(live_tile(page)).to_have_attribute("data-state", "paused")
    page.keyboard.press("Space")
    expect(live_tile(page)).to_have_attribute("data-state", "live")
    page.keyboard.press("0")
    expect(live_tile(page).get_by_role("button", name="Pause")).to_be_hidden()
    page.keyboard.press("h")
    help_ = page.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("pauses and goes on")
    help_.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(live_tile(page).get_by_role("button", name="Pause")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    help_.get_by_role("checkbox").check()
    page.keyboard.press("Escape")


def test_typing_is_no_key(page: Any) -> None:
    page.get_by_label("camera's number").fill("h")
    page.keyboard.press("h")
    expect(page.get_by_label("camera's number")).to_have_value("hh")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_an_address_that_is_not_allowed_is_refused_in_one_line(page: Any) -> None:
    page.get_by_label("camera's number").fill("file:///etc/passwd")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.locator("article")).to_have_count(2)


def test_a_setting_that_is_refused_says_why(page: Any) -> None:
    page.get_by_role("tab", name="Settings").click()
    field = page.get_by_label("downscale")
    field.fill("99")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[id='problem-detection.downscale']")).not_to_be_empty()
    field.fill("auto")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(page.locator("[id='engine.model']")).to_be_disabled()


def test_a_dropped_picture_is_annotated(page: Any, astronaut: Image) -> None:
    jpeg = cv2.imencode(".jpg", astronaut)[1].tobytes()
    page.evaluate(
        """(base64) => {
          const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "astronaut.jpg", { type: "image/jpeg" }));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }""",
        base64.b64encode(jpeg).decode(),
    )
    result = page.locator("#results li")
    expect(result).to_contain_text("1 face; perceived")
    assert result.locator("img").evaluate("(each) => each.naturalWidth") == 512


def test_what_is_no_picture_is_refused_in_one_line(page: Any) -> None:
    page.get_by_role("tab", name="Annotate").click()
    page.set_input_files(
        "#chosen", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    expect(page.locator("#results .problem")).not_to_be_empty()


def test_a_short_video_is_annotated(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Annotate").click()
    page.set_input_files("#chosen", write_clip(tmp_path / "short.mp4", 10))
    plays(page.locator("#results video"))


def test_the_watching_token_shows_and_does_nothing_else(watching: Any) -> None:
    page = watching
    moves(page, "video")
    expect(page.locator(".face").first).to_be_visible()
    for name in ("tablist", "tab", "form", "searchbox"):
        expect(page.get_by_role(name)).to_have_count(0)
    live_tile(page).get_by_role("button", name="large").click()
    names = page.get_by_role("button").evaluate_all("(all) => all.map((each) => each.textContent)")
    assert set(names) <= {"Keys", "", "Fill screen"}
    page.keyboard.press("Space")
    status = page.evaluate(
        """() => fetch("/api/sources/0/controls", { method: "POST", body: '{"paused": true}' })
          .then((answer) => answer.status)"""
    )
    assert status == 403
    expect(live_tile(page)).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("token", ["", "/?token=wrong"])
def test_without_a_right_token_there_is_no_page(browser: Any, served: Served, token: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(served.origin + token)
    assert answer is not None
    assert answer.status == 401
    expect(page.locator("body")).to_contain_text("open the address that the program printed")
    context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("tab", name="Faces").click()
    expect(page.locator(".face").first).to_be_visible()
    assert serious(page) == []
    enlarge(page)
    for name in ("Files", "Annotate", "Settings"):
        page.get_by_role("tab", name=name).click()
        assert serious(page) == []
    page.get_by_role("button", name="Keys").click()
    assert serious(page) == []
    page.keyboard.press("Escape")


def test_nothing_is_scrolled_sideways_on_a_narrow_screen(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    enlarge(page)
    for name in ("Settings", "Annotate", "Files", "Faces"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate(TOO_WIDE) == [], name
    page.set_viewport_size({"width": 1024, "height": 700})


def test_tabs_are_moved_between_by_arrows(page: Any) -> None:
    page.get_by_role("tab", name="Faces").click()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Files")).to_be_focused()
    expect(page.get_by_role("heading", name="Recordings")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.get_by_role("tab", name="Faces")).to_be_focused()


def test_a_source_that_is_waited_for_says_so(page: Any, camera: ClockCamera) -> None:
    expect(page.locator("article").nth(1).locator(".state")).to_contain_text("waiting since")
    camera.kill()
    expect(live_tile(page).locator(".veil")).to_contain_text("Waiting since")
    camera.start()
    expect(live_tile(page)).to_have_attribute("data-state", "live")
    moves(page, SHOWN)


def test_a_page_without_connection_says_so_and_comes_back(browser: Any, served: Served) -> None:
    context = browser.new_context()
    with relay(int(served.origin.rpartition(":")[2])) as network:
        page = open_page(context, served.watch.replace(served.origin, f"http://{network.address}"))
        moves(page, SHOWN)
        network.kill()
        line = page.locator("#connection")
        expect(line).to_contain_text("The server does not answer")
        network.start()
        expect(line).to_be_empty()
        moves(page, SHOWN)
        context.close()


def test_a_page_outlives_the_server(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context()
    with serving(tmp_path, NOTHING, *PATIENT, "--set", "serve.port=0") as served:
        port = served.origin.rpartition(":")[2]
        page = open_page(context, served.control)
        expect(page.locator("article")).to_have_count(1)
    expect(page.locator("#connection")).to_contain_text("The server does not answer")
    with serving(tmp_path, NOTHING, *PATIENT, "--set", f"serve.port={port}"):
        expect(page.locator("#connection")).to_contain_text("The token is not valid")
    context.close()


def test_own_script_and_style_are_small_and_load_nothing_else() -> None:
    texts = {path.name: path.read_text() for path in ASSETS.iterdir()}
    own = [text for name, text in texts.items() if name.endswith((".js", ".css"))]
    assert sum(len(text.encode()) for text in own) < MOST_BYTES
    for name, text in texts.items():
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text), name
