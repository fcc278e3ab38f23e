// Looks for news of a gift without reloading the page; without this script the page reloads itself.
// The live region stays the same element, so that screen readers tell what became new in it.

const PARTS = ["main [role=status]", "main .split", "main [data-proof]"];

const look = async () => {
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // Off-line for a moment: the next look may succeed.
  }
  wait();
};

const show = (page) => {
  for (const part of PARTS) {
    const [shown, fresh] = [document.querySelector(part), page.querySelector(part)];
    if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
  }
};

const wait = () => {
  const sign = document.querySelector("main [data-refresh-seconds]");
  if (sign) setTimeout(look, Number(sign.dataset.refreshSeconds) * 1000);
};

wait();
