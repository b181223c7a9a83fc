// One chart: its curves as SVG, and values at a step.
(function (curves) {
  "use strict";

  const { element, short, exact } = curves;
  const RIGHT = 12, TOP = 12, BOTTOM = 24;
  const HEIGHT = 180, WIDE_HEIGHT = 260;
  // So many curves are told to those who listen.
  const TOLD = 12;
  const words = (step) => `step ${step.toLocaleString("en")}`;
  const svg = (name, attributes, text) => element(`svg:${name}`, attributes, text);
  const across = (y, x1, x2) => svg("line", { class: "gridline", x1, x2, y1: y, y2: y });
  const upright = (kind, x, y2) => svg("line", { class: kind, x1: x, x2: x, y1: TOP, y2 });
  const text = (words, x, y, anchor) => svg("text", { class: "tick", x, y, "text-anchor": anchor }, words);

  curves.Chart = class {
    // board: has what all charts share; kind: { title, unit, wide }.
    constructor(board, kind) {
      Object.assign(this, { board, kind, series: [], phases: [] });
      this.unit = kind.unit ? ` ${kind.unit}` : "";
      this.box = element("div", { class: kind.wide ? "u-chart wide" : "u-chart" });
      const head = this.box.appendChild(element("h3"));
      head.appendChild(element("span", { class: "name" }, kind.title));
      this.now = head.appendChild(element("span", { class: "now" }));
      const label = `${kind.title}${kind.unit ? `, ${kind.unit}` : ""}: values at a step`;
      this.plot = this.box.appendChild(element("div", {
        class: "u-plot", role: "slider", tabindex: 0, "aria-label": label, "aria-describedby": board.help.id,
      }));
      this.svg = this.plot.appendChild(svg("svg", { "aria-hidden": "true" }));
      this.tip = this.plot.appendChild(element("div", { class: "u-tip", hidden: "" }));
      this.legend = new curves.Legend(kind.title, () => this.draw());
      this.box.appendChild(this.legend.box);
      this.cursor = svg("g");
      this.selection = svg("rect", { class: "u-selection", y: TOP, width: 0 });
      this.hands();
      new ResizeObserver(() => {
        if (this.plot.clientWidth !== this.width) this.draw();
      }).observe(this.plot);
    }

    hands() {
      const back = (pixel) => this.x.back(pixel);
      curves.hands(this.plot, {
        point: (x, y) => this.point(x, y),
        leave: () => this.board.leave(),
        select: (from, to) => this.select(from, to),
        zoom: (a, b) => this.board.zoom(back(Math.min(a, b)), back(Math.max(a, b))),
        steps: (a, b) => [back(a), back(b)],
        pinch: (steps, a, b) => this.pinch(steps, a, b),
        walk: (records) => this.walk(records),
        magnify: (times) => this.magnify(times),
        whole: () => this.board.whole(),
      });
    }

    // The curves that are switched on.
    get shown() {
      return this.series.filter((curve) => !this.legend.hidden.has(curve.name));
    }

    // series: [{ name, points: [[step, value], ...], color }]; phases: steps.
    update(series, phases) {
      this.series = series;
      this.phases = phases;
      this.legend.update(series);
      this.draw();
    }

    draw() {
      this.width = this.plot.clientWidth;
      if (!this.series.length || !this.width) return;
      this.height = this.kind.wide ? WIDE_HEIGHT : HEIGHT;
      this.bottom = this.height - BOTTOM;
      const { shown, width, height } = this;
      const range = this.scales();
      // Those without a colour lie below.
      const group = this.frame();
      group.append(...[...shown].reverse().map((curve) => this.line(curve)));
      const parts = [...this.axes(), group];
      if (range.cut !== null) {
        const above = range.cut > range.high;
        const told = `${above ? "\u2191" : "\u2193"} from ${short(range.cut)}`;
        parts.push(text(told, width - RIGHT - 4, above ? TOP + 10 : this.bottom - 6, "end"));
      }
      if (!shown.length) parts.push(text("No curve is switched on.", width / 2, height / 2, "middle"));
      this.selection.setAttribute("height", this.bottom - TOP);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.setAttribute("height", height);
      this.svg.replaceChildren(...parts, this.selection, this.cursor);
      this.mark();
    }

    // Scales of what is shown; gives the range of the values.
    scales() {
      const { shown, board: { view } } = this;
      const { from, to, zoomed } = this.board.range();
      const positive = shown.every((curve) => curve.points.every((point) => point[1] > 0));
      const logarithmic = view.logValue && positive && shown.length > 0;
      const range = shown.length ?
        curves.valueRange(shown, from, to, { logarithmic, zoomed }) : { low: 0, high: 1, cut: null };
      this.linear = view.logValue && !positive;
      this.y = curves.scale(logarithmic, range.low, range.high, this.bottom, TOP);
      this.marks = shown.length ? this.y.ticks(this.kind.wide ? 5 : 4) : [];
      this.left = 10 + 6.4 * Math.max(4, ...this.marks.map((value) => short(value).length));
      this.x = curves.scale(view.logStep, from, to, this.left, this.width - RIGHT);
      return range;
    }

    // Lines and numbers of both axes, and where settings change.
    axes() {
      const end = this.width - RIGHT;
      const parts = this.marks.flatMap((value) => {
        const y = this.y.at(value);
        return [across(y, this.left, end), text(short(value), this.left - 6, y + 4, "end")];
      });
      const count = Math.max(3, Math.floor(this.width / 90));
      for (const step of this.x.ticks(count).filter(Number.isInteger)) {
        const near = this.x.at(step) > end - 14;
        const x = near ? this.width - 2 : this.x.at(step);
        parts.push(text(curves.stepText(step), x, this.height - 6, near ? "end" : "middle"));
      }
      const { from, to } = this.board.range();
      for (const step of this.phases) {
        if (step > from && step < to) parts.push(upright("phase", this.x.at(step), this.bottom));
      }
      return parts;
    }

    // What is drawn in it is cut at the ends of the axes; its pixels are those around it.
    frame() {
      const [x, y] = [this.left - 2, TOP - 3];
      const size = { width: Math.max(1, this.width - RIGHT + 3 - x), height: this.bottom + 3 - y };
      return svg("svg", { x, y, ...size, viewBox: `${x} ${y} ${size.width} ${size.height}` });
    }

    line({ points, color }) {
      const at = ([step, value]) => [this.x.at(step).toFixed(1), this.y.at(value).toFixed(1)];
      // A logarithmic axis has no place for step 0.
      const there = this.board.view.logStep ? points.filter(([step]) => step > 0) : points;
      if (there.length === 1) {
        const [cx, cy] = at(there[0]);
        return svg("circle", { class: `dot ${color}`, cx, cy, r: 3 });
      }
      const path = there.map((point, k) => `${k ? "L" : "M"}${at(point).join(" ")}`);
      return svg("path", { class: `curve ${color}`, d: path.join("") });
    }

    // Values at the step that the board points at, or the last ones.
    mark() {
      if (!this.x) return;
      const { at, active } = this.board.view;
      const told = new Map(this.shown.map(({ name, points }) =>
        [name, points[at === null ? points.length - 1 : curves.nearest(points, at)]]));
      this.cursor.replaceChildren(...(at === null ? [] : this.cursorAt(at, told)));
      this.legend.tell(told);
      const [first] = told.values();
      const value = this.series.length === 1 && first ? `${short(first[1])}${this.unit}` : this.kind.unit;
      const where = at === null ? "" : words(Math.round(at));
      const linear = this.linear ? "linear, as values are not all positive" : "";
      this.now.textContent = [value, where, linear].filter(Boolean).join(" \u00b7 ");
      this.describe(told, at);
      this.tip.hidden = at === null || active !== this || !first;
      if (!this.tip.hidden) this.showTip(told);
    }

    cursorAt(at, told) {
      const begin = this.x.at(this.board.range().from);
      const parts = [upright("cursor", this.x.at(at), this.bottom)];
      for (const { name, color } of this.shown) {
        const [step, value] = told.get(name);
        const [cx, cy] = [this.x.at(step), this.y.at(value)];
        const inside = cy >= TOP - 3 && cy <= this.bottom + 3 && cx >= begin - 1;
        if (inside) parts.push(svg("circle", { class: `dot ${color}`, cx, cy, r: 3.2 }));
      }
      return parts;
    }

    // The value of one curve beside the pointer.
    showTip(told) {
      const { name } = this.board.view;
      const [step, value] = told.get(name) ?? told.values().next().value;
      const which = this.series.length > 1 && told.has(name) ? `${name} ` : "";
      this.tip.textContent = `${words(step)}: ${which}${exact(value)}${this.unit}`;
      const size = this.tip.offsetWidth;
      const place = this.x.at(step);
      const beside = place + 12 > this.width - size ? place - 12 - size : place + 12;
      this.tip.style.left = `${Math.max(0, Math.min(this.width - size, beside))}px`;
    }

    // The same for those who listen.
    describe(told, at) {
      const { first, last } = this.board;
      const several = this.series.length > 1;
      const values = [...told].slice(0, TOLD).map(([name, [, value]]) =>
        `${several ? `${name} ` : ""}${exact(value)}${this.unit}`);
      const step = Math.min(last, Math.max(first, Math.round(at ?? last)));
      const all = values.length ? `${words(step)}: ${values.join(", ")}` : "no curve is switched on";
      const state = { valuemin: first, valuemax: last, valuenow: step, valuetext: all };
      for (const [key, value] of Object.entries(state)) this.plot.setAttribute(`aria-${key}`, value);
    }

    // The curve that is nearest to the pointer, and its point that is nearest to the step there.
    point(x, y) {
      if (!this.x || !this.shown.length) return;
      const step = this.x.back(x);
      let best = null;
      for (const { name, points } of this.shown) {
        const near = points[curves.nearest(points, step)];
        const apart = Math.abs(this.y.at(near[1]) - y);
        if (best === null || apart < best.apart) best = { apart, name, step: near[0] };
      }
      this.board.point(this, best.step, best.name);
    }

    // From record to record of the curve that was told last, or of the first.
    walk(records) {
      const { view } = this.board;
      const curve = this.shown.find((each) => each.name === view.name) ?? this.shown[0];
      if (!curve) return;
      const { from, to } = this.board.range();
      const points = curve.points.filter(([step]) => step >= from && step <= to);
      if (!points.length) return;
      const here = view.at === null ? points.length - 1 : curves.nearest(points, view.at);
      const place = view.at === null && Number.isFinite(records) ? here : here + records;
      const [step] = points[Math.min(points.length - 1, Math.max(0, place))];
      this.board.point(this, step, curve.name);
    }

    // Nearer to the step that is pointed at, or to the middle, or away from it.
    magnify(times) {
      if (!this.x) return;
      const { from, to } = this.board.range();
      const { at } = this.board.view;
      const [a, b] = [this.x.at(from), this.x.at(to)];
      const centre = at === null ? (a + b) / 2 : this.x.at(at);
      const ends = [centre - (centre - a) / times, centre + (b - centre) / times];
      this.board.zoom(...ends.map((pixel) => this.x.back(pixel)));
    }

    // So that the steps that two fingers took stay under them.
    pinch([s, t], a, b) {
      if (Math.abs(b - a) < 10 || s === t) return;
      const wish = curves.scale(this.board.view.logStep, s, t, a, b);
      const { from, to } = this.board.range();
      const ends = [from, to].map((step) => wish.back(this.x.at(step)));
      this.board.zoom(Math.min(...ends), Math.max(...ends));
    }

    select(from, to) {
      this.selection.setAttribute("x", from === null ? 0 : Math.min(from, to));
      this.selection.setAttribute("width", from === null ? 0 : Math.abs(to - from));
    }
  };
})((globalThis.unweaveCurves ??= {}));
