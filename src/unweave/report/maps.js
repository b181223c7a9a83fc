// Maps of latents and factors: the value of a cell is told where the pointer or the focus is.
(function () {
  "use strict";

  const WAYS = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    Home: [0, -Infinity], End: [0, Infinity],
  };
  const HINT = "Point at a cell, or go from cell to cell with the arrow keys.";

  function begin(table) {
    const told = table.closest("figure").querySelector(".map-told");
    const label = table.caption.textContent;
    const factors = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    const cells = rows.map((row) => [...row.cells].slice(1));
    const place = (cell) => [rows.indexOf(cell.parentElement), cell.cellIndex - 1];

    function tell(cell) {
      for (const head of table.querySelectorAll("th.on")) head.classList.remove("on");
      told.classList.toggle("hint", !cell);
      if (!cell) {
        told.textContent = HINT;
        return;
      }
      const [row, column] = place(cell);
      const [latent, factor] = [rows[row].cells[0], factors[column]];
      latent.classList.add("on");
      factor.classList.add("on");
      const value = cell.dataset.value || "no finite value";
      const most = cell.classList.contains("best") ? ", the most of all latents" : "";
      const pair = `${latent.textContent} and ${factor.textContent}`;
      told.textContent = `${pair}, ${label}: ${value}${most}`;
    }

    const cellOf = (event) => event.target.closest("td");
    const focused = () => cells.flat().find((cell) => cell === document.activeElement);
    table.setAttribute("role", "grid");
    // The way into the table is one stop of the tabulator, and the arrow keys go on from there.
    cells.flat().forEach((cell, k) => (cell.tabIndex = k ? -1 : 0));
    table.addEventListener("pointerover", (event) => tell(cellOf(event) ?? focused()));
    table.addEventListener("pointerleave", () => tell(focused()));
    table.addEventListener("focusin", (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      for (const other of table.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
      cell.tabIndex = 0;
      tell(cell);
    });
    table.addEventListener("focusout", () => tell(null));
    table.addEventListener("click", (event) => cellOf(event)?.focus());
    table.addEventListener("keydown", (event) => {
      const cell = cellOf(event);
      if (!cell || !(event.key in WAYS) || event.altKey || event.metaKey) return;
      const [down, right] = WAYS[event.key];
      const [row, column] = place(cell);
      const within = (at, size) => Math.min(size - 1, Math.max(0, at));
      cells[within(row + down, rows.length)][within(column + right, factors.length)].focus();
      event.preventDefault();
    });
    told.hidden = false;
    tell(null);
  }

  for (const table of document.querySelectorAll("table.map")) begin(table);
})();
