// What chosen files are, by their content, and whether they belong together.

import { Unreachable } from "./judge.js";
import { NOTE_BYTES_MAX } from "./notes.js";

const RECEIPT = /^\ufeff?c2sp\.org\/tlog-proof@/;
const ENTRY = /^\ufeff?\{/;

/** The order that files make: a receipt, or an export, checkpoints, or both. */
export async function orderOf(files) {
  const kinds = { receipt: [], exported: [], checkpoint: [] };
  for (const file of files) kinds[kindOf(await file.slice(0, NOTE_BYTES_MAX).text())].push(file);
  const { receipt, exported, checkpoint: checkpoints } = kinds;
  if (receipt.length && files.length > 1) throw new Unreachable("Verify a receipt by itself, without other files.");
  if (exported.length > 1) throw new Unreachable("Verify one exported ledger at a time.");
  if (checkpoints.length > 2) throw new Unreachable("Compare two checkpoints at a time.");
  return { receipt: receipt[0], exported: exported[0], checkpoints };
}

/** What is neither a receipt nor a note is taken for an export, whose first bad line will be named. */
function kindOf(text) {
  if (RECEIPT.test(text)) return "receipt";
  return !ENTRY.test(text) && text.includes("\n— ") ? "checkpoint" : "exported";
}
