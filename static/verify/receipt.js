// A receipt: one entry, proven to be among those that a log has signed.

import { Finding, told } from "./book.js";
import { areEqual } from "./bytes.js";
import { readLine } from "./line.js";
import { climb, leafHash } from "./merkle.js";
import { found, readReceipt, shown } from "./notes.js";

/** `check` reads a receipt and throws a `Finding` unless it proves its entry. */
export class Proof {
  #entry = null;
  #checkpoint = null;

  check(bytes, policy) {
    const receipt = found(() => readReceipt(bytes));
    this.#checkpoint = receipt.checkpoint;
    this.#entry = entryProvenBy(receipt, policy);
  }

  report(finding = null) {
    return { ...told(finding), entry: this.#entry, checkpoint: this.#checkpoint && shown(this.#checkpoint) };
  }
}

function entryProvenBy({ line, index, path, checkpoint }, policy) {
  const entry = found(() => readLine(line), index, "the line of the receipt: ");
  policy.check(checkpoint);
  const refuse = (reason) => {
    throw new Finding("TAMPERED", index, `entry ${index}${reason}`);
  };
  // The path proves neither size nor index by itself: the size is the signed one.
  if (index >= checkpoint.size) refuse(` is not among ${checkpoint.size} entries`);
  const way = () => climb(leafHash(line), index, checkpoint.size, path);
  const root = found(way, index, `entry ${index}: `, "TAMPERED");
  if (path.length || !areEqual(root, checkpoint.root)) refuse(": its path does not lead to the signed root");
  if (entry.sequence !== index) refuse(`: its line says ${entry.sequence}`);
  const organisation = checkpoint.origin.slice(checkpoint.origin.lastIndexOf("/") + 1);
  if (organisation !== entry.organisation_id) refuse(": it is of another organisation");
  return entry;
}
