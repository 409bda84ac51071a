"""What is in the wheel that people install."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def test_the_wheel_brings_every_template_of_a_letter(tmp_path):
    templates = ROOT / "src" / "marketplace" / "adapters" / "letters" / "templates"
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))

    with zipfile.ZipFile(built) as wheel:
        packed = {name for name in wheel.namelist() if name.endswith(".jinja")}

    written = {path.relative_to(ROOT / "src").as_posix() for path in templates.rglob("*.jinja")}
    assert packed == written
    assert written
