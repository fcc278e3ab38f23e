// Whose word is taken for what was signed: the log's key, the witnesses, and how many of them must have signed.

import { Finding } from "./book.js";
import { Malformed } from "./line.js";
import { found, hasSigned, readKey } from "./notes.js";

export class Policy {
  /** Keys as `readKey` reads them; without the log's own, a book is believed about it. */
  constructor(key = null, witnesses = [], quorum = witnesses.length) {
    if (quorum > witnesses.length) throw new Malformed("the policy asks for more witnesses than it names");
    this.witnesses = witnesses;
    this.quorum = quorum;
    this.key = this.#besides(key);
  }

  /** A key, if nobody else in the policy has it. */
  #besides(key) {
    const materials = [...(key ? [key] : []), ...this.witnesses].map(({ publicKey }) => String(publicKey));
    if (new Set(materials).size < materials.length) throw new Malformed("the policy names one key twice");
    return key;
  }

  /** Take the word of the key that a book names, where none was given. */
  trustKeyOf(genesis) {
    this.key ??= found(() => this.#besides(readKey(String(genesis.metadata.vkey))), 0, "the genesis: ");
  }

  /** Throws a `Finding` unless all whose word is taken signed. */
  check(checkpoint) {
    const { origin } = checkpoint;
    if (origin !== this.key?.name || !hasSigned(this.key, checkpoint)) {
      throw new Finding("UNKNOWN_KEY", null, `no known key signed the checkpoint of ${origin}`);
    }
    const count = this.witnesses.filter((key) => hasSigned(key, checkpoint)).length;
    if (count < this.quorum) {
      throw new Finding("UNWITNESSED", null, `${count} of ${this.quorum} witnesses signed the checkpoint`);
    }
  }
}
