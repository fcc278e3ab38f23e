// Numbers as people read them.

const NUMBER = new Intl.NumberFormat("en");

export function counted(count) {
  return NUMBER.format(count);
}
