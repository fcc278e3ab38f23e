// Judge what standard input lists (orders as the worker gets them, files in base64) and print the verdicts.

import { readFileSync } from "node:fs";
import { judge } from "../../static/verify/judge.js";

function fileOf(base64) {
  return base64 === undefined ? null : new Blob([Buffer.from(base64, "base64")]);
}

async function reportOn({ receipt, opening, exported, checkpoints, remembered, ...order }) {
  const files = { receipt: fileOf(receipt), opening: fileOf(opening), exported: fileOf(exported), checkpoints: checkpoints.map(fileOf) };
  return (await judge({ ...order, ...files, remembered: new Map(remembered) }, () => {})).verdict;
}

const orders = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(orders.map(reportOn))));
