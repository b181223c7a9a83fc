// Elements of a page, and numbers as they are written there.
(function (curves) {
  "use strict";

  // The parser knows the name space of SVG, so that no address stands in the page.
  const parsed = document.createElement("div");
  parsed.innerHTML = "<svg></svg>";
  const SVG = parsed.firstChild.namespaceURI;

  // An element of HTML, or of SVG where its name begins with "svg:".
  curves.element = function (name, attributes, text) {
    const made = name.startsWith("svg:") ?
      document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // A measured number to four digits.
  curves.short = function (value) {
    if (value === null || value === undefined) return "";
    const size = Math.abs(value);
    if (size !== 0 && (size < 0.001 || size >= 1e7)) return value.toExponential(1);
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(size < 1 ? 3 : 4)));
  };

  // The same to six digits, where there is room.
  curves.exact = function (value) {
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(5);
    return Number(value.toPrecision(6)).toLocaleString("en", { maximumSignificantDigits: 6 });
  };

  // A step under an axis.
  curves.stepText = function (step) {
    if (step >= 1e6) return `${Number((step / 1e6).toPrecision(3))}M`;
    return step >= 1e4 ? `${Number((step / 1e3).toPrecision(4))}k` : String(step);
  };
})((globalThis.unweaveCurves ??= {}));
