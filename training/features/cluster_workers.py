"""Embeds pictures in processes on the nodes of a Ray cluster: paths travel, embeddings come back.

Every node sees the pictures at the same paths. What comes back goes through memory into the cache
of the machine that the command was given to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self, TypeAlias

from models.cluster.jobs import Answer, Cluster
from models.cluster.process import Place, UnfitNodeError
from models.errors import ModelError
from training.errors import TrainingError
from training.features.extractor import ExtractionSettings, Extractor
from training.features.workers import TRANSACTION_PICTURES, Embedded, Picture, embedded

_JOB_PICTURES = 8
"""Pictures of a job: more are lost with a node, fewer cost more calls."""

_ATTEMPTS = 5
"""How often a job is begun, each time that a node was lost with it."""

_WAIT_S = 1.0
"""How long an answer is waited for at a time, s."""

_Job: TypeAlias = tuple[Picture, ...]


class ClusterWorkers:
    """Embeds pictures in one process for each CPU of the cluster; nodes may join and die.

    Args:
        address: `HOST:PORT` of the cluster's head, or `auto`.
        extractor: what the processes have too.

    Raises:
        ClusterError: there is no such cluster, or Ray is missing.
    """

    def __init__(self, address: str, extractor: Extractor) -> None:
        settings = extractor.settings
        if settings.embedder is not None:
            settings = replace(settings, embedder=settings.embedder.absolute())
        begin = partial(_begin, settings, extractor.key(b""))
        self._cluster = Cluster[_Job, list[Embedded]](address, begin)

    def __repr__(self) -> str:
        return f"ClusterWorkers({self._cluster})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes and leaves the cluster; may be called twice."""
        self._cluster.close()

    @property
    def transaction(self) -> int:
        """How many pictures it is given at a time; more where nodes have joined."""
        return TRANSACTION_PICTURES * self._cluster.capacity

    def embed(self, pictures: Sequence[Picture]) -> Iterator[Embedded]:
        """The results of the pictures, as they come.

        Raises:
            ClusterError: no node can do it.
            TrainingError: pictures were lost again and again, each time with their process.
        """
        absolute = [(path.absolute(), key) for path, key in pictures]
        jobs = [
            tuple(absolute[start : start + _JOB_PICTURES])
            for start in range(0, len(absolute), _JOB_PICTURES)
        ]
        attempts = [1] * len(jobs)
        for index, job in enumerate(jobs):
            self._cluster.submit(index, job)
        waiting = len(jobs)
        while waiting:
            for answer in self._cluster.finished(_WAIT_S):
                if answer.value is not None:
                    waiting -= 1
                    yield from answer.value
                    continue
                _check_attempts(answer, attempts[answer.key], jobs[answer.key][0][0])
                attempts[answer.key] += 1
                self._cluster.submit(answer.key, jobs[answer.key])


def _check_attempts(answer: Answer[list[Embedded]], attempts: int, first: Path) -> None:
    """Raises TrainingError where a job has failed too often."""
    if attempts >= _ATTEMPTS:
        raise TrainingError(
            f"{first} and the pictures after it failed {attempts} times, the last time on node "
            f"{answer.node}: {answer.error}"
        )


def _begin(
    settings: ExtractionSettings, fingerprint: bytes, place: Place
) -> Callable[[_Job], list[Embedded]]:
    """Makes what embeds pictures on a node.

    Raises:
        UnfitNodeError: the node has no such embedder, or another one.
    """
    try:
        extractor = Extractor(settings)
    except ModelError as error:
        raise UnfitNodeError(str(error)) from None
    if extractor.key(b"") != fingerprint:
        raise UnfitNodeError(f"{settings.embedder} is another file there")
    return partial(_embed, extractor)


def _embed(extractor: Extractor, job: _Job) -> list[Embedded]:
    """What comes of the pictures of a job.

    Raises:
        UnfitNodeError: the node does not see a picture that this machine has read.
    """
    results = []
    for path, key in job:
        result = embedded(extractor, path)
        if result[0] != key and not path.is_file():
            raise UnfitNodeError(f"it does not see {path}: let it be the same on all nodes")
        results.append(result)
    return results
