// Start the worker on an order and show in a view what it posts.

import { startWorker } from "./start.js";
import { rememberNote, rememberedNotes } from "./storage.js";

/** Verify in the background; returns the worker, which is terminated when it is done, before `finish`. */
export function run(view, order, finish = () => {}) {
  const worker = startWorker();
  const end = (show) => {
    worker.terminate();
    show();
    finish();
  };
  worker.addEventListener("message", ({ data: message }) => {
    if (message.type === "progress") view.running(message);
    else if (message.type === "verdict") {
      if (message.remember) rememberNote(message.remember);
      end(() => view.ended(message));
    } else end(() => view.failed(message.message));
  });
  worker.addEventListener("error", () => end(() => view.failed("The verifier could not be started.")));
  view.running();
  worker.postMessage({ ...order, remembered: rememberedNotes() });
  return worker;
}
