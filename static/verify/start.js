// How workers are started. `start_offline.js` stands for this where the page and its workers are one file.

export function startWorker() {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}

/** Start another worker like this one. */
export function startTwin() {
  return new Worker(self.location.href, { type: "module" });
}
