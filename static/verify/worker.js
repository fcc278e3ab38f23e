// The Web Worker: judges an order, or `files` that make one, and posts {type: "progress" | "verdict" | "failure"}.
// A failure is not a verdict: something could not be read. With `leaves` in its first message it only hashes.

import { orderOf } from "./files.js";
import { Unreachable, judge } from "./judge.js";
import { serveLeaves } from "./leaves.js";
import { keep, recall } from "./visitstore.js";

self.addEventListener("message", ({ data: order }) => (order.leaves ? serveLeaves(order.leaves) : answer(order)), {
  once: true,
});

function visitOf({ exportUrl }) {
  return exportUrl ? recall(exportUrl) : null;
}

async function answer(order) {
  const tell = (progress) => self.postMessage({ type: "progress", ...progress });
  try {
    const files = order.files ? await orderOf(order.files) : {};
    const { visit, ...judged } = await judge({ ...order, ...files, visit: await visitOf(order) }, tell);
    // Before the verdict, since it ends this worker.
    if (visit) await keep(order.exportUrl, visit);
    self.postMessage({ type: "verdict", ...judged });
  } catch (error) {
    const isTold = error instanceof Unreachable;
    const message = isTold ? error.message : `What was to be verified could not be read. ${error?.message ?? error}`;
    self.postMessage({ type: "failure", message });
  }
}
