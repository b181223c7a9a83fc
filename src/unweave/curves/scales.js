// From values to pixels and back, with marks at round numbers.
(function (curves) {
  "use strict";

  // The first part of a training would flatten the rest: the axis is made for what comes after it.
  const START = 0.03;

  function linearTicks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((unit) => unit * power).find((unit) => unit >= rough * (1 - 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
      found.push(Number((k * step).toPrecision(12)));
    }
    return found;
  }

  // Powers of ten, and in between where there are few of them.
  function logTicks(low, high, count) {
    const decades = Math.log10(high / low);
    if (decades < 1) return linearTicks(low, high, count);
    const every = Math.max(1, Math.ceil(decades / (2 * count)));
    const units = decades > count ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += every) {
      for (const unit of units) {
        const value = Number((unit * 10 ** power).toPrecision(3));
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) found.push(value);
      }
    }
    return found;
  }

  // A scale from [low, high] to pixels [begin, end]; of a logarithmic one both are positive.
  curves.scale = function (logarithmic, low, high, begin, end) {
    const into = logarithmic ? Math.log : (value) => value;
    const out = logarithmic ? Math.exp : (value) => value;
    const first = into(low), reach = into(high) - first || 1;
    return {
      at: (value) => begin + (end - begin) * (into(value) - first) / reach,
      back: (pixel) => out(first + reach * (pixel - begin) / (end - begin)),
      ticks: (count) => (logarithmic ? logTicks : linearTicks)(low, high, count),
    };
  };

  const extent = (values) => values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

  // The point of a curve that is nearest to a step, by bisection.
  curves.nearest = function (points, step) {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= step) low = middle;
      else high = middle;
    }
    return Math.abs(points[high][0] - step) < Math.abs(points[low][0] - step) ? high : low;
  };

  // The value range of curves between two steps. Of a whole training it leaves out the very
  // beginning where that stands far out, and says what is cut.
  curves.valueRange = function (series, from, to, { logarithmic, zoomed }) {
    const within = (begin) => series.flatMap((curve) => curve.points
      .filter(([step]) => step >= begin && step <= to).map((point) => point[1]));
    let values = within(from);
    if (!values.length) {
      // Between two points there is only the line that joins them.
      values = series.flatMap(({ points }) => {
        const near = curves.nearest(points, (from + to) / 2);
        return points.slice(Math.max(0, near - 1), near + 2).map((point) => point[1]);
      });
    }
    let [low, high] = extent(values);
    const whole = [low, high];
    if (logarithmic) {
      const pad = (high / low) ** 0.05 > 1 ? (high / low) ** 0.05 : 1.1;
      return { low: low / pad, high: high * pad, cut: null };
    }
    if (!zoomed) {
      const later = within(from + START * (to - from));
      if (later.length > 4) {
        const [low2, high2] = extent(later);
        if (high - low > 2 * (high2 - low2)) [low, high] = [low2, high2];
      }
    }
    const pad = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1;
    // What cannot be negative begins at zero.
    const floor = low >= 0 && low - pad < 0 ? 0 : low - pad;
    const cut = whole[1] > high + pad ? whole[1] : whole[0] < floor ? whole[0] : null;
    return { low: floor, high: high + pad, cut };
  };
})((globalThis.unweaveCurves ??= {}));
