"""Splits the log-odds of gradient boosted trees by feature: SHAP values, with the trees' own covers as background.

Own code, because the library reads categorical splits of `HistGradientBoostingClassifier` as numeric ones, without a
word (docs/decisions/tree-explanations.md); on trees without categories both give the same numbers, which a test holds.

The value of a set S of known features at one leaf is leaf * prod_{i in S} o_i * prod_{i not in S} z_i: o_i says whether
the row takes the splits of feature i on the way to the leaf (0 or 1), z_i which share of the training rows takes them.
Its Shapley value has the closed form

    phi_i = leaf * (o_i - z_i) * integral from 0 to 1 of prod_{j != i} (t o_j + (1 - t) z_j) dt

(Owen's multilinear extension), a polynomial in t that Gauss and Legendre integrate exactly.

Source: Lundberg and others 2020, From local explanations to global understanding with explainable AI for trees;
Owen 1972, Multilinear extensions of games.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

if TYPE_CHECKING:
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

ROOT = 0
N_ROWS_AT_ONCE = 500  # rows x leaves x features x points of one tree: some 20 MB


@dataclass(frozen=True)
class Paths:
    """The way to every leaf of one tree, by feature; features that a way does not ask have cover 1.

    Attributes:
        leaf_values: shape (n_leaves,), in log-odds.
        features: shape (n_leaves, depth), which feature; 0 in places that are not used.
        covers: shape (n_leaves, depth), share of the training rows that take all splits of the feature, 0..1.
        edges: for each leaf and place, the (node, goes left) of its splits.
    """

    leaf_values: NDArray[np.float64]
    features: NDArray[np.int64]
    covers: NDArray[np.float64]
    edges: list[list[list[tuple[int, bool]]]]


def explain_trees(classifier: HistGradientBoostingClassifier, frame: pd.DataFrame) -> tuple[float, NDArray[np.float64]]:
    """Split each row's log-odds by feature.

    Args:
        classifier: a fitted HistGradientBoostingClassifier of two classes.
        frame: feature frame, shape (n_rows, n_features).

    Returns:
        (base, values): base is the mean log-odds over the rows that the trees were fitted on; values of shape
        (n_rows, n_features), base + values.sum(axis=1) is the decision function.
    """
    encoded, order = _as_trees_read(classifier, frame)
    values = np.zeros((len(frame), frame.shape[1]))
    base = float(np.asarray(classifier._baseline_prediction).ravel()[0])
    known = classifier._bin_mapper.make_known_categories_bitsets()
    for (tree,) in classifier._predictors:
        paths = _find_paths(tree.nodes)
        base += float(paths.leaf_values @ paths.covers.prod(axis=1))
        goes_left = _decide(tree, encoded, known)
        for start in range(0, len(frame), N_ROWS_AT_ONCE):
            part = slice(start, start + N_ROWS_AT_ONCE)
            _add_tree(paths, goes_left[part], order, values[part])
    return base, values


def _add_tree(
    paths: Paths, goes_left: NDArray[np.bool_], order: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    """Add one tree's share to `values`."""
    n_leaves, depth = paths.covers.shape
    taken = np.ones((len(goes_left), n_leaves, depth))
    for leaf, places in enumerate(paths.edges):
        for place, edges in enumerate(places):
            for node, is_left in edges:
                taken[:, leaf, place] *= goes_left[:, node] == is_left
    # The product has degree depth - 1 in t; n points are exact up to degree 2 n - 1.
    points, weights = np.polynomial.legendre.leggauss(max((depth + 1) // 2, 1))
    points, weights = (points + 1) / 2, weights / 2
    mean = np.zeros_like(taken)
    for point, weight in zip(points, weights, strict=True):
        factors = point * taken + (1 - point) * paths.covers  # above 0: every split has rows on both sides
        mean += weight * factors.prod(axis=2, keepdims=True) / factors
    parts = paths.leaf_values[:, None] * (taken - paths.covers) * mean
    columns = order[paths.features.ravel()]
    spread = np.zeros((columns.size, values.shape[1]))
    spread[np.arange(columns.size), columns] = 1.0
    values += parts.reshape(len(goes_left), -1) @ spread


def _find_paths(nodes: NDArray[np.void]) -> Paths:
    """Walk to every leaf, and join the splits of one feature on the way."""
    leaves: list[tuple[float, dict[int, tuple[float, list[tuple[int, bool]]]]]] = []
    waiting: list[tuple[int, dict[int, tuple[float, list[tuple[int, bool]]]]]] = [(ROOT, {})]
    while waiting:
        place, way = waiting.pop()
        node = nodes[place]
        if node["is_leaf"]:
            leaves.append((float(node["value"]), way))
            continue
        feature = int(node["feature_idx"])
        for child, is_left in ((int(node["left"]), True), (int(node["right"]), False)):
            cover, edges = way.get(feature, (1.0, []))
            share = float(nodes[child]["count"]) / float(node["count"])
            waiting.append((child, way | {feature: (cover * share, [*edges, (place, is_left)])}))
    depth = max(1, *(len(way) for _, way in leaves))
    features = np.zeros((len(leaves), depth), dtype=np.int64)
    covers = np.ones((len(leaves), depth))
    for leaf, (_, way) in enumerate(leaves):
        for column, (feature, (cover, _)) in enumerate(way.items()):
            features[leaf, column], covers[leaf, column] = feature, cover
    edges_by_leaf = [[edges for _, edges in way.values()] for _, way in leaves]
    return Paths(np.array([value for value, _ in leaves]), features, covers, edges_by_leaf)


def _decide(
    tree: "TreePredictor", encoded: NDArray[np.float64], known: tuple[NDArray[np.uint32], NDArray[np.uint32]]
) -> NDArray[np.bool_]:
    """Say at every split which way each row would go: shape (n_rows, n_nodes), True is left."""
    goes_left = np.zeros((len(encoded), len(tree.nodes)), dtype=np.bool_)
    known_bitsets, bitset_of_feature = known
    for place, node in enumerate(tree.nodes):
        if node["is_leaf"]:
            continue
        value = encoded[:, node["feature_idx"]]
        is_missing = np.isnan(value)
        if node["is_categorical"]:
            is_left = _is_in(tree.raw_left_cat_bitsets[node["bitset_idx"]], value)
            # A category that was not there at the fit counts as missing.
            is_missing |= ~_is_in(known_bitsets[bitset_of_feature[node["feature_idx"]]], value)
        else:
            is_left = value <= node["num_threshold"]
        goes_left[:, place] = np.where(is_missing, bool(node["missing_go_to_left"]), is_left)
    return goes_left


def _is_in(bitset: NDArray[np.uint32], value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say whether categories, as numbers, are in a set of 256 bits; missing ones are in none."""
    category = np.where(np.isnan(value) | (value < 0), 0, value).astype(np.int64)
    is_set = (bitset[category // 32] >> (category % 32).astype(np.uint32)) & 1
    return np.asarray((is_set == 1) & (value >= 0))


def _as_trees_read(
    classifier: HistGradientBoostingClassifier, frame: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give rows as the trees read them, and which column of the frame each of theirs is."""
    n_features = frame.shape[1]
    if classifier._preprocessor is None:
        return frame.to_numpy(dtype=np.float64), np.arange(n_features)
    is_categorical = np.asarray(classifier.is_categorical_, dtype=np.bool_)
    order = np.concatenate([np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)])
    if frame.empty:  # sklearn refuses to transform nothing
        return np.empty((0, n_features)), order
    return np.asarray(classifier._preprocessor.transform(frame), dtype=np.float64), order
