// Draws the curves of a page from the data that stand in it.
(function (curves) {
  "use strict";

  for (const section of document.querySelectorAll("section[data-curves]:not([data-state])")) {
    const told = JSON.parse(section.querySelector('[data-part="curves"]').textContent);
    new curves.Board(section.querySelector(".curves")).update(told);
    section.dataset.state = "drawn";
  }
})(globalThis.unweaveCurves);
