// How workers are started in a page that is one file: their script stands in the page, as text.
// No modules: Chromium starts none from a page that was opened from a disk.

export function startWorker() {
  const script = document.getElementById("worker").textContent;
  // It takes its own script along, since it may not read the address that it was started from.
  return workerOf(`self.script = ${JSON.stringify(script)};\n${script}`);
}

/** Start another worker like this one. */
export function startTwin() {
  return workerOf(self.script);
}

function workerOf(script) {
  return new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
}
