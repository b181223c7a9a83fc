"""The cluster files among the examples are such as Ray takes."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("cluster-*.yaml"))


def read(path):
    yaml = pytest.importorskip("yaml", reason="comes with Ray")
    util = pytest.importorskip("ray.autoscaler._private.util", reason="needs Ray")
    config = util.prepare_config(yaml.safe_load(path.read_text()))
    util.validate_config(config)
    return config


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ray_takes_the_cluster_files(path):
    config = read(path)
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert sum("ray start" in command for command in starts) == 2
    # The autoscaler reads the file that `ray up` leaves on the head node.
    assert any("--autoscaling-config" in command for command in starts)


def test_there_are_two():
    assert [path.stem for path in FILES] == ["cluster-aws", "cluster-own"]


def test_the_image_has_the_ray_of_the_constraints():
    constraints = (EXAMPLES.parent / "constraints.txt").read_text().splitlines()
    (pin,) = [line for line in constraints if line.startswith("ray==")]
    text = (EXAMPLES / "cluster-aws.yaml").read_text()
    assert f"rayproject/ray:{pin.removeprefix('ray==')}-py311-gpu" in text
