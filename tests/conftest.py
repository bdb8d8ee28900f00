"""What all tests share: two watchdogs, the data, and what is costly to load."""

import logging
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from models.classification.bundle import Bundle
from models.detection.centerface_detector import CenterFaceDetector
from models.detection.cnn_detector import CnnDetector
from models.engine import DetectionSettings, Engine, load_engine
from models.faces import Image
from stream.sources.demo import portrait

if TYPE_CHECKING:
    from training.features.table import FeatureTable

_THREAD_PATIENCE_S = 2.0

SLOW = frozenset(
    {
        *("annotator", "batch_cli", "batch_faults", "blur", "bundle", "centerface"),
        *("centerface_detector", "claims", "classifiers", "cli", "cluster", "copies", "detector"),
        *(
            "evaluate",
            "examples",
            "extraction",
            "field",
            "fit",
            "network",
            "mqtt",
            "notebooks",
            "outages",
        ),
        "page_browser",
        *(
            "picture_size",
            "processes",
            "publishing",
            "readme",
            "recorder",
            "recovery",
            "reference",
            "run",
        ),
        *("side_by_side", "soak", "spans", "speed_bench", "style", "tracking_bench"),
        *("page", "serving", "train_cli", "uploads", "watchdog", "window"),
    }
)
"""The test files that take more than eight seconds each, and most of the time of all together."""

# By default an example that takes 200 ms fails its test, as any does where the machine is busy.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Else the programs that a suite in the background starts would ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out the slow test files")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whether a file is left out."""
    slow = collection_path.stem.removeprefix("test_") in SLOW
    return True if slow and config.getoption("--quick") else None


@pytest.fixture(autouse=True)
def no_thread_survives() -> Iterator[None]:
    """Fails a test which leaves a thread alive, daemon or not."""
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + _THREAD_PATIENCE_S
    while left := set(threading.enumerate()) - before:
        if time.monotonic() > deadline_s:
            pytest.fail(f"threads left alive: {sorted(thread.name for thread in left)}")
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_error_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails a test that logs an error. One that expects it looks at `caplog` and clears it."""
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    errors = [each.getMessage() for each in records if each.levelno >= logging.ERROR]
    if errors:
        pytest.fail(f"errors logged: {errors}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Photos, clips and labelled faces, which lie beside the repository and not in it."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared test data is not there: it belongs in ../shared/data")
    return folder


@pytest.fixture(scope="session")
def photos(shared_data: Path) -> Path:
    """Eight group photos."""
    return shared_data / "photos"


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """A portrait, 512×512, one face of about 96 px."""
    image = portrait()
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def cnn_detector() -> CnnDetector:
    return CnnDetector()


@pytest.fixture(scope="session")
def centerface_detector() -> CenterFaceDetector:
    return CenterFaceDetector()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine at its defaults, but that the picture is searched as it is."""
    return load_engine(DetectionSettings(downscale=1))


@pytest.fixture(scope="session")
def drawn_faces(tmp_path_factory: pytest.TempPathFactory) -> "FeatureTable":
    """1,200 faces with labels of gender and race, whose embeddings are drawn around them."""
    from training_helpers import drawn_table

    from training.features.table_files import read_table

    return read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "faces.parquet", 1200))


@pytest.fixture(scope="session")
def drawn_model(drawn_faces: "FeatureTable") -> Bundle:
    """A model that was fitted on their training rows; its folder is not on disk."""
    from training.fitting.fit import fit
    from training.fitting.settings import FitSettings

    fitted = fit(drawn_faces, FitSettings(classifier="logistic"))
    return Bundle(Path("model"), fitted.manifest, fitted.files)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody has signed, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is not there")
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True)
    return paths
