// Which charts a run has, from the curves that were logged.
(function (curves) {
  "use strict";

  // Latents whose last KL is lower, in nats, are grey, as in figures.
  const ACTIVE = 0.01;
  const COLORS = 10;
  const color = (k) => `c${k % COLORS}${k % (2 * COLORS) < COLORS ? "" : " dashed"}`;
  const last = (points) => points[points.length - 1][1];
  const coloured = ([name, points], k) => ({ name, points, color: color(k) });
  const same = (a, b) =>
    a.length === b.length && a.every(([, value], k) => Math.abs(value - b[k][1]) <= 1e-5 * Math.abs(value));

  // A latent's colour is that of its place among those that are active; those with more come first.
  function latents(kl) {
    const active = kl.filter(([, points]) => last(points) >= ACTIVE).map(([name]) => name);
    return kl
      .map(([name, points]) => {
        const place = active.indexOf(name);
        return { name, points, color: place < 0 ? "off" : color(place) };
      })
      .sort((a, b) => last(b.points) - last(a.points));
  }

  // Charts in the order of a page: { id, kind: { title, unit, wide }, series }.
  //
  // told: { curves: group -> name -> [[step, value], ...], units: term -> unit }.
  curves.layout = function ({ curves: groups, units = {} }) {
    const found = [];
    const each = (group) => Object.entries(groups[group] || {});
    const add = (id, title, unit, series, wide = false) => {
      found.push({ id, kind: { title, unit, wide }, series });
    };
    const alone = (id, title, unit, points) => {
      add(id, title, unit, [{ name: title, points, color: "c0" }]);
    };
    const raw = groups.raw || {};
    const weighted = groups.weighted || {};

    for (const [name, points] of each("loss")) {
      if (name === "model") alone("loss/model", "Loss", "nats", points);
      else alone(`loss/${name}`, `Loss of ${name}`, "", points);
    }
    for (const [name, points] of each("raw")) {
      const series = [{ name: "value", points, color: "c0" }];
      // Of a term whose weight is 1 it would be the same curve again.
      if (weighted[name] && !same(points, weighted[name])) {
        series.push({ name: "weighted", points: weighted[name], color: "c1" });
      }
      add(`raw/${name}`, name, (units[name] || "").replace(" an image", ""), series);
    }
    for (const [name, points] of each("weighted")) {
      if (!raw[name]) alone(`weighted/${name}`, `${name}, weighted`, "", points);
    }
    if (Object.keys(weighted).length > 1 && (groups.loss || {}).model) {
      const sum = { name: "loss", points: groups.loss.model, color: "ink" };
      const series = [sum, ...each("weighted").map(coloured)];
      add("sum", "The loss and its weighted terms", "nats", series, true);
    }
    const kl = latents(each("kl"));
    if (kl.length) add("kl", "KL of each latent", "nats", kl, true);
    // Scores between 0 and 1 can be compared.
    const unit = ([, points]) => points.every(([, value]) => value >= 0 && value <= 1);
    const together = each("scores").filter(unit);
    if (together.length > 1) add("scores", "Scores", "", together.map(coloured), true);
    for (const [name, points] of each("scores")) {
      if (together.length > 1 && unit([name, points])) continue;
      alone(`scores/${name}`, `Score: ${name}`, "", points);
    }
    for (const [name, points] of each("watched")) alone(`watched/${name}`, name, "", points);
    for (const [, points] of each("lr")) alone("lr", "Learning rate", "", points);
    for (const [, points] of each("speed")) alone("speed", "Speed", "images/s", points);
    return found;
  };
})((globalThis.unweaveCurves ??= {}));
