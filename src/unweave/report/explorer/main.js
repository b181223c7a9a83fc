// The explorer of a section: its state, the picture, and what mouse, finger and keys do.
(function (explorer) {
  "use strict";

  const STEP = 0.05;
  const FINE = 0.01;

  // Pixels (H, W, C) on a canvas; of images that are neither grey nor of three channels the first
  // three are shown.
  function paint(context, pixels, [height, width, channels]) {
    const image = context.createImageData(width, height);
    for (let p = 0; p < height * width; p++) {
      for (let c = 0; c < 3; c++) {
        const from = channels === 1 ? 0 : c;
        image.data[4 * p + c] = from < channels ? pixels[p * channels + from] : 0;
      }
      image.data[4 * p + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  async function begin(section) {
    const content = JSON.parse(section.querySelector('[data-part="content"]').textContent);
    const kind = section.dataset.decoder;
    const canvas = section.querySelector("canvas");
    // Pictures are small and may be read back: they need no graphics card.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const given = Float32Array.from(content.starts[0].given);
    let start = 0;
    let last = null;
    let busy = false;
    let again = false;
    let draw = () => {};

    // Draw what is given: at once where decoding is, else when it is done, and once more where
    // something has been moved since.
    function picture() {
      if (busy) {
        again = true;
        return;
      }
      const pixels = draw();
      if (!(pixels instanceof Promise)) return;
      busy = true;
      section.dataset.state = "decoding";
      pixels.then(() => {
        busy = false;
        section.dataset.state = "drawn";
        if (again) {
          again = false;
          picture();
        }
      }, tell);
    }

    function tell(error) {
      busy = false;
      section.querySelector(".x-status").textContent = `The explorer does not run here: ${error}`;
    }

    const controls = explorer.controls(section, content.controls, given, (place) => {
      if (kind === "strips" && place !== null && place !== last) {
        // Only one control is away from the start.
        const column = controls.column(place);
        const moved = controls.value(place);
        given.set(content.starts[start].given);
        last = place;
        controls.show();
        if (content.controls[place].kind === "choice") {
          const element = section.querySelector(`[data-control="${place}"]`);
          element.value = column;
        } else {
          controls.move(place, moved);
          return;
        }
      }
      picture();
    });
    controls.show();
    section.dataset.state = "decoding";

    function startFrom(place) {
      start = place;
      last = null;
      given.set(content.starts[place].given);
      for (const button of section.querySelectorAll("[data-start]")) {
        button.setAttribute("aria-pressed", String(Number(button.dataset.start) === place));
      }
      controls.show();
      picture();
    }

    for (const button of section.querySelectorAll("[data-start]")) {
      button.addEventListener("click", () => startFrom(Number(button.dataset.start)));
    }
    const action = (name) => section.querySelector(`[data-action="${name}"]`);
    action("reset").addEventListener("click", () => startFrom(start));
    action("random").addEventListener("click", () => controls.random());
    action("random").hidden = kind === "strips";

    // Two sliders that the picture moves: at first those of positions, where there are such.
    const along = ["x", "y"].map((name) => new RegExp(`(^|_|, )${name}($|_|,)`));
    const axes = ["x", "y"].map((name, order) => {
      const select = section.querySelector(`[data-axis="${name}"]`);
      for (const k of controls.sliders) select.append(new Option(controls.name(k), k));
      const place = controls.sliders.findIndex((k) => along[order].test(content.controls[k].name));
      select.selectedIndex = Math.min(place < 0 ? order : place, controls.sliders.length - 1);
      return select;
    });
    const chosen = (axis) => Number(axes[axis].value);
    for (const part of [".x-drag", ".x-help"]) {
      section.querySelector(part).hidden = controls.sliders.length === 0;
    }

    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!controls.sliders.length || (event.pointerType === "mouse" && event.button)) return;
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      held = { x: event.clientX, y: event.clientY, values: [0, 1].map((a) => controls.value(chosen(a))) };
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held || !canvas.hasPointerCapture(event.pointerId)) return;
      const box = canvas.getBoundingClientRect();
      const parts = [(event.clientX - held.x) / box.width, (held.y - event.clientY) / box.height];
      const away = parts.map((part, a) => held.values[a] + part * controls.range(chosen(a)));
      if (kind === "strips") {
        const axis = Math.abs(parts[0]) >= Math.abs(parts[1]) ? 0 : 1;
        controls.move(chosen(axis), away[axis]);
      } else if (chosen(0) === chosen(1)) {
        controls.move(chosen(0), away[0]);
      } else {
        controls.move(chosen(0), away[0]);
        controls.move(chosen(1), away[1]);
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => (held = null));
    }
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 1], ArrowDown: [1, -1] };
      if (!(event.key in way) || !controls.sliders.length) return;
      const [axis, sign] = way[event.key];
      const k = chosen(axis);
      const positions = content.controls[k].positions;
      const step = positions ? 1 / (positions - 1) : event.shiftKey ? FINE : STEP;
      controls.move(k, controls.value(k) + sign * step * controls.range(k));
      event.preventDefault();
    });

    try {
      if (kind === "strips") {
        const put = await explorer.strips(section, content);
        draw = () => put(context, start, last, last === null ? 0 : controls.column(last));
        picture();
      } else {
        const decoder = await explorer[kind](section, content);
        draw = () => {
          const pixels = decoder.decode(given);
          if (!(pixels instanceof Promise)) return paint(context, pixels, content.shape);
          return pixels.then((values) => paint(context, values, content.shape));
        };
        await draw();
        setTimeout(() => decoder.settle(given), 0);
      }
    } catch (error) {
      tell(error);
      return;
    }
    section.dataset.state = "drawn";
    document.body.dataset.ready = "true";
  }

  for (const section of document.querySelectorAll("section.explorer:not([data-state])")) {
    begin(section);
  }
})((globalThis.unweaveExplorer ??= {}));
