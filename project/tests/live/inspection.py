"""Measurable faults of a page: width, labels, headings, contrast, focus."""

from playwright.sync_api import Page

#: Returns a sentence for every fault. Runs in the page even if scripts of the page are disabled.
_FAULTS = """
(width) => {
  const faults = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > width) faults.push(`it is ${wide} px wide on a screen of ${width}`);
  if (!document.documentElement.lang) faults.push("it has no language");
  if (!document.title.trim() || document.title.trim().startsWith("·")) faults.push("it has no title");
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push("it does not have exactly one h1");
  if (levels.some((level, at) => level > (at ? levels[at - 1] : 0) + 1)) faults.push(`its headings skip: ${levels}`);
  const inputs = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")];
  for (const input of inputs) {
    const label = input.labels && input.labels[0];
    if (!label || !label.innerText.trim() || !label.offsetHeight) faults.push(`${input.name} has no visible label`);
    if (!input.autocomplete) faults.push(`${input.name} has no autocomplete`);
    for (const id of (input.getAttribute("aria-describedby") || "").split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) faults.push(`${input.name} is described by a missing element`);
    }
    if (input.getAttribute("aria-invalid") === "true" && !input.hasAttribute("aria-describedby")) {
      faults.push(`${input.name} is invalid without an error message`);
    }
  }
  for (const image of document.images) if (!image.alt) faults.push("an image has no alternative text");
  for (const part of document.querySelectorAll("a[href], button, input:not([type=hidden])")) {
    part.focus({ focusVisible: true });
    const style = getComputedStyle(part);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) faults.push(`${part.outerHTML} shows no focus`);
    const name = part.innerText || part.name || part.getAttribute("aria-label");
    if (!name) faults.push(`${part.outerHTML} has no name`);
  }
  document.activeElement.blur();
  return faults;
}
"""

#: WCAG 2.2, 1.4.3: 4.5 to 1 for text, 3 to 1 for large text.
_CONTRASTS = """
() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (part) => {
    for (let at = part; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const part = node.parentElement;
    if (!node.data.trim() || !part.offsetHeight) continue;
    const style = getComputedStyle(part);
    const [one, two] = [light(channels(style.color).slice(0, 3)), light(ground(part))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) low.push(`${ratio.toFixed(2)} to 1: ${node.data.trim().slice(0, 40)}`);
  }
  return low;
}
"""


def faults_of(page: Page, *, width: int) -> list[str]:
    """Return the faults of *page* on a screen of *width* pixels."""
    faults: list[str] = page.evaluate(_FAULTS, width)
    return faults


def contrasts(page: Page) -> list[str]:
    """Return the texts of *page* with insufficient contrast."""
    texts: list[str] = page.evaluate(_CONTRASTS)
    return texts
