// Signed notes: checkpoints, receipts (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof).

import { Finding } from "./book.js";
import { base64Of, hexOf } from "./bytes.js";
import { isSignature } from "./ed25519.js";
import { Malformed } from "./line.js";
import { KEY_ID_BYTES, NAME, SPACES, TYPE_WITNESS, unbase64 } from "./vkey.js";

export const NOTE_BYTES_MAX = 1_000_000;

const SIGNATURES_MAX = 100;
const HASH_BYTES = 32;
const TIME_BYTES = 8;
const TIME_MAX = 2n ** 63n - 1n;
const WORD = `[^${SPACES}]+`;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const CONTROLS = /[\x00-\x09\x0b-\x1f]/;
const CHECKPOINT = /^([^\n]+)\n([^\n]+)\n([^\n]+)\n$/;
const SIGNATURE_LINE = new RegExp(`^— (${WORD}) (${WORD})$`);
const PROOF = new RegExp(
  `^c2sp\\.org/tlog-proof@v1\\nextra (${WORD})\\nindex (${WORD})\\n((?:${WORD}\\n){0,63})\\n([^]*)$`,
);
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Read what a log has signed of itself: its origin, size and root, and who signed them. */
export function readCheckpoint(bytes) {
  if (bytes.length > NOTE_BYTES_MAX) throw new Malformed("the note is longer than 1,000,000 bytes");
  const note = decoded(bytes);
  if (note === null) throw new Malformed("the note is not UTF-8");
  const bodyEnd = note.lastIndexOf("\n\n") + 1;
  const text = note.slice(0, bodyEnd);
  const signatures = note.slice(bodyEnd + 1);
  const parts = CHECKPOINT.exec(text);
  if (!parts || CONTROLS.test(note) || !signatures.endsWith("\n")) {
    throw new Malformed("a checkpoint is an origin, a size, a root, an empty line and signatures");
  }
  const lines = signatures.split("\n").slice(0, -1);
  if (lines.length > SIGNATURES_MAX) throw new Malformed("the note has more than 100 signatures");
  const [size, root] = [readSize(parts[2]), unbase64(parts[3], HASH_BYTES)];
  return { origin: parts[1], size, root, text, signatures: lines.map(readSignature), note };
}

/** Read a line, where it stands in the log, the path from there to the root, and the checkpoint. */
export function readReceipt(bytes) {
  const parts = PROOF.exec(decoded(bytes) ?? "");
  if (!parts) throw new Malformed("a receipt has a line, an index, a path, an empty line and a checkpoint");
  const path = parts[3].split("\n").slice(0, -1).map((text) => unbase64(text, HASH_BYTES));
  const checkpoint = readCheckpoint(ENCODER.encode(parts[4]));
  return { line: unbase64(parts[1]), index: readSize(parts[2]), path, checkpoint };
}

/**
 * When a key signed a checkpoint (Unix time, no later than numbers can say): 0 for a log's own, which does not say;
 * null if it did not. Throws a `Finding` when it stands there and is not its signature.
 */
export function signedAt({ name, id, type, publicKey }, checkpoint) {
  let when = null;
  for (const { value } of checkpoint.signatures.filter((own) => own.name === name && own.keyId === id)) {
    const isCosignature = type === TYPE_WITNESS;
    const time = isCosignature ? BigInt(`0x0${hexOf(value.subarray(0, TIME_BYTES))}`) : 0n;
    const message = isCosignature ? `cosignature/v1\ntime ${time}\n${checkpoint.text}` : checkpoint.text;
    const signature = isCosignature ? value.subarray(TIME_BYTES) : value;
    if (time > TIME_MAX || !isSignature(publicKey, ENCODER.encode(message), signature)) {
      throw new Finding("TAMPERED", null, `${name} did not sign this checkpoint`);
    }
    when = Math.max(when ?? 0, Math.min(Number(time), Number.MAX_SAFE_INTEGER));
  }
  return when;
}

/** Throws a `Finding` if a checkpoint is of another organisation than an entry. */
export function checkOrganisation({ origin }, { organisation_id: organisation, sequence }) {
  if (origin.slice(origin.lastIndexOf("/") + 1) === organisation) return;
  throw new Finding("TAMPERED", sequence, `entry ${sequence}: it is of another organisation`);
}

/** What a reading function returns; that it is malformed becomes a `Finding`. */
export function found(read, sequence = null, where = "", verdict = "MALFORMED") {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Finding(verdict, sequence, `${where}${error.message}`);
  }
}

/** A checkpoint as reports show it. */
export function shown({ origin, size, root }) {
  return { origin, size, root: base64Of(root) };
}

function readSignature(line) {
  const parts = SIGNATURE_LINE.exec(line);
  if (!parts || !NAME.test(parts[1])) throw new Malformed("what should be a signature line is none");
  const value = unbase64(parts[2]);
  if (value.length <= KEY_ID_BYTES) throw new Malformed("a signature line has no signature");
  return { name: parts[1], keyId: hexOf(value.subarray(0, KEY_ID_BYTES)), value: value.subarray(KEY_ID_BYTES) };
}

function readSize(text) {
  if (!SIZE.test(text) || !Number.isSafeInteger(Number(text))) throw new Malformed("what should be a size is none");
  return Number(text);
}

function decoded(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}
