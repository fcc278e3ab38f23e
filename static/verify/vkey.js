// Verifier keys (C2SP signed-note): who signs, how, and with what.

import { hexOf, joined } from "./bytes.js";
import { Malformed } from "./line.js";
import { sha256 } from "./sha256.js";

export const TYPE_LOG = 1;
export const TYPE_WITNESS = 4;
export const KEY_ID_BYTES = 4;
// White space as Python has it, where the specifications say "Unicode spaces".
export const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
export const NAME = new RegExp(`^[^${SPACES}+]+$`);

const KEY_BYTES = 32;
const ENCODER = new TextEncoder();

/** Read a verifier key (`vkey`), of one type alone if one is given: who signs, how, and with what. */
export function readKey(vkey, type = null) {
  const [name, id] = vkey.split("+", 2);
  const material = unbase64(vkey.slice(`${name}+${id}+`.length), 1 + KEY_BYTES);
  const key = { name, id, type: material[0], publicKey: material.subarray(1), vkey };
  if (!NAME.test(name) || ![TYPE_LOG, TYPE_WITNESS].includes(key.type)) {
    throw new Malformed("a verifier key has a name without spaces, and is of Ed25519");
  }
  const hash = sha256(joined(ENCODER.encode(`${name}\n`), material));
  if (hexOf(hash.subarray(0, KEY_ID_BYTES)) !== id) {
    throw new Malformed("the id of a verifier key is not its own");
  }
  if (![null, key.type].includes(type)) {
    throw new Malformed(`this is not the key of a ${type === TYPE_LOG ? "log" : "witness"}`);
  }
  return key;
}

/** What a reading function returns; null for what is malformed. */
export function orNull(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return null;
  }
}

/** The bytes of base64 in its one canonical form. */
export function unbase64(text, length = null) {
  const characters = binary(text);
  if (btoa(characters) !== text || ![null, characters.length].includes(length)) {
    throw new Malformed("what should be base64 is not canonical, or of another length");
  }
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

function binary(text) {
  try {
    return atob(text);
  } catch {
    throw new Malformed("what should be base64 is not");
  }
}
