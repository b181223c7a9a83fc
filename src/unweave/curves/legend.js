// The legend of a chart: a button for each curve, which switches it, with its value beside it.
(function (curves) {
  "use strict";

  const { element, short } = curves;
  // From so many curves on, buttons switch all of them.
  const MANY = 4;
  const HINT = "Click: on and off. Double-click: this one alone.";

  curves.Legend = class {
    // title: of the chart; changed: called when a curve has been switched.
    constructor(title, changed) {
      this.changed = changed;
      this.hidden = new Set();
      this.buttons = new Map();
      this.box = element("div", { class: "u-legend", role: "group", "aria-label": `Curves of ${title}` });
    }

    // series: [{ name, color }, ...]; of a single one there is no legend.
    update(series) {
      this.names = series.map((curve) => curve.name);
      this.box.hidden = series.length < 2;
      if (this.box.hidden) return;
      const wanted = series.map((curve) => this.button(curve));
      if (series.length >= MANY) wanted.push(this.both ??= this.switches());
      const there = [...this.box.children];
      if (wanted.length === there.length && wanted.every((each, k) => each === there[k])) return;
      const focused = document.activeElement;
      this.box.replaceChildren(...wanted);
      if (this.box.contains(focused)) focused.focus({ preventScroll: true });
    }

    button({ name, color }) {
      if (!this.buttons.has(name)) {
        const made = element("button", { type: "button", "aria-pressed": "true", title: HINT });
        const key = element("span", { class: "key", "aria-hidden": "true" });
        made.append(key, element("span", {}, name), element("span", { class: "value" }));
        made.addEventListener("click", () => {
          this.turn((each) => (each === name) !== !this.hidden.has(each));
        });
        made.addEventListener("dblclick", () => this.turn((each) => each === name));
        this.buttons.set(name, made);
      }
      const made = this.buttons.get(name);
      made.firstChild.setAttribute("class", `key ${color}`);
      return made;
    }

    switches() {
      const both = element("span", { class: "u-both" });
      for (const [text, on] of [["All", true], ["None", false]]) {
        const made = both.appendChild(element("button", { type: "button" }, text));
        made.addEventListener("click", () => this.turn(() => on));
      }
      return both;
    }

    turn(on) {
      this.hidden = new Set(this.names.filter((name) => !on(name)));
      for (const [name, made] of this.buttons) {
        made.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      }
      this.changed();
    }

    // told: a point of each curve that is on, by its name.
    tell(told) {
      for (const [name, made] of this.buttons) {
        made.lastChild.textContent = told.has(name) ? short(told.get(name)[1]) : "";
      }
    }
  };
})((globalThis.unweaveCurves ??= {}));
