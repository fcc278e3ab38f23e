// An opening: the donor's private file, which shows what personal details a ledger line commits to.

import { Finding } from "./book.js";
import { Malformed } from "./line.js";
import { found } from "./notes.js";
import { hashOf } from "./sha256.js";

const FIELDS = ["book", "details", "organisation_id", "sequence", "version"];
const DETAIL = ["field", "salt", "value"];
const VERSION = "almoner-opening/v1";
const FIELD = /^[a-z0-9_]{1,40}$/;
const SALT = /^[0-9a-f]{64}$/;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The details that a file opens of an entry, as `{field, value}`; throws a `Finding` at a fault. */
export function openedBy(bytes, entry) {
  const opening = found(() => readOpening(bytes), null, "the opening: ");
  for (const name of ["organisation_id", "book", "sequence"]) {
    if (opening[name] !== entry[name]) {
      throw new Finding("TAMPERED", entry.sequence, "the opening is of another entry");
    }
  }
  for (const detail of opening.details) {
    if (entry.metadata[`commitment_${detail.field}`] !== commitmentTo(detail)) {
      throw new Finding("TAMPERED", entry.sequence, `entry ${entry.sequence} does not commit to this ${detail.field}`);
    }
  }
  return opening.details.map(({ field, value }) => ({ field, value }));
}

function readOpening(bytes) {
  const opening = parsed(bytes);
  const isOpening = hasExactly(opening, FIELDS) && opening.version === VERSION && Array.isArray(opening.details);
  if (!isOpening || !opening.details.length || !opening.details.every(isDetail)) {
    throw new Malformed("it has another form");
  }
  return opening;
}

function parsed(bytes) {
  try {
    return JSON.parse(DECODER.decode(bytes));
  } catch {
    throw new Malformed("it is not JSON");
  }
}

function isDetail(detail) {
  if (!hasExactly(detail, DETAIL)) return false;
  const { field, value, salt } = detail;
  const areTexts = [field, value, salt].every((text) => typeof text === "string");
  return areTexts && FIELD.test(field) && SALT.test(salt);
}

function hasExactly(value, names) {
  return value !== null && typeof value === "object" && String(Object.keys(value).sort()) === String(names);
}

/** SHA-256 over a name for the purpose, the salt, and the detail as canonical JSON (RFC 8785). */
function commitmentTo({ field, value, salt }) {
  const bytes = salt.match(/../g).map((digits) => Number.parseInt(digits, 16));
  const content = ENCODER.encode(JSON.stringify({ [field]: value }));
  return hashOf(Uint8Array.from([...ENCODER.encode("almoner-commit/v1\n"), ...bytes, ...content]));
}
