// The verdict on what is asked: a book (from its address or a file), a receipt, or checkpoints.

import { Finding } from "./book.js";
import { Comparison } from "./consistency.js";
import { Malformed } from "./line.js";
import { Memory, evidenceOf } from "./memory.js";
import { NOTE_BYTES_MAX, found, readCheckpoint } from "./notes.js";
import { flatPolicy } from "./policy.js";
import { readPolicy } from "./policyfile.js";
import { Proof } from "./receipt.js";
import { Verification, readBalances, readHead } from "./verification.js";
import { startIn } from "./visits.js";
import { TYPE_LOG, TYPE_WITNESS, readKey } from "./vkey.js";

const HEAD_ATTEMPTS_MAX = 5;
const PROGRESS_MILLISECONDS = 100;

/** No verdict was reached, since something could not be read. */
export class Unreachable extends Error {}

/**
 * Judge an order; `tell` hears how far the reading is.
 *
 * An order has `exportUrl` (with `headUrl`, `balancesUrl`, `shown`, `shownSize` to compare) or files:
 * `receipt` (with its `opening`), or `exported`, or `checkpoints`, or an export with one checkpoint or two. Whose word is
 * taken is told by a `policy` (the text of a policy file) or by `keys`, `witnesses` and `quorum`; what was
 * good before by `remembered`, a Map of notes by the origins of their logs. With an earlier `visit` to its
 * address a book is judged from there, unless `isAnew`. Returns the kind of what was judged, the verdict,
 * `keyIsGiven`, and what else there is to say: the `evidence` of a fork, the visit `since` which a book was
 * judged, and what to `remember` from now on, an origin and a note, and the `visit` that this one was.
 */
export function judge(order, tell) {
  const { receipt, exported, checkpoints = [], exportUrl } = order;
  const isBook = exportUrl || (exported && checkpoints.length < 2);
  const judgeIt = receipt ? judgeReceipt : isBook ? judgeBook : judgeCheckpoints;
  return judgeIt(order, tell);
}

async function judgeReceipt({ receipt, opening, ...order }) {
  const proof = new Proof();
  const finding = await findingOf(async () => {
    const [bytes, details] = [await bytesOf(receipt, 2 * NOTE_BYTES_MAX), opening && (await bytesOf(opening))];
    proof.check(bytes, policyOf(order), new Memory(order.remembered), details);
  });
  // Whether a larger one goes on from what was good before, only the book can tell.
  const isNew = !proof.remembered;
  return { kind: "receipt", verdict: proof.report(finding), ...concluded(finding, proof, isNew) };
}

/** Judge what came since an earlier visit; unless that is VALID, the whole book is judged. */
async function judgeBook(order, tell) {
  const start = order.visit && !order.isAnew ? startIn(order.visit) : null;
  const judged = start && (await judgeBookFrom(start, order, tell).catch(() => null));
  return judged?.verdict.verdict === "VALID" ? judged : judgeBookFrom(null, order, tell);
}

async function judgeBookFrom(start, order, tell) {
  let verification = new Verification();
  const finding = await findingOf(async () => {
    const policy = policyOf(order);
    const { head, claims } = await statements(order);
    const checkpoint = await checkpointBeside(order, head);
    const remembered = rememberedOf(order, checkpoint);
    const known = { remembered, ...start, isKept: Boolean(order.exportUrl) };
    verification = new Verification(head, claims, checkpoint, policy, known);
    await readAll(await streamOf(order, verification.book.size), verification, tell);
    await verification.finish();
  });
  return {
    kind: "book",
    verdict: verification.report(finding),
    ...concluded(finding, verification, true),
    since: start?.since ?? null,
    visit: finding ? null : verification.visit(),
  };
}

/** The last good checkpoint of the log that was at this address before, or else of the one that is stated. */
function rememberedOf({ remembered, visit }, checkpoint) {
  const memory = new Memory(remembered);
  return memory.recall(visit?.origin) ?? memory.recall(checkpoint?.origin);
}

/** What goes with a verdict: both notes of a fork, or what was good, for the next time. */
function concluded(finding, { checkpoint, remembered, policy }, isNew) {
  const { origin, note } = checkpoint ?? {};
  return {
    keyIsGiven: policy.logs.length > 0,
    evidence: finding?.verdict === "FORK" ? evidenceOf(remembered, checkpoint) : null,
    remember: !finding && checkpoint && isNew ? { origin, note } : null,
  };
}

async function judgeCheckpoints({ checkpoints, exported, ...order }, tell) {
  const comparison = new Comparison();
  const finding = await findingOf(async () => {
    const policy = policyOf(order);
    for (const file of checkpoints) comparison.add(await bytesOf(file, NOTE_BYTES_MAX + 1), policy);
    if (checkpoints.length > 1) await compare(comparison, exported, tell);
  });
  const evidence = finding?.verdict === "FORK" ? comparison.evidence : null;
  const keyIsGiven = comparison.policy.logs.length > 0;
  return { kind: "checkpoints", verdict: comparison.report(finding), keyIsGiven, evidence };
}

/** What is found wrong while something runs; null if nothing is. */
async function findingOf(run) {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof Finding) return error;
    throw error;
  }
}

async function compare(comparison, exported, tell) {
  if (comparison.needsExport) {
    if (!exported) throw new Unreachable("The checkpoints have two sizes. To compare them, add the exported ledger.");
    await readAll(exported.stream(), comparison, tell);
  }
  comparison.finish();
}

function policyOf({ policy, keys = [], witnesses = [], quorum }) {
  if (policy) return readPolicyOf(policy);
  const read = (vkeys, type) => vkeys.map((vkey) => readKey(vkey, type));
  return found(() => flatPolicy(read(keys, TYPE_LOG), read(witnesses, TYPE_WITNESS), quorum));
}

/** A policy that cannot be read is no verdict on anything. */
function readPolicyOf(text) {
  try {
    return readPolicy(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Unreachable(`The policy cannot be used: ${error.message}.`);
  }
}

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
  throw new Unreachable("The book grew each time while its balances were read. Try again.");
}

/** The checkpoint that is given with a book, or that its head states; null if there is none. */
async function checkpointBeside({ checkpoints = [] }, head) {
  const [file] = head?.note ? [new Blob([head.note])] : checkpoints;
  if (!file) return null;
  const bytes = await bytesOf(file, NOTE_BYTES_MAX + 1);
  return found(() => readCheckpoint(bytes), null, "the checkpoint: ");
}

async function bytesOf(file, limit = NOTE_BYTES_MAX) {
  return new Uint8Array(await file.slice(0, limit).arrayBuffer());
}

async function documentAt(url) {
  const text = await (await answerFrom(url)).text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Finding("MALFORMED", null, "a statement about the book is not JSON");
  }
}

async function streamOf({ exportUrl, exported }, start) {
  if (exported) return exported.stream();
  const rest = start ? `${exportUrl.includes("?") ? "&" : "?"}from_sequence=${start}` : "";
  return (await answerFrom(exportUrl + rest)).body;
}

async function answerFrom(url) {
  const answer = await fetch(url, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) throw new Unreachable(`The server answered ${answer.status}.`);
  return answer;
}

async function readAll(stream, verification, tell) {
  const reader = stream.getReader();
  let told = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      verification.write(part.value);
      await verification.ready;
      if (performance.now() - told < PROGRESS_MILLISECONDS) continue;
      told = performance.now();
      tell(verification.progress);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
