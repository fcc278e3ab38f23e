// Whose word is taken for what was signed: the log's keys, the witnesses, and which of them must have signed.

import { Finding } from "./book.js";
import { Malformed } from "./line.js";
import { found, shown, signedAt } from "./notes.js";
import { genesisKey } from "./rotation.js";

/** The quorum that asks for nobody. */
export const NOBODY = "none";

/** Take the word of so many of these witnesses; keys as `readKey` reads them. */
export function flatPolicy(logs, witnesses, needed = witnesses.length) {
  if (needed > witnesses.length) throw new Malformed("the policy asks for more witnesses than it names");
  const named = new Map(witnesses.map((key, place) => [String(place), key]));
  const group = { name: "so many", needed, members: [...named.keys()] };
  return new Policy({ logs, witnesses: named, groups: [group], quorum: group.name });
}

/**
 * `witnesses` have names, for the groups alone: `{name, needed, members}` of witnesses or earlier groups.
 * `quorum` is one of these names. Without a log, a book is believed about its own key.
 */
export class Policy {
  constructor({ logs = [], witnesses = new Map(), groups = [], quorum = NOBODY } = {}) {
    Object.assign(this, { logs, witnesses, groups, quorum });
    const materials = [...logs, ...witnesses.values()].map(({ publicKey }) => String(publicKey));
    if (new Set(materials).size < materials.length) throw new Malformed("the policy names one key twice");
  }

  /** Whose word a checkpoint has: `{keys, times}`; its book may have changed keys. Throws a `Finding`. */
  check(checkpoint, book = null) {
    const { origin } = checkpoint;
    const chains = this.#successions(checkpoint.size, book);
    const signers = new Set(chains.flat().filter((key) => signedAt(key, checkpoint) !== null));
    const ours = chains.filter(([first]) => first.name === origin);
    const keys = ours.find((chain) => signers.has(chain.at(-1)));
    if (!keys) {
      const isRetired = ours.flat().some((key) => signers.has(key));
      const reason = isRetired
        ? `the checkpoint of ${origin} is signed by a retired key only`
        : `no known key signed the checkpoint of ${origin}`;
      throw new Finding("UNKNOWN_KEY", null, reason);
    }
    const stated = [...this.witnesses.values()].map((key) => [key, signedAt(key, checkpoint)]);
    const times = new Map(stated.filter(([, time]) => time !== null));
    if (!this.#isMetBy(times)) {
      const count = `${times.size} of ${stated.length} witnesses`;
      throw new Finding("UNWITNESSED", null, `${count} signed the checkpoint, and more are asked for`);
    }
    return { keys, times };
  }

  /** A checkpoint as reports have it: what it says, and who signed it, as `check` returned that. */
  shown(checkpoint, { keys = [], times = new Map() } = {}) {
    const vkeys = keys.map(({ vkey }) => vkey);
    return {
      ...shown(checkpoint),
      key: vkeys.at(-1) ?? null,
      succeeds: vkeys.slice(0, -1),
      witnesses: [...this.witnesses.values()].map((key) => ({ vkey: key.vkey, signed_at: times.get(key) ?? null })),
    };
  }

  #isMetBy(signers) {
    const met = new Set([NOBODY]);
    for (const [name, key] of this.witnesses) if (signers.has(key)) met.add(name);
    for (const { name, needed, members } of this.groups) {
      if (members.filter((member) => met.has(member)).length >= needed) met.add(name);
    }
    return met.has(this.quorum);
  }

  /** Each key whose word is taken, and those that it passed on to within so many entries. */
  #successions(size, book) {
    if (!book) return this.logs.map((key) => [key]);
    const isGiven = this.logs.length > 0;
    const first = isGiven ? this.logs : [found(() => genesisKey(book.first), 0, "the genesis: ")];
    const chains = first.map((key) => book.keys.successionOf(key, size, isGiven));
    const vkeys = new Set(chains.flat().map(({ vkey }) => vkey));
    const witnesses = new Set([...this.witnesses.values()].map(({ publicKey }) => String(publicKey)));
    for (const { sequence, key } of book.keys.named) {
      if (vkeys.has(key.vkey) && witnesses.has(String(key.publicKey))) {
        const where = sequence ? `entry ${sequence}` : "the genesis";
        throw new Finding("MALFORMED", sequence, `${where}: the policy names one key twice`);
      }
    }
    return chains;
  }
}
