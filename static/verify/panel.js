// The verification panel of a ledger page: its button verifies the whole book in this browser.

import { run } from "./run.js";
import { recallVisit } from "./visitstore.js";
import { View } from "./view.js";

for (const panel of document.querySelectorAll("[data-verify][data-export]")) enhance(panel);

function enhance(panel) {
  const button = panel.querySelector("[data-verify-start]");
  const again = panel.querySelector("[data-verify-again]");
  const view = new View(panel);
  let worker = null;
  const verify = (isAnew) => {
    worker?.terminate();
    for (const row of document.querySelectorAll("tr.is-broken")) row.classList.remove("is-broken");
    worker = run(view, { ...orderOf(panel), isAnew }, () => offer(panel, button, again));
  };
  button.hidden = false;
  button.addEventListener("click", () => verify(false));
  again.addEventListener("click", () => verify(true));
  offer(panel, button, again).then((visit) => visit && !worker && view.greet(visit));
}

/** Offer to go on from an earlier visit, if this browser keeps one; returns it. */
async function offer(panel, button, again) {
  const visit = await recallVisit(absolute(panel.dataset.export));
  if (visit) button.textContent = "Verify what is new";
  again.hidden = !visit;
  return visit;
}

function orderOf(panel) {
  const { export: exportUrl, head, balances, size } = panel.dataset;
  return {
    exportUrl: absolute(exportUrl),
    headUrl: absolute(head),
    balancesUrl: absolute(balances),
    shown: shownBalances(),
    shownSize: size ? Number(size) : null,
  };
}

function absolute(url) {
  return url ? new URL(url, document.baseURI).href : null;
}

/** The balances that this page shows, or null: they are compared with the entries too. */
function shownBalances() {
  const balances = { places: [], purposes: [] };
  for (const { dataset } of document.querySelectorAll("[data-balance-account]")) {
    const side = /^(?:stripe|in_transit|bank:|reserve:|onchain:)/.test(dataset.balanceAccount) ? "places" : "purposes";
    balances[side].push({
      account: dataset.balanceAccount,
      currency: dataset.balanceCurrency,
      amount: Number(dataset.balanceAmount),
    });
  }
  return balances.places.length + balances.purposes.length ? balances : null;
}
