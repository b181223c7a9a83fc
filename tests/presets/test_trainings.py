"""Presets are trained through the command line, and can be estimated before."""

from __future__ import annotations

import functools

import pytest

from session.runs import TINY, cli, document, flags, lines
from unweave.presets import PRESETS, preset

MINI = {
    "dsprites": "dsprites(grid=(3, 2, 4, 8, 8))",
    "shapes3d": "shapes3d(grid=(2, 2, 2, 2, 4, 3))",
}
PART = f"without(data={MINI['dsprites']}, where=\"shape == 'square' and pos_x > 0.5\")"
# Preset: dataset in its place, and the terms that are logged beside the reconstruction.
LIE = {"kl", "group_reconstruction", "hessian", "commutator"}
TRAINED = {
    "clg/dsprites": (MINI["dsprites"], LIE),
    "clg/shapes3d": (MINI["shapes3d"], LIE),
    "clg/commutator_40": (MINI["dsprites"], LIE),
    "clg/components_vae": (MINI["dsprites"], LIE),
    "clg/beta_celeb": (MINI["shapes3d"], {"kl"}),
    "clg/dip_vae_i": (MINI["dsprites"], {"kl", "dip_i"}),
    "clg/dip_conv_vae_ii": (MINI["shapes3d"], {"kl", "dip_ii"}),
    "clg/factor_conv_vae": (MINI["shapes3d"], {"kl", "density_ratio_tc"}),
    "dag/beta8_dsprites_shape2tx": (PART, {"kl"}),
    "dag/factor50_dsprites_shape2tx": (PART, {"kl", "density_ratio_tc"}),
    "dag/cci_shapes3d": (MINI["shapes3d"], {"kl"}),
    "dag/decoder_burgess_dsprites_shape2tx": (PART, set()),
    "dag/decoder_kim_bn_shapes3d_shape2ohue": (MINI["shapes3d"], set()),
    "dag/composer_beta4_dsprites": (PART, {"kl"}),
    "lls/fixint_shapes3d_shape2ohue": (MINI["shapes3d"], {"kl"}),
    "dlib/0": (MINI["dsprites"], {"kl"}),
    "dlib/300": (MINI["dsprites"], {"kl", "density_ratio_tc"}),
    "dlib/600": (MINI["dsprites"], {"kl", "dip_i"}),
    "dlib/900": (MINI["dsprites"], {"kl", "dip_ii"}),
    "dlib/1250": (MINI["dsprites"], {"kl", "total_correlation"}),
    "dlib/1500": (MINI["dsprites"], {"kl"}),
}
# Parameters of the model and of its discriminator, as published.
COUNTS = {
    "clg/dsprites": {"model": 897_665},
    "clg/shapes3d": {"model": 2_283_015},
    "clg/beta_celeb": {"model": 766_295},
    "clg/beta_shapes": {"model": 33_865_508},
    "clg/factor_conv_vae": {"model": 766_295, "discriminator": 4_017_002},
    "dag/vae_dsprites_shape2tx": {"model": 448_724 + 447_105},
    # Two layers from ten latents and five factors to ten.
    "dag/composer_dsprites": {"model": 448_724 + 447_105, "operator": 2 * 16 * 10},
    "dag/decoder_higgins_dsprites_shape2tx": {"model": 7_808_896},
    "dag/decoder_deep_bn_shapes3d_leave1out": {"model": 2_010_432},
    "dag/beta8_shapes3d_shape2ohue": {"model": 383_956 + 382_339},
    "dag/factor20_dsprites_shape2tx": {"model": 382_932 + 381_313, "discriminator": 5_018_002},
    "dlib/0": {"model": 309_204 + 381_313},
    "dlib/2207": {"model": 310_228 + 382_339, "discriminator": 5_018_002},
}
EVERY = [name for name in PRESETS if name.startswith(("clg/", "dag/", "lls/"))]


@functools.cache
def estimated(name):
    """A dry run with few images, which are random ones."""
    # An even number, and one of triplets.
    batch = {"batch_size": 6, "steps": preset(name).settings.get("steps", 3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unweave.estimate._MEASURED_STEPS", 1)
        result = cli("train", "--preset", name, *flags(**TINY | batch), "--dry-run", "--json")
    assert result.code == 0, result.err
    return result.json


@pytest.mark.parametrize("name", TRAINED)
def test_a_training_of_two_steps(name, tmp_path):
    dataset, terms = TRAINED[name]
    given = flags(**TINY | {"steps": 2, "log_every": 1, "threads": 1, "batch_size": 6})
    result = cli("train", dataset, "--preset", name, *given, "--out", tmp_path / "run", "--json")
    assert result.code == 0, result.err
    assert result.json["state"] == "finished"
    assert set(result.json["terms"]) == {"reconstruction", *terms}
    assert [row["step"] for row in lines(tmp_path / "run", "train")] == [1, 2]
    config, chosen = document(tmp_path / "run" / "config.json"), preset(name)
    assert config["text"]["dataset"] == dataset
    assert config["text"]["architecture"].startswith(
        chosen.settings["architecture"].partition("(")[0]
    )
    assert config["seed"] == chosen.settings.get("seed", 0)


@pytest.mark.parametrize("name", COUNTS)
def test_networks_have_the_published_sizes(name):
    assert estimated(name)["parameters"] == COUNTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_every_preset_can_be_estimated(name):
    value = estimated(name)
    assert value["seconds_per_step"] > 0
    assert value["parameters"]["model"] > 100_000
