// The page /verify: chosen or dropped files are judged here, by whose word is taken; nothing leaves the browser.

import { Malformed } from "./line.js";
import { trustIn } from "./policyfile.js";
import { run } from "./run.js";
import { View } from "./view.js";

for (const form of document.querySelectorAll("form[data-verify-file]")) enhance(form);

function enhance(form) {
  const inputs = [...form.querySelectorAll('input[type="file"]')];
  const field = form.querySelector("[data-verify-key]");
  const view = new View(document.querySelector("[data-verify]"));
  let worker = null;
  let fetched = [];
  const verify = () => {
    worker?.terminate();
    const chosen = inputs.flatMap((input) => [...input.files]);
    const files = chosen.length ? chosen : fetched;
    const { trust, fault } = readTrust(field.value);
    tellFault(field, fault);
    view.panel.hidden = Boolean(fault) || !files.length;
    if (!view.panel.hidden) worker = run(view, { files, ...trust });
  };
  form.querySelector("[data-verify-start]").hidden = false;
  const wanted = document.querySelector("[data-verify-wanted]");
  if (wanted) {
    // What is after the # was printed with the code, or kept with the link: no server has seen it.
    field.value = location.hash.slice(1);
    fetchReceipt(wanted.dataset.verifyWanted).then(
      (receipt) => {
        fetched = [receipt];
        verify();
      },
      ({ message }) => {
        view.panel.hidden = false;
        view.failed(message);
      },
    );
  }
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

async function fetchReceipt(url) {
  const answer = await fetch(url, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The receipt cannot be had from here now (${answer.status}). Try again in a minute.`);
  return answer.blob();
}

/** Tell at the field what is wrong with what is in it, if something is. */
function tellFault(field, fault) {
  const error = document.getElementById(`${field.id}-error`);
  field.closest(".field").classList.toggle("field--bad", Boolean(fault));
  field.setAttribute("aria-invalid", Boolean(fault));
  error.hidden = !fault;
  error.querySelector("[data-verify-key-error]").textContent = fault;
}

/** Whose word is taken, as an order to `judge` says it, or what is wrong with the words for that. */
function readTrust(text) {
  try {
    return { trust: trustIn(text), fault: "" };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { trust: null, fault: `${error.message[0].toUpperCase()}${error.message.slice(1)}.` };
  }
}
