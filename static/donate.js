// Shows the total on the donate button; without this script it reads "Continue to payment".
// The server parses the amount again, by the same rule, and has the last word.

const form = document.querySelector("form[data-currency]");

if (form) {
  const { currency, decimals } = form.dataset;
  const label = form.querySelector("[data-total]");
  const without = label.textContent;
  const places = Number(decimals);
  const written = new RegExp(`^(0|[1-9][0-9]{0,12})${places ? `(\\.[0-9]{${places}})?` : ""}$`);

  const total = () => {
    const chosen = form.querySelector("input[name=amount]:checked");
    if (!chosen) return null;
    if (chosen.value !== "other") return chosen.parentElement.textContent.trim().replaceAll(",", "");
    const typed = form.elements.other.value.trim();
    return written.test(typed) && Number(typed) > 0 ? typed : null;
  };

  const show = () => {
    const amount = total();
    label.textContent = amount ? `Give ${spaced(amount)} ${currency}` : without;
  };

  // 1000.5 never gets here: what is shown is what was written, with its thousands apart.
  const spaced = (amount) => {
    const [whole, part] = amount.split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return places ? `${grouped}.${part ?? "0".repeat(places)}` : grouped;
  };

  form.addEventListener("input", show);
  window.addEventListener("pageshow", show);
  show();
}
