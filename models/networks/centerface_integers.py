"""CenterFace's network in 8-bit integers.

Three kinds of operators stay in floats:

1. the first two convolutions, whose rounding would reach all others,
2. the four heads, whose results are scores, sizes and places,
3. the transposed convolutions with their batch normalization: ONNX Runtime knows none in
   integers.
"""

import onnx

from models.networks.integer_graphs import IntegerRewriter, Ranges, check_ranges, feature_maps

_FLOAT_FIRST = 2
"""How many of the first convolutions stay in floats; more are slower, fewer find less that is
small."""

_FLOAT_LAST = 4
"""How many of the last convolutions stay in floats: the heads."""

_OPSET = 13
"""Version of ONNX's operators that is written, the first with a step for each output channel. What
the network consists of is the same in it as in the file's version, 9."""

_RANGES = """
368 0 28.84, 369 -19.65 19.19, 373 0 20.75, 376 0 11.54, 377 -14.74 9.89, 381 0 6.77, 384 0 10.46,
385 -9.82 9.9, 387 -18.06 13.26, 390 0 9.26, 393 0 7.26, 394 -4.98 5.7, 398 0 5.66, 401 0 4.52,
402 -5.53 7.13, 404 -6.76 7.73, 407 0 10.75, 410 0 6.28, 411 -11.05 8.3, 413 -12.52 12.17,
416 0 7.12, 419 0 8.43, 420 -6.55 6.06, 424 0 4.37, 427 0 3.85, 428 -3.98 3.56, 430 -7.52 6.76,
433 0 4.59, 436 0 4.48, 437 -4.56 3.72, 439 -7.57 8.5, 442 0 4.44, 445 0 6.36, 446 -6.25 7.27,
448 -9.67 11.11, 451 0 4.61, 454 0 6.48, 455 -4.14 3.61, 459 0 5.41, 462 0 5.5, 463 -3.94 3.16,
465 -5.07 4.83, 468 0 6.49, 471 0 7.85, 472 -4.65 5.04, 474 -7.39 6.73, 477 0 4.47, 480 0 10.94,
481 -3.6 3.67, 485 0 7.29, 488 0 6.34, 489 -3.19 3.85, 491 -4.66 4.87, 494 0 6.38, 497 0 7.13,
498 -5.35 5.63, 500 -6.13 7.51, 503 0 6.04, 506 0 10.49, 507 -3.92 3.3, 511 0 4.17, 517 0 5.77,
514 0 7.31, 518 0 8.55, 524 0 4.87, 521 0 7.86, 525 0 8.6, 531 0 2.07, 528 0 8.73, 532 0 8.79,
535 0 4.3
"""
"""By the name of each feature map, its lowest and highest value; what lies outside is clipped.

They are percentiles over 48 pictures of 960×544 px: the 80th of each picture's highest value, the
20th of its lowest. The pictures are frames of three clips; two thirds have faces of FairFace's
training set pasted in, from row 5,001 on, 14 to 220 px wide. None is of a set that detectors are
judged on.
"""


def measured_ranges() -> dict[str, tuple[float, float]]:
    """By the name of each feature map that is quantized, its lowest and its highest value."""
    entries = (entry.split() for entry in _RANGES.split(","))
    return {name: (float(low), float(high)) for name, low, high in entries}


def integer_graph(model: bytes, ranges: Ranges | None = None) -> bytes:
    """The same network with most of its convolutions and sums in 8-bit integers.

    Args:
        model: what `centerface_graph` gives.
        ranges: of its feature maps; by default those that were measured.

    Raises:
        ModelError: the ranges are not those of the network's feature maps.
    """
    network = onnx.load_from_string(model)
    ranges = measured_ranges() if ranges is None else ranges
    changed = _changed_nodes(network.graph)
    check_ranges("CenterFace", ranges, feature_maps(network.graph, changed))
    rewriter = IntegerRewriter(network.graph, ranges)
    results = {node.output[0] for node in changed}
    for node in network.graph.node:
        in_integers = node.op_type == "Conv" and node.output[0] in results
        rewriter.add(node, in_integers=in_integers)
    return rewriter.finish(network, _OPSET)


def _changed_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The convolutions and sums that are calculated in integers."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    sums = [node for node in graph.node if node.op_type == "Add"]
    return convolutions[_FLOAT_FIRST:-_FLOAT_LAST] + sums
