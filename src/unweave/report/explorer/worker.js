// The decoder that runs in the page, or beside it in a worker where it takes longer than a frame.
(function (explorer) {
  "use strict";

  const FRAME = 16;

  // The worker's own part: it makes the decoder from the first message and answers the others.
  const ANSWER = `
    let decode = null;
    onmessage = ({ data }) => {
      if (!decode) decode = unweaveExplorer.decoder(data.program, data.bytes);
      else postMessage(decode(data));
    };`;

  function beside(section, program, bytes) {
    const sources = ["weights.js", "convolution.js", "runtime.js"].map(
      (name) => section.querySelector(`[data-script="${name}"]`).textContent,
    );
    const blob = new Blob([...sources, ANSWER], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(blob));
    worker.postMessage({ program, bytes });
    return worker;
  }

  // A decoder: `decode(given)` gives pixels, or a promise of them once a worker has taken over.
  explorer.javascript = function (section, content) {
    const bytes = explorer.bytes(section.querySelector('[data-part="weights"]').textContent);
    const here = explorer.decoder(content.program, bytes);
    let worker = null;

    // How long a picture takes is known once the browser has compiled the loops.
    function settle(given) {
      let least = Infinity;
      for (let tries = 0; tries < 3 && least > FRAME; tries++) {
        const begin = performance.now();
        here(given);
        least = Math.min(least, performance.now() - begin);
      }
      section.dataset.milliseconds = least.toFixed(1);
      if (least <= FRAME) return;
      try {
        const made = beside(section, content.program, bytes);
        made.onerror = (event) => {
          event.preventDefault();
          worker = null;
        };
        worker = made;
      } catch {
        worker = null;
      }
    }

    function decode(given) {
      const asked = worker;
      if (!asked) return here(given);
      return new Promise((resolve) => {
        asked.onmessage = ({ data }) => resolve(data);
        asked.addEventListener("error", () => resolve(here(given)), { once: true });
        asked.postMessage(Float32Array.from(given));
      });
    }

    return { decode, settle };
  };
})((globalThis.unweaveExplorer ??= {}));
