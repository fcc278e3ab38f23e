// A receipt: one entry, proven to be among those that a log has signed.

import { Finding, told } from "./book.js";
import { areEqual } from "./bytes.js";
import { readLine } from "./line.js";
import { checkSameSize } from "./memory.js";
import { climb, leafHash } from "./merkle.js";
import { checkOrganisation, found, readReceipt, shown } from "./notes.js";
import { openedBy } from "./opening.js";
import { Policy } from "./policy.js";

/** `check` reads a receipt and throws a `Finding` unless it proves its entry. */
export class Proof {
  checkpoint = null;
  remembered = null;
  policy = new Policy();
  #endorsement;
  #entry = null;
  #details = null;

  /** `memory` knows the last good checkpoint of each log; `opening` is the donor's private file, if there is one. */
  check(bytes, policy, memory, opening = null) {
    const receipt = found(() => readReceipt(bytes));
    const checkpoint = (this.checkpoint = receipt.checkpoint);
    const entry = found(() => readLine(receipt.line), receipt.index, "the line of the receipt: ");
    this.policy = policy;
    this.remembered = memory.recall(checkpoint.origin);
    this.#endorsement = policy.check(checkpoint);
    checkSameSize(checkpoint, this.remembered);
    checkProof(receipt, entry);
    if (opening) this.#details = openedBy(opening, entry);
    this.#entry = entry;
  }

  report(finding = null) {
    const { checkpoint, remembered } = this;
    return {
      ...told(finding),
      entry: this.#entry,
      details: this.#details,
      checkpoint: checkpoint && this.policy.shown(checkpoint, this.#endorsement),
      remembered: remembered && shown(remembered),
    };
  }
}

function checkProof({ line, index, path, checkpoint }, entry) {
  const refuse = (reason) => {
    throw new Finding("TAMPERED", index, `entry ${index}${reason}`);
  };
  // The path proves neither size nor index by itself: the size is the signed one.
  if (index >= checkpoint.size) refuse(` is not among ${checkpoint.size} entries`);
  const way = () => climb(leafHash(line), index, checkpoint.size, path);
  const root = found(way, index, `entry ${index}: `, "TAMPERED");
  if (path.length || !areEqual(root, checkpoint.root)) refuse(": its path does not lead to the signed root");
  if (entry.sequence !== index) refuse(`: its line says ${entry.sequence}`);
  checkOrganisation(checkpoint, entry);
}
