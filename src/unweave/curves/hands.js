// What mouse, fingers and keys do on the plot of a chart.
(function (curves) {
  "use strict";

  // A drag that is shorter is a click.
  const FAR = 5;
  const KEYS = {
    ArrowLeft: ["walk", -1], ArrowRight: ["walk", 1], PageUp: ["walk", -10], PageDown: ["walk", 10],
    Home: ["walk", -Infinity], End: ["walk", Infinity],
    "+": ["magnify", 2], "=": ["magnify", 2], "-": ["magnify", 0.5], "0": ["whole"], Escape: ["whole"],
  };

  // `does` has what is done: point(x, y), leave(), select(x, x) or select(null), zoom(x, x),
  // steps(x, x) and pinch(steps, x, x), walk(records), magnify(times), whole(). Pixels of the plot.
  curves.hands = function (plot, does) {
    const fingers = new Map();
    let begun = null;
    let pinched = null;
    const place = (event) => {
      const box = plot.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };

    plot.addEventListener("pointerdown", (event) => {
      const [x, y] = place(event);
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, x);
        pinched = fingers.size === 2 ? does.steps(...fingers.values()) : null;
        if (!pinched) does.point(x, y);
      } else if (event.button === 0) {
        begun = x;
        plot.setPointerCapture(event.pointerId);
      }
    });
    plot.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
      if (pinched) {
        does.pinch(pinched, ...fingers.values());
        return;
      }
      does.point(x, y);
      if (begun !== null) does.select(begun, Math.abs(x - begun) > FAR ? x : begun);
    });
    const end = (event) => {
      const [x] = place(event);
      fingers.delete(event.pointerId);
      if (fingers.size < 2) pinched = null;
      if (begun === null || event.pointerType === "touch") return;
      const from = begun;
      begun = null;
      does.select(null);
      if (event.type === "pointerup" && Math.abs(x - from) > FAR) does.zoom(from, x);
    };
    plot.addEventListener("pointerup", end);
    plot.addEventListener("pointercancel", end);
    plot.addEventListener("pointerleave", (event) => {
      // What a finger has pointed at stays to be read.
      if (event.pointerType !== "touch" && begun === null) does.leave();
    });
    plot.addEventListener("blur", () => does.leave());
    plot.addEventListener("dblclick", () => does.whole());
    plot.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
      const [action, ...given] = KEYS[event.key];
      if (event.key === "Escape" && begun !== null) {
        begun = null;
        does.select(null);
      } else {
        does[action](...given);
      }
      event.preventDefault();
    });
  };
})((globalThis.unweaveCurves ??= {}));
