// The Web Worker: streams an export (from its address or from a chosen file), verifies it, and
// posts {type: "progress" | "verdict" | "failure"}. A failure is not a verdict: something could not be read.

import { Finding } from "./book.js";
import { Verification, readBalances, readHead } from "./verification.js";

const HEAD_ATTEMPTS_MAX = 5;
const PROGRESS_MILLISECONDS = 100;

self.addEventListener("message", async ({ data: order }) => {
  let verification = new Verification();
  try {
    const { head, claims } = await statements(order);
    verification = new Verification(head, claims);
    await readAll(await streamOf(order), verification);
    verification.finish();
    self.postMessage({ type: "verdict", verdict: verification.report() });
  } catch (error) {
    if (error instanceof Finding) self.postMessage({ type: "verdict", verdict: verification.report(error) });
    else self.postMessage({ type: "failure", message: String(error?.message ?? error) });
  }
});

/** What the server (and the page) say about the book, to be compared with its entries. */
async function statements({ headUrl, balancesUrl, shown, shownSize }) {
  const claims = shown ? [{ size: shownSize ?? null, balances: shown, isPartial: true }] : [];
  if (!headUrl) return { head: null, claims };
  let head = readHead(await documentAt(headUrl));
  if (!balancesUrl) return { head, claims };
  for (let attempt = 0; attempt < HEAD_ATTEMPTS_MAX; attempt += 1) {
    const balances = readBalances(await documentAt(balancesUrl));
    const before = head;
    head = readHead(await documentAt(headUrl));
    if (head.size === before.size && head.head_hash === before.head_hash) {
      return { head, claims: [{ size: null, balances }, ...claims] };
    }
  }
  throw new Error("The book grew each time while its balances were read. Try again.");
}

async function documentAt(url) {
  const text = await (await answerFrom(url)).text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Finding("MALFORMED", null, "a statement about the book is not JSON");
  }
}

async function streamOf({ exportUrl, file }) {
  return file ? file.stream() : (await answerFrom(exportUrl)).body;
}

async function answerFrom(url) {
  const answer = await fetch(url, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer;
}

async function readAll(stream, verification) {
  const reader = stream.getReader();
  let posted = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      verification.write(part.value);
      if (performance.now() - posted < PROGRESS_MILLISECONDS) continue;
      posted = performance.now();
      const { book, bytes, head } = verification;
      self.postMessage({ type: "progress", entries: book.size, total: head?.size ?? null, bytes });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
