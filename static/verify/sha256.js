// SHA-256 without `crypto.subtle`, which browsers withhold from pages on plain HTTP.

import { hexOf } from "./bytes.js";
import { sha256 } from "./vendor/noble-hashes-2.4.0/sha2.js";

export { sha256 };

/** The hash of some bytes as the ledger writes it: `sha256:` and 64 hexadecimal digits. */
export function hashOf(bytes) {
  return `sha256:${hexOf(sha256(bytes))}`;
}
