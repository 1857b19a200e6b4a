// Tries the rules while they are written: <live-try for="form" src>. Nothing is saved.
import { patch, patchChildren } from "./patch.js";

customElements.define("live-try", class extends HTMLElement {
  timer = 0;
  asked = 0;

  connectedCallback() {
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById(this.getAttribute("for") ?? ""));
    if (!form) return;
    form.addEventListener("input", (event) => {
      this.settle(form, /** @type {HTMLInputElement} */ (event.target));
      this.soon(form);
    });
    if (written(form)) this.soon(form); // Before this module was there, or by the browser.
  }

  /** @param {HTMLFormElement} form */
  soon(form) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.try(form), 600);
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
    const page = new DOMParser().parseFromString(await answer.text(), "text/html"), fresh = page.getElementById("tried");
    if (fresh && this.firstElementChild) patchChildren(this.firstElementChild, fresh);
    this.sum(page.getElementById("sum"));
  }

  /** The same in short, beside the buttons of a small screen. @param {Element | null} fresh */
  sum(fresh) {
    const old = document.getElementById("sum");
    if (old && fresh) patch(old, fresh); // Who is on it stays on it.
    else if (fresh) document.querySelector(".rules__do")?.prepend(fresh);
    else old?.remove();
  }
});

/** Whether a field holds something else than the page came with. @param {HTMLFormElement} form */
function written(form) {
  return [...form.querySelectorAll("input, select, textarea")].some((element) => {
    if (element instanceof HTMLSelectElement) return [...element.options].some((option) => option.selected !== option.defaultSelected);
    const field = /** @type {HTMLInputElement} */ (element);
    return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  });
}
