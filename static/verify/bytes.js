// Bytes: put together, compared, written as hexadecimal digits and as base64.

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function joined(first, second) {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

export function areEqual(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

export function hexOf(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

export function base64Of(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
