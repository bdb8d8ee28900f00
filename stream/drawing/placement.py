"""Label placement: panels beside their faces and the legend in a corner, steady over frames.

As in map labelling, each panel has a few candidate positions. The panels of the largest faces are
placed first, each where it hides no face and no other panel; one that fits nowhere is left out. A
panel keeps its candidate from frame to frame while that hides next to nothing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stream.drawing.legend_placement import LegendPlacement
from stream.drawing.marks import Box
from stream.drawing.panel_scene import Candidate, PanelScene

_RANK_OF_SHOWN = 1.3
"""By what the width of a face counts more where its panel is shown already: so much larger must
another face be to take its place."""

_BETTER_AFTER = 5
"""Frames in a row in which a place must be free before a panel comes back or takes a longer form;
more makes labels come and go less."""

_KEPT_FRAMES = 50
"""Frames for which the candidate of a panel that is not shown is remembered."""


class PlacedPanel(NamedTuple):
    """Where a panel is, and in which of its forms."""

    form: int
    box: Box


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The places of all text on one picture: of the panels that fit by track, and of the legend if
    any."""

    panels: Mapping[int, PlacedPanel]
    legend: Box | None


class Placement:
    """Chooses the places of panels and legend, and remembers them from frame to frame."""

    def __init__(self) -> None:
        self._positions: dict[int, _Position] = {}
        self._legend = LegendPlacement()
        self._frames = 0

    def __repr__(self) -> str:
        return f"Placement({len(self._positions)} panels)"

    def are_all_new(self, track_ids: Iterable[int]) -> bool:
        """Whether no panel of these tracks is remembered: the picture is unrelated to the last."""
        return self._positions.keys().isdisjoint(track_ids)

    def arrange(
        self,
        faces: Mapping[int, Box],
        panels_wh: Mapping[int, Mapping[int, tuple[int, int]]],
        legend_wh: tuple[int, int] | None,
        frame_wh: tuple[int, int],
        gap: int,
    ) -> Arrangement:
        """Places panels and legend in the next picture.

        Args:
            faces: all faces in the picture, by track.
            panels_wh: by track, width and height of the forms that its panel may have, px, by the
                number of the form, the best first; not every face has a panel.
            legend_wh: width and height of the legend; None where there is none.
            frame_wh: width and height of the picture.
            gap: px between a panel and its face; it is farther from any other.
        """
        self._frames += 1
        if self.are_all_new(panels_wh):
            self._legend.forget()
        # Panels avoid the legend where it is, then the legend avoids the panels.
        kept = self._legend.place(legend_wh, frame_wh)
        panels = self._place_panels(faces, panels_wh, [] if kept is None else [kept], frame_wh, gap)
        texts = [panel.box for panel in panels.values()]
        return Arrangement(panels, self._legend.choose(legend_wh, frame_wh, faces.values(), texts))

    def _place_panels(
        self,
        faces: Mapping[int, Box],
        panels_wh: Mapping[int, Mapping[int, tuple[int, int]]],
        texts: list[Box],
        frame_wh: tuple[int, int],
        gap: int,
    ) -> dict[int, PlacedPanel]:
        """The panels that fit, those of large faces first; `texts` are in their way."""
        panels: dict[int, PlacedPanel] = {}
        for track_id in sorted(panels_wh, key=lambda each: -self._rank(each, faces[each])):
            others = [face for other, face in faces.items() if other != track_id]
            scene = PanelScene(faces[track_id], panels_wh[track_id], frame_wh, others, texts, gap)
            position = self._positions.get(track_id)
            if position is None:
                position = self._positions[track_id] = _Position(scene.best(None))
            else:
                position.update(scene)
            position.last_frame = self._frames
            if position.candidate is not None:
                box = scene.box(position.candidate)
                panels[track_id] = PlacedPanel(position.candidate.form, box)
                texts.append(box)
        self._positions = {
            track_id: position
            for track_id, position in self._positions.items()
            if self._frames - position.last_frame <= _KEPT_FRAMES
        }
        return panels

    def _rank(self, track_id: int, face: Box) -> float:
        position = self._positions.get(track_id)
        is_shown = position is not None and position.candidate is not None
        return face.width * (_RANK_OF_SHOWN if is_shown else 1)


@dataclass(slots=True)
class _Position:
    """What is remembered of a panel.

    Attributes:
        candidate: where it is; None where it is left out.
        better_frames: for how many frames in a row a better candidate has been free.
        last_frame: in which its track was last in the picture.
    """

    candidate: Candidate | None
    better_frames: int = 0
    last_frame: int = 0

    def update(self, scene: PanelScene) -> None:
        """Chooses the candidate for this frame.

        1. A panel whose candidate hides too much moves to the best one that is free at once; it is
           left out where none is.
        2. Where a better candidate has been free for some frames, it takes that: so a panel that
           was left out comes back.
        3. Else it stays as it is.
        """
        current = self.candidate
        if current is not None and not scene.is_tolerable(current):
            self.candidate, self.better_frames = scene.best(current), 0
            return
        level = math.inf if current is None else scene.level(current)
        best = scene.best(current) if level > 0 else None
        is_better = best is not None and scene.level(best) < level
        self.better_frames = self.better_frames + 1 if is_better else 0
        if self.better_frames >= _BETTER_AFTER:
            self.candidate, self.better_frames = best, 0
