// What is moved by hand, and what it writes into that which the decoder is given.
(function (explorer) {
  "use strict";

  // The value of a slider that stands for what is given.
  function valueOf(control, given) {
    const at = control.at;
    if (control.kind === "latent") return given[at];
    if (control.kind === "number") return (given[at] - control.offset) / control.scale;
    const turn = Math.atan2(given[at], given[at + 1]) / (2 * Math.PI);
    return control.first + (turn < 0 ? turn + 1 : turn) * control.period;
  }

  // What a slider's value, or the place of an option, stands for.
  function codeOf(control, value) {
    if (control.kind === "choice") return control.options[value].code;
    if (control.kind === "latent") return [value];
    if (control.kind === "number") return [control.scale * value + control.offset];
    const turn = (2 * Math.PI * (value - control.first)) / control.period;
    return [Math.sin(turn), Math.cos(turn)];
  }

  // The option that is nearest to what is given.
  function optionOf(control, given) {
    let best = 0;
    let least = Infinity;
    control.options.forEach((option, place) => {
      const apart = option.code.reduce((sum, v, k) => sum + (v - given[control.at + k]) ** 2, 0);
      if (apart < least) [best, least] = [place, apart];
    });
    return best;
  }

  function normal() {
    return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  }

  // Controls of a section. `given` is what the decoder is given; `changed(place)` is called after
  // the user has moved the control at that place, or all of them where there is none.
  explorer.controls = function (section, controls, given, changed) {
    const elements = controls.map((_, k) => section.querySelector(`[data-control="${k}"]`));
    const sliders = controls.flatMap((control, k) => (control.kind === "choice" ? [] : [k]));
    const within = (control, value) => Math.min(control.high, Math.max(control.low, value));

    function write(k, value) {
      given.set(codeOf(controls[k], value), controls[k].at);
    }

    // Show what is given.
    function show() {
      controls.forEach((control, k) => {
        if (control.kind === "choice") {
          elements[k].value = optionOf(control, given);
        } else {
          const value = valueOf(control, given);
          elements[k].value = value;
          elements[k].nextElementSibling.value = value.toFixed(2);
        }
      });
    }

    controls.forEach((control, k) => {
      const moved = () => {
        const value = Number(elements[k].value);
        if (control.kind !== "choice") elements[k].nextElementSibling.value = value.toFixed(2);
        write(k, value);
        changed(k);
      };
      // Not all that drives a page sends both.
      for (const event of ["input", "change"]) elements[k].addEventListener(event, moved);
    });

    return {
      show,
      sliders,
      name: (k) => {
        const { kind, latent, name } = controls[k];
        return kind === "latent" ? `z${latent}${name ? ` ${name}` : ""}` : name.replaceAll("_", " ");
      },
      value: (k) => valueOf(controls[k], given),
      range: (k) => controls[k].high - controls[k].low,
      // Which of its values a control has: an option, or a position of a slider.
      column: (k) => {
        const { kind, low, high, positions } = controls[k];
        if (kind === "choice") return Number(elements[k].value);
        const part = (Number(elements[k].value) - low) / (high - low);
        return Math.round(part * (positions - 1));
      },
      // Move a slider; a circular factor goes round.
      move: (k, value) => {
        const control = controls[k];
        let moved = within(control, value);
        if (control.kind === "angle") {
          const turns = (value - control.first) / control.period;
          moved = control.first + (turns - Math.floor(turns)) * control.period;
        }
        write(k, moved);
        elements[k].value = moved;
        elements[k].nextElementSibling.value = moved.toFixed(2);
        changed(k);
      },
      // A draw from the prior, and any value of labels and factors.
      random: () => {
        controls.forEach((control, k) => {
          if (control.kind === "choice") {
            const places = control.options.flatMap((option, place) => (option.random ? [place] : []));
            write(k, places[Math.floor(Math.random() * places.length)]);
          } else if (control.kind === "latent") {
            write(k, within(control, control.centre + control.spread * normal()));
          } else {
            write(k, control.low + Math.random() * (control.high - control.low));
          }
        });
        show();
        changed(null);
      },
    };
  };
})((globalThis.unweaveExplorer ??= {}));
