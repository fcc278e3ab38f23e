// A worker that judges one order after the other, with the modules of the real one.
import { judge } from "/static/verify/judge.js";

self.onmessage = async ({ data: orders }) => {
  const verdicts = [];
  for (const order of orders) {
    verdicts.push((await judge({ ...order, visit: null }, () => {})).verdict);
  }
  self.postMessage(verdicts);
};
