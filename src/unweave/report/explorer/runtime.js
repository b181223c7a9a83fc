// A decoder as a list of steps, carried out on typed arrays.
//
// Value 0 is what the decoder is given, value i + 1 what step i gives. A value is flat: a vector
// (N), or an image with channels last. Shapes are written as PyTorch has them: [N] or [C, H, W].
(function (explorer) {
  "use strict";

  // The error function, to 1.5e-7: Abramowitz and Stegun, 7.1.26.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
      + 0.254829592) * t;
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  }

  const FUNCTIONS = {
    relu: () => (x) => (x > 0 ? x : 0),
    leaky_relu: ({ slope }) => (x) => (x > 0 ? x : slope * x),
    elu: ({ slope }) => (x) => (x > 0 ? x : slope * Math.expm1(x)),
    tanh: () => Math.tanh,
    sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
    softplus: () => (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
    silu: () => (x) => x / (1 + Math.exp(-x)),
    gelu: () => (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  };

  const size = (shape) => shape.reduce((product, n) => product * n, 1);

  // From (C, H, W) to (H, W, C), or back.
  function turned(values, [channels, height, width], last) {
    const pixels = height * width;
    const result = new Float32Array(values.length);
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) {
        if (last) result[p * channels + c] = values[c * pixels + p];
        else result[c * pixels + p] = values[p * channels + c];
      }
    }
    return result;
  }

  // A product with a matrix, eight rows of which are read at a time.
  function dense(step, [from], to, { weight, bias }) {
    const inputs = size(from);
    const outputs = size(to);
    const y = new Float32Array(outputs);
    return ([x]) => {
      let d = 0;
      for (; d + 4 <= outputs; d += 4) {
        let a = bias[d], b = bias[d + 1], c = bias[d + 2], e = bias[d + 3];
        let at = d * inputs;
        for (let i = 0; i < inputs; i++, at++) {
          const v = x[i];
          a += v * weight[at];
          b += v * weight[at + inputs];
          c += v * weight[at + 2 * inputs];
          e += v * weight[at + 3 * inputs];
        }
        y[d] = a; y[d + 1] = b; y[d + 2] = c; y[d + 3] = e;
      }
      for (; d < outputs; d++) {
        let a = bias[d];
        for (let i = 0; i < inputs; i++) a += x[i] * weight[d * inputs + i];
        y[d] = a;
      }
      return y;
    };
  }

  function affine(step, [from], to, { scale, shift }) {
    const channels = from[0];
    const y = new Float32Array(size(to));
    return ([x]) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i] * scale[i % channels] + shift[i % channels];
      return y;
    };
  }

  function activation(step, [from]) {
    const apply = FUNCTIONS[step.function](step);
    const y = new Float32Array(size(from));
    return ([x]) => {
      for (let i = 0; i < y.length; i++) y[i] = apply(x[i]);
      return y;
    };
  }

  function reshape(step, [from], to) {
    return ([x]) => {
      const flat = from.length === 3 ? turned(x, from, false) : x;
      return to.length === 3 ? turned(flat, to, true) : flat;
    };
  }

  // Where each output pixel of an axis lies between two of the input.
  function between(mode, from, to) {
    return Array.from({ length: to }, (_, i) => {
      if (mode === "nearest") return [Math.floor((i * from) / to), 0, 0];
      const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
      const low = Math.min(Math.floor(place), from - 1);
      return [low, Math.min(low + 1, from - 1), place - low];
    });
  }

  function enlarge(step, [[channels, height, width]], to) {
    const rows = between(step.mode, height, to[1]);
    const columns = between(step.mode, width, to[2]);
    const y = new Float32Array(size(to));
    return ([x]) => {
      let at = 0;
      for (const [top, bottom, down] of rows) {
        for (const [left, right, across] of columns) {
          const a = (top * width + left) * channels, b = (top * width + right) * channels;
          const c = (bottom * width + left) * channels, d = (bottom * width + right) * channels;
          for (let k = 0; k < channels; k++) {
            const upper = x[a + k] + (x[b + k] - x[a + k]) * across;
            const lower = x[c + k] + (x[d + k] - x[c + k]) * across;
            y[at++] = upper + (lower - upper) * down;
          }
        }
      }
      return y;
    };
  }

  function join(step, from, to) {
    const channels = from.map((shape) => shape[0]);
    const pixels = size(to) / to[0];
    const y = new Float32Array(size(to));
    return (values) => {
      let at = 0;
      for (let p = 0; p < pixels; p++) {
        values.forEach((x, k) => {
          for (let c = 0; c < channels[k]; c++) y[at++] = x[p * channels[k] + c];
        });
      }
      return y;
    };
  }

  function product(a, b, side) {
    const c = new Float64Array(side * side);
    for (let i = 0; i < side; i++) {
      for (let k = 0; k < side; k++) {
        const v = a[i * side + k];
        for (let j = 0; j < side; j++) c[i * side + j] += v * b[k * side + j];
      }
    }
    return c;
  }

  // The exponential of a matrix: halved until its 1-norm is below 1/2, a Taylor polynomial, and
  // squared as often.
  function exponential(step) {
    const side = step.side;
    return ([x]) => {
      let norm = 0;
      for (let j = 0; j < side; j++) {
        let sum = 0;
        for (let i = 0; i < side; i++) sum += Math.abs(x[i * side + j]);
        norm = Math.max(norm, sum);
      }
      const squarings = norm > 0.5 ? Math.ceil(Math.log2(norm / 0.5)) : 0;
      const small = Float64Array.from(x, (v) => v / 2 ** squarings);
      let result = new Float64Array(side * side);
      for (let i = 0; i < side; i++) result[i * side + i] = 1;
      for (let divisor = 12; divisor > 0; divisor--) {
        result = product(small, result, side).map((v) => v / divisor);
        for (let i = 0; i < side; i++) result[i * side + i] += 1;
      }
      for (let k = 0; k < squarings; k++) result = product(result, result, side);
      return Float32Array.from(result);
    };
  }

  // Blocks e^g (cos a, sin a), and e^g where a block is one number: cosines, rests, then sines.
  function turn(step, [growth, angle]) {
    const pairs = angle[0];
    const y = new Float32Array(growth[0] + pairs);
    return ([g, a]) => {
      for (let k = 0; k < growth[0]; k++) y[k] = Math.exp(g[k]) * (k < pairs ? Math.cos(a[k]) : 1);
      for (let k = 0; k < pairs; k++) y[growth[0] + k] = Math.exp(g[k]) * Math.sin(a[k]);
      return y;
    };
  }

  const convolution = (transposed) => (step, [from], to, { weight, bias }) => {
    const run = explorer.convolution(step, from, to, transposed, weight, bias);
    return ([x]) => run(x);
  };
  const pairwise = (combine) => (step, from, to) => {
    const y = new Float32Array(size(to));
    return ([a, b]) => {
      for (let i = 0; i < y.length; i++) y[i] = combine(a[i], b[i]);
      return y;
    };
  };

  const KINDS = {
    dense,
    convolution: convolution(false),
    transposed: convolution(true),
    affine,
    activation,
    reshape,
    enlarge,
    join,
    exponential,
    turn,
    slice: (step) => ([x]) => x.slice(step.start, step.stop),
    constant: (step, from, to, { value }) => {
      const held = to.length === 3 ? turned(value, to, true) : value;
      return () => held;
    },
    add: pairwise((a, b) => a + b),
    multiply: pairwise((a, b) => a * b),
  };

  // A function from what the decoder is given, (N), to pixels (H, W, C) of 0 to 255.
  explorer.decoder = function (program, bytes) {
    const shapes = [[program.inputs], ...program.steps.map((step) => step.shape)];
    const steps = program.steps.map((step) => {
      const weights = {};
      for (const [name, entry] of Object.entries(step.weights)) {
        weights[name] = explorer.array(bytes, entry);
      }
      const from = step.inputs.map((value) => shapes[value]);
      return { inputs: step.inputs, run: KINDS[step.kind](step, from, step.shape, weights) };
    });
    return function (given) {
      const values = [Float32Array.from(given)];
      for (const step of steps) values.push(step.run(step.inputs.map((value) => values[value])));
      return Uint8ClampedArray.from(values.at(-1), (v) => Math.floor(255 * v + 0.5));
    };
  };
})((globalThis.unweaveExplorer ??= {}));
