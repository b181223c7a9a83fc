// One chart: its curves as SVG, a legend that switches them, and values at a step.
(function (curves) {
  "use strict";

  const { element, short, exact } = curves;
  const RIGHT = 12, TOP = 12, BOTTOM = 24;
  const HEIGHT = 180, WIDE_HEIGHT = 260;
  // So many curves are told to those who listen.
  const TOLD = 12;
  const words = (step) => `step ${step.toLocaleString("en")}`;
  const svg = (name, attributes, text) => element(`svg:${name}`, attributes, text);

  curves.Chart = class {
    // kind: { title, unit, wide }; of the board, what all charts share: its view, and
    // `point`, `leave`, `zoom`, `whole`.
    constructor(board, kind) {
      Object.assign(this, { board, kind, series: [], phases: [], hidden: new Set(), buttons: new Map() });
      this.box = element("div", { class: kind.wide ? "u-chart wide" : "u-chart" });
      const head = this.box.appendChild(element("h3"));
      head.appendChild(element("span", { class: "name" }, kind.title));
      this.now = head.appendChild(element("span", { class: "now" }));
      this.plot = this.box.appendChild(element("div", {
        class: "u-plot", role: "slider", tabindex: 0, "aria-describedby": board.help.id,
        "aria-label": `${kind.title}${kind.unit ? `, ${kind.unit}` : ""}: values at a step`,
      }));
      this.svg = this.plot.appendChild(svg("svg", { "aria-hidden": "true" }));
      this.tip = this.plot.appendChild(element("div", { class: "u-tip", hidden: "" }));
      this.legend = this.box.appendChild(element("div", { class: "u-legend", role: "group", "aria-label": `Curves of ${kind.title}` }));
      this.cursor = svg("g");
      this.selection = svg("rect", { class: "u-selection", y: TOP, width: 0 });
      this.hands();
      new ResizeObserver(() => {
        if (this.plot.clientWidth !== this.width) this.draw();
      }).observe(this.plot);
    }

    hands() {
      const zoomed = (a, b) => this.board.zoom(Math.min(a, b), Math.max(a, b));
      curves.hands(this.plot, {
        point: (x, y) => this.point(x, y),
        leave: () => this.board.leave(),
        select: (from, to) => this.select(from, to),
        zoom: (from, to) => zoomed(this.x.back(from), this.x.back(to)),
        steps: (a, b) => [this.x.back(a), this.x.back(b)],
        pinch: (steps, a, b) => this.pinch(steps, a, b),
        walk: (records) => this.walk(records),
        magnify: (times) => this.magnify(times),
        whole: () => this.board.whole(),
      });
    }

    get shown() {
      return this.series.filter((curve) => !this.hidden.has(curve.name));
    }

    // series: [{ name, points: [[step, value], ...], color }]
    update(series, phases) {
      this.series = series;
      this.phases = phases;
      this.makeLegend();
      this.draw();
    }

    makeLegend() {
      const several = this.series.length > 1;
      this.legend.hidden = !several;
      if (!several) return;
      const wanted = this.series.map((curve) => this.button(curve));
      if (this.series.length > 3) wanted.push(this.both ??= this.switches());
      if (wanted.length === this.legend.children.length && wanted.every((each, k) => each === this.legend.children[k])) return;
      const focused = document.activeElement;
      this.legend.replaceChildren(...wanted);
      if (this.legend.contains(focused)) focused.focus({ preventScroll: true });
    }

    // The button that switches a curve; twice, and it is the only one.
    button({ name, color }) {
      if (!this.buttons.has(name)) {
        const made = element("button", { type: "button", "aria-pressed": "true", title: "Click: on and off. Double-click: this one alone." });
        made.append(element("span", { class: "key", "aria-hidden": "true" }), element("span", {}, name), element("span", { class: "value" }));
        made.addEventListener("click", () => this.turn((each) => (each === name) !== !this.hidden.has(each)));
        made.addEventListener("dblclick", () => this.turn((each) => each === name));
        this.buttons.set(name, made);
      }
      const made = this.buttons.get(name);
      made.firstChild.setAttribute("class", `key ${color}`);
      return made;
    }

    // Two buttons that switch all of them.
    switches() {
      const both = element("span", { class: "u-both" });
      for (const [text, on] of [["All", true], ["None", false]]) {
        const made = both.appendChild(element("button", { type: "button" }, text));
        made.addEventListener("click", () => this.turn(() => on));
      }
      return both;
    }

    turn(on) {
      this.hidden = new Set(this.series.map((curve) => curve.name).filter((name) => !on(name)));
      for (const [name, made] of this.buttons) made.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      this.draw();
    }

    draw() {
      this.width = this.plot.clientWidth;
      if (!this.series.length || !this.width) return;
      const { view } = this.board;
      const { from, to, zoomed } = this.board.range();
      const width = this.width, height = this.kind.wide ? WIDE_HEIGHT : HEIGHT;
      const shown = this.shown;
      const positive = shown.every((curve) => curve.points.every((point) => point[1] > 0));
      const logarithmic = view.logValue && positive && shown.length > 0;
      const range = shown.length ? curves.valueRange(shown, from, to, { logarithmic, zoomed }) : { low: 0, high: 1, cut: null };
      this.y = curves.scale(logarithmic, range.low, range.high, height - BOTTOM, TOP);
      const marks = shown.length ? this.y.ticks(this.kind.wide ? 5 : 4) : [];
      const left = 10 + 6.4 * Math.max(4, ...marks.map((value) => short(value).length));
      this.x = curves.scale(view.logStep, from, to, left, width - RIGHT);
      this.linear = view.logValue && !positive;

      const parts = [];
      for (const value of marks) {
        parts.push(svg("line", { class: "gridline", x1: left, x2: width - RIGHT, y1: this.y.at(value), y2: this.y.at(value) }));
        parts.push(svg("text", { class: "tick", x: left - 6, y: this.y.at(value) + 4, "text-anchor": "end" }, short(value)));
      }
      for (const step of this.x.ticks(Math.max(3, Math.floor(width / 90))).filter(Number.isInteger)) {
        const near = this.x.at(step) > width - RIGHT - 14;
        parts.push(svg("text", { class: "tick", x: near ? width - 2 : this.x.at(step), y: height - 6, "text-anchor": near ? "end" : "middle" }, curves.stepText(step)));
      }
      for (const step of this.phases) {
        if (step > from && step < to) parts.push(svg("line", { class: "phase", x1: this.x.at(step), x2: this.x.at(step), y1: TOP, y2: height - BOTTOM }));
      }
      const group = this.frame(left, width, height);
      // Those without a colour lie below.
      group.append(...[...shown].reverse().map((curve) => this.line(curve)));
      parts.push(group);
      if (range.cut !== null) {
        const above = range.cut > range.high;
        parts.push(svg("text", { class: "tick", x: width - RIGHT - 4, y: above ? TOP + 10 : height - BOTTOM - 6, "text-anchor": "end" }, `${above ? "\u2191" : "\u2193"} from ${short(range.cut)}`));
      }
      if (!shown.length) parts.push(svg("text", { class: "tick", x: width / 2, y: height / 2, "text-anchor": "middle" }, "No curve is switched on."));
      this.selection.setAttribute("height", height - TOP - BOTTOM);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.setAttribute("height", height);
      this.svg.replaceChildren(...parts, this.selection, this.cursor);
      this.bottom = height - BOTTOM;
      this.mark();
    }

    // What is drawn in it is cut at the ends of the axes; its pixels are those around it.
    frame(left, width, height) {
      const [x, y] = [left - 2, TOP - 3];
      const size = { width: Math.max(1, width - RIGHT + 3 - x), height: height - BOTTOM + 3 - y };
      return svg("svg", { x, y, ...size, viewBox: `${x} ${y} ${size.width} ${size.height}` });
    }

    line({ points, color }) {
      const at = ([step, value]) => [this.x.at(step).toFixed(1), this.y.at(value).toFixed(1)];
      if (points.length === 1) {
        const [cx, cy] = at(points[0]);
        return svg("circle", { class: `dot ${color}`, cx, cy, r: 3 });
      }
      // A logarithmic axis has no place for a step before its first.
      const there = this.board.view.logStep ? points.filter(([step]) => step > 0) : points;
      const path = there.map((point, k) => `${k ? "L" : "M"}${at(point).join(" ")}`);
      return svg("path", { class: `curve ${color}`, d: path.join("") });
    }

    // Values at the step that the board points at, or the last ones.
    mark() {
      if (!this.x) return;
      const { at, active } = this.board.view;
      const unit = this.kind.unit ? ` ${this.kind.unit}` : "";
      const told = new Map(this.shown.map((curve) => {
        const place = at === null ? curve.points.length - 1 : curves.nearest(curve.points, at);
        return [curve.name, curve.points[place]];
      }));
      const marks = [];
      if (at !== null) {
        marks.push(svg("line", { class: "cursor", x1: this.x.at(at), x2: this.x.at(at), y1: TOP, y2: this.bottom }));
        for (const curve of this.shown) {
          const [step, value] = told.get(curve.name);
          const [cx, cy] = [this.x.at(step), this.y.at(value)];
          const inside = cy >= TOP - 3 && cy <= this.bottom + 3 && cx >= this.x.at(this.board.range().from) - 1;
          if (inside) marks.push(svg("circle", { class: `dot ${curve.color}`, cx, cy, r: 3.2 }));
        }
      }
      this.cursor.replaceChildren(...marks);
      for (const [name, made] of this.buttons) {
        made.lastChild.textContent = told.has(name) ? short(told.get(name)[1]) : "";
      }
      const [first] = told;
      const alone = this.series.length === 1 && first ? `${short(first[1][1])}${unit}` : this.kind.unit || "";
      const where = at === null ? "" : words(Math.round(at));
      this.now.textContent = [alone, where, this.linear ? "linear, as values are not all positive" : ""]
        .filter(Boolean).join(" \u00b7 ");
      this.describe(told, at, unit);
      this.tip.hidden = at === null || active !== this || !first;
      if (!this.tip.hidden) this.showTip(told, unit);
    }

    showTip(told, unit) {
      const { name } = this.board.view;
      const [step, value] = told.get(name) ?? told.values().next().value;
      const several = this.series.length > 1 && told.has(name) ? `${name} ` : "";
      this.tip.textContent = `${words(step)}: ${several}${exact(value)}${unit}`;
      const room = this.width - this.tip.offsetWidth;
      const place = this.x.at(step);
      const beside = place + 12 > room ? place - 12 - this.tip.offsetWidth : place + 12;
      this.tip.style.left = `${Math.max(0, Math.min(room, beside))}px`;
    }

    describe(told, at, unit) {
      const { first, last } = this.board;
      const points = [...told].slice(0, TOLD).map(([name, point]) =>
        `${this.series.length > 1 ? `${name} ` : ""}${exact(point[1])}${unit}`);
      const step = Math.round(at ?? last);
      this.plot.setAttribute("aria-valuemin", first);
      this.plot.setAttribute("aria-valuemax", last);
      this.plot.setAttribute("aria-valuenow", Math.min(last, Math.max(first, step)));
      this.plot.setAttribute("aria-valuetext", points.length ? `${words(step)}: ${points.join(", ")}` : "no curve is switched on");
    }

    // The curve that is nearest to the pointer, and its point that is nearest to the step there.
    point(x, y) {
      if (!this.x || !this.shown.length) return;
      const step = this.x.back(x);
      let best = null;
      for (const curve of this.shown) {
        const near = curve.points[curves.nearest(curve.points, step)];
        const apart = Math.abs(this.y.at(near[1]) - y);
        if (best === null || apart < best.apart) best = { apart, name: curve.name, step: near[0] };
      }
      this.board.point(this, best.step, best.name);
    }

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
      const [a, b] = [this.x.at(from), this.x.at(to)];
      const centre = this.board.view.at === null ? (a + b) / 2 : this.x.at(this.board.view.at);
      this.board.zoom(this.x.back(centre - (centre - a) / times), this.x.back(centre + (b - centre) / times));
    }

    // So that the steps that two fingers took stay under them.
    pinch([s, t], a, b) {
      if (Math.abs(b - a) < 10 || s === t) return;
      const wish = curves.scale(this.board.view.logStep, s, t, a, b);
      const { from, to } = this.board.range();
      this.board.zoom(...[wish.back(this.x.at(from)), wish.back(this.x.at(to))].sort((p, q) => p - q));
    }

    select(from, to) {
      const begin = from === null ? 0 : Math.min(from, to);
      this.selection.setAttribute("x", begin);
      this.selection.setAttribute("width", from === null ? 0 : Math.abs(to - from));
    }
  };
})((globalThis.unweaveCurves ??= {}));
