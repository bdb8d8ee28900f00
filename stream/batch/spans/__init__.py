"""Long videos in spans that several workers take: cut at keyframes, and joined again."""

from stream.batch.spans.cutting import places_s, span_tasks, whole_task
from stream.batch.spans.joining import join
from stream.batch.spans.part_files import remove_parts
from stream.batch.spans.span_run import SpanRun

__all__ = ["SpanRun", "join", "places_s", "remove_parts", "span_tasks", "whole_task"]
