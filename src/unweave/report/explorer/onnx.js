// The decoder as ONNX, run by ONNX Runtime Web in one thread. All of it lies in the page, gzipped.
(function (explorer) {
  "use strict";

  async function unpacked(section, name) {
    const text = section.querySelector(`[data-part="${name}"]`).textContent;
    const stream = new Blob([explorer.bytes(text)]).stream();
    return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  explorer.onnx = async function (section, content) {
    const names = ["script", "module", "onnx"];
    const [script, module, model] = await Promise.all(names.map((n) => unpacked(section, n)));
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const ort = await import(url);
    URL.revokeObjectURL(url);
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = module;
    const session = await ort.InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"],
    });
    const [height, width, channels] = content.shape;
    const count = content.latents;

    async function decode(given) {
      const tensor = (part) => new ort.Tensor("float32", Float32Array.from(part), [1, part.length]);
      const feeds = { latents: tensor(given.subarray(0, count)) };
      if (given.length > count) feeds.labels = tensor(given.subarray(count));
      const { data } = (await session.run(feeds)).images;
      const pixels = new Uint8ClampedArray(data.length);
      for (let c = 0; c < channels; c++) {
        for (let p = 0; p < height * width; p++) {
          pixels[p * channels + c] = Math.floor(255 * data[c * height * width + p] + 0.5);
        }
      }
      return pixels;
    }

    return { decode, settle: () => {} };
  };
})((globalThis.unweaveExplorer ??= {}));
