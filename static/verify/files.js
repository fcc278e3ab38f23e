// What chosen files are, by their content, and whether they belong together.

import { Unreachable } from "./judge.js";
import { NOTE_BYTES_MAX } from "./notes.js";

const RECEIPT = /^\ufeff?c2sp\.org\/tlog-proof@/;
const OPENING = /^\ufeff?\s*\{\s*"version":\s*"almoner-opening\//;
const ENTRY = /^\ufeff?\{/;

/** The order that files make: a receipt (with what opens it), or an export, checkpoints, or both. */
export async function orderOf(files) {
  const kinds = { receipt: [], opening: [], exported: [], checkpoint: [] };
  for (const file of files) kinds[kindOf(await file.slice(0, NOTE_BYTES_MAX).text())].push(file);
  const { receipt, opening, exported, checkpoint: checkpoints } = kinds;
  if (opening.length > 1 || receipt.length < opening.length) {
    throw new Unreachable("A private proof opens one receipt: choose both, the receipt and the private proof.");
  }
  if (receipt.length && files.length > 1 + opening.length) {
    throw new Unreachable("Verify a receipt by itself, or with its private proof, without other files.");
  }
  if (exported.length > 1) throw new Unreachable("Verify one exported ledger at a time.");
  if (checkpoints.length > 2) throw new Unreachable("Compare two checkpoints at a time.");
  return { receipt: receipt[0], opening: opening[0], exported: exported[0], checkpoints };
}

/** What is neither a receipt nor a note is taken for an export, whose first bad line will be named. */
function kindOf(text) {
  if (RECEIPT.test(text)) return "receipt";
  if (OPENING.test(text)) return "opening";
  return !ENTRY.test(text) && text.includes("\n— ") ? "checkpoint" : "exported";
}
