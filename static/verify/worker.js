// The Web Worker: judges an order, or `files` that make one, and posts {type: "progress" | "verdict" | "failure"}.
// A failure is not a verdict: something could not be read.

import { orderOf } from "./files.js";
import { Unreachable, judge } from "./judge.js";

self.addEventListener("message", async ({ data: order }) => {
  const tell = (progress) => self.postMessage({ type: "progress", ...progress });
  try {
    const files = order.files ? await orderOf(order.files) : {};
    self.postMessage({ type: "verdict", ...(await judge({ ...order, ...files }, tell)) });
  } catch (error) {
    const isTold = error instanceof Unreachable;
    const message = isTold ? error.message : `What was to be verified could not be read. ${error?.message ?? error}`;
    self.postMessage({ type: "failure", message });
  }
});
