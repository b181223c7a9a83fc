"""Device, threads and precision, resolved once for the machine at hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from contracts.learners import small_config
from unweave.errors import SpecError
from unweave.training.precision import autocast_dtype, resolve

PROBES = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


def automatic(**settings):
    fields = {"device": "auto", "precision": "auto", "threads": None}
    return small_config("vae", **fields | settings)


def test_automatic_settings_become_those_of_the_machine(no_gpu):
    resolved = resolve(automatic())
    assert resolved.device == "cpu"
    assert resolved.threads == torch.get_num_threads()
    assert resolved.precision in ("float32", "bfloat16")
    # Nothing else changes, and doing it again changes nothing.
    before = dataclasses.replace(resolved, device="auto", precision="auto", threads=None)
    assert before == automatic()
    assert resolve(resolved) == resolved


@pytest.mark.parametrize(
    ("has", "expected"),
    [((False, False), "float32"), ((True, False), "bfloat16"), ((False, True), "bfloat16")],
)
def test_bfloat16_is_chosen_where_the_processor_has_instructions_for_it(
    has, expected, no_gpu, monkeypatch
):
    for probe, answer in zip(PROBES, has, strict=True):
        monkeypatch.setattr(torch.cpu, probe, lambda answer=answer: answer, raising=False)
    assert resolve(automatic()).precision == expected


def test_a_pytorch_without_the_probes_gives_float32(no_gpu, monkeypatch):
    for probe in PROBES:
        monkeypatch.delattr(torch.cpu, probe, raising=False)
    assert resolve(automatic()).precision == "float32"


def test_what_repeats_published_numbers_is_float32_unless_bfloat16_is_asked_for(
    no_gpu, monkeypatch
):
    for probe in PROBES:
        monkeypatch.setattr(torch.cpu, probe, lambda: True, raising=False)
    published = "estimator=stratified, compat=disvae"
    for objective in (f"beta_tcvae({published})", f"vae + total_correlation({published})"):
        fields = {"device": "auto", "threads": None}
        automatic = small_config(objective, precision="auto", **fields)
        assert resolve(automatic).precision == "float32"
        given = small_config(objective, precision="bfloat16", **fields)
        assert resolve(given).precision == "bfloat16"
    ours = small_config("beta_tcvae", precision="auto", **fields)
    assert resolve(ours).precision == "bfloat16"


def test_what_is_given_is_kept(no_gpu):
    given = automatic(device="cpu", precision="bfloat16", threads=1)
    assert resolve(given) == given
    assert resolve(automatic(precision="float32")).precision == "float32"


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("gpu", "device 'gpu' is unknown. Use auto, cpu, cuda or cuda:N."),
        ("", "device '' is unknown"),
        ("cuda:x", "device 'cuda:x' is unknown"),
        ("cuda", "device 'cuda' is not there; this machine has 0 GPUs"),
        ("cuda:7", "device 'cuda:7' is not there"),
        ("meta", "device 'meta' is not supported"),
    ],
)
def test_devices_that_are_not_there_are_refused(device, reason, no_gpu):
    with pytest.raises(SpecError) as caught:
        resolve(automatic(device=device))
    assert reason in str(caught.value)


def test_the_dtype_of_a_precision():
    assert autocast_dtype("bfloat16") is torch.bfloat16
    assert autocast_dtype("float32") is None
