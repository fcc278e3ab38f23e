// Passkeys: asks the browser for one, puts its answer into the form, and sends the form.

const options = async (form) => {
  if (form.dataset.passkey !== "sign-in") {
    return JSON.parse(document.getElementById("passkey-options").textContent);
  }
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
};

const create = ({ creation_options: { publicKey } }) => {
  // One that the device finds by itself, and that asks who is there: it stands in for the password.
  publicKey.authenticatorSelection = {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  };
  const wanted = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey);
  return navigator.credentials.create({ publicKey: wanted });
};

const get = ({ request_options: { publicKey } }) => {
  const wanted = PublicKeyCredential.parseRequestOptionsFromJSON(publicKey);
  return navigator.credentials.get({ publicKey: wanted });
};

const ask = async (form) => {
  const status = form.querySelector("[role=status]");
  status.textContent = "";
  try {
    const answered = await (form.dataset.passkey === "create" ? create : get)(await options(form));
    form.elements.credential.value = JSON.stringify(answered.toJSON());
  } catch {
    status.textContent = "Your device has given no passkey. Try again, or choose another way.";
    return;
  }
  form.submit();
};

// What an older browser cannot do is not offered.
if (globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
}
