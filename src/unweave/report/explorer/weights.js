// Weights from the text of the page: base64 to bytes, and bytes to Float32Arrays.
(function (explorer) {
  "use strict";

  // Bytes of a base64 text.
  explorer.bytes = function (text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  };

  // Every number in half precision, by its bits.
  let halves = null;
  function halfTable() {
    if (halves) return halves;
    halves = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) {
      const exponent = (bits >> 10) & 31;
      const mantissa = bits & 1023;
      let value;
      if (exponent === 0) value = mantissa * 2 ** -24;
      else if (exponent === 31) value = mantissa ? NaN : Infinity;
      else value = (1 + mantissa / 1024) * 2 ** (exponent - 15);
      halves[bits] = bits & 32768 ? -value : value;
    }
    return halves;
  }

  // An array of the weights, from little-endian numbers. entry: { type, at, shape }.
  explorer.array = function (bytes, entry) {
    const count = entry.shape.reduce((product, size) => product * size, 1);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const values = new Float32Array(count);
    if (entry.type === "float16") {
      const table = halfTable();
      for (let i = 0; i < count; i++) values[i] = table[view.getUint16(entry.at + 2 * i, true)];
    } else {
      for (let i = 0; i < count; i++) values[i] = view.getFloat32(entry.at + 4 * i, true);
    }
    return values;
  };
})((globalThis.unweaveExplorer ??= {}));
