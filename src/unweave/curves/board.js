// All charts of a run: what they share, and the controls above them.
(function (curves) {
  "use strict";

  const { element } = curves;
  const HELP = "Drag over a chart to see a part of the training, double-click to see all of it. " +
    "With keys: arrows go from record to record, + and - zoom, 0 shows all.";
  let boards = 0;

  curves.Board = class {
    // place: the element that controls and charts are put into.
    constructor(place) {
      this.charts = new Map();
      // Steps of a part of the training, or null for all; which axes are logarithmic; the step that
      // is pointed at, in which chart, and the curve that is nearest.
      this.view = {
        from: null, to: null, logStep: false, logValue: false, at: null, active: null, name: null,
      };
      this.help = element("p", { class: "u-help", id: `u-help-${boards++}` }, HELP);
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
        input.addEventListener("change", () => {
          this.zoom(this.from.valueAsNumber, this.to.valueAsNumber);
        });
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
      const wanted = curves.layout(told);
      const ends = wanted.flatMap(({ series }) => series).flatMap(({ points }) => [points[0], points.at(-1)]);
      this.first = Math.min(...ends.map(([step]) => step));
      this.last = Math.max(...ends.map(([step]) => step));
      // What is no longer logged is of a run that another one has taken the place of.
      const ids = new Set(wanted.map(({ id }) => id));
      for (const [id, chart] of this.charts) {
        if (ids.has(id)) continue;
        chart.box.remove();
        this.charts.delete(id);
      }
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

    // The steps that are shown.
    range() {
      const { from, to, logStep } = this.view;
      const zoomed = from !== null;
      let begin = zoomed ? from : logStep ? this.first : Math.min(this.first, 0.02 * this.last);
      // A logarithmic axis has no place for step 0.
      if (logStep) begin = Math.max(begin, Math.min(1, this.last));
      const end = zoomed ? to : this.last;
      if (end > begin) return { from: begin, to: end, zoomed };
      return { from: logStep ? end / 2 : end - 1, to: end, zoomed };
    }

    zoom(from, to) {
      if (!Number.isFinite(from) || !Number.isFinite(to)) {
        this.show();
        return;
      }
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

    // The controls say what is shown; what is being written is left alone.
    show() {
      const { from, to, zoomed } = this.range();
      for (const [input, value] of [[this.from, zoomed ? from : this.first], [this.to, to]]) {
        input.min = this.first;
        input.max = this.last;
        if (document.activeElement !== input || zoomed) input.value = Math.round(value);
      }
      this.all.disabled = !zoomed;
    }

    // A chart, a step and the name of a curve that are pointed at.
    point(active, at, name) {
      Object.assign(this.view, { active, at, name });
      for (const chart of this.charts.values()) chart.mark();
    }

    leave() {
      this.point(null, null, null);
    }
  };
})((globalThis.unweaveCurves ??= {}));
