"""Charts of codes say what their numbers say, and keep their words inside."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PatchCollection, PathCollection, PolyCollection

from plots.rendered import pixels
from unweave.plots import (
    Circle,
    Colouring,
    Intervention,
    Response,
    circles,
    code_correlations,
    embeddings,
    generators,
    hinton_diagrams,
    interventions,
    latent_responses,
    latent_usage,
    score_curves,
)
from unweave.plots.style import BLUE, CYCLIC, MARK, MUTED, SERIES

RNG = np.random.default_rng(0)


def lines_of(axes, colour):
    """Points of all lines of a colour, in the order in which they were drawn."""
    from matplotlib.colors import to_rgba

    found = []
    for each in axes.collections:
        if isinstance(each, LineCollection):
            colours = each.get_colors()
            for k, path in enumerate(each.get_paths()):
                if tuple(colours[k % len(colours)][:3]) == to_rgba(colour)[:3]:
                    found.append(path.vertices)
    return found


def words_of(figure):
    texts = [text for axes in figure.axes for text in axes.texts] + list(figure.texts)
    return [text.get_text() for text in texts]


def inside(figure):
    """All words lie within the figure, which is no wider than a page."""
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    texts = [text for axes in figure.axes for text in axes.texts] + list(figure.texts)
    for axes in figure.axes:
        if axes.axison:
            texts += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                texts += [
                    tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
                ]
                texts += [
                    tick.label2 for tick in axis.get_major_ticks() if tick.label2.get_visible()
                ]
            if axes.get_legend():
                texts += axes.get_legend().get_texts()
    for text in texts:
        if not text.get_text():
            continue
        box = text.get_window_extent()
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text
    assert figure.get_figwidth() <= 8.2


def response(mean, factor="pos_x", order="ordinal", share=None, deviation=0.5, names=None):
    mean = np.asarray(mean, float)
    count = len(mean)
    places = np.linspace(0, 1, count, endpoint=order != "circular")
    return Response(
        factor=factor, order=order, places=places, mean=mean,
        names=names or [f"{k}" for k in range(count)],
        deviation=np.full(mean.shape, deviation),
        share=np.full(mean.shape[1], 0.5) if share is None else np.asarray(share),
    )  # fmt: skip


class TestResponses:
    def test_lines_stand_at_the_means(self):
        axes = latent_responses([response([[0.0], [1.0], [3.0]])], ["z0"]).axes[0]
        (line,) = lines_of(axes, BLUE)
        # Down a sheet is up a scale; equal steps across.
        assert np.ptp(np.diff(line[:, 0])) < 1e-9
        steps = -np.diff(line[:, 1])
        assert steps[1] == pytest.approx(2 * steps[0])
        (band,) = [each for each in axes.collections if isinstance(each, PolyCollection)]
        corners = band.get_paths()[0].vertices
        # One deviation to each side is half the way from the first mean to the second.
        assert corners[:, 1].max() - line[0, 1] == pytest.approx(steps[0] / 2)

    def test_all_panels_have_one_scale(self):
        figure = latent_responses(
            [response([[0.0, 0.0], [1.0, 2.0]]), response([[0.0, 0.0], [4.0, 0.0]])], ["z0", "z3"]
        )
        rises = [line[0, 1] - line[-1, 1] for line in lines_of(figure.axes[0], BLUE)]
        # In rows: z0 of both factors, then z3.
        assert rises == pytest.approx([rises[0], 4 * rises[0], 2 * rises[0], 0])
        assert "All panels go from −0.75 to 5.25" in " ".join(" ".join(words_of(figure)).split())

    def test_a_circular_factor_goes_round(self):
        figure = latent_responses(
            [response([[1.0]] * 8 + [[-1.0]] * 8, order="circular", deviation=0.0)], ["z0"]
        )
        (line,) = lines_of(figure.axes[0], BLUE)
        boxes = next(c for c in figure.axes[0].collections if isinstance(c, PatchCollection))
        box = boxes.get_paths()[0].vertices
        centre = (box.min(axis=0) + box.max(axis=0)) / 2
        away = line - centre
        radius = np.hypot(*away.T)
        # Clockwise from the top: the high half lies to the right.
        assert line[0, 0] == pytest.approx(centre[0])
        assert line[0, 1] < centre[1]
        right = np.interp(0.25, np.linspace(0, 1, len(line)), radius)
        left = np.interp(0.75, np.linspace(0, 1, len(line)), radius)
        assert away[np.argmax(away[:, 0]), 0] > 0
        assert right > 1.5 * left
        np.testing.assert_allclose(line[0], line[-1], atol=1e-9)

    def test_what_answers_is_blue_and_the_rest_grey(self):
        figure = latent_responses([response([[0.0, 0.0], [1.0, 1.0]], share=[0.1, 0.09])],
                                  ["z0", "z1"], ["pos_x", None])  # fmt: skip
        assert len(lines_of(figure.axes[0], BLUE)) == 1
        assert len(lines_of(figure.axes[0], MUTED)) == 1
        assert {"0.10", "0.09", "z0", "z1"} <= set(words_of(figure))

    def test_values_that_do_not_occur_are_passed_over(self):
        mean = [[0.0], [np.nan], [2.0]]
        (line,) = lines_of(latent_responses([response(mean)], ["z0"]).axes[0], BLUE)
        assert len(line) == 2
        empty = latent_responses([response([[np.nan], [np.nan]])], ["z0"])
        assert not lines_of(empty.axes[0], BLUE)

    def test_names_of_categories_stand_below(self):
        names = ["square", "ellipse", "heart"]
        figure = latent_responses(
            [response([[0.0], [1.0], [0.5]], "shape", "categorical", names=names)], ["z0"]
        )
        assert set(names) <= set(words_of(figure))
        points = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]
        assert len(points[0].get_offsets()) == 3

    @pytest.mark.parametrize(("latents", "factors"), [(1, 1), (12, 8), (5, 3)])
    def test_words_stay_inside(self, latents, factors):
        responses = [
            response(RNG.normal(size=(7, latents)), f"wearing_necktie_{k}", order,
                     names=["a value of a long name"] * 7)
            for k, order in zip(range(factors), ["ordinal", "categorical", "circular"] * 3,
                                strict=False)
        ]  # fmt: skip
        figure = latent_responses(
            responses, [f"z{j}" for j in range(latents)], ["wearing_necktie"] * latents,
            title="Latents over the values of factors", note="Shown are 12 of 100 used latents.",
        )  # fmt: skip
        inside(figure)

    def test_shapes_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="at least one factor"):
            latent_responses([], ["z0"])
        with pytest.raises(ValueError, match=r"mean must be of shape \(2, 2\)"):
            latent_responses([response([[0.0], [1.0]])], ["z0", "z1"])


def usage(count=3, **given):
    edges = np.linspace(-3, 3, 13)
    density = np.full((count, 12), 1 / 6)
    fields = {"kl": np.linspace(2, 0, count), "posterior": np.linspace(0.1, 1, count)}
    return latent_usage(
        [f"z{j}" for j in range(count)], np.linspace(1, 0, count), (edges, density),
        np.arange(count) < count - 1, **{**fields, **given},
    )  # fmt: skip


class TestUsage:
    def test_bars_are_as_long_as_the_kl(self):
        figure = usage()
        bars = next(c for c in figure.axes[0].collections if isinstance(c, PatchCollection))
        wide = [np.ptp(path.vertices[:, 0]) for path in bars.get_paths()]
        assert wide[0] == pytest.approx(2 * wide[1])
        assert wide[2] == 0
        assert {"2.00", "1.00", "0.00"} <= set(words_of(figure))

    def test_dots_stand_at_the_variances(self):
        dots = [c for c in usage().axes[0].collections if isinstance(c, PathCollection)]
        # Posteriors, two of the legend, means.
        posterior, _, means = (each.get_offsets() for each in dots)
        assert np.ptp(np.diff(means[:, 0])) < 1e-9
        scale = (means[0, 0] - means[2, 0]) / 1.0
        assert posterior[0, 0] - means[2, 0] == pytest.approx(0.1 * scale)

    def test_the_prior_is_a_normal_density_on_the_scale_of_the_histograms(self):
        figure = usage()
        shapes = next(c for c in figure.axes[0].collections if isinstance(c, PolyCollection))
        flat = np.ptp(shapes.get_paths()[0].vertices[:, 1])
        bell = max(lines_of(figure.axes[0], MARK), key=len)
        peak = np.ptp(bell[:, 1])
        normal = 1 / np.sqrt(2 * np.pi)
        edge = normal * np.exp(-4.5)
        assert flat / peak == pytest.approx((1 / 6) / (normal - edge), rel=0.01)

    def test_codes_without_noise_have_neither_kl_nor_prior(self):
        figure = usage(kl=None, posterior=None, prior=False)
        assert not lines_of(figure.axes[0], MARK)
        assert "KL (nats)" not in words_of(figure)
        assert "codes" in words_of(figure)

    @pytest.mark.parametrize("count", [1, 24])
    def test_words_stay_inside(self, count):
        inside(usage(count, title="How latents are used", note="All of them. " * 12,
                     beyond=np.full(count, 0.3), follows=["orientation"] * count))  # fmt: skip

    def test_shapes_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match=r"kl must be of shape \(3,\)"):
            usage(kl=np.zeros(2))


class TestCircles:
    def circle(self, count=90, panels=1):
        places = np.arange(count) / count
        codes = np.stack([np.cos(2 * np.pi * places), np.sin(2 * np.pi * places)], axis=1)
        panel = ("all images", codes, places, codes[::10])
        return Circle(factor="orientation", latents=("z0 (0.11 nats)", "z1 (0.10 nats)"),
                      panels=(panel,) * panels, marks=((0.0, "0"), (0.5, "180")))  # fmt: skip

    def test_points_have_the_colour_of_their_value(self):
        axes = circles([self.circle()]).axes[1]
        (points,) = axes.collections
        np.testing.assert_allclose(points.get_offsets()[0], [1, 0], atol=1e-9)
        colours = points.get_facecolors()[:, :3]
        np.testing.assert_allclose(colours, CYCLIC(np.arange(90) / 90)[:, :3])
        # The colours of the ends meet.
        np.testing.assert_allclose(CYCLIC(0.0), CYCLIC(1.0))

    def test_the_path_is_closed(self):
        axes = circles([self.circle()]).axes[1]
        path = axes.lines[0].get_xydata()
        assert len(path) == 10
        np.testing.assert_array_equal(path[0], path[-1])

    def test_panels_are_square_and_alike(self):
        figure = circles([self.circle(panels=3), self.circle(panels=3)])
        for axes in figure.axes[1:]:
            box = axes.get_window_extent()
            assert box.width == pytest.approx(box.height, rel=0.01)
            assert np.ptp(axes.get_xlim()) == pytest.approx(np.ptp(axes.get_ylim()))
            assert axes.get_xlim() == figure.axes[1].get_xlim()

    @pytest.mark.parametrize(("rows", "panels"), [(1, 1), (4, 5)])
    def test_words_stay_inside(self, rows, panels):
        inside(circles([self.circle(panels=panels)] * rows, title="Circular factors (9 images)",
                       note="Each on the two latents that know most of it."))  # fmt: skip

    def test_few_codes_stand_above_the_path_of_their_means(self):
        for count, above in ((9, True), (900, False)):
            axes = circles([self.circle(count)]).axes[1]
            (points,) = axes.collections
            path = max(line.get_zorder() for line in axes.lines)
            assert (points.get_zorder() > path) == above

    def test_at_most_1500_points_are_drawn(self):
        (points,) = circles([self.circle(10_000)]).axes[1].collections
        assert 750 <= len(points.get_offsets()) <= 1500


def intervention(parent=0, factors=3, values=4):
    curves = [RNG.normal(size=(values, 5)) for _ in range(factors)]
    curves[parent] = None
    return Intervention(
        latent="z0", parent=parent, order="ordinal", places=np.linspace(0, 1, values),
        mean=np.arange(values, dtype=float), deviation=np.ones(values), curves=tuple(curves),
        robustness=np.linspace(-0.1, 0.9, factors),
    )  # fmt: skip


class TestInterventions:
    def test_a_line_for_each_value_and_a_band_for_the_parent(self):
        row = intervention()
        figure = interventions([row], ["a", "b", "c"], ["ordinal", "ordinal", "categorical"])
        axes = figure.axes[0]
        assert sum(isinstance(each, PolyCollection) for each in axes.collections) == 1
        (mean,) = [line for line in lines_of(axes, BLUE) if line[0, 0] < 2]
        assert np.ptp(np.diff(mean[:, 1])) < 1e-9
        assert mean[-1, 1] < mean[0, 1]
        # The categorical factor has the colours of series, in their order.
        for k, colour in enumerate(SERIES[1:5], 1):
            line = lines_of(axes, colour)[0]
            unit = (mean[0, 1] - mean[-1, 1]) / 3
            rise = (line[0, 1] - line[-1, 1]) / unit
            expected = row.curves[2][-1, k] - row.curves[2][0, k]
            assert rise == pytest.approx(expected, abs=1e-9)
        assert {"−0.10", "0.40", "0.90"} <= set(words_of(figure))

    @pytest.mark.parametrize(("rows", "factors"), [(1, 1), (12, 8)])
    def test_words_stay_inside(self, rows, factors):
        figure = interventions(
            [intervention(j % factors, factors) for j in range(rows)],
            [f"wearing_necktie_{k}" for k in range(factors)], ["circular"] * factors,
            title="Interventional effects (10,000 images)", note="Shown are 12 of 100.",
        )  # fmt: skip
        inside(figure)

    def test_arrays_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="do not fit 2 factors"):
            interventions([intervention()], ["a", "b"], ["ordinal", "ordinal"])


class TestCorrelations:
    def test_the_two_tables_hold_their_numbers(self):
        among = np.array([[1.0, -0.5], [-0.5, 1.0]])
        beside = np.array([[0.25, np.nan], [0.0, -1.0]])
        figure = code_correlations(among, ["z0", "z4"], beside, ["shape", "pos_x"])
        _, left, right, _ = figure.axes
        shown = {text.get_position(): text.get_text() for text in right.texts}
        assert shown == {(0, 0): "0.25", (1, 0): "–", (0, 1): "0.00", (1, 1): "−1.00"}
        assert [tick.get_text() for tick in left.get_yticklabels()] == ["z0", "z4"]
        assert [tick.get_text() for tick in right.get_xticklabels()] == ["shape", "pos_x"]
        np.testing.assert_array_equal(left.images[0].get_array(), among)

    @pytest.mark.parametrize(("latents", "factors"), [(1, 0), (2, 1), (20, 12), (5, 5)])
    def test_words_stay_inside(self, latents, factors):
        names = [f"wearing_necktie_{k}" for k in range(factors)]
        inside(code_correlations(
            np.eye(latents), [f"z{j}" for j in range(latents)],
            np.zeros((latents, factors)) if factors else None, names,
            title="Correlations of latents (10,000 images)", note="Shown are 20 of 100. " * 4,
        ))  # fmt: skip

    def test_what_is_no_correlation_is_refused(self):
        with pytest.raises(ValueError, match="between -1 and 1"):
            code_correlations([[2.0]], ["z0"])
        with pytest.raises(ValueError, match="need tables"):
            code_correlations([[1.0]], ["z0", "z1"])


def colouring(order, count, points, factor="orientation_of_the_object"):
    return Colouring(
        factor=factor, order=order, places=np.linspace(0, 1, count, endpoint=order != "circular"),
        names=[f"value {k}" for k in range(count)], of=np.arange(points) % count,
    )  # fmt: skip


class TestEmbeddings:
    def test_points_have_the_colour_of_their_value(self):
        points = RNG.normal(size=(30, 2))
        figure = embeddings(points, [colouring("categorical", 3, 30), colouring("circular", 5, 30),
                                     colouring("ordinal", 9, 30)])  # fmt: skip
        for axes, count in zip(figure.axes[1:], (3, 5, 9), strict=True):
            (scatter,) = axes.collections
            np.testing.assert_array_equal(scatter.get_offsets(), points)
            colours = scatter.get_facecolors()
            np.testing.assert_array_equal(colours[:count], colours[count : 2 * count])
            assert len(np.unique(colours, axis=0)) == count
        dark = figure.axes[3].collections[0].get_facecolors()[:9, :3].sum(axis=1)
        assert (np.diff(dark) < 0).all()

    def test_without_factors_there_is_one_panel(self):
        figure = embeddings(RNG.normal(size=(5, 2)), labels=("first", "second"))
        assert len(figure.axes) == 2
        assert figure.axes[1].get_xlabel() == "first"

    @pytest.mark.parametrize("count", [1, 2, 4, 9])
    def test_words_stay_inside(self, count):
        orders = ["ordinal", "categorical", "circular"] * 3
        panels = [colouring(orders[k], 3 + k, 20, f"a_factor_of_a_long_name_{k}")
                  for k in range(count)]  # fmt: skip
        inside(embeddings(RNG.normal(size=(20, 2)), panels, ("first direction", "second"),
                          title="Codes by t-SNE", note="Note. " * 40))  # fmt: skip

    def test_values_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="a value for each of 4 points"):
            embeddings(RNG.normal(size=(4, 2)), [colouring("ordinal", 3, 5)])


class TestGenerators:
    def test_bars_tables_and_eigenvalues(self):
        norms, table = np.array([1.0, 2.0]), np.array([[0.0, 0.5], [0.5, np.nan]])
        figure = generators(norms, table, 2 * table, [[1j, -1j], [0.5, 0.5]], ["z0", "z1"],
                            ["pos_x", None], title="Generators")  # fmt: skip
        _, bars, plane, products, _scale, commutators, *_ = figure.axes
        assert [patch.get_width() for patch in bars.patches] == [1, 2]
        assert any("pos_x" in text.get_text() for text in bars.texts)
        np.testing.assert_array_equal(plane.collections[0].get_offsets(), [[0, 1], [0, -1]])
        np.testing.assert_array_equal(plane.collections[1].get_offsets(), [[0.5, 0], [0.5, 0]])
        np.testing.assert_array_equal(products.images[0].get_array()[0], table[0])
        assert {text.get_text() for text in commutators.texts} == {"0.00", "1.00", "–"}

    @pytest.mark.parametrize("count", [1, 10, 24])
    def test_words_stay_inside(self, count):
        values = [RNG.normal(size=4) + 1j * RNG.normal(size=4) for _ in range(count)]
        inside(generators(
            np.ones(count), np.eye(count), np.eye(count), values,
            [f"z{j}" for j in range(count)], ["orientation"] * count, title="Generators",
            note="Matrices of 10 rows.",
        ))  # fmt: skip

    def test_shapes_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="2 generators need"):
            generators([1.0], [[1.0]], [[1.0]], [[1.0]], ["z0", "z1"])


class TestScores:
    def test_curves_are_the_scores_and_the_best_is_marked(self):
        figure = score_curves([10, 20, 30], {"mig": [0.1, 0.3, 0.2], "sap": [np.nan] * 3}, 500)
        first, second = figure.axes
        np.testing.assert_array_equal(first.lines[0].get_xydata(), [[10, 0.1], [20, 0.3],
                                                                    [30, 0.2]])  # fmt: skip
        np.testing.assert_array_equal(first.lines[1].get_xydata(), [[20, 0.3]])
        assert first.texts[0].get_text() == ("0.2 at the end (500 images)\nhighest 0.3 at step 20")
        assert second.texts[0].get_text().strip() == "no finite value"
        assert first.get_ylim()[0] == 0

    def test_long_words_do_not_press_the_panels(self):
        steps = np.arange(1, 9) * 300_000
        figure = score_curves(steps, {f"score {k}": steps / 7e6 for k in range(6)}, 737_280)
        pixels(figure)
        for axes in figure.axes:
            box = axes.get_window_extent()
            assert box.width > 0.2 * figure.bbox.width
            assert box.height > 0.25 * figure.bbox.height
            (words,) = axes.texts
            assert words.get_window_extent().x1 <= box.x1 + 0.06 * figure.bbox.width

    def test_lines_pass_over_steps_without_a_score(self):
        figure = score_curves([1, 2, 3], {"mig": [0.1, np.nan, 0.2]})
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), [[1, 0.1], [3, 0.2]])

    def test_lengths_that_differ_are_refused(self):
        with pytest.raises(ValueError, match=r"scores\['mig'\] must be one for each"):
            score_curves([1, 2], {"mig": [0.1]})
        with pytest.raises(ValueError, match="at least one score"):
            score_curves([], {})


def test_the_legend_of_one_narrow_hinton_diagram_stays_inside():
    figure = hinton_diagrams([np.ones((3, 2))], ["weights"], ["a", "b"],
                             value_label="absolute weight in a lasso")  # fmt: skip
    inside(figure)
