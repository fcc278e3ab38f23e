// The page /verify: chosen or dropped files are judged here, by a key if one is given; nothing leaves the browser.

import { Malformed } from "./line.js";
import { readKey } from "./notes.js";
import { run } from "./run.js";
import { View } from "./view.js";

for (const form of document.querySelectorAll("form[data-verify-file]")) enhance(form);

function enhance(form) {
  const inputs = [...form.querySelectorAll('input[type="file"]')];
  const key = form.querySelector("[data-verify-key]");
  const view = new View(document.querySelector("[data-verify]"));
  let worker = null;
  const verify = () => {
    worker?.terminate();
    const files = inputs.flatMap((input) => [...input.files]);
    view.panel.hidden = tellFault(key) || !files.length;
    if (!view.panel.hidden) worker = run(view, { files, key: key.value.trim() });
  };
  form.querySelector("[data-verify-start]").hidden = false;
  form.addEventListener("change", verify);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    verify();
  });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    const input = inputs.find((input) => input === event.target) ?? inputs[0];
    input.files = event.dataTransfer.files;
    verify();
  });
}

/** Tell at the field what is wrong with the key in it; returns whether something is. */
function tellFault(field) {
  const fault = faultOf(field.value.trim());
  const error = document.getElementById(`${field.id}-error`);
  field.closest(".field").classList.toggle("field--bad", Boolean(fault));
  field.setAttribute("aria-invalid", Boolean(fault));
  error.hidden = !fault;
  error.querySelector("[data-verify-key-error]").textContent = fault;
  return Boolean(fault);
}

function faultOf(vkey) {
  if (!vkey) return "";
  try {
    readKey(vkey);
    return "";
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return "This is no log’s key, or not all of one. Copy the whole of it, from its name to its last character.";
  }
}
