"use strict";
// Curves as SVG: axes with round numbers, and values under the pointer.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 48, RIGHT = 10, TOP = 10, BOTTOM = 22;
// The first part of a training would flatten the rest: the axis is made for what comes after it.
const START = 0.03;

function element(name, attributes, text) {
  const made = name.startsWith("svg:") ?
    document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function short(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return value.toExponential(1);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(size < 1 ? 3 : 4)));
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((unit) => unit * power).find((unit) => unit >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

function stepText(step) {
  if (step >= 1e6) return `${Number((step / 1e6).toPrecision(3))}M`;
  return step >= 1e4 ? `${Number((step / 1e3).toPrecision(4))}k` : String(step);
}

// The value range of all curves, without their very beginning where that stands far out.
function range(series, end) {
  const all = series.flatMap((curve) => curve.points.map((point) => point[1]));
  const later = series.flatMap((curve) => curve.points.filter((point) => point[0] > START * end)
    .map((point) => point[1]));
  const pick = (values) => values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  let [low, high] = pick(all);
  if (later.length > 4) {
    const [low2, high2] = pick(later);
    if (high - low > 2 * (high2 - low2)) [low, high] = [low2, high2];
  }
  const pad = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1;
  // What cannot be negative begins at zero.
  return [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad];
}

class Chart {
  // kind: {title, unit, wide, limit: how many of the curves get a colour}
  constructor(kind) {
    this.kind = kind;
    this.box = element("div", {class: kind.wide ? "chart wide" : "chart"});
    const head = this.box.appendChild(element("h3"));
    head.appendChild(element("span", {class: "name"}, kind.title));
    this.now = head.appendChild(element("span", {class: "now"}));
    this.svg = this.box.appendChild(element("svg:svg", {role: "img"}));
    this.legend = this.box.appendChild(element("ul", {class: "legend"}));
    this.at = null;
    const move = (event) => {
      const x = event.clientX - this.svg.getBoundingClientRect().left;
      this.at = this.scale ? this.scale.step(x) : null;
      this.draw();
    };
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointerdown", move);
    this.svg.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    new ResizeObserver(() => {
      if (this.box.clientWidth !== this.width) this.draw();
    }).observe(this.box);
  }

  // series: [{name, points: [[step, value], ...], color}]
  update(series, phases) {
    this.series = series.filter((curve) => curve.points.length);
    this.phases = phases;
    this.draw();
  }

  draw() {
    this.width = this.box.clientWidth;
    if (!this.series || !this.series.length || !this.width) return;
    const style = getComputedStyle(this.box);
    const width = this.width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = this.kind.wide ? 240 : 170;
    const last = Math.max(...this.series.map((curve) => curve.points[curve.points.length - 1][0]));
    const first = Math.min(...this.series.map((curve) => curve.points[0][0]));
    const start = first < last ? Math.min(first, 0.02 * last) : 0;
    const [low, high] = range(this.series, last);
    const x = (step) => LEFT + (width - LEFT - RIGHT) * (step - start) / (last - start || 1);
    const y = (value) => TOP + (height - TOP - BOTTOM) * (high - value) / (high - low);
    this.scale = {step: (at) => start + (at - LEFT) / (width - LEFT - RIGHT) * (last - start)};
    const parts = [];
    const id = `clip-${this.kind.id}`;
    const clip = element("svg:clipPath", {id});
    clip.appendChild(element("svg:rect",
      {x: LEFT, y: TOP - 2, width: width - LEFT - RIGHT + 2, height: height - TOP - BOTTOM + 4}));
    parts.push(clip);
    for (const value of ticks(low, high, 4)) {
      parts.push(element("svg:line", {class: "gridline", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value)}));
      parts.push(element("svg:text", {class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end"}, short(value)));
    }
    for (const step of ticks(start, last, Math.max(3, Math.floor(width / 90)))) {
      const near = x(step) > width - RIGHT - 14;
      parts.push(element("svg:text", {class: "tick", x: near ? width - RIGHT : x(step), y: height - 6,
        "text-anchor": near ? "end" : "middle"}, stepText(step)));
    }
    for (const step of this.phases || []) {
      if (step > start && step < last) parts.push(element("svg:line", {class: "phase", x1: x(step), x2: x(step), y1: TOP, y2: height - BOTTOM}));
    }
    const values = [];
    const curves = element("svg:g", {"clip-path": `url(#${id})`});
    // Those without a colour lie below.
    for (const curve of [...this.series].reverse()) {
      if (curve.points.length === 1) {
        const [step, value] = curve.points[0];
        curves.appendChild(element("svg:circle", {class: `dot ${curve.color}`, cx: x(step), cy: y(value), r: 3}));
      } else {
        const path = curve.points.map(([step, value], k) => `${k ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`);
        const line = element("svg:path", {class: `curve ${curve.color}`, d: path.join("")});
        curves.appendChild(line);
      }
    }
    parts.push(curves);
    let told = last;
    if (this.at !== null) {
      const near = this.series[0].points.reduce((best, point) =>
        Math.abs(point[0] - this.at) < Math.abs(best[0] - this.at) ? point : best);
      told = near[0];
      parts.push(element("svg:line", {class: "cursor", x1: x(told), x2: x(told), y1: TOP, y2: height - BOTTOM}));
    }
    for (const curve of this.series) {
      const point = this.at === null ? curve.points[curve.points.length - 1] :
        curve.points.reduce((best, each) => Math.abs(each[0] - told) < Math.abs(best[0] - told) ? each : best);
      values.push(point[1]);
    }
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("aria-label", `${this.kind.title}: ${short(values[0])} at step ${told}`);
    this.svg.replaceChildren(...parts);
    const at = this.at === null ? "" : `step ${told.toLocaleString("en")}`;
    const unit = this.kind.unit ? ` ${this.kind.unit}` : "";
    const several = this.series.length > 1;
    this.now.textContent = several ? at || (this.kind.unit || "") :
      `${short(values[0])}${unit}${at ? ` at ${at}` : ""}`;
    this.legend.replaceChildren(...(several ? this.series.map((curve, k) => {
      const item = element("li");
      item.appendChild(element("span", {class: `key ${curve.color}`}));
      item.appendChild(document.createTextNode(`${curve.name} ${short(values[k])}`));
      return item;
    }) : []));
  }
}
