"""The report in a real browser, from disk: clicks on evidence move the player and flash the right box."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from onlooker.video.answer import Answer, Evidence
from onlooker.video.report.data import load_video
from onlooker.video.report.page import write_page

selenium = pytest.importorskip("selenium", reason="the browser test needs `pip install selenium`")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are not installed"
)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="module")
def browser():
    profile = tempfile.mkdtemp()
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


def _open(browser, scene, answers) -> None:
    with scene.store.read() as connection:
        data = load_video(connection, scene.video_id)
    path = write_page([data], answers, Path(scene.library).with_name("report.html"))
    browser.get_log("browser")
    browser.get(path.as_uri())


def _wait(browser, script: str) -> None:
    WebDriverWait(browser, 8, poll_frequency=0.05).until(lambda one: one.execute_script(f"return {script}"))


def _video_ready(browser) -> None:
    _wait(browser, "document.getElementById('video').readyState >= 2 && !document.getElementById('video').hidden")


def _answer(video: str) -> Answer:
    person = Evidence("tracklet", video, 1, 0.0, 2.9, 2.0, (70.0, 20.0, 90.0, 60.0))
    words = Evidence("screen_text", video, None, 1.0, 2.0, 1.0, (1.0, 2.0, 30.0, 12.0), "STOP")
    return Answer(
        "Who?", "answered", "Number 1.", evidence=(person, words), sql="SELECT 1", columns=("n",), rows=((1,),)
    )


def _painted(browser, x: float, y: float) -> list[int]:
    """Colour of the overlay at a point of the 160x120 video."""
    return browser.execute_script(
        "const c = document.getElementById('overlay'), s = c.width / 160;"
        f"return [...c.getContext('2d').getImageData(Math.round({x} * s), Math.round({y} * s), 1, 1).data]"
    )


def test_click_on_evidence_seeks_the_player_and_flashes_the_box(browser, scene):
    _open(browser, scene, [_answer("street.mp4")])
    _video_ready(browser)
    first, second = browser.find_elements(By.CSS_SELECTOR, ".evidence button")
    first.click()
    _wait(browser, "Math.abs(document.getElementById('video').currentTime - 2.0) < 0.05")
    _wait(browser, "!document.getElementById('video').seeking")
    flash = json.loads(browser.find_element(By.ID, "overlay").get_attribute("data-flash"))
    assert flash == {"tracklet": 1, "box": [70, 20, 90, 60]}
    assert browser.find_element(By.ID, "clock").text.startswith("2.00 /")
    assert "1 person" in browser.find_element(By.ID, "status").text
    # The box of frame 20 is on the canvas where it belongs, and not where it was at the start.
    assert _painted(browser, 70, 40)[3] > 200
    assert _painted(browser, 10, 40)[3] == 0
    second.click()
    _wait(browser, "Math.abs(document.getElementById('video').currentTime - 1.0) < 0.05")
    assert json.loads(browser.find_element(By.ID, "overlay").get_attribute("data-flash"))["box"] == [1, 2, 30, 12]


def test_keys_timeline_filter_and_categories_work(browser, scene):
    _open(browser, scene, [])
    _video_ready(browser)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("l")
    _wait(browser, "Math.abs(document.getElementById('video').currentTime - 1.0) < 0.05")
    body.send_keys(Keys.ARROW_RIGHT)
    _wait(browser, "Math.abs(document.getElementById('video').currentTime - 1.1) < 0.05")
    body.send_keys("j")
    _wait(browser, "document.getElementById('video').currentTime < 0.2")
    body.send_keys(" ")
    _wait(browser, "document.getElementById('video').currentTime > 0.4")
    body.send_keys("k")
    _wait(browser, "document.getElementById('video').paused")
    bar = browser.find_elements(By.CSS_SELECTOR, ".lane[data-number='2'] .bar:not(.gap)")[1]
    bar.click()  # the middle of 1.5 s to 3.0 s
    _wait(browser, "Math.abs(document.getElementById('video').currentTime - 2.25) < 0.1")
    assert json.loads(browser.find_element(By.ID, "overlay").get_attribute("data-flash"))["tracklet"] == 2
    browser.find_element(By.ID, "filter").send_keys("car")
    shown = browser.find_elements(By.CSS_SELECTOR, "#panel-tracklets .tracklet")
    assert [one.get_attribute("data-number") for one in shown] == ["2"]
    browser.find_element(By.ID, "filter").send_keys(Keys.BACKSPACE * 3)
    browser.find_element(By.CSS_SELECTOR, ".chip").click()
    assert len(browser.find_elements(By.CSS_SELECTOR, "#panel-tracklets .tracklet")) == 1


def test_hostile_text_is_shown_as_text_and_nothing_is_fetched(browser, hostile_scene):
    name = hostile_scene.clip.name
    _open(browser, hostile_scene, [_answer(name)])
    _video_ready(browser)
    browser.find_element(By.ID, "tab-words").click()
    assert "</script>" in browser.find_element(By.ID, "panel-words").text
    time.sleep(0.2)
    assert browser.title == "Onlooker report"
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert all(one.startswith(("file:", "data:", "blob:")) for one in fetched)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_without_the_video_file_keyframes_and_a_clock_take_its_place(browser, scene):
    scene.clip.unlink()
    _open(browser, scene, [_answer("street.mp4")])
    browser.find_elements(By.CSS_SELECTOR, ".evidence button")[0].click()
    assert browser.find_element(By.ID, "clock").text.startswith("2.00 /")
    assert browser.find_element(By.ID, "still").is_displayed()
    assert "picture of 0.00 s, boxes of 2.00 s" in browser.find_element(By.ID, "stage-note").text
    assert _painted(browser, 70, 40)[3] > 200
