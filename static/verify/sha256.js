// SHA-256 without `crypto.subtle`, which browsers withhold from pages on plain HTTP.

import { sha256 } from "./vendor/noble-hashes-2.4.0/sha2.js";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The hash of some bytes as the ledger writes it: `sha256:` and 64 hexadecimal digits. */
export function hashOf(bytes) {
  let text = "sha256:";
  for (const byte of sha256(bytes)) text += HEX[byte];
  return text;
}
