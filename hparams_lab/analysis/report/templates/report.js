"use strict";
// A click on a header sorts its table by that column, a second one the other way round.
const keyOf = cell => "number" in cell.dataset ? Number(cell.dataset.number) : cell.textContent.trim();
const compare = (one, other) => {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number" || typeof other === "number") return typeof one === "number" ? -1 : 1;
  return one.localeCompare(other, undefined, { numeric: true });
};
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => header.addEventListener("click", () => {
    const falls = header.ariaSort === "ascending";
    for (const other of headers) other.ariaSort = "none";
    header.ariaSort = falls ? "descending" : "ascending";
    const body = table.tBodies[0];
    const keyed = [...body.rows].map(row => [keyOf(row.cells[column]), row]);
    // Cells without a number, such as "-", stay behind those with one, whichever way it goes.
    const isMissing = key => typeof key !== "number";
    const numeric = keyed.some(([key]) => !isMissing(key));
    keyed.sort(([one], [other]) => {
      if (numeric && isMissing(one) !== isMissing(other)) return isMissing(one) ? 1 : -1;
      return falls ? compare(other, one) : compare(one, other);
    });
    body.append(...keyed.map(([, row]) => row));
  }));
}
