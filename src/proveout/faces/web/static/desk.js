// Keys of the review desk, and what it says of an edit that is not saved. The page works without:
// each key only does what a link, a button or a fold of the page does, and is written beside it
// (data-key).
"use strict";

const typing = "input, textarea, select, [contenteditable]";
const edit = document.querySelector(".actions .edit");
const unsaved = document.getElementById("unsaved");

const keyed = (key) =>
  [...document.querySelectorAll("[data-key]")].find(
    (one) => one.dataset.key === key && one.checkVisibility(),
  );

// A form that opens below the edge of the window would look as if nothing had happened.
const enter = (details) => {
  const first = details.querySelector("textarea, select, input:not([type=hidden]), button");
  const wrong = details.querySelector("[aria-invalid=true]");
  const at = document.activeElement;
  first.closest("form").scrollIntoView({ block: "nearest" });
  if (!at.closest("form") || !details.contains(at)) (wrong || first).focus();
  else at.scrollIntoView({ block: "nearest" });
};

// While the bar lies over the draft, it says that there is more below.
const bar = document.querySelector(".actions");
if (bar) {
  const over = ([one]) => bar.toggleAttribute("data-over", one.intersectionRatio < 1);
  new IntersectionObserver(over, { rootMargin: "0px 0px -13px 0px", threshold: 1 }).observe(bar);
}

for (const details of document.querySelectorAll(".actions details")) {
  details.addEventListener("toggle", () => details.open && enter(details));
}

const opened = document.querySelector(".actions details[open]");
if (opened) enter(opened);

const unfold = (summary) => {
  const details = summary.parentElement;
  const decides = details.closest(".actions");
  details.open = decides ? true : !details.open;
  if (decides) enter(details);
  else summary.focus();
};

const isChanged = (one) =>
  one.tagName === "SELECT"
    ? [...one.options].some((option) => option.selected !== option.defaultSelected)
    : one.value !== one.defaultValue;

const isUnsaved = () =>
  edit !== null &&
  ("unsaved" in edit.dataset || [...edit.querySelectorAll("textarea, select")].some(isChanged));

const warn = () => {
  unsaved.textContent = unsaved.dataset.says;
  unsaved.scrollIntoView({ block: "nearest" });
};

// What was typed is dropped by the second Escape only: the first says so.
const leave = (at) => {
  const open = at.closest("details[open]") || document.querySelector(".actions details[open]");
  if (isUnsaved() && (!open || edit.contains(open))) {
    if (unsaved.textContent) edit.querySelector("a[data-settles]").click();
    else warn();
  } else if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
};

document.addEventListener("submit", (event) => {
  const settles = "settles" in event.target.dataset || event.target.closest(".edit");
  if (settles || !isUnsaved()) return;
  event.preventDefault();
  warn();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const stays = !link || "settles" in link.dataset || link.getAttribute("href").startsWith("#");
  if (stays || event.ctrlKey || event.metaKey || event.shiftKey || !isUnsaved()) return;
  event.preventDefault();
  warn();
});

if (edit) edit.addEventListener("input", () => unsaved.replaceChildren());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("dialog")) return;
  if (event.key === "Escape") {
    leave(event.target);
    return;
  }
  if (event.target.closest(typing)) return;
  const found = keyed(event.key.toLowerCase());
  if (!found || event.repeat) return;
  event.preventDefault();
  if (found.tagName === "SUMMARY") unfold(found);
  else if (isUnsaved()) warn();
  else found.click();
});

// What is left of the ten seconds in which a decision can be undone.
const left = document.querySelector("[data-until]");
if (left) {
  const end = Date.now() + 1000 * Number(left.dataset.until);
  const banner = left.closest("form");
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 0) {
      left.textContent = `${seconds} s`;
      setTimeout(tick, 250);
    } else if ("passes" in banner.dataset) banner.remove();
    else location.reload();
  };
  tick();
}
