// Convolutions and transposed convolutions on typed arrays, without copies of patches.
//
// Images are kept with channels last, (H, W, C). A transposed convolution of stride s is s * s
// ordinary ones, its phases, each with every s-th tap of the kernel and every s-th pixel of the
// output. All that differs between them is which pixels they read and write, so one loop does both.
(function (explorer) {
  "use strict";

  // One axis: for each phase, where output pixels begin and how far apart they are, which input
  // pixel is the first tap of the first of them, and which taps of the kernel it has, by input.
  function phases(transposed, kernel, stride, padding, size) {
    if (!transposed) {
      const taps = Array.from({ length: kernel }, (_, t) => t);
      return [{ begin: 0, apart: 1, count: size, first: -padding, step: stride, taps }];
    }
    const made = [];
    for (let r = 0; r < stride; r++) {
      const begin = (((r - padding) % stride) + stride) % stride;
      const taps = [];
      for (let tap = r; tap < kernel; tap += stride) taps.unshift(tap);
      const first = (begin + padding - r) / stride - (taps.length - 1);
      const count = Math.max(0, Math.ceil((size - begin) / stride));
      made.push({ begin, apart: stride, count, first, step: 1, taps });
    }
    return made;
  }

  // Weights of a phase as the loops read them: four output channels side by side, then the rest
  // one by one.
  function packed(weight, transposed, channels, out, kernel, rows, columns) {
    const run = columns.taps.length * channels;
    const whole = out - (out % 4);
    const length = rows.taps.length * run;
    const values = new Float32Array(out * length);
    for (let d = 0; d < out; d++) {
      for (let u = 0; u < rows.taps.length; u++) {
        for (let v = 0; v < columns.taps.length; v++) {
          for (let c = 0; c < channels; c++) {
            const pair = transposed ? c * out + d : d * channels + c;
            const from = (pair * kernel[0] + rows.taps[u]) * kernel[1] + columns.taps[v];
            const k = u * run + v * channels + c;
            const to = d < whole ? (d - (d % 4)) * length + 4 * k + (d % 4) : d * length + k;
            values[to] = weight[from];
          }
        }
      }
    }
    return values;
  }

  // Four channels of up to four pixels side by side.
  function fourChannels(x, w, at, apart, rowLength, taps, run, w0, y, to, outApart, pixels, bias, d) {
    let a0 = bias[d], a1 = bias[d + 1], a2 = bias[d + 2], a3 = bias[d + 3];
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    let c0 = a0, c1 = a1, c2 = a2, c3 = a3;
    let d0 = a0, d1 = a1, d2 = a2, d3 = a3;
    let k = w0;
    for (let u = 0; u < taps; u++) {
      let i = at + u * rowLength;
      for (const end = i + run; i < end; i++) {
        const p = w[k], q = w[k + 1], r = w[k + 2], s = w[k + 3];
        k += 4;
        let v = x[i];
        a0 += v * p; a1 += v * q; a2 += v * r; a3 += v * s;
        v = x[i + apart];
        b0 += v * p; b1 += v * q; b2 += v * r; b3 += v * s;
        v = x[i + 2 * apart];
        c0 += v * p; c1 += v * q; c2 += v * r; c3 += v * s;
        v = x[i + 3 * apart];
        d0 += v * p; d1 += v * q; d2 += v * r; d3 += v * s;
      }
    }
    let o = to + d;
    y[o] = a0; y[o + 1] = a1; y[o + 2] = a2; y[o + 3] = a3;
    if (pixels < 2) return;
    o += outApart;
    y[o] = b0; y[o + 1] = b1; y[o + 2] = b2; y[o + 3] = b3;
    if (pixels < 3) return;
    o += outApart;
    y[o] = c0; y[o + 1] = c1; y[o + 2] = c2; y[o + 3] = c3;
    if (pixels < 4) return;
    o += outApart;
    y[o] = d0; y[o + 1] = d1; y[o + 2] = d2; y[o + 3] = d3;
  }

  // One channel of up to four pixels side by side.
  function oneChannel(x, w, at, apart, rowLength, taps, run, w0, y, to, outApart, pixels, bias, d) {
    let a = bias[d], b = a, c = a, e = a;
    let k = w0;
    for (let u = 0; u < taps; u++) {
      let i = at + u * rowLength;
      for (const end = i + run; i < end; i++) {
        const p = w[k++];
        a += x[i] * p;
        b += x[i + apart] * p;
        c += x[i + 2 * apart] * p;
        e += x[i + 3 * apart] * p;
      }
    }
    y[to + d] = a;
    if (pixels > 1) y[to + outApart + d] = b;
    if (pixels > 2) y[to + 2 * outApart + d] = c;
    if (pixels > 3) y[to + 3 * outApart + d] = e;
  }

  // A function from pixels (H, W, C) to pixels (H', W', D), both flat.
  //
  // step: { kernel: [kh, kw], stride: [..], padding: [..] }; from and to: [C, H, W] and [D, H', W'].
  explorer.convolution = function (step, from, to, transposed, weight, bias) {
    const [channels, height, width] = from;
    const [out, outHeight, outWidth] = to;
    const { kernel, stride, padding } = step;
    const down = phases(transposed, kernel[0], stride[0], padding[0], outHeight);
    const across = phases(transposed, kernel[1], stride[1], padding[1], outWidth);

    // A margin of zeros, so that no loop asks whether a pixel is there; four pixels are read even
    // where fewer are left in a row.
    const reach = (axis, size) => {
      const before = Math.max(0, ...axis.map((p) => -p.first));
      const after = Math.max(
        0,
        ...axis.map((p) => (p.count + 2) * p.step + p.first + p.taps.length - size),
      );
      return [before, size + before + after];
    };
    const [top, paddedHeight] = reach(down, height);
    const [left, paddedWidth] = reach(across, width);
    const rowLength = paddedWidth * channels;
    const x = new Float32Array(paddedHeight * rowLength + 4 * channels);
    const y = new Float32Array(outHeight * outWidth * out);
    const biases = Float32Array.from(bias);
    const whole = out - (out % 4);
    const parts = [];
    for (const rows of down) {
      for (const columns of across) {
        const values = packed(weight, transposed, channels, out, kernel, rows, columns);
        parts.push({ rows, columns, values });
      }
    }

    return function (pixels) {
      for (let row = 0; row < height; row++) {
        const line = pixels.subarray(row * width * channels, (row + 1) * width * channels);
        x.set(line, (row + top) * rowLength + left * channels);
      }
      for (const { rows, columns, values } of parts) {
        const taps = rows.taps.length;
        const run = columns.taps.length * channels;
        const length = taps * run;
        const apart = columns.step * channels;
        const outApart = columns.apart * out;
        for (let n = 0; n < rows.count; n++) {
          const inRow = (n * rows.step + rows.first + top) * rowLength;
          const outRow = (rows.begin + n * rows.apart) * outWidth;
          // Channels outside and pixels inside, so that weights stay in the nearest cache.
          for (let d = 0; d < out; d += d < whole ? 4 : 1) {
            const kernels = d < whole ? fourChannels : oneChannel;
            for (let m = 0; m < columns.count; m += 4) {
              const at = inRow + (m * columns.step + columns.first + left) * channels;
              const place = (outRow + columns.begin + m * columns.apart) * out;
              kernels(x, values, at, apart, rowLength, taps, run, d * length, y, place, outApart,
                Math.min(4, columns.count - m), biases, d);
            }
          }
        }
      }
      return y;
    };
  };
})((globalThis.unweaveExplorer ??= {}));
