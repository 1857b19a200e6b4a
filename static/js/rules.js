// Tries the rules while they are written: <live-try for="form" src>. Nothing is saved.
import { patchChildren } from "./patch.js";

customElements.define("live-try", class extends HTMLElement {
  timer = 0;
  asked = 0;

  connectedCallback() {
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById(this.getAttribute("for") ?? ""));
    form?.addEventListener("input", (event) => {
      this.settle(form, /** @type {HTMLInputElement} */ (event.target));
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.try(form), 600);
    });
  }

  /**
   * "All languages" and a single language exclude each other.
   * @param {HTMLFormElement} form @param {HTMLInputElement} field
   */
  settle(form, field) {
    const any = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("languages_any"));
    if (!any) return;
    if ((field.name === "languages" && field.checked) || (field.name === "languages_more" && field.value.trim())) any.checked = false;
    if (field === any && any.checked) {
      for (const box of form.querySelectorAll('input[name="languages"]')) /** @type {HTMLInputElement} */ (box).checked = false;
    }
  }

  /** @param {HTMLFormElement} form */
  async try(form) {
    const turn = ++this.asked;
    const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
    const answer = await fetch(this.getAttribute("src") ?? "", { method: "POST", body, headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer || turn !== this.asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("tried");
    if (fresh && this.firstElementChild) patchChildren(this.firstElementChild, fresh);
  }
});
