// Read keys, checkpoints and receipts, and check signatures ([what, ...base64], a JSON list on standard
// input); print what each is: null for what is malformed.

import { readFileSync } from "node:fs";
import { hexOf } from "../../static/verify/bytes.js";
import { isSignature } from "../../static/verify/ed25519.js";
import { Malformed } from "../../static/verify/line.js";
import { readCheckpoint, readReceipt } from "../../static/verify/notes.js";
import { readPolicy, trustIn } from "../../static/verify/policyfile.js";
import { readKey } from "../../static/verify/vkey.js";

const READ = {
  key: (bytes) => {
    const { name, type, publicKey } = readKey(Buffer.from(bytes).toString("utf8"));
    return [name, type, hexOf(publicKey)];
  },
  checkpoint: (bytes) => told(readCheckpoint(bytes)),
  receipt: (bytes) => {
    const { line, index, path, checkpoint } = readReceipt(bytes);
    return [hexOf(line), index, path.map(hexOf), told(checkpoint)];
  },
  signature: isSignature,
  policy: (bytes) => {
    const { logs, witnesses, groups, quorum } = readPolicy(Buffer.from(bytes).toString("utf8"));
    const named = [...witnesses].map(([name, { vkey }]) => [name, vkey]);
    return [logs.map(({ vkey }) => vkey), named, groups.map(({ name, needed, members }) => [name, needed, members]), quorum];
  },
  trust: (bytes) => trustIn(Buffer.from(bytes).toString("utf8")),
};

function told({ origin, size, root, text, signatures }) {
  return [origin, size, hexOf(root), text, signatures.map(({ name, keyId, value }) => [name, keyId, hexOf(value)])];
}

function resultOf([what, ...parts]) {
  try {
    return READ[what](...parts.map((part) => Uint8Array.from(Buffer.from(part, "base64"))));
  } catch (error) {
    if (error instanceof Malformed) return ["policy", "trust"].includes(what) ? error.message : null;
    throw error;
  }
}

const inputs = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(inputs.map(resultOf)));
