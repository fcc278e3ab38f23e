// Shows the total on the donate button; without this script it reads "Continue to payment".
// The server reads the amount again and has the last word. What this script is not sure of, such
// as digits of another script, it leaves to the server.

const form = document.querySelector("form[data-currency]");

if (form) {
  const { currency, digits, decimal, group, groups } = form.dataset;
  const [exponent, places, primary, secondary] = ["exponent", "decimals", "primary", "secondary"]
    .map((name) => Number(form.dataset[name]));
  const label = form.querySelector("[data-total]");
  const without = label.textContent;
  const plain = new RegExp(`^(0|[1-9][0-9]{0,12})$`);

  const grouped = (whole, sign) => {
    const parts = [];
    for (let rest = whole, size = primary; rest; size = secondary) {
      parts.unshift(rest.slice(-size));
      rest = rest.slice(0, -size);
    }
    return parts.join(sign);
  };

  // The whole part and the decimals of what was typed, if it is written as this page writes.
  const read = (typed) => {
    const shown = [...typed].map((sign) => {
      const digit = digits.indexOf(sign);
      return digit < 0 ? sign : String(digit);
    });
    const [whole, part, ...more] = shown.join("").split(decimal);
    const signs = [...whole].filter((sign) => groups.includes(sign));
    const bare = [...whole].filter((sign) => !groups.includes(sign)).join("");
    const fits = !signs.length || (new Set(signs).size === 1 && grouped(bare, signs[0]) === whole);
    const isPart = part === undefined || (places > 0 && new RegExp(`^[0-9]{${places}}$`).test(part));
    // With three decimals, groups alone may be decimals to the other half of the world.
    const isClear = exponent < 3 || !signs.length || part !== undefined;
    if (more.length || !plain.test(bare) || !fits || !isPart || !isClear) return null;
    return [bare, part ?? ""];
  };

  const total = () => {
    const chosen = form.querySelector("input[name=amount]:checked");
    if (!chosen) return null;
    if (chosen.value === "other") return read(form.elements.other.value.trim());
    const minor = chosen.value.padStart(exponent + 1, "0");
    const cut = minor.length - exponent;
    return [minor.slice(0, cut), minor.slice(cut).slice(0, places)];
  };

  const written = ([whole, part]) => {
    const decimals = places ? decimal + part.padEnd(places, "0") : "";
    const text = [...grouped(whole, group) + decimals]
      .map((sign) => (/[0-9]/.test(sign) ? digits[Number(sign)] : sign))
      .join("");
    return `\u2068${text}\u2069`;
  };

  const rhythm = () => {
    const chosen = form.querySelector("input[name=interval]:checked");
    const repeats = chosen && chosen.value !== "once";
    return repeats ? ` ${chosen.parentElement.textContent.trim().toLowerCase()}` : "";
  };

  const show = () => {
    const amount = total();
    const isMore = amount && /[1-9]/.test(amount.join(""));
    label.textContent = isMore ? `Give ${written(amount)} ${currency}${rhythm()}` : without;
  };

  form.addEventListener("input", show);
  window.addEventListener("pageshow", show);
  show();
}
