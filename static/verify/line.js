// One line of a ledger: its bytes are read, checked against the strict profile, and written again.

import { hasForbiddenCodePoint } from "./unicode.js";

export const LINE_BYTES_MAX = 16384;

const FIELDS = {
  amount: "number",
  book: "string",
  credit: "string",
  currency: "string",
  debit: "string",
  entry_id: "string",
  metadata: "object",
  nonce: "string",
  occurred_at: "string",
  operation: "string",
  organisation_id: "string",
  prev_entry_hash: "string",
  recorded_at: "string",
  sequence: "number",
  version: "number",
};
const NAMES = Object.keys(FIELDS);
const HASH = /^sha256:[0-9a-f]{64}$/;
const KEY = /^[a-z0-9_]+$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const PLAIN = /^[ -!#-[\]-~]*$/;
const TEXT = '"([ -!#-\\[\\]-~]*)"';
const INTEGER = "(0|[1-9][0-9]{0,14})";
const PAIR = '"[a-z0-9_]+":"[ -!#-\\[\\]-~]*"';
const TIME = '"(\\d{4}-\\d{2}-\\d{2}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\dZ)"';
const PLAIN_LINE = new RegExp(
  `^\\{"amount":${INTEGER},"book":${TEXT},"credit":${TEXT},"currency":${TEXT},"debit":${TEXT},` +
    `"entry_id":${TEXT},"metadata":(\\{(?:${PAIR}(?:,${PAIR})*)?\\}),"nonce":${TEXT},` +
    `"occurred_at":${TIME},"operation":${TEXT},"organisation_id":${TEXT},` +
    `"prev_entry_hash":"(sha256:[0-9a-f]{64})","recorded_at":${TIME},"sequence":${INTEGER},"version":1\\}$`,
);
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** These bytes are no line of the strict profile. */
export class Malformed extends Error {}

/** Read the bytes of one line, without its LF; throws `Malformed` unless they are canonical. */
export function readLine(bytes) {
  const text = decoded(bytes);
  return readPlain(text) ?? readAny(text);
}

let lastMetadata = "{}";
let lastMetadataRead = {};

/**
 * Read a line of plain ASCII whose metadata are texts: nearly every line, at a third of the cost.
 * Returns what `readAny` does, or null if that must decide.
 */
export function readPlain(text) {
  const parts = PLAIN_LINE.exec(text);
  if (parts === null || !isMoment(parts[9]) || !isMoment(parts[13])) return null;
  if (parts[7] !== lastMetadata) {
    const metadata = JSON.parse(parts[7]);
    if (canonical(metadata) !== parts[7]) return null;
    lastMetadata = parts[7];
    lastMetadataRead = metadata;
  }
  return {
    amount: Number(parts[1]),
    book: parts[2],
    credit: parts[3],
    currency: parts[4],
    debit: parts[5],
    entry_id: parts[6],
    metadata: lastMetadataRead,
    nonce: parts[8],
    occurred_at: parts[9],
    operation: parts[10],
    organisation_id: parts[11],
    prev_entry_hash: parts[12],
    recorded_at: parts[13],
    sequence: Number(parts[14]),
    version: 1,
  };
}

/**
 * Read any line; throws `Malformed` unless it is canonical.
 *
 * `JSON.parse` forgets duplicate keys, number forms (1.0, 1e2, -0) and everything past 2^53, so the
 * proof is that writing what was read gives the same text again.
 */
export function readAny(text) {
  const entry = parsed(text);
  if (!isObject(entry)) throw new Malformed("it is not an object");
  checkFields(entry);
  checkValues(entry);
  checkMetadata(entry.metadata, true);
  if (canonical(entry) !== text) throw new Malformed("it is not in canonical form");
  return entry;
}

function decoded(bytes) {
  if (bytes.length > LINE_BYTES_MAX) throw new Malformed("it is longer than 16384 bytes");
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new Malformed("it is not UTF-8");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Malformed("it is not JSON");
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkFields(entry) {
  const names = Object.keys(entry);
  if (names.length !== NAMES.length || !NAMES.every((name) => Object.hasOwn(entry, name))) {
    throw new Malformed("it does not have exactly the fields of an entry");
  }
  for (const name of NAMES) {
    const isGenesisHash = name === "prev_entry_hash" && entry[name] === null;
    if (typeof entry[name] !== FIELDS[name] && !isGenesisHash) {
      throw new Malformed("a field has the wrong type");
    }
    if (FIELDS[name] === "string" && !isGenesisHash) checkString(entry[name]);
  }
  if (!isObject(entry.metadata)) throw new Malformed("a field has the wrong type");
}

function checkValues(entry) {
  checkInteger(entry.amount);
  checkInteger(entry.sequence);
  if (entry.version !== 1) throw new Malformed("its version is not 1");
  if (entry.prev_entry_hash === null && entry.sequence !== 0) {
    throw new Malformed("prev_entry_hash is null outside the genesis line");
  }
  if (entry.prev_entry_hash !== null && !HASH.test(entry.prev_entry_hash)) {
    throw new Malformed("prev_entry_hash is not a SHA-256");
  }
  if (!isMoment(entry.occurred_at) || !isMoment(entry.recorded_at)) {
    throw new Malformed("a time is not a real UTC time in whole seconds");
  }
}

function checkMetadata(metadata, mayNest) {
  for (const key of Object.keys(metadata)) {
    if (!KEY.test(key)) throw new Malformed("a metadata key is not of a-z, 0-9 and _");
    const value = metadata[key];
    if (typeof value === "string") checkString(value);
    else if (typeof value === "number") checkInteger(value);
    else if (isObject(value) && mayNest) checkMetadata(value, false);
    else if (typeof value !== "boolean") {
      throw new Malformed("metadata holds something else than strings, integers and booleans");
    }
  }
}

function checkInteger(value) {
  if (!Number.isSafeInteger(value)) throw new Malformed("an integer is out of range");
}

function checkString(text) {
  if (PLAIN.test(text)) return;
  if (hasForbiddenCodePoint(text)) {
    throw new Malformed("a string has a control character or an unassigned code point");
  }
  if (text.normalize("NFC") !== text) throw new Malformed("a string is not in normal form NFC");
}

function isMoment(text) {
  return MOMENT.test(text) && isDay(text.slice(0, 10));
}

const DAYS_MAX = 1024;
const days = new Map();

function isDay(text) {
  if (days.has(text)) return days.get(text);
  const [year, month, day] = text.split("-").map(Number);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (days.size >= DAYS_MAX) days.clear();
  days.set(text, year > 0 && day > 0 && day <= length);
  return days.get(text);
}

/** Write a checked value as RFC 8785 does; its strings hold no control characters any more. */
function canonical(value) {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object" || value === null) return String(value);
  let text = "{";
  for (const key of Object.keys(value).sort()) {
    text += `${text.length > 1 ? "," : ""}"${key}":${canonical(value[key])}`;
  }
  return `${text}}`;
}

function quoted(text) {
  return `"${PLAIN.test(text) ? text : text.replace(/["\\]/g, "\\$&")}"`;
}
