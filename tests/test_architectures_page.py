"""The page of architectures says what they are; run as a script, this mends it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import torch

from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture
from unweave.nn.initialise import construct
from unweave.spec import members, parse
from unweave.vae import VAE

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "architectures.md"
_TABLE = re.compile(r"(<!-- (architectures|decoders) -->\n)(.*?)(?=<!-- end -->)", re.S)

# From whom they are, and how their first weights are drawn.
WHO = {
    "burgess": ("Burgess et al. (2018), as disentangling-vae builds it", "He-uniform"),
    **dict.fromkeys(
        ("burgess_v2", "kim", "mathieu", "mpcnn", "higgins"),
        ("Montero et al. (2021)", "He-uniform"),
    ),
    **dict.fromkeys(
        ("locatello", "locatello(kernel=4)", "locatello_mlp"),
        ("Locatello et al. (2019), disentanglement_lib", "Glorot-uniform"),
    ),
    **dict.fromkeys(
        ("beta_celeb", "beta_shapes"), ("Zhu et al. (2021), baselines", "PyTorch's")
    ),
    **dict.fromkeys(
        ("simple_conv64", "padless_conv64"),
        ("Disentanglement-PyTorch (2019)", "Xavier-normal, dense layers Kaiming-normal"),
    ),
    **dict.fromkeys(
        ("shallow_linear", "deep_linear"), ("Disentanglement-PyTorch (2019)", "Kaiming-normal")
    ),
    "pbt_vae": ("Estermann et al. (2020)", "PyTorch's"),
    **dict.fromkeys(("abdi", "montero"), ("Montero et al. (2022), in the code", "He-uniform")),
    "lie_group": ("Zhu et al. (2021)", "Xavier-uniform"),
}  # fmt: skip
# Without an encoder.
DECODERS = (
    "decoder_higgins", "decoder_burgess", "decoder_kim", "decoder_kim_bn", "decoder_deep",
    "decoder_deep_bn",
)  # fmt: skip


def table() -> str:
    """A line for each architecture."""
    lines = ["| name | sides of images | parameters | first weights | from whom |"]
    lines.append("|---|---|---|---|---|")
    for text, (who, weights) in WHO.items():
        architecture = parse(text, Architecture)
        with torch.device("meta"):
            model = VAE(architecture, (64, 64, 1), 10, Bernoulli())
        lines.append(
            f"| `{text}` | {sides(architecture)} | {count(model):,} | {weights} | {who} |"
        )
    return "\n".join(lines)


def decoders() -> str:
    """A line for each decoder alone."""
    lines = ["| name | sides of images | parameters | layers |", "|---|---|---|---|"]
    for text in DECODERS:
        architecture = parse(text, Architecture)
        with torch.device("meta"):
            network = architecture.decoder((64, 64, 1), 5)
        about = " ".join((inspect.getdoc(type(architecture)) or "").split("\n\n")[0].split())
        lines.append(f"| `{text}` | {sides(architecture)} | {count(network):,} | {about} |")
    return "\n".join(lines)


def count(network: torch.nn.Module) -> int:
    """How many numbers it learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def sides(architecture: Architecture) -> str:
    """Which images it takes."""
    return "any" if architecture.sides is None else ", ".join(map(str, architecture.sides))


def tables() -> dict[str, str]:
    """The lines of each table, by its mark on the page."""
    return {"architectures": table(), "decoders": decoders()}


def test_the_tables_are_what_the_code_has():
    found = {mark: text.strip() for _, mark, text in _TABLE.findall(PAGE.read_text("utf-8"))}
    assert found == tables(), f"run python tests/{Path(__file__).name}"


def test_first_weights_are_told_as_they_are_drawn():
    scales = {"He-uniform": 6 / 4096, "PyTorch's": 1 / 4096}
    scales |= dict.fromkeys(("Glorot-uniform", "Xavier-uniform"), 6 / (4096 + 256))
    normal = {"Kaiming-normal": 2 / 4096}
    for text, told in [
        *((text, told) for text, (_, told) in WHO.items()),
        *((text, "PyTorch's") for text in DECODERS),
    ]:
        layer = construct(
            lambda: torch.nn.Linear(4096, 256),
            torch.Generator().manual_seed(0),
            parse(text, Architecture).initialise,
        )
        variance = layer.weight.var().item()
        rule = told.rpartition("dense layers ")[2]
        expected = normal[rule] if rule in normal else scales[rule] / 3
        assert abs(variance / expected - 1) < 0.02, text
        # What tells two names of one rule apart.
        assert bool(layer.bias.any()) == (told != "Glorot-uniform"), text


def test_every_architecture_of_unweave_is_told_of():
    page = PAGE.read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(\w+)[`(]", page, re.M))
    ours = {
        name
        for name, cls in members(Architecture).items()
        if cls.__module__.startswith("unweave.nn.")
    }
    # These two have no layers of their own, and so no row.
    assert told == ours - {"pair", "own"}
    assert "`pair(" in page
    assert "own-model.md" in page


if __name__ == "__main__":
    made = tables()
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _TABLE.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n", page), encoding="utf-8"
    )
