// Passkeys: asks the authenticator, and posts its response as an ordinary form.
// Elements that need this script are in templates until it runs. The password works without it.
"use strict";

(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  // As PublicKeyCredential.parse…OptionsFromJSON does, which some browsers lack.
  const decoded = (credentials) => (credentials ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
  const creation = (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: decoded(options.excludeCredentials),
  });
  const request = (options) => ({
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: decoded(options.allowCredentials),
  });

  // As PublicKeyCredential.toJSON does.
  const encoded = (credential) => {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: { credProps: credential.getClientExtensionResults().credProps },
      response,
    };
  };

  const send = (form, credential) => {
    form.elements.credential.value = JSON.stringify(encoded(credential));
    form.submit();
  };

  const show = (form, message) => {
    const alert = form.querySelector("[role=alert]");
    alert.textContent = message;
    alert.hidden = !message;
  };

  // A closed dialog of the browser is not an error.
  const explain = (form, problem) => {
    if (problem.name === "AbortError") return;
    show(form, problem.name === "InvalidStateError" ? form.dataset.known ?? form.dataset.failed : form.dataset.failed);
  };

  const onPress = (form, act) => {
    const button = form.querySelector("button");
    // The Enter key presses the button. Otherwise it would post a form without a passkey.
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", async () => {
      show(form, "");
      try {
        await act();
      } catch (problem) {
        explain(form, problem);
      }
    });
  };

  const options = (form) => JSON.parse(document.getElementById(form.dataset.options).textContent);

  const create = (form) =>
    onPress(form, async () => send(form, await navigator.credentials.create({ publicKey: creation(options(form)) })));

  const get = (form) =>
    onPress(form, async () => send(form, await navigator.credentials.get({ publicKey: request(options(form)) })));

  // A challenge is valid for five minutes. After four minutes it is replaced.
  const FRESH = 4 * 60 * 1000;

  const login = (form) => {
    let begun = null;
    let waiting = null;

    const begin = async () => {
      if (begun && Date.now() - begun.at < FRESH) return begun;
      const answer = await fetch(form.dataset.begin, {
        method: "POST",
        headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      begun = { ...(await answer.json()), at: Date.now() };
      return begun;
    };

    const use = async (mediation) => {
      const challenge = await begin();
      waiting?.abort();
      waiting = new AbortController();
      const credential = await navigator.credentials.get({
        publicKey: request(challenge.options),
        mediation,
        signal: waiting.signal,
      });
      form.elements.token.value = challenge.token;
      send(form, credential);
    };

    // Offers passkeys in the browser's autofill, and begins again when the user returns to an old page.
    const offer = async () => {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      try {
        setTimeout(() => document.addEventListener("focusin", offer, { once: true }), FRESH);
        await use("conditional");
      } catch {
        // The button and the password still work.
      }
    };

    onPress(form, async () => {
      try {
        await use("optional");
      } catch (problem) {
        offer();
        throw problem;
      }
    });
    // A page from the browser's cache may hold a spent challenge.
    addEventListener("pageshow", (event) => {
      if (event.persisted) begun = null;
    });
    offer();
  };

  if (!window.PublicKeyCredential) return;
  const kinds = { create, get, login };
  for (const template of document.querySelectorAll("template.passkeys")) template.replaceWith(template.content);
  for (const form of document.querySelectorAll("form[data-passkey]")) kinds[form.dataset.passkey](form);
})();
