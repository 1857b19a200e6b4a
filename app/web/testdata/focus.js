// What has the focus now, and whether it can be seen.
(() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return { Name: "", Wrong: "" };
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  let wrong = "";
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong = "its focus cannot be seen";
  else if (box.bottom <= 0 || box.top >= innerHeight) wrong = "it has the focus and is out of sight";
  else {
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2), y = Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 1), innerHeight - 2);
    const top = document.elementFromPoint(x, y);
    if (top && !at.contains(top) && !top.contains(at) && !top.closest("label")?.contains(at)) wrong = `it is hidden behind <${top.tagName.toLowerCase()} class="${top.getAttribute("class") ?? ""}">`;
  }
  return { Name: `<${at.tagName.toLowerCase()}> ${(at.textContent || at.getAttribute("name") || "").replace(/\s+/g, " ").trim().slice(0, 40)}`, Wrong: wrong };
})();
