// The queue by keyboard: j and k move, o opens, x selects, / searches, ? shows the keys.
const rows = [...document.querySelectorAll("tr[data-row]")];
const keys = document.getElementById("keys");

const linkOf = (row) => row.querySelector("th a");
const here = () => rows.findIndex((row) => row.contains(document.activeElement));

function move(by) {
  const next = Math.min(Math.max(here() + by, 0), rows.length - 1);
  if (rows.length) linkOf(rows[next]).focus();
}

function inRow(act) {
  const row = rows[here()];
  if (row) act(row);
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => inRow((row) => linkOf(row).click()),
  x: () => inRow((row) => row.querySelector("input[type=checkbox]")?.click()),
  "/": () => document.getElementById("searchbar").focus(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("select, textarea, input:not([type=checkbox])");
  const act = ACTS[event.key];
  if (!act || isTyping || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
