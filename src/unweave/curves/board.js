// All charts of a run: which there are, what they share, and the controls above them.
(function (curves) {
  "use strict";

  const { element } = curves;
  const ACTIVE = 0.05;
  const COLORS = 10;
  const color = (k) => `c${k % COLORS}${k % (2 * COLORS) < COLORS ? "" : " dashed"}`;
  const last = (points) => points[points.length - 1][1];
  const same = (a, b) => a.length === b.length &&
    a.every(([, value], k) => Math.abs(value - b[k][1]) <= 1e-5 * Math.abs(value));
  let boards = 0;

  // Charts of curves, in the order of a page. curves: group -> name -> points.
  function layout({ curves: groups, units = {} }) {
    const each = (group) => Object.entries(groups[group] || {});
    const found = [];
    const add = (id, title, unit, series, wide) => found.push({ kind: { title, unit, wide }, id, series });
    const plain = (id, title, unit, points) => add(id, title, unit, [{ name: title, points, color: "c0" }], false);
    const unit = (name) => (units[name] || "").replace(" an image", "");

    for (const [name, points] of each("loss")) {
      const model = name === "model";
      plain(`loss/${name}`, model ? "Loss" : `Loss of ${name}`, model ? "nats" : "", points);
    }
    const weighted = groups.weighted || {};
    for (const [name, points] of each("raw")) {
      const series = [{ name: "value", points, color: "c0" }];
      // Of a term whose weight is 1 it would be the same curve again.
      if (weighted[name] && !same(points, weighted[name])) series.push({ name: "weighted", points: weighted[name], color: "c1" });
      add(`raw/${name}`, name, unit(name), series, false);
    }
    for (const [name, points] of each("weighted")) {
      if (!(groups.raw || {})[name]) plain(`weighted/${name}`, `${name}, weighted`, "", points);
    }
    if (Object.keys(weighted).length > 1 && (groups.loss || {}).model) {
      const sum = { name: "loss", points: groups.loss.model, color: "ink" };
      add("sum", "The loss and its weighted terms", "nats",
        [sum, ...each("weighted").map(([name, points], k) => ({ name, points, color: color(k) }))], true);
    }
    const kl = each("kl");
    if (kl.length) {
      const active = kl.filter(([, points]) => last(points) >= ACTIVE).map(([name]) => name);
      const series = kl.map(([name, points]) => ({ name, points, color: active.includes(name) ? color(active.indexOf(name)) : "off" }));
      series.sort((a, b) => last(b.points) - last(a.points));
      add("kl", "KL of each latent", "nats", series, true);
    }
    // Scores between 0 and 1 can be compared.
    const unitary = each("scores").filter(([, points]) => points.every(([, value]) => value >= 0 && value <= 1));
    if (unitary.length > 1) {
      add("scores", "Scores", "", unitary.map(([name, points], k) => ({ name, points, color: color(k) })), true);
    }
    for (const [name, points] of each("scores")) {
      if (unitary.length < 2 || !unitary.some(([other]) => other === name)) plain(`scores/${name}`, `Score: ${name}`, "", points);
    }
    for (const [name, points] of each("watched")) plain(`watched/${name}`, name, "", points);
    for (const [, points] of each("lr")) plain("lr", "Learning rate", "", points);
    for (const [, points] of each("speed")) plain("speed", "Speed", "images/s", points);
    return found;
  }

  curves.Board = class {
    // place: the element that controls and charts are put into.
    constructor(place) {
      this.charts = new Map();
      this.view = { from: null, to: null, logStep: false, logValue: false, at: null, active: null, name: null };
      this.help = element("p", { class: "u-help", id: `u-help-${boards++}` },
        "Drag over a chart to see a part of the training, double-click to see all of it. With keys: arrows go from record to record, + and - zoom, 0 shows all.");
      this.tools = this.makeTools();
      this.grid = element("div", { class: "u-charts" });
      place.classList.add("u-board");
      place.append(this.tools, this.help, this.grid);
    }

    makeTools() {
      const tools = element("div", { class: "u-tools", role: "group", "aria-label": "All charts" });
      const number = (text) => {
        const label = tools.appendChild(element("label", {}, text));
        const input = label.appendChild(element("input", { type: "number", step: 1 }));
        input.addEventListener("change", () => this.zoom(this.from.valueAsNumber, this.to.valueAsNumber));
        return input;
      };
      this.from = number("Steps ");
      this.to = number("to ");
      this.all = tools.appendChild(element("button", { type: "button" }, "Whole training"));
      this.all.addEventListener("click", () => this.whole());
      for (const [name, text] of [["logStep", "log steps"], ["logValue", "log values"]]) {
        const label = tools.appendChild(element("label", { class: "check" }));
        const input = label.appendChild(element("input", { type: "checkbox", "data-scale": name }));
        label.append(` ${text}`);
        input.addEventListener("change", () => {
          this.view[name] = input.checked;
          this.draw();
        });
      }
      return tools;
    }

    // told: { curves: group -> name -> [[step, value], ...], units: term -> unit, phases: [step] }
    update(told) {
      const wanted = layout(told);
      const steps = wanted.flatMap((each) => each.series.flatMap(({ points }) => [points[0][0], points[points.length - 1][0]]));
      this.first = Math.min(...steps);
      this.last = Math.max(...steps);
      wanted.forEach(({ id, kind, series }, place) => {
        if (!this.charts.has(id)) {
          const made = new curves.Chart(this, kind);
          this.charts.set(id, made);
          this.grid.insertBefore(made.box, this.grid.children[place] ?? null);
        }
        this.charts.get(id).update(series, told.phases || []);
      });
      this.show();
    }

    // What of the training is shown.
    range() {
      const { from, to, logStep } = this.view;
      const zoomed = from !== null;
      let begin = zoomed ? from : logStep ? this.first : Math.min(this.first, 0.02 * this.last);
      if (logStep) begin = Math.max(begin, Math.min(1, this.last));
      const end = zoomed ? to : this.last;
      return end > begin ? { from: begin, to: end, zoomed } : { from: logStep ? end / 2 : end - 1, to: end, zoomed };
    }

    zoom(from, to) {
      if (!Number.isFinite(from) || !Number.isFinite(to)) return this.show();
      // Never less than a step, never more than there is.
      const begin = Math.max(this.first, Math.min(from, this.last - 1));
      const end = Math.min(this.last, Math.max(to, begin + 1));
      const whole = begin <= this.first && end >= this.last;
      Object.assign(this.view, whole ? { from: null, to: null } : { from: begin, to: end });
      this.draw();
    }

    whole() {
      Object.assign(this.view, { from: null, to: null });
      this.draw();
    }

    draw() {
      for (const chart of this.charts.values()) chart.draw();
      this.show();
    }

    // The controls say what is shown.
    show() {
      const { from, to, zoomed } = this.range();
      for (const [input, value] of [[this.from, zoomed ? from : this.first], [this.to, to]]) {
        input.min = this.first;
        input.max = this.last;
        if (document.activeElement !== input || zoomed) input.value = Math.round(value);
      }
      this.all.disabled = !zoomed;
    }

    point(active, at, name) {
      Object.assign(this.view, { active, at, name });
      for (const chart of this.charts.values()) chart.mark();
    }

    leave() {
      this.point(null, null, null);
    }
  };
})((globalThis.unweaveCurves ??= {}));
