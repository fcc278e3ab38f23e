// The page /verify: a chosen or dropped export is verified here; the file never leaves the browser.

import { run } from "./run.js";
import { View } from "./view.js";

for (const form of document.querySelectorAll("form[data-verify-file]")) enhance(form);

function enhance(form) {
  const input = form.querySelector('input[type="file"]');
  const view = new View(document.querySelector("[data-verify]"));
  let worker = null;
  const verify = (file) => {
    if (!file) return;
    worker?.terminate();
    view.panel.hidden = false;
    worker = run(view, { exported: file });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    verify(input.files[0]);
  });
  input.addEventListener("change", () => verify(input.files[0]));
  for (const type of ["dragover", "drop"]) form.addEventListener(type, (event) => event.preventDefault());
  form.addEventListener("drop", (event) => verify(event.dataTransfer.files[0]));
}
