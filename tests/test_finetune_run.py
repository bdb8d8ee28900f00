"""A training run on a network so small that a step takes no time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from training_helpers import CountedProgress

from models.networks.dlib_weights import Convolution
from models.networks.trunk import Trunk
from training.finetune.chip_store import ChipStore
from training.finetune.distillation import TeacherProbabilities
from training.finetune.labelled_faces import LabelledFaces
from training.finetune.settings import FinetuneSettings

_NEEDS = "PyTorch is not installed: extra finetune"
torch = pytest.importorskip("torch", reason=_NEEDS)
finetune_run = pytest.importorskip("training.finetune.run", reason=_NEEDS)
network_module = pytest.importorskip("training.finetune.network", reason=_NEEDS)
schedule = pytest.importorskip("training.finetune.schedule", reason=_NEEDS)

if TYPE_CHECKING:
    from training.finetune.run import TrainingRun

_SIDE, _FACES, _DEVELOPMENT = 48, 24, 8
_COUNTS = {"light": 2, "shape": 3}
_UNTAUGHT = TeacherProbabilities()


def _trunk() -> Trunk:
    random = np.random.default_rng(0)

    def convolution(inputs: int, size: int, stride: int, padding: int) -> Convolution:
        shape = (4, inputs, size, size)
        filters = random.normal(0, (2 / (inputs * size * size)) ** 0.5, shape)
        return Convolution(
            filters.astype(np.float32),
            random.normal(0, 0.1, 4).astype(np.float32),
            (stride, stride),
            (padding, padding),
        )

    blocks = [(1, 1), (2, 0), (2, 0)]
    pairs = [(convolution(4, 3, *each), convolution(4, 3, 1, 1)) for each in blocks]
    return Trunk(
        (convolution(3, 7, 2, 0), *(each for pair in pairs for each in pair)),
        random.normal(0, 0.1, (4, 128)).astype(np.float32),
        np.zeros((12, 0), dtype=np.float32),
        np.zeros(0, dtype=np.float32),
    )


def _faces() -> LabelledFaces:
    """Light and dark ones; the development rows are labelled the other way round."""
    light = np.arange(_FACES) % 2
    noise = np.random.default_rng(1).integers(0, 60, (_FACES, _SIDE, _SIDE, 3))
    chips = (noise + 150 * light[:, None, None, None]).astype(np.uint8)
    store = ChipStore(np.arange(_FACES), "digest", (chips,), np.array([_FACES]))
    targets = np.stack([light, np.arange(_FACES) % 3], axis=1)
    targets[:_DEVELOPMENT, 0] = 1 - light[:_DEVELOPMENT]
    return LabelledFaces(
        store,
        {"light": ("no", "yes"), "shape": ("a", "b", "c")},
        targets,
        np.arange(_DEVELOPMENT, _FACES),
        np.arange(_DEVELOPMENT),
    )


def _run(settings: FinetuneSettings, folder: Path) -> "TrainingRun":
    from training.finetune.batches import TrainingBatches
    from training.finetune.chip_loader import ChipLoader

    faces = _faces()
    loader = ChipLoader(faces.chips, torch.device("cpu"))
    batches = TrainingBatches(faces, loader, torch.zeros(_FACES, 128), settings, _UNTAUGHT)
    return finetune_run.TrainingRun(faces, loader, batches, settings, folder, _trunk())


def _saved(run: "TrainingRun", folder: Path) -> dict[str, Any]:
    run.save()
    state: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    return state


def _same(first: "torch.nn.Module", second: "torch.nn.Module") -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_the_rate_rises_straight_and_falls_as_half_a_cosine() -> None:
    for passed, expected in ((0.0, 0), (0.025, 0.5), (0.05, 1), (0.525, 0.5), (1.0, 0)):
        assert schedule.get_lr(passed, 2.0) == pytest.approx(2 * expected, abs=1e-12), passed
    assert schedule.get_lr(0.05 + 0.95 / 4, 1.0) == pytest.approx(0.5 + 0.5 * 0.5**0.5)


def test_the_average_follows_closely_at_first(tmp_path: Path) -> None:
    """After the first step a tenth of the beginning is left, after the second two elevenths."""
    settings = FinetuneSettings(epochs=2, batch=16, rate=1e-3)
    run = _run(settings, tmp_path)
    states = [_saved(run, tmp_path)]
    run.run(lambda row: states.append(_saved(run, tmp_path)))
    assert len(states) == 3, "an epoch is a step"
    for name in ("identity.weight", "evidence.weight", "layers.0.norm.weight"):
        expected = states[0]["average"][name]
        for state, kept in zip(states[1:], (1 / 10, 2 / 11), strict=True):
            expected = kept * expected + (1 - kept) * state["network"][name]
            torch.testing.assert_close(state["average"][name], expected)
        assert not torch.equal(states[1]["network"][name], states[0]["network"][name])


def test_the_average_has_the_means_that_its_own_weights_give(tmp_path: Path) -> None:
    from training.finetune.batches import TrainingBatches
    from training.finetune.chip_loader import ChipLoader

    settings = FinetuneSettings(epochs=6, batch=16, rate=0.1)
    run = _run(settings, tmp_path)
    run.run()
    state = _saved(run, tmp_path)
    faces = _faces()
    loader = ChipLoader(faces.chips, torch.device("cpu"))
    batches = TrainingBatches(faces, loader, torch.zeros(_FACES, 128), settings, _UNTAUGHT)
    means = {}
    for which in ("average", "network"):
        convolution = torch.nn.Conv2d(3, 4, 7, 2)
        names = {"weight", "bias"}
        convolution.load_state_dict(
            {name: state[which][f"layers.0.convolution.{name}"] for name in names}
        )
        with torch.no_grad():
            features = [convolution(batches.batch(each).images) for each in range(len(batches))]
        means[which] = torch.stack([each.mean((0, 2, 3)) for each in features]).mean(0)
    found = state["average"]["layers.0.norm.running_mean"]
    torch.testing.assert_close(found, means["average"], rtol=3e-3, atol=0.0)  # in 16 bits
    assert not torch.allclose(found, means["network"], rtol=3e-3, atol=0.0)


def test_the_average_s_decay_has_a_limit(tmp_path: Path) -> None:
    run = _run(FinetuneSettings(epochs=1, batch=16, averaged=0.0), tmp_path)
    run.run()
    state = _saved(run, tmp_path)
    for name, values in state["network"].items():
        if name.endswith(("weight", "bias")):
            assert torch.equal(state["average"][name], values), name


def test_it_stops_after_its_patience_and_exports_the_best_epoch(tmp_path: Path) -> None:
    """Whatever is learned here is wrong of the development rows, so the first epoch is the best."""
    settings = FinetuneSettings(
        epochs=30, patience=3, batch=16, rate=5e-3, averaged=0.0, mixup=0.0, identity=0.0
    )
    run = _run(settings, tmp_path)
    averages: list[Any] = []
    run.run(lambda row: averages.append(_saved(run, tmp_path)["average"]))
    best = int(run.best["epoch"])
    assert run.best["development loss"] == min(row["development loss"] for row in run.log)
    assert len(run.log) == best + 3 < 30
    assert [row["epoch"] for row in run.log] == list(range(1, best + 4))
    whole = network_module.Network(_trunk(), _COUNTS)
    whole.load_state_dict(averages[best - 1])
    expected = network_module.Network(whole.trunk(), _COUNTS, batch_norm=False)
    assert _same(run.network(), expected)
    whole.load_state_dict(averages[-1])
    last = network_module.Network(whole.trunk(), _COUNTS, batch_norm=False)
    assert not _same(run.network(), last)


def test_a_run_cut_short_comes_to_the_same_end(tmp_path: Path) -> None:
    settings = FinetuneSettings(epochs=3, batch=8, rate=1e-3)
    whole = _run(settings, tmp_path / "whole")
    whole.run()
    steps: list[int] = []

    def die(done: int, *, known: bool = False) -> None:
        steps.append(done)
        if len(steps) == 5:  # in the second epoch, behind the checkpoint of the first
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(settings, tmp_path / "cut").run(progress=die)
    assert steps == [0, 8, 8, 8, 8]
    again = _run(settings, tmp_path / "cut")
    assert len(again.log) == 1
    progress = CountedProgress()
    again.run(progress=progress)
    assert progress.done == [16, 8, 8, 8, 8], "first what was done before"
    assert progress.known == [16]
    assert _same(again.network(), whole.network())
    assert [row["loss"] for row in again.log] == [row["loss"] for row in whole.log]


def test_what_the_heads_have_learned_is_folded_into_one_product() -> None:
    generator = torch.Generator().manual_seed(0)
    network = network_module.Network(_trunk(), _COUNTS)
    with torch.no_grad():
        network.evidence.weight.normal_(generator=generator)
        network.evidence.bias.normal_(generator=generator)
        network.scaler.running_mean.normal_(generator=generator)
        network.scaler.running_var.uniform_(0.5, 2, generator=generator)
        for layer in network.layers:
            layer.norm.running_mean.normal_(generator=generator)
            layer.norm.running_var.uniform_(0.5, 2, generator=generator)
            layer.norm.bias.normal_(generator=generator)
    images = 255 * torch.rand(3, 3, _SIDE, _SIDE, generator=generator)
    folded = network_module.Network(network.trunk(), _COUNTS, batch_norm=False)
    with torch.inference_mode():
        expected, found = (each.eval().embed(images) for each in (network, folded))
    assert expected.shape == (3, 128 + 5)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_filters_and_heads_are_drawn_to_0_and_heads_learn_faster() -> None:
    network = network_module.Network(_trunk(), _COUNTS)
    filters, others, heads = network.parameter_groups(0.1, 0.7, 0.03)
    assert [(each["lr"], each["weight_decay"]) for each in (filters, others, heads)] == [
        (0.1, 0.03),
        (0.1, 0.0),
        (0.7, 0.03),
    ]
    assert {each.ndim for each in filters["params"]} == {2, 4}
    assert {each.ndim for each in others["params"]} == {1}
    assert {id(each) for each in heads["params"]} == {
        id(network.evidence.weight),
        id(network.evidence.bias),
    }
    train = [id(each) for group in (filters, others, heads) for each in group["params"]]
    assert sorted(train) == sorted(id(each) for each in network.parameters())
