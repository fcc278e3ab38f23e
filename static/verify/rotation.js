// The keys of a log as its book names them: the genesis the first, each KEY_ROTATION the next.
// `verifier/almoner_verify.py` tells the form in its first lines.

import { isSignature } from "./ed25519.js";
import { TYPE_LOG, orNull, readKey, unbase64 } from "./vkey.js";

const ROTATES = "KEY_ROTATION";
const SIGNATURE_BYTES = 64;
const ENCODER = new TextEncoder();

/** All keys of a book while it is read; `brokenBy` says why an entry cannot follow, `take` goes on with it. */
export class Keys {
  #rotations;

  constructor({ named, rotations } = { named: [], rotations: [] }) {
    /** Each key, and the sequence of the entry that names it. */
    this.named = [...named];
    this.#rotations = [...rotations];
  }

  /** What the keys of a book are made of again, also on another day. */
  parts() {
    return { named: [...this.named], rotations: [...this.#rotations] };
  }

  brokenBy(entry) {
    if (entry.operation !== ROTATES) return "";
    const rotation = rotationIn(entry);
    if (rotation === null) return "it changes keys in an unknown form";
    const { retired, key, signature } = rotation;
    if (retired.vkey !== this.named.at(-1)?.key.vkey) return "the key that it retires is not in force";
    if (key.name !== retired.name) return "its key has another name than the one that it retires";
    if (this.named.some((earlier) => earlier.key.id === key.id)) return "its key was in force before";
    return signature === null || isSigned(rotation) ? "" : "the key that it retires did not sign it";
  }

  take(entry) {
    const { sequence } = entry;
    if (sequence === 0) this.named = keysIn(entry).map((key) => ({ sequence, key }));
    if (entry.operation !== ROTATES) return;
    const rotation = rotationIn(entry);
    this.named.push({ sequence, key: rotation.key });
    this.#rotations.push(rotation);
  }

  /** A key, and those that it passed on to within so many entries. */
  successionOf(key, size, isGiven) {
    const keys = [key];
    for (const { sequence, retired, key, signature } of this.#rotations) {
      const isAgreed = signature !== null || !isGiven;
      if (sequence < size && retired.vkey === keys.at(-1).vkey && isAgreed) keys.push(key);
    }
    return keys;
  }

  report() {
    return this.#rotations.map(({ sequence, retired, key, signature }) => ({
      sequence,
      retires: retired.vkey,
      vkey: key.vkey,
      is_signed: signature !== null,
    }));
  }
}

/** The key that a genesis names; throws `Malformed` if it names none. */
export function genesisKey({ metadata }) {
  return readKey(Object.hasOwn(metadata, "vkey") ? String(metadata.vkey) : "", TYPE_LOG);
}

function keysIn(genesis) {
  const key = orNull(() => genesisKey(genesis));
  return key ? [key] : [];
}

/** The keys that an entry changes; null if it has not the form of a rotation. */
function rotationIn({ sequence, amount, currency, debit, credit, nonce, metadata }) {
  const names = Object.hasOwn(metadata, "signature") ? ["retires", "signature", "vkey"] : ["retires", "vkey"];
  const isNamed = names.every((name) => Object.hasOwn(metadata, name) && typeof metadata[name] === "string");
  if (!isNamed || Object.keys(metadata).length !== names.length) return null;
  const [retired, key] = [metadata.retires, metadata.vkey].map((vkey) => orNull(() => readKey(vkey, TYPE_LOG)));
  const movesNothing = amount === 0 && currency === "XXX" && debit === "genesis" && credit === "genesis:end";
  const hasForm = retired && key && movesNothing && nonce === `key:${key.id}`;
  return hasForm ? { sequence, retired, key, signature: metadata.signature ?? null } : null;
}

function isSigned({ retired, key, signature }) {
  const bytes = orNull(() => unbase64(signature, SIGNATURE_BYTES));
  const text = ENCODER.encode(`almoner-key-rotation/v1\n${retired.vkey}\n${key.vkey}\n`);
  return bytes !== null && isSignature(retired.publicKey, text, bytes);
}
