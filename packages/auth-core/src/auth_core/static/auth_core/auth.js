// Progressive enhancement. Every page works without it.
"use strict";

for (const input of document.querySelectorAll('input[type="password"][data-reveal]')) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? input.dataset.hide : input.dataset.reveal;
    button.setAttribute("aria-pressed", String(visible));
  };
  button.addEventListener("click", () => show(input.type === "password"));
  // Hide the password before the form is sent. Otherwise the browser would store it as ordinary text.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  input.after(button);
}
