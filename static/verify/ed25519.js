// Ed25519 signatures (RFC 8032), without `crypto.subtle`, which browsers withhold from pages on plain HTTP.

import { areEqual, joined } from "./bytes.js";
import { Point, etc } from "./vendor/noble-ed25519-3.2.0/index.js";
import { sha512 } from "./vendor/noble-hashes-2.4.0/sha2.js";

const SIGNATURE_BYTES = 64;

/**
 * Tell whether a key signed a message, as §5.1.7 decides it, without the cofactor.
 *
 * The library's own `verify` multiplies by the cofactor and refuses keys of small order, also with
 * `zip215: false`. OpenSSL and the command do neither, and all must reach one verdict.
 */
export function isSignature(publicKey, message, signature) {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const [start, end] = [signature.subarray(0, 32), signature.subarray(32)];
  try {
    const key = Point.fromBytes(publicKey);
    const challenge = etc.mod(numberOf(sha512(joined(joined(start, publicKey), message))), Point.CURVE().n);
    const found = Point.BASE.multiplyUnsafe(numberOf(end)).subtract(key.multiplyUnsafe(challenge));
    return areEqual(found.toBytes(), start);
  } catch {
    // The key is no point, or the scalar is not below the order.
    return false;
  }
}

function numberOf(bytes) {
  return BigInt(`0x${etc.bytesToHex(bytes.slice().reverse())}`);
}
